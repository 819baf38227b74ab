/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-server-error.h"
#include "conic-transport.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicConfig:
 * @listen: (element-type GSocketAddress): where to listen for clients
 * @metrics_listen: (element-type GSocketAddress): where `/metrics` and the health checks are; empty
 *   if they are where clients are
 * @log_level: the least important messages that are logged
 * @origins: (array zero-terminated=1): origins beside the hub's own that browsers' pages may come
 *   from; `*` is any
 * @page: whether the page for browsers is served
 * @clients: connections at a time, handshakes included
 * @clients_per_address: the same from one address; 0 is no limit
 * @handshake_timeout: microseconds from the connection to the end of its handshake
 * @drain_timeout: microseconds that stopping may take
 * @resume_window: microseconds for which the id of a lost client is kept for it
 * @transport: limits of each connection
 * @tls_certificate: (nullable): file with the certificate chain; %NULL is no TLS
 * @tls_key: (nullable): file with its private key
 * @auth_keys: (array zero-terminated=1): files with the keys that tokens are signed with; empty is
 *   no authentication
 * @auth_audience: what tokens have to be meant for
 * @auth_deny: (array zero-terminated=1): patterns of ids that nobody may have
 * @stun_uris: (array zero-terminated=1): STUN servers for the clients
 * @turn_uris: (array zero-terminated=1): TURN servers for the clients
 * @turn_secret: (nullable): file with the secret shared with the TURN servers
 * @turn_lifetime: microseconds for which credentials are made
 *
 * All that can be configured, from defaults, a file and the command line. Files are names only:
 * whoever needs them reads them.
 */
typedef struct {
  GPtrArray *listen;
  GPtrArray *metrics_listen;
  GLogLevelFlags log_level;
  GStrv origins;
  gboolean page;
  guint clients;
  guint clients_per_address;
  gint64 handshake_timeout;
  gint64 drain_timeout;
  gint64 resume_window;
  ConicTransportLimits transport;
  char *tls_certificate;
  char *tls_key;
  GStrv auth_keys;
  char *auth_audience;
  GStrv auth_deny;
  GStrv stun_uris;
  GStrv turn_uris;
  char *turn_secret;
  gint64 turn_lifetime;
} ConicConfig;

/**
 * ConicConfigKey:
 * @group: the group of the configuration file that it is in
 * @name: its name there
 * @option: its name on the command line
 * @placeholder: what stands for its value in a help text
 * @description: one line for a help text
 *
 * One thing that can be configured.
 */
typedef struct {
  const char *group;
  const char *name;
  const char *option;
  const char *placeholder;
  const char *description;
} ConicConfigKey;

ConicConfig *conic_config_new (void);
void conic_config_free (ConicConfig *config);

const ConicConfigKey *conic_config_get_nth_key (gsize n);
const ConicConfigKey *conic_config_find_key (const char *group, const char *name);
gboolean conic_config_key_is_list (const ConicConfigKey *key);
gboolean conic_config_set (ConicConfig *config,
                           const ConicConfigKey *key,
                           const char *const *values,
                           GError **error);
char *conic_config_get (const ConicConfig *config, const ConicConfigKey *key);
gboolean conic_config_check (const ConicConfig *config, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicConfig, conic_config_free)

G_END_DECLS
