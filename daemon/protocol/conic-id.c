/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "conic-limits.h"

static inline gboolean
is_id_character (char c)
{
  return g_ascii_isalnum (c) || c == '.' || c == '_' || c == '~' || c == '-';
}

gboolean
conic_id_copy (char *out, const char *id, gsize length)
{
  if (length == 0 || length > CONIC_ID_MAX_LENGTH)
    return FALSE;

  for (gsize i = 0; i < length; i++) {
    if (!is_id_character (id[i]))
      return FALSE;
    out[i] = id[i];
  }
  out[length] = '\0';

  return TRUE;
}

gboolean
conic_id_is_valid (const char *id)
{
  gsize length = 0;

  while (length <= CONIC_ID_MAX_LENGTH && is_id_character (id[length]))
    length++;

  return length > 0 && length <= CONIC_ID_MAX_LENGTH && id[length] == '\0';
}

char *
conic_id_new (void)
{
  static const char digits[32] = "0123456789abcdefghijklmnopqrstuv";
  guint8 bytes[CONIC_ID_NEW_LENGTH];
  char *id;

  /* So few bytes are never given in part; a signal can only come before the kernel's generator
   * is seeded. */
  while (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    g_assert (errno == EINTR);

  id = g_malloc (CONIC_ID_NEW_LENGTH + 1);
  for (guint i = 0; i < CONIC_ID_NEW_LENGTH; i++)
    id[i] = digits[bytes[i] % 32];
  id[CONIC_ID_NEW_LENGTH] = '\0';

  return id;
}
