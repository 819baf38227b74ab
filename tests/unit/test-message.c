/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a message can be copied, compared and freed with every member set, what an id is, and
 * that the error codes have the names of the wire contract. */

#include <string.h>

#include "conic-limits.h"
#include "conic-message.h"

static ConicMessage *
make_full (void)
{
  ConicMessage *message = conic_message_new (CONIC_MESSAGE_SDP);
  ConicIceServer *server = g_new0 (ConicIceServer, 1);
  const char *urls[] = {"stun:a", "turn:b", NULL};
  const char *clients[] = {"one", "two", NULL};

  server->urls = g_strdupv ((GStrv)urls);
  server->username = g_strdup ("user");
  server->credential = g_strdup ("secret");
  message->ice_servers = g_ptr_array_new_with_free_func ((GDestroyNotify)conic_ice_server_free);
  g_ptr_array_add (message->ice_servers, server);
  message->clients = g_strdupv ((GStrv)clients);
  message->id = g_strdup ("id");
  message->timestamp = g_strdup ("2025-01-01T00:00:00Z");
  message->reply_to = g_strdup ("other");
  message->client_id = g_strdup ("client");
  message->success = TRUE;
  message->resume_token = g_strdup ("token");
  message->from_id = g_strdup ("from");
  message->to_id = g_strdup ("to");
  message->session_id = g_strdup ("session");
  message->sdp_type = CONIC_SDP_ANSWER;
  message->sdp = g_strdup ("v=0");
  message->candidate = g_strdup ("candidate:1");
  message->sdp_mid = g_strdup ("0");
  message->sdp_mline_index = 3;
  message->username_fragment = g_strdup ("frag");
  message->label = g_strdup ("chat");
  message->payload = g_bytes_new ("\0\1", 2);
  message->reason = g_strdup ("done");
  message->has_error = TRUE;
  message->code = CONIC_ERROR_PEER_SLOW;
  message->error_message = g_strdup ("slow");

  return message;
}

static void
test_copy (void)
{
  g_autoptr (ConicMessage) message = make_full ();
  g_autoptr (ConicMessage) copy = conic_message_copy (message);
  g_autoptr (ConicMessage) empty = conic_message_new (CONIC_MESSAGE_SDP);
  g_autoptr (ConicMessage) empty_copy = conic_message_copy (empty);

  g_assert_true (conic_message_equal (message, copy));
  g_assert_true (conic_message_equal (empty, empty_copy));
  g_assert_false (conic_message_equal (message, empty));
  g_assert_false (conic_message_equal (empty, message));
}

/* Each member takes part in the comparison: a copy with that one changed is another message. */
static void
test_equal_sees_every_member (void)
{
#define EXPECT_DIFFERENT(change)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (ConicMessage) one = make_full ();                                                   \
    g_autoptr (ConicMessage) other = make_full ();                                                 \
                                                                                                   \
    g_assert_true (conic_message_equal (one, other));                                              \
    change;                                                                                        \
    g_assert_false (conic_message_equal (one, other));                                             \
  }                                                                                                \
  G_STMT_END

  EXPECT_DIFFERENT (other->type = CONIC_MESSAGE_BYE);
  EXPECT_DIFFERENT (other->id[0] = 'x');
  EXPECT_DIFFERENT (other->timestamp[0] = 'x');
  EXPECT_DIFFERENT (other->reply_to[0] = 'x');
  EXPECT_DIFFERENT (other->client_id[0] = 'x');
  EXPECT_DIFFERENT (other->success = FALSE);
  EXPECT_DIFFERENT (other->resume_token[0] = 'x');
  EXPECT_DIFFERENT (g_clear_pointer (&other->ice_servers, g_ptr_array_unref));
  EXPECT_DIFFERENT (g_ptr_array_remove_index (other->ice_servers, 0));
  EXPECT_DIFFERENT (((ConicIceServer *)other->ice_servers->pdata[0])->urls[1][0] = 'x');
  EXPECT_DIFFERENT (((ConicIceServer *)other->ice_servers->pdata[0])->username[0] = 'x');
  EXPECT_DIFFERENT (((ConicIceServer *)other->ice_servers->pdata[0])->credential[0] = 'x');
  EXPECT_DIFFERENT (g_clear_pointer (&other->clients, g_strfreev));
  EXPECT_DIFFERENT (other->clients[1][0] = 'x');
  EXPECT_DIFFERENT (other->from_id[0] = 'x');
  EXPECT_DIFFERENT (other->to_id[0] = 'x');
  EXPECT_DIFFERENT (other->session_id[0] = 'x');
  EXPECT_DIFFERENT (other->sdp_type = CONIC_SDP_OFFER);
  EXPECT_DIFFERENT (other->sdp[0] = 'x');
  EXPECT_DIFFERENT (other->candidate[0] = 'x');
  EXPECT_DIFFERENT (other->sdp_mid[0] = 'x');
  EXPECT_DIFFERENT (other->sdp_mline_index = 4);
  EXPECT_DIFFERENT (other->username_fragment[0] = 'x');
  EXPECT_DIFFERENT (other->label[0] = 'x');
  EXPECT_DIFFERENT (g_clear_pointer (&other->payload, g_bytes_unref));
  EXPECT_DIFFERENT (other->reason[0] = 'x');
  EXPECT_DIFFERENT (other->has_error = FALSE);
  EXPECT_DIFFERENT (other->code = CONIC_ERROR_ID_TAKEN);
  EXPECT_DIFFERENT (other->error_message[0] = 'x');
#undef EXPECT_DIFFERENT
}

static void
test_id_is_valid (void)
{
  static const char *const good[] = {"a", "Az09._~-", "0", "..."};
  static const char *const bad[] = {"", " ", "a b", "a/b", "\xc3\xa9", "a\n", "\"", "a\\"};
  g_autofree char *longest = g_strnfill (CONIC_ID_MAX_LENGTH, 'x');
  g_autofree char *too_long = g_strnfill (CONIC_ID_MAX_LENGTH + 1, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (conic_id_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (conic_id_is_valid (bad[i]));
  g_assert_true (conic_id_is_valid (longest));
  g_assert_false (conic_id_is_valid (too_long));
}

static void
test_new_ids (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (int i = 0; i < 10000; i++) {
    char *id = conic_id_new ();

    g_assert_cmpuint (strlen (id), ==, CONIC_ID_NEW_LENGTH);
    g_assert_true (conic_id_is_valid (id));
    g_assert_true (g_hash_table_add (seen, id));
  }
}

static void
test_error_codes (void)
{
  static const char *const codes[] = {
      "bad_message", "unknown_type", "not_registered", "already_registered",
      "id_taken",    "invalid_id",   "from_mismatch",  "peer_not_found",
      "peer_slow",   "rate_limited", "unauthorized",   "shutting_down",
  };
  ConicError error = CONIC_ERROR_SHUTTING_DOWN;

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_assert_cmpstr (conic_error_to_code ((ConicError)i), ==, codes[i]);
    g_assert_true (conic_error_from_code (codes[i], &error));
    g_assert_cmpint (error, ==, i);
  }

  g_assert_false (conic_error_from_code ("no_such_code", &error));
  g_assert_cmpint (error, ==, CONIC_ERROR_SHUTTING_DOWN);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/message/copy", test_copy);
  g_test_add_func ("/message/equal-sees-every-member", test_equal_sees_every_member);
  g_test_add_func ("/message/id-is-valid", test_id_is_valid);
  g_test_add_func ("/message/new-ids", test_new_ids);
  g_test_add_func ("/message/error-codes", test_error_codes);

  return g_test_run ();
}
