/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicchannel.h"
#include "gstconicendpoint.h"

G_BEGIN_DECLS

/**
 * GstConicChannels:
 *
 * The data channels of one session, and which of them the element's data pads use: on a sink pad
 * goes the channel with its label that the other side opened, or else one of our own.
 */
typedef struct _GstConicChannels GstConicChannels;

/**
 * gst_conic_channels_new:
 * @element: a GstConicBaseBin, which has the data pads; it and @session outlive this
 * @complete: called in the endpoint's thread when the other side says that it has opened all channels
 *   of its pads, and the element has pads for them
 * @owner: for @complete, and referenced while that is under way
 *
 * Returns: (transfer full): the channels, none yet
 */
GstConicChannels *gst_conic_channels_new (GstElement *element,
                                          GstConicSession *session,
                                          GstElement *webrtcbin,
                                          GstConicEndpointFunc complete,
                                          GObject *owner);

/**
 * gst_conic_channels_create:
 * @options: (nullable): webrtcbin's
 *
 * Opens a channel that isn't managed here, once there is an association for it; from any thread.
 *
 * Returns: (transfer full) (nullable): %NULL if there is none within a second, or the session has
 *   ended, or @options can't be
 */
GstWebRTCDataChannel *gst_conic_channels_create (GstElement *webrtcbin,
                                                 const char *label,
                                                 const GstStructure *options,
                                                 GError **error);

/* Opens the control channel, and with it makes the offer have a section for data. */
void gst_conic_channels_open_control (GstConicChannels *self);

/* Sees to it that the next offer has the section for data, too: webrtcbin 1.22 leaves it out, and shifts
 * what follows, if there is no channel. */
void gst_conic_channels_keep_section (GstConicChannels *self);

/* Opens a channel for the sink pad with @label, unless there is one with it. */
void gst_conic_channels_open (GstConicChannels *self, const char *label);

/* Tells the other side that all channels are opened that are going to be for now. */
void gst_conic_channels_tell_opened (GstConicChannels *self);

/* Whether there is an association, so that channels may come. */
gboolean gst_conic_channels_are_possible (GstConicChannels *self);

/* The round trip in seconds, as far as the other side takes part in measuring it; else -1. */
double gst_conic_channels_measure (GstConicChannels *self);

/* Ends all; no pad uses a channel of these any more. */
void gst_conic_channels_free (GstConicChannels *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstConicChannels, gst_conic_channels_free)

G_END_DECLS
