/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-grant.h"
#include "conic-view.h"

G_BEGIN_DECLS

typedef struct _ConicPeer ConicPeer;

/**
 * ConicPeerInterface:
 * @send: say @message, which the hub made, to the client in its dialect
 * @relay: pass on the message that @view shows, from the client @sender_id. %FALSE when the
 *   client's queue is full: the message was not taken
 * @close: close the connection with a WebSocket status code (RFC 6455 section 7.4) once what was
 *   sent before is written. The owner calls conic_hub_remove() when it is gone, at the latest
 *   after a deadline of its own
 *
 * A connection as the hub sees it. The daemon's are WebSockets, a test's are arrays. None of
 * them may call back into the hub.
 */
typedef struct {
  void (*send) (ConicPeer *peer, const ConicMessage *message);
  gboolean (*relay) (ConicPeer *peer, const ConicView *view, const char *sender_id);
  void (*close) (ConicPeer *peer, guint16 status, const char *reason);
} ConicPeerInterface;

/**
 * ConicPeer:
 *
 * Embed it as the first member of a connection. The owner sets @interface, @grant, and @dialect to
 * %CONIC_DIALECT_NONE; the first valid message that the hub receives decides it.
 */
struct _ConicPeer {
  const ConicPeerInterface *interface;
  ConicDialect dialect;
  const ConicGrant *grant; /* (nullable): NULL allows everything */

  /*< the hub's; the owner may look >*/
  const char *id;   /* NULL until registered */
  gboolean closing; /* the hub has asked for its end and hears it no more */
};

G_END_DECLS
