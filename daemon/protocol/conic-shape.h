/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-limits.h"
#include "conic-message.h"
#include "conic-scan.h"

G_BEGIN_DECLS

/* Every member that the protocol has, whatever a dialect calls it. */
typedef enum {
  /* of the outer object */
  CONIC_MEMBER_ID,
  CONIC_MEMBER_TYPE,
  CONIC_MEMBER_TIMESTAMP,
  CONIC_MEMBER_REPLY_TO,
  CONIC_MEMBER_DATA,
  CONIC_MEMBER_RAW,
  CONIC_MEMBER_ASSIGNED_ID, /* the readme dialect's, beside `raw` in a hub's answer */
  /* of the body: `data`, or what is in `raw` */
  CONIC_MEMBER_CLIENT_ID,
  CONIC_MEMBER_FROM_ID,
  CONIC_MEMBER_TO_ID,
  CONIC_MEMBER_SESSION_ID,
  CONIC_MEMBER_SESSION_DESCRIPTION,
  CONIC_MEMBER_CANDIDATE,
  CONIC_MEMBER_LABEL,
  CONIC_MEMBER_PAYLOAD,
  CONIC_MEMBER_REASON,
  CONIC_MEMBER_SUCCESS,
  CONIC_MEMBER_RESUME_TOKEN,
  CONIC_MEMBER_ICE_SERVERS,
  CONIC_MEMBER_CLIENTS,
  CONIC_MEMBER_ERROR,
  CONIC_MEMBER_CODE,
  CONIC_MEMBER_MESSAGE,
  /* of a session description and of a candidate */
  CONIC_MEMBER_SDP_TYPE,
  CONIC_MEMBER_SDP,
  CONIC_MEMBER_CANDIDATE_LINE,
  CONIC_MEMBER_SDP_MID,
  CONIC_MEMBER_SDP_MLINE_INDEX,
  CONIC_MEMBER_USERNAME_FRAGMENT,
  CONIC_N_MEMBERS,
} ConicMember;

#define CONIC_MEMBER_BIT(member) (1u << (member))
G_STATIC_ASSERT (CONIC_N_MEMBERS <= 32);

/**
 * ConicName:
 * @name: how a dialect spells @member; the first entry for a member is the one to write
 * @kinds: the #ConicJsonKind values it may be
 * @inside: (nullable): the names inside the object that it is, ended by an empty entry
 */
typedef struct _ConicName ConicName;
struct _ConicName {
  const char *name;
  guint8 length;
  guint8 member;
  guint8 kinds;
  const ConicName *inside;
};

#define CONIC_NAME(name_, member_, kinds_)                                                         \
  {                                                                                                \
    .name = name_, .length = sizeof name_ - 1, .member = CONIC_MEMBER_##member_, .kinds = kinds_   \
  }
#define CONIC_NAME_OF(name_, member_, kinds_, inside_)                                             \
  {                                                                                                \
    .name = name_, .length = sizeof name_ - 1, .member = CONIC_MEMBER_##member_, .kinds = kinds_,  \
    .inside = inside_                                                                              \
  }

/* What a kind of message is called, and what it needs. */
typedef struct {
  ConicMessageType type;
  const char *envelope; /* (nullable): its name in each dialect */
  const char *readme;
  gboolean from_client; /* a client may send it to a hub */
  gboolean relayed;     /* the hub passes it on */
  guint reads;          /* CONIC_MEMBER_BIT()s: members of the body that it reads */
  guint needs;          /* those it can't do without */
} ConicKind;

/* Bytes of the text in `raw` that are unescaped on the stack; a longer one costs an allocation.
 * The SDP of a call with audio, video and data is about half of it. */
#define CONIC_SHAPE_INNER_BYTES (16 * 1024)

/**
 * ConicShape:
 * @dialect: the dialect the message is in
 * @kind: (nullable): what it is, once that is known
 * @seen: CONIC_MEMBER_BIT()s: which of @members are set
 * @members: where each member is, in the text or in @inner
 * @body: the object that is the message's body; data is NULL when there is none
 * @client_id, @from_id, @to_id: unescaped and valid; "" when absent or empty
 *
 * Where everything is in a message's text. The text is read once and checked on the way; nothing
 * is copied but the three ids and what the readme dialect wraps in a string.
 */
typedef struct {
  ConicDialect dialect;
  const ConicKind *kind;
  guint seen;
  ConicSlice body;
  ConicJsonValue members[CONIC_N_MEMBERS];
  char client_id[CONIC_ID_MAX_LENGTH + 1];
  char from_id[CONIC_ID_MAX_LENGTH + 1];
  char to_id[CONIC_ID_MAX_LENGTH + 1];

  char *inner_heap; /* (nullable): what @inner has no room for */
  char inner[CONIC_SHAPE_INNER_BYTES];
} ConicShape;

/**
 * conic_shape_scan:
 * @shape: (out caller-allocates): set as far as the message was understood even when it is
 *   refused; conic_shape_clear() it in any case
 * @text: (array length=length): one WebSocket text message; borrowed by @shape
 * @length: bytes of @text
 * @dialect: the connection's dialect, or %CONIC_DIALECT_NONE
 * @from_client: whether a client sent it; else a hub did
 * @error: return location for a #CONIC_ERROR
 *
 * Returns: %FALSE with @error set to %CONIC_ERROR_BAD_MESSAGE, %CONIC_ERROR_UNKNOWN_TYPE or
 *   %CONIC_ERROR_INVALID_ID
 */
gboolean conic_shape_scan (ConicShape *shape,
                           const char *text,
                           gsize length,
                           ConicDialect dialect,
                           gboolean from_client,
                           GError **error);

void conic_shape_clear (ConicShape *shape);

/* (nullable): the value of @member if the message has it */
static inline const ConicJsonValue *
conic_shape_get (const ConicShape *shape, ConicMember member)
{
  return shape->seen & CONIC_MEMBER_BIT (member) ? &shape->members[member] : NULL;
}

/* (transfer full) (nullable): the string that @member is, unescaped; NULL if it is none */
char *conic_shape_dup (const ConicShape *shape, ConicMember member);

/* The row of the table of message kinds; never NULL. */
const ConicKind *conic_kind_get (ConicMessageType type);

/* RTCSdpType as it is written. */
const char *conic_sdp_type_to_string (ConicSdpType type);
gboolean conic_sdp_type_from_slice (ConicSlice slice, ConicSdpType *type);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ConicShape, conic_shape_clear)

G_END_DECLS
