/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GstConicArrival:
 *
 * How late the packets of one RTP stream are, measured by those that took the least time. Nanoseconds.
 */
typedef struct {
  /*< private >*/
  gboolean has_begun;
  gint64 ext_rtp; /* the latest packet's timestamp, counted on where it wraps around */

  /* What arrival time has to be added to the packets' own: the least of this window, and of the last. */
  gint64 offset;
  gint64 last_offset;
  gint64 window_end;

  gint64 judged; /* the latest packet's */

  gint64 late_since; /* -1 while packets are in time */
  gint64 lateness;   /* then */
} GstConicArrival;

/**
 * gst_conic_arrival_judge:
 * @arrival: when the packet came
 * @rtp: its timestamp, RFC 3550 section 5.1
 * @clock_rate: of that, Hz
 * @limit: how late a packet may be
 *
 * Returns: when it is to be taken for having come: @arrival, or earlier if it is late because something
 *   held it up that has passed, so that those after it come in time again
 */
gint64 gst_conic_arrival_judge (GstConicArrival *self,
                                gint64 arrival,
                                guint32 rtp,
                                guint clock_rate,
                                gint64 limit);

G_END_DECLS
