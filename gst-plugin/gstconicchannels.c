/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicchannels.h"

#include <string.h>

#include "gstconicbasebin.h"
#include "gstconicflow.h"
#include "gstconicobjects.h"

/* Data channels that the other side may open in a session; each label costs a pad and a thread. */
#define REMOTE_CHANNELS_MAX 64

/* Control channels that are opened, one after the other, until the other side answers on one, and the
 * measurements that each gets: webrtcbin 1.22 can lose a channel that is there before the association
 * is. */
#define CONTROLS_MAX     3
#define CONTROL_PATIENCE 1

/* How long the association may take that begins with the session, and how often it's looked at, in
 * microseconds. */
#define ASSOCIATION_TIME     G_TIME_SPAN_SECOND
#define ASSOCIATION_INTERVAL (5 * G_TIME_SPAN_MILLISECOND)

struct _GstConicChannels {
  guint n_controls; /* opened by us; the endpoint's thread's, as the next two */
  guint n_silent;   /* measurements without an answer */
  guint n_opened;   /* for pads */
  GstConicBaseBin *bin;
  GstConicOutputs *outputs; /* borrowed */
  GstConicSession *session; /* borrowed */
  GstElement *webrtcbin;
  GstConicFlow *flow;
  GstConicEndpointFunc complete;
  GObject *owner; /* borrowed */

  GMutex lock;         /* of what follows; nothing is called with it held but a channel's getters */
  GPtrArray *channels; /* (element-type GstConicChannel) */
  guint n_came;        /* opened by the other side, but for control channels, ever */
  gboolean is_complete;
};

static gboolean
is_control (GstConicChannel *channel)
{
  return g_str_equal (gst_conic_channel_get_protocol (channel), GST_CONIC_FLOW_PROTOCOL);
}

/* (transfer container) */
static GPtrArray *
copy_channels (GstConicChannels *self)
{
  GPtrArray *copy;

  g_mutex_lock (&self->lock);
  copy = gst_conic_objects_copy (self->channels);
  g_mutex_unlock (&self->lock);
  return copy;
}

static GstConicChannel *
find_for_label (GPtrArray *channels, const char *label, gboolean remote)
{
  for (guint i = 0; i < channels->len; i++) {
    GstConicChannel *channel = g_ptr_array_index (channels, i);

    if (!is_control (channel) && g_str_equal (gst_conic_channel_get_label (channel), label) &&
        gst_conic_channel_is_remote (channel) == remote && !gst_conic_channel_is_closed (channel))
      return channel;
  }
  return NULL;
}

/* The pads of what came are added in the endpoint's thread, too, before @complete is called. */
static void
check_complete (GstConicChannels *self)
{
  guint n_opened = gst_conic_flow_get_n_opened (self->flow);
  gboolean complete;

  g_mutex_lock (&self->lock);
  complete = !self->is_complete && self->n_came >= n_opened;
  self->is_complete = self->is_complete || complete;
  g_mutex_unlock (&self->lock);
  if (complete)
    gst_conic_base_bin_invoke (self->bin, self->complete, g_object_ref (self->owner),
                               g_object_unref);
}

static void
on_message (GstConicChannel *channel, GBytes *data, gboolean is_text, gpointer user_data)
{
  GstConicChannels *self = user_data;
  g_autoptr (GPtrArray) channels = NULL;

  if (!is_control (channel)) {
    gst_conic_outputs_receive_data (self->outputs, channel, data, is_text);
    return;
  }
  if (is_text && g_bytes_get_size (data) > 0) {
    g_autofree char *text = g_strndup (g_bytes_get_data (data, NULL), g_bytes_get_size (data));

    channels = copy_channels (self);
    gst_conic_flow_receive (self->flow, text, channels);
    check_complete (self);
  }
}

