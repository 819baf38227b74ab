/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The few figures that people ask for, out of webrtcbin's many (W3C webrtc-stats). */

#include "gstconicstats.h"

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

typedef struct {
  guint64 bytes_in;
  guint64 bytes_out;
  gint64 packets_lost;
  double jitter;
  double round_trip_time;
  const char *local_type;
  const char *remote_type;
} Totals;

static guint64
get_count (const GstStructure *s, const char *field)
{
  guint64 wide = 0;
  guint narrow = 0;

  if (gst_structure_get_uint64 (s, field, &wide))
    return wide;
  gst_structure_get_uint (s, field, &narrow);
  return narrow;
}

static gboolean
add_stats (GQuark field, const GValue *value, gpointer user_data)
{
  Totals *totals = user_data;
  const GstStructure *s;
  GstWebRTCStatsType type;
  double seconds = 0;
  int lost = 0;

  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return TRUE;
  s = gst_value_get_structure (value);
  if (!gst_structure_get (s, "type", GST_TYPE_WEBRTC_STATS_TYPE, &type, NULL))
    return TRUE;

  switch ((int) type) {
  case GST_WEBRTC_STATS_INBOUND_RTP:
    totals->bytes_in += get_count (s, "bytes-received");
    if (gst_structure_get_int (s, "packets-lost", &lost))
      totals->packets_lost += lost;
    if (gst_structure_get_double (s, "jitter", &seconds))
      totals->jitter = MAX (totals->jitter, seconds);
    break;
  case GST_WEBRTC_STATS_OUTBOUND_RTP:
    totals->bytes_out += get_count (s, "bytes-sent");
    break;
  case GST_WEBRTC_STATS_REMOTE_INBOUND_RTP:
    if (gst_structure_get_double (s, "round-trip-time", &seconds) && seconds > 0)
      totals->round_trip_time = seconds;
    break;
  case GST_WEBRTC_STATS_LOCAL_CANDIDATE:
    totals->local_type = gst_structure_get_string (s, "candidate-type");
    break;
  case GST_WEBRTC_STATS_REMOTE_CANDIDATE:
    totals->remote_type = gst_structure_get_string (s, "candidate-type");
    break;
  default:
    break;
  }
  return TRUE;
}

/* A path is what the worse of its ends is. */
static const char *
get_path (const Totals *totals)
{
  static const char *const types[] = {"relay", "srflx", "prflx", "host"};

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_strcmp0 (totals->local_type, types[i]) == 0 ||
        g_strcmp0 (totals->remote_type, types[i]) == 0)
      return types[i];
  return "unknown";
}

static guint64
get_bitrate (guint64 bytes, guint64 last_bytes, gint64 elapsed)
{
  if (elapsed <= 0 || bytes < last_bytes)
    return 0;
  return gst_util_uint64_scale (bytes - last_bytes, 8 * G_USEC_PER_SEC, (guint64) elapsed);
}

GstStructure *
gst_conic_stats_read (GstConicStats *stats, const GstStructure *reply, gint64 now)
{
  Totals totals = {.round_trip_time = -1};
  GstStructure *result;
  gint64 elapsed = stats->time > 0 ? now - stats->time : 0;

  gst_structure_foreach (reply, add_stats, &totals);
  result =
      gst_structure_new ("conic-session-stats", "path", G_TYPE_STRING, get_path (&totals),
                         "round-trip-time", G_TYPE_DOUBLE, totals.round_trip_time, "bitrate-in",
                         G_TYPE_UINT64, get_bitrate (totals.bytes_in, stats->bytes_in, elapsed),
                         "bitrate-out", G_TYPE_UINT64,
                         get_bitrate (totals.bytes_out, stats->bytes_out, elapsed), "packets-lost",
                         G_TYPE_INT64, totals.packets_lost, "jitter", G_TYPE_DOUBLE, totals.jitter,
                         NULL);
  stats->time = now;
  stats->bytes_in = totals.bytes_in;
  stats->bytes_out = totals.bytes_out;
  return result;
}
