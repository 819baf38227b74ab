/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

/**
 * GstConicChannel:
 *
 * A data channel (RFC 8831) that says when it can take more. All functions may be called from any
 * thread.
 */
#define GST_TYPE_CONIC_CHANNEL (gst_conic_channel_get_type ())
G_DECLARE_FINAL_TYPE (GstConicChannel, gst_conic_channel, GST, CONIC_CHANNEL, GObject)

/**
 * GstConicChannelHandlers:
 * @message: a message came
 * @changed: it opened, closed, or can take more again
 * @finished: all messages that the other side ever sends on it have been handed on
 *
 * Called in webrtcbin's thread (@finished also in that of the data pad): hand things over and
 * return.
 */
typedef struct {
  void (*message) (GstConicChannel *channel, GBytes *data, gboolean is_text, gpointer user_data);
  void (*changed) (GstConicChannel *channel, gpointer user_data);
  void (*finished) (GstConicChannel *channel, gpointer user_data);
} GstConicChannelHandlers;

/* (transfer full): @remote: the other side opened it */
GstConicChannel *gst_conic_channel_new (GstWebRTCDataChannel *data_channel,
                                        gboolean remote,
                                        const GstConicChannelHandlers *handlers,
                                        gpointer user_data);

/* No handler is called after this returns. */
void gst_conic_channel_disconnect (GstConicChannel *self);

/* (nullable) (transfer none): what is said of this channel; NULL on the control channel itself */
typedef struct _GstConicFlow GstConicFlow;
void gst_conic_channel_set_flow (GstConicChannel *self, GstConicFlow *flow);
GstConicFlow *gst_conic_channel_get_flow (GstConicChannel *self);

const char *gst_conic_channel_get_label (GstConicChannel *self);
const char *gst_conic_channel_get_protocol (GstConicChannel *self);
gboolean gst_conic_channel_is_remote (GstConicChannel *self);
int gst_conic_channel_get_id (GstConicChannel *self);

gboolean gst_conic_channel_is_open (GstConicChannel *self);
gboolean gst_conic_channel_is_closed (GstConicChannel *self);

/* Closed, and all that came has been handed on: it is of no use to anyone any more. */
gboolean gst_conic_channel_is_spent (GstConicChannel *self);

/* Open, not paused by the other side, and with room for a message. */
gboolean gst_conic_channel_is_writable (GstConicChannel *self);

/* Nothing waits to be sent. */
gboolean gst_conic_channel_is_drained (GstConicChannel *self);

/* The other side doesn't keep up, or does again. */
void gst_conic_channel_set_paused (GstConicChannel *self, gboolean paused);

/* @data: terminated by a NUL beyond its end if it @is_text */
gboolean
gst_conic_channel_send (GstConicChannel *self, GBytes *data, gboolean is_text, GError **error);

/* How many messages were sent. */
guint64 gst_conic_channel_get_n_sent (GstConicChannel *self);

/* One more message that came has been handed on. */
void gst_conic_channel_add_delivered (GstConicChannel *self);

/* The other side has sent @n_messages, and that was all. */
void gst_conic_channel_set_expected (GstConicChannel *self, guint64 n_messages);

/* The other side has handed on all that we sent. */
void gst_conic_channel_set_received (GstConicChannel *self);
gboolean gst_conic_channel_is_received (GstConicChannel *self);

void gst_conic_channel_close (GstConicChannel *self);

G_END_DECLS
