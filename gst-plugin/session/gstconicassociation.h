/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_association_claim:
 * @webrtcbin: that has no association yet
 *
 * From any thread: has the association of @webrtcbin get a number that no other has.
 *
 * Returns: the number, to be given back with gst_conic_association_release()
 */
guint gst_conic_association_claim (GstElement *webrtcbin);

/* From any thread, once the association of that number is no more. */
void gst_conic_association_release (guint number);

G_END_DECLS
