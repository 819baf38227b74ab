/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicconnection.h"
#include "gstconicoutputs.h"

G_BEGIN_DECLS

/**
 * GstConicDepartures:
 *
 * Connections whose session is over, and streams that have ended: they are put away in threads of
 * their own, because what is downstream may block that for as long as it likes.
 */
typedef struct _GstConicDepartures GstConicDepartures;

/* (transfer full): @element: has the connections in it, and @outputs; outlives this */
GstConicDepartures *gst_conic_departures_new (GstElement *element, GstConicOutputs *outputs);

/* Nothing is under way any more. */
void gst_conic_departures_free (GstConicDepartures *self);

/* Puts @connection away at once. @keep_pads: its source pads are for the next one */
void gst_conic_departures_close (GstConicDepartures *self,
                                 GstConicConnection *connection,
                                 gboolean keep_pads);

/* The other side has left: in so many milliseconds, when what it sent has come, the streams of
 * @connection end with EOS, and it is put away. @ends_data: nobody else sends messages. In the
 * endpoint's thread. */
void gst_conic_departures_drain (GstConicDepartures *self,
                                 GstConicConnection *connection,
                                 guint milliseconds,
                                 gboolean ends_data);

/* From any thread: the stream of @pad has come to its end, and @connection goes on. */
void gst_conic_departures_remove_output (GstConicDepartures *self,
                                         GstConicConnection *connection,
                                         GstPad *pad);

/* Puts away at once what is drained; in the endpoint's thread. */
void gst_conic_departures_hurry (GstConicDepartures *self);

/* Waits until all is put away, so many milliseconds at most if that isn't negative. Returns whether it is. */
gboolean gst_conic_departures_wait (GstConicDepartures *self, int milliseconds);

G_END_DECLS
