/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_path_read_mark:
 * @webrtcbin: one whose ICE agent has found a path
 * @mark: (out): a number that is another one whenever something has come over its paths meanwhile,
 *   be it no more than an answer to a connectivity check
 *
 * libnice checks a path every 4 to 6 seconds and tells nobody what comes of it; the kernel knows for
 * each socket. What came may be from anybody.
 *
 * Returns: %FALSE if that isn't known, as of a TURN server that is spoken to by TCP
 */
gboolean gst_conic_path_read_mark (GstElement *webrtcbin, guint64 *mark);

/**
 * gst_conic_path_get_kind:
 *
 * Returns: (transfer none): the kind of path that the ICE agent has chosen, which is what the worse of its
 *   ends is: `relay`, `srflx`, `prflx` or `host`, and `unknown` as long as there is none
 */
const char *gst_conic_path_get_kind (GstElement *webrtcbin);

G_END_DECLS
