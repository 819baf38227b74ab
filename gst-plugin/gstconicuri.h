/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The schemes of URIs that name a peer: over ws:// and over wss://. */
#define GST_CONIC_URI_SCHEME     "conic"
#define GST_CONIC_URI_SCHEME_TLS "conics"

/**
 * gst_conic_uri_parse:
 * @text: `conic://HOST[:PORT]/PEER`, or `conics://…` for a hub with TLS
 * @hub: (out) (transfer full): the WebSocket URI of the hub
 * @peer_id: (out) (transfer full): whom to call there
 * @error: return location for a #GST_URI_ERROR
 *
 * Returns: %FALSE, with an @error that says what is wrong with @text, if it isn't such a URI
 */
gboolean gst_conic_uri_parse (const char *text, char **hub, char **peer_id, GError **error);

/* (transfer full) (nullable): the URI of @peer_id; %NULL if it has none, because @hub isn't at the
 * usual path */
char *gst_conic_uri_build (const char *hub, const char *peer_id);

G_END_DECLS
