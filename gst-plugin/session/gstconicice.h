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

G_END_DECLS
