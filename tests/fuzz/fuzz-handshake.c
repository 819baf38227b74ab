/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a request says, its answer is one head of HTTP (and one line, if it is a refusal), with
 * nothing in it that the client could have meant to be more. The first byte of the input says
 * whether a token is asked for. */

#include "conic-fuzz.h"

#include "conic-handshake.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef\n"

static ConicAdmission *
make_admission (gboolean wants_token)
{
  g_autoptr (ConicConfig) config = conic_config_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  ConicAdmission *admission;
  int fd = memfd_create ("secret", MFD_CLOEXEC);

  if (wants_token) {
    g_assert_cmpint (write (fd, SECRET, strlen (SECRET)), ==, strlen (SECRET));
    path = g_strdup_printf ("/proc/self/fd/%d", fd);
    g_strfreev (config->auth_keys);
    config->auth_keys = g_strsplit (path, ";", -1);
  }
  admission = conic_admission_new (config, &error);
  g_assert_no_error (error);
  close (fd);
  return admission;
}

static void
check_answer (const char *answer, const ConicVerdict *verdict)
{
  g_autofree char *status = g_strdup_printf ("HTTP/1.1 %u ", verdict->status);
  const char *end = strstr (answer, "\r\n\r\n");

  g_assert_true (g_str_has_prefix (answer, status));
  g_assert_nonnull (end);
  for (const char *at = answer; at < end; at++) {
    if (*at == '\r')
      g_assert_cmpint (*++at, ==, '\n');
    else
      g_assert_true (g_ascii_isprint (*at));
  }
  if (verdict->status == 101)
    g_assert_cmpstr (end, ==, "\r\n\r\n");
  g_assert_true (g_utf8_validate (end, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (ConicAdmission) admission = NULL;
  g_auto (ConicVerdict) verdict = {0};
  g_autofree char *answer = NULL;

  if (size < 1)
    return 0;
  admission = make_admission (data[0] & 1);
  answer = conic_handshake_answer (admission, -1, (const char *) data + 1, size - 1, &verdict);
  if (answer != NULL)
    check_answer (answer, &verdict);

  return 0;
}
