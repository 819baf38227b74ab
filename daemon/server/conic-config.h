/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-server-error.h"
#include "conic-transport.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicConfig:
 * @listen: (element-type GSocketAddress): where to listen
 * @log_level: the least important messages that are logged
 * @clients: connections at a time, handshakes included
 * @handshake_timeout: microseconds from the connection to the end of its handshake
 * @drain_timeout: microseconds that stopping may take
 * @transport: limits of each connection
 *
 * All that can be configured, from defaults, a file and the command line.
 */
typedef struct {
  GPtrArray *listen;
  GLogLevelFlags log_level;
  guint clients;
  gint64 handshake_timeout;
  gint64 drain_timeout;
  ConicTransportLimits transport;
} ConicConfig;

ConicConfig *conic_config_new (void);
void conic_config_free (ConicConfig *config);

gboolean conic_config_load (ConicConfig *config, const char *path, GError **error);
gboolean
conic_config_set_listen (ConicConfig *config, const char *const *addresses, GError **error);
gboolean conic_config_set_log_level (ConicConfig *config, const char *name, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicConfig, conic_config_free)

G_END_DECLS
