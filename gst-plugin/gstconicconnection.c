/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   GstConicInput ─► sink_%u ─► GstConicBranch ─► webrtcbin ─► GstConicReceiver ─► src_%u
 *                                                    │
 *                                             GstConicChannels
 *
 * What a session carries is settled in negotiate(), on the endpoint's thread. */

#include "gstconicconnection.h"

#include "gstconicbasebin.h"
#include "gstconicchannels.h"
#include "gstconicice.h"
#include "gstconicmedia.h"
#include "gstconicreceiver.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY (gst_conic_connection_debug);
#define GST_CAT_DEFAULT gst_conic_connection_debug

/* Milliseconds from the connection to the channels of the data pads. webrtcbin 1.22 can lose a channel
 * that is there before the association is; and the answerer lets the offerer go first, so that a label
 * that both have needs one channel only. */
#define OFFERER_DATA_DELAY  50
#define ANSWERER_DATA_DELAY 150

/* Microseconds that usrsctp's timer thread, which ticks every 10 ms, gets to let go of an association
 * that has been closed. */
#define SCTP_CLOSE_TIME (50 * G_TIME_SPAN_MILLISECOND)

/* Milliseconds between two measurements of the round trip. */
#define MEASURE_INTERVAL 1000

/* Milliseconds that streams which have been announced get to begin. */
#define STREAMS_PATIENCE 3000

/* Milliseconds that the channels of a peer get to be opened which doesn't say how many there are going
 * to be. Players show nothing before, so it must not be long. */
#define CHANNELS_PATIENCE 500

struct _GstConicConnection {
  GstBin parent_instance;

  GstConicBaseBin *bin; /* borrowed: it outlives this */
  GstConicSession *session;
  GstElement *webrtcbin;
  GstConicChannels *channels;
  GstConicMedia *media;
  GstConicReceiver *receiver;
  gboolean offers; /* the description that is being made is an offer */
  gboolean described;
  gboolean is_open;
  gboolean is_stale; /* the element's pads have changed */
  gboolean has_data; /* channels can be opened */
  gboolean has_left;
  gint is_broken; /* atomic: one of its elements has had an error */
  GSource *data_timer;
  GSource *measure_timer;
  GSource *patience_timer;
  GSource *channels_timer;
};

G_DEFINE_FINAL_TYPE (GstConicConnection, gst_conic_connection, GST_TYPE_BIN)

static gboolean
is_alive (GstConicConnection *self)
{
  return self->is_open && !self->has_left && !g_atomic_int_get (&self->is_broken);
}

/* --- negotiation --- */

static void
go_on (gpointer user_data)
{
  GstConicConnection *self = user_data;

  if (self->described || self->has_left || !gst_conic_media_is_described (self->media))
    return;
  self->described = TRUE;
  if (self->offers)
    gst_conic_session_offer (self->session);
  else
    gst_conic_session_answer (self->session);
}

void
gst_conic_connection_negotiate (GstConicConnection *self)
{
  self->offers = gst_conic_session_get_remote_description (self->session) == NULL;
  self->described = FALSE;
  if (self->offers) {
    gst_conic_media_offer (self->media);
    /* Also without data pads: it is how the two know that the other is still there. */
    gst_conic_channels_open_control (self->channels);
  } else {
    gst_conic_media_answer (self->media);
  }
  go_on (self);
}

/* (transfer none) (nullable) */
static const GstSDPMedia *
get_data_section (GstConicConnection *self)
{
  const GstSDPMessage *sdp = gst_conic_session_get_remote_description (self->session);

  for (guint i = 0; sdp != NULL && i < gst_sdp_message_medias_len (sdp); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

    if (g_strcmp0 (gst_sdp_media_get_media (media), "application") == 0)
      return media;
  }
  return NULL;
}

static gboolean
offers_data (GstConicConnection *self)
{
  return get_data_section (self) != NULL;
}

static gboolean
lacks_data (GstConicConnection *self)
{
  g_auto (GStrv) labels = gst_conic_base_bin_get_data_labels (self->bin);

  return labels[0] != NULL && !offers_data (self);
}

