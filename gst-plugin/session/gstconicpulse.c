/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicpulse.h"

/* Beats without an answer that mean something: one question may be on its way, and one be lost. */
#define ASKED_SILENCE_MIN 3

/* Seconds without RTCP that mean something: RFC 3550 section 6.3.1 makes a report at least every
 * 6.2 s between two peers, and one may be lost. */
#define REGULAR_SILENCE_MIN 14

gboolean
gst_conic_pulse_beat (GstConicPulse *pulse,
                      const GstConicPulseCounts *counts,
                      gboolean is_asked,
                      guint timeout)
{
  guint patience = MAX (timeout, is_asked ? ASKED_SILENCE_MIN : REGULAR_SILENCE_MIN);

  if (counts->reports != pulse->last.reports || counts->sent != pulse->last.sent)
    pulse->has_to_report = TRUE;
  pulse->silence = counts->packets != pulse->last.packets ? 0 : pulse->silence + 1;
  pulse->last = *counts;
  return !(is_asked || pulse->has_to_report) ||
         pulse->silence < patience / GST_CONIC_PULSE_INTERVAL;
}

void
gst_conic_pulse_reset (GstConicPulse *pulse)
{
  pulse->silence = 0;
  pulse->has_to_report = FALSE;
}
