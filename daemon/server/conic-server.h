/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-config.h"

G_BEGIN_DECLS

/**
 * ConicServer:
 *
 * The daemon without its process: HTTP, WebSockets and a hub behind them, on the main context that
 * is the thread's default when it is made.
 */
typedef struct _ConicServer ConicServer;

gboolean conic_server_check (const ConicConfig *config, GError **error);
ConicServer *conic_server_new (const ConicConfig *config, const GArray *sockets, GError **error);
void conic_server_free (ConicServer *server);

gboolean conic_server_reload (ConicServer *server, const ConicConfig *config, GError **error);
void conic_server_count_reload (ConicServer *server, gboolean success);

gboolean conic_server_has_tls (ConicServer *server);
const char *const *conic_server_get_addresses (ConicServer *server);
const char *const *conic_server_get_metrics_addresses (ConicServer *server);
void conic_server_stop (ConicServer *server, GSourceOnceFunc stopped, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicServer, conic_server_free)

G_END_DECLS
