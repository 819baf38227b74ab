/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The envelope dialect, section 1 of the wire contract, and what both dialects share. */

#include "conic-dialect.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define STRING  CONIC_JSON_STRING
#define NUMBER  CONIC_JSON_NUMBER
#define OBJECT  CONIC_JSON_OBJECT
#define ARRAY   CONIC_JSON_ARRAY
#define BOOLEAN CONIC_JSON_BOOLEAN
#define NULL_   CONIC_JSON_NULL
#define ANY     (STRING | NUMBER | OBJECT | ARRAY | BOOLEAN | NULL_)

const ConicName conic_description_names[] = {
    CONIC_NAME ("type", SDP_TYPE, STRING),
    CONIC_NAME ("sdp", SDP, STRING),
    {0},
};

const ConicName conic_candidate_names[] = {
    CONIC_NAME ("candidate", CANDIDATE_LINE, STRING),
    CONIC_NAME ("sdpMid", SDP_MID, STRING | NULL_),
    CONIC_NAME ("sdpMLineIndex", SDP_MLINE_INDEX, NUMBER | NULL_),
    CONIC_NAME ("usernameFragment", USERNAME_FRAGMENT, STRING | NULL_),
    {0},
};

static const ConicName error_names[] = {
    CONIC_NAME ("code", CODE, STRING),
    CONIC_NAME ("message", MESSAGE, STRING),
    {0},
};

const ConicName conic_envelope_names[] = {
    CONIC_NAME ("from_id", FROM_ID, STRING),
    CONIC_NAME ("to_id", TO_ID, STRING),
    CONIC_NAME_OF ("session_description", SESSION_DESCRIPTION, OBJECT, conic_description_names),
    CONIC_NAME_OF ("candidate", CANDIDATE, OBJECT, conic_candidate_names),
    CONIC_NAME ("session_id", SESSION_ID, STRING),
    CONIC_NAME ("label", LABEL, STRING),
    CONIC_NAME ("payload", PAYLOAD, STRING),
    CONIC_NAME ("reason", REASON, STRING),
    CONIC_NAME ("client_id", CLIENT_ID, STRING),
    CONIC_NAME ("success", SUCCESS, BOOLEAN),
    CONIC_NAME ("resume_token", RESUME_TOKEN, STRING),
    CONIC_NAME ("ice_servers", ICE_SERVERS, ARRAY),
    CONIC_NAME ("clients", CLIENTS, ARRAY),
    CONIC_NAME_OF ("error", ERROR, OBJECT, error_names),
    CONIC_NAME ("code", CODE, STRING),
    CONIC_NAME ("message", MESSAGE, STRING),
    {0},
};

const ConicName conic_outer_names[] = {
    CONIC_NAME ("id", ID, STRING),
    CONIC_NAME ("type", TYPE, STRING),
    CONIC_NAME ("timestamp", TIMESTAMP, STRING),
    CONIC_NAME_OF ("data", DATA, ANY, conic_envelope_names),
    CONIC_NAME ("raw", RAW, ANY),
    CONIC_NAME ("reply_to", REPLY_TO, STRING),
    CONIC_NAME ("ID", ASSIGNED_ID, STRING),
    {0},
};

static const char *
find_spelling (const ConicName *names, ConicMember member)
{
  for (const ConicName *name = names; name->name != NULL; name++) {
    if (name->member == member)
      return name->name;
  }
  for (const ConicName *name = names; name->name != NULL; name++) {
    const char *inside = name->inside != NULL ? find_spelling (name->inside, member) : NULL;

    if (inside != NULL)
      return inside;
  }

  return NULL;
}

const char *
conic_dialect_name (ConicDialect dialect, ConicMember member)
{
  /* `ID` is both, depending on the kind of message. */
  if (dialect == CONIC_DIALECT_README && member == CONIC_MEMBER_CLIENT_ID)
    member = CONIC_MEMBER_FROM_ID;

  return find_spelling (dialect == CONIC_DIALECT_README ? conic_readme_names : conic_envelope_names,
                        member);
}

/* Bytes that are escaped at once: what they come to, at most six times as much, is on the stack. */
#define PIECE_BYTES 256

