/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows every rule of section 3 of the wire contract, on a hub with connections in memory and a
 * time that the test makes. */

#include <string.h>

#include "conic-codec.h"
#include "conic-hub.h"
#include "fake-peer.h"

#define WINDOW (5 * G_USEC_PER_SEC)

typedef struct {
  ConicHub *hub;
  gint64 now;
  FakePeer *a; /* registered as "a" and "b", of the envelope dialect */
  FakePeer *b;
  FakePeer *c; /* not registered */
} Fixture;

static void
say (Fixture *fixture, FakePeer *fake, const char *text)
{
  fake_peer_say (fake, fixture->hub, fixture->now, text);
}

static FakePeer *
join (Fixture *fixture)
{
  FakePeer *fake = fake_peer_new ();

  conic_hub_add (fixture->hub, &fake->peer, fixture->now);

  return fake;
}

static void
leave (Fixture *fixture, FakePeer **fake)
{
  conic_hub_remove (fixture->hub, &(*fake)->peer, TRUE, fixture->now);
  g_clear_pointer (fake, fake_peer_free);
}

static void
expect_nothing (FakePeer *fake)
{
  g_assert_cmpuint (fake->sent->len, ==, 0);
  g_assert_cmpuint (fake->relayed->len, ==, 0);
}

/* The only thing said was an error, in a message of @type. */
static void
expect_refusal (FakePeer *fake, ConicMessageType type, ConicError code, const char *reply_to)
{
  g_autoptr (ConicMessage) message = fake_peer_take (fake);

  g_assert_nonnull (message);
  g_assert_cmpint (message->type, ==, type);
  g_assert_true (message->has_error);
  g_assert_cmpstr (conic_error_to_code (message->code), ==, conic_error_to_code (code));
  g_assert_cmpstr (message->error_message, !=, "");
  g_assert_cmpstr (message->reply_to, ==, reply_to);
  g_assert_false (message->success);
  expect_nothing (fake);
  g_assert_cmpuint (fake->close_status, ==, 0);
}

static void
expect_error (FakePeer *fake, ConicError code, const char *reply_to)
{
  expect_refusal (fake, CONIC_MESSAGE_ERROR, code, reply_to);
}

/* Returns the resume token. */
static char *
expect_registered (FakePeer *fake, const char *id)
{
  g_autoptr (ConicMessage) message = fake_peer_take (fake);

  g_assert_nonnull (message);
  g_assert_cmpint (message->type, ==, CONIC_MESSAGE_REGISTER_RESPONSE);
  g_assert_true (message->success);
  g_assert_false (message->has_error);
  g_assert_cmpstr (message->client_id, ==, id);
  g_assert_cmpstr (fake->peer.id, ==, id);
  g_assert_nonnull (message->resume_token);
  expect_nothing (fake);

  return g_steal_pointer (&message->resume_token);
}

static char *
register_as (Fixture *fixture, FakePeer *fake, const char *id)
{
  g_autofree char *text = g_strdup_printf (
      "{\"id\":\"r\",\"type\":\"register_request\",\"data\":{\"client_id\":\"%s\"}}", id);

  say (fixture, fake, text);

  return expect_registered (fake, id);
}

static void
set_up (Fixture *fixture, gconstpointer window)
{
  const ConicHubOptions options = {.resume_window = GPOINTER_TO_INT (window)};

  fixture->hub = conic_hub_new (&options);
  fixture->now = 1000;
  fixture->a = join (fixture);
  fixture->b = join (fixture);
  fixture->c = join (fixture);
  g_free (register_as (fixture, fixture->a, "a"));
  g_free (register_as (fixture, fixture->b, "b"));
}

static void
tear_down (Fixture *fixture, gconstpointer window)
{
  if (fixture->a != NULL)
    leave (fixture, &fixture->a);
  if (fixture->b != NULL)
    leave (fixture, &fixture->b);
  if (fixture->c != NULL)
    leave (fixture, &fixture->c);
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 0);
  conic_hub_free (fixture->hub);
}

static void
test_register (Fixture *fixture, gconstpointer window)
{
  g_autoptr (ConicMessage) reply = NULL;

  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 2);
  say (fixture, fixture->c,
       "{\"id\":\"m1\",\"type\":\"register_request\",\"data\":{\"client_id\":\"c\"}}");
  reply = fake_peer_take (fixture->c);
  g_assert_cmpstr (reply->reply_to, ==, "m1");
  g_assert_cmpstr (reply->client_id, ==, "c");
  g_assert_true (reply->success);
  g_assert_null (reply->ice_servers);
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 3);
  g_assert_cmpint (fixture->c->peer.dialect, ==, CONIC_DIALECT_ENVELOPE);
}

