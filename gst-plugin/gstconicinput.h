/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"

G_BEGIN_DECLS

/**
 * GstConicInput:
 *
 * A media input of an element: what comes in is encoded once, whoever many sessions watch, and
 * handed out by a tee.
 */
#define GST_TYPE_CONIC_INPUT (gst_conic_input_get_type ())
G_DECLARE_FINAL_TYPE (GstConicInput, gst_conic_input, GST, CONIC_INPUT, GstBin)

/**
 * GstConicInputFunc:
 *
 * Called in a streaming thread.
 */
typedef void (*GstConicInputFunc) (GstConicInput *input, gpointer user_data);

/**
 * gst_conic_input_new:
 * @ready: the codec is known, and branches can be made
 * @eos: all that came in has gone out
 *
 * Returns: (transfer floating): an input with the static pad `sink`
 */
GstConicInput *gst_conic_input_new (GstWebRTCKind kind,
                                    GstConicInputFunc ready,
                                    GstConicInputFunc eos,
                                    gpointer user_data);

GstWebRTCKind gst_conic_input_get_kind (GstConicInput *self);

/* (nullable): what comes out, once that is known */
const GstConicCodec *gst_conic_input_get_codec (GstConicInput *self);

/* Whether the stream has ended. */
gboolean gst_conic_input_is_eos (GstConicInput *self);

/* (transfer full): a pad that the encoded stream comes out of, for one session */
GstPad *gst_conic_input_request_branch (GstConicInput *self);
/* Sends the stream's caps and the rest of its header down a branch that has been linked. */
void gst_conic_input_start_branch (GstConicInput *self, GstPad *pad);
void gst_conic_input_release_branch (GstConicInput *self, GstPad *pad);

G_END_DECLS
