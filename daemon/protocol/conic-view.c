/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-view.h"

#include <string.h>

#include "conic-dialect.h"

/* How much longer than its text a translated message may get before its buffer grows. */
#define RELAY_ROOM_BYTES 512

/* Where in the text the body begins, just after its brace; 0 if it isn't there as it is. */
static gsize
find_body (const ConicShape *shape, ConicSlice text)
{
  const ConicJsonValue *raw = conic_shape_get (shape, CONIC_MEMBER_RAW);
  ConicScan scan;

  if (shape->dialect == CONIC_DIALECT_README && raw != NULL && raw->kind == CONIC_JSON_STRING) {
    /* The text of an object, with its quotes escaped, or base64. */
    conic_scan_init (&scan, raw->text.data, raw->text.length);
    if (conic_scan_peek (&scan) != '{')
      return 0;
    return (gsize) (scan.at - text.data) + 1;
  }

  return shape->body.data != NULL ? (gsize) (shape->body.data - text.data) + 1 : 0;
}

gboolean
conic_view_scan (ConicView *view,
                 const char *text,
                 gsize length,
                 ConicDialect dialect,
                 GError **error)
{
  const ConicShape *shape = &view->shape;
  gboolean accepted = conic_shape_scan (&view->shape, text, length, dialect, TRUE, error);
  const ConicJsonValue *id = conic_shape_get (shape, CONIC_MEMBER_ID);
  const ConicJsonValue *token = conic_shape_get (shape, CONIC_MEMBER_RESUME_TOKEN);

  view->dialect = shape->dialect;
  view->type = shape->kind != NULL ? shape->kind->type : CONIC_MESSAGE_ERROR;
  view->text = (ConicSlice){text, length};
  view->id = view->resume_token = (ConicSlice){NULL, 0};
  view->has_from = FALSE;
  view->client_id = shape->client_id;
  view->from_id = shape->from_id;
  view->to_id = shape->to_id;
  view->from_insert_at = 0;
  if (id != NULL && id->kind == CONIC_JSON_STRING && !id->has_nul)
    view->id = id->text;
  if (!accepted)
    return FALSE;

  view->has_from = conic_shape_get (shape, CONIC_MEMBER_FROM_ID) != NULL;
  if (token != NULL && view->type == CONIC_MESSAGE_REGISTER_REQUEST &&
      view->dialect == CONIC_DIALECT_ENVELOPE)
    view->resume_token = token->text;
  view->from_insert_at = find_body (shape, view->text);

  return TRUE;
}

void
conic_view_clear (ConicView *view)
{
  conic_shape_clear (&view->shape);
}

char *
conic_view_dup_id (const ConicView *view)
{
  char *id;

  if (view->id.data == NULL)
    return NULL;

  id = g_malloc (view->id.length + 1);
  id[conic_scan_unescape (view->id, id)] = '\0';

  return id;
}

/* Appends the beginning of a member of the body, with its comma and name. */
static void
begin_member (GString *body, const char *name)
{
  if (body->str[body->len - 1] != '{')
    g_string_append_c (body, ',');
  g_string_append_c (body, '"');
  g_string_append (body, name);
  g_string_append (body, "\":");
}

static void
add_id (GString *body, ConicDialect dialect, ConicMember member, const char *id)
{
  begin_member (body, conic_dialect_name (dialect, member));
  g_string_append_c (body, '"');
  g_string_append (body, id);
  g_string_append_c (body, '"');
}

/* Appends a value as it was written. */
static void
add_value (GString *body, const char *name, const ConicJsonValue *value)
{
  begin_member (body, name);
  if (value->kind == CONIC_JSON_STRING)
    g_string_append_c (body, '"');
  g_string_append_len (body, value->text.data, (gssize) value->text.length);
  if (value->kind == CONIC_JSON_STRING)
    g_string_append_c (body, '"');
}

static void
add_candidate_parts (GString *body, const ConicShape *shape, ConicDialect dialect)
{
  static const ConicMember parts[] = {
      CONIC_MEMBER_SDP_MID,
      CONIC_MEMBER_SDP_MLINE_INDEX,
      CONIC_MEMBER_USERNAME_FRAGMENT,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    const ConicJsonValue *value = conic_shape_get (shape, parts[i]);

    if (value != NULL && value->kind != CONIC_JSON_NULL)
      add_value (body, conic_dialect_name (dialect, parts[i]), value);
  }
}

/* Whether a member is there and not null. */
static gboolean
is_given (const ConicShape *shape, ConicMember member)
{
  const ConicJsonValue *value = conic_shape_get (shape, member);

  return value != NULL && value->kind != CONIC_JSON_NULL;
}

static void
add_candidate (GString *body, const ConicShape *shape, ConicDialect dialect)
{
  const ConicJsonValue *line = conic_shape_get (shape, CONIC_MEMBER_CANDIDATE_LINE);

  if (dialect == CONIC_DIALECT_README) {
    add_value (body, conic_dialect_name (dialect, CONIC_MEMBER_CANDIDATE), line);
    add_candidate_parts (body, shape, dialect);
    return;
  }

  begin_member (body, conic_dialect_name (dialect, CONIC_MEMBER_CANDIDATE));
  g_string_append_c (body, '{');
  add_value (body, "candidate", line);
  add_candidate_parts (body, shape, dialect);
  /* The W3C's addIceCandidate() refuses a candidate that says of no media line. */
  if (!is_given (shape, CONIC_MEMBER_SDP_MLINE_INDEX) && !is_given (shape, CONIC_MEMBER_SDP_MID))
    g_string_append (body, ",\"sdpMLineIndex\":0");
  g_string_append_c (body, '}');
}