static void
test_register_assigns_an_id (Fixture *fixture, gconstpointer window)
{
  static const char *const requests[] = {
      "{\"type\":\"register_request\"}",
      "{\"type\":\"register_request\",\"data\":{}}",
      "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\"}}",
      "{\"type\":\"register\"}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_autoptr (ConicMessage) reply = NULL;
    FakePeer *fake = join (fixture);

    say (fixture, fake, requests[i]);
    reply = fake_peer_take (fake);
    g_assert_true (reply->success);
    g_assert_cmpuint (strlen (reply->client_id), ==, CONIC_ID_NEW_LENGTH);
    g_assert_cmpstr (reply->client_id, ==, fake->peer.id);
    g_assert_null (reply->reply_to);
    leave (fixture, &fake);
  }
}

/* An id that the hub makes isn't one that it denies, while there are others. */
static void
test_register_assigns_none_denied (Fixture *fixture, gconstpointer window)
{
  static const char *const half[] = {"0*", "1*", "2*", "3*", "4*", "5*", "6*", "7*", "8*",
                                     "9*", "a*", "b*", "c*", "d*", "e*", "f*", NULL};

  conic_hub_set_denied (fixture->hub, half);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (ConicMessage) reply = NULL;
    FakePeer *fake = join (fixture);

    say (fixture, fake, "{\"type\":\"register\"}");
    reply = fake_peer_take (fake);
    g_assert_true (reply->success);
    leave (fixture, &fake);
  }
}

static void
test_not_registered (Fixture *fixture, gconstpointer window)
{
  static const char *const types[] = {"unregister_request", "list_request", "bye"};

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *text =
        g_strdup_printf ("{\"id\":\"m\",\"type\":\"%s\",\"data\":{\"to_id\":\"a\"}}", types[i]);

    say (fixture, fixture->c, text);
    expect_error (fixture->c, CONIC_ERROR_NOT_REGISTERED, "m");
  }
  expect_nothing (fixture->a);

  /* The connection stays, and may register. */
  g_free (register_as (fixture, fixture->c, "c"));
}

static void
test_already_registered (Fixture *fixture, gconstpointer window)
{
  say (fixture, fixture->a,
       "{\"id\":\"m\",\"type\":\"register_request\",\"data\":{\"client_id\":\"z\"}}");
  expect_refusal (fixture->a, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_ALREADY_REGISTERED, "m");
  g_assert_cmpstr (fixture->a->peer.id, ==, "a");
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 2);
}

static void
test_id_taken (Fixture *fixture, gconstpointer window)
{
  static const char *const requests[] = {
      "{\"id\":\"m\",\"type\":\"register_request\",\"data\":{\"client_id\":\"a\"}}",
      "{\"id\":\"m\",\"type\":\"register_request\",\"data\":{\"client_id\":\"a\",\"resume_token\":"
      "\"\"}}",
      "{\"id\":\"m\",\"type\":\"register_request\",\"data\":{\"client_id\":\"a\",\"resume_token\":"
      "\"00000000000000000000\"}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++) {
    say (fixture, fixture->c, requests[i]);
    expect_refusal (fixture->c, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_ID_TAKEN, "m");
    g_assert_null (fixture->c->peer.id);
  }
  expect_nothing (fixture->a);
  g_assert_cmpuint (fixture->a->close_status, ==, 0);
}

static void
test_invalid_id (Fixture *fixture, gconstpointer window)
{
  say (fixture, fixture->c,
       "{\"id\":\"m\",\"type\":\"register_request\",\"data\":{\"client_id\":\"a b\"}}");
  expect_refusal (fixture->c, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_INVALID_ID, "m");
  say (fixture, fixture->a, "{\"id\":\"m\",\"type\":\"bye\",\"data\":{\"to_id\":\"a b\"}}");
  expect_error (fixture->a, CONIC_ERROR_INVALID_ID, "m");
}

