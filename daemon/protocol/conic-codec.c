/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-codec.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "conic-dialect.h"

static gboolean
fail (GError **error, ConicError code, const char *what)
{
  g_set_error_literal (error, CONIC_ERROR, code, what);

  return FALSE;
}

/* (nullable): an array that the scanner has accepted, as json-glib's tree. That would cut a string
 * at U+0000, and make an id valid that isn't. */
static JsonNode *
read_array (const ConicJsonValue *value)
{
  g_autofree char *text = g_strndup (value->text.data, value->text.length);

  if (strstr (text, "\\u0000") != NULL)
    return NULL;

  return json_from_string (text, NULL);
}

/* (nullable): the string member @name of @object, NULL if it is absent or something else */
static const char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (node);
}

static gboolean
read_clients (const ConicShape *shape, ConicMessage *message, GError **error)
{
  const ConicJsonValue *value = conic_shape_get (shape, CONIC_MEMBER_CLIENTS);
  const char *name = shape->dialect == CONIC_DIALECT_README ? "ID" : "client_id";
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GStrvBuilder) clients = g_strv_builder_new ();
  JsonArray *array;

  if (value == NULL)
    return TRUE;

  root = read_array (value);
  if (root == NULL)
    return fail (error, CONIC_ERROR_BAD_MESSAGE, "clients is not readable");
  array = json_node_get_array (root);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    const char *id = NULL;

    if (JSON_NODE_HOLDS_OBJECT (node))
      id = get_string (json_node_get_object (node), name);
    if (id == NULL)
      return fail (error, CONIC_ERROR_BAD_MESSAGE, "clients has an entry without an id");
    if (!conic_id_is_valid (id))
      return fail (error, CONIC_ERROR_INVALID_ID, "clients has an entry with an invalid id");
    g_strv_builder_add (clients, id);
  }
  message->clients = g_strv_builder_end (clients);

  return TRUE;
}

/* `urls` is a string or an array of strings. */
static GStrv
read_urls (JsonNode *node)
{
  g_autoptr (GStrvBuilder) urls = g_strv_builder_new ();
  JsonArray *array;

  if (node == NULL)
    return NULL;
  if (json_node_get_value_type (node) == G_TYPE_STRING) {
    g_strv_builder_add (urls, json_node_get_string (node));
    return g_strv_builder_end (urls);
  }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return NULL;

  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *url = json_array_get_element (array, i);

    if (json_node_get_value_type (url) != G_TYPE_STRING)
      return NULL;
    g_strv_builder_add (urls, json_node_get_string (url));
  }

  return g_strv_builder_end (urls);
}

static gboolean
read_ice_servers (const ConicShape *shape, ConicMessage *message, GError **error)
{
  const ConicJsonValue *value = conic_shape_get (shape, CONIC_MEMBER_ICE_SERVERS);
  g_autoptr (JsonNode) root = NULL;
  JsonArray *array;

  if (value == NULL)
    return TRUE;

  root = read_array (value);
  if (root == NULL)
    return fail (error, CONIC_ERROR_BAD_MESSAGE, "ice_servers is not readable");
  array = json_node_get_array (root);
  message->ice_servers = g_ptr_array_new_with_free_func ((GDestroyNotify)conic_ice_server_free);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    g_autoptr (ConicIceServer) server = g_new0 (ConicIceServer, 1);
    JsonObject *object;

    if (!JSON_NODE_HOLDS_OBJECT (node))
      return fail (error, CONIC_ERROR_BAD_MESSAGE, "ice_servers has an entry that is no object");
    object = json_node_get_object (node);
    server->urls = read_urls (json_object_get_member (object, "urls"));
    if (server->urls == NULL)
      return fail (error, CONIC_ERROR_BAD_MESSAGE, "ice_servers has an entry without urls");
    server->username = g_strdup (get_string (object, "username"));
    server->credential = g_strdup (get_string (object, "credential"));
    g_ptr_array_add (message->ice_servers, g_steal_pointer (&server));
  }

  return TRUE;
}

static gboolean
read_error (const ConicShape *shape, ConicMessage *message, GError **error)
{
  g_autofree char *code = conic_shape_dup (shape, CONIC_MEMBER_CODE);

  message->has_error = code != NULL;
  if (code == NULL)
    return TRUE;

  message->error_message = conic_shape_dup (shape, CONIC_MEMBER_MESSAGE);
  if (!conic_error_from_code (code, &message->code))
    return fail (error, CONIC_ERROR_BAD_MESSAGE, "code is none of the protocol's errors");

  return TRUE;
}

static gboolean
read_flag (const ConicShape *shape, ConicMember member)
{
  const ConicJsonValue *value = conic_shape_get (shape, member);

  return value != NULL && conic_slice_is (value->text, "true");
}

