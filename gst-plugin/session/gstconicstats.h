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
 *   `bitrate-out` (guint64, bit/s since the last reading), `bytes-in`, `bytes-out`, `packets-in`,
 *   `packets-out`, `packets-repaired` (guint64), `packets-lost`, `packets-lost-out` (gint64),
 *   `nacks`, `plis` (guint64: that came), `jitter` (double, seconds)
 */
GstStructure *gst_conic_stats_read (GstConicStats *stats, const GstStructure *reply, gint64 now);

/* Adds to @result what the other side's feedback for congestion control says: `twcc-bitrate`
 * (guint64, bit/s that arrive there) and `twcc-loss` (double, 0 to 1). */
void gst_conic_stats_read_twcc (GstElement *webrtcbin, GstStructure *result);

G_END_DECLS