static void
test_bad_message (Fixture *fixture, gconstpointer window)
{
  say (fixture, fixture->a, "[");
  expect_error (fixture->a, CONIC_ERROR_BAD_MESSAGE, NULL);
  say (fixture, fixture->a, "{\"id\":\"m\",\"type\":\"sdp\",\"data\":{\"to_id\":\"b\"}}");
  expect_error (fixture->a, CONIC_ERROR_BAD_MESSAGE, "m");
  say (fixture, fixture->a, "{\"id\":\"m\",\"type\":\"offer\",\"data\":{\"to_id\":\"b\"}}");
  expect_error (fixture->a, CONIC_ERROR_UNKNOWN_TYPE, "m");
  expect_nothing (fixture->b);

  /* The connection stays and works. */
  say (fixture, fixture->a, "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\"}}");
  g_assert_cmpuint (fixture->b->relayed->len, ==, 1);
}

/* A bad message is answered in its dialect, but doesn't decide the connection's. */
static void
test_dialect_of_refusals (Fixture *fixture, gconstpointer window)
{
  say (fixture, fixture->c, "{\"type\":\"register\",\"raw\":{\"ID\":\"a b\"}}");
  expect_refusal (fixture->c, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_INVALID_ID, NULL);
  g_assert_cmpint (fixture->c->peer.dialect, ==, CONIC_DIALECT_NONE);
  g_free (register_as (fixture, fixture->c, "c"));
  g_assert_cmpint (fixture->c->peer.dialect, ==, CONIC_DIALECT_ENVELOPE);
  say (fixture, fixture->c, "{\"type\":\"register\"}");
  expect_error (fixture->c, CONIC_ERROR_UNKNOWN_TYPE, NULL);
}

/* A long message id is not sent back: a reply is never much longer than what it answers to. */
static void
test_long_message_id (Fixture *fixture, gconstpointer window)
{
  g_autofree char *id = g_strnfill (100000, 'i');
  g_autofree char *text = g_strdup_printf ("{\"id\":\"%s\",\"type\":\"bye\"}", id);

  say (fixture, fixture->a, text);
  expect_error (fixture->a, CONIC_ERROR_PEER_NOT_FOUND, NULL);
}

static void
test_relay (Fixture *fixture, gconstpointer window)
{
  const char *text =
      "{\"type\":\"data_channel\",\"x\":1,\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
      "\"label\":\"l\",\"payload\":\"\"}}";
  g_autofree char *relayed = NULL;

  say (fixture, fixture->a, text);
  relayed = fake_peer_take_relayed (fixture->b);
  g_assert_cmpstr (relayed, ==, text);
  expect_nothing (fixture->a);
  expect_nothing (fixture->b);
}

static void
test_from_is_filled_in (Fixture *fixture, gconstpointer window)
{
  g_autofree char *relayed = NULL;

  say (fixture, fixture->a, "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\"}}");
  relayed = fake_peer_take_relayed (fixture->b);
  g_assert_cmpstr (relayed, ==, "{\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\"}}");
}

static void
test_from_mismatch (Fixture *fixture, gconstpointer window)
{
  static const char *const others[] = {"b", "nobody", "aa", "A"};

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *text = g_strdup_printf ("{\"id\":\"m\",\"type\":\"bye\",\"data\":{\"from_id\":"
                                             "\"%s\",\"to_id\":\"b\"}}",
                                             others[i]);

    say (fixture, fixture->a, text);
    expect_error (fixture->a, CONIC_ERROR_FROM_MISMATCH, "m");
  }
  expect_nothing (fixture->b);
}

static ConicMessage *
ask_for (Fixture *fixture, const char *id)
{
  g_autofree char *text =
      g_strdup_printf ("{\"id\":\"m\",\"type\":\"bye\",\"data\":{\"to_id\":\"%s\"}}", id);

  say (fixture, fixture->a, text);
  g_assert_cmpuint (fixture->a->sent->len, ==, 1);

  return fake_peer_take (fixture->a);
}

static void
test_peer_not_found (Fixture *fixture, gconstpointer window)
{
  g_autoptr (ConicMessage) never = ask_for (fixture, "nobody");
  g_autoptr (ConicMessage) empty = ask_for (fixture, "");
  g_autoptr (ConicMessage) lost = NULL;

  g_assert_cmpint (never->code, ==, CONIC_ERROR_PEER_NOT_FOUND);
  g_assert_cmpstr (never->to_id, ==, "nobody");
  g_assert_cmpstr (never->reply_to, ==, "m");
  g_assert_cmpint (empty->code, ==, CONIC_ERROR_PEER_NOT_FOUND);
  g_assert_null (empty->to_id);

  /* Nothing tells an id that was just lost, held or not, from one that never was. */
  leave (fixture, &fixture->b);
  lost = ask_for (fixture, "b");
  g_assert_cmpstr (lost->to_id, ==, "b");
  g_free (lost->to_id);
  lost->to_id = g_strdup ("nobody");
  g_assert_true (conic_message_equal (lost, never));
}