static int
read_mline_index (const ConicShape *shape)
{
  const ConicJsonValue *value = conic_shape_get (shape, CONIC_MEMBER_SDP_MLINE_INDEX);
  int index = 0;

  if (value == NULL || value->kind != CONIC_JSON_NUMBER)
    return -1;
  for (gsize i = 0; i < value->text.length; i++)
    index = index * 10 + (value->text.data[i] - '0');

  return index;
}

static void
read_payload (const ConicShape *shape, ConicMessage *message)
{
  g_autofree char *base64 = conic_shape_dup (shape, CONIC_MEMBER_PAYLOAD);
  guchar *bytes;
  gsize length;

  bytes = g_base64_decode (base64, &length);
  message->payload = g_bytes_new_take (bytes, length);
}

static void
read_description (const ConicShape *shape, ConicMessage *message)
{
  g_autofree char *type = conic_shape_dup (shape, CONIC_MEMBER_SDP_TYPE);

  conic_sdp_type_from_slice ((ConicSlice){type, strlen (type)}, &message->sdp_type);
  message->sdp = conic_shape_dup (shape, CONIC_MEMBER_SDP);
}

static char *
dup_id (const char *id)
{
  return id[0] != '\0' ? g_strdup (id) : NULL;
}

/* The body's members that are plain text, as far as messages of the kind have them. */
static void
read_strings (const ConicShape *shape, ConicMessage *message)
{
  const struct {
    ConicMember member;
    char **target;
  } strings[] = {
      {CONIC_MEMBER_SESSION_ID, &message->session_id},
      {CONIC_MEMBER_RESUME_TOKEN, &message->resume_token},
      {CONIC_MEMBER_CANDIDATE_LINE, &message->candidate},
      {CONIC_MEMBER_SDP_MID, &message->sdp_mid},
      {CONIC_MEMBER_USERNAME_FRAGMENT, &message->username_fragment},
      {CONIC_MEMBER_LABEL, &message->label},
      {CONIC_MEMBER_REASON, &message->reason},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++) {
    if (shape->kind->reads & CONIC_MEMBER_BIT (strings[i].member))
      *strings[i].target = conic_shape_dup (shape, strings[i].member);
  }

  message->client_id = dup_id (shape->client_id);
  message->from_id = dup_id (shape->from_id);
  message->to_id = dup_id (shape->to_id);
}

static gboolean
read_message (const ConicShape *shape, ConicMessage *message, GError **error)
{
  message->id = conic_shape_dup (shape, CONIC_MEMBER_ID);
  message->timestamp = conic_shape_dup (shape, CONIC_MEMBER_TIMESTAMP);
  message->reply_to = conic_shape_dup (shape, CONIC_MEMBER_REPLY_TO);
  read_strings (shape, message);

  switch (message->type) {
  case CONIC_MESSAGE_REGISTER_RESPONSE:
    message->success =
        shape->dialect == CONIC_DIALECT_README || read_flag (shape, CONIC_MEMBER_SUCCESS);
    return read_error (shape, message, error) && read_ice_servers (shape, message, error);
  case CONIC_MESSAGE_UNREGISTER_RESPONSE:
    message->success =
        shape->dialect == CONIC_DIALECT_README || read_flag (shape, CONIC_MEMBER_SUCCESS);
    return TRUE;
  case CONIC_MESSAGE_SDP:
    read_description (shape, message);
    return TRUE;
  case CONIC_MESSAGE_CANDIDATE:
    message->sdp_mline_index = read_mline_index (shape);
    return TRUE;
  case CONIC_MESSAGE_DATA_CHANNEL:
    read_payload (shape, message);
    return TRUE;
  case CONIC_MESSAGE_LIST_RESPONSE:
    return read_clients (shape, message, error);
  case CONIC_MESSAGE_ERROR:
    return read_error (shape, message, error);
  case CONIC_MESSAGE_REGISTER_REQUEST:
  case CONIC_MESSAGE_UNREGISTER_REQUEST:
  case CONIC_MESSAGE_BYE:
  case CONIC_MESSAGE_LIST_REQUEST:
    return TRUE;
  }

  g_return_val_if_reached (FALSE);
}

ConicMessage *
conic_codec_parse (const char *text, gsize length, ConicDialect *dialect, GError **error)
{
  g_auto (ConicShape) shape;
  g_autoptr (ConicMessage) message = NULL;

  if (!conic_shape_scan (&shape, text, length, *dialect, FALSE, error))
    return NULL;

  message = conic_message_new (shape.kind->type);
  if (!read_message (&shape, message, error))
    return NULL;
  *dialect = shape.dialect;

  return g_steal_pointer (&message);
}

GBytes *
conic_codec_write (const ConicMessage *message, ConicDialect dialect)
{
  GString *text = dialect == CONIC_DIALECT_README ? conic_readme_write (message)
                                                  : conic_envelope_write (message);

  return g_string_free_to_bytes (text);
}