void
gst_conic_connection_update (GstConicConnection *self)
{
  self->is_stale = TRUE;
  if (!is_alive (self) || (!gst_conic_media_is_stale (self->media) && !lacks_data (self)) ||
      !gst_conic_session_prepare_offer (self->session))
    return;
  self->is_stale = FALSE;
  self->offers = TRUE;
  self->described = FALSE;
  gst_conic_media_update (self->media);
  if (offers_data (self) || lacks_data (self))
    gst_conic_channels_keep_section (self->channels);
  go_on (self);
}

/* --- data --- */

static void
open_data (GstConicConnection *self)
{
  g_auto (GStrv) labels = gst_conic_base_bin_get_data_labels (self->bin);

  for (guint i = 0; labels[i] != NULL; i++)
    gst_conic_channels_open (self->channels, labels[i]);
}

static gboolean
on_data_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  g_clear_pointer (&self->data_timer, g_source_unref);
  if (!is_alive (self))
    return G_SOURCE_REMOVE;
  open_data (self);
  gst_conic_channels_tell_opened (self->channels);
  return G_SOURCE_REMOVE;
}

static void
on_channels_complete (GstElement *element, gpointer data)
{
  GstConicConnection *self = data;

  if (!self->has_left)
    gst_conic_receiver_complete_data (self->receiver);
}

/* Without an association none could come; STREAMS_PATIENCE bounds the whole. */
static gboolean
on_channels_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  if (self->patience_timer != NULL && !gst_conic_channels_are_possible (self->channels))
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->channels_timer, g_source_unref);
  gst_conic_receiver_complete_data (self->receiver);
  return G_SOURCE_REMOVE;
}

static void
measure (GstConicConnection *self)
{
  GstStructure *measures = gst_structure_new_empty ("measures");

  gst_conic_media_measure (self->media, measures);
  gst_conic_receiver_measure (self->receiver, measures);
  gst_conic_session_set_measures (self->session, measures);
}

static gboolean
on_measure_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  if (!is_alive (self))
    return G_SOURCE_CONTINUE;
  measure (self);
  gst_conic_session_set_round_trip_time (self->session,
                                         gst_conic_channels_measure (self->channels));
  return G_SOURCE_CONTINUE;
}

/* What was announced and isn't sent, such as the picture of a camera that is off. */
static gboolean
on_patience_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  g_clear_pointer (&self->patience_timer, g_source_unref);
  gst_conic_receiver_give_up (self->receiver);
  return G_SOURCE_REMOVE;
}

/* (transfer full) */
static GSource *
start_timer (GstConicConnection *self, guint milliseconds, GSourceFunc func)
{
  return gst_conic_timer_start (NULL, "conic-connection", milliseconds, func, self, NULL);
}

static void
start_data (GstConicConnection *self)
{
  g_auto (GStrv) labels = NULL;

  if (self->has_data || !offers_data (self))
    return;
  self->has_data = TRUE;
  labels = gst_conic_base_bin_get_data_labels (self->bin);
  /* Who has nothing to open says so at once: the other side's player may be waiting. */
  if (labels[0] == NULL)
    gst_conic_channels_tell_opened (self->channels);
  self->data_timer =
      start_timer (self,
                   gst_conic_session_is_offerer (self->session) ? OFFERER_DATA_DELAY
                                                                : ANSWERER_DATA_DELAY,
                   on_data_timer);
}

void
gst_conic_connection_open (GstConicConnection *self)
{
  const GstSDPMedia *data = get_data_section (self);

  self->is_open = TRUE;
  measure (self);
  self->measure_timer = start_timer (self, MEASURE_INTERVAL, on_measure_timer);
  gst_conic_media_open (self->media);
  gst_conic_receiver_expect (self->receiver, gst_conic_media_get_incoming (self->media));
  self->patience_timer = start_timer (self, STREAMS_PATIENCE, on_patience_timer);
  if (data != NULL && gst_sdp_media_get_port (data) != 0)
    self->channels_timer = start_timer (self, CHANNELS_PATIENCE, on_channels_timer);
  else
    gst_conic_receiver_complete_data (self->receiver);
  start_data (self);
  /* The pads may have changed since they were described. */
  gst_conic_connection_update (self);
}

void
gst_conic_connection_settle (GstConicConnection *self)
{
  if (!self->is_open)
    return;
  gst_conic_media_open (self->media);
  gst_conic_receiver_update (self->receiver, gst_conic_media_get_incoming (self->media));
  start_data (self);
  if (self->is_stale)
    gst_conic_connection_update (self);
}