void
conic_dialect_append_string (GString *out, const char *text, gsize length)
{
  const char *at = text, *end = text + length;
  char piece[6 * PIECE_BYTES + 1];

  g_string_append_c (out, '"');
  while (at < end) {
    const char *piece_end = at + MIN (end - at, PIECE_BYTES);
    char *to = piece;

    for (; at < piece_end; at++) {
      if ((guint8) *at < ' ') {
        to += g_snprintf (to, sizeof "\\u0000", "\\u%04x", (guint) *at);
        continue;
      }
      if (*at == '"' || *at == '\\')
        *to++ = '\\';
      *to++ = *at;
    }
    g_string_append_len (out, piece, to - piece);
  }
  g_string_append_c (out, '"');
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;

  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/* A NULL @value is written, as null. */
static void
add_string_or_null (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
begin_object (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
}

static void
add_candidate (JsonBuilder *builder, const ConicMessage *message)
{
  begin_object (builder, "candidate");
  add_string (builder, "candidate", message->candidate);
  add_string_or_null (builder, "sdpMid", message->sdp_mid);
  json_builder_set_member_name (builder, "sdpMLineIndex");
  if (message->sdp_mline_index >= 0)
    json_builder_add_int_value (builder, message->sdp_mline_index);
  else
    json_builder_add_null_value (builder);
  add_string_or_null (builder, "usernameFragment", message->username_fragment);
  json_builder_end_object (builder);
}

static void
add_payload (JsonBuilder *builder, GBytes *payload)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (payload, &length);
  g_autofree char *base64 = g_base64_encode (bytes, length);

  add_string (builder, "payload", base64);
}

static void
add_ice_servers (JsonBuilder *builder, const GPtrArray *servers)
{
  json_builder_set_member_name (builder, "ice_servers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < servers->len; i++) {
    const ConicIceServer *server = g_ptr_array_index (servers, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "urls");
    json_builder_begin_array (builder);
    for (char **url = server->urls; *url != NULL; url++)
      json_builder_add_string_value (builder, *url);
    json_builder_end_array (builder);
    add_string (builder, "username", server->username);
    add_string (builder, "credential", server->credential);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_clients (JsonBuilder *builder, GStrv clients)
{
  json_builder_set_member_name (builder, "clients");
  json_builder_begin_array (builder);
  for (char **client = clients; client != NULL && *client != NULL; client++) {
    json_builder_begin_object (builder);
    add_string (builder, "client_id", *client);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_error (JsonBuilder *builder, const ConicMessage *message)
{
  add_string (builder, "code", conic_error_to_code (message->code));
  add_string (builder, "message", message->error_message);
}

static void
add_register_response (JsonBuilder *builder, const ConicMessage *message)
{
  add_string (builder, "client_id", message->client_id);
  add_boolean (builder, "success", message->success);
  add_string (builder, "resume_token", message->resume_token);
  if (message->ice_servers != NULL)
    add_ice_servers (builder, message->ice_servers);
  if (message->has_error) {
    begin_object (builder, "error");
    add_error (builder, message);
    json_builder_end_object (builder);
  }
}

static void
add_routing (JsonBuilder *builder, const ConicMessage *message)
{
  add_string (builder, "from_id", message->from_id);
  add_string (builder, "to_id", message->to_id);
  add_string (builder, "session_id", message->session_id);
}

static void
add_data (JsonBuilder *builder, const ConicMessage *message)
{
  switch (message->type) {
  case CONIC_MESSAGE_REGISTER_REQUEST:
    add_string (builder, "client_id", message->client_id);
    add_string (builder, "resume_token", message->resume_token);
    break;
  case CONIC_MESSAGE_REGISTER_RESPONSE:
    add_register_response (builder, message);
    break;
  case CONIC_MESSAGE_UNREGISTER_REQUEST:
    add_string (builder, "client_id", message->client_id);
    break;
  case CONIC_MESSAGE_UNREGISTER_RESPONSE:
    add_string (builder, "client_id", message->client_id);
    add_boolean (builder, "success", message->success);
    break;
  case CONIC_MESSAGE_SDP:
    add_routing (builder, message);
    begin_object (builder, "session_description");
    add_string (builder, "type", conic_sdp_type_to_string (message->sdp_type));
    add_string (builder, "sdp", message->sdp);
    json_builder_end_object (builder);
    break;
  case CONIC_MESSAGE_CANDIDATE:
    add_routing (builder, message);
    add_candidate (builder, message);
    break;
  case CONIC_MESSAGE_DATA_CHANNEL:
    add_routing (builder, message);
    add_string (builder, "label", message->label);
    add_payload (builder, message->payload);
    break;
  case CONIC_MESSAGE_BYE:
    add_routing (builder, message);
    add_string (builder, "reason", message->reason);
    break;
  case CONIC_MESSAGE_LIST_REQUEST:
    break;
  case CONIC_MESSAGE_LIST_RESPONSE:
    add_clients (builder, message->clients);
    break;
  case CONIC_MESSAGE_ERROR:
    add_error (builder, message);
    add_string (builder, "to_id", message->to_id);
    break;
  }
}

GString *
conic_envelope_write (const ConicMessage *message)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *new_id = message->id == NULL ? conic_id_new () : NULL;

  json_builder_begin_object (builder);
  add_string (builder, "id", message->id != NULL ? message->id : new_id);
  add_string (builder, "type", conic_kind_get (message->type)->envelope);
  add_string (builder, "timestamp", message->timestamp);
  add_string (builder, "reply_to", message->reply_to);
  begin_object (builder, "data");
  add_data (builder, message);
  json_builder_end_object (builder);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);

  return json_generator_to_gstring (generator, g_string_new (NULL));
}
