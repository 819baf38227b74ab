/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-error.h"
#include "conic-id.h"

G_BEGIN_DECLS

/**
 * ConicDialect:
 * @CONIC_DIALECT_NONE: not known yet; the first valid message of a connection decides
 * @CONIC_DIALECT_ENVELOPE: `{"id","type","timestamp","data":{…}}`, what conic's Go programs speak
 * @CONIC_DIALECT_README: `{"type","raw":"{…}"}`, what the seed document describes
 */
typedef enum {
  CONIC_DIALECT_NONE,
  CONIC_DIALECT_ENVELOPE,
  CONIC_DIALECT_README,
} ConicDialect;

/**
 * ConicMessageType:
 *
 * What a message is, whatever the dialect. The readme dialect's `register` and `unregister` are
 * requests from a client and responses from a hub.
 */
typedef enum {
  CONIC_MESSAGE_REGISTER_REQUEST,
  CONIC_MESSAGE_REGISTER_RESPONSE,
  CONIC_MESSAGE_UNREGISTER_REQUEST,
  CONIC_MESSAGE_UNREGISTER_RESPONSE,
  CONIC_MESSAGE_SDP,
  CONIC_MESSAGE_CANDIDATE,
  CONIC_MESSAGE_DATA_CHANNEL,
  CONIC_MESSAGE_BYE,
  CONIC_MESSAGE_LIST_REQUEST,
  CONIC_MESSAGE_LIST_RESPONSE,
  CONIC_MESSAGE_ERROR,
} ConicMessageType;

#define CONIC_N_MESSAGE_TYPES (CONIC_MESSAGE_ERROR + 1)

/* RTCSdpType of the W3C's WebRTC 1.0, section 4.6.1. */
typedef enum {
  CONIC_SDP_OFFER,
  CONIC_SDP_ANSWER,
  CONIC_SDP_PRANSWER,
  CONIC_SDP_ROLLBACK,
} ConicSdpType;

/* RTCIceServer of the W3C's WebRTC 1.0, section 4.2.4. */
typedef struct {
  GStrv urls;       /* (not nullable) */
  char *username;   /* (nullable) */
  char *credential; /* (nullable) */
} ConicIceServer;

void conic_ice_server_free (ConicIceServer *server);

/**
 * ConicMessage:
 *
 * One message of the protocol, free of any dialect. Members that a type doesn't use are %NULL, 0
 * or, for @sdp_mline_index, -1. The struct owns all it points to.
 */
typedef struct {
  ConicMessageType type;

  char *id;        /* of the envelope (nullable): made when the message is written */
  char *timestamp; /* RFC 3339 (nullable): made by the caller, for the codec reads no clock */
  char *reply_to;  /* hub-made replies (nullable): the @id of the message answered */

  char *client_id;        /* register*, unregister* (nullable) */
  gboolean success;       /* *_RESPONSE */
  char *resume_token;     /* register* (nullable) */
  GPtrArray *ice_servers; /* REGISTER_RESPONSE (element-type ConicIceServer) (nullable) */
  GStrv clients;          /* LIST_RESPONSE: ids (nullable) */

  char *from_id;    /* SDP, CANDIDATE, DATA_CHANNEL, BYE (nullable) */
  char *to_id;      /* the same; ERROR: the peer that it is about (nullable) */
  char *session_id; /* SDP, CANDIDATE, BYE (nullable): NULL is the pair's only session */

  ConicSdpType sdp_type; /* SDP */
  char *sdp;             /* SDP: the session description, RFC 8866 (not nullable there) */

  char *candidate;         /* CANDIDATE: RFC 8839 `candidate:…`, "" is the end of candidates */
  char *sdp_mid;           /* CANDIDATE (nullable) */
  int sdp_mline_index;     /* CANDIDATE; -1 when the message has none */
  char *username_fragment; /* CANDIDATE (nullable) */

  char *label;     /* DATA_CHANNEL */
  GBytes *payload; /* DATA_CHANNEL: the bytes, without their base64 */

  char *reason; /* BYE (nullable) */

  gboolean has_error;  /* ERROR always; REGISTER_RESPONSE when it failed with a reason */
  ConicError code;     /* if @has_error */
  char *error_message; /* if @has_error: for a person to read */
} ConicMessage;

/* (transfer full): a message of @type with every other member unset */
ConicMessage *conic_message_new (ConicMessageType type);

/* (transfer full): a deep copy */
ConicMessage *conic_message_copy (const ConicMessage *message);

void conic_message_free (ConicMessage *message);

/* Whether two messages say the same; @id and @timestamp are part of that. */
gboolean conic_message_equal (const ConicMessage *a, const ConicMessage *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicIceServer, conic_ice_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicMessage, conic_message_free)

G_END_DECLS
