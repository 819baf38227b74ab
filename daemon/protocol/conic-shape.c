/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-shape.h"

#include <string.h>

#include "conic-dialect.h"

#define BIT(member) CONIC_MEMBER_BIT (CONIC_MEMBER_##member)
#define ROUTED      (BIT (FROM_ID) | BIT (TO_ID))

/* Every kind of message. A row's place is its ConicMessageType. */
static const ConicKind kinds[] = {
    [CONIC_MESSAGE_REGISTER_REQUEST] =
        {
            .type = CONIC_MESSAGE_REGISTER_REQUEST,
            .envelope = "register_request",
            .readme = "register",
            .from_client = TRUE,
            .reads = BIT (CLIENT_ID) | BIT (RESUME_TOKEN),
        },
    [CONIC_MESSAGE_REGISTER_RESPONSE] =
        {
            .type = CONIC_MESSAGE_REGISTER_RESPONSE,
            .envelope = "register_response",
            .readme = "register",
            .reads = BIT (CLIENT_ID) | BIT (SUCCESS) | BIT (RESUME_TOKEN) | BIT (ICE_SERVERS) |
                     BIT (ERROR) | BIT (CODE) | BIT (MESSAGE),
            .needs = BIT (SUCCESS),
        },
    [CONIC_MESSAGE_UNREGISTER_REQUEST] =
        {
            .type = CONIC_MESSAGE_UNREGISTER_REQUEST,
            .envelope = "unregister_request",
            .readme = "unregister",
            .from_client = TRUE,
            .reads = BIT (CLIENT_ID),
        },
    [CONIC_MESSAGE_UNREGISTER_RESPONSE] =
        {
            .type = CONIC_MESSAGE_UNREGISTER_RESPONSE,
            .envelope = "unregister_response",
            .readme = "unregister",
            .reads = BIT (CLIENT_ID) | BIT (SUCCESS),
            .needs = BIT (SUCCESS),
        },
    [CONIC_MESSAGE_SDP] =
        {
            .type = CONIC_MESSAGE_SDP,
            .envelope = "sdp",
            .readme = "sdp",
            .from_client = TRUE,
            .relayed = TRUE,
            .reads =
                ROUTED | BIT (SESSION_ID) | BIT (SESSION_DESCRIPTION) | BIT (SDP_TYPE) | BIT (SDP),
            .needs = BIT (SESSION_DESCRIPTION) | BIT (SDP_TYPE) | BIT (SDP),
        },
    [CONIC_MESSAGE_CANDIDATE] =
        {
            .type = CONIC_MESSAGE_CANDIDATE,
            .envelope = "candidate",
            .readme = "candidate",
            .from_client = TRUE,
            .relayed = TRUE,
            .reads = ROUTED | BIT (SESSION_ID) | BIT (CANDIDATE) | BIT (CANDIDATE_LINE) |
                     BIT (SDP_MID) | BIT (SDP_MLINE_INDEX) | BIT (USERNAME_FRAGMENT),
            .needs = BIT (CANDIDATE) | BIT (CANDIDATE_LINE),
        },
    [CONIC_MESSAGE_DATA_CHANNEL] =
        {
            .type = CONIC_MESSAGE_DATA_CHANNEL,
            .envelope = "data_channel",
            .readme = "data_channel",
            .from_client = TRUE,
            .relayed = TRUE,
            .reads = ROUTED | BIT (LABEL) | BIT (PAYLOAD),
            .needs = BIT (LABEL) | BIT (PAYLOAD),
        },
    [CONIC_MESSAGE_BYE] =
        {
            .type = CONIC_MESSAGE_BYE,
            .envelope = "bye",
            .readme = "bye",
            .from_client = TRUE,
            .relayed = TRUE,
            .reads = ROUTED | BIT (SESSION_ID) | BIT (REASON),
        },
    [CONIC_MESSAGE_LIST_REQUEST] =
        {
            .type = CONIC_MESSAGE_LIST_REQUEST,
            .envelope = "list_request",
            .readme = "list_request",
            .from_client = TRUE,
        },
    [CONIC_MESSAGE_LIST_RESPONSE] =
        {
            .type = CONIC_MESSAGE_LIST_RESPONSE,
            .envelope = "list_response",
            .readme = "list_response",
            .reads = BIT (CLIENTS),
            .needs = BIT (CLIENTS),
        },
    [CONIC_MESSAGE_ERROR] =
        {
            .type = CONIC_MESSAGE_ERROR,
            .envelope = "error",
            .readme = "error",
            .reads = BIT (CODE) | BIT (MESSAGE) | BIT (TO_ID),
            .needs = BIT (CODE),
        },
};

