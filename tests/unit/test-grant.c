/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a grant allows, and what a hub makes of it. */

#include "conic-grant.h"

#include <string.h>

#include "conic-error.h"
#include "conic-limits.h"
#include "fake-peer.h"

static ConicGrant *
grant_for (const char *id, const char *targets)
{
  g_auto (GStrv) list = targets != NULL ? g_strsplit (targets, ",", 0) : NULL;
  g_autoptr (GError) error = NULL;
  ConicGrant *grant = conic_grant_new (id, (const char *const *) list, &error);

  g_assert_no_error (error);

  return grant;
}

static void
test_none (void)
{
  g_autofree char *made = conic_grant_make_id (NULL);

  g_assert_true (conic_grant_may_be (NULL, "a"));
  g_assert_true (conic_grant_may_reach (NULL, "a"));
  g_assert_null (conic_grant_get_id (NULL));
  g_assert_true (conic_id_is_valid (made));
}

static void
test_exact (void)
{
  g_autoptr (ConicGrant) grant = grant_for ("cam.1", NULL);

  g_assert_true (conic_grant_may_be (grant, "cam.1"));
  g_assert_false (conic_grant_may_be (grant, "cam.12"));
  g_assert_false (conic_grant_may_be (grant, "cam."));
  g_assert_false (conic_grant_may_be (grant, "Cam.1"));
  g_assert_cmpstr (conic_grant_get_id (grant), ==, "cam.1");
  g_assert_true (conic_grant_may_reach (grant, "anybody"));
}

static void
test_prefix (void)
{
  g_autoptr (ConicGrant) grant = grant_for ("cam.*", NULL);
  g_autofree char *made = conic_grant_make_id (grant);

  g_assert_true (conic_grant_may_be (grant, "cam.1"));
  g_assert_true (conic_grant_may_be (grant, "cam."));
  g_assert_false (conic_grant_may_be (grant, "cam"));
  g_assert_false (conic_grant_may_be (grant, "webcam.1"));
  g_assert_null (conic_grant_get_id (grant));
  g_assert_true (g_str_has_prefix (made, "cam."));
  g_assert_cmpuint (strlen (made), ==, strlen ("cam.") + CONIC_ID_NEW_LENGTH);
}

static void
test_anybody (void)
{
  g_autoptr (ConicGrant) grant = grant_for ("*", NULL);
  g_autofree char *made = conic_grant_make_id (grant);

  g_assert_true (conic_grant_may_be (grant, "a"));
  g_assert_null (conic_grant_get_id (grant));
  g_assert_cmpuint (strlen (made), ==, CONIC_ID_NEW_LENGTH);
}

static void
test_targets (void)
{
  g_autoptr (ConicGrant) grant = grant_for ("v", "cam.1,desk.*");
  g_autoptr (ConicGrant) nobody = conic_grant_new ("v", (const char *const[]){NULL}, NULL);

  g_assert_true (conic_grant_may_reach (grant, "cam.1"));
  g_assert_false (conic_grant_may_reach (grant, "cam.2"));
  g_assert_true (conic_grant_may_reach (grant, "desk.7"));
  g_assert_false (conic_grant_may_reach (grant, "v"));
  g_assert_false (conic_grant_may_reach (nobody, "cam.1"));
}

static void
test_bad_patterns (void)
{
  static const char *const bad[] = {"", "a b", "a*b", "**", "a**", "ä", "ä*", "a/*"};
  g_autofree char *long_id = g_strnfill (CONIC_ID_MAX_LENGTH + 1, 'x');
  g_autofree char *prefix = g_strnfill (CONIC_ID_MAX_LENGTH - CONIC_ID_NEW_LENGTH, 'x');
  g_autofree char *pattern = g_strconcat (prefix, "*", NULL);
  g_autofree char *long_pattern = g_strconcat (prefix, "x*", NULL);
  g_autoptr (ConicGrant) grant = grant_for (pattern, NULL);
  g_autofree char *made = conic_grant_make_id (grant);

  g_assert_true (conic_id_is_valid (made));
  g_assert_null (conic_grant_new (long_id, NULL, NULL));
  g_assert_null (conic_grant_new (long_pattern, NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (conic_grant_new (bad[i], NULL, &error));
    g_assert_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID);
    g_assert_nonnull (strstr (error->message, "sub"));
    g_clear_error (&error);
    g_assert_null (conic_grant_new ("a", (const char *const[]){"b", bad[i], NULL}, &error));
    g_assert_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID);
    g_assert_nonnull (strstr (error->message, "targets"));
  }
}

