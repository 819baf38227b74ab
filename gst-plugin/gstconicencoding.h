/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"

G_BEGIN_DECLS

/**
 * GstConicEncoding:
 *
 * One encoded form of a media input, for all the sessions that use its codec: made once, and handed
 * out by a tee. Keyframe requests that come close together are one.
 */
#define GST_TYPE_CONIC_ENCODING (gst_conic_encoding_get_type ())
G_DECLARE_FINAL_TYPE (GstConicEncoding, gst_conic_encoding, GST, CONIC_ENCODING, GstBin)

/**
 * GstConicEncodingFunc:
 *
 * Called in a streaming thread: all that came in has gone out.
 */
typedef void (*GstConicEncodingFunc) (GstConicEncoding *encoding, gpointer user_data);

/**
 * gst_conic_encoding_new:
 * @encoder: (transfer floating) (nullable): for raw media; %NULL if what comes in is encoded as
 *   @codec already
 *
 * Returns: (transfer floating) (nullable): a bin with the static pad `sink`
 */
GstConicEncoding *gst_conic_encoding_new (const GstConicCodec *codec,
                                          GstElement *encoder,
                                          GstConicEncodingFunc eos,
                                          gpointer user_data,
                                          GError **error);

const GstConicCodec *gst_conic_encoding_get_codec (GstConicEncoding *self);

/* (nullable): borrowed */
GstElement *gst_conic_encoding_get_encoder (GstConicEncoding *self);

/* Whether the stream has ended. */
gboolean gst_conic_encoding_is_eos (GstConicEncoding *self);

/* (transfer full): a pad that the encoded stream comes out of */
GstPad *gst_conic_encoding_request_branch (GstConicEncoding *self);

/* Returns how many branches are left. */
guint gst_conic_encoding_release_branch (GstConicEncoding *self, GstPad *pad);

G_END_DECLS
