/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-hub.h"

/**
 * FakePeer:
 * @sent: (element-type ConicMessage): what the hub said
 * @relayed: (element-type utf8): the messages passed on, in this connection's dialect
 * @close_status: 0, or the status that the hub closed the connection with
 * @full: refuse to take relayed messages
 *
 * A connection of which both ends are in memory.
 */
typedef struct {
  ConicPeer peer;
  GPtrArray *sent;
  GPtrArray *relayed;
  guint16 close_status;
  char *close_reason;
  gboolean full;
} FakePeer;

FakePeer *fake_peer_new (void);
void fake_peer_free (FakePeer *fake);

/* Scans @text as the transport does, and gives the hub what comes of it. */
void fake_peer_say (FakePeer *fake, ConicHub *hub, gint64 now, const char *text);

/* (transfer full) (nullable): the oldest thing that the hub said, taken from the queue */
ConicMessage *fake_peer_take (FakePeer *fake);

/* (transfer full) (nullable): the oldest message passed on, taken from the queue */
char *fake_peer_take_relayed (FakePeer *fake);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakePeer, fake_peer_free)