typedef struct {
  ConicHub *hub;
  FakePeer *cam; /* everything is allowed to it */
  FakePeer *viewer;
  ConicGrant *grant;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicMessage) reply = NULL;

  fixture->hub = conic_hub_new (&(ConicHubOptions){0});
  fixture->cam = fake_peer_new ();
  fixture->viewer = fake_peer_new ();
  conic_hub_add (fixture->hub, &fixture->cam->peer, 0);
  conic_hub_add (fixture->hub, &fixture->viewer->peer, 0);
  fake_peer_say (fixture->cam, fixture->hub, 0,
                 "{\"type\":\"register_request\",\"data\":{\"client_id\":\"cam.1\"}}");
  reply = fake_peer_take (fixture->cam);
  g_assert_true (reply->success);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  conic_hub_remove (fixture->hub, &fixture->cam->peer, FALSE, 0);
  conic_hub_remove (fixture->hub, &fixture->viewer->peer, FALSE, 0);
  fake_peer_free (fixture->cam);
  fake_peer_free (fixture->viewer);
  conic_hub_free (fixture->hub);
  g_clear_pointer (&fixture->grant, conic_grant_free);
}

static void
admit (Fixture *fixture, const char *id, const char *targets)
{
  fixture->grant = grant_for (id, targets);
  fixture->viewer->peer.grant = fixture->grant;
}

static ConicMessage *
ask (Fixture *fixture, const char *text)
{
  ConicMessage *reply;

  fake_peer_say (fixture->viewer, fixture->hub, 0, text);
  reply = fake_peer_take (fixture->viewer);
  g_assert_nonnull (reply);

  return reply;
}

static ConicMessage *
ask_to_register (Fixture *fixture, const char *id)
{
  g_autofree char *text =
      g_strdup_printf ("{\"type\":\"register_request\",\"data\":{\"client_id\":\"%s\"}}", id);

  return ask (fixture, text);
}

static void
test_register_another (Fixture *fixture, gconstpointer data)
{
  /* An id that is taken, and one that isn't: neither is told. */
  static const char *const others[] = {"cam.1", "nobody"};

  admit (fixture, "viewer", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (ConicMessage) reply = ask_to_register (fixture, others[i]);

    g_assert_cmpint (reply->type, ==, CONIC_MESSAGE_REGISTER_RESPONSE);
    g_assert_true (reply->has_error);
    g_assert_cmpint (reply->code, ==, CONIC_ERROR_UNAUTHORIZED);
  }
  g_assert_cmpuint (fixture->viewer->close_status, ==, 0);

  {
    g_autoptr (ConicMessage) reply = ask_to_register (fixture, "viewer");

    g_assert_true (reply->success);
  }
}

static void
test_register_any (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicMessage) reply = NULL;

  admit (fixture, "viewer", NULL);
  reply = ask (fixture, "{\"type\":\"register_request\"}");
  g_assert_cmpstr (reply->client_id, ==, "viewer");
}

/* The only id that is allowed may be in use: no other is made up instead. */
static void
test_register_any_taken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicMessage) reply = NULL;

  admit (fixture, "cam.1", NULL);
  reply = ask (fixture, "{\"type\":\"register_request\"}");
  g_assert_cmpint (reply->code, ==, CONIC_ERROR_ID_TAKEN);
}

static void
test_register_any_below (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicMessage) reply = NULL;

  admit (fixture, "viewer.*", NULL);
  reply = ask (fixture, "{\"type\":\"register\"}");
  g_assert_true (g_str_has_prefix (reply->client_id, "viewer."));
}

