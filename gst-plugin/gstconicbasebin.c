/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*                         ┌─ GstConicConnection (one for each session) ─┐
 *   sink pads ─► inputs ─►│ branches ─► webrtcbin ─► decodebin          │─► source pads
 *                         └─────────────────────────────────────────────┘
 *   data sink pads ──────────► data channels ──────► data source pads
 *
 * The connections belong to the endpoint's thread. */

#include "gstconicbasebin.h"

#include <string.h>

#include "gstconicchannels.h"
#include "gstconiccertificate.h"
#include "gstconicinputs.h"

GST_DEBUG_CATEGORY (gst_conic_base_bin_debug);
#define GST_CAT_DEFAULT gst_conic_base_bin_debug

/* Milliseconds that connections get to close by themselves; a relay is told in less than 800. */
#define BLOCKED_TIME 1000

enum { SIGNAL_ENCODER_SETUP, SIGNAL_DATA_CHANNEL, SIGNAL_OPEN_DATA_CHANNEL, N_SIGNALS };

static guint signals[N_SIGNALS];

typedef struct {
  GstConicEndpoint *endpoint;
  GstConicInputs *inputs;
  GstConicOutputs *outputs;
  GstConicConnections *connections;
  GstConicMediaSettings settings; /* OBJECT_LOCK */
  GstConicMediaSettings running;  /* what they were at the start */
  GThread *certificate;           /* (nullable): makes it; of the changes between NULL and READY */
} GstConicBaseBinPrivate;

static void child_proxy_init (gpointer iface, gpointer data);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GstConicBaseBin,
                                  gst_conic_base_bin,
                                  GST_TYPE_BIN,
                                  G_ADD_PRIVATE (GstConicBaseBin)
                                      G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY,
                                                             child_proxy_init))

#define PRIV(self) ((GstConicBaseBinPrivate *) gst_conic_base_bin_get_instance_private (self))

/* --- what the connections ask --- */

gboolean
gst_conic_base_bin_receives (GstConicBaseBin *self)
{
  return gst_conic_outputs_are_possible (GST_ELEMENT (self));
}

const GstConicMediaSettings *
gst_conic_base_bin_get_media_settings (GstConicBaseBin *self)
{
  return &PRIV (self)->running;
}

GPtrArray *
gst_conic_base_bin_get_inputs (GstConicBaseBin *self)
{
  return gst_conic_inputs_get_media (PRIV (self)->inputs);
}

GStrv
gst_conic_base_bin_get_data_labels (GstConicBaseBin *self)
{
  return gst_conic_inputs_get_labels (PRIV (self)->inputs);
}

GstConicDataSink *
gst_conic_base_bin_find_data_sink (GstConicBaseBin *self, const char *label)
{
  return gst_conic_inputs_find_data (PRIV (self)->inputs, label);
}

GstConicOutputs *
gst_conic_base_bin_get_outputs (GstConicBaseBin *self)
{
  return PRIV (self)->outputs;
}

GstConicConnections *
gst_conic_base_bin_get_connections (GstConicBaseBin *self)
{
  return PRIV (self)->connections;
}

void
gst_conic_base_bin_invoke (GstConicBaseBin *self,
                           GstConicEndpointFunc func,
                           gpointer data,
                           GDestroyNotify free_data)
{
  gst_conic_endpoint_invoke (PRIV (self)->endpoint, func, data, free_data);
}

/* --- channels of the application --- */

gboolean
gst_conic_base_bin_offer_channel (GstConicBaseBin *self,
                                  GstConicSession *session,
                                  GstWebRTCDataChannel *channel)
{
  gboolean taken = FALSE;

  g_signal_emit (self, signals[SIGNAL_DATA_CHANNEL], 0, gst_conic_session_get_peer_id (session),
                 gst_conic_session_get_session_id (session), channel, &taken);
  return taken;
}

static GstWebRTCDataChannel *
open_data_channel (GstConicBaseBin *self,
                   const char *peer_id,
                   const char *session_id,
                   const char *label,
                   const GstStructure *options)
{
  g_autoptr (GstElement) webrtcbin = NULL;
  g_autoptr (GError) error = NULL;
  GstWebRTCDataChannel *channel = NULL;

  if (peer_id == NULL || label == NULL)
    return NULL;
  webrtcbin = gst_conic_connections_find_webrtcbin (PRIV (self)->connections, peer_id, session_id);
  if (webrtcbin != NULL)
    channel = gst_conic_channels_create (webrtcbin, label, options, &error);
  if (channel == NULL)
    GST_WARNING_OBJECT (self, "no channel “%s” with “%s”: %s", label, peer_id,
                        error != NULL ? error->message : "there is no such session");
  return channel;
}

