/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicOrigins:
 *
 * Whose web pages may connect. A browser says in the header `Origin` (RFC 6454) which page it is
 * that opens a WebSocket; without such a rule any page in the world could, with whatever the
 * browser's machine can reach.
 */
typedef struct _ConicOrigins ConicOrigins;

ConicOrigins *conic_origins_new (const char *const *allowed, GError **error);
void conic_origins_free (ConicOrigins *origins);

gboolean conic_origins_allow (const ConicOrigins *origins,
                              const char *origin,
                              const char *host,
                              gboolean tls);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicOrigins, conic_origins_free)

G_END_DECLS
