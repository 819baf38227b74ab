/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-histogram.h"

G_BEGIN_DECLS

/**
 * ConicHandshakeResult:
 * @CONIC_HANDSHAKE_UPGRADED: it is a WebSocket connection now
 * @CONIC_HANDSHAKE_HTTP: it was a request for something else, which was answered
 * @CONIC_HANDSHAKE_INVALID: it was no proper handshake
 * @CONIC_HANDSHAKE_TLS_FAILED: it was no proper TLS handshake
 * @CONIC_HANDSHAKE_FORBIDDEN: the page that it came from may not connect
 * @CONIC_HANDSHAKE_UNAUTHORIZED: it had no good token
 * @CONIC_HANDSHAKE_TIMEOUT: the client took too long
 * @CONIC_HANDSHAKE_LOST: the client went away
 * @CONIC_HANDSHAKE_NO_ROOM: there were as many clients as there may be
 * @CONIC_HANDSHAKE_ADDRESS_LIMIT: there were as many of its address as there may be
 * @CONIC_HANDSHAKE_NO_DESCRIPTORS: the process had no descriptors left
 *
 * How the time between a connection's being accepted and its being a client's ended.
 */
typedef enum {
  CONIC_HANDSHAKE_UPGRADED,
  CONIC_HANDSHAKE_HTTP,
  CONIC_HANDSHAKE_INVALID,
  CONIC_HANDSHAKE_TLS_FAILED,
  CONIC_HANDSHAKE_FORBIDDEN,
  CONIC_HANDSHAKE_UNAUTHORIZED,
  CONIC_HANDSHAKE_TIMEOUT,
  CONIC_HANDSHAKE_LOST,
  CONIC_HANDSHAKE_NO_ROOM,
  CONIC_HANDSHAKE_ADDRESS_LIMIT,
  CONIC_HANDSHAKE_NO_DESCRIPTORS,
  CONIC_HANDSHAKE_N_RESULTS,
} ConicHandshakeResult;

/**
 * ConicServerStats:
 * @accepted: connections
 * @handshakes: how theirs ended; what is missing to @accepted is going on
 * @handshake_time: from the connection to the answer that makes it a WebSocket
 * @configured_at: Unix time in microseconds of the start, or of the last reload that succeeded
 * @reload_failed: whether the last reload didn't
 *
 * What the server layer has counted since the start.
 */
typedef struct {
  guint64 accepted;
  guint64 handshakes[CONIC_HANDSHAKE_N_RESULTS];
  ConicHistogram handshake_time;
  gint64 configured_at;
  gboolean reload_failed;
} ConicServerStats;

G_END_DECLS
