/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-bucket.h"
#include "conic-transport.h"
#include "conic-websocket.h"

G_BEGIN_DECLS

/* Bytes that one connection may read in one turn: ten session descriptions. */
#define CONIC_TRANSPORT_TURN_BYTES (16 * 1024)

/* As how many bytes a read counts that brings less: with TLS, a client can have each byte be one, and
 * each takes as long as some hundred bytes do. */
#define CONIC_TRANSPORT_READ_BYTES 64

/* Frames of one connection that are acted on in one turn. A bad message of seven bytes costs a
 * reply of two hundred; four clients that flood the hub with those keep a fifth waiting for 3 ms.
 */
#define CONIC_TRANSPORT_TURN_FRAMES 32

/* How often a client that sends too much is told so: once for each of its attempts, not for each of
 * the pauses that it is made to take. */
#define CONIC_TRANSPORT_NOTICE_INTERVAL (10 * G_TIME_SPAN_SECOND)

struct _ConicTransport {
  ConicEpollSource *epoll_source;
  ConicTransportLimits limits;
  ConicBucketRate message_rate; /* the limits' */
  ConicBucketRate byte_rate;
  ConicTransportStats stats;
  ConicWebsocket *speaker; /* (nullable): whose message is being acted on */
  guint n_forwarded;       /* messages for others that have come of it */
  guint charge;            /* what it costs beyond itself, in messages */
  ConicTransportEmptyFunc emptied;
  gpointer user_data;
  GQueue connections; /* of ConicWebsocket, by their link */
  GQueue unsettled;   /* of ConicWebsocket, by their unsettled_link: see conic_websocket_settle() */
  GQueue again;       /* of ConicWebsocket, by their again_link: there is more to read */
  guint8 buffer[CONIC_TRANSPORT_TURN_BYTES];
};

void conic_transport_count_close (ConicTransport *transport, guint status);

void conic_websocket_apply_limits (ConicWebsocket *websocket);
void conic_websocket_settle (ConicWebsocket *websocket, gint64 now);
void conic_websocket_read_again (ConicWebsocket *websocket, gint64 now);
void conic_websocket_destroy (ConicWebsocket *websocket);

G_END_DECLS