/* Members of the outer object that are checked whatever the kind. */
#define OUTER (BIT (ID) | BIT (TIMESTAMP) | BIT (REPLY_TO))

/* Longest name that the protocol knows, with room for its escapes. */
#define NAME_MAX_BYTES (6 * 24)

static const char *const sdp_types[] = {
    [CONIC_SDP_OFFER] = "offer",
    [CONIC_SDP_ANSWER] = "answer",
    [CONIC_SDP_PRANSWER] = "pranswer",
    [CONIC_SDP_ROLLBACK] = "rollback",
};

const ConicKind *
conic_kind_get (ConicMessageType type)
{
  return &kinds[type];
}

const char *
conic_sdp_type_to_string (ConicSdpType type)
{
  return sdp_types[type];
}

gboolean
conic_sdp_type_from_slice (ConicSlice slice, ConicSdpType *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sdp_types); i++) {
    if (conic_slice_is (slice, sdp_types[i])) {
      *type = (ConicSdpType)i;
      return TRUE;
    }
  }

  return FALSE;
}

/* A name or another short string without its escapes, which would let a member slip past a plain
 * comparison: receivers take "from\u005fid" for from_id. What is too long for any name stays. */
static ConicSlice
unescape_name (const ConicJsonValue *value, char buffer[NAME_MAX_BYTES])
{
  if (!value->escaped || value->text.length > NAME_MAX_BYTES)
    return value->text;

  return (ConicSlice){buffer, conic_scan_unescape (value->text, buffer)};
}

/* Looks a member up. Receivers written in Go match names without regard to case, so a second
 * "From_ID" would override the from_id that was checked: what differs in case only is refused. */
static gboolean
find_name (ConicScan *scan,
           const ConicName *names,
           const ConicJsonValue *value,
           const ConicName **found)
{
  char buffer[NAME_MAX_BYTES];
  ConicSlice name = unescape_name (value, buffer);
  const ConicName *lookalike = NULL;

  *found = NULL;
  for (; names->name != NULL; names++) {
    if (names->length != name.length || ((names->name[0] ^ name.data[0]) & ~0x20) != 0)
      continue;
    if (memcmp (names->name, name.data, name.length) == 0) {
      *found = names;
      return TRUE;
    }
    if (g_ascii_strncasecmp (names->name, name.data, name.length) == 0)
      lookalike = names;
  }
  if (lookalike != NULL)
    return conic_scan_fail (scan, lookalike->name, "is spelled with the wrong case");

  return TRUE;
}

/* Reads an object whose members have @names. The others are read over. */
static gboolean
scan_members (ConicShape *shape, ConicScan *scan, const ConicName *names)
{
  ConicJsonValue key;

  if (!conic_scan_open (scan))
    return FALSE;

  while (conic_scan_next_member (scan, &key)) {
    const ConicName *name;
    ConicJsonValue *value;

    if (!find_name (scan, names, &key, &name))
      return FALSE;
    if (name == NULL) {
      if (!conic_scan_value (scan, NULL))
        return FALSE;
      continue;
    }
    if (shape->seen & CONIC_MEMBER_BIT (name->member))
      return conic_scan_fail (scan, name->name, "is given twice");

    value = &shape->members[name->member];
    if (name->inside != NULL && conic_scan_peek (scan) == '{' &&
        !(name->member == CONIC_MEMBER_DATA && shape->dialect == CONIC_DIALECT_README)) {
      const char *begin = scan->at;

      if (!scan_members (shape, scan, name->inside))
        return FALSE;
      value->kind = CONIC_JSON_OBJECT;
      value->text = (ConicSlice){begin, (gsize)(scan->at - begin)};
    } else if (!conic_scan_value (scan, value)) {
      return FALSE;
    }
    shape->seen |= CONIC_MEMBER_BIT (name->member);
  }

  return scan->problem == NULL;
}

static void
set_scan_error (const ConicScan *scan, const char *where, GError **error)
{
  gsize offset = (gsize)(scan->at - scan->start);

  if (scan->subject != NULL)
    g_set_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "%s%s %s (byte %" G_GSIZE_FORMAT ")",
                 where, scan->subject, scan->problem, offset);
  else
    g_set_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "%sbyte %" G_GSIZE_FORMAT ": %s",
                 where, offset, scan->problem);
}

