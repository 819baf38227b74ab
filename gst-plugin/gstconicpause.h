/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstConicPause:
 *
 * Lets no media into an element as long as that is paused, as a live source does: what is downstream
 * takes nothing then, and it would pile up. The webrtcbins themselves go on playing, so that the other
 * sides hear that this one is there.
 */
typedef struct {
  int n_begun; /* atomic */
  int n_ended; /* atomic: the last of them that is over */
} GstConicPause;

/* From the application's threads, when the element begins a pause. */
void gst_conic_pause_begin (GstConicPause *self);

/* The number of the latest pause. */
int gst_conic_pause_get_number (GstConicPause *self);

/* All that is in the element has the time again: the pause of that number is over. */
void gst_conic_pause_end (GstConicPause *self, int number);

/* Minds a webrtcbin in @connection, which has no transport yet; @self outlives all that it does. */
void gst_conic_pause_watch (GstConicPause *self, GstBin *connection);

G_END_DECLS
