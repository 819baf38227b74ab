/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicchannel.h"

#include "gstconicflow.h"

/* Bytes that may wait in webrtcbin for a channel before it counts as full, and below which it
 * can take more again. Beneath it, SCTP has another MiB. */
#define BUFFERED_HIGH (1024 * 1024)
#define BUFFERED_LOW  (256 * 1024)

struct _GstConicChannel {
  GObject parent_instance;

  GstWebRTCDataChannel *data_channel;
  char *label;
  char *protocol;
  gboolean remote;
  GstConicFlow *flow; /* set before the channel is shared */

  GRecMutex lock; /* held while a handler runs: disconnect() waits for it */
  const GstConicChannelHandlers *handlers;
  gpointer user_data;

  gint is_disconnected; /* atomic: its session is over, which webrtcbin needn't have told it */

  GMutex counts_lock; /* innermost */
  gboolean paused;
  gboolean received;
  guint64 n_sent;
  guint64 n_came;
  guint64 n_delivered;
  guint64 n_expected; /* G_MAXUINT64 until known */
};

G_DEFINE_FINAL_TYPE (GstConicChannel, gst_conic_channel, G_TYPE_OBJECT)

static void
tell_changed (GstConicChannel *self)
{
  g_rec_mutex_lock (&self->lock);
  if (self->handlers != NULL)
    self->handlers->changed (self, self->user_data);
  g_rec_mutex_unlock (&self->lock);
}

static void
tell_message (GstConicChannel *self, GBytes *data, gboolean is_text)
{
  g_mutex_lock (&self->counts_lock);
  self->n_came++;
  g_mutex_unlock (&self->counts_lock);
  g_rec_mutex_lock (&self->lock);
  if (self->handlers != NULL)
    self->handlers->message (self, data, is_text, self->user_data);
  g_rec_mutex_unlock (&self->lock);
}

/* webrtcbin stands for an empty message with NULL. */
static void
on_message_data (GstWebRTCDataChannel *data_channel, GBytes *data, GstConicChannel *self)
{
  g_autoptr (GBytes) empty = data == NULL ? g_bytes_new (NULL, 0) : NULL;

  tell_message (self, data != NULL ? data : empty, FALSE);
}

static void
on_message_string (GstWebRTCDataChannel *data_channel, const char *text, GstConicChannel *self)
{
  g_autofree char *copy = g_strdup (text != NULL ? text : "");
  gsize length = strlen (copy);
  /* webrtcbin doesn't look; and what comes out as text is to be text (RFC 8831 section 6.6). */
  gboolean is_text = g_utf8_validate (copy, (gssize) length, NULL);
  g_autoptr (GBytes) data = g_bytes_new_take (g_steal_pointer (&copy), length);

  tell_message (self, data, is_text);
}

static void
on_notify_state (GObject *data_channel, GParamSpec *pspec, GstConicChannel *self)
{
  tell_changed (self);
}

static void
on_buffered_amount_low (GstWebRTCDataChannel *data_channel, GstConicChannel *self)
{
  tell_changed (self);
}

static void
gst_conic_channel_finalize (GObject *object)
{
  GstConicChannel *self = GST_CONIC_CHANNEL (object);

  g_object_unref (self->data_channel);
  g_clear_pointer (&self->flow, gst_conic_flow_unref);
  g_free (self->label);
  g_free (self->protocol);
  g_mutex_clear (&self->counts_lock);
  g_rec_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_conic_channel_parent_class)->finalize (object);
}

static void
gst_conic_channel_class_init (GstConicChannelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_channel_finalize;
}

static void
gst_conic_channel_init (GstConicChannel *self)
{
  g_rec_mutex_init (&self->lock);
  g_mutex_init (&self->counts_lock);
  self->n_expected = G_MAXUINT64;
}

GstConicChannel *
gst_conic_channel_new (GstWebRTCDataChannel *data_channel,
                       gboolean remote,
                       const GstConicChannelHandlers *handlers,
                       gpointer user_data)
{
  GstConicChannel *self = g_object_new (GST_TYPE_CONIC_CHANNEL, NULL);

  self->data_channel = g_object_ref (data_channel);
  self->remote = remote;
  self->handlers = handlers;
  self->user_data = user_data;
  g_object_get (data_channel, "label", &self->label, "protocol", &self->protocol, NULL);
  g_object_set (data_channel, "buffered-amount-low-threshold", (guint64) BUFFERED_LOW, NULL);
  g_signal_connect_object (data_channel, "on-message-data", G_CALLBACK (on_message_data), self, 0);
  g_signal_connect_object (data_channel, "on-message-string", G_CALLBACK (on_message_string), self,
                           0);
  g_signal_connect_object (data_channel, "notify::ready-state", G_CALLBACK (on_notify_state), self,
                           0);
  g_signal_connect_object (data_channel, "on-buffered-amount-low",
                           G_CALLBACK (on_buffered_amount_low), self, 0);
  return self;
}

void
gst_conic_channel_disconnect (GstConicChannel *self)
{
  g_signal_handlers_disconnect_by_data (self->data_channel, self);
  g_rec_mutex_lock (&self->lock);
  self->handlers = NULL;
  g_rec_mutex_unlock (&self->lock);
  g_atomic_int_set (&self->is_disconnected, TRUE);
}