/* The members of a relayed message in @dialect's words, their values as they were written. */
static void
append_body (GString *body, const ConicShape *shape, const char *sender_id, ConicDialect dialect)
{
  static const ConicMember plain[] = {
      CONIC_MEMBER_SESSION_ID, CONIC_MEMBER_SESSION_DESCRIPTION,
      CONIC_MEMBER_LABEL,      CONIC_MEMBER_PAYLOAD,
      CONIC_MEMBER_REASON,
  };

  g_string_append_c (body, '{');
  add_id (body, dialect, CONIC_MEMBER_FROM_ID, sender_id);
  if (shape->to_id[0] != '\0')
    add_id (body, dialect, CONIC_MEMBER_TO_ID, shape->to_id);
  for (gsize i = 0; i < G_N_ELEMENTS (plain); i++) {
    const ConicJsonValue *value = conic_shape_get (shape, plain[i]);

    if (value != NULL && (shape->kind->reads & CONIC_MEMBER_BIT (plain[i])))
      add_value (body, conic_dialect_name (dialect, plain[i]), value);
  }
  if (shape->kind->type == CONIC_MESSAGE_CANDIDATE)
    add_candidate (body, shape, dialect);
  g_string_append_c (body, '}');
}

static GBytes *
translate (const ConicShape *shape, gsize room, const char *sender_id, ConicDialect target)
{
  GString *out = g_string_sized_new (room);
  const ConicJsonValue *id = conic_shape_get (shape, CONIC_MEMBER_ID);

  if (target == CONIC_DIALECT_README) {
    g_autoptr (GString) body = g_string_sized_new (room);

    append_body (body, shape, sender_id, target);
    g_string_append_printf (out, "{\"type\":\"%s\",\"raw\":", shape->kind->readme);
    conic_dialect_append_string (out, body->str, body->len);
  } else {
    g_autofree char *new_id = id == NULL ? conic_id_new () : NULL;

    g_string_append (out, "{\"id\":\"");
    if (id != NULL)
      g_string_append_len (out, id->text.data, (gssize) id->text.length);
    else
      g_string_append (out, new_id);
    g_string_append_printf (out, "\",\"type\":\"%s\",\"data\":", shape->kind->envelope);
    append_body (out, shape, sender_id, target);
  }
  g_string_append_c (out, '}');

  return g_string_free_to_bytes (out);
}

/* Whether the object that begins before @at has no members. */
static gboolean
is_empty_object (const char *at, const char *end)
{
  ConicScan scan;

  conic_scan_init (&scan, at, (gsize) (end - at));

  return conic_scan_peek (&scan) == '}';
}

/* The message with the sender's id put in, everything else as it came. */
static GBytes *
insert_from (const ConicView *view, const char *sender_id)
{
  const ConicShape *shape = &view->shape;
  const char *text = view->text.data, *end = text + view->text.length;
  const ConicJsonValue *raw = conic_shape_get (shape, CONIC_MEMBER_RAW);
  const char *quote =
      view->dialect == CONIC_DIALECT_README && raw->kind == CONIC_JSON_STRING ? "\\\"" : "\"";
  const char *name = conic_dialect_name (view->dialect, CONIC_MEMBER_FROM_ID);
  GString *out = g_string_sized_new (view->text.length + RELAY_ROOM_BYTES);
  const char *at = text + view->from_insert_at;

  g_string_append_len (out, text, at - text);
  g_string_append_printf (out, "%s%s%s:%s%s%s", quote, name, quote, quote, sender_id, quote);
  if (!is_empty_object (shape->body.data + 1, shape->body.data + shape->body.length))
    g_string_append_c (out, ',');
  g_string_append_len (out, at, end - at);

  return g_string_free_to_bytes (out);
}

/* The same for a body in base64, or whose very brace is escaped: it is unwrapped, and wrapped
 * again in the documented way. */
static GBytes *
rewrap_with_from (const ConicView *view, const char *sender_id)
{
  const ConicShape *shape = &view->shape;
  const char *text = view->text.data, *end = text + view->text.length;
  const ConicSlice raw = shape->members[CONIC_MEMBER_RAW].text;
  const char *brace = memchr (shape->body.data, '{', shape->body.length);
  const char *rest = brace + 1, *body_end = shape->body.data + shape->body.length;
  GString *out = g_string_sized_new (2 * view->text.length + RELAY_ROOM_BYTES);
  g_autoptr (GString) body = g_string_new ("{");

  add_id (body, view->dialect, CONIC_MEMBER_FROM_ID, sender_id);
  if (!is_empty_object (rest, body_end))
    g_string_append_c (body, ',');
  g_string_append_len (body, rest, body_end - rest);

  /* The slice has no quotes, the string that replaces it brings its own. */
  g_string_append_len (out, text, raw.data - 1 - text);
  conic_dialect_append_string (out, body->str, body->len);
  g_string_append_len (out, raw.data + raw.length + 1, end - (raw.data + raw.length + 1));

  return g_string_free_to_bytes (out);
}

/* The same for a message without a body, as a `bye` may be. */
static GBytes *
relay_bare (const ConicView *view, const char *sender_id)
{
  return translate (&view->shape, RELAY_ROOM_BYTES, sender_id, view->dialect);
}

GBytes *
conic_view_relay (const ConicView *view, const char *sender_id, ConicDialect target)
{
  if (view->dialect != target)
    return translate (&view->shape, view->text.length * 3 / 2 + RELAY_ROOM_BYTES, sender_id,
                      target);
  if (view->has_from)
    return NULL;
  if (view->shape.body.data == NULL)
    return relay_bare (view, sender_id);
  if (view->from_insert_at == 0)
    return rewrap_with_from (view, sender_id);

  return insert_from (view, sender_id);
}
