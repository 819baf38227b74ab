# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of conic(1) for bash: the program itself knows what may come next.

_conic () {
  local line=${COMP_LINE:0:COMP_POINT} words candidate
  # Not COMP_WORDS, which has the URI of a hub in pieces.
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  COMPREPLY=()
  # Not by compgen -W, which runs what stands in $(…), and some of this is from a hub.
  while IFS= read -r candidate; do
    if [ "$candidate" = :path ]; then
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]}")
    elif [[ $candidate == "${words[-1]}"* ]]; then
      COMPREPLY+=("$candidate")
    fi
  done < <("${words[0]}" --complete "${words[@]:1}" 2>/dev/null)
}
complete -F _conic conic
