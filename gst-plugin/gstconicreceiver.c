/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   webrtcbin ─► decodebin | parsebin | identity ─► the connection's src_%u ─► the element's
 *                                                                               source pads
 *
 * webrtcbin and decodebin add their pads in threads of their own. */

#include "gstconicreceiver.h"

#include "gstconicbasebin.h"
#include "gstconicframes.h"
#include "gstconicjitter.h"
#include "gstconicrepair.h"
#include "gstconicsection.h"

/* How long an EOS gets to pass the decoders, in microseconds: what they hold is decoded first. */
#define EOS_TIME (2 * G_TIME_SPAN_SECOND)

/* What comes on one pad of webrtcbin's. */
typedef struct {
  GstConicReceiver *receiver;
  GstPad *webrtc_pad;
  GstElement *consumer; /* (nullable): what it goes into */
  GstPad *ghost;        /* (nullable): the connection's pad for what comes out of that */
  gboolean is_over;     /* the other side sends nothing in this section */
  gboolean is_watched;  /* webrtc_pad has a probe for what comes after that */
} Stream;

struct _GstConicReceiver {
  GstConicBaseBin *bin;
  GstConicOutputs *outputs; /* borrowed */
  GstConicConnection *connection;
  GstElement *webrtcbin;
  GstConicOutputMode mode;

  GMutex lock; /* guards what follows, and the streams; no other is taken under it */
  GPtrArray *streams;
  guint n_pads;
  guint n_expected;   /* G_MAXUINT as long as nothing is waited for */
  gboolean has_data;  /* the pads for data, all of them */
  guint n_ended;      /* pads that EOS has passed */
  gboolean is_ending; /* all streams end: the session is over */
  GCond ended;
  GstConicFrames frames;
};

static void
check_complete (GstConicReceiver *self)
{
  gboolean complete;

  g_mutex_lock (&self->lock);
  complete = self->has_data && self->n_pads >= self->n_expected;
  if (complete)
    self->n_expected = G_MAXUINT;
  g_mutex_unlock (&self->lock);
  if (complete)
    gst_conic_outputs_complete (self->outputs);
}

/* EOS has passed the pad. In a session that goes on the other side has taken the stream away, and the
 * element's pad goes, too. */
static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicReceiver *self = user_data;
  gboolean goes_on;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_EOS)
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&self->lock);
  goes_on = !self->is_ending;
  self->n_ended++;
  g_cond_broadcast (&self->ended);
  g_mutex_unlock (&self->lock);
  if (goes_on)
    gst_conic_connections_remove_output (gst_conic_base_bin_get_connections (self->bin),
                                         self->connection, pad);
  return GST_PAD_PROBE_REMOVE;
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicReceiver *self = user_data;

  g_mutex_lock (&self->lock);
  gst_conic_frames_add (&self->frames, g_get_monotonic_time ());
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

static void
expose (Stream *stream, GstPad *pad, GstWebRTCKind kind)
{
  GstConicReceiver *self = stream->receiver;
  g_autofree char *name = NULL;
  GstPad *ghost;
  guint index;

  g_mutex_lock (&self->lock);
  index = self->n_pads++;
  name = g_strdup_printf ("src_%u", index);
  ghost = gst_ghost_pad_new (name, pad);
  stream->ghost = ghost;
  g_mutex_unlock (&self->lock);
  gst_pad_add_probe (ghost, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, self, NULL);
  if (kind == GST_WEBRTC_KIND_VIDEO && self->mode != GST_CONIC_OUTPUT_RTP)
    gst_pad_add_probe (ghost, GST_PAD_PROBE_TYPE_BUFFER, on_frame, self, NULL);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self->connection), ghost);
  gst_conic_outputs_add_media (self->outputs, self->connection, kind, ghost);
  check_complete (self);
}

static void
on_consumer_pad (GstElement *consumer, GstPad *pad, Stream *stream)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstWebRTCKind kind = GST_WEBRTC_KIND_VIDEO;

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_get_size (caps) > 0 &&
      g_str_has_prefix (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "audio/"))
    kind = GST_WEBRTC_KIND_AUDIO;
  expose (stream, pad, kind);
}

