/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* What bit rates are counted from: the totals at the last reading. */
typedef struct {
  gint64 time;
  guint64 bytes_in;
  guint64 bytes_out;
} GstConicStats;

/**
 * gst_conic_stats_read:
 * @stats: the last reading; updated
 * @reply: what webrtcbin's get-stats replied
 * @now: monotonic time of @reply in microseconds
 *
 * Returns: (transfer full): `conic-session-stats`: `path` (string: host, srflx, prflx, relay,
 *   unknown), `round-trip-time` (double, seconds, -1 when not known), `bitrate-in` and
 *   `bitrate-out` (guint64, bit/s since the last reading), `packets-lost` (gint64), `jitter`
 *   (double, seconds)
 */
GstStructure *gst_conic_stats_read (GstConicStats *stats, const GstStructure *reply, gint64 now);

G_END_DECLS
