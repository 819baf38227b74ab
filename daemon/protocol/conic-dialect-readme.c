/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The readme dialect, section 2 of the wire contract. The kinds of message that it doesn't
 * describe have the envelope dialect's names, and members spelled as the described ones are. */

#include "conic-dialect.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define STRING CONIC_JSON_STRING
#define NUMBER CONIC_JSON_NUMBER
#define OBJECT CONIC_JSON_OBJECT
#define ARRAY  CONIC_JSON_ARRAY
#define NULL_  CONIC_JSON_NULL

/* Beside the documented spelling, that of conic's code of the time, and the W3C's. */
const ConicName conic_readme_names[] = {
    CONIC_NAME ("ID", FROM_ID, STRING),
    CONIC_NAME ("id", FROM_ID, STRING),
    CONIC_NAME ("TargetID", TO_ID, STRING),
    CONIC_NAME ("target_id", TO_ID, STRING),
    CONIC_NAME_OF ("SessionDescription", SESSION_DESCRIPTION, OBJECT, conic_description_names),
    CONIC_NAME_OF ("session_description", SESSION_DESCRIPTION, OBJECT, conic_description_names),
    CONIC_NAME_OF ("Candidate", CANDIDATE, STRING | OBJECT, conic_candidate_names),
    CONIC_NAME_OF ("candidate", CANDIDATE, STRING | OBJECT, conic_candidate_names),
    CONIC_NAME ("SDPMid", SDP_MID, STRING | NULL_),
    CONIC_NAME ("sdp_mid", SDP_MID, STRING | NULL_),
    CONIC_NAME ("sdpMid", SDP_MID, STRING | NULL_),
    CONIC_NAME ("SDPMLineIndex", SDP_MLINE_INDEX, NUMBER | NULL_),
    CONIC_NAME ("sdp_mline_index", SDP_MLINE_INDEX, NUMBER | NULL_),
    CONIC_NAME ("sdpMLineIndex", SDP_MLINE_INDEX, NUMBER | NULL_),
    CONIC_NAME ("UsernameFragment", USERNAME_FRAGMENT, STRING | NULL_),
    CONIC_NAME ("username_fragment", USERNAME_FRAGMENT, STRING | NULL_),
    CONIC_NAME ("usernameFragment", USERNAME_FRAGMENT, STRING | NULL_),
    CONIC_NAME ("Label", LABEL, STRING),
    CONIC_NAME ("label", LABEL, STRING),
    CONIC_NAME ("Data", PAYLOAD, STRING),
    CONIC_NAME ("data", PAYLOAD, STRING),
    CONIC_NAME ("SessionID", SESSION_ID, STRING),
    CONIC_NAME ("session_id", SESSION_ID, STRING),
    CONIC_NAME ("Reason", REASON, STRING),
    CONIC_NAME ("reason", REASON, STRING),
    CONIC_NAME ("Clients", CLIENTS, ARRAY),
    CONIC_NAME ("clients", CLIENTS, ARRAY),
    CONIC_NAME ("Code", CODE, STRING),
    CONIC_NAME ("code", CODE, STRING),
    CONIC_NAME ("Message", MESSAGE, STRING),
    CONIC_NAME ("message", MESSAGE, STRING),
    {0},
};

/* Memory of the shape with room for @length bytes. */
static char *
get_room (ConicShape *shape, gsize length)
{
  if (length <= sizeof shape->inner)
    return shape->inner;

  shape->inner_heap = g_malloc (length);

  return shape->inner_heap;
}

static gboolean
is_object (ConicSlice text)
{
  ConicScan scan;

  conic_scan_init (&scan, text.data, text.length);

  return conic_scan_peek (&scan) == '{';
}

gboolean
conic_readme_open (ConicShape *shape, ConicSlice *body, GError **error)
{
  const ConicJsonValue *raw = &shape->members[CONIC_MEMBER_RAW];
  int state = 0;
  guint save = 0;
  char *room;

  *body = (ConicSlice){NULL, 0};
  if (raw->kind == CONIC_JSON_NULL || (raw->kind == STRING && raw->text.length == 0))
    return TRUE;

  if (raw->kind != STRING && raw->kind != OBJECT) {
    g_set_error_literal (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE,
                         "raw is neither a string nor an object");
    return FALSE;
  }

  *body = raw->text;
  if (raw->kind == STRING && raw->escaped) {
    room = get_room (shape, raw->text.length);
    *body = (ConicSlice){room, conic_scan_unescape (raw->text, room)};
  }
  if (is_object (*body))
    return TRUE;

  if (!conic_slice_is_base64 (*body)) {
    g_set_error_literal (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE,
                         "raw is neither the text of a JSON object nor base64 of it");
    return FALSE;
  }
  /* What was unescaped is decoded where it is: the output never overtakes the input. */
  room = raw->escaped ? (char *)body->data : get_room (shape, body->length);
  body->length = g_base64_decode_step (body->data, body->length, (guchar *)room, &state, &save);
  body->data = room;

  return TRUE;
}

static void
add_string (JsonBuilder *builder, ConicMember member, const char *value)
{
  if (value == NULL)
    return;

  json_builder_set_member_name (builder, conic_dialect_name (CONIC_DIALECT_README, member));
  json_builder_add_string_value (builder, value);
}