static void
set_boolean (GstElement *element, const char *property, gboolean value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property) != NULL)
    g_object_set (element, property, value, NULL);
}

/* What webrtcbin and decodebin make for themselves, set right. */
static void
on_deep_element_added (GstBin *connection, GstBin *bin, GstElement *element, gpointer do_nack)
{
  /* A depayloader: without these a lost keyframe shows as smear until the next one. */
  set_boolean (element, "wait-for-keyframe", TRUE);
  set_boolean (element, "request-keyframe", TRUE);
  gst_conic_jitter_set_up (element, GPOINTER_TO_INT (do_nack));
  gst_conic_repair_set_up (element);
}

static GstPadProbeReturn
drop_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_DROP;
}

/* (transfer floating) (nullable) */
static GstElement *
make_consumer (GstConicReceiver *self)
{
  static const char *const factories[] = {
      [GST_CONIC_OUTPUT_RAW] = "decodebin",
      [GST_CONIC_OUTPUT_ENCODED] = "parsebin",
      [GST_CONIC_OUTPUT_RTP] = "identity",
  };
  GstElement *consumer = gst_element_factory_make (factories[self->mode], NULL);

  if (consumer == NULL)
    GST_ELEMENT_WARNING (self->bin, CORE, MISSING_PLUGIN,
                         ("There is no %s: install gstreamer1.0-plugins-base",
                          factories[self->mode]),
                         (NULL));
  return consumer;
}

/* Makes what the stream goes into. */
static void
begin_stream (Stream *stream)
{
  GstConicReceiver *self = stream->receiver;
  GstElement *consumer = make_consumer (self);
  g_autoptr (GstPad) sink = NULL;
  g_autoptr (GstPad) src = NULL;

  if (consumer == NULL)
    return;
  g_mutex_lock (&self->lock);
  stream->consumer = gst_object_ref_sink (consumer);
  g_mutex_unlock (&self->lock);
  gst_bin_add (GST_BIN (self->connection), consumer);
  src = gst_element_get_static_pad (consumer, "src");
  if (src != NULL)
    expose (stream, src, gst_conic_section_get_kind (stream->webrtc_pad));
  else
    g_signal_connect (consumer, "pad-added", G_CALLBACK (on_consumer_pad), stream);
  gst_element_sync_state_with_parent (consumer);
  sink = gst_element_get_static_pad (consumer, "sink");
  gst_pad_link (stream->webrtc_pad, sink);
}

static void
on_webrtc_pad (GstElement *webrtcbin, GstPad *pad, GstConicReceiver *self)
{
  Stream *stream;

  if (gst_pad_get_direction (pad) != GST_PAD_SRC)
    return;
  if (!gst_conic_base_bin_receives (self->bin)) {
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop_buffer,
                       NULL, NULL);
    return;
  }
  stream = g_new0 (Stream, 1);
  stream->receiver = self;
  stream->webrtc_pad = gst_object_ref (pad);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->streams, stream);
  g_mutex_unlock (&self->lock);
  begin_stream (stream);
}

static void
stream_free (Stream *stream)
{
  if (stream->consumer != NULL)
    g_signal_handlers_disconnect_by_data (stream->consumer, stream);
  gst_clear_object (&stream->consumer);
  gst_object_unref (stream->webrtc_pad);
  g_free (stream);
}

void
gst_conic_receiver_expect (GstConicReceiver *self, guint64 incoming)
{
  g_mutex_lock (&self->lock);
  self->n_expected = 0;
  for (; incoming != 0; incoming &= incoming - 1)
    self->n_expected++;
  g_mutex_unlock (&self->lock);
  check_complete (self);
}

void
gst_conic_receiver_complete_data (GstConicReceiver *self)
{
  g_mutex_lock (&self->lock);
  self->has_data = TRUE;
  g_mutex_unlock (&self->lock);
  check_complete (self);
}

void
gst_conic_receiver_give_up (GstConicReceiver *self)
{
  g_mutex_lock (&self->lock);
  self->has_data = TRUE;
  if (self->n_expected != G_MAXUINT)
    self->n_expected = 0;
  g_mutex_unlock (&self->lock);
  check_complete (self);
}

