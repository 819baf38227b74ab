/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicarrival.h"

#define SECOND G_GINT64_CONSTANT (1000000000)

/* The clocks of two machines drift apart; a window is short against that, and long against what holds up
 * packets. */
#define WINDOW (2 * SECOND)

/* What held up packets has passed: they come one after the other as fast as they can, each less late than
 * the one before. If in so much time they haven't gained so much, it's the other side that pauses, or
 * takes another path. */
#define CATCH_UP_TIME (SECOND / 4)
#define CATCH_UP_GAIN (SECOND / 20)

static void
begin (GstConicArrival *self, gint64 arrival, gint64 offset)
{
  self->has_begun = TRUE;
  self->offset = offset;
  self->last_offset = offset;
  self->window_end = arrival + WINDOW;
  self->late_since = -1;
}

static void
learn (GstConicArrival *self, gint64 arrival, gint64 offset)
{
  if (arrival >= self->window_end) {
    self->last_offset = self->offset;
    self->offset = offset;
    self->window_end = arrival + WINDOW;
  }
  self->offset = MIN (self->offset, offset);
  self->late_since = -1;
}

/* Whether packets that are late are going to be in time again, or so it looks. */
static gboolean
catches_up (GstConicArrival *self, gint64 arrival, gint64 lateness)
{
  if (self->late_since < 0) {
    self->late_since = arrival;
    self->lateness = lateness;
  }
  if (arrival - self->late_since < CATCH_UP_TIME)
    return TRUE;
  if (lateness > self->lateness - CATCH_UP_GAIN)
    return FALSE;
  self->late_since = arrival;
  self->lateness = lateness;
  return TRUE;
}

static gint64
judge (GstConicArrival *self, gint64 arrival, guint32 rtp, guint clock_rate, gint64 limit)
{
  gint64 offset, lateness;

  self->ext_rtp = self->has_begun ? self->ext_rtp + (gint32) (rtp - (guint32) self->ext_rtp) : rtp;
  /* In two parts: this may be large. */
  offset = arrival - self->ext_rtp / clock_rate * SECOND -
           self->ext_rtp % clock_rate * SECOND / clock_rate;
  if (!self->has_begun)
    begin (self, arrival, offset);
  lateness = offset - MIN (self->offset, self->last_offset);
  if (lateness <= limit) {
    learn (self, arrival, offset);
    return arrival;
  }
  /* Whatever held it up, it was behind the one before; timestamps may say anything. */
  if (catches_up (self, arrival, lateness))
    return MAX (arrival - (lateness - limit), self->judged);
  begin (self, arrival, offset);
  return arrival;
}

gint64
gst_conic_arrival_judge (GstConicArrival *self,
                         gint64 arrival,
                         guint32 rtp,
                         guint clock_rate,
                         gint64 limit)
{
  self->judged = judge (self, arrival, rtp, clock_rate, limit);
  return self->judged;
}
