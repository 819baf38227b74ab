/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows what routing sees of a message, which error each kind of bad input gets, and how a message
 * is passed on: as it came, with the sender's id put in, or translated. */

#include <string.h>

#include "conic-codec.h"
#include "conic-scan.h"
#include "conic-view.h"

/* A message's text in a block of its exact size, so that a sanitizer sees a read past its end. */
typedef struct {
  char *text;
  ConicView view;
} Scanned;

static void
scanned_clear (Scanned *scanned)
{
  conic_view_clear (&scanned->view);
  g_free (scanned->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scanned, scanned_clear)

static void
scan (Scanned *scanned, const char *text)
{
  g_autoptr (GError) error = NULL;
  gsize length = strlen (text);

  scanned->text = g_memdup2 (text, length);
  conic_view_scan (&scanned->view, scanned->text, length, CONIC_DIALECT_NONE, &error);
  g_assert_no_error (error);
}

static void
test_envelope (void)
{
  g_auto (Scanned) s;

  scan (&s,
        "{\"id\":\"m\\u0031\",\"type\":\"sdp\",\"data\":{\"from_id\":\"a\\u0062\",\"to_id\":\"c\","
        "\"session_description\":{\"type\":\"offer\",\"sdp\":\"\"}}}");
  g_assert_cmpint (s.view.dialect, ==, CONIC_DIALECT_ENVELOPE);
  g_assert_cmpint (s.view.type, ==, CONIC_MESSAGE_SDP);
  g_assert_true (s.view.has_from);
  g_assert_cmpstr (s.view.from_id, ==, "ab");
  g_assert_cmpstr (s.view.to_id, ==, "c");
  g_assert_cmpstr (s.view.client_id, ==, "");

  g_autofree char *id = conic_view_dup_id (&s.view);
  g_assert_cmpstr (id, ==, "m1");
}

static void
test_order_of_members_is_free (void)
{
  g_auto (Scanned) s;

  scan (&s, "{\"data\":{\"resume_token\":\"t\",\"more\":[{\"client_id\":7}],\"client_id\":\"a\"},"
            "\"extra\":{\"type\":1},\"type\":\"register_request\",\"id\":\"1\"}");
  g_assert_cmpint (s.view.type, ==, CONIC_MESSAGE_REGISTER_REQUEST);
  g_assert_cmpstr (s.view.client_id, ==, "a");
  g_assert_cmpmem (s.view.resume_token.data, s.view.resume_token.length, "t", 1);
}

static void
test_readme (void)
{
  g_auto (Scanned) s;

  scan (&s, "{\"type\":\"candidate\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
            "\\\"Candidate\\\":\\\"x\\\"}\"}");
  g_assert_cmpint (s.view.dialect, ==, CONIC_DIALECT_README);
  g_assert_cmpint (s.view.type, ==, CONIC_MESSAGE_CANDIDATE);
  g_assert_cmpstr (s.view.from_id, ==, "a");
  g_assert_cmpstr (s.view.to_id, ==, "b");
  g_assert_null (conic_view_dup_id (&s.view));
}

static void
test_readme_register (void)
{
  static const char *const bare[] = {
      "{\"type\":\"register\"}",
      "{\"type\":\"register\",\"raw\":null}",
      "{\"type\":\"register\",\"raw\":\"\"}",
      "{\"type\":\"register\",\"raw\":\"{}\"}",
      "{\"type\":\"register\",\"raw\":{}}",
      "{\"type\":\"register\",\"raw\":\"e30=\"}",
  };
  g_auto (Scanned) with_id;

  for (gsize i = 0; i < G_N_ELEMENTS (bare); i++) {
    g_auto (Scanned) s;

    scan (&s, bare[i]);
    g_assert_cmpint (s.view.dialect, ==, CONIC_DIALECT_README);
    g_assert_cmpint (s.view.type, ==, CONIC_MESSAGE_REGISTER_REQUEST);
    g_assert_cmpstr (s.view.client_id, ==, "");
  }

  scan (&with_id, "{\"type\":\"register\",\"raw\":{\"id\":\"me\"}}");
  g_assert_cmpstr (with_id.view.client_id, ==, "me");
}

static void
test_large_raw (void)
{
  g_autofree char *sdp = g_strnfill (100 * 1024, 's');
  g_autofree char *text = g_strdup_printf (
      "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
      "\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":\\\"%s\\\"}}\"}",
      sdp);
  g_auto (Scanned) s;

  scan (&s, text);
  g_assert_cmpstr (s.view.to_id, ==, "b");
}

typedef struct {
  const char *name;
  ConicDialect dialect;
  ConicError code;
  const char *text;
} Bad;

#define BAD(name_, code_, text_)                                                                   \
  {                                                                                                \
    .name = name_, .code = CONIC_ERROR_##code_, .text = text_                                      \
  }
#define BAD_IN(name_, dialect_, code_, text_)                                                      \
  {                                                                                                \
    .name = name_, .dialect = CONIC_DIALECT_##dialect_, .code = CONIC_ERROR_##code_, .text = text_ \
  }

#define DESCRIPTION "\"session_description\":{\"type\":\"offer\",\"sdp\":\"\"}"
#define X16         "xxxxxxxxxxxxxxxx"
#define X128        X16 X16 X16 X16 X16 X16 X16 X16

static const Bad bad[] = {
    BAD ("blank", BAD_MESSAGE, ""),
    BAD ("white-space", BAD_MESSAGE, " \t\r\n "),
    BAD ("garbage", BAD_MESSAGE, "hello"),
    BAD ("not-an-object", BAD_MESSAGE, "[]"),
    BAD ("a-string", BAD_MESSAGE, "\"sdp\""),
    BAD ("null", BAD_MESSAGE, "null"),
    BAD ("trailing-garbage", BAD_MESSAGE, "{\"type\":\"list_request\"} x"),
    BAD ("trailing-object", BAD_MESSAGE, "{\"type\":\"list_request\"}{}"),
    BAD ("trailing-comma", BAD_MESSAGE, "{\"type\":\"list_request\",}"),
    BAD ("single-quotes", BAD_MESSAGE, "{'type':'list_request'}"),
    BAD ("var", BAD_MESSAGE, "var x = {\"type\":\"list_request\"}"),
    BAD ("comment", BAD_MESSAGE, "{\"type\":\"list_request\"/**/}"),
    BAD ("not-utf8", BAD_MESSAGE, "{\"type\":\"list_request\",\"x\":\"\xff\"}"),
    BAD ("lone-surrogate-read",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\\ud800\",\"payload\":"
         "\"\"}}"),
    BAD ("lone-surrogate-unread", BAD_MESSAGE, "{\"type\":\"list_request\",\"x\":\"\\udc00\"}"),
    BAD ("lone-surrogate-in-id",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\\ud800\"}}"),
    BAD ("lone-surrogate-in-raw",
         BAD_MESSAGE,
         "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"\\\\ud800\\\"}\"}"),

    BAD ("no-type", BAD_MESSAGE, "{\"data\":{}}"),
    BAD ("type-number", BAD_MESSAGE, "{\"type\":1}"),
    BAD ("type-null", BAD_MESSAGE, "{\"type\":null}"),
    BAD ("type-twice", BAD_MESSAGE, "{\"type\":\"list_request\",\"type\":\"list_request\"}"),
    BAD ("type-wrong-case", BAD_MESSAGE, "{\"Type\":\"list_request\"}"),
    BAD ("unknown-type", UNKNOWN_TYPE, "{\"type\":\"candidates\"}"),
    BAD ("empty-type", UNKNOWN_TYPE, "{\"type\":\"\"}"),
    BAD ("type-with-nul", UNKNOWN_TYPE, "{\"type\":\"sdp\\u0000\"}"),
    BAD ("long-type", UNKNOWN_TYPE, "{\"type\":\"" X128 X128 "\"}"),
    BAD ("type-of-hubs",
         UNKNOWN_TYPE,
         "{\"type\":\"register_response\",\"data\":{\"success\":true}}"),
    BAD ("error-from-client",
         UNKNOWN_TYPE,
         "{\"type\":\"error\",\"data\":{\"code\":\"id_taken\"}}"),
    BAD_IN ("readme-type-in-envelope", ENVELOPE, UNKNOWN_TYPE, "{\"type\":\"register\"}"),
    BAD_IN ("envelope-type-in-readme", README, UNKNOWN_TYPE, "{\"type\":\"register_request\"}"),

    BAD ("id-number", BAD_MESSAGE, "{\"id\":1,\"type\":\"list_request\"}"),
    BAD ("id-twice", BAD_MESSAGE, "{\"id\":\"1\",\"id\":\"1\",\"type\":\"list_request\"}"),
    BAD ("id-with-nul", INVALID_ID, "{\"id\":\"a\\u0000\",\"type\":\"list_request\"}"),
    BAD ("timestamp-number", BAD_MESSAGE, "{\"type\":\"list_request\",\"timestamp\":0}"),
    BAD ("data-array", BAD_MESSAGE, "{\"type\":\"list_request\",\"data\":[]}"),
    BAD ("data-string", BAD_MESSAGE, "{\"type\":\"register_request\",\"data\":\"{}\"}"),
    BAD ("data-missing", BAD_MESSAGE, "{\"type\":\"sdp\"}"),
    BAD ("data-null", BAD_MESSAGE, "{\"type\":\"sdp\",\"data\":null}"),
    BAD ("data-twice", BAD_MESSAGE, "{\"type\":\"list_request\",\"data\":{},\"data\":{}}"),

    BAD ("client-id-number",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":1}}"),
    BAD ("client-id-null",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":null}}"),
    BAD ("client-id-twice",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"a\",\"client_id\":\"a\"}}"),
    BAD ("client-id-with-nul",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"a\\u0000b\"}}"),
    BAD ("client-id-nul",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\\u0000\"}}"),
    BAD ("client-id-space",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"a b\"}}"),
    BAD ("client-id-not-ascii",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\xc3\xa9\"}}"),
    BAD ("client-id-129",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"x" X128 "\"}}"),
    BAD ("client-id-129-escaped",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\\u0078" X128 "\"}}"),
    BAD ("client-id-very-long",
         INVALID_ID,
         "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\\n" X128 X128 X128 X128 X128
             X128 X128 "\"}}"),
    BAD ("resume-token-number",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"resume_token\":1}}"),
    BAD ("resume-token-nul",
         BAD_MESSAGE,
         "{\"type\":\"register_request\",\"data\":{\"resume_token\":\"\\u0000\"}}"),

    BAD ("to-id-missing-is-routed-but-description-too",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{}}"),
    BAD ("from-id-twice",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"from_id\":\"b\",\"to_id\":"
         "\"b\"," DESCRIPTION "}}"),
    BAD ("from-id-twice-escaped",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"from\\u005fid\":\"b\",\"to_id\":"
         "\"b\"," DESCRIPTION "}}"),
    BAD ("from-id-twice-other-case",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"From_ID\":\"b\",\"to_id\":"
         "\"b\"," DESCRIPTION "}}"),
    BAD ("from-id-empty",
         INVALID_ID,
         "{\"type\":\"sdp\",\"data\":{\"from_id\":\"\",\"to_id\":\"b\"," DESCRIPTION "}}"),
    BAD ("from-id-object",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"from_id\":{},\"to_id\":\"b\"," DESCRIPTION "}}"),
    BAD ("to-id-number", BAD_MESSAGE, "{\"type\":\"sdp\",\"data\":{\"to_id\":1," DESCRIPTION "}}"),
    BAD ("to-id-twice",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"to_id\":\"c\"," DESCRIPTION "}}"),
    BAD ("to-id-with-nul",
         INVALID_ID,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\\u0000\"," DESCRIPTION "}}"),
    BAD ("to-id-129",
         INVALID_ID,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"x" X128 "\"," DESCRIPTION "}}"),
    BAD ("readme-id-twice",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"raw\":{\"ID\":\"a\",\"id\":\"b\",\"TargetID\":\"c\","
         "\"Candidate\":\"\"}}"),
    BAD ("readme-target-twice",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"raw\":{\"target_id\":\"a\",\"TargetID\":\"c\",\"Candidate\":"
         "\"\"}}"),
    BAD ("readme-id-is-a-number", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":7}\"}"),
    BAD ("readme-id-with-nul",
         INVALID_ID,
         "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"a\\\\u0000\\\"}\"}"),

    BAD ("description-string",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":\"v=0\"}}"),
    BAD ("description-without-sdp",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":{\"type\":\"offer\"}}"
         "}"),
    BAD ("description-without-type",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":{\"sdp\":\"\"}}}"),
    BAD ("description-type-unknown",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":{\"type\":\"x\","
         "\"sdp\":\"\"}}}"),
    BAD ("sdp-number",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":{\"type\":\"offer\","
         "\"sdp\":0}}}"),
    BAD ("sdp-with-nul",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_description\":{\"type\":\"offer\","
         "\"sdp\":\"v=0\\u0000\"}}}"),
    BAD ("session-id-number",
         BAD_MESSAGE,
         "{\"type\":\"sdp\",\"data\":{\"to_id\":\"b\",\"session_id\":1," DESCRIPTION "}}"),

    BAD ("candidate-string",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":\"x\"}}"),
    BAD ("candidate-empty",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":{}}}"),
    BAD ("candidate-null",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":null}}"),
    BAD ("sdp-mid-number",
         BAD_MESSAGE,
         "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":{\"candidate\":\"\","
         "\"sdpMid\":0}}}"),
#define BAD_INDEX(name_, value_)                                                                   \
  BAD (name_, BAD_MESSAGE,                                                                         \
       "{\"type\":\"candidate\",\"data\":{\"to_id\":\"b\",\"candidate\":{\"candidate\":\"\","      \
       "\"sdpMLineIndex\":" value_ "}}}")
    BAD_INDEX ("index-string", "\"0\""),
    BAD_INDEX ("index-negative", "-1"),
    BAD_INDEX ("index-minus-zero", "-0"),
    BAD_INDEX ("index-fraction", "1.5"),
    BAD_INDEX ("index-exponent", "1e2"),
    BAD_INDEX ("index-huge", "1e400"),
    BAD_INDEX ("index-65536", "65536"),
    BAD_INDEX ("index-overflow-32", "4294967296"),
    BAD_INDEX ("index-overflow-64", "18446744073709551616"),

    BAD ("label-missing",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"payload\":\"\"}}"),
    BAD ("label-number",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":1,\"payload\":\"\"}}"),
    BAD ("payload-missing",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\"}}"),
    BAD ("payload-not-base64",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\",\"payload\":\"a-b_\"}"
         "}"),
    BAD (
        "payload-unpadded",
        BAD_MESSAGE,
        "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\",\"payload\":\"YQ\"}}"),
    BAD ("payload-padding-inside",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\",\"payload\":\"YQ==YQ="
         "=\"}}"),
    BAD ("payload-only-padding",
         BAD_MESSAGE,
         "{\"type\":\"data_channel\",\"data\":{\"to_id\":\"b\",\"label\":\"\",\"payload\":\"====\"}"
         "}"),
    BAD ("reason-number",
         BAD_MESSAGE,
         "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\",\"reason\":1}}"),

    BAD ("raw-number", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":1}"),
    BAD ("raw-array", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":[]}"),
    BAD ("raw-no-json", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"hello\"}"),
    BAD ("raw-array-text", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"[]\"}"),
    BAD ("raw-base64-of-no-json", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"aGVsbG8=\"}"),
    BAD ("raw-trailing-garbage", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"{}x\"}"),
    BAD ("raw-with-nul", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"{}\\u0000\"}"),
    BAD ("raw-twice", BAD_MESSAGE, "{\"type\":\"register\",\"raw\":\"{}\",\"raw\":\"{}\"}"),
    BAD ("raw-missing", BAD_MESSAGE, "{\"type\":\"candidate\",\"raw\":null}"),
    BAD_IN ("data-in-readme",
            README,
            BAD_MESSAGE,
            "{\"type\":\"bye\",\"data\":{\"to_id\":\"b\"},\"raw\":\"x\"}"),
};

static void
test_bad (gconstpointer data)
{
  const Bad *one = data;
  g_autoptr (GError) error = NULL;
  gsize length = strlen (one->text);
  g_autofree char *text = g_memdup2 (one->text, length);
  g_auto (ConicView) view;

  g_assert_false (conic_view_scan (&view, text, length, one->dialect, &error));
  g_assert_error (error, CONIC_ERROR, (int)one->code);
  g_assert_cmpstr (error->message, !=, "");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_many_brackets (void)
{
  const gsize length = 120 * 1024;
  g_autofree char *text = g_malloc (length);
  g_autofree char *inner = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ConicView) view;

  memset (text, '[', length);
  g_assert_false (conic_view_scan (&view, text, length, CONIC_DIALECT_NONE, &error));
  g_assert_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE);
  g_clear_error (&error);

  inner =
      g_strdup_printf ("{\"type\":\"register\",\"raw\":\"{\\\"a\\\":%.*s\"}", (int)length, text);
  g_assert_false (conic_view_scan (&view, inner, strlen (inner), CONIC_DIALECT_NONE, &error));
  g_assert_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE);
}

