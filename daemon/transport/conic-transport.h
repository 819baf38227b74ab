/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-epoll-source.h"
#include "conic-histogram.h"

G_BEGIN_DECLS

/**
 * ConicTransport:
 *
 * What all WebSocket connections of a main context share: the epoll set, the limits, and a buffer
 * to read into.
 */
typedef struct _ConicTransport ConicTransport;

/**
 * ConicTransportLimits:
 * @message_bytes: of one message from a client; more is closed with 1009
 * @messages_per_second: that a client may send for long; 0 is no limit
 * @messages_burst: the same at once
 * @bytes_per_second: that a client may send for long; 0 is no limit
 * @bytes_burst: the same at once
 * @queue_bytes: that may wait to be written to one client
 * @queue_messages: the same in messages
 * @confirm_timeout: how long a connection may stay without a conic_websocket_confirm()
 * @slow_timeout: how long a client whose queue is full may take to read half of it before it is closed
 *   with 4008
 * @ping_interval: how long a client may be silent before it is asked whether it lives
 * @pong_timeout: how long it may take to answer
 * @close_timeout: how long a closing handshake may take
 *
 * Times are in microseconds.
 */
typedef struct {
  gsize message_bytes;
  guint messages_per_second;
  guint messages_burst;
  gsize bytes_per_second;
  gsize bytes_burst;
  gsize queue_bytes;
  guint queue_messages;
  gint64 confirm_timeout;
  gint64 slow_timeout;
  gint64 ping_interval;
  gint64 pong_timeout;
  gint64 close_timeout;
} ConicTransportLimits;

/* How many entries conic_transport_closes has. */
#define CONIC_TRANSPORT_N_CLOSES 12

/**
 * ConicTransportStats:
 * @bytes_received: from clients, their WebSocket frames with headers
 * @bytes_sent: to clients, the same
 * @closes: connections that ended with the status of the same index in conic_transport_closes;
 *   the last one, with any other
 * @queue_full: messages that were not taken because a client's queue was full
 * @throttled: how often a client was not listened to for a while because it sends too much
 * @pongs_missed: clients that didn't answer a ping
 * @relay_time: from the beginning of the turn in which a client's message was read until what it
 *   caused for another client was written, or waits in that client's queue
 *
 * What the transport has counted since the start.
 */
typedef struct {
  guint64 bytes_received;
  guint64 bytes_sent;
  guint64 closes[CONIC_TRANSPORT_N_CLOSES + 1];
  guint64 queue_full;
  guint64 throttled;
  guint64 pongs_missed;
  ConicHistogram relay_time;
} ConicTransportStats;

/* The statuses that connections of this daemon end with; see RFC 6455 section 7.4. */
extern const guint16 conic_transport_closes[CONIC_TRANSPORT_N_CLOSES];

/* Called when the last connection is gone, from within the transport: don't free it there. */
typedef void (*ConicTransportEmptyFunc) (gpointer user_data);

ConicTransport *conic_transport_new (GMainContext *context,
                                     const ConicTransportLimits *limits,
                                     ConicTransportEmptyFunc emptied,
                                     gpointer user_data,
                                     GError **error);
void conic_transport_free (ConicTransport *transport);

void conic_transport_set_limits (ConicTransport *transport, const ConicTransportLimits *limits);
ConicEpollSource *conic_transport_get_epoll_source (ConicTransport *transport);
guint conic_transport_get_n_connections (ConicTransport *transport);
const ConicTransportStats *conic_transport_get_stats (ConicTransport *transport);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicTransport, conic_transport_free)

G_END_DECLS
