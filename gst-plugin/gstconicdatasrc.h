/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicchannel.h"

G_BEGIN_DECLS

/**
 * GstConicDataSrc:
 *
 * A source pad that is a data channel: a message that comes is a buffer, text as
 * `text/x-raw,format=utf8`, binary as `application/octet-stream`. When what is downstream doesn't
 * keep up, the other side is asked to pause.
 */
#define GST_TYPE_CONIC_DATA_SRC (gst_conic_data_src_get_type ())
G_DECLARE_FINAL_TYPE (GstConicDataSrc, gst_conic_data_src, GST, CONIC_DATA_SRC, GstPad)

/* (transfer floating): @label: of the channels it stands for */
GstConicDataSrc *
gst_conic_data_src_new (GstPadTemplate *template, const char *name, const char *label);

const char *gst_conic_data_src_get_label (GstConicDataSrc *self);

/* Begins to push; the pad has been added to its element and perhaps linked. */
void gst_conic_data_src_start (GstConicDataSrc *self);

/* From any thread, without blocking: a message came on @channel. */
void gst_conic_data_src_push (GstConicDataSrc *self,
                              GstConicChannel *channel,
                              GBytes *data,
                              gboolean is_text);

/* From any thread: nothing comes after what has been pushed. */
void gst_conic_data_src_push_eos (GstConicDataSrc *self);

G_END_DECLS
