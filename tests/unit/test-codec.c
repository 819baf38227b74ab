/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that every kind of message survives being read and written in both dialects, that both
 * spellings of a message say the same, that what is written has the documented form, and that
 * members that clients need are read as the wire contract says. */

#include <string.h>

#include "conic-codec.h"
#include "conic-scan.h"

/* One message in both dialects, as far as the readme dialect has words for it. */
typedef struct {
  const char *name;
  const char *envelope;
  const char *readme;
} Pair;

static const Pair pairs[] = {
    {"register-request", "{\"id\":\"1\",\"type\":\"register_request\",\"data\":{}}",
     "{\"type\":\"register\"}"},
    {"register-request-id", "{\"type\":\"register_request\",\"data\":{\"client_id\":\"a\"}}",
     "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"register-request-token",
     "{\"type\":\"register_request\",\"data\":{\"client_id\":\"a\",\"resume_token\":\"t\"}}",
     "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"register-response",
     "{\"type\":\"register_response\",\"reply_to\":\"1\",\"data\":{\"client_id\":\"a\","
     "\"success\":true}}",
     "{\"type\":\"register\",\"ID\":\"a\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"register-response-full",
     "{\"type\":\"register_response\",\"data\":{\"client_id\":\"a\",\"success\":true,"
     "\"resume_token\":\"t\",\"ice_servers\":[{\"urls\":\"stun:h\"},{\"urls\":[\"turn:h\","
     "\"turns:h\"],\"username\":\"u\",\"credential\":\"c\"}]}}",
     "{\"type\":\"register\",\"ID\":\"a\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"unregister-request", "{\"type\":\"unregister_request\",\"data\":{\"client_id\":\"a\"}}",
     "{\"type\":\"unregister\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"unregister-response",
     "{\"type\":\"unregister_response\",\"data\":{\"client_id\":\"a\",\"success\":true}}",
     "{\"type\":\"unregister\",\"ID\":\"a\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"sdp",
     "{\"id\":\"1\",\"timestamp\":\"2025-01-01T00:00:00.123456789Z\",\"type\":\"sdp\",\"data\":"
     "{\"from_id\":\"a\",\"to_id\":\"b\",\"session_description\":{\"type\":\"offer\",\"sdp\":"
     "\"v=0\\r\\ns=\\\"\xc3\xa9\\u00e9\\\"\\r\\n\"}}}",
     "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":"
     "\\\"v=0\\\\r\\\\ns=\\\\\\\"\xc3\xa9\xc3\xa9\\\\\\\"\\\\r\\\\n\\\"}}\"}"},
    {"sdp-session",
     "{\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"session_id\":\"s\","
     "\"session_description\":{\"type\":\"rollback\",\"sdp\":\"\"}}}",
     "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionID\\\":\\\"s\\\",\\\"SessionDescription\\\":{\\\"type\\\":\\\"rollback\\\","
     "\\\"sdp\\\":\\\"\\\"}}\"}"},
    {"candidate",
     "{\"type\":\"candidate\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"candidate\":"
     "{\"candidate\":\"candidate:1 1 udp 2 10.0.0.1 9 typ host\",\"sdpMid\":\"0\","
     "\"sdpMLineIndex\":65535,\"usernameFragment\":\"f\"}}}",
     "{\"type\":\"candidate\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"Candidate\\\":\\\"candidate:1 1 udp 2 10.0.0.1 9 typ host\\\",\\\"SDPMid\\\":\\\"0\\\","
     "\\\"SDPMLineIndex\\\":65535,\\\"UsernameFragment\\\":\\\"f\\\"}\"}"},
    {"candidate-end",
     "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":{\"candidate\":\"\","
     "\"sdpMid\":null,\"sdpMLineIndex\":0,\"usernameFragment\":null}}}",
     "{\"type\":\"candidate\",\"raw\":\"{\\\"TargetID\\\":\\\"b\\\",\\\"Candidate\\\":\\\"\\\","
     "\\\"SDPMLineIndex\\\":0}\"}"},
    {"data-channel",
     "{\"type\":\"data_channel\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"label\":\"chat\","
     "\"payload\":\"AAECAwT/\"}}",
     "{\"type\":\"data_channel\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"Label\\\":\\\"chat\\\",\\\"Data\\\":\\\"AAECAwT/\\\"}\"}"},
    {"data-channel-empty",
     "{\"type\":\"data_channel\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"label\":\"\","
     "\"payload\":\"\"}}",
     "{\"type\":\"data_channel\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"Label\\\":\\\"\\\",\\\"Data\\\":\\\"\\\"}\"}"},
    {"bye",
     "{\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"session_id\":\"s\","
     "\"reason\":\"done\"}}",
     "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionID\\\":\\\"s\\\",\\\"Reason\\\":\\\"done\\\"}\"}"},
    {"list-request", "{\"type\":\"list_request\",\"data\":{}}", "{\"type\":\"list_request\"}"},
    {"list-response",
     "{\"type\":\"list_response\",\"data\":{\"clients\":[{\"client_id\":\"a\"},"
     "{\"client_id\":\"b\"}]}}",
     "{\"type\":\"list_response\",\"raw\":\"{\\\"Clients\\\":[{\\\"ID\\\":\\\"a\\\"},"
     "{\\\"ID\\\":\\\"b\\\"}]}\"}"},
    {"list-response-empty", "{\"type\":\"list_response\",\"data\":{\"clients\":[]}}",
     "{\"type\":\"list_response\",\"raw\":\"{\\\"Clients\\\":[]}\"}"},
    {"error",
     "{\"type\":\"error\",\"reply_to\":\"1\",\"data\":{\"code\":\"peer_not_found\",\"message\":"
     "\"no such peer\",\"to_id\":\"b\"}}",
     "{\"type\":\"error\",\"raw\":\"{\\\"Code\\\":\\\"peer_not_found\\\",\\\"Message\\\":"
     "\\\"no such peer\\\",\\\"TargetID\\\":\\\"b\\\"}\"}"},
};

static ConicMessage *
parse (const char *text, ConicDialect dialect)
{
  /* A message without a body is the same in both, so its connection has to have a dialect. */
  gboolean has_body = strstr (text, "\"data\"") != NULL || strstr (text, "\"raw\"") != NULL;
  ConicDialect found = has_body ? CONIC_DIALECT_NONE : dialect;
  g_autoptr (GError) error = NULL;
  /* In a block of its exact size, so that a sanitizer sees a read past its end. */
  gsize length = strlen (text);
  g_autofree char *exact = g_memdup2 (text, length);
  ConicMessage *message = conic_codec_parse (exact, length, &found, &error);

  g_assert_no_error (error);
  g_assert_nonnull (message);
  g_assert_cmpint (found, ==, dialect);

  return message;
}

static char *
write_text (const ConicMessage *message, ConicDialect dialect)
{
  g_autoptr (GBytes) bytes = conic_codec_write (message, dialect);
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  g_assert_true (conic_scan_is_json (text, length));

  return g_strndup (text, length);
}

/* Leaves what every dialect can say. */
static void
strip_envelope (ConicMessage *message)
{
  g_clear_pointer (&message->id, g_free);
  g_clear_pointer (&message->timestamp, g_free);
  g_clear_pointer (&message->reply_to, g_free);
  g_clear_pointer (&message->resume_token, g_free);
  g_clear_pointer (&message->ice_servers, g_ptr_array_unref);
}

static void
test_round_trip_envelope (gconstpointer data)
{
  const Pair *pair = data;
  g_autoptr (ConicMessage) message = parse (pair->envelope, CONIC_DIALECT_ENVELOPE);
  g_autofree char *text = write_text (message, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) again = parse (text, CONIC_DIALECT_ENVELOPE);

  if (message->id == NULL) {
    g_assert_nonnull (again->id);
    g_clear_pointer (&again->id, g_free);
  }
  g_assert_true (conic_message_equal (message, again));
}

static void
test_round_trip_readme (gconstpointer data)
{
  const Pair *pair = data;
  g_autoptr (ConicMessage) message = parse (pair->readme, CONIC_DIALECT_README);
  g_autofree char *text = write_text (message, CONIC_DIALECT_README);

  /* The table has the documented form, so it comes back byte for byte. */
  g_assert_cmpstr (text, ==, pair->readme);
}

static void
test_same_in_both (gconstpointer data)
{
  const Pair *pair = data;
  g_autoptr (ConicMessage) envelope = parse (pair->envelope, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) readme = parse (pair->readme, CONIC_DIALECT_README);
  g_autofree char *as_readme = write_text (envelope, CONIC_DIALECT_README);

  g_assert_cmpstr (as_readme, ==, pair->readme);
  strip_envelope (envelope);
  g_assert_true (conic_message_equal (envelope, readme));
}

static void
test_members (void)
{
  g_autoptr (ConicMessage) sdp = parse (pairs[7].envelope, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) candidate = parse (pairs[9].envelope, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) data = parse (pairs[11].envelope, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) response = parse (pairs[4].envelope, CONIC_DIALECT_ENVELOPE);
  const ConicIceServer *server = response->ice_servers->pdata[1];

  g_assert_cmpint (sdp->type, ==, CONIC_MESSAGE_SDP);
  g_assert_cmpstr (sdp->id, ==, "1");
  g_assert_cmpstr (sdp->timestamp, ==, "2025-01-01T00:00:00.123456789Z");
  g_assert_cmpstr (sdp->from_id, ==, "a");
  g_assert_cmpstr (sdp->to_id, ==, "b");
  g_assert_cmpint (sdp->sdp_type, ==, CONIC_SDP_OFFER);
  g_assert_cmpstr (sdp->sdp, ==, "v=0\r\ns=\"\xc3\xa9\xc3\xa9\"\r\n");

  g_assert_cmpstr (candidate->candidate, ==, "candidate:1 1 udp 2 10.0.0.1 9 typ host");
  g_assert_cmpstr (candidate->sdp_mid, ==, "0");
  g_assert_cmpint (candidate->sdp_mline_index, ==, 65535);
  g_assert_cmpstr (candidate->username_fragment, ==, "f");

  g_assert_cmpmem (g_bytes_get_data (data->payload, NULL), g_bytes_get_size (data->payload),
                   "\0\1\2\3\4\xff", 6);

  g_assert_true (response->success);
  g_assert_cmpstr (response->resume_token, ==, "t");
  g_assert_cmpuint (response->ice_servers->len, ==, 2);
  g_assert_cmpuint (g_strv_length (server->urls), ==, 2);
  g_assert_cmpstr (server->urls[1], ==, "turns:h");
  g_assert_cmpstr (server->username, ==, "u");
  g_assert_cmpstr (server->credential, ==, "c");
}

static void
test_failed_registration (void)
{
  const char *text = "{\"id\":\"2\",\"type\":\"register_response\",\"reply_to\":\"1\",\"data\":{"
                     "\"client_id\":\"a\",\"success\":false,\"error\":{\"code\":\"id_taken\","
                     "\"message\":\"in use\"}}}";
  g_autoptr (ConicMessage) message = parse (text, CONIC_DIALECT_ENVELOPE);
  g_autofree char *envelope = write_text (message, CONIC_DIALECT_ENVELOPE);
  g_autofree char *readme = write_text (message, CONIC_DIALECT_README);

  g_assert_false (message->success);
  g_assert_true (message->has_error);
  g_assert_cmpint (message->code, ==, CONIC_ERROR_ID_TAKEN);
  g_assert_cmpstr (message->error_message, ==, "in use");
  g_assert_cmpstr (envelope, ==, text);
  /* The readme dialect has no failed registration, but it has errors. */
  g_assert_cmpstr (readme, ==,
                   "{\"type\":\"error\",\"raw\":\"{\\\"Code\\\":\\\"id_taken\\\",\\\"Message\\\":"
                   "\\\"in use\\\"}\"}");
}

/* Every way in which programs of conic's time wrapped and spelled a readme message. */
static void
test_readme_forms (void)
{
  static const char *const forms[] = {
      "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
      "\\\"SessionDescription\\\":{\\\"type\\\":\\\"answer\\\",\\\"sdp\\\":\\\"v=0\\\"}}\"}",
      "{\"type\":\"sdp\",\"raw\":\"{\\\"id\\\":\\\"a\\\",\\\"target_id\\\":\\\"b\\\","
      "\\\"session_description\\\":{\\\"type\\\":\\\"answer\\\",\\\"sdp\\\":\\\"v=0\\\"}}\"}",
      "{\"type\":\"sdp\",\"raw\":{\"ID\":\"a\",\"TargetID\":\"b\",\"SessionDescription\":"
      "{\"type\":\"answer\",\"sdp\":\"v=0\"}}}",
      "{\"raw\":{\"session_description\":{\"sdp\":\"v=0\",\"type\":\"answer\"},\"target_id\":\"b\","
      "\"id\":\"a\"},\"type\":\"sdp\"}",
      /* base64 of {"id":"a","target_id":"b","session_description":{"type":"answer","sdp":"v=0"}} */
      "{\"type\":\"sdp\",\"raw\":\"eyJpZCI6ImEiLCJ0YXJnZXRfaWQiOiJiIiwic2Vzc2lvbl9kZXNjcmlwdGlvbiI6"
      "eyJ0eXBlIjoiYW5zd2VyIiwic2RwIjoidj0wIn19\"}",
      /* the same with a character escaped that needn't be */
      "{\"type\":\"sdp\",\"raw\":"
      "\"\\u0065yJpZCI6ImEiLCJ0YXJnZXRfaWQiOiJiIiwic2Vzc2lvbl9kZXNjcmlwdGl"
      "vbiI6eyJ0eXBlIjoiYW5zd2VyIiwic2RwIjoidj0wIn19\"}",
      "{\"type\":\"sdp\",\"raw\":\" "
      "\\u007b\\\"\\u0049D\\\":\\\"\\\\u0061\\\",\\\"TargetID\\\":\\\"b\\\","
      "\\\"SessionDescription\\\":{\\\"type\\\":\\\"\\\\u0061nswer\\\",\\\"sdp\\\":\\\"v=0\\\"}}"
      "\"}",
  };
  g_autoptr (ConicMessage) expected = parse (forms[0], CONIC_DIALECT_README);

  g_assert_cmpint (expected->sdp_type, ==, CONIC_SDP_ANSWER);
  for (gsize i = 1; i < G_N_ELEMENTS (forms); i++) {
    g_autoptr (ConicMessage) message = parse (forms[i], CONIC_DIALECT_README);

    g_assert_true (conic_message_equal (message, expected));
  }
}

static void
test_readme_candidate_object (void)
{
  g_autoptr (ConicMessage) message =
      parse ("{\"type\":\"candidate\",\"raw\":{\"ID\":\"a\",\"TargetID\":\"b\",\"Candidate\":"
             "{\"candidate\":\"candidate:1\",\"sdpMid\":\"1\",\"sdpMLineIndex\":1}}}",
             CONIC_DIALECT_README);

  g_assert_cmpstr (message->candidate, ==, "candidate:1");
  g_assert_cmpstr (message->sdp_mid, ==, "1");
  g_assert_cmpint (message->sdp_mline_index, ==, 1);
}

/* conic's Go programs write the zero time, or none. */
static void
test_go_quirks (void)
{
  g_autoptr (ConicMessage) message =
      parse ("{\"id\":\"d3kj0ua3n7eg02o1b2c0\",\"type\":\"candidate\",\"timestamp\":"
             "\"0001-01-01T00:00:00Z\",\"data\":{\"from_id\":\"d3kj0ua3n7eg02o1b2d0\",\"to_id\":"
             "\"\",\"candidate\":{\"candidate\":\"candidate:1\",\"sdpMid\":\"\",\"sdpMLineIndex\":"
             "0,\"usernameFragment\":null}}}",
             CONIC_DIALECT_ENVELOPE);

  g_assert_null (message->to_id);
  g_assert_cmpstr (message->sdp_mid, ==, "");
  g_assert_cmpint (message->sdp_mline_index, ==, 0);
}

/* An `ID` makes a readme registration an answer; to the envelope dialect it is a stranger. */
static void
test_id_beside_the_body (void)
{
  g_autoptr (ConicMessage) readme =
      parse ("{\"type\":\"register\",\"ID\":\"a\",\"raw\":\"\"}", CONIC_DIALECT_README);
  g_autoptr (ConicMessage) envelope =
      parse ("{\"type\":\"register_request\",\"ID\":\"a\",\"data\":{}}", CONIC_DIALECT_ENVELOPE);

  g_assert_cmpint (readme->type, ==, CONIC_MESSAGE_REGISTER_RESPONSE);
  g_assert_cmpstr (readme->client_id, ==, "a");
  g_assert_cmpint (envelope->type, ==, CONIC_MESSAGE_REGISTER_REQUEST);
  g_assert_null (envelope->client_id);
}

static void
test_keeps_the_dialect (void)
{
  ConicDialect dialect = CONIC_DIALECT_ENVELOPE;
  g_autoptr (GError) error = NULL;
  const char *text = "{\"type\":\"register\"}";

  g_assert_null (conic_codec_parse (text, strlen (text), &dialect, &error));
  g_assert_error (error, CONIC_ERROR, CONIC_ERROR_UNKNOWN_TYPE);
  g_assert_cmpint (dialect, ==, CONIC_DIALECT_ENVELOPE);
}

/* What a hub of somebody else's may send to a client. */
static void
test_bad_answers (void)
{
  static const struct {
    const char *text;
    ConicError code;
  } bad[] = {
      {"{\"type\":\"register_response\",\"data\":{\"client_id\":\"a\"}}", CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":1}}", CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":true,\"ice_servers\":{}}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":true,\"ice_servers\":[1]}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":true,\"ice_servers\":[{}]}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":true,\"ice_servers\":[{\"urls\":[1]}]"
       "}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"register_response\",\"data\":{\"success\":false,\"error\":\"no\"}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"list_response\",\"data\":{}}", CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"list_response\",\"data\":{\"clients\":[\"a\"]}}", CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"list_response\",\"data\":{\"clients\":[{\"client_id\":7}]}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"list_response\",\"data\":{\"clients\":[{\"client_id\":\"a b\"}]}}",
       CONIC_ERROR_INVALID_ID},
      {"{\"type\":\"error\",\"data\":{\"message\":\"x\"}}", CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"list_response\",\"data\":{\"clients\":[{\"client_id\":\"a\\u0000b\"}]}}",
       CONIC_ERROR_BAD_MESSAGE},
      {"{\"type\":\"error\",\"data\":{\"code\":\"no_such_code\"}}", CONIC_ERROR_BAD_MESSAGE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    ConicDialect dialect = CONIC_DIALECT_NONE;
    g_autoptr (GError) error = NULL;

    g_assert_null (conic_codec_parse (bad[i].text, strlen (bad[i].text), &dialect, &error));
    g_assert_error (error, CONIC_ERROR, (int)bad[i].code);
    g_assert_cmpint (dialect, ==, CONIC_DIALECT_NONE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *envelope = g_strdup_printf ("/codec/envelope/%s", pairs[i].name);
    g_autofree char *readme = g_strdup_printf ("/codec/readme/%s", pairs[i].name);
    g_autofree char *both = g_strdup_printf ("/codec/both/%s", pairs[i].name);

    g_test_add_data_func (envelope, &pairs[i], test_round_trip_envelope);
    g_test_add_data_func (readme, &pairs[i], test_round_trip_readme);
    g_test_add_data_func (both, &pairs[i], test_same_in_both);
  }
  g_test_add_func ("/codec/members", test_members);
  g_test_add_func ("/codec/failed-registration", test_failed_registration);
  g_test_add_func ("/codec/readme-forms", test_readme_forms);
  g_test_add_func ("/codec/readme-candidate-object", test_readme_candidate_object);
  g_test_add_func ("/codec/go-quirks", test_go_quirks);
  g_test_add_func ("/codec/id-beside-the-body", test_id_beside_the_body);
  g_test_add_func ("/codec/keeps-the-dialect", test_keeps_the_dialect);
  g_test_add_func ("/codec/bad-answers", test_bad_answers);

  return g_test_run ();
}