static void
on_changed (GstConicChannel *channel, gpointer user_data)
{
  GstConicChannels *self = user_data;
  g_autoptr (GstConicDataSink) sink = NULL;

  if (is_control (channel)) {
    gst_conic_flow_flush (self->flow);
    return;
  }
  sink = gst_conic_base_bin_find_data_sink (self->bin, gst_conic_channel_get_label (channel));
  if (sink == NULL)
    return;
  if (gst_conic_channel_is_closed (channel))
    gst_conic_data_sink_remove_channel (sink, channel);
  else
    gst_conic_data_sink_wake (sink);
}

static void
on_finished (GstConicChannel *channel, gpointer user_data)
{
  GstConicChannels *self = user_data;

  gst_conic_outputs_finish_data (self->outputs, gst_conic_channel_get_label (channel));
}

static const GstConicChannelHandlers handlers = {
    .message = on_message,
    .changed = on_changed,
    .finished = on_finished,
};

static GstConicChannel *
add_channel (GstConicChannels *self, GstWebRTCDataChannel *data_channel, gboolean remote)
{
  GstConicChannel *channel = gst_conic_channel_new (data_channel, remote, &handlers, self);

  if (is_control (channel))
    gst_conic_flow_set_control (self->flow, channel);
  else
    gst_conic_channel_set_flow (channel, self->flow);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->channels, channel);
  g_mutex_unlock (&self->lock);
  return channel;
}

static void
disconnect (GstConicChannels *self, GstConicChannel *channel)
{
  g_autoptr (GstConicDataSink) sink =
      gst_conic_base_bin_find_data_sink (self->bin, gst_conic_channel_get_label (channel));

  gst_conic_channel_disconnect (channel);
  if (sink != NULL)
    gst_conic_data_sink_remove_channel (sink, channel);
}

/* A session may last for weeks, with a channel for each thing that is sent. */
static void
forget_spent (GstConicChannels *self)
{
  g_autoptr (GPtrArray) channels = copy_channels (self);

  for (guint i = 0; i < channels->len; i++) {
    GstConicChannel *channel = g_ptr_array_index (channels, i);

    if (is_control (channel) || !gst_conic_channel_is_spent (channel))
      continue;
    disconnect (self, channel);
    g_mutex_lock (&self->lock);
    g_ptr_array_remove (self->channels, channel);
    g_mutex_unlock (&self->lock);
  }
}

static guint
count_remote (GstConicChannels *self)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->channels->len; i++)
    if (gst_conic_channel_is_remote (g_ptr_array_index (self->channels, i)))
      n++;
  g_mutex_unlock (&self->lock);
  return n;
}

static gboolean
is_flow (GstWebRTCDataChannel *data_channel)
{
  g_autofree char *protocol = NULL;

  g_object_get (data_channel, "protocol", &protocol, NULL);
  return g_strcmp0 (protocol, GST_CONIC_FLOW_PROTOCOL) == 0;
}

/* A channel that the other side has opened is the application's or a pad's by now. */
static void
count_channel (GstConicChannels *self)
{
  g_mutex_lock (&self->lock);
  self->n_came++;
  g_mutex_unlock (&self->lock);
  check_complete (self);
}

/* RFC 8832 section 5.1 has labels in UTF-8, and so have the names of pads. */
static gboolean
has_good_label (GstWebRTCDataChannel *data_channel)
{
  g_autofree char *label = NULL;

  g_object_get (data_channel, "label", &label, NULL);
  return label != NULL && g_utf8_validate (label, -1, NULL);
}

