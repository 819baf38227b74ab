/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-slice.h"

#include <string.h>

gboolean
conic_slice_is (ConicSlice slice, const char *text)
{
  return slice.length == strlen (text) && memcmp (slice.data, text, slice.length) == 0;
}

gboolean
conic_slice_is_base64 (ConicSlice slice)
{
  gsize length = slice.length;

  if (length % 4 != 0)
    return FALSE;

  if (length > 0 && slice.data[length - 1] == '=')
    length--;
  if (length + 1 == slice.length && slice.data[length - 1] == '=')
    length--;
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isalnum (slice.data[i]) && slice.data[i] != '+' && slice.data[i] != '/')
      return FALSE;
  }

  return TRUE;
}
