/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that what webrtcbin replies to get-stats is summed up right: bit rates between two readings,
 * loss and jitter over all streams, the path as its worse end, and that a reply that has little or
 * nothing in it gives the documented “not known”. */

#include <gst/gst.h>

#include "gstconicstats.h"

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#define SECOND G_USEC_PER_SEC

static void
add (GstStructure *reply, const char *id, GstWebRTCStatsType type, GstStructure *stats)
{
  gst_structure_set (stats, "type", GST_TYPE_WEBRTC_STATS_TYPE, type, "id", G_TYPE_STRING, id,
                     NULL);
  gst_structure_set (reply, id, GST_TYPE_STRUCTURE, stats, NULL);
  gst_structure_free (stats);
}

static void
add_inbound (GstStructure *reply, const char *id, guint64 bytes, int lost, double jitter)
{
  add (reply, id, GST_WEBRTC_STATS_INBOUND_RTP,
       gst_structure_new (id, "bytes-received", G_TYPE_UINT64, bytes, "packets-lost", G_TYPE_INT,
                          lost, "jitter", G_TYPE_DOUBLE, jitter, NULL));
}

static void
add_outbound (GstStructure *reply, const char *id, guint64 bytes)
{
  add (reply, id, GST_WEBRTC_STATS_OUTBOUND_RTP,
       gst_structure_new (id, "bytes-sent", G_TYPE_UINT64, bytes, NULL));
}

static void
add_candidate (GstStructure *reply, const char *id, GstWebRTCStatsType type, const char *kind)
{
  add (reply, id, type, gst_structure_new (id, "candidate-type", G_TYPE_STRING, kind, NULL));
}

static guint64
get_uint64 (const GstStructure *stats, const char *field)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

static double
get_double (const GstStructure *stats, const char *field)
{
  double value;

  g_assert_true (gst_structure_get_double (stats, field, &value));
  return value;
}

static gint64
get_lost (const GstStructure *stats)
{
  gint64 value;

  g_assert_true (gst_structure_get_int64 (stats, "packets-lost", &value));
  return value;
}

/* What is known of nothing. */
static void
check_blank (const GstStructure *stats)
{
  g_assert_cmpstr (gst_structure_get_name (stats), ==, "conic-session-stats");
  g_assert_cmpstr (gst_structure_get_string (stats, "path"), ==, "unknown");
  g_assert_cmpfloat (get_double (stats, "round-trip-time"), ==, -1);
  g_assert_cmpfloat (get_double (stats, "jitter"), ==, 0);
  g_assert_cmpuint (get_uint64 (stats, "bitrate-in"), ==, 0);
  g_assert_cmpuint (get_uint64 (stats, "bitrate-out"), ==, 0);
  g_assert_cmpint (get_lost (stats), ==, 0);
}

static void
test_blank (void)
{
  GstConicStats stats = {0};
  g_autoptr (GstStructure) empty = gst_structure_new_empty ("reply");
  g_autoptr (GstStructure) odd =
      gst_structure_new ("reply", "number", G_TYPE_INT, 1, "text", G_TYPE_STRING, "inbound", NULL);
  g_autoptr (GstStructure) untyped = gst_structure_new_empty ("untyped");
  g_autoptr (GstStructure) first = NULL;
  g_autoptr (GstStructure) second = NULL;

  /* What has no type, has none of the fields, or is of no use here is passed over. */
  gst_structure_set (odd, "untyped", GST_TYPE_STRUCTURE, untyped, NULL);
  add (odd, "bare", GST_WEBRTC_STATS_INBOUND_RTP, gst_structure_new_empty ("bare"));
  add (odd, "codec", GST_WEBRTC_STATS_CODEC, gst_structure_new_empty ("codec"));

  first = gst_conic_stats_read (&stats, empty, SECOND);
  check_blank (first);
  second = gst_conic_stats_read (&stats, odd, 2 * SECOND);
  check_blank (second);
}

static void
test_sums (void)
{
  GstConicStats stats = {0};
  g_autoptr (GstStructure) reply = gst_structure_new_empty ("reply");
  g_autoptr (GstStructure) read = NULL;

  add_inbound (reply, "audio", 1000, 3, 0.01);
  add_inbound (reply, "video", 2000, 4, 0.03);
  add_inbound (reply, "more", 0, 0, 0.02);
  add (reply, "remote", GST_WEBRTC_STATS_REMOTE_INBOUND_RTP,
       gst_structure_new ("remote", "round-trip-time", G_TYPE_DOUBLE, 0.025, NULL));
  /* A stream whose round trip hasn't been measured yet says zero. */
  add (reply, "silent", GST_WEBRTC_STATS_REMOTE_INBOUND_RTP,
       gst_structure_new ("silent", "round-trip-time", G_TYPE_DOUBLE, 0.0, NULL));

  add (reply, "wide", GST_WEBRTC_STATS_INBOUND_RTP,
       gst_structure_new ("wide", "packets-lost", G_TYPE_INT64, (gint64) 5, "packets-received",
                          G_TYPE_UINT64, (guint64) 90, "packets-repaired", G_TYPE_UINT64,
                          (guint64) 2, NULL));
  add (reply, "sent", GST_WEBRTC_STATS_OUTBOUND_RTP,
       gst_structure_new ("sent", "packets-sent", G_TYPE_UINT64, (guint64) 80, "nack-count",
                          G_TYPE_UINT, 3, "pli-count", G_TYPE_UINT, 1, NULL));
  read = gst_conic_stats_read (&stats, reply, SECOND);
  g_assert_cmpint (get_lost (read), ==, 12);
  g_assert_cmpuint (get_uint64 (read, "packets-in"), ==, 90);
  g_assert_cmpuint (get_uint64 (read, "packets-out"), ==, 80);
  g_assert_cmpuint (get_uint64 (read, "packets-repaired"), ==, 2);
  g_assert_cmpuint (get_uint64 (read, "nacks"), ==, 3);
  g_assert_cmpuint (get_uint64 (read, "plis"), ==, 1);
  g_assert_cmpfloat (get_double (read, "jitter"), ==, 0.03);
  g_assert_cmpfloat (get_double (read, "round-trip-time"), ==, 0.025);
}

