/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*                         ┌─ GstConicConnection (one for each session) ─┐
 *   sink pads ─► inputs ─►│ branches ─► webrtcbin ─► decodebin          │─► source pads
 *                         └─────────────────────────────────────────────┘
 *   data sink pads ──────────► data channels ──────► data source pads
 *
 * Locks: priv->lock guards the tables of pads, which streaming threads and webrtcbin's threads
 * read; no other lock is taken under it. The connections belong to the endpoint's thread. */

#include "gstconicbasebin.h"

#include <string.h>

#include "gstconicchannels.h"
#include "gstconiccertificate.h"
#include "gstconicdepartures.h"
#include "gstconicobjects.h"
#include "gstconicoutputs.h"
#include "gstconicpause.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_base_bin_debug);
#define GST_CAT_DEFAULT gst_conic_base_bin_debug

/* Milliseconds between the end of the last stream and EOS: what is encoded still has to pass the
 * branches and webrtcbin. */
#define EOS_LINGER 150

/* Milliseconds, beyond the latency, that what is under way gets when the other side has left. */
#define DRAIN_TIME 100

enum { SIGNAL_ENCODER_SETUP, SIGNAL_DATA_CHANNEL, SIGNAL_OPEN_DATA_CHANNEL, N_SIGNALS };

static guint signals[N_SIGNALS];

typedef struct {
  GstConicEndpoint *endpoint;
  GstConicOutputs *outputs;
  GstConicDepartures *departures;
  GstConicMediaSettings settings; /* OBJECT_LOCK */
  GstConicMediaSettings running;  /* what they were at the start */
  GPtrArray *connections;         /* (element-type GstConicConnection): the endpoint's
                                     thread's; changed under the lock */
  GSource *eos_timer;             /* likewise */
  GstConicPause pause;
  GThread *certificate;           /* (nullable): makes it; of the changes between NULL and READY */

  GMutex lock;
  GPtrArray *inputs;     /* (element-type GstConicInput) */
  GPtrArray *data_sinks; /* (element-type GstConicDataSink) */
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
  GstConicBaseBinPrivate *priv = PRIV (self);
  GPtrArray *inputs;

  g_mutex_lock (&priv->lock);
  inputs = gst_conic_objects_copy (priv->inputs);
  g_mutex_unlock (&priv->lock);
  return inputs;
}

/* (transfer container) */
static GPtrArray *
copy_data_sinks (GstConicBaseBin *self)
{
  GstConicBaseBinPrivate *priv = PRIV (self);
  GPtrArray *sinks;

  g_mutex_lock (&priv->lock);
  sinks = gst_conic_objects_copy (priv->data_sinks);
  g_mutex_unlock (&priv->lock);
  return sinks;
}

GStrv
gst_conic_base_bin_get_data_labels (GstConicBaseBin *self)
{
  g_autoptr (GPtrArray) sinks = copy_data_sinks (self);
  GPtrArray *labels = g_ptr_array_new ();

  for (guint i = 0; i < sinks->len; i++) {
    GstConicDataSink *sink = g_ptr_array_index (sinks, i);

    if (!gst_conic_data_sink_is_eos (sink))
      g_ptr_array_add (labels, g_strdup (gst_conic_data_sink_get_label (sink)));
  }
  g_ptr_array_add (labels, NULL);
  return (GStrv) g_ptr_array_free (labels, FALSE);
}

GstConicDataSink *
gst_conic_base_bin_find_data_sink (GstConicBaseBin *self, const char *label)
{
  g_autoptr (GPtrArray) sinks = copy_data_sinks (self);

  for (guint i = 0; i < sinks->len; i++)
    if (g_str_equal (gst_conic_data_sink_get_label (g_ptr_array_index (sinks, i)), label))
      return gst_object_ref (g_ptr_array_index (sinks, i));
  return NULL;
}

void
gst_conic_base_bin_invoke (GstConicBaseBin *self,
                           GstConicEndpointFunc func,
                           gpointer data,
                           GDestroyNotify free_data)
{
  gst_conic_endpoint_invoke (PRIV (self)->endpoint, func, data, free_data);
}

/* --- what comes --- */

