/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that what is logged is one line of printable text whatever it was made of, and that what
 * happens all the time is let through once a minute. */

#include "conic-log.h"

#include <gio/gio.h>

static void
test_escape (void)
{
  static const struct {
    const char *text;
    const char *escaped;
  } cases[] = {
      {"", ""},
      {"Grüße, 世界", "Grüße, 世界"},
      {"a\nb\r\tc", "a\\u000ab\\u000d\\u0009c"},
      {"\x1b[31m\x7f", "\\u001b[31m\\u007f"},
      {"\xc2\x85", "\\u0085"},                        /* next line */
      {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"}, /* line and paragraph separators */
      {"\xe2\x80\xae\xe2\x81\xa6", "\\u202e\\u2066"}, /* right-to-left override and isolate */
      {"\xef\xbb\xbf\xe2\x80\x8b", "\\ufeff\\u200b"}, /* nothing to be seen */
      {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},       /* not UTF-8 */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *escaped = conic_log_escape (cases[i].text);

    g_assert_cmpstr (escaped, ==, cases[i].escaped);
  }
}

static void
test_limit (void)
{
  const gint64 start = 1000, minute = 60 * G_TIME_SPAN_SECOND;
  ConicLogLimit limit = {0};
  guint n = 0;

  g_assert_true (conic_log_limit_pass (&limit, start, &n));
  g_assert_cmpuint (n, ==, 0);
  for (guint i = 0; i < 5; i++)
    g_assert_false (conic_log_limit_pass (&limit, start + i, &n));
  g_assert_false (conic_log_limit_pass (&limit, start + minute - 1, &n));
  g_assert_true (conic_log_limit_pass (&limit, start + minute, &n));
  g_assert_cmpuint (n, ==, 6);
  g_assert_true (conic_log_limit_pass (&limit, start + 3 * minute, &n));
  g_assert_cmpuint (n, ==, 0);
}

/* Who comes by IPv4 to a socket that takes both is described as to one that takes IPv4 only. */
static void
test_mapped (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) there = NULL, here = NULL;
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *expected = NULL, *described = NULL;
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  there = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, NULL);
  g_assert_nonnull (there);
  here = g_socket_listener_accept (listener, NULL, NULL, NULL);
  address = g_socket_connection_get_local_address (there, NULL);
  expected = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
  described = conic_log_describe_remote (g_socket_get_fd (g_socket_connection_get_socket (here)));
  g_assert_cmpstr (described, ==, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/escape", test_escape);
  g_test_add_func ("/log/limit", test_limit);
  g_test_add_func ("/log/mapped", test_mapped);
  return g_test_run ();
}