/* The error can name the message even though it was refused. */
static void
test_refused_keeps_id (void)
{
  const char *text = "{\"id\":\"m1\",\"type\":\"sdp\",\"data\":{}}";
  const char *unknown = "{\"id\":\"m2\",\"type\":\"x\",\"raw\":\"\"}";
  g_autofree char *id = NULL;
  g_auto (ConicView) view;

  g_assert_false (conic_view_scan (&view, text, strlen (text), CONIC_DIALECT_NONE, NULL));
  id = conic_view_dup_id (&view);
  g_assert_cmpstr (id, ==, "m1");
  g_assert_cmpint (view.type, ==, CONIC_MESSAGE_SDP);
  g_assert_cmpint (view.dialect, ==, CONIC_DIALECT_ENVELOPE);

  g_assert_false (conic_view_scan (&view, unknown, strlen (unknown), CONIC_DIALECT_NONE, NULL));
  g_assert_cmpmem (view.id.data, view.id.length, "m2", 2);
  g_assert_cmpint (view.dialect, ==, CONIC_DIALECT_README);
}

/* What looks like a fault but isn't: it has to get through. */
static void
test_tolerated (void)
{
  static const char *const good[] = {
      "{\"type\":\"list_request\"}",
      "{\"type\":\"list_request\",\"data\":null}",
      " {\"type\" : \"list\\u005frequest\" } ",
      "{\"type\":\"list_request\",\"x\":1e999,\"y\":123456789012345678901234567890,\"z\":"
      "\"\\u0000\"}",
      "{\"type\":\"list_request\",\"x\":1,\"x\":2}",
      "{\"type\":\"register_request\",\"data\":{\"client_id\":\"\"}}",
      "{\"type\":\"register_request\",\"data\":{\"client_id\":\"" X128 "\"}}",
      "{\"type\":\"register_request\",\"data\":{\"label\":5,\"candidate\":[]}}",
      "{\"type\":\"bye\"}",
      "{\"type\":\"bye\",\"data\":{\"to_id\":\"\"}}",
      "{\"type\":\"data_channel\",\"data\":{\"label\":\"\",\"payload\":\"YQ==\"}}",
      "{\"type\":\"data_channel\",\"data\":{\"label\":\"\",\"payload\":\"\\/\\/8=\"}}",
      "{\"type\":\"candidate\",\"data\":{\"to_id\":\"\",\"candidate\":{\"candidate\":\"\","
      "\"sdpMid\":null,\"sdpMLineIndex\":null,\"usernameFragment\":null}}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_auto (Scanned) s;

    scan (&s, good[i]);
  }
}

