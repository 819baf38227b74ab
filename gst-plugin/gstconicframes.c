/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicframes.h"

/* A picture is late if it takes three times as long as usual, and longer than usual by this, in
 * microseconds: the W3C's definition of a freeze. */
#define FREEZE_TIME (150 * G_TIME_SPAN_MILLISECOND)

/* What the latest interval counts in the average: that of the last 30, about. */
#define WEIGHT (1.0 / 30)

void
gst_conic_frames_add (GstConicFrames *self, gint64 now)
{
  gint64 interval = now - self->last;

  if (self->n_frames > 1 && interval > MAX (3 * self->average, self->average + FREEZE_TIME)) {
    self->n_freezes++;
    self->freeze_time += interval;
  } else if (self->n_frames == 1) {
    self->average = interval;
  } else if (self->n_frames > 1) {
    self->average += (interval - self->average) * WEIGHT;
  }
  self->n_frames++;
  self->last = now;
}