static void
test_peer_slow (Fixture *fixture, gconstpointer window)
{
  g_autoptr (ConicMessage) reply = NULL;

  fixture->b->full = TRUE;
  reply = ask_for (fixture, "b");
  g_assert_cmpint (reply->code, ==, CONIC_ERROR_PEER_SLOW);
  g_assert_cmpstr (reply->to_id, ==, "b");
  g_assert_cmpstr (reply->reply_to, ==, "m");
  expect_nothing (fixture->b);
}

static void
test_to_oneself (Fixture *fixture, gconstpointer window)
{
  say (fixture, fixture->a, "{\"type\":\"bye\",\"data\":{\"to_id\":\"a\"}}");
  g_assert_cmpuint (fixture->a->relayed->len, ==, 1);
}

static void
test_readme_client (Fixture *fixture, gconstpointer window)
{
  g_autofree char *to_b = NULL, *to_c = NULL;

  say (fixture, fixture->c, "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"c\\\"}\"}");
  g_free (expect_registered (fixture->c, "c"));

  say (fixture, fixture->c,
       "{\"type\":\"candidate\",\"raw\":\"{\\\"ID\\\":\\\"c\\\",\\\"TargetID\\\":\\\"b\\\","
       "\\\"Candidate\\\":\\\"x\\\"}\"}");
  to_b = fake_peer_take_relayed (fixture->b);
  g_assert_nonnull (
      strstr (to_b, "\"from_id\":\"c\",\"to_id\":\"b\",\"candidate\":{\"candidate\":\"x\""));

  say (fixture, fixture->b, "{\"type\":\"bye\",\"data\":{\"to_id\":\"c\",\"reason\":\"r\"}}");
  to_c = fake_peer_take_relayed (fixture->c);
  g_assert_cmpstr (to_c, ==,
                   "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"b\\\",\\\"TargetID\\\":\\\"c\\\","
                   "\\\"Reason\\\":\\\"r\\\"}\"}");

  say (fixture, fixture->c, "{\"type\":\"unregister\",\"raw\":\"{\\\"ID\\\":\\\"c\\\"}\"}");
  g_assert_null (fixture->c->peer.id);
}

static void
test_unregister (Fixture *fixture, gconstpointer window)
{
  g_autoptr (ConicMessage) reply = NULL;

  say (fixture, fixture->a,
       "{\"id\":\"m\",\"type\":\"unregister_request\",\"data\":{\"client_id\":\"b\"}}");
  expect_error (fixture->a, CONIC_ERROR_FROM_MISMATCH, "m");

  say (fixture, fixture->a,
       "{\"id\":\"m\",\"type\":\"unregister_request\",\"data\":{\"client_id\":\"a\"}}");
  reply = fake_peer_take (fixture->a);
  g_assert_cmpint (reply->type, ==, CONIC_MESSAGE_UNREGISTER_RESPONSE);
  g_assert_true (reply->success);
  g_assert_cmpstr (reply->client_id, ==, "a");
  g_assert_cmpstr (reply->reply_to, ==, "m");
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 1);

  /* The id is free at once, whatever the resume window, and the connection may register again. */
  g_free (register_as (fixture, fixture->c, "a"));
  g_free (register_as (fixture, fixture->a, "z"));
}

static void
test_list (Fixture *fixture, gconstpointer window)
{
  g_autoptr (ConicMessage) reply = NULL;

  say (fixture, fixture->a, "{\"id\":\"m\",\"type\":\"list_request\"}");
  reply = fake_peer_take (fixture->a);
  g_assert_cmpint (reply->type, ==, CONIC_MESSAGE_LIST_RESPONSE);
  g_assert_cmpstr (reply->reply_to, ==, "m");
  g_assert_cmpuint (g_strv_length (reply->clients), ==, 2);
  g_assert_true (g_strv_contains ((const char *const *) reply->clients, "a"));
  g_assert_true (g_strv_contains ((const char *const *) reply->clients, "b"));
}

