/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicconnection.h"
#include "gstconicendpoint.h"
#include "gstconicmediasettings.h"
#include "gstconicoutputs.h"

G_BEGIN_DECLS

/**
 * GstConicConnections:
 *
 * The connections of an element, one for each session: made, negotiated and put away as its calls say.
 */
typedef struct _GstConicConnections GstConicConnections;

/* What the endpoint of an element with connections tells. */
extern const GstConicCallsHandlers gst_conic_connections_handlers;

/* (transfer full): @element: a GstConicBaseBin, owns all of these and outlives them; @settings: what they
 * were when it started */
GstConicConnections *gst_conic_connections_new (GstElement *element,
                                                GstConicEndpoint *endpoint,
                                                GstConicOutputs *outputs,
                                                const GstConicMediaSettings *settings);

/* Nothing is under way any more. */
void gst_conic_connections_free (GstConicConnections *self);

/* From any thread, all of the rest. */

/* The media pads have changed: sessions that run are described anew. */
void gst_conic_connections_update (GstConicConnections *self);

/* There is a new data pad for @label. */
void gst_conic_connections_open_data (GstConicConnections *self, const char *label);

/* All sink pads have ended: posts EOS as soon as what they brought is on its way. */
void gst_conic_connections_finish (GstConicConnections *self);

/* An element of @connection posted the error @message. */
void gst_conic_connections_fail (GstConicConnections *self,
                                 GstConicConnection *connection,
                                 GstMessage *message);

/* The stream of @pad has come to its end, and @connection goes on. */
void gst_conic_connections_remove_output (GstConicConnections *self,
                                          GstConicConnection *connection,
                                          GstPad *pad);

/* (transfer full) (nullable): the webrtcbin of the session with @peer_id and, if that isn't %NULL,
 * @session_id */
GstElement *gst_conic_connections_find_webrtcbin (GstConicConnections *self,
                                                  const char *peer_id,
                                                  const char *session_id);

/* The element is paused, or plays: connections play meanwhile, but no media comes in. */
void gst_conic_connections_pause (GstConicConnections *self);
void gst_conic_connections_resume (GstConicConnections *self);

/* Waits until all that was closed is put away, so many milliseconds at most if that isn't negative. Returns
 * whether it is. */
gboolean gst_conic_connections_wait (GstConicConnections *self, int milliseconds);

G_END_DECLS