static void
on_data_channel (GstElement *webrtcbin, GstWebRTCDataChannel *data_channel, GstConicChannels *self)
{
  g_autoptr (GPtrArray) channels = NULL;
  g_autoptr (GstConicDataSink) sink = NULL;
  GstConicChannel *channel;
  const char *label;

  forget_spent (self);
  if (count_remote (self) >= REMOTE_CHANNELS_MAX || !has_good_label (data_channel)) {
    gst_webrtc_data_channel_close (data_channel);
    return;
  }
  /* Before anything is connected to it, for its first message may be on the way. */
  if (!is_flow (data_channel) &&
      gst_conic_base_bin_offer_channel (self->bin, self->session, data_channel)) {
    count_channel (self);
    return;
  }
  channel = add_channel (self, data_channel, TRUE);
  label = gst_conic_channel_get_label (channel);
  channels = copy_channels (self);
  if (is_control (channel)) {
    gst_conic_flow_receive (self->flow, "hello", channels);
    return;
  }
  gst_conic_outputs_announce_data (self->outputs, label);
  count_channel (self);
  sink = gst_conic_base_bin_find_data_sink (self->bin, label);
  if (sink != NULL && find_for_label (channels, label, FALSE) == NULL)
    gst_conic_data_sink_add_channel (sink, channel);
}

static GstWebRTCDataChannel *
create (GstConicChannels *self, const char *label, const char *protocol)
{
  g_autoptr (GstStructure) options =
      gst_structure_new ("options", "protocol", G_TYPE_STRING, protocol, NULL);
  GstWebRTCDataChannel *data_channel = NULL;

  g_signal_emit_by_name (self->webrtcbin, "create-data-channel", label, options, &data_channel);
  return data_channel;
}

static gboolean
fail (GError **error, const char *reason)
{
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, reason);
  return FALSE;
}

static gboolean
is_associated (GstElement *webrtcbin)
{
  g_autoptr (GObject) transport = NULL;
  GstWebRTCSCTPTransportState state = GST_WEBRTC_SCTP_TRANSPORT_STATE_NEW;

  g_object_get (webrtcbin, "sctp-transport", &transport, NULL);
  if (transport != NULL)
    g_object_get (transport, "state", &state, NULL);
  return state == GST_WEBRTC_SCTP_TRANSPORT_STATE_CONNECTED;
}

/* webrtcbin asserts what an application may well get wrong. */
static gboolean
check_options (GstElement *webrtcbin,
               const char *label,
               const GstStructure *options,
               GError **error)
{
  g_autoptr (GObject) transport = NULL;
  const char *protocol;
  gboolean negotiated = FALSE;
  guint max_channels = 0;
  int number, id = -1;

  if (strlen (label) > G_MAXUINT16)
    return fail (error, "its label is too long");
  if (options == NULL)
    return TRUE;
  protocol = gst_structure_get_string (options, "protocol");
  if (protocol != NULL && strlen (protocol) > G_MAXUINT16)
    return fail (error, "its protocol is too long");
  if (gst_structure_get_int (options, "max-retransmits", &number) &&
      gst_structure_get_int (options, "max-packet-lifetime", &number))
    return fail (error, "it can have max-retransmits or max-packet-lifetime, not both");
  gst_structure_get_boolean (options, "negotiated", &negotiated);
  if (!negotiated)
    return TRUE;
  g_object_get (webrtcbin, "sctp-transport", &transport, NULL);
  g_object_get (transport, "max-channels", &max_channels, NULL);
  /* It says 0 there, always, and then refuses what is greater. */
  if (max_channels == 0)
    return fail (error, "GStreamer 1.22 can't open one that is negotiated in a session that runs");
  if (!gst_structure_get_int (options, "id", &id) || id < 0 || (guint) id >= max_channels)
    return fail (error, "one that is negotiated needs an id that the association has");
  return TRUE;
}

GstWebRTCDataChannel *
gst_conic_channels_create (GstElement *webrtcbin,
                           const char *label,
                           const GstStructure *options,
                           GError **error)
{
  GstWebRTCDataChannel *channel = NULL;
  gint64 deadline = g_get_monotonic_time () + ASSOCIATION_TIME;

  /* webrtcbin 1.22 can lose a channel that is there before the association is. */
  while (!is_associated (webrtcbin) && g_get_monotonic_time () < deadline)
    g_usleep (ASSOCIATION_INTERVAL);
  if (!is_associated (webrtcbin)) {
    fail (error, "the session carries no data, or has ended");
    return NULL;
  }
  if (!check_options (webrtcbin, label, options, error))
    return NULL;
  g_signal_emit_by_name (webrtcbin, "create-data-channel", label, options, &channel);
  if (channel == NULL)
    fail (error, "its id is taken, or there are too many");
  return channel;
}

