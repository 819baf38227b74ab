/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicdatasink.h"

#include "gstconicflow.h"
#include "gstconicsplitter.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_data_sink_debug);
#define GST_CAT_DEFAULT gst_conic_data_sink_debug

/* Microseconds that a peer which can't confirm the end gets, once all is handed to SCTP. */
#define LINGER_TIME G_USEC_PER_SEC

/* Microseconds after which the end is told again: it travels beside the messages, and is lost on a
 * peer that it reaches before the channel does. */
#define END_INTERVAL G_USEC_PER_SEC

enum { PROP_LINES = 1 };

struct _GstConicDataSink {
  GstPad parent_instance;

  char *label;
  GstConicDataSinkFunc eos;
  gpointer user_data;

  GMutex lock; /* guards what follows; nothing but a channel's innermost lock is taken under it */
  GCond changed;
  gboolean flushing;
  gboolean is_eos;
  guint serial;        /* grows with every change, so that no wake-up is missed */
  GPtrArray *channels; /* (element-type GstConicChannel) */

  GstConicSplitter splitter; /* STREAM_LOCK */
  gboolean warned;           /* STREAM_LOCK */
};

G_DEFINE_FINAL_TYPE (GstConicDataSink, gst_conic_data_sink, GST_TYPE_PAD)

static void
select_channels (GstConicDataSink *self, GPtrArray *selected)
{
  for (guint i = 0; i < self->channels->len; i++) {
    GstConicChannel *channel = g_ptr_array_index (self->channels, i);

    if (gst_conic_channel_is_open (channel))
      g_ptr_array_add (selected, g_object_ref (channel));
  }
}

static gboolean
all_writable (GPtrArray *channels)
{
  for (guint i = 0; i < channels->len; i++)
    if (!gst_conic_channel_is_writable (g_ptr_array_index (channels, i)))
      return FALSE;
  return channels->len > 0;
}

