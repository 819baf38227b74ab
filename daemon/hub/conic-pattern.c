/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-pattern.h"

#include <string.h>

#include "conic-id.h"
#include "conic-limits.h"

gsize
conic_pattern_get_prefix_length (const char *pattern)
{
  return strcspn (pattern, "*");
}

gboolean
conic_pattern_is_valid (const char *text, gsize max_prefix)
{
  char id[CONIC_ID_MAX_LENGTH + 1];
  gsize length = conic_pattern_get_prefix_length (text);

  if (text[length] == '\0')
    return conic_id_is_valid (text);

  return text[length + 1] == '\0' && length <= max_prefix &&
         (length == 0 || conic_id_copy (id, text, length));
}

gboolean
conic_pattern_matches (const char *pattern, const char *id)
{
  gsize length = conic_pattern_get_prefix_length (pattern);

  return pattern[length] == '*' ? strncmp (pattern, id, length) == 0 : strcmp (pattern, id) == 0;
}

gboolean
conic_pattern_any_matches (const char *const *patterns, const char *id)
{
  for (gsize i = 0; patterns != NULL && patterns[i] != NULL; i++) {
    if (conic_pattern_matches (patterns[i], id))
      return TRUE;
  }

  return FALSE;
}
