/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_jitter_set_up:
 * @element: what webrtcbin has just made for itself
 *
 * Sets @element right, if it is a jitter buffer: so that what is merely late isn't given up, a stream
 * begins with its first packets, and nothing that holds up packets for a while moves all that come after
 * them.
 */
void gst_conic_jitter_set_up (GstElement *element);

G_END_DECLS