/* (transfer container) (nullable): the channels to send on, all with room; NULL when flushing */
static GPtrArray *
wait_for_channels (GstConicDataSink *self)
{
  g_autoptr (GPtrArray) selected = g_ptr_array_new_with_free_func (g_object_unref);

  g_mutex_lock (&self->lock);
  while (!self->flushing) {
    guint serial = self->serial;

    g_ptr_array_set_size (selected, 0);
    select_channels (self, selected);
    g_mutex_unlock (&self->lock);
    if (all_writable (selected))
      return g_steal_pointer (&selected);
    g_mutex_lock (&self->lock);
    while (!self->flushing && serial == self->serial)
      g_cond_wait (&self->changed, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static GstFlowReturn
send_message (GstConicDataSink *self, GBytes *message, gboolean is_text)
{
  g_autoptr (GPtrArray) channels = wait_for_channels (self);

  if (channels == NULL)
    return GST_FLOW_FLUSHING;
  for (guint i = 0; i < channels->len; i++) {
    g_autoptr (GError) error = NULL;

    /* A channel that closes now takes its session's share with it; the others go on. */
    if (!gst_conic_channel_send (g_ptr_array_index (channels, i), message, is_text, &error))
      GST_INFO_OBJECT (self, "not sent: %s", error->message);
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
send_pending (GstConicDataSink *self, gboolean final)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GBytes *message;
  gboolean is_text;

  while (ret == GST_FLOW_OK &&
         (message = gst_conic_splitter_pop (&self->splitter, final, &is_text)) != NULL) {
    ret = send_message (self, message, is_text);
    g_bytes_unref (message);
  }
  if (self->splitter.not_text && self->splitter.mode == GST_CONIC_SPLIT_TEXT && !self->warned) {
    g_autoptr (GstElement) element = gst_pad_get_parent_element (GST_PAD (self));

    self->warned = TRUE;
    GST_ELEMENT_WARNING (element, STREAM, FORMAT,
                         ("What came into pad %s is not UTF-8 text, though its caps say so; it "
                          "was sent as binary messages",
                          GST_OBJECT_NAME (self)),
                         (NULL));
  }
  return ret;
}

static GstFlowReturn
gst_conic_data_sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (pad);
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  gst_conic_splitter_push (&self->splitter, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return send_pending (self, FALSE);
}

/* Whether every channel's other side has all that was sent. *@until: when to ask again at the
 * latest, for peers that can't say. */
static gboolean
is_received (GPtrArray *channels, gint64 *until)
{
  gboolean received = TRUE;
  gint64 linger = 0;

  for (guint i = 0; i < channels->len; i++) {
    GstConicChannel *channel = g_ptr_array_index (channels, i);

    if (gst_conic_channel_is_received (channel) || gst_conic_channel_is_closed (channel))
      continue;
    received = FALSE;
    if (gst_conic_channel_is_drained (channel) && !gst_conic_flow_is_spoken (channel))
      linger = g_get_monotonic_time () + LINGER_TIME;
  }
  if (*until == 0)
    *until = linger;
  return received;
}

static void
tell_end (GPtrArray *channels)
{
  for (guint i = 0; i < channels->len; i++) {
    GstConicChannel *channel = g_ptr_array_index (channels, i);

    if (!gst_conic_channel_is_received (channel))
      gst_conic_flow_send_end (channel);
  }
}

/* Blocks until what was sent has arrived, so that an application may stop at EOS. */
static void
drain (GstConicDataSink *self)
{
  g_autoptr (GPtrArray) channels = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 until = 0, again = 0;

  GST_DEBUG_OBJECT (self, "at the end: waits for it to arrive");
  g_mutex_lock (&self->lock);
  select_channels (self, channels);
  while (!self->flushing) {
    guint serial = self->serial;
    gint64 now = g_get_monotonic_time ();
    gboolean received;

    g_mutex_unlock (&self->lock);
    if (now >= again) {
      tell_end (channels);
      again = now + END_INTERVAL;
    }
    received = is_received (channels, &until);
    g_mutex_lock (&self->lock);
    if (received || (until != 0 && now >= until))
      break;
    if (serial == self->serial && !self->flushing)
      g_cond_wait_until (&self->changed, &self->lock, until != 0 ? MIN (until, again) : again);
  }
  self->is_eos = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
set_eos (GstConicDataSink *self, gboolean is_eos)
{
  g_mutex_lock (&self->lock);
  self->is_eos = is_eos;
  g_mutex_unlock (&self->lock);
}

static void
set_flushing (GstConicDataSink *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  self->is_eos = FALSE;
  self->serial++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Nothing of a stream that has been cut off goes out with the next. */
static void
reset (GstConicDataSink *self)
{
  gboolean lines = self->splitter.lines;

  gst_conic_splitter_clear (&self->splitter);
  gst_conic_splitter_init (&self->splitter);
  self->splitter.lines = lines;
  self->warned = FALSE;
}

static void
set_caps (GstConicDataSink *self, const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  self->splitter.mode = gst_structure_has_name (structure, "text/x-raw") ? GST_CONIC_SPLIT_TEXT
                                                                         : GST_CONIC_SPLIT_BINARY;
}

/* Not what GstPad does by itself: what comes in here comes out at the other side. */
static GstIterator *
iterate_internal_links (GstPad *pad, GstObject *parent)
{
  return NULL;
}

static gboolean
gst_conic_data_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (pad);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START:
    set_eos (self, FALSE);
    break;
  case GST_EVENT_CAPS:
    gst_event_parse_caps (event, &caps);
    set_caps (self, caps);
    break;
  case GST_EVENT_FLUSH_START:
    set_flushing (self, TRUE);
    break;
  case GST_EVENT_FLUSH_STOP:
    set_flushing (self, FALSE);
    reset (self);
    break;
  case GST_EVENT_EOS:
    if (send_pending (self, TRUE) == GST_FLOW_OK) {
      drain (self);
      self->eos (self, self->user_data);
    }
    break;
  default:
    break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
gst_conic_data_sink_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (pad);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  set_flushing (self, !active);
  if (active)
    reset (self);
  return TRUE;
}

static void
gst_conic_data_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (object);

  if (id == PROP_LINES)
    self->splitter.lines = g_value_get_boolean (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_conic_data_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (object);

  if (id == PROP_LINES)
    g_value_set_boolean (value, self->splitter.lines);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_conic_data_sink_finalize (GObject *object)
{
  GstConicDataSink *self = GST_CONIC_DATA_SINK (object);

  gst_conic_splitter_clear (&self->splitter);
  g_ptr_array_unref (self->channels);
  g_free (self->label);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_conic_data_sink_parent_class)->finalize (object);
}

static void
gst_conic_data_sink_class_init (GstConicDataSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_conic_data_sink_debug, "conicdatasink", 0, "Conic data sink pad");

  object_class->set_property = gst_conic_data_sink_set_property;
  object_class->get_property = gst_conic_data_sink_get_property;
  object_class->finalize = gst_conic_data_sink_finalize;

  g_object_class_install_property (
      object_class, PROP_LINES,
      g_param_spec_boolean ("lines", "Lines",
                            "Each line of text that comes in, with its end, is a message of its "
                            "own, however it is spread over buffers",
                            FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
gst_conic_data_sink_init (GstConicDataSink *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->flushing = TRUE;
  self->channels = g_ptr_array_new_with_free_func (g_object_unref);
  gst_conic_splitter_init (&self->splitter);
}

GstConicDataSink *
gst_conic_data_sink_new (GstPadTemplate *template,
                         const char *name,
                         const char *label,
                         GstConicDataSinkFunc eos,
                         gpointer user_data)
{
  GstConicDataSink *self = g_object_new (GST_TYPE_CONIC_DATA_SINK, "name", name, "direction",
                                         GST_PAD_SINK, "template", template, NULL);

  self->label = g_strdup (label);
  self->eos = eos;
  self->user_data = user_data;
  gst_pad_set_chain_function (GST_PAD (self), gst_conic_data_sink_chain);
  gst_pad_set_event_function (GST_PAD (self), gst_conic_data_sink_event);
  gst_pad_set_activatemode_function (GST_PAD (self), gst_conic_data_sink_activate_mode);
  gst_pad_set_iterate_internal_links_function (GST_PAD (self), iterate_internal_links);
  return self;
}

const char *
gst_conic_data_sink_get_label (GstConicDataSink *self)
{
  return self->label;
}

void
gst_conic_data_sink_add_channel (GstConicDataSink *self, GstConicChannel *channel)
{
  g_mutex_lock (&self->lock);
  if (!g_ptr_array_find (self->channels, channel, NULL))
    g_ptr_array_add (self->channels, g_object_ref (channel));
  g_mutex_unlock (&self->lock);
  gst_conic_data_sink_wake (self);
}

void
gst_conic_data_sink_remove_channel (GstConicDataSink *self, GstConicChannel *channel)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->channels, channel);
  g_mutex_unlock (&self->lock);
  gst_conic_data_sink_wake (self);
}

void
gst_conic_data_sink_wake (GstConicDataSink *self)
{
  g_mutex_lock (&self->lock);
  self->serial++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
gst_conic_data_sink_is_eos (GstConicDataSink *self)
{
  gboolean is_eos;

  g_mutex_lock (&self->lock);
  is_eos = self->is_eos;
  g_mutex_unlock (&self->lock);
  return is_eos;
}