static void
show_data_in_thread (GstElement *element, gpointer data)
{
  gst_conic_outputs_show_data (PRIV (GST_CONIC_BASE_BIN (element))->outputs, data);
}

/* (transfer full) (nullable): NULL when the element has no data source pads */
static GstConicDataSrc *
ensure_data_src (GstConicBaseBin *self, const char *label)
{
  gboolean is_new;
  GstConicDataSrc *src = gst_conic_outputs_ensure_data (PRIV (self)->outputs, label, &is_new);

  if (is_new)
    gst_conic_base_bin_invoke (self, show_data_in_thread, gst_object_ref (src), gst_object_unref);
  return src;
}

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

void
gst_conic_base_bin_announce_data (GstConicBaseBin *self, const char *label)
{
  GstConicDataSrc *src = ensure_data_src (self, label);

  if (src != NULL)
    gst_object_unref (src);
}

void
gst_conic_base_bin_receive_data (GstConicBaseBin *self,
                                 GstConicChannel *channel,
                                 GBytes *data,
                                 gboolean is_text)
{
  g_autoptr (GstConicDataSrc) src = ensure_data_src (self, gst_conic_channel_get_label (channel));

  if (src != NULL)
    gst_conic_data_src_push (src, channel, data, is_text);
  else
    gst_conic_channel_add_delivered (channel);
}

void
gst_conic_base_bin_finish_data (GstConicBaseBin *self, const char *label)
{
  g_autoptr (GstConicDataSrc) src = NULL;

  /* Without a target others may still come. */
  if (!gst_conic_endpoint_has_target (PRIV (self)->endpoint))
    return;
  src = ensure_data_src (self, label);
  if (src != NULL)
    gst_conic_data_src_push_eos (src);
}

void
gst_conic_base_bin_add_output (GstConicBaseBin *self,
                               GstConicConnection *connection,
                               GstWebRTCKind kind,
                               GstPad *pad)
{
  gst_conic_outputs_add_media (PRIV (self)->outputs, connection, kind, pad);
}

void
gst_conic_base_bin_complete_outputs (GstConicBaseBin *self)
{
  /* Without a target others may still come. */
  if (gst_conic_endpoint_has_target (PRIV (self)->endpoint))
    gst_element_no_more_pads (GST_ELEMENT (self));
}

/* --- sessions --- */

static GstConicConnection *
find_connection (GstConicBaseBin *self, GstConicSession *session)
{
  GstConicBaseBinPrivate *priv = PRIV (self);

  for (guint i = 0; i < priv->connections->len; i++) {
    GstConicConnection *connection = g_ptr_array_index (priv->connections, i);

    if (gst_conic_connection_get_session (connection) == session)
      return connection;
  }
  return NULL;
}

/* (transfer full) (nullable): the webrtcbin of the session with @peer_id and, if that isn't NULL,
 * @session_id; from any thread */
static GstElement *
find_webrtcbin (GstConicBaseBin *self, const char *peer_id, const char *session_id)
{
  GstConicBaseBinPrivate *priv = PRIV (self);
  GstElement *found = NULL;

  g_mutex_lock (&priv->lock);
  for (guint i = 0; i < priv->connections->len && found == NULL; i++) {
    GstConicConnection *connection = g_ptr_array_index (priv->connections, i);
    GstConicSession *session = gst_conic_connection_get_session (connection);

    if (g_str_equal (gst_conic_session_get_peer_id (session), peer_id) &&
        (session_id == NULL ||
         g_strcmp0 (gst_conic_session_get_session_id (session), session_id) == 0))
      found = gst_object_ref (gst_conic_connection_get_webrtcbin (connection));
  }
  g_mutex_unlock (&priv->lock);
  return found;
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
  webrtcbin = find_webrtcbin (self, peer_id, session_id);
  if (webrtcbin != NULL)
    channel = gst_conic_channels_create (webrtcbin, label, options, &error);
  if (channel == NULL)
    GST_WARNING_OBJECT (self, "no channel “%s” with “%s”: %s", label, peer_id,
                        error != NULL ? error->message : "there is no such session");
  return channel;
}

