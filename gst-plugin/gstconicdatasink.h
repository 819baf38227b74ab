/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicchannel.h"

G_BEGIN_DECLS

/**
 * GstConicDataSink:
 *
 * A sink pad that is a data channel in every session: a buffer that comes in is a message. It
 * blocks until there is a session to send to and while one of them is full, so that nothing is
 * dropped and nothing piles up.
 */
#define GST_TYPE_CONIC_DATA_SINK (gst_conic_data_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstConicDataSink, gst_conic_data_sink, GST, CONIC_DATA_SINK, GstPad)

/* All that came in has been received, or there is nobody to receive it; in a streaming thread. */
typedef void (*GstConicDataSinkFunc) (GstConicDataSink *pad, gpointer user_data);

/* (transfer floating): @label: of the channels */
GstConicDataSink *gst_conic_data_sink_new (GstPadTemplate *template,
                                           const char *name,
                                           const char *label,
                                           GstConicDataSinkFunc eos,
                                           gpointer user_data);

const char *gst_conic_data_sink_get_label (GstConicDataSink *self);

/* From any thread: @channel takes part from now on, or no more. */
void gst_conic_data_sink_add_channel (GstConicDataSink *self, GstConicChannel *channel);
void gst_conic_data_sink_remove_channel (GstConicDataSink *self, GstConicChannel *channel);

/* From any thread: look at the channels again. */
void gst_conic_data_sink_wake (GstConicDataSink *self);

/* Whether the stream has ended, so that a channel that opens has nothing to wait for. */
gboolean gst_conic_data_sink_is_eos (GstConicDataSink *self);

G_END_DECLS