/* --- readiness and the end --- */

/* Sessions begin when it is known what every input brings. */
static void
check_ready (GstConicBaseBin *self)
{
  if (gst_conic_inputs_are_known (PRIV (self)->inputs))
    gst_conic_endpoint_set_ready (PRIV (self)->endpoint);
}

static void
on_input_known (GstElement *element)
{
  check_ready (GST_CONIC_BASE_BIN (element));
  gst_conic_connections_update (PRIV (GST_CONIC_BASE_BIN (element))->connections);
}

static void
on_input_left (GstElement *element)
{
  gst_conic_connections_update (PRIV (GST_CONIC_BASE_BIN (element))->connections);
}

static void
on_data_opened (GstElement *element, const char *label)
{
  gst_conic_connections_open_data (PRIV (GST_CONIC_BASE_BIN (element))->connections, label);
}

static void
on_inputs_eos (GstElement *element)
{
  gst_conic_connections_finish (PRIV (GST_CONIC_BASE_BIN (element))->connections);
}

static void
on_input_encoder (GstElement *element, const char *pad_name, GstElement *encoder)
{
  g_signal_emit (element, signals[SIGNAL_ENCODER_SETUP], 0, pad_name, encoder);
}

static const GstConicInputsHandlers inputs_handlers = {
    .known = on_input_known,
    .left = on_input_left,
    .opened = on_data_opened,
    .eos = on_inputs_eos,
    .encoder = on_input_encoder,
};

/* The names of codecs that a list has and this version doesn't know. */
static void
warn_of_codecs (GstConicBaseBin *self, GstWebRTCKind kind)
{
  const char *const *names = gst_conic_media_settings_get_codecs (&PRIV (self)->running, kind);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (gst_conic_codec_find_by_name (kind, names[i]) == NULL)
      GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                           ("“%s” in %s is not a codec that is known here; it is left out",
                            names[i],
                            kind == GST_WEBRTC_KIND_VIDEO ? "video-codecs" : "audio-codecs"),
                           (NULL));
}

/* Takes over what the properties are now. */
static void
set_up (GstConicBaseBin *self)
{
  GstConicBaseBinPrivate *priv = PRIV (self);

  GST_OBJECT_LOCK (self);
  gst_conic_media_settings_copy (&priv->settings, &priv->running);
  GST_OBJECT_UNLOCK (self);
  warn_of_codecs (self, GST_WEBRTC_KIND_AUDIO);
  warn_of_codecs (self, GST_WEBRTC_KIND_VIDEO);
  gst_conic_inputs_set_up (priv->inputs);
}

/* --- request pads --- */

static GstPad *
gst_conic_base_bin_request_new_pad (GstElement *element,
                                    GstPadTemplate *template,
                                    const char *name,
                                    const GstCaps *caps)
{
  return gst_conic_inputs_request (PRIV (GST_CONIC_BASE_BIN (element))->inputs, template, name);
}

static void
gst_conic_base_bin_release_pad (GstElement *element, GstPad *pad)
{
  gst_conic_inputs_release (PRIV (GST_CONIC_BASE_BIN (element))->inputs, pad);
}

/* gst-launch sets pad properties by pad name: “conicsink data_chat::lines=true”. */
static GObject *
get_child_by_name (GstChildProxy *proxy, const char *name)
{
  GstChildProxyInterface *parent_iface = g_type_interface_peek_parent (
      g_type_interface_peek (G_OBJECT_GET_CLASS (proxy), GST_TYPE_CHILD_PROXY));
  GstPad *pad = gst_element_get_static_pad (GST_ELEMENT (proxy), name);

  if (pad != NULL)
    return G_OBJECT (pad);
  return parent_iface != NULL ? parent_iface->get_child_by_name (proxy, name) : NULL;
}

static void
child_proxy_init (gpointer iface, gpointer data)
{
  ((GstChildProxyInterface *) iface)->get_child_by_name = get_child_by_name;
}

/* --- the element --- */

static void
stop (GstConicBaseBin *self)
{
  GstConicBaseBinPrivate *priv = PRIV (self);

  gst_conic_endpoint_stop (priv->endpoint);
  gst_conic_outputs_flush_data (priv->outputs);
  /* What is downstream may play on: a sink that was flushed would wait for a picture, and its pipeline with
   * it. So that is done only to who blocks us. */
  if (!gst_conic_connections_wait (priv->connections, BLOCKED_TIME)) {
    gst_conic_outputs_flush_media (priv->outputs);
    gst_conic_connections_wait (priv->connections, -1);
  }
}

