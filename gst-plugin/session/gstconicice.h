/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_ice_configure:
 * @webrtcbin: one that has not begun to gather candidates
 *
 * Makes its ICE agent notice a peer that is gone without a word, and reach peers on a machine that
 * has no network.
 */
void gst_conic_ice_configure (GstElement *webrtcbin);

/**
 * gst_conic_ice_release:
 * @webrtcbin: one whose session is over
 *
 * Gives back what TURN servers hold for it (a Refresh with lifetime 0, RFC 8656 section 7), which they
 * would else keep for ten minutes. Blocks until they have answered, at most a second; in any thread but
 * webrtcbin's.
 */
void gst_conic_ice_release (GstElement *webrtcbin);

G_END_DECLS
