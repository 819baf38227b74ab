/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-transport.h"
#include "conic-websocket.h"

G_BEGIN_DECLS

/* Bytes that one connection may read in one turn. Ten session descriptions fit; four clients that
 * flood the hub with small messages keep a fifth one waiting for a few milliseconds. */
#define CONIC_TRANSPORT_TURN_BYTES (16 * 1024)

struct _ConicTransport {
  ConicEpollSource *epoll_source;
  ConicTransportLimits limits;
  ConicTransportEmptyFunc emptied;
  gpointer user_data;
  GQueue connections; /* of ConicWebsocket, by their link */
  GQueue unsettled;   /* of ConicWebsocket, by their unsettled_link: see conic_websocket_settle() */
  GQueue again;       /* of ConicWebsocket, by their again_link: bytes are left in a TLS buffer */
  guint8 buffer[CONIC_TRANSPORT_TURN_BYTES];
};

void conic_websocket_settle (ConicWebsocket *websocket, gint64 now);
void conic_websocket_read_again (ConicWebsocket *websocket, gint64 now);
void conic_websocket_destroy (ConicWebsocket *websocket);

G_END_DECLS
