/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The elements by themselves, without a hub: that their properties have the documented defaults and
 * keep what is set, that pads are given and refused by name, that each state can be reached and
 * left, any number of times, and that what is disposed of in any of these leaves nothing behind
 * (which the sanitizer build checks). */

#include <gst/gst.h>

/* Nothing listens on the discard port of the loopback address. */
#define NO_HUB       "ws://127.0.0.1:9/ws"
#define STATE_CYCLES 10
/* An element that never connected waits for nothing when it goes to NULL but the key that it is making, on
 * a busy machine. */
#define NULL_SECONDS_MAX    5.0
#define WARNING_SECONDS_MAX 30

static const char *const ELEMENTS[] = {"conicsignaller", "conicbin", "conicsink", "conicsrc"};

static GstElement *
make (const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  g_assert_nonnull (element);
  return gst_object_ref_sink (element);
}

static void
test_defaults (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) element = make (ELEMENTS[i]);
    g_autofree char *uri = NULL;
    g_autofree char *client_id = NULL;
    g_autofree char *target_id = NULL;
    g_autofree char *stun_server = NULL;
    g_autoptr (GstStructure) stats = NULL;
    GValue turn_servers = G_VALUE_INIT;
    guint session_timeout;
    gboolean connected;

    g_object_get (element, "uri", &uri, "client-id", &client_id, "target-id", &target_id,
                  "stun-server", &stun_server, "session-timeout", &session_timeout, "connected",
                  &connected, "stats", &stats, NULL);
    g_assert_cmpstr (uri, ==, "ws://127.0.0.1:3000/ws");
    g_assert_null (client_id);
    g_assert_null (target_id);
    g_assert_null (stun_server);
    g_assert_cmpuint (session_timeout, ==, 20);
    g_assert_false (connected);
    g_assert_nonnull (stats);
    g_assert_cmpstr (gst_structure_get_name (stats), ==, "conic-stats");
    g_assert_true (gst_structure_has_field_typed (stats, "sessions", GST_TYPE_ARRAY));

    g_value_init (&turn_servers, GST_TYPE_ARRAY);
    g_object_get_property (G_OBJECT (element), "turn-servers", &turn_servers);
    g_assert_cmpuint (gst_value_array_get_size (&turn_servers), ==, 0);
    g_value_unset (&turn_servers);
  }
}

static void
test_latency (void)
{
  static const char *const receivers[] = {"conicbin", "conicsrc"};

  for (guint i = 0; i < G_N_ELEMENTS (receivers); i++) {
    g_autoptr (GstElement) element = make (receivers[i]);
    guint latency;

    g_object_get (element, "latency", &latency, NULL);
    g_assert_cmpuint (latency, ==, 200);
    g_object_set (element, "latency", 50, NULL);
    g_object_get (element, "latency", &latency, NULL);
    g_assert_cmpuint (latency, ==, 50);
  }
}

static void
test_properties (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) element = make (ELEMENTS[i]);
    g_autofree char *uri = NULL;
    g_autofree char *client_id = NULL;
    g_autofree char *target_id = NULL;
    g_autofree char *stun_server = NULL;
    guint session_timeout;

    g_object_set (element, "uri", "wss://example.invalid/ws", "client-id", "a", "target-id", "b",
                  "stun-server", "stun://127.0.0.1:3478", "session-timeout", 7, NULL);
    g_object_get (element, "uri", &uri, "client-id", &client_id, "target-id", &target_id,
                  "stun-server", &stun_server, "session-timeout", &session_timeout, NULL);
    g_assert_cmpstr (uri, ==, "wss://example.invalid/ws");
    g_assert_cmpstr (client_id, ==, "a");
    g_assert_cmpstr (target_id, ==, "b");
    g_assert_cmpstr (stun_server, ==, "stun://127.0.0.1:3478");
    g_assert_cmpuint (session_timeout, ==, 7);

    g_object_set (element, "client-id", NULL, "target-id", NULL, "stun-server", NULL, NULL);
    g_clear_pointer (&client_id, g_free);
    g_object_get (element, "client-id", &client_id, NULL);
    g_assert_null (client_id);
  }
}