static const ConicKind *
find_kind (ConicSlice name, ConicDialect dialect, gboolean from_client)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const char *own = dialect == CONIC_DIALECT_README ? kinds[i].readme : kinds[i].envelope;

    /* `register` is two kinds: who sends it tells them apart. */
    if (conic_slice_is (name, own) && (kinds[i].from_client || !from_client))
      return &kinds[i];
  }

  return NULL;
}

/* The readme dialect has one name for a request and its answer, which is the one with an `ID`. */
static const ConicKind *
to_answer (const ConicKind *kind)
{
  if (kind->type == CONIC_MESSAGE_REGISTER_REQUEST)
    return conic_kind_get (CONIC_MESSAGE_REGISTER_RESPONSE);
  if (kind->type == CONIC_MESSAGE_UNREGISTER_REQUEST)
    return conic_kind_get (CONIC_MESSAGE_UNREGISTER_RESPONSE);

  return kind;
}

/* Finds out what the message is, and in which dialect if the connection hasn't chosen one. */
static gboolean
resolve_kind (ConicShape *shape, gboolean from_client, GError **error)
{
  const ConicJsonValue *type = conic_shape_get (shape, CONIC_MEMBER_TYPE);
  gboolean has_raw = conic_shape_get (shape, CONIC_MEMBER_RAW) != NULL;
  char buffer[NAME_MAX_BYTES];
  ConicSlice name = {NULL, 0};

  if (type != NULL && type->kind == CONIC_JSON_STRING)
    name = unescape_name (type, buffer);

  if (shape->dialect == CONIC_DIALECT_NONE) {
    const ConicKind *envelope =
        name.data != NULL ? find_kind (name, CONIC_DIALECT_ENVELOPE, from_client) : NULL;
    const ConicKind *readme =
        name.data != NULL ? find_kind (name, CONIC_DIALECT_README, from_client) : NULL;

    if ((envelope != NULL) == (readme != NULL))
      shape->dialect = has_raw ? CONIC_DIALECT_README : CONIC_DIALECT_ENVELOPE;
    else
      shape->dialect = envelope != NULL ? CONIC_DIALECT_ENVELOPE : CONIC_DIALECT_README;
  }

  if (name.data == NULL) {
    g_set_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "type is %s",
                 type == NULL ? "missing" : "not a string");
    return FALSE;
  }

  shape->kind = find_kind (name, shape->dialect, from_client);
  if (shape->kind != NULL && shape->dialect == CONIC_DIALECT_README && !from_client &&
      conic_shape_get (shape, CONIC_MEMBER_ASSIGNED_ID) != NULL)
    shape->kind = to_answer (shape->kind);
  if (shape->kind == NULL) {
    g_autofree char *shown = g_strndup (name.data, MIN (name.length, 32));
    g_autofree char *escaped = g_strescape (shown, NULL);

    g_set_error (error, CONIC_ERROR, CONIC_ERROR_UNKNOWN_TYPE,
                 "\"%s\" is no type that a %s sends in this dialect", escaped,
                 from_client ? "client" : "hub or client");
    return FALSE;
  }

  return TRUE;
}

/* Reads the readme dialect's body, which had to wait until the dialect was known. */
static gboolean
scan_raw (ConicShape *shape, GError **error)
{
  ConicScan scan;
  ConicJsonValue *line, *candidate;
  ConicSlice body;

  shape->seen &= CONIC_MEMBER_BIT (CONIC_MEMBER_CLIENT_ID) - 1;
  shape->body = (ConicSlice){NULL, 0};
  if (conic_shape_get (shape, CONIC_MEMBER_RAW) == NULL)
    return TRUE;
  if (!conic_readme_open (shape, &body, error))
    return FALSE;
  if (body.length == 0)
    return TRUE;

  conic_scan_init (&scan, body.data, body.length);
  if (!scan_members (shape, &scan, conic_readme_names) || !conic_scan_finish (&scan)) {
    set_scan_error (&scan, "in raw, ", error);
    return FALSE;
  }
  shape->body = body;

  candidate = &shape->members[CONIC_MEMBER_CANDIDATE];
  line = &shape->members[CONIC_MEMBER_CANDIDATE_LINE];
  if ((shape->seen & BIT (CANDIDATE)) && candidate->kind == CONIC_JSON_STRING) {
    *line = *candidate;
    shape->seen |= BIT (CANDIDATE_LINE);
  }

  /* `ID` is whoever the message is about. */
  if ((shape->seen & BIT (FROM_ID)) && (shape->kind->reads & BIT (CLIENT_ID))) {
    if (shape->members[CONIC_MEMBER_FROM_ID].kind != CONIC_JSON_STRING) {
      g_set_error_literal (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "ID is of the wrong type");
      return FALSE;
    }
    shape->members[CONIC_MEMBER_CLIENT_ID] = shape->members[CONIC_MEMBER_FROM_ID];
    shape->seen = (shape->seen & ~BIT (FROM_ID)) | BIT (CLIENT_ID);
  }

  return TRUE;
}

