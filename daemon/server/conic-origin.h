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

/**
 * ConicOriginWay:
 * @CONIC_ORIGIN_WAY_PLAIN: without TLS at this end; a proxy before it may have that
 * @CONIC_ORIGIN_WAY_TLS: with TLS
 * @CONIC_ORIGIN_WAY_LOOPBACK: without TLS, from this machine, and by no proxy: a page that is asked for
 *   in this way by another name than the machine's own isn't the hub's, but a stranger's whose name was
 *   made to lead here (DNS rebinding)
 *
 * How a request came.
 */
typedef enum {
  CONIC_ORIGIN_WAY_PLAIN,
  CONIC_ORIGIN_WAY_TLS,
  CONIC_ORIGIN_WAY_LOOPBACK,
} ConicOriginWay;

ConicOrigins *conic_origins_new (const char *const *allowed, GError **error);
void conic_origins_free (ConicOrigins *origins);

gboolean conic_origins_allow (const ConicOrigins *origins,
                              const char *origin,
                              const char *host,
                              ConicOriginWay way);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicOrigins, conic_origins_free)

G_END_DECLS
