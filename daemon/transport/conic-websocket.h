/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-frame.h"
#include "conic-tls.h"
#include "conic-transport.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicWebsocket:
 *
 * The server's end of a WebSocket connection, after its handshake: RFC 6455 sections 5 to 7. It
 * carries messages and doesn't know what they mean.
 */
typedef struct _ConicWebsocket ConicWebsocket;

/**
 * ConicWebsocketHandler:
 * @message: a whole message came; @is_text tells a text, which is UTF-8, from a binary message.
 *   @data is valid during the call
 * @throttled: the client sends more than it may, and is listened to again when its rate allows; told
 *   at most once in ten seconds
 * @ended: nothing more will come, and nothing more can be sent: the client or the owner closed
 * the connection with @status, or it was lost or failed. @reason is for a person to read, static.
 * The connection isn't the owner's any more, what is left of it is the transport's to wind up
 * @gone: nothing is left of the connection, its descriptor is closed
 *
 * What the owner of a connection is told. @ended is never called from within a function of the
 * connection, and exactly once; after it comes @gone, and that is the last.
 */
typedef struct {
  void (
      *message) (gboolean is_text, const char *data, gsize length, gint64 now, gpointer user_data);
  void (*throttled) (gpointer user_data);
  void (*ended) (ConicStatus status, const char *reason, gint64 now, gpointer user_data);
  void (*gone) (gpointer user_data);
} ConicWebsocketHandler;

ConicWebsocket *conic_websocket_new (ConicTransport *transport,
                                     int fd,
                                     ConicTls *tls,
                                     const ConicWebsocketHandler *handler,
                                     gpointer user_data,
                                     GError **error);

void conic_websocket_feed (ConicWebsocket *websocket, guint8 *data, gsize length);

gboolean conic_websocket_send (ConicWebsocket *websocket, const char *data, gsize length);
void conic_websocket_charge (ConicWebsocket *websocket, guint messages);
void conic_websocket_confirm (ConicWebsocket *websocket, gboolean confirmed);
void conic_websocket_close (ConicWebsocket *websocket, guint16 status, const char *reason);

G_END_DECLS