typedef struct {
  const char *name;
  const char *text;
  const char *sender;
  const char *envelope; /* (nullable): what an envelope client gets; NULL is @text */
  const char *readme;   /* (nullable): what a readme client gets; NULL is @text */
} Relay;

static const Relay relays[] = {
    {"sdp",
     "{\"id\":\"1\",\"type\":\"sdp\",\"x\":[1],\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"y\":{}"
     ","
     "\"session_description\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}}}",
     "a", NULL,
     "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":\\\"v=0\\\\r\\\\n\\\"}}"
     "\"}"},
    {"sdp-without-from",
     "{\"id\":\"1\",\"type\":\"sdp\",\"x\":[1],\"data\":{\"to_id\":\"b\",\"y\":{},"
     "\"session_description\":{\"type\":\"offer\",\"sdp\":\"v=0\",\"z\":1}}}",
     "a",
     "{\"id\":\"1\",\"type\":\"sdp\",\"x\":[1],\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"y\":{}"
     ","
     "\"session_description\":{\"type\":\"offer\",\"sdp\":\"v=0\",\"z\":1}}}",
     "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":\\\"v=0\\\",\\\"z\\\":1}}"
     "\"}"},
    {"sdp-session",
     "{\"id\":\"1\",\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"session_id\":"
     "\"s\","
     "\"session_description\":{\"type\":\"answer\",\"sdp\":\"\"}}}",
     "a", NULL,
     "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionID\\\":\\\"s\\\",\\\"SessionDescription\\\":{\\\"type\\\":\\\"answer\\\","
     "\\\"sdp\\\":\\\"\\\"}}\"}"},
    {"candidate",
     "{\"id\":\"1\",\"type\":\"candidate\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"candidate\":"
     "{\"candidate\":\"c\",\"sdpMid\":\"0\",\"sdpMLineIndex\":2,\"usernameFragment\":null}}}",
     "a", NULL,
     "{\"type\":\"candidate\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"Candidate\\\":\\\"c\\\",\\\"SDPMid\\\":\\\"0\\\",\\\"SDPMLineIndex\\\":2}\"}"},
    {"data-channel",
     "{\"id\":\"1\",\"type\":\"data_channel\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"label\":\"chat\",\"payload\":\"YQ==\"}}",
     "a", NULL,
     "{\"type\":\"data_channel\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"Label\\\":\\\"chat\\\",\\\"Data\\\":\\\"YQ==\\\"}\"}"},
    {"bye",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\",\"reason\":\"x\"}"
     "}",
     "a", NULL,
     "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\",\\\"Reason\\\":"
     "\\\"x\\\"}\"}"},
    {"bye-empty-data", "{\"id\":\"1\",\"type\":\"bye\",\"data\":{ }}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\" }}",
     "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
    {"bye-without-data", "{\"id\":\"1\",\"type\":\"bye\"}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\"}}",
     "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},

    {"readme-sdp",
     "{\"id\":\"1\",\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":\\\"v=0\\\\r\\\\n\\\"}}"
     "\"}",
     "a",
     "{\"id\":\"1\",\"type\":\"sdp\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"session_description\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}}}",
     NULL},
    {"readme-candidate",
     "{\"id\":\"1\",\"type\":\"candidate\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":"
     "\\\"b\\\","
     "\\\"Candidate\\\":\\\"c\\\"}\"}",
     "a",
     "{\"id\":\"1\",\"type\":\"candidate\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"candidate\":"
     "{\"candidate\":\"c\",\"sdpMLineIndex\":0}}}",
     NULL},
    {"readme-candidate-with-index",
     "{\"id\":\"1\",\"type\":\"candidate\",\"raw\":{\"id\":\"a\",\"target_id\":\"b\",\"candidate\":"
     "\"c\",\"sdp_mline_index\":3,\"sdp_mid\":null}}",
     "a",
     "{\"id\":\"1\",\"type\":\"candidate\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"candidate\":"
     "{\"candidate\":\"c\",\"sdpMLineIndex\":3}}}",
     NULL},
    {"readme-data-channel",
     "{\"id\":\"1\",\"type\":\"data_channel\",\"raw\":{\"ID\":\"a\",\"TargetID\":\"b\",\"Label\":"
     "\"l\","
     "\"Data\":\"YQ==\"}}",
     "a",
     "{\"id\":\"1\",\"type\":\"data_channel\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"label\":\"l\",\"payload\":\"YQ==\"}}",
     NULL},
    {"readme-without-from",
     "{\"id\":\"1\",\"type\":\"candidate\",\"x\":0,\"raw\":\" "
     "{\\\"TargetID\\\":\\\"b\\\",\\\"y\\\":1,"
     "\\\"Candidate\\\":\\\"c\\\"}\"}",
     "a",
     "{\"id\":\"1\",\"type\":\"candidate\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\","
     "\"candidate\":"
     "{\"candidate\":\"c\",\"sdpMLineIndex\":0}}}",
     "{\"id\":\"1\",\"type\":\"candidate\",\"x\":0,\"raw\":\" "
     "{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":"
     "\\\"b\\\",\\\"y\\\":1,\\\"Candidate\\\":\\\"c\\\"}\"}"},
    {"readme-object-without-from",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":{\"TargetID\":\"b\",\"y\":1}}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\"}}",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":{\"ID\":\"a\",\"TargetID\":\"b\",\"y\":1}}"},
    /* base64 of {"TargetID":"b","y":1} */
    {"readme-base64-without-from",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":\"eyJUYXJnZXRJRCI6ImIiLCJ5IjoxfQ==\",\"x\":2}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\"}}",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\","
     "\\\"y\\\":1}\",\"x\":2}"},
    {"readme-escaped-brace-without-from",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":\"\\u007b\\\"TargetID\\\":\\\"b\\\"}\"}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\",\"to_id\":\"b\"}}",
     "{\"id\":\"1\",\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\",\\\"TargetID\\\":\\\"b\\\"}"
     "\"}"},
    {"readme-bare-bye", "{\"id\":\"1\",\"type\":\"bye\",\"raw\":\"\"}", "a",
     "{\"id\":\"1\",\"type\":\"bye\",\"data\":{\"from_id\":\"a\"}}",
     "{\"type\":\"bye\",\"raw\":\"{\\\"ID\\\":\\\"a\\\"}\"}"},
};