static gboolean
session_new (GstElement *element, GstConicSession *session, GError **error)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  GstConicBaseBinPrivate *priv = PRIV (self);
  GstConicConnection *connection = gst_conic_connection_new (element, session);
  GstElement *webrtcbin = gst_conic_connection_get_webrtcbin (connection);

  gst_object_ref_sink (connection);
  if (webrtcbin == NULL) {
    g_set_error_literal (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_NEGOTIATION,
                         "there is no webrtcbin: install gstreamer1.0-plugins-bad and "
                         "gstreamer1.0-nice");
    gst_object_unref (connection);
    return FALSE;
  }
  gst_conic_endpoint_configure (priv->endpoint, webrtcbin);
  gst_conic_session_open (session, webrtcbin,
                          gst_conic_endpoint_get_session_timeout (priv->endpoint));
  g_mutex_lock (&priv->lock);
  g_ptr_array_add (priv->connections, connection);
  g_mutex_unlock (&priv->lock);
  gst_conic_pause_watch (&priv->pause, GST_BIN (connection));
  /* It plays also while the element is paused, for the other side's sake. */
  gst_element_set_locked_state (GST_ELEMENT (connection), TRUE);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (connection));
  gst_element_set_state (GST_ELEMENT (connection), GST_STATE_PLAYING);
  return TRUE;
}

static void
session_negotiate (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_negotiate (find_connection (GST_CONIC_BASE_BIN (element), session));
}

static void
session_stable (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_settle (find_connection (GST_CONIC_BASE_BIN (element), session));
}

static void
session_connected (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_open (find_connection (GST_CONIC_BASE_BIN (element), session));
}

void
gst_conic_base_bin_remove_output (GstConicBaseBin *self,
                                  GstConicConnection *connection,
                                  GstPad *pad)
{
  gst_conic_departures_remove_output (PRIV (self)->departures, connection, pad);
}

static void
session_closed (GstElement *element, GstConicSession *session, gboolean by_peer)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  GstConicBaseBinPrivate *priv = PRIV (self);
  g_autoptr (GstConicConnection) connection = find_connection (self, session);
  gboolean has_target = gst_conic_endpoint_has_target (priv->endpoint);

  if (connection == NULL)
    return;
  gst_object_ref (connection);
  g_mutex_lock (&priv->lock);
  g_ptr_array_remove (priv->connections, connection);
  g_mutex_unlock (&priv->lock);
  gst_conic_connection_leave (connection);
  if (by_peer && gst_conic_base_bin_receives (self))
    gst_conic_departures_drain (priv->departures, connection, priv->running.latency + DRAIN_TIME,
                                has_target);
  else
    gst_conic_departures_close (priv->departures, connection, has_target);
}

static void
stopping (GstElement *element)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (element));

  gst_conic_departures_hurry (priv->departures);
  gst_conic_timer_stop (&priv->eos_timer);
}

static gboolean
calls_again (GstElement *element, gboolean by_peer)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);

  /* Who receives comes to its end with the one who sends. */
  return !by_peer || !gst_conic_base_bin_receives (self) ||
         gst_conic_endpoint_reconnects (PRIV (self)->endpoint);
}

static const GstConicCallsHandlers handlers = {
    .session_new = session_new,
    .session_negotiate = session_negotiate,
    .session_stable = session_stable,
    .session_connected = session_connected,
    .session_closed = session_closed,
    .calls_again = calls_again,
    .stopping = stopping,
};

typedef struct {
  GstConicConnection *connection;
  GError *error;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;

  gst_object_unref (failure->connection);
  g_error_free (failure->error);
  g_free (failure);
}

static void
failed_in_thread (GstElement *element, gpointer data)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  Failure *failure = data;

  if (g_ptr_array_find (PRIV (self)->connections, failure->connection, NULL))
    gst_conic_endpoint_fail_session (PRIV (self)->endpoint,
                                     gst_conic_connection_get_session (failure->connection),
                                     failure->error);
}

void
gst_conic_base_bin_connection_failed (GstConicBaseBin *self,
                                      GstConicConnection *connection,
                                      GstMessage *message)
{
  Failure *failure = g_new0 (Failure, 1);

  failure->connection = gst_object_ref (connection);
  gst_message_parse_error (message, &failure->error, NULL);
  gst_conic_base_bin_invoke (self, failed_in_thread, failure, failure_free);
}

