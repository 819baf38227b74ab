/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicchannel.h"

G_BEGIN_DECLS

/* The protocol (RFC 8832 section 8.2.1) and label of the channel that the words below travel on. */
#define GST_CONIC_FLOW_PROTOCOL "conic.flow"

/**
 * GstConicFlow:
 *
 * What two Conic peers say to each other about the data channels of their session, as text messages
 * on a channel of its own, N being a channel's SCTP stream:
 *
 * - `hello`: I speak this
 * - `pause N`, `resume N`: I don't keep up with channel N, or do again
 * - `end N COUNT`: I have sent COUNT messages on channel N, and that was all
 * - `ended N`: I have handed on all that you sent on channel N
 * - `opened N`: I have opened N channels of my own accord, and that was all for now; N is just a number
 * - `ping N`, `pong N`: how long is the way there and back; N is any number
 *
 * A peer of another kind never says hello; nothing is then expected of it. From any thread.
 */
GstConicFlow *gst_conic_flow_new (void);
GstConicFlow *gst_conic_flow_ref (GstConicFlow *flow);
void gst_conic_flow_unref (GstConicFlow *flow);

/* The channel that it is spoken on, in place of the one before. */
void gst_conic_flow_set_control (GstConicFlow *flow, GstConicChannel *control);

/* The control channel opened: what was to be said is sent. */
void gst_conic_flow_flush (GstConicFlow *flow);

/* The session is over. */
void gst_conic_flow_clear (GstConicFlow *flow);

/**
 * gst_conic_flow_receive:
 * @text: one message from the control channel
 * @channels: (element-type GstConicChannel): those of the session
 */
void gst_conic_flow_receive (GstConicFlow *flow, const char *text, GPtrArray *channels);

/* Asks for a measurement of the round trip. Returns the last one in seconds, -1 if there's none. */
double gst_conic_flow_measure (GstConicFlow *flow);

/* Whether the other side has said anything. */
gboolean gst_conic_flow_is_answered (GstConicFlow *flow);

/* Whether the other side of @channel speaks it. */
gboolean gst_conic_flow_is_spoken (GstConicChannel *channel);

/* How many channels the other side has opened of its own accord, G_MAXUINT as long as it hasn't said. */
guint gst_conic_flow_get_n_opened (GstConicFlow *flow);

/* This side has opened @n_opened channels. */
void gst_conic_flow_send_opened (GstConicFlow *flow, guint n_opened);

void gst_conic_flow_send_pause (GstConicChannel *channel, gboolean pause);
void gst_conic_flow_send_end (GstConicChannel *channel);
void gst_conic_flow_send_ended (GstConicChannel *channel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstConicFlow, gst_conic_flow_unref)

G_END_DECLS
