/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_repair_set_up:
 * @element: what webrtcbin has just made for itself
 *
 * Sets right what repairs lost packets (RFC 5109 in RFC 2198) in GStreamer 1.22, if @element is a part
 * of that: without this only pictures of one packet come back, and each repair packet that is lost
 * counts as a lost picture.
 */
void gst_conic_repair_set_up (GstElement *element);

G_END_DECLS
