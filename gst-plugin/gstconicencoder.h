/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"

G_BEGIN_DECLS

/* Whether raw media can be encoded with @codec here. */
gboolean gst_conic_encoder_exists (const GstConicCodec *codec);

/**
 * gst_conic_encoder_make:
 * @bitrate: bit/s, or 0 for what is usual
 *
 * Returns: (transfer floating) (nullable): an encoder for @codec, tuned for real time
 */
GstElement *gst_conic_encoder_make (const GstConicCodec *codec, guint bitrate, GError **error);

/* Changes the bit rate of an encoder made with the function above; it may be running. */
void gst_conic_encoder_set_bitrate (GstElement *encoder, guint bitrate);

/* (nullable): what the encoder of @codec is to be fed with, beyond what its pad says */
const char *gst_conic_encoder_get_input_caps (const GstConicCodec *codec);

G_END_DECLS
