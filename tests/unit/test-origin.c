/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which pages may connect to which host. */

#include "conic-origin.h"

#include "conic-server-error.h"

#include <string.h>

static void
test_same_host (void)
{
  static const struct {
    const char *origin;
    const char *host;
    gboolean plain; /* whether it is allowed without TLS, and with it */
    gboolean tls;
  } cases[] = {
      {NULL, "h", TRUE, TRUE},
      {NULL, NULL, TRUE, TRUE},
      {"http://h", "h", TRUE, FALSE},
      {"http://h", "h:80", TRUE, FALSE},
      {"http://h:80", "h", TRUE, FALSE},
      {"http://h:3000", "h:3000", TRUE, FALSE},
      {"http://h:3000", "h", FALSE, FALSE},
      {"http://h", "h:3000", FALSE, FALSE},
      {"http://h:3000", "h:3001", FALSE, FALSE},
      /* The TLS may end at a proxy. */
      {"https://h", "h", TRUE, TRUE},
      {"https://h", "h:443", TRUE, TRUE},
      {"https://h:3000", "h:3000", TRUE, TRUE},
      {"https://h", "h:80", FALSE, FALSE},
      {"HTTP://H", "h", TRUE, FALSE},
      {"https://ex.Example", "EX.example", TRUE, TRUE},
      {"http://127.0.0.1:3000", "127.0.0.1:3000", TRUE, FALSE},
      {"http://localhost:3000", "127.0.0.1:3000", FALSE, FALSE},
      {"http://[::1]:3000", "[::1]:3000", TRUE, FALSE},
      {"http://[::1]", "[::1]", TRUE, FALSE},
      {"http://hh", "h", FALSE, FALSE},
      {"http://h.evil", "h", FALSE, FALSE},
      {"http://evil/h", "h", FALSE, FALSE},
      {"http://h@evil", "h", FALSE, FALSE},
      {"http://h/", "h", FALSE, FALSE},
      {"http://h?", "h", FALSE, FALSE},
      {"http://h#", "h", FALSE, FALSE},
      {"http://h, http://evil", "h", FALSE, FALSE},
      {"http://evil, http://h", "h", FALSE, FALSE},
      {"http://h", "evil, h", FALSE, FALSE},
      {"http://h", "u@h", FALSE, FALSE},
      {"http://h", "h/x", FALSE, FALSE},
      {"http://h", NULL, FALSE, FALSE},
      {"http://h", "", FALSE, FALSE},
      {"http://", "", FALSE, FALSE},
      {"http://h:99999", "h:99999", FALSE, FALSE},
      {"http://h:-1", "h:-1", FALSE, FALSE},
      {"ftp://h", "h", FALSE, FALSE},
      {"null", "null", FALSE, FALSE},
      {"null", "h", FALSE, FALSE},
      {"", "h", FALSE, FALSE},
      {"h", "h", FALSE, FALSE},
      {"//h", "h", FALSE, FALSE},
      {"\xff", "h", FALSE, FALSE},
  };
  g_autoptr (ConicOrigins) origins = conic_origins_new ((const char *const[]){NULL}, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s at %s", cases[i].origin, cases[i].host);
    g_assert_cmpint (conic_origins_allow (origins, cases[i].origin, cases[i].host,
                                          CONIC_ORIGIN_WAY_PLAIN),
                     ==, cases[i].plain);
    g_assert_cmpint (conic_origins_allow (origins, cases[i].origin, cases[i].host,
                                          CONIC_ORIGIN_WAY_TLS),
                     ==, cases[i].tls);
  }
}

/* On this machine, and by no proxy, a page without TLS is the hub's by the machine's own names only. */
static void
test_loopback (void)
{
  static const struct {
    const char *page; /* with a port, the origin; without its scheme, the host */
    gboolean allowed;
  } cases[] = {
      {"http://127.0.0.1", TRUE},
      {"http://127.1.2.3", TRUE},
      {"http://[::1]", TRUE},
      {"http://localhost", TRUE},
      {"http://LocalHost", TRUE},
      {"http://evil.example", FALSE},
      {"http://localhost.evil.example", FALSE},
      {"http://10.0.0.1", FALSE},
      {"http://[::2]", FALSE},
      {"http://[fe80::1%25lo]", FALSE},
      {"https://hub.example", TRUE},
  };
  g_autoptr (ConicOrigins) origins = conic_origins_new ((const char *const[]){NULL}, NULL);
  g_autoptr (ConicOrigins) listed =
      conic_origins_new ((const char *const[]){"http://evil.example:3000", NULL}, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *origin = g_strconcat (cases[i].page, ":3000", NULL);
    const char *host = strstr (origin, "//") + strlen ("//");

    g_test_message ("%s", origin);
    g_assert_cmpint (conic_origins_allow (origins, origin, host, CONIC_ORIGIN_WAY_LOOPBACK), ==,
                     cases[i].allowed);
    g_assert_true (conic_origins_allow (origins, origin, host, CONIC_ORIGIN_WAY_PLAIN));
  }
  g_assert_true (conic_origins_allow (listed, "http://evil.example:3000", "evil.example:3000",
                                      CONIC_ORIGIN_WAY_LOOPBACK));
}

static void
test_list (void)
{
  static const char *const allowed[] = {"https://App.example", "http://dev:8080",
                                        "capacitor://localhost", "null", NULL};
  static const char *const good[] = {
      "https://app.example", "https://app.example:443", "HTTPS://APP.EXAMPLE",
      "http://dev:8080",     "capacitor://localhost",   "null",
      "http://hub"};
  static const char *const bad[] = {"http://app.example",
                                    "https://app.example:444",
                                    "https://app.example.evil",
                                    "http://dev",
                                    "http://localhost",
                                    "capacitor://evil",
                                    "NULL",
                                    "null, null",
                                    "https://app.example, https://app.example"};
  g_autoptr (ConicOrigins) origins = conic_origins_new (allowed, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_test_message ("%s", good[i]);
    g_assert_true (conic_origins_allow (origins, good[i], "hub", CONIC_ORIGIN_WAY_PLAIN));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_test_message ("%s", bad[i]);
    g_assert_false (conic_origins_allow (origins, bad[i], "hub", CONIC_ORIGIN_WAY_PLAIN));
  }
}

static void
test_any (void)
{
  g_autoptr (ConicOrigins) origins = conic_origins_new ((const char *const[]){"*", NULL}, NULL);

  g_assert_true (conic_origins_allow (origins, "https://anywhere", "hub", CONIC_ORIGIN_WAY_PLAIN));
  g_assert_true (conic_origins_allow (origins, "null", "hub", CONIC_ORIGIN_WAY_TLS));
}

static void
test_bad_list (void)
{
  static const char *const bad[] = {"",
                                    "app.example",
                                    "https://app.example/",
                                    "https://app.example/path",
                                    "https://",
                                    "https://*.example",
                                    "https://app.example:x",
                                    "https://u@app.example",
                                    "wss://app.example"};

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", bad[i]);
    g_assert_null (conic_origins_new ((const char *const[]){"https://good", bad[i], NULL}, &error));
    g_assert_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG);
    g_assert_nonnull (strstr (error->message, bad[i]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/origin/same-host", test_same_host);
  g_test_add_func ("/origin/loopback", test_loopback);
  g_test_add_func ("/origin/list", test_list);
  g_test_add_func ("/origin/any", test_any);
  g_test_add_func ("/origin/bad-list", test_bad_list);

  return g_test_run ();
}