static void
add_routing (JsonBuilder *builder, const ConicMessage *message)
{
  add_string (builder, CONIC_MEMBER_FROM_ID, message->from_id);
  add_string (builder, CONIC_MEMBER_TO_ID, message->to_id);
  add_string (builder, CONIC_MEMBER_SESSION_ID, message->session_id);
}

static void
add_description (JsonBuilder *builder, const ConicMessage *message)
{
  json_builder_set_member_name (builder, "SessionDescription");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, conic_sdp_type_to_string (message->sdp_type));
  json_builder_set_member_name (builder, "sdp");
  json_builder_add_string_value (builder, message->sdp);
  json_builder_end_object (builder);
}

static void
add_candidate (JsonBuilder *builder, const ConicMessage *message)
{
  add_string (builder, CONIC_MEMBER_CANDIDATE, message->candidate);
  add_string (builder, CONIC_MEMBER_SDP_MID, message->sdp_mid);
  if (message->sdp_mline_index >= 0) {
    json_builder_set_member_name (builder, "SDPMLineIndex");
    json_builder_add_int_value (builder, message->sdp_mline_index);
  }
  add_string (builder, CONIC_MEMBER_USERNAME_FRAGMENT, message->username_fragment);
}

static void
add_payload (JsonBuilder *builder, GBytes *payload)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (payload, &length);
  g_autofree char *base64 = g_base64_encode (bytes, length);

  add_string (builder, CONIC_MEMBER_PAYLOAD, base64);
}

static void
add_clients (JsonBuilder *builder, GStrv clients)
{
  json_builder_set_member_name (builder, "Clients");
  json_builder_begin_array (builder);
  for (char **client = clients; client != NULL && *client != NULL; client++) {
    json_builder_begin_object (builder);
    add_string (builder, CONIC_MEMBER_CLIENT_ID, *client);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_body (JsonBuilder *builder, const ConicMessage *message)
{
  switch (message->type) {
  case CONIC_MESSAGE_REGISTER_REQUEST:
  case CONIC_MESSAGE_REGISTER_RESPONSE:
  case CONIC_MESSAGE_UNREGISTER_REQUEST:
  case CONIC_MESSAGE_UNREGISTER_RESPONSE:
    add_string (builder, CONIC_MEMBER_CLIENT_ID, message->client_id);
    break;
  case CONIC_MESSAGE_SDP:
    add_routing (builder, message);
    add_description (builder, message);
    break;
  case CONIC_MESSAGE_CANDIDATE:
    add_routing (builder, message);
    add_candidate (builder, message);
    break;
  case CONIC_MESSAGE_DATA_CHANNEL:
    add_routing (builder, message);
    add_string (builder, CONIC_MEMBER_LABEL, message->label);
    add_payload (builder, message->payload);
    break;
  case CONIC_MESSAGE_BYE:
    add_routing (builder, message);
    add_string (builder, CONIC_MEMBER_REASON, message->reason);
    break;
  case CONIC_MESSAGE_LIST_REQUEST:
    break;
  case CONIC_MESSAGE_LIST_RESPONSE:
    add_clients (builder, message->clients);
    break;
  case CONIC_MESSAGE_ERROR:
    add_string (builder, CONIC_MEMBER_CODE, conic_error_to_code (message->code));
    add_string (builder, CONIC_MEMBER_MESSAGE, message->error_message);
    add_string (builder, CONIC_MEMBER_TO_ID, message->to_id);
    break;
  }
}

/* What the dialect says for @message: it has no answer that says that a request failed. */
static ConicMessage *
to_spoken (const ConicMessage *message)
{
  ConicMessage *spoken;

  if ((message->type != CONIC_MESSAGE_REGISTER_RESPONSE &&
       message->type != CONIC_MESSAGE_UNREGISTER_RESPONSE) ||
      message->success)
    return conic_message_copy (message);

  spoken = conic_message_new (CONIC_MESSAGE_ERROR);
  spoken->code = message->has_error ? message->code : CONIC_ERROR_BAD_MESSAGE;
  spoken->error_message =
      g_strdup (message->error_message != NULL ? message->error_message : "the request failed");

  return spoken;
}

GString *
conic_readme_write (const ConicMessage *message)
{
  g_autoptr (ConicMessage) spoken = to_spoken (message);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  GString *out = g_string_new ("{\"type\":\"");
  gboolean is_answer = spoken->type == CONIC_MESSAGE_REGISTER_RESPONSE ||
                       spoken->type == CONIC_MESSAGE_UNREGISTER_RESPONSE;

  json_builder_begin_object (builder);
  add_body (builder, spoken);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);

  g_string_append_printf (out, "%s\"", conic_kind_get (spoken->type)->readme);
  if (is_answer) {
    const char *id = spoken->client_id != NULL ? spoken->client_id : "";

    g_string_append (out, ",\"ID\":");
    conic_dialect_append_string (out, id, strlen (id));
  }
  if (json_object_get_size (json_node_get_object (root)) > 0) {
    g_autoptr (GString) raw = g_string_new (NULL);

    json_generator_set_root (generator, root);
    json_generator_to_gstring (generator, raw);
    g_string_append (out, ",\"raw\":");
    conic_dialect_append_string (out, raw->str, raw->len);
  }
  g_string_append_c (out, '}');

  return out;
}
