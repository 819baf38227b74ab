/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients are told of STUN and TURN servers. */

#include "conic-ice.h"

#include "conic-message.h"
#include "conic-server-error.h"

#include <glib/gstdio.h>
#include <string.h>

#define NONE ((const char *const[]){NULL})

typedef struct {
  char *secret;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  int fd = g_file_open_tmp ("conic-test-XXXXXX", &fixture->secret, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (fixture->secret, "north\n", -1, NULL));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->secret);
  g_free (fixture->secret);
}

static void
test_none (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicIce) ice = conic_ice_new (NONE, NONE, NULL, 60, NULL);

  g_assert_null (conic_ice_make_servers (ice, "a", 0));
}

static void
test_stun (Fixture *fixture, gconstpointer data)
{
  static const char *const uris[] = {"stun:a", "stuns:b:5349", NULL};
  g_autoptr (ConicIce) ice = conic_ice_new (uris, NONE, NULL, 60, NULL);
  g_autoptr (GPtrArray) servers = conic_ice_make_servers (ice, "a", 0);
  const ConicIceServer *server = servers->pdata[0];

  g_assert_cmpuint (servers->len, ==, 1);
  g_assert_true (g_strv_equal ((const char *const *) server->urls, uris));
  g_assert_null (server->username);
  g_assert_null (server->credential);
}

/* The credential is what
 * `printf 1700000060:alice | openssl dgst -sha1 -hmac north -binary | base64` says. */
static void
test_turn (Fixture *fixture, gconstpointer data)
{
  static const char *const uris[] = {"turn:a", NULL};
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicIce) ice =
      conic_ice_new ((const char *const[]){"stun:a", NULL}, uris, fixture->secret, 60, &error);
  g_autoptr (GPtrArray) servers = NULL;
  const ConicIceServer *server;

  g_assert_no_error (error);
  servers = conic_ice_make_servers (ice, "alice", 1700000000);
  g_assert_cmpuint (servers->len, ==, 2);
  server = servers->pdata[1];
  g_assert_true (g_strv_equal ((const char *const *) server->urls, uris));
  g_assert_cmpstr (server->username, ==, "1700000060:alice");
  g_assert_cmpstr (server->credential, ==, "b/MNJ/XdPk4NPaXAvztSvEoz3wM=");
}

static void
expect_refusal (const char *const *stun,
                const char *const *turn,
                const char *secret,
                const char *named)
{
  g_autoptr (GError) error = NULL;

  g_test_message ("%s", named);
  g_assert_null (conic_ice_new (stun, turn, secret, 60, &error));
  g_assert_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, named));
}

static void
test_uris (Fixture *fixture, gconstpointer data)
{
  static const char *const stun[] = {"stun:h",     "stun:h:1",        "stuns:h:65535",
                                     "stun:[::1]", "stun:[::1]:3478", "stun:127.0.0.1:3478",
                                     NULL};
  static const char *const turn[] = {"turn:h", "turns:h:443?transport=tcp",
                                     "turn:[2001:db8::1]?transport=udp", NULL};
  static const char *const bad_stun[] = {"",
                                         "stun:",
                                         "h",
                                         "stun://h",
                                         "turn:h",
                                         "stun:h:0",
                                         "stun:h:65536",
                                         "stun:h:x",
                                         "stun:h:",
                                         "stun:u@h",
                                         "stun:h?transport=udp",
                                         "stun:h h",
                                         "http:h",
                                         "stun:::1",
                                         "stun:h\n"};
  static const char *const bad_turn[] = {"turn://h",    "turn:h?transport=sctp",
                                         "turn:h?",     "turn:h?x=udp",
                                         "turn:u:p@h",  "stun:h",
                                         "turn:h:70000"};
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicIce) ice = conic_ice_new (stun, turn, fixture->secret, 60, &error);

  g_assert_no_error (error);
  g_assert_nonnull (ice);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_stun); i++)
    expect_refusal ((const char *const[]){"stun:good", bad_stun[i], NULL}, NONE, NULL, bad_stun[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_turn); i++)
    expect_refusal (NONE, (const char *const[]){bad_turn[i], NULL}, fixture->secret, bad_turn[i]);
}

static void
test_bad_secret (Fixture *fixture, gconstpointer data)
{
  static const char *const turn[] = {"turn:h", NULL};
  static const char *const contents[] = {"", "\n", "\r\n", "a\xff"};

  expect_refusal (NONE, turn, "/nonexistent/secret", "/nonexistent/secret");
  for (gsize i = 0; i < G_N_ELEMENTS (contents); i++) {
    g_assert_true (g_file_set_contents (fixture->secret, contents[i], -1, NULL));
    expect_refusal (NONE, turn, fixture->secret, fixture->secret);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/ice/none", Fixture, NULL, set_up, test_none, tear_down);
  g_test_add ("/ice/stun", Fixture, NULL, set_up, test_stun, tear_down);
  g_test_add ("/ice/turn", Fixture, NULL, set_up, test_turn, tear_down);
  g_test_add ("/ice/uris", Fixture, NULL, set_up, test_uris, tear_down);
  g_test_add ("/ice/bad-secret", Fixture, NULL, set_up, test_bad_secret, tear_down);

  return g_test_run ();
}