/* --- readiness and the end --- */

static void
update_in_thread (GstElement *element, gpointer data)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (element));

  for (guint i = 0; i < priv->connections->len; i++)
    gst_conic_connection_update (g_ptr_array_index (priv->connections, i));
}

/* The media pads have changed: sessions that run are described anew. */
static void
update_connections (GstConicBaseBin *self)
{
  gst_conic_base_bin_invoke (self, update_in_thread, NULL, NULL);
}

/* Sessions begin when it is known what every input brings. */
static void
check_ready (GstConicBaseBin *self)
{
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self);

  for (guint i = 0; i < inputs->len; i++) {
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (g_ptr_array_index (inputs, i));

    if (codecs == NULL)
      return;
  }
  gst_conic_endpoint_set_ready (PRIV (self)->endpoint);
}

static void
on_input_ready (GstConicInput *input, gpointer user_data)
{
  check_ready (user_data);
  update_connections (user_data);
}

static gboolean
on_eos_timer (gpointer user_data)
{
  GstConicBaseBin *self = user_data;

  g_clear_pointer (&PRIV (self)->eos_timer, g_source_unref);
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_eos (GST_OBJECT (self)));
  return G_SOURCE_REMOVE;
}

static void
eos_in_thread (GstElement *element, gpointer data)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (element));

  if (priv->eos_timer == NULL)
    priv->eos_timer =
        gst_conic_timer_start (NULL, "conic-eos", EOS_LINGER, on_eos_timer, element, NULL);
}

/* The element has come to its end when all its sink pads have. */
static void
check_eos (GstConicBaseBin *self)
{
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self);
  g_autoptr (GPtrArray) sinks = copy_data_sinks (self);

  for (guint i = 0; i < inputs->len; i++)
    if (!gst_conic_input_is_eos (g_ptr_array_index (inputs, i)))
      return;
  for (guint i = 0; i < sinks->len; i++)
    if (!gst_conic_data_sink_is_eos (g_ptr_array_index (sinks, i)))
      return;
  if (inputs->len + sinks->len > 0)
    gst_conic_base_bin_invoke (self, eos_in_thread, NULL, NULL);
}

static void
on_input_eos (GstConicInput *input, gpointer user_data)
{
  check_eos (user_data);
}

static void
on_input_encoder (GstConicInput *input, GstElement *encoder, gpointer user_data)
{
  g_signal_emit (user_data, signals[SIGNAL_ENCODER_SETUP], 0, GST_OBJECT_NAME (input), encoder);
}

static const GstConicInputHandlers input_handlers = {
    .ready = on_input_ready,
    .eos = on_input_eos,
    .encoder = on_input_encoder,
};

static void
set_input_bitrate (GstConicInput *input, const GstConicMediaSettings *settings)
{
  gst_conic_input_set_bitrate (input, gst_conic_input_get_kind (input) == GST_WEBRTC_KIND_VIDEO
                                          ? settings->bitrate
                                          : settings->audio_bitrate);
}

static void
set_up_input (GstConicBaseBin *self, GstConicInput *input)
{
  const GstConicMediaSettings *settings = &PRIV (self)->running;

  gst_conic_input_set_codecs (
      input, gst_conic_media_settings_get_codecs (settings, gst_conic_input_get_kind (input)));
  set_input_bitrate (input, settings);
}

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
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self);

  GST_OBJECT_LOCK (self);
  gst_conic_media_settings_copy (&priv->settings, &priv->running);
  GST_OBJECT_UNLOCK (self);
  warn_of_codecs (self, GST_WEBRTC_KIND_AUDIO);
  warn_of_codecs (self, GST_WEBRTC_KIND_VIDEO);
  for (guint i = 0; i < inputs->len; i++)
    set_up_input (self, g_ptr_array_index (inputs, i));
}

static void
on_data_eos (GstConicDataSink *pad, gpointer user_data)
{
  check_eos (user_data);
}

/* --- request pads --- */