static void
test_turn_servers (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) element = make (ELEMENTS[i]);
    GValue turn_servers = G_VALUE_INIT;

    gst_util_set_object_arg (G_OBJECT (element), "turn-servers",
                             "<\"turn://a:b@127.0.0.1:1\", \"turn://c:d@127.0.0.1:2\">");
    g_value_init (&turn_servers, GST_TYPE_ARRAY);
    g_object_get_property (G_OBJECT (element), "turn-servers", &turn_servers);
    g_assert_cmpuint (gst_value_array_get_size (&turn_servers), ==, 2);
    g_assert_cmpstr (g_value_get_string (gst_value_array_get_value (&turn_servers, 1)), ==,
                     "turn://c:d@127.0.0.1:2");
    g_value_unset (&turn_servers);
  }
}

static void
assert_pad (GstElement *element, const char *wanted, const char *given)
{
  g_autoptr (GstPad) pad = gst_element_request_pad_simple (element, wanted);

  g_assert_nonnull (pad);
  if (given != NULL)
    g_assert_cmpstr (GST_PAD_NAME (pad), ==, given);
  gst_element_release_request_pad (element, pad);
}

static void
test_request_pads (void)
{
  static const char *const senders[] = {"conicbin", "conicsink"};

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++) {
    g_autoptr (GstElement) element = make (senders[i]);

    assert_pad (element, "audio_%u", "audio_0");
    assert_pad (element, "video_%u", "video_0");
    assert_pad (element, "video_7", "video_7");
    assert_pad (element, "data_chat", "data_chat");
    assert_pad (element, "data_with-dash.and_more", "data_with-dash.and_more");
    assert_pad (element, "data_%s", NULL);
    g_assert_cmpuint (element->numpads, ==, 0);
    g_assert_null (gst_element_request_pad_simple (element, "subtitle_0"));
  }
}

static void
test_many_pads (void)
{
  g_autoptr (GstElement) element = make ("conicsink");
  g_autoptr (GstPad) first = gst_element_request_pad_simple (element, "video_%u");
  g_autoptr (GstPad) second = gst_element_request_pad_simple (element, "video_%u");
  g_autoptr (GstPad) third = gst_element_request_pad_simple (element, "audio_%u");

  g_assert_cmpstr (GST_PAD_NAME (first), !=, GST_PAD_NAME (second));
  g_assert_cmpuint (element->numsinkpads, ==, 3);
  gst_element_release_request_pad (element, first);
  g_assert_cmpuint (element->numsinkpads, ==, 2);
  /* The rest goes with the element. */
}

static void
test_lines (void)
{
  g_autoptr (GstElement) element = make ("conicsink");
  g_autoptr (GstPad) pad = gst_element_request_pad_simple (element, "data_chat");
  gboolean lines = TRUE;

  g_object_get (pad, "lines", &lines, NULL);
  g_assert_false (lines);
  gst_child_proxy_set (GST_CHILD_PROXY (element), "data_chat::lines", TRUE, NULL);
  g_object_get (pad, "lines", &lines, NULL);
  g_assert_true (lines);
  gst_element_release_request_pad (element, pad);
}

static void
test_lines_in_parse_launch (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("conicsink name=s data_chat::lines=true  fakesrc ! s.data_chat", &error);
  g_autoptr (GstElement) element = NULL;
  g_autoptr (GstPad) pad = NULL;
  gboolean lines = FALSE;

  g_assert_no_error (error);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  pad = gst_element_get_static_pad (element, "data_chat");
  g_assert_nonnull (pad);
  g_object_get (pad, "lines", &lines, NULL);
  g_assert_true (lines);
}

/* Goes through all states with nobody to talk to; conicsignaller has a webrtcbin beside it. */
static GstElement *
make_lonely (const char *factory)
{
  GstElement *pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  GstElement *element = gst_element_factory_make (factory, "conic");

  g_object_set (element, "uri", NO_HUB, "target-id", "nobody", NULL);
  gst_bin_add (GST_BIN (pipeline), element);
  if (g_str_equal (factory, "conicsignaller")) {
    gst_bin_add (GST_BIN (pipeline), gst_element_factory_make ("webrtcbin", "rtc"));
    g_object_set (element, "webrtc", "rtc", NULL);
  }
  return pipeline;
}

