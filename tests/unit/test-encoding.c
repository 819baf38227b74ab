/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that an encoding makes one keyframe of many requests that come together, that a request which
 * comes too soon after the last is put off and not forgotten, that one which no keyframe follows is made anew,
 * that its end is told once and forgotten in a seek, and that pictures of odd sizes and with full colours come
 * out as everybody can decode them. */

#include <gst/video/video.h>

#include "gstconicencoder.h"
#include "gstconicencoding.h"

/* What gstconicencoding.c promises between two keyframes that were asked for. */
#define INTERVAL (200 * G_TIME_SPAN_MILLISECOND)

#define VIEWERS 20

/* A watchdog, in seconds: everything here takes a fraction of it. */
#define PATIENCE 30

typedef struct {
  GstElement *pipeline;
  GstConicEncoding *encoding;
  GstPad *branches[VIEWERS];

  GMutex lock;
  GCond changed;
  guint n_frames;
  guint n_keyframes;
  guint n_ends;
} Fixture;

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_mutex_lock (&fixture->lock);
  fixture->n_frames++;
  if (!GST_BUFFER_FLAG_IS_SET (GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT))
    fixture->n_keyframes++;
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
  return GST_PAD_PROBE_OK;
}

static void
on_eos (GstConicEncoding *encoding, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_mutex_lock (&fixture->lock);
  fixture->n_ends++;
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
}

static void
wait_for (Fixture *fixture, const guint *count, guint wanted)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  g_mutex_lock (&fixture->lock);
  while (*count < wanted)
    g_assert_true (g_cond_wait_until (&fixture->changed, &fixture->lock, deadline));
  g_mutex_unlock (&fixture->lock);
}

static guint
get_count (Fixture *fixture, const guint *count)
{
  guint value;

  g_mutex_lock (&fixture->lock);
  value = *count;
  g_mutex_unlock (&fixture->lock);
  return value;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const GstConicCodec *codec = gst_conic_codec_find_by_name (GST_WEBRTC_KIND_VIDEO, "VP8");
  g_autoptr (GError) error = NULL;
  GstElement *source = gst_element_factory_make ("videotestsrc", NULL);
  GstElement *encoder = gst_conic_encoder_make (codec, 500000, &error);

  g_assert_no_error (error);
  g_mutex_init (&fixture->lock);
  g_cond_init (&fixture->changed);
  fixture->pipeline = gst_pipeline_new (NULL);
  fixture->encoding = gst_conic_encoding_new (codec, encoder, on_eos, fixture, &error);
  g_assert_no_error (error);
  g_object_set (source, "is-live", TRUE, NULL);
  gst_bin_add_many (GST_BIN (fixture->pipeline), source, GST_ELEMENT (fixture->encoding), NULL);
  g_assert_true (gst_element_link (source, GST_ELEMENT (fixture->encoding)));
  for (guint i = 0; i < VIEWERS; i++) {
    GstElement *sink = gst_element_factory_make ("fakesink", NULL);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

    g_object_set (sink, "async", FALSE, "sync", FALSE, NULL);
    gst_bin_add (GST_BIN (fixture->pipeline), sink);
    fixture->branches[i] = gst_conic_encoding_request_branch (fixture->encoding);
    g_assert_cmpint (gst_pad_link (fixture->branches[i], pad), ==, GST_PAD_LINK_OK);
  }
  gst_pad_add_probe (fixture->branches[0], GST_PAD_PROBE_TYPE_BUFFER, on_buffer, fixture, NULL);
  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  wait_for (fixture, &fixture->n_frames, 3);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gst_element_set_state (fixture->pipeline, GST_STATE_NULL);
  for (guint i = 0; i < VIEWERS; i++) {
    g_assert_cmpuint (gst_conic_encoding_release_branch (fixture->encoding, fixture->branches[i]),
                      ==, VIEWERS - 1 - i);
    gst_object_unref (fixture->branches[i]);
  }
  gst_object_unref (fixture->pipeline);
  g_cond_clear (&fixture->changed);
  g_mutex_clear (&fixture->lock);
}

static void
ask (Fixture *fixture)
{
  for (guint i = 0; i < VIEWERS; i++)
    gst_pad_send_event (fixture->branches[i],
                        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, i));
}

static void
test_merged (Fixture *fixture, gconstpointer data)
{
  guint before = get_count (fixture, &fixture->n_keyframes);
  guint frames;
  gint64 first, second;

  ask (fixture);
  wait_for (fixture, &fixture->n_keyframes, before + 1);
  first = g_get_monotonic_time ();
  /* At once again: one more for all of them, but not before it is time. */
  ask (fixture);
  ask (fixture);
  wait_for (fixture, &fixture->n_keyframes, before + 2);
  second = g_get_monotonic_time ();
  g_assert_cmpint (second - first, >=, INTERVAL / 2);

  frames = get_count (fixture, &fixture->n_frames);
  wait_for (fixture, &fixture->n_frames, frames + 15);
  g_assert_cmpuint (get_count (fixture, &fixture->n_keyframes), ==, before + 2);
}