static void
expect_relayed (const Scanned *scanned,
                const char *sender,
                ConicDialect target,
                const char *expected)
{
  g_autoptr (GBytes) bytes = conic_view_relay (&scanned->view, sender, target);
  g_autofree char *text = NULL;
  g_auto (Scanned) again = {0};

  if (expected == NULL) {
    g_assert_null (bytes);
    return;
  }

  g_assert_nonnull (bytes);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_assert_cmpstr (text, ==, expected);

  /* It is a message again, of the same kind and to the same peer, and names its sender. */
  scan (&again, text);
  g_assert_cmpint (again.view.dialect, ==, target);
  g_assert_cmpint (again.view.type, ==, scanned->view.type);
  g_assert_cmpstr (again.view.from_id, ==, sender);
  g_assert_cmpstr (again.view.to_id, ==, scanned->view.to_id);
}

static void
test_relay (gconstpointer data)
{
  const Relay *relay = data;
  g_auto (Scanned) s;

  scan (&s, relay->text);
  expect_relayed (&s, relay->sender, CONIC_DIALECT_ENVELOPE, relay->envelope);
  expect_relayed (&s, relay->sender, CONIC_DIALECT_README, relay->readme);
}

/* Translating there and back says the same again, as the codec reads it. */
static void
test_translation_agrees_with_codec (gconstpointer data)
{
  const Relay *relay = data;
  ConicDialect from = CONIC_DIALECT_NONE, to;
  g_autoptr (ConicMessage) original =
      conic_codec_parse (relay->text, strlen (relay->text), &from, NULL);
  g_autoptr (ConicMessage) translated = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_auto (Scanned) s;

  scan (&s, relay->text);
  to = from == CONIC_DIALECT_README ? CONIC_DIALECT_ENVELOPE : CONIC_DIALECT_README;
  bytes = conic_view_relay (&s.view, relay->sender, to);
  translated =
      conic_codec_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &to, NULL);
  g_assert_nonnull (translated);

  g_free (original->from_id);
  original->from_id = g_strdup (relay->sender);
  g_clear_pointer (&original->id, g_free);
  g_clear_pointer (&translated->id, g_free);
  if (original->type == CONIC_MESSAGE_CANDIDATE && original->sdp_mline_index < 0 &&
      original->sdp_mid == NULL)
    original->sdp_mline_index = 0;
  g_assert_true (conic_message_equal (original, translated));
}

