/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Seconds between two beats. */
#define GST_CONIC_PULSE_INTERVAL 1

/**
 * GstConicPulse:
 *
 * Tells a peer that has gone without a word from one that has just nothing to say: every ICE agent
 * answers checks (RFC 8445), and one that speaks `conic.flow` a question each second. libnice would
 * tell, too, but takes 50 seconds; asked for RFC 7675, which webrtcbin 1.22 can't, it would end a
 * session of which two checks were lost.
 *
 * It counts beats and not time, so that a process that was stopped for an hour doesn't take its own
 * silence for that of the others.
 */
typedef struct {
  guint packets;     /* that came from the peer and nobody else, modulo 2³² */
  gboolean has_mark; /* whether the next is known */
  guint64 mark;      /* of the path: gst_conic_path_read_mark() */
} GstConicPulseCounts;

typedef struct {
  GstConicPulseCounts last;
  guint silence; /* beats without a sign of life */
} GstConicPulse;

/**
 * gst_conic_pulse_beat:
 * @is_asked: the peer answers what it is asked once in each interval
 * @timeout: seconds that a peer may be silent
 *
 * To be called once in each interval.
 *
 * Returns: %FALSE if the peer has been silent for @timeout and would not have been, were it there
 */
gboolean gst_conic_pulse_beat (GstConicPulse *pulse,
                               const GstConicPulseCounts *counts,
                               gboolean is_asked,
                               guint timeout);

/* This side itself has heard nothing, and knows nothing. */
void gst_conic_pulse_reset (GstConicPulse *pulse);

G_END_DECLS
