/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsession.h"

G_BEGIN_DECLS

/**
 * GstConicSessions:
 *
 * The sessions of an element, each known by its peer and its session id. All in the endpoint's thread,
 * but where it says otherwise.
 */
typedef struct {
  GMutex lock; /* of the array, whose statistics the application reads; under it only a session's
                     stats_lock is taken */
  GPtrArray
      *all; /* (element-type GstConicSession): changed by the endpoint's thread only, under the
                     lock */
} GstConicSessions;

void gst_conic_sessions_init (GstConicSessions *self);
void gst_conic_sessions_clear (GstConicSessions *self);

/* @session: (transfer full) */
void gst_conic_sessions_add (GstConicSessions *self, GstConicSession *session);

/* FALSE if it isn't one of these, or no longer. */
gboolean gst_conic_sessions_remove (GstConicSessions *self, GstConicSession *session);

/**
 * gst_conic_sessions_find:
 * @peer_id: (nullable): whose session; %NULL finds none
 * @session_id: (nullable): which one; %NULL finds any of that peer
 *
 * Returns: (transfer none) (nullable): the session
 */
GstConicSession *
gst_conic_sessions_find (GstConicSessions *self, const char *peer_id, const char *session_id);

/* How many there are with @peer_id. */
guint gst_conic_sessions_count (GstConicSessions *self, const char *peer_id);

/* From any thread. (transfer full): `conic-stats` with the statistics of all sessions */
GstStructure *gst_conic_sessions_get_stats (GstConicSessions *self);

G_END_DECLS
