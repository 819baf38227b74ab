/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-client.h"

G_BEGIN_DECLS

/**
 * GstConicMailbox:
 *
 * The messages of an element's sessions: those that came before what they are for, and those that
 * wait for the hub to be there again. All in the endpoint's thread.
 */
typedef struct {
  ConicClient *client; /* (nullable): borrowed */
  GQueue early;        /* ConicMessage */
  GQueue unsent;       /* ConicMessage */
} GstConicMailbox;

void gst_conic_mailbox_init (GstConicMailbox *self);
void gst_conic_mailbox_clear (GstConicMailbox *self);

/* @waits: keep it for gst_conic_mailbox_flush() if there is no hub */
void gst_conic_mailbox_send (GstConicMailbox *self, const ConicMessage *message, gboolean waits);

/* The hub is there again: sends what has waited, and is still wanted by @wants. */
typedef gboolean (*GstConicMailboxFilter) (const ConicMessage *message, gpointer user_data);
void
gst_conic_mailbox_flush (GstConicMailbox *self, GstConicMailboxFilter wants, gpointer user_data);

/* Keeps a message that came too early. */
void gst_conic_mailbox_keep (GstConicMailbox *self, const ConicMessage *message);

/* (transfer full) (nullable): the next candidate that came too early for that session */
ConicMessage *gst_conic_mailbox_take_candidate (GstConicMailbox *self,
                                                const char *peer_id,
                                                const char *session_id);

/* (transfer full) (element-type ConicMessage): all that came too early, in order */
GQueue gst_conic_mailbox_take_all (GstConicMailbox *self);

G_END_DECLS
