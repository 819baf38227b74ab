/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-address-count.h"
#include "conic-admission.h"
#include "conic-hub.h"
#include "conic-ice.h"
#include "conic-tls.h"
#include "conic-transport.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicDispatcher:
 *
 * Lets WebSocket connections be peers of a hub.
 */
typedef struct _ConicDispatcher ConicDispatcher;

ConicDispatcher *conic_dispatcher_new (ConicTransport *transport, const ConicHubOptions *options);
void conic_dispatcher_free (ConicDispatcher *dispatcher);

gboolean conic_dispatcher_take (ConicDispatcher *dispatcher,
                                int fd,
                                ConicAddress *address,
                                ConicPass *pass,
                                ConicTls *tls,
                                guint8 *early,
                                gsize early_length,
                                GError **error);
void conic_dispatcher_set_ice (ConicDispatcher *dispatcher, const ConicIce *ice);
void conic_dispatcher_set_options (ConicDispatcher *dispatcher, const ConicHubOptions *options);
guint conic_dispatcher_set_denied (ConicDispatcher *dispatcher, const char *const *patterns);
void conic_dispatcher_shut_down (ConicDispatcher *dispatcher);
ConicHub *conic_dispatcher_get_hub (ConicDispatcher *dispatcher);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicDispatcher, conic_dispatcher_free)

G_END_DECLS