void
gst_conic_channel_set_flow (GstConicChannel *self, GstConicFlow *flow)
{
  self->flow = gst_conic_flow_ref (flow);
}

GstConicFlow *
gst_conic_channel_get_flow (GstConicChannel *self)
{
  return self->flow;
}

const char *
gst_conic_channel_get_label (GstConicChannel *self)
{
  return self->label;
}

const char *
gst_conic_channel_get_protocol (GstConicChannel *self)
{
  return self->protocol;
}

gboolean
gst_conic_channel_is_remote (GstConicChannel *self)
{
  return self->remote;
}

int
gst_conic_channel_get_id (GstConicChannel *self)
{
  int id;

  g_object_get (self->data_channel, "id", &id, NULL);
  return id;
}

static GstWebRTCDataChannelState
get_state (GstConicChannel *self)
{
  GstWebRTCDataChannelState state;

  if (g_atomic_int_get (&self->is_disconnected))
    return GST_WEBRTC_DATA_CHANNEL_STATE_CLOSED;
  g_object_get (self->data_channel, "ready-state", &state, NULL);
  return state;
}

gboolean
gst_conic_channel_is_open (GstConicChannel *self)
{
  return get_state (self) == GST_WEBRTC_DATA_CHANNEL_STATE_OPEN;
}

gboolean
gst_conic_channel_is_closed (GstConicChannel *self)
{
  GstWebRTCDataChannelState state = get_state (self);

  return state == GST_WEBRTC_DATA_CHANNEL_STATE_CLOSING ||
         state == GST_WEBRTC_DATA_CHANNEL_STATE_CLOSED;
}

gboolean
gst_conic_channel_is_spent (GstConicChannel *self)
{
  gboolean delivered;

  g_mutex_lock (&self->counts_lock);
  delivered = self->n_delivered >= self->n_came;
  g_mutex_unlock (&self->counts_lock);
  return delivered && gst_conic_channel_is_closed (self);
}

static guint64
get_buffered_amount (GstConicChannel *self)
{
  guint64 amount;

  g_object_get (self->data_channel, "buffered-amount", &amount, NULL);
  return amount;
}

gboolean
gst_conic_channel_is_writable (GstConicChannel *self)
{
  gboolean paused;

  g_mutex_lock (&self->counts_lock);
  paused = self->paused;
  g_mutex_unlock (&self->counts_lock);
  return !paused && gst_conic_channel_is_open (self) && get_buffered_amount (self) < BUFFERED_HIGH;
}

gboolean
gst_conic_channel_is_drained (GstConicChannel *self)
{
  return get_buffered_amount (self) == 0;
}

void
gst_conic_channel_set_paused (GstConicChannel *self, gboolean paused)
{
  g_mutex_lock (&self->counts_lock);
  self->paused = paused;
  g_mutex_unlock (&self->counts_lock);
  tell_changed (self);
}

gboolean
gst_conic_channel_send (GstConicChannel *self, GBytes *data, gboolean is_text, GError **error)
{
  gboolean empty = g_bytes_get_size (data) == 0;
  gboolean sent;

  if (is_text)
    sent = gst_webrtc_data_channel_send_string_full (self->data_channel,
                                                     empty ? NULL : g_bytes_get_data (data, NULL),
                                                     error);
  else
    sent = gst_webrtc_data_channel_send_data_full (self->data_channel, empty ? NULL : data, error);
  if (sent) {
    g_mutex_lock (&self->counts_lock);
    self->n_sent++;
    g_mutex_unlock (&self->counts_lock);
  }
  return sent;
}

guint64
gst_conic_channel_get_n_sent (GstConicChannel *self)
{
  guint64 n_sent;

  g_mutex_lock (&self->counts_lock);
  n_sent = self->n_sent;
  g_mutex_unlock (&self->counts_lock);
  return n_sent;
}

static void
tell_finished (GstConicChannel *self)
{
  gst_conic_flow_send_ended (self);
  g_rec_mutex_lock (&self->lock);
  if (self->handlers != NULL)
    self->handlers->finished (self, self->user_data);
  g_rec_mutex_unlock (&self->lock);
}

void
gst_conic_channel_add_delivered (GstConicChannel *self)
{
  gboolean last;

  g_mutex_lock (&self->counts_lock);
  self->n_delivered++;
  last = self->n_delivered == self->n_expected;
  g_mutex_unlock (&self->counts_lock);
  if (last)
    tell_finished (self);
}

void
gst_conic_channel_set_expected (GstConicChannel *self, guint64 n_messages)
{
  gboolean all;

  g_mutex_lock (&self->counts_lock);
  self->n_expected = n_messages;
  all = self->n_delivered >= n_messages;
  g_mutex_unlock (&self->counts_lock);
  if (all)
    tell_finished (self);
}

void
gst_conic_channel_set_received (GstConicChannel *self)
{
  g_mutex_lock (&self->counts_lock);
  self->received = TRUE;
  g_mutex_unlock (&self->counts_lock);
  tell_changed (self);
}

gboolean
gst_conic_channel_is_received (GstConicChannel *self)
{
  gboolean received;

  g_mutex_lock (&self->counts_lock);
  received = self->received;
  g_mutex_unlock (&self->counts_lock);
  return received;
}

void
gst_conic_channel_close (GstConicChannel *self)
{
  gst_webrtc_data_channel_close (self->data_channel);
}
