/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsession.h"

G_BEGIN_DECLS

/**
 * GstConicConnection:
 *
 * The media of one session of a #GstConicBaseBin: a webrtcbin, a branch of each input, a decoder
 * for each stream that comes, and the data channels.
 */
#define GST_TYPE_CONIC_CONNECTION (gst_conic_connection_get_type ())
G_DECLARE_FINAL_TYPE (GstConicConnection, gst_conic_connection, GST, CONIC_CONNECTION, GstBin)

/* Whether there is all that a session needs of other plugins; else @error says what to install. */
gboolean gst_conic_connection_is_possible (GError **error);

/* (transfer floating): @element: the GstConicBaseBin that it's going to be in */
GstConicConnection *gst_conic_connection_new (GstElement *element, GstConicSession *session);

GstConicSession *gst_conic_connection_get_session (GstConicConnection *self);
GstElement *gst_conic_connection_get_webrtcbin (GstConicConnection *self);

/* All of the rest in the endpoint's thread. */

/* Sets up media as the element offers it, or as the session was offered it, then lets the session
 * go on as soon as the media is described. */
void gst_conic_connection_negotiate (GstConicConnection *self);

/* The session is connected: lets media flow. */
void gst_conic_connection_open (GstConicConnection *self);

/* The descriptions of both sides are in force, for the first time or anew. */
void gst_conic_connection_settle (GstConicConnection *self);

/* The element's media pads have changed: offers what there is now, as soon as that can be. */
void gst_conic_connection_update (GstConicConnection *self);

/* The element has a new data pad. */
void gst_conic_connection_open_data (GstConicConnection *self, const char *label);

/* The session is over: nothing of the above is called any more. */
void gst_conic_connection_leave (GstConicConnection *self);

/* The rest in any one thread, after gst_conic_connection_leave(). */

/* Ends the streams that come from the other side properly, with EOS. */
void gst_conic_connection_send_eos (GstConicConnection *self);

/* Stops, gives everything back; the bin can then be removed from the element. */
void gst_conic_connection_close (GstConicConnection *self);

G_END_DECLS