/* However many clients there are, their list is a message that a client accepts. */
static void
test_long_list (Fixture *fixture, gconstpointer window)
{
  g_autoptr (GPtrArray) fakes = g_ptr_array_new ();
  g_autoptr (ConicMessage) reply = NULL;

  for (guint i = 0; i < 30000; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);
    FakePeer *fake = join (fixture);

    g_free (register_as (fixture, fake, id));
    g_ptr_array_add (fakes, fake);
  }

  say (fixture, fixture->a, "{\"id\":\"m\",\"type\":\"list_request\"}");
  reply = fake_peer_take (fixture->a);
  g_assert_cmpuint (g_strv_length (reply->clients), >, 10000);
  for (ConicDialect dialect = CONIC_DIALECT_ENVELOPE; dialect <= CONIC_DIALECT_README; dialect++) {
    g_autoptr (GBytes) text = conic_codec_write (reply, dialect);

    g_assert_cmpuint (g_bytes_get_size (text), <=, CONIC_MESSAGE_MAX_BYTES);
  }

  for (guint i = 0; i < fakes->len; i++)
    leave (fixture, (FakePeer **) &fakes->pdata[i]);
}

static void
test_id_is_free_at_once (Fixture *fixture, gconstpointer window)
{
  leave (fixture, &fixture->a);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
  g_free (register_as (fixture, fixture->c, "a"));
}

static void
resume (Fixture *fixture, FakePeer *fake, const char *id, const char *token)
{
  g_autofree char *text = g_strdup_printf ("{\"id\":\"r\",\"type\":\"register_request\",\"data\":{"
                                           "\"client_id\":\"%s\",\"resume_token\":\"%s\"}}",
                                           id, token);

  say (fixture, fake, text);
}

static void
test_take_over (Fixture *fixture, gconstpointer window)
{
  FakePeer *d = join (fixture);
  g_autofree char *token = register_as (fixture, fixture->c, "c");
  g_autofree char *new_token = NULL;

  resume (fixture, d, "c", token);
  new_token = expect_registered (d, "c");
  g_assert_cmpstr (new_token, !=, token);
  g_assert_cmpuint (fixture->c->close_status, ==, 4001);
  g_assert_cmpstr (fixture->c->close_reason, ==, "replaced");
  g_assert_null (fixture->c->peer.id);

  /* What the old connection still sends is not heard, and its end doesn't free the id. */
  say (fixture, fixture->c, "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\"}}");
  say (fixture, fixture->c, "{\"type\":\"register_request\"}");
  say (fixture, fixture->c, "[");
  expect_nothing (fixture->b);
  leave (fixture, &fixture->c);
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 3);
  say (fixture, fixture->b, "{\"type\":\"bye\",\"data\":{\"to_id\":\"c\"}}");
  g_assert_cmpuint (d->relayed->len, ==, 1);

  /* A token is good for one time. */
  fixture->c = join (fixture);
  resume (fixture, fixture->c, "c", token);
  expect_refusal (fixture->c, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_ID_TAKEN, "r");
  leave (fixture, &d);
}

static void
test_hold (Fixture *fixture, gconstpointer window)
{
  FakePeer *d = join (fixture);
  g_autofree char *token = register_as (fixture, fixture->c, "c");

  leave (fixture, &fixture->c);
  g_assert_cmpuint (conic_hub_get_n_registered (fixture->hub), ==, 2);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, fixture->now + WINDOW);

  /* Held for whoever has the token, up to the very last microsecond. */
  fixture->now += WINDOW - 1;
  conic_hub_advance (fixture->hub, fixture->now);
  resume (fixture, d, "c", "00000000000000000000");
  expect_refusal (d, CONIC_MESSAGE_REGISTER_RESPONSE, CONIC_ERROR_ID_TAKEN, "r");
  resume (fixture, d, "c", token);
  g_free (expect_registered (d, "c"));
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);

  /* Then it is anybody's, even if nobody has called conic_hub_advance() yet. */
  leave (fixture, &d);
  fixture->now += WINDOW;
  d = join (fixture);
  g_free (register_as (fixture, d, "c"));
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
  leave (fixture, &d);
}

static void
set_window (Fixture *fixture, gint64 window)
{
  conic_hub_set_options (fixture->hub, &(ConicHubOptions){.resume_window = window}, fixture->now);
}

