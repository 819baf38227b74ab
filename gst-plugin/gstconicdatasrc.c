/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicdatasrc.h"

#include "gstconicflow.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_data_src_debug);
#define GST_CAT_DEFAULT gst_conic_data_src_debug

/* Bytes that may wait here before the other side is asked to pause, and below which it may go on.
 * After the request come what it and SCTP still hold, some MiB. */
#define QUEUE_HIGH (2 * 1024 * 1024)
#define QUEUE_LOW  (512 * 1024)

/* Bytes at which a peer that can't pause has its channel closed. */
#define QUEUE_LIMIT (64 * 1024 * 1024)

/* What a message costs beyond its bytes, so that empty ones count too. */
#define ITEM_OVERHEAD 128

typedef struct {
  GstConicChannel *channel;
  GBytes *data; /* NULL is EOS */
  gboolean is_text;
} Item;

struct _GstConicDataSrc {
  GstPad parent_instance;

  char *label;

  GMutex lock; /* guards what follows; no other is taken under it */
  GCond changed;
  gboolean flushing;
  gboolean ended; /* EOS has been queued */
  GQueue items;   /* Item */
  gsize bytes;
  GPtrArray *paused; /* (element-type GstConicChannel): asked to pause */

  gboolean begun;  /* STREAM_LOCK: stream-start and segment are out */
  int caps_format; /* STREAM_LOCK: -1 before the first, then whether it is text */
};

G_DEFINE_FINAL_TYPE (GstConicDataSrc, gst_conic_data_src, GST_TYPE_PAD)

static void
item_free (Item *item)
{
  g_clear_object (&item->channel);
  g_clear_pointer (&item->data, g_bytes_unref);
  g_free (item);
}

/* (transfer full) */
static GstCaps *
new_caps (gboolean is_text)
{
  return gst_caps_from_string (is_text ? "text/x-raw, format=utf8" : "application/octet-stream");
}

static void
set_format (GstConicDataSrc *self, gboolean is_text)
{
  GstPad *pad = GST_PAD (self);
  g_autoptr (GstCaps) caps = NULL;

  if (!self->begun) {
    g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);
    g_autofree char *stream_id =
        g_strdup_printf ("conic/%s/data/%s", element != NULL ? GST_OBJECT_NAME (element) : "",
                         self->label);

    gst_pad_push_event (pad, gst_event_new_stream_start (stream_id));
  }
  if (self->caps_format != (int) is_text) {
    caps = new_caps (is_text);
    gst_pad_push_event (pad, gst_event_new_caps (caps));
    self->caps_format = (int) is_text;
  }
  if (!self->begun) {
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (pad, gst_event_new_segment (&segment));
    self->begun = TRUE;
  }
}

static GstClockTime
get_running_time (GstConicDataSrc *self)
{
  g_autoptr (GstElement) element = gst_pad_get_parent_element (GST_PAD (self));

  return element != NULL ? gst_element_get_current_running_time (element) : GST_CLOCK_TIME_NONE;
}

static void
push_item (GstConicDataSrc *self, const Item *item)
{
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (item->data);
  GstFlowReturn ret;

  set_format (self, item->is_text);
  GST_BUFFER_PTS (buffer) = get_running_time (self);
  ret = gst_pad_push (GST_PAD (self), buffer);
  /* Nobody listens, or no longer: that is their business, not the session's. */
  if (ret != GST_FLOW_OK)
    GST_LOG_OBJECT (self, "message dropped downstream: %s", gst_flow_get_name (ret));
  gst_conic_channel_add_delivered (item->channel);
}

/* Nobody knows when the first message comes, and until a sink has had something it keeps all others
 * of its pipeline from starting. */
static void
push_gap (GstConicDataSrc *self)
{
  g_autoptr (GstCaps) text = new_caps (TRUE);
  GstClockTime now = get_running_time (self);

  set_format (self, gst_pad_peer_query_accept_caps (GST_PAD (self), text));
  gst_pad_push_event (GST_PAD (self), gst_event_new_gap (GST_CLOCK_TIME_IS_VALID (now) ? now : 0,
                                                         GST_CLOCK_TIME_NONE));
}

static gboolean
has_item (GstConicDataSrc *self)
{
  gboolean has;

  g_mutex_lock (&self->lock);
  has = !g_queue_is_empty (&self->items);
  g_mutex_unlock (&self->lock);
  return has;
}

/* (transfer full) (nullable): NULL when flushing */
static Item *
wait_for_item (GstConicDataSrc *self)
{
  g_autoptr (GPtrArray) resume = NULL;
  Item *item;

  g_mutex_lock (&self->lock);
  while (!self->flushing && g_queue_is_empty (&self->items))
    g_cond_wait (&self->changed, &self->lock);
  item = self->flushing ? NULL : g_queue_pop_head (&self->items);
  if (item != NULL && item->data != NULL)
    self->bytes -= g_bytes_get_size (item->data) + ITEM_OVERHEAD;
  if (self->bytes <= QUEUE_LOW && self->paused->len > 0) {
    resume = self->paused;
    self->paused = g_ptr_array_new_with_free_func (g_object_unref);
  }
  g_mutex_unlock (&self->lock);

  for (guint i = 0; resume != NULL && i < resume->len; i++)
    gst_conic_flow_send_pause (g_ptr_array_index (resume, i), FALSE);
  return item;
}