void
gst_conic_connection_open_data (GstConicConnection *self, const char *label)
{
  if (!is_alive (self))
    return;
  if (!self->has_data)
    gst_conic_connection_update (self);
  else if (self->data_timer == NULL)
    gst_conic_channels_open (self->channels, label);
}

void
gst_conic_connection_send_eos (GstConicConnection *self)
{
  gst_conic_receiver_send_eos (self->receiver);
}

/* --- the object --- */

void
gst_conic_connection_leave (GstConicConnection *self)
{
  self->has_left = TRUE;
  gst_conic_timer_stop (&self->data_timer);
  gst_conic_timer_stop (&self->measure_timer);
  gst_conic_timer_stop (&self->patience_timer);
  gst_conic_timer_stop (&self->channels_timer);
}

static void
lock_element (const GValue *item, gpointer user_data)
{
  GPtrArray *locked = user_data;
  GstElement *element = g_value_get_object (item);

  gst_element_set_locked_state (element, TRUE);
  if (!g_ptr_array_find (locked, element, NULL))
    g_ptr_array_add (locked, gst_object_ref (element));
}

static void
stop_straggler (const GValue *item, gpointer user_data)
{
  GPtrArray *locked = user_data;
  GstElement *element = g_value_get_object (item);

  if (GST_STATE (element) != GST_STATE_NULL && !g_ptr_array_find (locked, element, NULL))
    gst_element_set_state (element, GST_STATE_NULL);
}

/* What webrtcbin's thread has added while the bins around it were on their way to NULL, and has
 * started after them: a transport that would run, with its sockets, for ever. That thread has ended. */
static void
stop_stragglers (GstConicConnection *self, GPtrArray *locked)
{
  g_autoptr (GstIterator) elements = gst_bin_iterate_recurse (GST_BIN (self));

  while (gst_iterator_foreach (elements, stop_straggler, locked) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
}

static void
lock_elements (GstConicConnection *self, const char *factory, GPtrArray *locked)
{
  g_autoptr (GstIterator) found =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (self), factory);

  while (gst_iterator_foreach (found, lock_element, locked) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (found);
}

/* Two kinds of elements stop after webrtcbin's thread has ended.
 *
 * GStreamer 1.22 frees an association as soon as it has closed it, while usrsctp's timer thread may
 * still be about to send something for it. sctpdec closes it; what holds on to it a little longer is
 * sctpenc.
 *
 * Until 1.22.3, rtpsession throws away its sources without its lock, while webrtcbin's thread may be
 * reading their statistics. */
static void
set_to_null (GstConicConnection *self)
{
  g_autoptr (GPtrArray) last = g_ptr_array_new_with_free_func (gst_object_unref);

  lock_elements (self, "sctpenc", last);
  lock_elements (self, "rtpsession", last);
  gst_element_set_state (GST_ELEMENT (self), GST_STATE_NULL);
  stop_stragglers (self, last);
  if (last->len > 0)
    g_usleep (SCTP_CLOSE_TIME);
  for (guint i = 0; i < last->len; i++)
    gst_element_set_state (g_ptr_array_index (last, i), GST_STATE_NULL);
}

static void
close_sink (const GValue *item, gpointer user_data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (g_value_get_object (item), "sink");

  gst_pad_set_active (pad, FALSE);
}

/* GStreamer 1.22 takes apart what a packet that just comes in may still be passing: sctpdec would make a
 * source pad that is freed already, and srtpdec miss its stream-start. Once this is done no packet is
 * under way, and none comes any more. */
static void
stop_incoming (GstConicConnection *self)
{
  g_autoptr (GstIterator) found =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (self), "dtlssrtpdec");

  while (gst_iterator_foreach (found, close_sink, NULL) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (found);
}

void
gst_conic_connection_close (GstConicConnection *self)
{
  gst_conic_media_release (self->media);
  /* Locked, or an element that changes its own state now would take this one along again. */
  gst_element_set_locked_state (GST_ELEMENT (self), TRUE);
  stop_incoming (self);
  set_to_null (self);
  gst_conic_ice_release (self->webrtcbin);
  /* Nothing of webrtcbin's runs any more. */
  g_clear_pointer (&self->channels, gst_conic_channels_free);
  g_clear_pointer (&self->receiver, gst_conic_receiver_free);
  g_clear_pointer (&self->media, gst_conic_media_free);
  self->webrtcbin = NULL;
}

/* A session that breaks is the session's end, not the pipeline's. */
static void
gst_conic_connection_handle_message (GstBin *bin, GstMessage *message)
{
  GstConicConnection *self = GST_CONIC_CONNECTION (bin);

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    g_atomic_int_set (&self->is_broken, TRUE);
    gst_conic_connections_fail (gst_conic_base_bin_get_connections (self->bin), self, message);
    gst_message_unref (message);
    return;
  case GST_MESSAGE_EOS:
  /* Nine tenths of what a session says are the states of webrtcbin's parts, which are nobody's business.
   * Writers of a GstBus wait for each other by spinning, so that sessions that come all at once on a
   * busy machine would stand still over it; and a bus that nobody reads would keep the parts. */
  case GST_MESSAGE_STATE_CHANGED:
  /* It plays on its own, whatever a decoder in it waits for. Told of that, the pipeline would go back to
   * PAUSED for each stream that begins; and if one begins just when the pipeline plays again, bins take
   * note of its start and not of its end, and the pipeline stays in PAUSED. */
  case GST_MESSAGE_ASYNC_START:
  case GST_MESSAGE_ASYNC_DONE:
    gst_message_unref (message);
    return;
  default:
    GST_BIN_CLASS (gst_conic_connection_parent_class)->handle_message (bin, message);
    return;
  }
}

