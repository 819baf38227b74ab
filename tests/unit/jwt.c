/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tokens made by hand, also those that no library would make. */

#include "jwt.h"

#include <string.h>

/* Bytes of the longest digest, SHA-512. */
#define DIGEST_BYTES 64

static char *
encode (gconstpointer bytes, gsize length)
{
  char *text = g_base64_encode (bytes, length);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

char *
jwt_make (const char *header,
          gconstpointer claims,
          gsize length,
          GChecksumType digest,
          const char *secret)
{
  g_autofree char *first = encode (header, strlen (header));
  g_autofree char *second = encode (claims, length);
  g_autofree char *text = g_strconcat (first, ".", second, NULL);
  g_autoptr (GHmac) hmac = g_hmac_new (digest, (const guchar *) secret, strlen (secret));
  g_autofree char *signature = NULL;
  guint8 bytes[DIGEST_BYTES];
  gsize n = sizeof bytes;

  g_hmac_update (hmac, (const guchar *) text, -1);
  g_hmac_get_digest (hmac, bytes, &n);
  signature = encode (bytes, n);
  return g_strconcat (text, ".", signature, NULL);
}