static void
test_shorter_hold (Fixture *fixture, gconstpointer window)
{
  g_free (register_as (fixture, fixture->c, "c"));

  leave (fixture, &fixture->b);
  fixture->now += WINDOW / 2;
  leave (fixture, &fixture->c);

  /* Longer is for those who are lost from now on. */
  set_window (fixture, 2 * WINDOW);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, fixture->now + WINDOW / 2);
  leave (fixture, &fixture->a);

  /* Shorter is for all of them, in the order that they were in. */
  set_window (fixture, WINDOW / 4);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, fixture->now + WINDOW / 4);
  fixture->now += WINDOW / 4;
  fixture->a = join (fixture);
  fixture->b = join (fixture);
  fixture->c = join (fixture);
  g_free (register_as (fixture, fixture->a, "a"));
  g_free (register_as (fixture, fixture->b, "b"));
  g_free (register_as (fixture, fixture->c, "c"));

  /* None lets all of them go, and holds none. */
  leave (fixture, &fixture->c);
  set_window (fixture, 0);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
  leave (fixture, &fixture->b);
  fixture->c = join (fixture);
  g_free (register_as (fixture, fixture->c, "b"));
}

static void
expect_held (Fixture *fixture, const char *id, gboolean held)
{
  g_autofree char *text =
      g_strdup_printf ("{\"type\":\"register_request\",\"data\":{\"client_id\":\"%s\"}}", id);
  FakePeer *fake = join (fixture);
  g_autoptr (ConicMessage) reply = NULL;

  say (fixture, fake, text);
  reply = fake_peer_take (fake);
  g_assert_cmpint (reply->success, ==, !held);
  conic_hub_remove (fixture->hub, &fake->peer, FALSE, fixture->now);
  fake_peer_free (fake);
}

/* Whoever comes and is lost over and over keeps no more ids than there may be: the oldest goes. */
static void
test_hold_at_most (Fixture *fixture, gconstpointer window)
{
  ConicHubOptions options = {.resume_window = WINDOW, .max_held = 2};

  g_free (register_as (fixture, fixture->c, "c"));
  conic_hub_set_options (fixture->hub, &options, fixture->now);
  leave (fixture, &fixture->a);
  leave (fixture, &fixture->b);
  expect_held (fixture, "a", TRUE);
  leave (fixture, &fixture->c);
  expect_held (fixture, "a", FALSE);
  expect_held (fixture, "b", TRUE);

  options.max_held = 1;
  conic_hub_set_options (fixture->hub, &options, fixture->now);
  expect_held (fixture, "b", FALSE);
  expect_held (fixture, "c", TRUE);

  fixture->a = join (fixture);
  fixture->b = join (fixture);
  fixture->c = join (fixture);
}

static void
test_hold_only_the_lost (Fixture *fixture, gconstpointer window)
{
  /* Neither who closes its connection properly, nor who gives its id up. */
  g_free (register_as (fixture, fixture->c, "c"));
  conic_hub_remove (fixture->hub, &fixture->c->peer, FALSE, fixture->now);
  g_clear_pointer (&fixture->c, fake_peer_free);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
  fixture->c = join (fixture);
  g_free (register_as (fixture, fixture->c, "c"));

  say (fixture, fixture->c, "{\"type\":\"unregister_request\"}");
  leave (fixture, &fixture->c);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
  fixture->c = join (fixture);
  g_free (register_as (fixture, fixture->c, "c"));
}

static void
test_hold_in_order (Fixture *fixture, gconstpointer window)
{
  g_free (register_as (fixture, fixture->c, "c"));
  leave (fixture, &fixture->b);
  fixture->now += 10;
  leave (fixture, &fixture->a);
  fixture->now += 10;
  leave (fixture, &fixture->c);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, fixture->now - 20 + WINDOW);
  conic_hub_advance (fixture->hub, fixture->now - 10 + WINDOW);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, fixture->now + WINDOW);
  conic_hub_advance (fixture->hub, fixture->now + WINDOW);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
}

static void
test_token_of_a_free_id (Fixture *fixture, gconstpointer window)
{
  /* As after a restart of the hub: the token means nothing, the id is free. */
  resume (fixture, fixture->c, "c", "00000000000000000000");
  g_free (expect_registered (fixture->c, "c"));
}

