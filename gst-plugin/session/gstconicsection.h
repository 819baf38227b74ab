/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

/*
 * The media section that a pad of webrtcbin's stands for.
 */

/* (transfer full) (nullable): NULL once the pad is released */
GstWebRTCRTPTransceiver *gst_conic_section_get_transceiver (GstPad *webrtc_pad);

/* Video where webrtcbin doesn't say. */
GstWebRTCKind gst_conic_section_get_kind (GstPad *webrtc_pad);

/* Its place in the description; G_MAXUINT before there is one. */
guint gst_conic_section_get_index (GstPad *webrtc_pad);

G_END_DECLS