/* (transfer full) (element-type GstElement): those of streams that go on; with the lock held */
static GPtrArray *
list_consumers (GstConicReceiver *self)
{
  GPtrArray *consumers = g_ptr_array_new_with_free_func (gst_object_unref);

  for (guint i = 0; i < self->streams->len; i++) {
    Stream *stream = g_ptr_array_index (self->streams, i);

    if (stream->consumer != NULL && !stream->is_over)
      g_ptr_array_add (consumers, gst_object_ref (stream->consumer));
  }
  return consumers;
}

/* (transfer none) (nullable): interned: the codec of what comes into @consumer */
static const char *
get_codec (GstElement *consumer, GstWebRTCKind *kind)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (consumer, "sink");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (sink);
  const GstStructure *s = caps != NULL ? gst_caps_get_structure (caps, 0) : NULL;
  const char *name = s != NULL ? gst_structure_get_string (s, "encoding-name") : NULL;

  if (name == NULL)
    return NULL;
  *kind = g_strcmp0 (gst_structure_get_string (s, "media"), "audio") == 0 ? GST_WEBRTC_KIND_AUDIO
                                                                          : GST_WEBRTC_KIND_VIDEO;
  return g_intern_string (name);
}

void
gst_conic_receiver_measure (GstConicReceiver *self, GstStructure *measures)
{
  g_autoptr (GPtrArray) consumers = NULL;
  const char *codecs[3] = {"", "", ""};
  GstConicFrames frames;

  g_mutex_lock (&self->lock);
  consumers = list_consumers (self);
  frames = self->frames;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < consumers->len; i++) {
    GstWebRTCKind kind;
    const char *codec = get_codec (g_ptr_array_index (consumers, i), &kind);

    if (codec != NULL)
      codecs[kind] = codec;
  }
  gst_structure_set (measures, "audio-codec-in", G_TYPE_STRING, codecs[GST_WEBRTC_KIND_AUDIO],
                     "video-codec-in", G_TYPE_STRING, codecs[GST_WEBRTC_KIND_VIDEO], "frames-in",
                     G_TYPE_UINT64, frames.n_frames, "freezes", G_TYPE_UINT64, frames.n_freezes,
                     "freeze-time", G_TYPE_DOUBLE, (double) frames.freeze_time / G_USEC_PER_SEC,
                     NULL);
}

/* Decoders have threads of their own, and what is stopped before EOS has passed it never ends. */
static void
wait_for_eos (GstConicReceiver *self)
{
  gint64 deadline = g_get_monotonic_time () + EOS_TIME;

  g_mutex_lock (&self->lock);
  while (self->n_ended < self->n_pads && g_cond_wait_until (&self->ended, &self->lock, deadline))
    ;
  g_mutex_unlock (&self->lock);
}

/* In a thread of its own: streams that are played together end together, and block until all do. */
static void
end_consumer (GstElement *consumer, gpointer user_data)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (consumer, "sink");
  g_autoptr (GstPad) peer = gst_pad_get_peer (sink);

  if (peer != NULL)
    gst_pad_unlink (peer, sink);
  gst_pad_send_event (sink, gst_event_new_eos ());
}

void
gst_conic_receiver_send_eos (GstConicReceiver *self)
{
  g_autoptr (GPtrArray) consumers = NULL;

  g_mutex_lock (&self->lock);
  self->is_ending = TRUE;
  consumers = list_consumers (self);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < consumers->len; i++)
    gst_element_call_async (g_ptr_array_index (consumers, i), end_consumer, NULL, NULL);
  wait_for_eos (self);
}

/* --- streams that pause --- */

static void
remove_consumer (Stream *stream)
{
  GstConicReceiver *self = stream->receiver;
  g_autoptr (GstElement) consumer = NULL;
  g_autoptr (GstPad) ghost = NULL;
  g_autoptr (GstPad) sink = NULL;

  g_mutex_lock (&self->lock);
  consumer = g_steal_pointer (&stream->consumer);
  if (stream->ghost != NULL)
    ghost = gst_object_ref (stream->ghost);
  stream->ghost = NULL;
  g_mutex_unlock (&self->lock);
  g_signal_handlers_disconnect_by_data (consumer, stream);
  sink = gst_element_get_static_pad (consumer, "sink");
  gst_pad_unlink (stream->webrtc_pad, sink);
  gst_element_set_locked_state (consumer, TRUE);
  gst_element_set_state (consumer, GST_STATE_NULL);
  if (ghost != NULL)
    gst_element_remove_pad (GST_ELEMENT (self->connection), ghost);
  gst_bin_remove (GST_BIN (self->connection), consumer);
}