static void
gst_conic_connection_finalize (GObject *object)
{
  GstConicConnection *self = GST_CONIC_CONNECTION (object);

  g_clear_pointer (&self->channels, gst_conic_channels_free);
  g_clear_pointer (&self->receiver, gst_conic_receiver_free);
  g_clear_pointer (&self->media, gst_conic_media_free);
  g_clear_object (&self->session);

  G_OBJECT_CLASS (gst_conic_connection_parent_class)->finalize (object);
}

static void
gst_conic_connection_class_init (GstConicConnectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_connection_finalize;
  GST_BIN_CLASS (klass)->handle_message = gst_conic_connection_handle_message;

  GST_DEBUG_CATEGORY_INIT (gst_conic_connection_debug, "conicconnection", 0, "Conic connection");
}

static void
gst_conic_connection_init (GstConicConnection *self)
{
}

gboolean
gst_conic_connection_is_possible (GError **error)
{
  static const struct {
    const char *factory;
    const char *package;
  } parts[] = {
      {"webrtcbin", "gstreamer1.0-plugins-bad"},   {"nicesink", "gstreamer1.0-nice"},
      {"dtlssrtpenc", "gstreamer1.0-plugins-bad"}, {"srtpenc", "gstreamer1.0-plugins-bad"},
      {"sctpenc", "gstreamer1.0-plugins-bad"},     {"rtpbin", "gstreamer1.0-plugins-good"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (parts[i].factory);

    if (factory != NULL)
      continue;
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                 "There is no %s, which every session needs: install %s.", parts[i].factory,
                 parts[i].package);
    return FALSE;
  }
  return TRUE;
}

GstConicConnection *
gst_conic_connection_new (GstElement *element, GstConicSession *session)
{
  GstConicConnection *self = g_object_new (GST_TYPE_CONIC_CONNECTION, NULL);
  GstElement *webrtcbin = gst_element_factory_make ("webrtcbin", NULL);

  self->bin = GST_CONIC_BASE_BIN (element);
  self->session = g_object_ref (session);
  if (webrtcbin == NULL)
    return self;
  self->webrtcbin = webrtcbin;
  gst_util_set_object_arg (G_OBJECT (webrtcbin), "bundle-policy", "max-bundle");
  gst_bin_add (GST_BIN (self), webrtcbin);
  self->media = gst_conic_media_new (GST_BIN (self), element, session, webrtcbin, go_on, self);
  self->receiver = gst_conic_receiver_new (element, self, webrtcbin);
  self->channels =
      gst_conic_channels_new (element, session, webrtcbin, on_channels_complete, G_OBJECT (self));
  return self;
}

GstConicSession *
gst_conic_connection_get_session (GstConicConnection *self)
{
  return self->session;
}

GstElement *
gst_conic_connection_get_webrtcbin (GstConicConnection *self)
{
  return self->webrtcbin;
}