/* Somebody who may not be reached can't be told from somebody who isn't there. */
static void
test_reach (Fixture *fixture, gconstpointer data)
{
  static const char *const format =
      "{\"id\":\"m\",\"type\":\"bye\",\"data\":{\"to_id\":\"%s\",\"reason\":\"\"}}";
  g_autofree char *to_cam = g_strdup_printf (format, "cam.1");
  g_autofree char *to_nobody = g_strdup_printf (format, "cam.2");
  g_autofree char *back = g_strdup_printf (format, "viewer");
  g_autofree char *relayed = NULL;
  g_autoptr (ConicMessage) registered = NULL;
  g_autoptr (ConicMessage) hidden = NULL;
  g_autoptr (ConicMessage) missing = NULL;

  admit (fixture, "viewer", "desk.*");
  registered = ask_to_register (fixture, "viewer");
  hidden = ask (fixture, to_cam);
  missing = ask (fixture, to_nobody);
  g_assert_cmpuint (fixture->cam->relayed->len, ==, 0);
  g_assert_cmpint (hidden->code, ==, CONIC_ERROR_PEER_NOT_FOUND);
  g_assert_cmpstr (hidden->to_id, ==, "cam.1");
  g_free (hidden->to_id);
  hidden->to_id = g_strdup ("cam.2");
  g_assert_true (conic_message_equal (hidden, missing));

  /* The other way is the other one's affair. */
  fake_peer_say (fixture->cam, fixture->hub, 0, back);
  relayed = fake_peer_take_relayed (fixture->viewer);
  g_assert_nonnull (relayed);
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicMessage) registered = NULL;
  g_autoptr (ConicMessage) list = NULL;

  admit (fixture, "viewer", "desk.*,viewer");
  registered = ask_to_register (fixture, "viewer");
  list = ask (fixture, "{\"type\":\"list_request\"}");
  g_assert_cmpuint (g_strv_length (list->clients), ==, 1);
  g_assert_cmpstr (list->clients[0], ==, "viewer");
}

static void
test_expire (Fixture *fixture, gconstpointer data)
{
  admit (fixture, "viewer", NULL);
  conic_hub_expire (fixture->hub, &fixture->viewer->peer);
  g_assert_cmpuint (fixture->viewer->close_status, ==, 4003);
  g_assert_true (fixture->viewer->peer.closing);
  /* Once is enough. */
  conic_hub_expire (fixture->hub, &fixture->viewer->peer);
}

/* Who has an id that is denied goes, and nobody gets one again, asked for, granted or made; until it is
 * denied no more. */
static void
test_denied (Fixture *fixture, gconstpointer data)
{
  static const char *const cameras[] = {"door", "cam.*", NULL};
  static const char *const nobody[] = {NULL};
  static const char *const asked[] = {"cam.1", "cam.2", ""};
  g_autoptr (ConicMessage) registered = NULL;

  admit (fixture, "cam.*", NULL);
  g_assert_cmpuint (conic_hub_set_denied (fixture->hub, cameras), ==, 1);
  g_assert_cmpuint (fixture->cam->close_status, ==, 4004);
  g_assert_cmpuint (fixture->viewer->close_status, ==, 0);
  /* It is on its way already. */
  g_assert_cmpuint (conic_hub_set_denied (fixture->hub, cameras), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_autoptr (ConicMessage) reply = ask_to_register (fixture, asked[i]);

    g_assert_false (reply->success);
    g_assert_cmpint (reply->code, ==, CONIC_ERROR_UNAUTHORIZED);
    g_assert_nonnull (strstr (reply->error_message, "denies"));
  }

  g_assert_cmpuint (conic_hub_set_denied (fixture->hub, nobody), ==, 0);
  registered = ask_to_register (fixture, "cam.2");
  g_assert_true (registered->success);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
      {"/grant/hub/register-another", test_register_another},
      {"/grant/hub/register-any", test_register_any},
      {"/grant/hub/register-any-taken", test_register_any_taken},
      {"/grant/hub/register-any-below", test_register_any_below},
      {"/grant/hub/reach", test_reach},
      {"/grant/hub/list", test_list},
      {"/grant/hub/expire", test_expire},
      {"/grant/hub/denied", test_denied},
  };

  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/grant/none", test_none);
  g_test_add_func ("/grant/exact", test_exact);
  g_test_add_func ("/grant/prefix", test_prefix);
  g_test_add_func ("/grant/anybody", test_anybody);
  g_test_add_func ("/grant/targets", test_targets);
  g_test_add_func ("/grant/bad-patterns", test_bad_patterns);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);

  return g_test_run ();
}