/* On webrtcbin's pad once its stream is over: drops what is still on its way, and lets the stream begin
 * anew with what comes when the other side sends again, and the element's pad has gone. */
static GstPadProbeReturn
on_late_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Stream *stream = user_data;
  GstConicReceiver *self = stream->receiver;
  gboolean waits;

  g_mutex_lock (&self->lock);
  waits = stream->is_over || self->is_ending ||
          (stream->ghost != NULL && gst_pad_is_linked (stream->ghost));
  stream->is_watched = waits;
  g_mutex_unlock (&self->lock);
  if (waits)
    return GST_PAD_PROBE_DROP;
  remove_consumer (stream);
  begin_stream (stream);
  return GST_PAD_PROBE_REMOVE;
}

static void
update_stream (Stream *stream, guint64 incoming)
{
  GstConicReceiver *self = stream->receiver;
  guint section = gst_conic_section_get_index (stream->webrtc_pad);
  gboolean is_over =
      section < GST_CONIC_SDP_MEDIAS_MAX && (incoming & G_GUINT64_CONSTANT (1) << section) == 0;
  g_autoptr (GstElement) ending = NULL;
  gboolean was_watched = FALSE;

  g_mutex_lock (&self->lock);
  if (is_over && !stream->is_over && stream->consumer != NULL) {
    ending = gst_object_ref (stream->consumer);
    was_watched = stream->is_watched;
    stream->is_watched = TRUE;
  }
  stream->is_over = is_over;
  g_mutex_unlock (&self->lock);
  if (ending == NULL)
    return;
  if (!was_watched)
    gst_pad_add_probe (stream->webrtc_pad,
                       GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_late_buffer,
                       stream, NULL);
  gst_element_call_async (ending, end_consumer, NULL, NULL);
}

/* (transfer none) (nullable): streams are never removed */
static Stream *
get_stream (GstConicReceiver *self, guint index)
{
  Stream *stream;

  g_mutex_lock (&self->lock);
  stream = index < self->streams->len ? g_ptr_array_index (self->streams, index) : NULL;
  g_mutex_unlock (&self->lock);
  return stream;
}

void
gst_conic_receiver_update (GstConicReceiver *self, guint64 incoming)
{
  Stream *stream;

  for (guint i = 0; (stream = get_stream (self, i)) != NULL; i++)
    update_stream (stream, incoming);
}

GstConicReceiver *
gst_conic_receiver_new (GstElement *element, GstConicConnection *connection, GstElement *webrtcbin)
{
  GstConicReceiver *self = g_new0 (GstConicReceiver, 1);
  g_autoptr (GstElement) rtpbin = gst_bin_get_by_name (GST_BIN (webrtcbin), "rtpbin");
  const GstConicMediaSettings *settings =
      gst_conic_base_bin_get_media_settings (GST_CONIC_BASE_BIN (element));

  self->bin = GST_CONIC_BASE_BIN (element);
  self->outputs = gst_conic_base_bin_get_outputs (self->bin);
  self->connection = connection;
  self->webrtcbin = webrtcbin;
  self->mode = settings->output;
  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);
  self->n_expected = G_MAXUINT;
  g_object_set (webrtcbin, "latency", settings->latency, NULL);
  if (rtpbin != NULL)
    g_object_set (rtpbin, "do-lost", settings->do_lost, NULL);
  g_signal_connect (connection, "deep-element-added", G_CALLBACK (on_deep_element_added),
                    GINT_TO_POINTER (settings->do_nack));
  g_signal_connect (webrtcbin, "pad-added", G_CALLBACK (on_webrtc_pad), self);
  return self;
}

void
gst_conic_receiver_free (GstConicReceiver *self)
{
  g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
  g_ptr_array_unref (self->streams);
  g_cond_clear (&self->ended);
  g_mutex_clear (&self->lock);
  g_free (self);
}