static void
test_bitrates (void)
{
  static const struct {
    gint64 time;
    guint64 in, out;
    guint64 bitrate_in, bitrate_out;
  } readings[] = {
      {10 * SECOND, 5000, 100, 0, 0}, /* the first tells nothing of a rate */
      {11 * SECOND, 6000, 350, 8000, 2000},
      {13 * SECOND, 7000, 350, 4000, 0},
      {13 * SECOND + SECOND / 2, 8000, 351, 16000, 16},
      {13 * SECOND + SECOND / 2, 9000, 351, 0, 0}, /* no time has passed */
      {14 * SECOND + SECOND / 2, 100, 0, 0, 0},    /* the counters have started anew */
      {15 * SECOND + SECOND / 2, 1100, 1000, 8000, 8000},
  };
  GstConicStats stats = {0};

  for (guint i = 0; i < G_N_ELEMENTS (readings); i++) {
    g_autoptr (GstStructure) reply = gst_structure_new_empty ("reply");
    g_autoptr (GstStructure) read = NULL;

    add_inbound (reply, "a", readings[i].in / 2, 0, 0);
    add_inbound (reply, "b", readings[i].in - readings[i].in / 2, 0, 0);
    add_outbound (reply, "c", readings[i].out);
    read = gst_conic_stats_read (&stats, reply, readings[i].time);
    g_assert_cmpuint (get_uint64 (read, "bytes-in"), ==, readings[i].in);
    g_assert_cmpuint (get_uint64 (read, "bytes-out"), ==, readings[i].out);
    g_assert_cmpuint (get_uint64 (read, "bitrate-in"), ==, readings[i].bitrate_in);
    g_assert_cmpuint (get_uint64 (read, "bitrate-out"), ==, readings[i].bitrate_out);
  }
}

/* GStreamer 1.22 counts in both widths. */
static void
test_narrow_counts (void)
{
  GstConicStats stats = {.time = SECOND};
  g_autoptr (GstStructure) reply = gst_structure_new_empty ("reply");
  g_autoptr (GstStructure) read = NULL;

  add (reply, "in", GST_WEBRTC_STATS_INBOUND_RTP,
       gst_structure_new ("in", "bytes-received", G_TYPE_UINT, 125u, NULL));
  read = gst_conic_stats_read (&stats, reply, 2 * SECOND);
  g_assert_cmpuint (get_uint64 (read, "bitrate-in"), ==, 1000);
}

static void
test_path (void)
{
  static const struct {
    const char *local, *remote, *path;
  } pairs[] = {
      {"host", "host", "host"},    {"host", "prflx", "prflx"}, {"srflx", "host", "srflx"},
      {"prflx", "srflx", "srflx"}, {"relay", "host", "relay"}, {"host", "relay", "relay"},
      {"relay", "srflx", "relay"}, {"host", "odd", "host"},    {"odd", "odd", "unknown"},
      {NULL, "host", "host"},      {"relay", NULL, "relay"},   {NULL, NULL, "unknown"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    GstConicStats stats = {0};
    g_autoptr (GstStructure) reply = gst_structure_new_empty ("reply");
    g_autoptr (GstStructure) read = NULL;

    if (pairs[i].local != NULL)
      add_candidate (reply, "l", GST_WEBRTC_STATS_LOCAL_CANDIDATE, pairs[i].local);
    if (pairs[i].remote != NULL)
      add_candidate (reply, "r", GST_WEBRTC_STATS_REMOTE_CANDIDATE, pairs[i].remote);
    read = gst_conic_stats_read (&stats, reply, SECOND);
    g_assert_cmpstr (gst_structure_get_string (read, "path"), ==, pairs[i].path);
  }
}

int
main (int argc, char **argv)
{
  /* No plugin is needed; looking for them takes longer than the test. */
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/stats/blank", test_blank);
  g_test_add_func ("/stats/sums", test_sums);
  g_test_add_func ("/stats/bitrates", test_bitrates);
  g_test_add_func ("/stats/narrow-counts", test_narrow_counts);
  g_test_add_func ("/stats/path", test_path);

  return g_test_run ();
}
