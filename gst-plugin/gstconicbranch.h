/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"

G_BEGIN_DECLS

/**
 * GstConicBranch:
 *
 * One session's share of a media input: it payloads the encoded stream, and drops what the session
 * is too slow for, so that no session holds up another.
 */
#define GST_TYPE_CONIC_BRANCH (gst_conic_branch_get_type ())
G_DECLARE_FINAL_TYPE (GstConicBranch, gst_conic_branch, GST, CONIC_BRANCH, GstBin)

/**
 * gst_conic_branch_new:
 * @payload_type: what the session's descriptions give to @codec
 * @ssrc: what its packets are sent as
 * @twcc_id: id of the header extension for transport-wide congestion control, 0 for none
 *
 * Returns: (transfer floating) (nullable): a branch with the static pads `sink` and `src`, through
 *   which caps flow, but no media before gst_conic_branch_open()
 */
GstConicBranch *gst_conic_branch_new (const GstConicCodec *codec,
                                      int payload_type,
                                      guint32 ssrc,
                                      guint twcc_id,
                                      GError **error);

/* Lets media through, video from its next keyframe on, which is asked for. */
void gst_conic_branch_open (GstConicBranch *self);

/* Lets none through, until it is opened again. */
void gst_conic_branch_shut (GstConicBranch *self);

/* How many pictures, or pieces of sound, have gone through. */
guint gst_conic_branch_get_n_frames (GstConicBranch *self);

G_END_DECLS
