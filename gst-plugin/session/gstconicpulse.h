/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Seconds between two beats. */
#define GST_CONIC_PULSE_INTERVAL 1

/**
 * GstConicPulse:
 *
 * Tells a peer that has gone without a word from one that has just nothing to say. libnice's checks
 * would do that for every peer, but take 50 seconds, and webrtcbin 1.22 can't ask for RFC 7675.
 *
 * It counts beats and not time, so that a process that was stopped for an hour doesn't take its own
 * silence for that of the others.
 */
typedef struct {
  guint packets; /* that came from the peer, modulo 2³² */
  guint reports; /* how many of them are RTCP */
  guint sent;    /* RTP that went to it */
} GstConicPulseCounts;

typedef struct {
  GstConicPulseCounts last;
  guint silence;          /* beats without a packet */
  gboolean has_to_report; /* who gets RTP or has sent RTCP sends RTCP, again and again */
} GstConicPulse;

/**
 * gst_conic_pulse_beat:
 * @is_asked: the peer answers what it is asked once in each interval
 * @timeout: seconds that a peer may be silent
 *
 * To be called once in each interval.
 *
 * Returns: %FALSE if the peer has been silent for @timeout and would not have been, were it there:
 *   one that is asked, or one that has to send RTCP, and has had the time for it
 */
gboolean gst_conic_pulse_beat (GstConicPulse *pulse,
                               const GstConicPulseCounts *counts,
                               gboolean is_asked,
                               guint timeout);

/* What the peer sends was negotiated anew: perhaps there is no RTCP any more. */
void gst_conic_pulse_reset (GstConicPulse *pulse);

G_END_DECLS
