/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"

G_BEGIN_DECLS

/**
 * GstConicInput:
 *
 * A media input of an element: what comes in is encoded once for each codec in use, however many
 * sessions watch.
 */
#define GST_TYPE_CONIC_INPUT (gst_conic_input_get_type ())
G_DECLARE_FINAL_TYPE (GstConicInput, gst_conic_input, GST, CONIC_INPUT, GstBin)

/**
 * GstConicInputHandlers:
 * @ready: it is known what comes in, and branches can be made
 * @eos: all that came in has gone out
 * @encoder: an encoder was made; it may be set up differently now
 *
 * What an input tells its owner, in whichever thread.
 */
typedef struct {
  void (*ready) (GstConicInput *input, gpointer user_data);
  void (*eos) (GstConicInput *input, gpointer user_data);
  void (*encoder) (GstConicInput *input, GstElement *encoder, gpointer user_data);
} GstConicInputHandlers;

/**
 * gst_conic_input_new:
 * @name: of the element's pad
 *
 * Returns: (transfer floating): an input with the static pad `sink`
 */
GstConicInput *gst_conic_input_new (GstWebRTCKind kind,
                                    const char *name,
                                    const GstConicInputHandlers *handlers,
                                    gpointer user_data);

/* Before anything comes in, which may be something else than the last time. @names: (nullable): the
 * codecs that raw media is to be encoded with, the most wanted first */
void gst_conic_input_set_up (GstConicInput *self, const char *const *names);

/* bit/s of each encoder, at once; 0 for what is usual */
void gst_conic_input_set_bitrate (GstConicInput *self, guint bitrate);

GstWebRTCKind gst_conic_input_get_kind (GstConicInput *self);

/* (transfer full) (nullable) (element-type GstConicCodec): what can come out, the most wanted first;
 * %NULL until that is known */
GPtrArray *gst_conic_input_get_codecs (GstConicInput *self);

/* Whether what comes in is encoded here, so that every codec of the list can be had at any time. */
gboolean gst_conic_input_is_raw (GstConicInput *self);

/* Whether the stream has ended. */
gboolean gst_conic_input_is_eos (GstConicInput *self);

/* (transfer full) (nullable): a pad that the stream comes out of, encoded as @codec */
GstPad *
gst_conic_input_request_branch (GstConicInput *self, const GstConicCodec *codec, GError **error);
/* Sends the stream's caps and the rest of its header down a branch that has been linked. */
void gst_conic_input_start_branch (GstConicInput *self, GstPad *pad);
void gst_conic_input_release_branch (GstConicInput *self, GstPad *pad);

G_END_DECLS