static void
push_eos (GstElement *element, gpointer pad)
{
  gst_pad_push_event (pad, gst_event_new_eos ());
}

/* In a thread of its own: what is downstream may be paused, or wait for the other streams' ends. */
static gboolean
begin_eos (GstElement *element, GstPad *pad, gpointer user_data)
{
  if (GST_IS_GHOST_PAD (pad))
    gst_element_call_async (element, push_eos, gst_object_ref (pad), gst_object_unref);
  return TRUE;
}

typedef struct {
  GstEvent *event;
  gboolean is_handled;
} Upstream;

static gboolean
push_upstream (GstElement *element, GstPad *pad, gpointer user_data)
{
  Upstream *upstream = user_data;

  if (gst_pad_push_event (pad, gst_event_ref (upstream->event)))
    upstream->is_handled = TRUE;
  return TRUE;
}

/* A seek, as an application does it with a whole pipeline: from its sinks on. There are none within. */
static gboolean
send_upstream (GstElement *element, GstEvent *event)
{
  Upstream upstream = {.event = event};

  gst_element_foreach_sink_pad (element, push_upstream, &upstream);
  gst_event_unref (event);
  return upstream.is_handled;
}

static gboolean
ask_peer (GstElement *element, GstPad *pad, gpointer query)
{
  return !gst_pad_peer_query (pad, query);
}

/* Where a pipeline is and how long it takes is asked of its sinks. There are none within. */
static gboolean
gst_conic_base_bin_query (GstElement *element, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
  case GST_QUERY_POSITION:
  case GST_QUERY_DURATION:
  case GST_QUERY_SEEKING:
    if (element->numsinkpads > 0)
      return !gst_element_foreach_sink_pad (element, ask_peer, query);
    /* FALLTHROUGH */
  default:
    return GST_ELEMENT_CLASS (gst_conic_base_bin_parent_class)->query (element, query);
  }
}

/* Whoever ends a pipeline this way (`gst-launch-1.0 -e`) wants files to be brought to their end. Sent to
 * the sources within, as bins do, EOS would get lost between a socket and a decoder. */
static gboolean
gst_conic_base_bin_send_event (GstElement *element, GstEvent *event)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);

  if (GST_EVENT_IS_UPSTREAM (event) && element->numsinkpads > 0)
    return send_upstream (element, event);
  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS || !gst_conic_base_bin_receives (self))
    return GST_ELEMENT_CLASS (gst_conic_base_bin_parent_class)->send_event (element, event);
  gst_event_unref (event);
  gst_element_foreach_src_pad (element, begin_eos, NULL);
  gst_conic_outputs_end_data (PRIV (self)->outputs);
  return TRUE;
}

static GstStateChangeReturn
gst_conic_base_bin_change_state (GstElement *element, GstStateChange transition)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  GstStateChangeReturn ret;

  if (GST_STATE_TRANSITION_NEXT (transition) == GST_STATE_PAUSED)
    gst_conic_connections_pause (PRIV (self)->connections);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    g_autoptr (GError) error = NULL;

    if (!gst_conic_connection_is_possible (&error)) {
      GST_ELEMENT_ERROR (self, CORE, MISSING_PLUGIN, ("%s", error->message), (NULL));
      return GST_STATE_CHANGE_FAILURE;
    }
    PRIV (self)->certificate = gst_conic_certificate_prepare ();
  } else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    set_up (self);
    gst_conic_endpoint_start (PRIV (self)->endpoint);
    check_ready (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    if (!gst_conic_endpoint_play (PRIV (self)->endpoint))
      return GST_STATE_CHANGE_FAILURE;
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    stop (self);
  }

  ret = GST_ELEMENT_CLASS (gst_conic_base_bin_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    gst_conic_connections_resume (PRIV (self)->connections);
  if ((transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
       transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) &&
      ret != GST_STATE_CHANGE_FAILURE && gst_conic_base_bin_receives (self))
    ret = GST_STATE_CHANGE_NO_PREROLL;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && ret == GST_STATE_CHANGE_FAILURE) {
    stop (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_conic_outputs_remove_media (PRIV (self)->outputs, NULL, FALSE);
    gst_conic_outputs_remove_data (PRIV (self)->outputs);
  } else if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
             (transition == GST_STATE_CHANGE_NULL_TO_READY && ret == GST_STATE_CHANGE_FAILURE)) {
    g_clear_pointer (&PRIV (self)->certificate, g_thread_join);
  }
  return ret;
}