/* A readme answer says its id twice, or only beside the body. */
static void
adopt_assigned_id (ConicShape *shape)
{
  const ConicJsonValue *assigned = conic_shape_get (shape, CONIC_MEMBER_ASSIGNED_ID);

  if (assigned == NULL || (shape->seen & BIT (CLIENT_ID)) ||
      (shape->kind->type != CONIC_MESSAGE_REGISTER_RESPONSE &&
       shape->kind->type != CONIC_MESSAGE_UNREGISTER_RESPONSE))
    return;

  shape->members[CONIC_MEMBER_CLIENT_ID] = *assigned;
  shape->seen |= BIT (CLIENT_ID);
}

/* Takes an id out of the text. An empty @out is one that is absent or empty. */
static gboolean
read_id (ConicShape *shape, ConicMember member, gboolean may_be_empty, char *out, GError **error)
{
  const ConicJsonValue *value = conic_shape_get (shape, member);
  char buffer[6 * CONIC_ID_MAX_LENGTH];
  ConicSlice id;

  out[0] = '\0';
  if (value == NULL || (shape->kind->reads & CONIC_MEMBER_BIT (member)) == 0)
    return TRUE;

  id = value->text;
  if (value->escaped && id.length <= sizeof buffer)
    id = (ConicSlice){buffer, conic_scan_unescape (id, buffer)};
  if (id.length == 0 && may_be_empty)
    return TRUE;

  if (conic_id_copy (out, id.data, id.length))
    return TRUE;

  out[0] = '\0';
  g_set_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID,
               "%s is not an id: 1 to %d characters of A-Z a-z 0-9 . _ ~ -",
               conic_dialect_name (shape->dialect, member), CONIC_ID_MAX_LENGTH);

  return FALSE;
}

static gboolean
is_mline_index (ConicSlice text)
{
  guint value = 0;

  if (text.length > 5)
    return FALSE;
  for (gsize i = 0; i < text.length; i++) {
    if (!g_ascii_isdigit (text.data[i]))
      return FALSE;
    value = value * 10 + (guint)(text.data[i] - '0');
  }

  return value <= G_MAXUINT16;
}

/* What is wrong with the value of a member that is of the right kind, or NULL. */
static const char *
find_fault (ConicMember member, const ConicJsonValue *value)
{
  char buffer[NAME_MAX_BYTES];
  ConicSdpType type;

  if (value->kind == CONIC_JSON_STRING && value->has_nul)
    return "has the character U+0000 in it";

  switch (member) {
  case CONIC_MEMBER_SDP_TYPE:
    if (!conic_sdp_type_from_slice (unescape_name (value, buffer), &type))
      return "is neither offer, answer, pranswer nor rollback";
    break;
  case CONIC_MEMBER_SDP_MLINE_INDEX:
    if (value->kind == CONIC_JSON_NUMBER && !is_mline_index (value->text))
      return "is not a whole number from 0 to 65535";
    break;
  case CONIC_MEMBER_PAYLOAD:
    if (value->escaped) {
      g_autofree char *plain = g_malloc (value->text.length);

      if (!conic_slice_is_base64 ((ConicSlice){plain, conic_scan_unescape (value->text, plain)}))
        return "is not base64";
    } else if (!conic_slice_is_base64 (value->text)) {
      return "is not base64";
    }
    break;
  default:
    break;
  }

  return NULL;
}

