/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a token says that is signed properly, it is a grant that makes sense or a refusal whose
 * words are fit for an HTTP header. The input is what the token says. */

#include "conic-fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conic-id.h"
#include "conic-token.h"
#include "jwt.h"

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

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) keys = make_keys ();
  g_autofree char *token = jwt_make (JWT_HS256, data, size, G_CHECKSUM_SHA256, SECRET);
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