static void
gst_conic_base_bin_handle_message (GstBin *bin, GstMessage *message)
{
  /* EOS is posted when the element itself has come to its end. */
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    gst_message_unref (message);
  else
    GST_BIN_CLASS (gst_conic_base_bin_parent_class)->handle_message (bin, message);
}

/* The one of the media's settings that may change while it runs. */
static void
change_bitrate (GstConicBaseBin *self)
{
  GstConicBaseBinPrivate *priv = PRIV (self);
  GstConicMediaSettings now;

  GST_OBJECT_LOCK (self);
  now = priv->settings;
  GST_OBJECT_UNLOCK (self);
  gst_conic_inputs_set_bitrates (priv->inputs, &now);
}

static void
gst_conic_base_bin_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (object));
  gboolean known;

  if (gst_conic_endpoint_set_property (priv->endpoint, id, value))
    return;
  GST_OBJECT_LOCK (object);
  known = gst_conic_media_settings_set (&priv->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (id == GST_CONIC_PROP_BITRATE || id == GST_CONIC_PROP_AUDIO_BITRATE)
    change_bitrate (GST_CONIC_BASE_BIN (object));
}

static void
gst_conic_base_bin_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (object));
  gboolean known;

  if (gst_conic_endpoint_get_property (priv->endpoint, id, value))
    return;
  GST_OBJECT_LOCK (object);
  known = gst_conic_media_settings_get (&priv->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_conic_base_bin_constructed (GObject *object)
{
  G_OBJECT_CLASS (gst_conic_base_bin_parent_class)->constructed (object);

  if (gst_conic_base_bin_receives (GST_CONIC_BASE_BIN (object)))
    GST_OBJECT_FLAG_SET (object, GST_ELEMENT_FLAG_SOURCE);
}

static void
gst_conic_base_bin_finalize (GObject *object)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (object));

  g_clear_object (&priv->endpoint);
  gst_conic_connections_free (priv->connections);
  gst_conic_inputs_free (priv->inputs);
  gst_conic_outputs_free (priv->outputs);
  gst_conic_media_settings_clear (&priv->settings);
  gst_conic_media_settings_clear (&priv->running);

  G_OBJECT_CLASS (gst_conic_base_bin_parent_class)->finalize (object);
}

static void
gst_conic_base_bin_class_init (GstConicBaseBinClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_conic_base_bin_debug, "conicbin", 0, "Conic bins");

  object_class->set_property = gst_conic_base_bin_set_property;
  object_class->get_property = gst_conic_base_bin_get_property;
  object_class->constructed = gst_conic_base_bin_constructed;
  object_class->finalize = gst_conic_base_bin_finalize;
  element_class->change_state = gst_conic_base_bin_change_state;
  element_class->send_event = gst_conic_base_bin_send_event;
  element_class->query = gst_conic_base_bin_query;
  element_class->request_new_pad = gst_conic_base_bin_request_new_pad;
  element_class->release_pad = gst_conic_base_bin_release_pad;
  GST_BIN_CLASS (klass)->handle_message = gst_conic_base_bin_handle_message;

  gst_conic_settings_install_properties (object_class);
  gst_conic_media_settings_install_properties (object_class);
  /**
   * GstConicBaseBin::encoder-setup:
   * @element: the element
   * @pad: name of the pad whose media is going to be encoded
   * @encoder: the encoder, in state NULL
   *
   * An encoder was made and tuned for real time; it may be set up differently now. Emitted in
   * whichever thread, once for each codec that a session uses.
   */
  signals[SIGNAL_ENCODER_SETUP] =
      g_signal_new ("encoder-setup", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 2, G_TYPE_STRING, GST_TYPE_ELEMENT);
  /**
   * GstConicBaseBin::data-channel:
   * @element: the element
   * @peer_id: whose it is
   * @session_id: (nullable): in which session
   * @channel: a #GstWebRTCDataChannel that the other side has opened
   *
   * In webrtcbin's thread, before any message: connect to the channel's signals here.
   *
   * Returns: %TRUE to have it to oneself; else a data pad shows what comes
   */
  signals[SIGNAL_DATA_CHANNEL] =
      g_signal_new ("data-channel", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                    g_signal_accumulator_true_handled, NULL, NULL, G_TYPE_BOOLEAN, 3, G_TYPE_STRING,
                    G_TYPE_STRING, GST_TYPE_WEBRTC_DATA_CHANNEL);
  /**
   * GstConicBaseBin::open-data-channel:
   * @element: the element
   * @peer_id: with whom
   * @session_id: (nullable): in which session with that peer
   * @label: what the channel is called
   * @options: (nullable): `ordered` (boolean), `max-retransmits` or `max-packet-lifetime` (int,
   *   milliseconds), `protocol` (string), `negotiated` (boolean) and with that `id` (int), which
   *   GStreamer 1.22 can't do
   *
   * Opens a data channel in a session that has started. It waits for the association if need be, a
   * second at most. The channel is the application's; no data pad uses it.
   *
   * Returns: (nullable): the #GstWebRTCDataChannel, or %NULL, with a warning in the log, if there is
   *   no such session or @options can't be
   */
  signals[SIGNAL_OPEN_DATA_CHANNEL] =
      g_signal_new_class_handler ("open-data-channel", G_TYPE_FROM_CLASS (klass),
                                  G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
                                  G_CALLBACK (open_data_channel), NULL, NULL, NULL,
                                  GST_TYPE_WEBRTC_DATA_CHANNEL, 4, G_TYPE_STRING, G_TYPE_STRING,
                                  G_TYPE_STRING, GST_TYPE_STRUCTURE);
  gst_type_mark_as_plugin_api (GST_TYPE_CONIC_BASE_BIN, (GstPluginAPIFlags) 0);
}