static gboolean
check_names (const ConicShape *shape, const ConicName *names, guint reads, GError **error)
{
  for (; names->name != NULL; names++) {
    const ConicJsonValue *value = conic_shape_get (shape, names->member);
    const char *fault = NULL;
    gboolean is_id = names->member == CONIC_MEMBER_ID || names->member == CONIC_MEMBER_CLIENT_ID ||
                     names->member == CONIC_MEMBER_FROM_ID || names->member == CONIC_MEMBER_TO_ID;

    if (value == NULL || (reads & CONIC_MEMBER_BIT (names->member)) == 0)
      continue;

    if ((value->kind & names->kinds) == 0)
      fault = "is of the wrong type";
    else if (!is_id)
      fault = find_fault (names->member, value);
    if (fault != NULL) {
      g_set_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "%s %s", names->name, fault);
      return FALSE;
    }
    if (value->kind == CONIC_JSON_OBJECT && names->inside != NULL &&
        !check_names (shape, names->inside, reads, error))
      return FALSE;
  }

  return TRUE;
}

static gboolean
check_needs (ConicShape *shape, GError **error)
{
  guint missing = shape->kind->needs & ~shape->seen;

  /* The readme dialect says by the kind of answer whether a request succeeded. */
  if (shape->dialect == CONIC_DIALECT_README)
    missing &= ~BIT (SUCCESS);

  if (missing == 0)
    return TRUE;

  g_set_error (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "%s is missing",
               conic_dialect_name (shape->dialect, g_bit_nth_lsf (missing, -1)));

  return FALSE;
}

static gboolean
check (ConicShape *shape, GError **error)
{
  const ConicName *body =
      shape->dialect == CONIC_DIALECT_README ? conic_readme_names : conic_envelope_names;
  const ConicJsonValue *id = conic_shape_get (shape, CONIC_MEMBER_ID);
  const ConicJsonValue *data = conic_shape_get (shape, CONIC_MEMBER_DATA);
  guint outer = OUTER;

  if (shape->dialect == CONIC_DIALECT_README)
    outer |= BIT (ASSIGNED_ID);
  if (!check_names (shape, conic_outer_names, outer, error))
    return FALSE;
  if (shape->dialect == CONIC_DIALECT_ENVELOPE && data != NULL) {
    if (data->kind != CONIC_JSON_OBJECT && data->kind != CONIC_JSON_NULL) {
      g_set_error_literal (error, CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE, "data is not an object");
      return FALSE;
    }
    if (data->kind == CONIC_JSON_OBJECT)
      shape->body = data->text;
  }
  if (!check_names (shape, body, shape->kind->reads, error) || !check_needs (shape, error))
    return FALSE;

  if (id != NULL && id->has_nul) {
    g_set_error_literal (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID,
                         "id has the character U+0000 in it");
    return FALSE;
  }

  return read_id (shape, CONIC_MEMBER_CLIENT_ID, TRUE, shape->client_id, error) &&
         read_id (shape, CONIC_MEMBER_FROM_ID, FALSE, shape->from_id, error) &&
         read_id (shape, CONIC_MEMBER_TO_ID, TRUE, shape->to_id, error);
}

gboolean
conic_shape_scan (ConicShape *shape,
                  const char *text,
                  gsize length,
                  ConicDialect dialect,
                  gboolean from_client,
                  GError **error)
{
  ConicScan scan;

  shape->dialect = dialect;
  shape->kind = NULL;
  shape->seen = 0;
  shape->body = (ConicSlice){NULL, 0};
  shape->inner_heap = NULL;
  shape->client_id[0] = shape->from_id[0] = shape->to_id[0] = '\0';

  conic_scan_init (&scan, text, length);
  if (!scan_members (shape, &scan, conic_outer_names) || !conic_scan_finish (&scan)) {
    set_scan_error (&scan, "", error);
    return FALSE;
  }

  if (!resolve_kind (shape, from_client, error))
    return FALSE;
  if (shape->dialect == CONIC_DIALECT_README) {
    if (!scan_raw (shape, error))
      return FALSE;
    adopt_assigned_id (shape);
  }

  return check (shape, error);
}

void
conic_shape_clear (ConicShape *shape)
{
  g_clear_pointer (&shape->inner_heap, g_free);
}

char *
conic_shape_dup (const ConicShape *shape, ConicMember member)
{
  const ConicJsonValue *value = conic_shape_get (shape, member);
  char *text;

  if (value == NULL || value->kind != CONIC_JSON_STRING)
    return NULL;

  text = g_malloc (value->text.length + 1);
  text[conic_scan_unescape (value->text, text)] = '\0';

  return text;
}