static void
test_eos (Fixture *fixture, gconstpointer data)
{
  g_assert_false (gst_conic_encoding_is_eos (fixture->encoding));
  gst_element_send_event (fixture->pipeline, gst_event_new_eos ());
  wait_for (fixture, &fixture->n_ends, 1);
  g_assert_true (gst_conic_encoding_is_eos (fixture->encoding));
  g_assert_cmpuint (get_count (fixture, &fixture->n_ends), ==, 1);
}

/* A seek: what has come to its end goes on. */
static void
test_flush (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (GST_ELEMENT (fixture->encoding), "sink");

  test_eos (fixture, data);
  gst_pad_send_event (sink, gst_event_new_flush_start ());
  gst_pad_send_event (sink, gst_event_new_flush_stop (TRUE));
  g_assert_false (gst_conic_encoding_is_eos (fixture->encoding));
}

static gboolean
count_request (GstPad *pad, GstObject *parent, GstEvent *event)
{
  guint *n_requests = gst_pad_get_element_private (pad);

  if (gst_video_event_is_force_key_unit (event))
    ++*n_requests;
  gst_event_unref (event);
  return TRUE;
}

/* What is encoded elsewhere: the camera didn't get the first request. */
static void
test_lost_request (void)
{
  const GstConicCodec *codec = gst_conic_codec_find_by_name (GST_WEBRTC_KIND_VIDEO, "VP8");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) encoding = gst_object_ref_sink (
      GST_ELEMENT (gst_conic_encoding_new (codec, NULL, on_eos, NULL, &error)));
  g_autoptr (GstPad) camera = gst_object_ref_sink (gst_pad_new ("camera", GST_PAD_SRC));
  g_autoptr (GstPad) sink = gst_element_get_static_pad (encoding, "sink");
  g_autoptr (GstPad) branch = gst_conic_encoding_request_branch (GST_CONIC_ENCODING (encoding));
  g_autoptr (GstCaps) caps = gst_caps_from_string (codec->caps);
  GstSegment segment;
  gint64 begin = g_get_monotonic_time ();
  guint n_requests = 0;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_set_element_private (camera, &n_requests);
  gst_pad_set_event_function (camera, count_request);
  g_assert_cmpint (gst_pad_link (camera, sink), ==, GST_PAD_LINK_OK);
  gst_pad_set_active (camera, TRUE);
  gst_element_set_state (encoding, GST_STATE_PLAYING);
  gst_pad_push_event (camera, gst_event_new_stream_start ("camera"));
  gst_pad_push_event (camera, gst_event_new_caps (caps));
  gst_pad_push_event (camera, gst_event_new_segment (&segment));

  gst_pad_send_event (branch,
                      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
  g_assert_cmpuint (n_requests, ==, 1);
  while (n_requests < 2) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL);

    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    g_assert_cmpint (gst_pad_push (camera, buffer), ==, GST_FLOW_OK);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, PATIENCE * G_TIME_SPAN_SECOND);
    g_thread_yield ();
  }
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, INTERVAL);
  gst_element_set_state (encoding, GST_STATE_NULL);
  gst_conic_encoding_release_branch (GST_CONIC_ENCODING (encoding), branch);
}

/* As from a screen with a window cut out: no encoder may choke on the size, or take it for more than
 * players can decode. */
static void
test_odd (void)
{
  static const char *const names[] = {"VP8", "H264"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const GstConicCodec *codec = gst_conic_codec_find_by_name (GST_WEBRTC_KIND_VIDEO, names[i]);
    g_autoptr (GError) error = NULL;
    GstElement *encoder = gst_conic_encoder_make (codec, 500000, &error);
    GstConicEncoding *encoding = gst_conic_encoding_new (codec, encoder, on_eos, NULL, &error);
    g_autoptr (GstElement) pipeline =
        gst_parse_launch ("videotestsrc num-buffers=5 ! "
                          "video/x-raw,format=BGRx,width=321,height=241 ! identity name=in "
                          "fakesink name=out",
                          &error);
    g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
    g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstPad) pad = NULL;
    g_autoptr (GstPad) sink = gst_element_get_static_pad (out, "sink");
    g_autoptr (GstPad) encoder_sink = gst_element_get_static_pad (encoder, "sink");
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GstCaps) caps = NULL;

    g_assert_no_error (error);
    gst_bin_add (GST_BIN (pipeline), GST_ELEMENT (encoding));
    g_assert_true (gst_element_link (in, GST_ELEMENT (encoding)));
    pad = gst_conic_encoding_request_branch (encoding);
    g_assert_cmpint (gst_pad_link (pad, sink), ==, GST_PAD_LINK_OK);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (bus, PATIENCE * GST_SECOND,
                                          GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ASYNC_DONE);
    caps = gst_pad_get_current_caps (encoder_sink);
    g_assert_cmpstr (gst_structure_get_string (gst_caps_get_structure (caps, 0), "format"), ==,
                     "I420");
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_conic_encoding_release_branch (encoding, pad);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/encoding/merged-requests", Fixture, NULL, set_up, test_merged, tear_down);
  g_test_add ("/encoding/eos", Fixture, NULL, set_up, test_eos, tear_down);
  g_test_add ("/encoding/flush", Fixture, NULL, set_up, test_flush, tear_down);
  g_test_add_func ("/encoding/lost-request", test_lost_request);
  g_test_add_func ("/encoding/odd", test_odd);

  return g_test_run ();
}