static void
gst_conic_base_bin_init (GstConicBaseBin *self)
{
  GstConicBaseBinPrivate *priv = PRIV (self);

  gst_bin_set_suppressed_flags (GST_BIN (self), GST_ELEMENT_FLAG_SINK | GST_ELEMENT_FLAG_SOURCE);
  priv->endpoint = gst_conic_endpoint_new (GST_ELEMENT (self), &gst_conic_connections_handlers);
  gst_conic_media_settings_init (&priv->settings);
  gst_conic_media_settings_init (&priv->running);
  priv->inputs = gst_conic_inputs_new (GST_ELEMENT (self), &priv->running, &inputs_handlers);
  priv->outputs = gst_conic_outputs_new (GST_ELEMENT (self), priv->endpoint);
  priv->connections =
      gst_conic_connections_new (GST_ELEMENT (self), priv->endpoint, priv->outputs, &priv->running);
}

static void
add_template (GstElementClass *klass,
              const char *name,
              GstPadDirection direction,
              GstPadPresence presence,
              GstCaps *caps)
{
  gst_element_class_add_pad_template (klass,
                                      gst_pad_template_new (name, direction, presence, caps));
  gst_caps_unref (caps);
}

/* GObject doesn't let a class inherit these for properties that it installs itself. */
static void
claim_properties (GstElementClass *klass)
{
  G_OBJECT_CLASS (klass)->set_property = gst_conic_base_bin_set_property;
  G_OBJECT_CLASS (klass)->get_property = gst_conic_base_bin_get_property;
}

void
gst_conic_base_bin_class_add_sink_templates (GstElementClass *klass)
{
  add_template (klass, "audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
                gst_conic_codec_get_input_caps (GST_WEBRTC_KIND_AUDIO));
  add_template (klass, "video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
                gst_conic_codec_get_input_caps (GST_WEBRTC_KIND_VIDEO));
  gst_element_class_add_pad_template (
      klass, gst_pad_template_new_with_gtype ("data_%s", GST_PAD_SINK, GST_PAD_REQUEST,
                                              GST_CAPS_ANY, GST_TYPE_CONIC_DATA_SINK));
  gst_type_mark_as_plugin_api (GST_TYPE_CONIC_DATA_SINK, (GstPluginAPIFlags) 0);
  claim_properties (klass);
  gst_conic_media_settings_install_send_properties (G_OBJECT_CLASS (klass));
}

void
gst_conic_base_bin_class_add_src_templates (GstElementClass *klass,
                                            const char *audio,
                                            const char *video,
                                            const char *data)
{
  add_template (klass, audio, GST_PAD_SRC, GST_PAD_SOMETIMES,
                gst_conic_codec_get_output_caps (GST_WEBRTC_KIND_AUDIO));
  add_template (klass, video, GST_PAD_SRC, GST_PAD_SOMETIMES,
                gst_conic_codec_get_output_caps (GST_WEBRTC_KIND_VIDEO));
  add_template (klass, data, GST_PAD_SRC, GST_PAD_SOMETIMES,
                gst_caps_from_string ("text/x-raw, format=utf8; application/octet-stream"));
  claim_properties (klass);
  gst_conic_media_settings_install_receive_properties (G_OBJECT_CLASS (klass));
}
