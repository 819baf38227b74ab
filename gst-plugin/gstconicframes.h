/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GstConicFrames:
 *
 * The pictures of a session counted, and how often they stood still: W3C webrtc-stats'
 * framesDecoded and freezeCount.
 */
typedef struct {
  guint64 n_frames;
  guint64 n_freezes;
  gint64 freeze_time; /* microseconds, all of them together */

  /*< private >*/
  gint64 last;    /* when the last came */
  double average; /* microseconds from one to the next, lately */
} GstConicFrames;

/* One more came, at @now (monotonic, microseconds). */
void gst_conic_frames_add (GstConicFrames *self, gint64 now);

G_END_DECLS