static void
assert_to_null (GstElement *pipeline)
{
  g_autoptr (GTimer) timer = g_timer_new ();

  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpfloat (g_timer_elapsed (timer, NULL), <, NULL_SECONDS_MAX);
}

static void
test_states (void)
{
  static const GstState states[] = {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};

  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) pipeline = make_lonely (ELEMENTS[i]);

    for (guint cycle = 0; cycle < STATE_CYCLES; cycle++) {
      g_assert_cmpint (gst_element_set_state (pipeline, states[cycle % G_N_ELEMENTS (states)]), !=,
                       GST_STATE_CHANGE_FAILURE);
      assert_to_null (pipeline);
    }
  }
}

static void
test_null_after_warning (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) pipeline = make_lonely (ELEMENTS[i]);
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) warning = NULL;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (bus, WARNING_SECONDS_MAX * GST_SECOND,
                                          GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &warning, NULL);
    g_assert_nonnull (strstr (warning->message, "127.0.0.1:9"));
    assert_to_null (pipeline);
  }
}

/* Returns what the next error is. */
static char *
wait_error (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, WARNING_SECONDS_MAX * GST_SECOND, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  return g_strdup (error->message);
}

static void
test_failed_before_playing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ELEMENTS); i++) {
    g_autoptr (GstElement) pipeline = make_lonely (ELEMENTS[i]);
    g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), "conic");

    g_object_set (element, "uri", "wss://127.0.0.1:9/ws", "tls-ca", "/nothing/there", NULL);
    for (guint cycle = 0; cycle < 2; cycle++) {
      g_autofree char *first = NULL, *second = NULL;

      g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PAUSED), !=,
                       GST_STATE_CHANGE_FAILURE);
      first = wait_error (pipeline);
      g_assert_nonnull (strstr (first, "/nothing/there"));
      g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PLAYING), ==,
                       GST_STATE_CHANGE_FAILURE);
      second = wait_error (pipeline);
      g_assert_cmpstr (second, ==, first);
      assert_to_null (pipeline);
    }
  }
}

static void
test_signaller_without_webrtcbin (void)
{
  static const char *const descriptions[] = {
      "conicsignaller uri=" NO_HUB,
      "conicsignaller webrtc=missing uri=" NO_HUB,
      "conicsignaller webrtc=wrong uri=" NO_HUB "  identity name=wrong",
  };

  for (guint i = 0; i < G_N_ELEMENTS (descriptions); i++) {
    g_autoptr (GstElement) parsed = gst_parse_launch (descriptions[i], NULL);
    g_autoptr (GstElement) pipeline = NULL;
    g_autofree char *error = NULL;

    if (GST_IS_PIPELINE (parsed)) {
      pipeline = g_steal_pointer (&parsed);
    } else {
      pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
      gst_bin_add (GST_BIN (pipeline), parsed);
      /* The bin has taken the floating reference. */
      parsed = NULL;
    }
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    error = wait_error (pipeline);
    g_assert_nonnull (strstr (error, "webrtc"));
    assert_to_null (pipeline);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/elements/defaults", test_defaults);
  g_test_add_func ("/elements/latency", test_latency);
  g_test_add_func ("/elements/properties", test_properties);
  g_test_add_func ("/elements/turn-servers", test_turn_servers);
  g_test_add_func ("/elements/pads/requested", test_request_pads);
  g_test_add_func ("/elements/pads/many", test_many_pads);
  g_test_add_func ("/elements/pads/lines", test_lines);
  g_test_add_func ("/elements/pads/lines-in-parse-launch", test_lines_in_parse_launch);
  g_test_add_func ("/elements/states", test_states);
  g_test_add_func ("/elements/null-after-warning", test_null_after_warning);
  g_test_add_func ("/elements/failed-before-playing", test_failed_before_playing);
  g_test_add_func ("/elements/signaller-without-webrtcbin", test_signaller_without_webrtcbin);
  return g_test_run ();
}
