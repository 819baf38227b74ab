/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a token says that is signed properly, it is a grant that makes sense or a refusal whose
 * words are fit for an HTTP header. The input is what the token says. */

#include "conic-fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conic-id.h"
#include "conic-token.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW    1700000000

static GPtrArray *
make_keys (void)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) conic_token_key_free);
  int fd = memfd_create ("secret", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  g_assert_cmpint (write (fd, SECRET, strlen (SECRET)), ==, strlen (SECRET));
  g_ptr_array_add (keys, conic_token_key_load_for_checking (path, NULL));
  close (fd);
  return keys;
}

static char *
encode (const guint8 *bytes, gsize length)
{
  char *text = g_base64_encode (bytes, length);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

static char *
sign (const guint8 *claims, gsize length)
{
  g_autofree char *body = encode (claims, length);
  /* {"alg":"HS256"} */
  g_autofree char *text = g_strconcat ("eyJhbGciOiJIUzI1NiJ9.", body, NULL);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, (const guchar *) SECRET, strlen (SECRET));
  g_autofree char *signature = NULL;
  guint8 digest[32];
  gsize digest_length = sizeof digest;

  g_hmac_update (hmac, (const guchar *) text, -1);
  g_hmac_get_digest (hmac, digest, &digest_length);
  signature = encode (digest, digest_length);
  return g_strconcat (text, ".", signature, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) keys = make_keys ();
  g_autofree char *token = sign (data, size);
  g_autoptr (GError) error = NULL;
  gint64 expires = 0;
  g_autoptr (ConicGrant) grant =
      conic_token_check (keys, CONIC_TOKEN_AUDIENCE, token, NOW, &expires, &error);

  if (grant != NULL) {
    g_autofree char *made = conic_grant_make_id (grant);

    g_assert_no_error (error);
    g_assert_cmpint (expires, >, NOW);
    if (conic_grant_get_id (grant) != NULL)
      g_assert_true (conic_grant_may_be (grant, conic_grant_get_id (grant)));
    else
      g_assert_true (conic_id_is_valid (made) && conic_grant_may_be (grant, made));
    return 0;
  }
  g_assert_nonnull (error);
  for (const char *c = error->message; *c != '\0'; c++)
    g_assert_true (g_ascii_isprint (*c) && *c != '"' && *c != '\\');
  return 0;
}
