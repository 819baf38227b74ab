/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of the longest header that a client's frame can have: RFC 6455 section 5.2. */
#define CONIC_FRAME_CLIENT_HEADER_MAX 14

/* Bytes of the longest header that a server's frame can have: it has no mask. */
#define CONIC_FRAME_SERVER_HEADER_MAX 10

/* Bytes of payload that a control frame may have: RFC 6455 section 5.5. */
#define CONIC_FRAME_CONTROL_MAX 125

/* The opcodes of RFC 6455 section 11.8. */
typedef enum {
  CONIC_OPCODE_CONTINUATION = 0x0,
  CONIC_OPCODE_TEXT = 0x1,
  CONIC_OPCODE_BINARY = 0x2,
  CONIC_OPCODE_CLOSE = 0x8,
  CONIC_OPCODE_PING = 0x9,
  CONIC_OPCODE_PONG = 0xa,
} ConicOpcode;

/* The status codes of RFC 6455 section 7.4.1 that the transport itself uses. */
typedef enum {
  CONIC_STATUS_NORMAL = 1000,
  CONIC_STATUS_GOING_AWAY = 1001,
  CONIC_STATUS_PROTOCOL_ERROR = 1002,
  CONIC_STATUS_NONE = 1005,     /* never on the wire: the close frame had no status */
  CONIC_STATUS_ABNORMAL = 1006, /* never on the wire: there was no close frame */
  CONIC_STATUS_BAD_DATA = 1007,
  CONIC_STATUS_POLICY = 1008,
  CONIC_STATUS_TOO_BIG = 1009,
  CONIC_STATUS_SLOW = 4008, /* of the wire contract: the client doesn't read */
} ConicStatus;

/* The header of a client's frame. */
typedef struct {
  ConicOpcode opcode;
  gboolean fin;
  guint64 length; /* bytes of payload, at most 2^63 - 1 */
  guint8 mask[4];
  guint header_length; /* bytes */
} ConicFrame;

typedef enum {
  CONIC_FRAME_COMPLETE,
  CONIC_FRAME_MORE,   /* the bytes so far are the beginning of a header */
  CONIC_FRAME_BROKEN, /* the connection has to be failed with 1002 */
} ConicFrameResult;

ConicFrameResult
conic_frame_parse (ConicFrame *frame, const guint8 *data, gsize length, const char **reason);

gsize conic_frame_write_header (guint8 header[CONIC_FRAME_SERVER_HEADER_MAX],
                                ConicOpcode opcode,
                                gsize length);

gboolean conic_frame_unmask (guint8 *to,
                             const guint8 *from,
                             gsize length,
                             const guint8 mask[4],
                             gsize offset);

gboolean conic_frame_is_control (ConicOpcode opcode);

gboolean conic_frame_check_utf8 (const guint8 *data, gsize length, gsize *checked);
gboolean conic_frame_is_utf8 (const guint8 *data, gsize length);

gboolean conic_frame_check_close (const guint8 *payload,
                                  gsize length,
                                  ConicStatus *status,
                                  const char **reason);

G_END_DECLS
