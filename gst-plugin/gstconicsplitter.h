/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a data channel message: what a peer that doesn't say takes, RFC 8841 section 6.1. */
#define GST_CONIC_MESSAGE_MAX 65536

typedef enum {
  GST_CONIC_SPLIT_AUTO,   /* text as long as it is text, then binary */
  GST_CONIC_SPLIT_TEXT,   /* text; what isn't goes out as binary */
  GST_CONIC_SPLIT_BINARY, /* as it comes */
} GstConicSplitMode;

/**
 * GstConicSplitter:
 *
 * Cuts a stream of buffers into data channel messages without losing a byte: text only between
 * characters (UTF-8), or at line ends.
 */
typedef struct {
  GstConicSplitMode mode;
  gboolean lines;    /* each line, with its end, is a message */
  gboolean not_text; /* out: bytes came that a text message can't hold */

  /*< private >*/
  GByteArray *pending;
  gsize taken; /* of pending, that has gone out */
} GstConicSplitter;

void gst_conic_splitter_init (GstConicSplitter *self);
void gst_conic_splitter_clear (GstConicSplitter *self);

void gst_conic_splitter_push (GstConicSplitter *self, gconstpointer data, gsize length);

/**
 * gst_conic_splitter_pop:
 * @final: nothing comes after what has been pushed
 * @is_text: (out): whether it is valid UTF-8 without NULs
 *
 * Returns: (transfer full) (nullable): the next message, terminated by a NUL beyond its end, or
 *   %NULL when more has to be pushed first
 */
GBytes *gst_conic_splitter_pop (GstConicSplitter *self, gboolean final, gboolean *is_text);

G_END_DECLS