static void
run_task (gpointer user_data)
{
  GstConicDataSrc *self = user_data;
  Item *item;

  if (!self->begun && !has_item (self))
    push_gap (self);
  item = wait_for_item (self);
  if (item == NULL) {
    gst_pad_pause_task (GST_PAD (self));
    return;
  }
  if (item->data != NULL) {
    push_item (self, item);
  } else {
    if (!self->begun)
      set_format (self, TRUE);
    gst_pad_push_event (GST_PAD (self), gst_event_new_eos ());
  }
  item_free (item);
}

static gboolean
gst_conic_data_src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstConicDataSrc *self = GST_CONIC_DATA_SRC (pad);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->flushing = !active;
  if (!active) {
    g_queue_clear_full (&self->items, (GDestroyNotify) item_free);
    self->bytes = 0;
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return active || gst_pad_stop_task (pad);
}

/* Not what GstPad does by itself: nothing that comes into the element comes out here. */
static GstIterator *
iterate_internal_links (GstPad *pad, GstObject *parent)
{
  return NULL;
}

static gboolean
gst_conic_data_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean is_seek = GST_EVENT_TYPE (event) == GST_EVENT_SEEK;

  gst_event_unref (event);
  return !is_seek;
}

static gboolean
gst_conic_data_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static void
gst_conic_data_src_finalize (GObject *object)
{
  GstConicDataSrc *self = GST_CONIC_DATA_SRC (object);

  g_queue_clear_full (&self->items, (GDestroyNotify) item_free);
  g_ptr_array_unref (self->paused);
  g_free (self->label);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_conic_data_src_parent_class)->finalize (object);
}

static void
gst_conic_data_src_class_init (GstConicDataSrcClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_data_src_finalize;

  GST_DEBUG_CATEGORY_INIT (gst_conic_data_src_debug, "conicdatasrc", 0, "Conic data source pad");
}

static void
gst_conic_data_src_init (GstConicDataSrc *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->items);
  self->paused = g_ptr_array_new_with_free_func (g_object_unref);
  self->caps_format = -1;
}

GstConicDataSrc *
gst_conic_data_src_new (GstPadTemplate *template, const char *name, const char *label)
{
  GstConicDataSrc *self = g_object_new (GST_TYPE_CONIC_DATA_SRC, "name", name, "direction",
                                        GST_PAD_SRC, "template", template, NULL);

  self->label = g_strdup (label);
  gst_pad_set_activatemode_function (GST_PAD (self), gst_conic_data_src_activate_mode);
  gst_pad_set_iterate_internal_links_function (GST_PAD (self), iterate_internal_links);
  gst_pad_set_event_function (GST_PAD (self), gst_conic_data_src_event);
  gst_pad_set_query_function (GST_PAD (self), gst_conic_data_src_query);
  return self;
}

const char *
gst_conic_data_src_get_label (GstConicDataSrc *self)
{
  return self->label;
}

void
gst_conic_data_src_start (GstConicDataSrc *self)
{
  gst_pad_start_task (GST_PAD (self), run_task, self, NULL);
}

static void
push_full (GstConicDataSrc *self, GstConicChannel *channel)
{
  g_mutex_lock (&self->lock);
  if (g_ptr_array_find (self->paused, channel, NULL))
    channel = NULL;
  else
    g_ptr_array_add (self->paused, g_object_ref (channel));
  g_mutex_unlock (&self->lock);
  if (channel != NULL)
    gst_conic_flow_send_pause (channel, TRUE);
}

static void
refuse (GstConicDataSrc *self, GstConicChannel *channel)
{
  g_autoptr (GstElement) element = gst_pad_get_parent_element (GST_PAD (self));

  if (gst_conic_channel_is_closed (channel))
    return;
  gst_conic_channel_close (channel);
  GST_ELEMENT_WARNING (element, RESOURCE, NO_SPACE_LEFT,
                       ("Channel “%s” was closed: its messages are not read as fast as they come, "
                        "and the other side doesn't pause",
                        self->label),
                       (NULL));
}

void
gst_conic_data_src_push (GstConicDataSrc *self,
                         GstConicChannel *channel,
                         GBytes *data,
                         gboolean is_text)
{
  gsize size = g_bytes_get_size (data) + ITEM_OVERHEAD;
  gboolean full, refused;

  g_mutex_lock (&self->lock);
  refused = self->bytes + size > QUEUE_LIMIT;
  if (!refused) {
    Item *item = g_new0 (Item, 1);

    item->channel = g_object_ref (channel);
    item->data = g_bytes_ref (data);
    item->is_text = is_text;
    g_queue_push_tail (&self->items, item);
    self->bytes += size;
  }
  full = self->bytes > QUEUE_HIGH;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);

  if (refused)
    refuse (self, channel);
  else if (full)
    push_full (self, channel);
}

void
gst_conic_data_src_push_eos (GstConicDataSrc *self)
{
  g_mutex_lock (&self->lock);
  if (!self->ended)
    g_queue_push_tail (&self->items, g_new0 (Item, 1));
  self->ended = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}