static GstPad *
add_input (GstConicBaseBin *self, GstWebRTCKind kind, GstPadTemplate *template, const char *name)
{
  GstConicBaseBinPrivate *priv = PRIV (self);
  GstConicInput *input = gst_conic_input_new (kind, name, &input_handlers, self);
  g_autoptr (GstPad) target = gst_element_get_static_pad (GST_ELEMENT (input), "sink");

  set_up_input (self, input);
  g_mutex_lock (&priv->lock);
  g_ptr_array_add (priv->inputs, gst_object_ref (input));
  g_mutex_unlock (&priv->lock);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (input));
  gst_element_sync_state_with_parent (GST_ELEMENT (input));
  return gst_ghost_pad_new_from_template (name, target, template);
}

static void
open_data_in_thread (GstElement *element, gpointer data)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (element));

  for (guint i = 0; i < priv->connections->len; i++)
    gst_conic_connection_open_data (g_ptr_array_index (priv->connections, i), data);
}

static GstPad *
add_data_sink (GstConicBaseBin *self, GstPadTemplate *template, const char *name)
{
  GstConicBaseBinPrivate *priv = PRIV (self);
  const char *label = name + strlen ("data_");
  GstConicDataSink *sink = gst_conic_data_sink_new (template, name, label, on_data_eos, self);

  g_mutex_lock (&priv->lock);
  g_ptr_array_add (priv->data_sinks, gst_object_ref (sink));
  g_mutex_unlock (&priv->lock);
  gst_conic_base_bin_invoke (self, open_data_in_thread, g_strdup (label), g_free);
  return GST_PAD (sink);
}

/* (transfer full): @name, or the first free one of @template */
static char *
choose_name (GstElement *element, GstPadTemplate *template, const char *name)
{
  g_autofree char *prefix =
      g_strndup (template->name_template, strlen (template->name_template) - strlen ("%u"));

  if (name != NULL && !g_str_has_suffix (name, "%u") && !g_str_has_suffix (name, "%s"))
    return g_strdup (name);
  for (guint i = 0;; i++) {
    char *candidate = g_strdup_printf ("%s%u", prefix, i);
    g_autoptr (GstPad) taken = gst_element_get_static_pad (element, candidate);

    if (taken == NULL)
      return candidate;
    g_free (candidate);
  }
}

static GstPad *
gst_conic_base_bin_request_new_pad (GstElement *element,
                                    GstPadTemplate *template,
                                    const char *name,
                                    const GstCaps *caps)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  g_autofree char *chosen = choose_name (element, template, name);
  g_autoptr (GstPad) taken = gst_element_get_static_pad (element, chosen);
  GstPad *pad;

  if (taken != NULL || gst_conic_outputs_are_named (element, chosen)) {
    GST_WARNING_OBJECT (self, "the pad name %s is taken", chosen);
    return NULL;
  }
  if (g_str_has_prefix (chosen, "audio_"))
    pad = add_input (self, GST_WEBRTC_KIND_AUDIO, template, chosen);
  else if (g_str_has_prefix (chosen, "video_"))
    pad = add_input (self, GST_WEBRTC_KIND_VIDEO, template, chosen);
  else
    pad = add_data_sink (self, template, chosen);

  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
  if (GST_STATE_TARGET (self) > GST_STATE_READY || GST_STATE (self) > GST_STATE_READY)
    gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  gst_child_proxy_child_added (GST_CHILD_PROXY (self), G_OBJECT (pad), chosen);
  return pad;
}

static void
gst_conic_base_bin_release_pad (GstElement *element, GstPad *pad)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  GstConicBaseBinPrivate *priv = PRIV (self);
  g_autoptr (GstElement) input = NULL;

  if (GST_IS_GHOST_PAD (pad)) {
    g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

    input = target != NULL ? gst_pad_get_parent_element (target) : NULL;
  }
  gst_child_proxy_child_removed (GST_CHILD_PROXY (self), G_OBJECT (pad), GST_OBJECT_NAME (pad));
  gst_pad_set_active (pad, FALSE);
  g_mutex_lock (&priv->lock);
  if (input != NULL)
    g_ptr_array_remove (priv->inputs, input);
  else
    g_ptr_array_remove (priv->data_sinks, pad);
  g_mutex_unlock (&priv->lock);
  gst_element_remove_pad (element, pad);
  if (input != NULL) {
    gst_element_set_locked_state (input, TRUE);
    gst_element_set_state (input, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (self), input);
    update_connections (self);
  }
  check_eos (self);
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
  gst_conic_outputs_flush (priv->outputs);
  gst_conic_departures_wait (priv->departures);
}

