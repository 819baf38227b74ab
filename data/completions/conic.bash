# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of conic(1) for bash: the program itself knows what may come next.

_conic () {
  local line=${COMP_LINE:0:COMP_POINT} words candidates
  # Not COMP_WORDS, which has the URI of a hub in pieces.
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  candidates=$("${words[0]}" --complete "${words[@]:1}" 2>/dev/null)
  if [ "$candidates" = :path ]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]}")
  else
    mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "${words[-1]}")
  fi
}
complete -F _conic conic
