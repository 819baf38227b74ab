/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/*
 * The opening handshake of the WebSocket to a hub (RFC 6455 section 4.1), as far as it isn't libsoup's:
 * who is asked, what is shown, and what a refusal says.
 */

/**
 * conic_handshake_new:
 * @uri: `ws://` or `wss://` URI of a hub
 * @token: (nullable): shown to that hub (RFC 6750)
 *
 * The connection that is made for it notices within 25 seconds that it was cut.
 *
 * Returns: (transfer full) (nullable): for soup_session_websocket_connect_async(); %NULL when @uri isn't
 *   that of a WebSocket
 */
SoupMessage *conic_handshake_new (const char *uri, const char *token);

/* (transfer full) (nullable): what the hub says about the token that it was shown or wasn't (RFC 6750
 * section 3); %NULL when that isn't why there is no connection */
char *conic_handshake_get_challenge (SoupMessage *handshake);

G_END_DECLS