/* What the connections do is done at the running time of the element, which stands still while that is
 * paused. Who plays already only takes over the new time. */
static void
resume_in_thread (GstElement *element, gpointer data)
{
  GstConicBaseBinPrivate *priv = PRIV (GST_CONIC_BASE_BIN (element));

  for (guint i = 0; i < priv->connections->len; i++)
    gst_element_set_state (g_ptr_array_index (priv->connections, i), GST_STATE_PLAYING);
  gst_conic_pause_end (&priv->pause, GPOINTER_TO_INT (data));
}

static void
resume (GstConicBaseBin *self)
{
  int number = gst_conic_pause_get_number (&PRIV (self)->pause);

  gst_conic_base_bin_invoke (self, resume_in_thread, GINT_TO_POINTER (number), NULL);
}

static gboolean
push_eos (GstElement *element, GstPad *pad, gpointer user_data)
{
  if (GST_IS_GHOST_PAD (pad))
    gst_pad_push_event (pad, gst_event_new_eos ());
  return TRUE;
}

/* Whoever ends a pipeline this way (`gst-launch-1.0 -e`) wants files to be brought to their end. Sent to
 * the sources within, as bins do, EOS would get lost between a socket and a decoder. */
static gboolean
gst_conic_base_bin_send_event (GstElement *element, GstEvent *event)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);

  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS || !gst_conic_base_bin_receives (self))
    return GST_ELEMENT_CLASS (gst_conic_base_bin_parent_class)->send_event (element, event);
  gst_event_unref (event);
  gst_element_foreach_src_pad (element, push_eos, NULL);
  gst_conic_outputs_end_data (PRIV (self)->outputs);
  return TRUE;
}

static GstStateChangeReturn
gst_conic_base_bin_change_state (GstElement *element, GstStateChange transition)
{
  GstConicBaseBin *self = GST_CONIC_BASE_BIN (element);
  GstStateChangeReturn ret;

  if (GST_STATE_TRANSITION_NEXT (transition) == GST_STATE_PAUSED)
    gst_conic_pause_begin (&PRIV (self)->pause);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    PRIV (self)->certificate = gst_conic_certificate_prepare ();
  } else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    set_up (self);
    gst_conic_endpoint_start (PRIV (self)->endpoint);
    check_ready (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    stop (self);
  }

  ret = GST_ELEMENT_CLASS (gst_conic_base_bin_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    resume (self);
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
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self);
  GstConicMediaSettings now;

  GST_OBJECT_LOCK (self);
  now = priv->settings;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < inputs->len; i++)
    set_input_bitrate (g_ptr_array_index (inputs, i), &now);
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
  g_ptr_array_unref (priv->connections);
  gst_conic_departures_free (priv->departures);
  g_ptr_array_unref (priv->inputs);
  g_ptr_array_unref (priv->data_sinks);
  gst_conic_outputs_free (priv->outputs);
  gst_conic_media_settings_clear (&priv->settings);
  gst_conic_media_settings_clear (&priv->running);
  g_mutex_clear (&priv->lock);

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
  priv->endpoint = gst_conic_endpoint_new (GST_ELEMENT (self), &handlers);
  gst_conic_media_settings_init (&priv->settings);
  gst_conic_media_settings_init (&priv->running);
  priv->connections = g_ptr_array_new_with_free_func (gst_object_unref);
  g_mutex_init (&priv->lock);
  priv->inputs = g_ptr_array_new_with_free_func (gst_object_unref);
  priv->data_sinks = g_ptr_array_new_with_free_func (gst_object_unref);
  priv->outputs = gst_conic_outputs_new (GST_ELEMENT (self));
  priv->departures = gst_conic_departures_new (GST_ELEMENT (self), priv->outputs);
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
