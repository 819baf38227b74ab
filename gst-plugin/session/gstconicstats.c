/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The few figures that people ask for, out of webrtcbin's many (W3C webrtc-stats). */

#include "gstconicstats.h"

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

typedef struct {
  guint64 bytes_in;
  guint64 bytes_out;
  guint64 packets_in;
  guint64 packets_out;
  guint64 packets_repaired;
  gint64 packets_lost;
  gint64 packets_lost_out;
  double jitter;
  double round_trip_time;
  guint64 nacks; /* that came */
  guint64 plis;
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

/* GStreamer has had both types for it. */
static gint64
get_lost (const GstStructure *s)
{
  gint64 wide = 0;
  int narrow = 0;

  if (gst_structure_get_int64 (s, "packets-lost", &wide))
    return wide;
  gst_structure_get_int (s, "packets-lost", &narrow);
  return narrow;
}

static gboolean
add_stats (GQuark field, const GValue *value, gpointer user_data)
{
  Totals *totals = user_data;
  const GstStructure *s;
  GstWebRTCStatsType type;
  double seconds = 0;

  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return TRUE;
  s = gst_value_get_structure (value);
  if (!gst_structure_get (s, "type", GST_TYPE_WEBRTC_STATS_TYPE, &type, NULL))
    return TRUE;

  switch ((int) type) {
  case GST_WEBRTC_STATS_INBOUND_RTP:
    totals->bytes_in += get_count (s, "bytes-received");
    totals->packets_in += get_count (s, "packets-received");
    totals->packets_repaired += get_count (s, "packets-repaired");
    totals->packets_lost += get_lost (s);
    if (gst_structure_get_double (s, "jitter", &seconds))
      totals->jitter = MAX (totals->jitter, seconds);
    break;
  case GST_WEBRTC_STATS_OUTBOUND_RTP:
    totals->bytes_out += get_count (s, "bytes-sent");
    totals->packets_out += get_count (s, "packets-sent");
    totals->nacks += get_count (s, "nack-count");
    totals->plis += get_count (s, "pli-count");
    break;
  case GST_WEBRTC_STATS_REMOTE_INBOUND_RTP:
    totals->packets_lost_out += get_lost (s);
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
  GstStructure *result = gst_structure_new_empty ("conic-session-stats");
  gint64 elapsed = stats->time > 0 ? now - stats->time : 0;

  gst_structure_foreach (reply, add_stats, &totals);
  gst_structure_set (result, "path", G_TYPE_STRING, get_path (&totals), "round-trip-time",
                     G_TYPE_DOUBLE, totals.round_trip_time, "bitrate-in", G_TYPE_UINT64,
                     get_bitrate (totals.bytes_in, stats->bytes_in, elapsed), "bitrate-out",
                     G_TYPE_UINT64, get_bitrate (totals.bytes_out, stats->bytes_out, elapsed),
                     "bytes-in", G_TYPE_UINT64, totals.bytes_in, "bytes-out", G_TYPE_UINT64,
                     totals.bytes_out, "packets-in", G_TYPE_UINT64, totals.packets_in,
                     "packets-out", G_TYPE_UINT64, totals.packets_out, "packets-lost", G_TYPE_INT64,
                     totals.packets_lost, "packets-lost-out", G_TYPE_INT64, totals.packets_lost_out,
                     "packets-repaired", G_TYPE_UINT64, totals.packets_repaired, "nacks",
                     G_TYPE_UINT64, totals.nacks, "plis", G_TYPE_UINT64, totals.plis, "jitter",
                     G_TYPE_DOUBLE, totals.jitter, NULL);
  stats->time = now;
  stats->bytes_in = totals.bytes_in;
  stats->bytes_out = totals.bytes_out;
  return result;
}

void
gst_conic_stats_read_twcc (GstElement *webrtcbin, GstStructure *result)
{
  g_autoptr (GstElement) rtpbin = gst_bin_get_by_name (GST_BIN (webrtcbin), "rtpbin");
  g_autoptr (GstElement) session = NULL;
  g_autoptr (GstStructure) twcc = NULL;
  guint bitrate = 0;
  double lost = 0;

  /* All is bundled, so there is one session. */
  if (rtpbin != NULL)
    g_signal_emit_by_name (rtpbin, "get-session", 0, &session);
  if (session != NULL)
    g_object_get (session, "twcc-stats", &twcc, NULL);
  if (twcc != NULL) {
    gst_structure_get_uint (twcc, "bitrate-recv", &bitrate);
    gst_structure_get_double (twcc, "packet-loss-pct", &lost);
  }
  gst_structure_set (result, "twcc-bitrate", G_TYPE_UINT64, (guint64) bitrate, "twcc-loss",
                     G_TYPE_DOUBLE, lost / 100, NULL);
}
