/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-hub.h"
#include "conic-server-stats.h"
#include "conic-transport.h"

G_BEGIN_DECLS

/**
 * ConicMetrics:
 * @server: (transfer none): what each layer has counted
 * @transport: (transfer none): the same
 * @hub: (transfer none): the same
 * @n_handshakes: connections whose request is not answered yet
 * @n_connections: WebSocket connections, those included that are being closed
 * @n_peers: those of them that are open
 * @n_registered: those of the open ones that are registered
 * @max_connections: how many there may be in all
 *
 * All that there is to know about the daemon at one moment.
 */
typedef struct {
  const ConicServerStats *server;
  const ConicTransportStats *transport;
  const ConicHubStats *hub;
  guint n_handshakes;
  guint n_connections;
  guint n_peers;
  guint n_registered;
  guint max_connections;
} ConicMetrics;

char *conic_metrics_write (const ConicMetrics *metrics);

G_END_DECLS