static void
test_relay_makes_an_id (void)
{
  g_auto (Scanned) s, again;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL, *id = NULL;

  scan (&s, "{\"type\":\"bye\",\"raw\":{\"TargetID\":\"b\"}}");
  bytes = conic_view_relay (&s.view, "a", CONIC_DIALECT_ENVELOPE);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  scan (&again, text);
  id = conic_view_dup_id (&again.view);
  g_assert_cmpuint (strlen (id), ==, CONIC_ID_NEW_LENGTH);
}

/* Prints what a message costs on the relay path, when run with `-m perf`. */
static void
test_speed (void)
{
  g_autoptr (GString) sdp = g_string_new (NULL);
  g_autofree char *text = NULL;
  const guint rounds = 200000;
  double ns;
  gsize length;

  while (sdp->len < 1300)
    g_string_append (sdp, "a=rtpmap:96 VP8/90000\\r\\na=rtcp-fb:96 nack pli\\r\\n");
  text = g_strdup_printf ("{\"id\":\"d3kj0ua3n7eg02o1b2c0\",\"type\":\"sdp\",\"timestamp\":"
                          "\"2025-01-01T00:00:00.123456789Z\",\"data\":{\"from_id\":"
                          "\"d3kj0ua3n7eg02o1b2d0\",\"to_id\":\"d3kj0ua3n7eg02o1b2e0\","
                          "\"session_description\":{\"type\":\"offer\",\"sdp\":\"%s\"}}}",
                          sdp->str);
  length = strlen (text);

  g_test_timer_start ();
  for (guint i = 0; i < rounds; i++) {
    g_auto (ConicView) view;

    g_assert_true (conic_view_scan (&view, text, length, CONIC_DIALECT_ENVELOPE, NULL));
  }
  ns = g_test_timer_elapsed () / rounds * 1e9;
  g_test_minimized_result (ns, "%.0f ns for %" G_GSIZE_FORMAT " bytes", ns, length);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/view/envelope", test_envelope);
  g_test_add_func ("/view/order-of-members-is-free", test_order_of_members_is_free);
  g_test_add_func ("/view/readme", test_readme);
  g_test_add_func ("/view/readme-register", test_readme_register);
  g_test_add_func ("/view/large-raw", test_large_raw);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = g_strdup_printf ("/view/bad/%s", bad[i].name);

    g_test_add_data_func (path, &bad[i], test_bad);
  }
  g_test_add_func ("/view/bad/many-brackets", test_many_brackets);
  g_test_add_func ("/view/refused-keeps-id", test_refused_keeps_id);
  g_test_add_func ("/view/tolerated", test_tolerated);
  for (gsize i = 0; i < G_N_ELEMENTS (relays); i++) {
    g_autofree char *path = g_strdup_printf ("/view/relay/%s", relays[i].name);
    g_autofree char *codec = g_strdup_printf ("/view/translation/%s", relays[i].name);

    g_test_add_data_func (path, &relays[i], test_relay);
    g_test_add_data_func (codec, &relays[i], test_translation_agrees_with_codec);
  }
  g_test_add_func ("/view/relay-makes-an-id", test_relay_makes_an_id);
  if (g_test_perf ())
    g_test_add_func ("/view/speed", test_speed);

  return g_test_run ();
}
