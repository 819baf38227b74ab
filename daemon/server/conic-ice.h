/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicIce:
 *
 * The STUN and TURN servers that clients are told of, and how to make credentials for the latter.
 */
typedef struct _ConicIce ConicIce;

ConicIce *conic_ice_new (const char *const *stun_uris,
                         const char *const *turn_uris,
                         const char *secret_file,
                         gint64 lifetime,
                         GError **error);
void conic_ice_free (ConicIce *ice);

GPtrArray *conic_ice_make_servers (const ConicIce *ice, const char *client_id, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicIce, conic_ice_free)

G_END_DECLS
