/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicpulse.h"

/* Beats without an answer that mean something: one question may be on its way, and one be lost. */
#define ASKED_SILENCE_MIN 3

/* Seconds without anything on the path that mean something: libnice checks it every 4 to 6 s, and one
 * check may be lost. */
#define CHECKED_SILENCE_MIN 14

gboolean
gst_conic_pulse_beat (GstConicPulse *pulse,
                      const GstConicPulseCounts *counts,
                      gboolean is_asked,
                      guint timeout)
{
  guint patience = MAX (timeout, is_asked ? ASKED_SILENCE_MIN : CHECKED_SILENCE_MIN);
  gboolean has_life =
      counts->packets != pulse->last.packets || (!is_asked && counts->mark != pulse->last.mark);

  pulse->silence = has_life ? 0 : pulse->silence + 1;
  pulse->last = *counts;
  return !(is_asked || counts->has_mark) || pulse->silence < patience / GST_CONIC_PULSE_INTERVAL;
}

void
gst_conic_pulse_reset (GstConicPulse *pulse)
{
  pulse->silence = 0;
}
