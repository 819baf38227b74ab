/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_jitter_set_up:
 * @element: what webrtcbin has just made for itself
 * @do_nack: whether lost video is asked for again
 *
 * Sets @element right, if it is a jitter buffer: so that lost packets of video and of nothing else are asked
 * for again, what is merely late isn't given up, a stream begins with its first packets, and nothing that
 * holds up packets for a while moves all that come after them.
 */
void gst_conic_jitter_set_up (GstElement *element, gboolean do_nack);

G_END_DECLS