void
gst_conic_channels_open_control (GstConicChannels *self)
{
  g_autoptr (GstWebRTCDataChannel) data_channel =
      create (self, GST_CONIC_FLOW_PROTOCOL, GST_CONIC_FLOW_PROTOCOL);

  self->n_controls++;
  self->n_silent = 0;
  if (data_channel != NULL)
    add_channel (self, data_channel, FALSE);
}

void
gst_conic_channels_keep_section (GstConicChannels *self)
{
  g_autoptr (GPtrArray) channels = copy_channels (self);

  for (guint i = 0; i < channels->len; i++)
    if (!gst_conic_channel_is_closed (g_ptr_array_index (channels, i)))
      return;
  gst_conic_channels_open_control (self);
}

void
gst_conic_channels_open (GstConicChannels *self, const char *label)
{
  g_autoptr (GPtrArray) channels = copy_channels (self);
  g_autoptr (GstConicDataSink) sink = gst_conic_base_bin_find_data_sink (self->bin, label);
  g_autoptr (GstWebRTCDataChannel) data_channel = NULL;
  GstConicChannel *channel = find_for_label (channels, label, FALSE);

  if (channel == NULL)
    channel = find_for_label (channels, label, TRUE);
  if (sink == NULL)
    return;
  /* It may have been there before the pad was. */
  if (channel != NULL) {
    gst_conic_data_sink_add_channel (sink, channel);
    return;
  }
  data_channel = create (self, label, "");
  if (data_channel == NULL)
    return;
  self->n_opened++;
  gst_conic_data_sink_add_channel (sink, add_channel (self, data_channel, FALSE));
  /* The other side may answer on it. */
  gst_conic_outputs_announce_data (self->outputs, label);
}

void
gst_conic_channels_tell_opened (GstConicChannels *self)
{
  gst_conic_flow_send_opened (self->flow, self->n_opened);
}

gboolean
gst_conic_channels_are_possible (GstConicChannels *self)
{
  return is_associated (self->webrtcbin);
}

double
gst_conic_channels_measure (GstConicChannels *self)
{
  if (self->n_controls > 0 && self->n_controls < CONTROLS_MAX &&
      !gst_conic_flow_is_answered (self->flow) && ++self->n_silent > CONTROL_PATIENCE)
    gst_conic_channels_open_control (self);
  return gst_conic_flow_measure (self->flow);
}

GstConicChannels *
gst_conic_channels_new (GstElement *element,
                        GstConicSession *session,
                        GstElement *webrtcbin,
                        GstConicEndpointFunc complete,
                        GObject *owner)
{
  GstConicChannels *self = g_new0 (GstConicChannels, 1);

  self->bin = GST_CONIC_BASE_BIN (element);
  self->outputs = gst_conic_base_bin_get_outputs (self->bin);
  self->session = session;
  self->webrtcbin = gst_object_ref (webrtcbin);
  self->flow = gst_conic_flow_new ();
  self->complete = complete;
  self->owner = owner;
  g_mutex_init (&self->lock);
  self->channels = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (webrtcbin, "on-data-channel", G_CALLBACK (on_data_channel), self);
  return self;
}

void
gst_conic_channels_free (GstConicChannels *self)
{
  g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
  for (guint i = 0; i < self->channels->len; i++)
    disconnect (self, g_ptr_array_index (self->channels, i));
  gst_conic_flow_clear (self->flow);
  gst_conic_flow_unref (self->flow);
  g_ptr_array_unref (self->channels);
  g_mutex_clear (&self->lock);
  gst_object_unref (self->webrtcbin);
  g_free (self);
}