static void
expect_farewell (FakePeer *fake)
{
  g_autoptr (ConicMessage) farewell = fake_peer_take (fake);

  g_assert_cmpint (farewell->type, ==, CONIC_MESSAGE_ERROR);
  g_assert_cmpint (farewell->code, ==, CONIC_ERROR_SHUTTING_DOWN);
  g_assert_cmpuint (fake->close_status, ==, 1001);
  expect_nothing (fake);
}

static void
test_warn (Fixture *fixture, gconstpointer window)
{
  conic_hub_warn (fixture->hub, &fixture->a->peer);
  expect_error (fixture->a, CONIC_ERROR_RATE_LIMITED, NULL);
  conic_hub_warn (fixture->hub, &fixture->c->peer);
  expect_error (fixture->c, CONIC_ERROR_RATE_LIMITED, NULL);
  g_assert_cmpint (fixture->c->peer.dialect, ==, CONIC_DIALECT_NONE);
  g_assert_cmpuint (conic_hub_get_stats (fixture->hub)->errors[CONIC_ERROR_RATE_LIMITED], ==, 2);
}

static void
test_shut_down (Fixture *fixture, gconstpointer window)
{
  FakePeer *late;

  conic_hub_shut_down (fixture->hub);
  expect_farewell (fixture->a);
  expect_farewell (fixture->b);
  expect_farewell (fixture->c);

  say (fixture, fixture->a, "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\"}}");
  say (fixture, fixture->c, "{\"type\":\"register_request\"}");
  expect_nothing (fixture->a);
  expect_nothing (fixture->b);
  expect_nothing (fixture->c);

  late = join (fixture);
  expect_farewell (late);
  leave (fixture, &late);
  leave (fixture, &fixture->a);
  g_assert_cmpint (conic_hub_get_deadline (fixture->hub), ==, -1);
}

int
main (int argc, char **argv)
{
  const struct {
    const char *path;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
      {"register", test_register},
      {"register-assigns-an-id", test_register_assigns_an_id},
      {"register-assigns-none-denied", test_register_assigns_none_denied},
      {"not-registered", test_not_registered},
      {"already-registered", test_already_registered},
      {"id-taken", test_id_taken},
      {"invalid-id", test_invalid_id},
      {"bad-message", test_bad_message},
      {"dialect-of-refusals", test_dialect_of_refusals},
      {"long-message-id", test_long_message_id},
      {"relay", test_relay},
      {"from-is-filled-in", test_from_is_filled_in},
      {"from-mismatch", test_from_mismatch},
      {"peer-not-found", test_peer_not_found},
      {"peer-slow", test_peer_slow},
      {"to-oneself", test_to_oneself},
      {"readme-client", test_readme_client},
      {"unregister", test_unregister},
      {"list", test_list},
      {"take-over", test_take_over},
      {"token-of-a-free-id", test_token_of_a_free_id},
      {"warn", test_warn},
      {"shut-down", test_shut_down},
  };

  g_test_init (&argc, &argv, NULL);

  /* Every rule holds with and without a resume window. */
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *without = g_strdup_printf ("/hub/%s", tests[i].path);
    g_autofree char *with = g_strdup_printf ("/hub-with-window/%s", tests[i].path);

    g_test_add (without, Fixture, NULL, set_up, tests[i].test, tear_down);
    g_test_add (with, Fixture, GINT_TO_POINTER (WINDOW), set_up, tests[i].test, tear_down);
  }
  g_test_add ("/hub/id-is-free-at-once", Fixture, NULL, set_up, test_id_is_free_at_once, tear_down);
  g_test_add ("/hub/hold", Fixture, GINT_TO_POINTER (WINDOW), set_up, test_hold, tear_down);
  g_test_add ("/hub/shorter-hold", Fixture, GINT_TO_POINTER (WINDOW), set_up, test_shorter_hold,
              tear_down);
  g_test_add ("/hub/hold-at-most", Fixture, GINT_TO_POINTER (WINDOW), set_up, test_hold_at_most,
              tear_down);
  g_test_add ("/hub/hold-only-the-lost", Fixture, GINT_TO_POINTER (WINDOW), set_up,
              test_hold_only_the_lost, tear_down);
  g_test_add ("/hub/hold-in-order", Fixture, GINT_TO_POINTER (WINDOW), set_up, test_hold_in_order,
              tear_down);
  g_test_add ("/hub/long-list", Fixture, NULL, set_up, test_long_list, tear_down);

  return g_test_run ();
}
