/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Raw media:
 *
 *   sink ─► capsfilter ─► clocksync ─► valve ─► queue ─► convert ─► encoder ─► tee ─► src_%u …
 *
 * encoded media:
 *
 *   sink ─► capsfilter ─► clocksync ─► parser ─► tee ─► src_%u …
 *
 * What stands between clocksync and tee is made when the first caps come. clocksync paces what
 * comes from a file, for webrtcbin sends as fast as it gets. The valve is shut while nobody
 * watches, once the encoder has said what it makes. */

#include "gstconicinput.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_input_debug);
#define GST_CAT_DEFAULT gst_conic_input_debug

/* Raw pictures that may wait for an encoder that is late, before the oldest is dropped: a hiccup of
 * the machine costs nothing, and too slow a machine no more than this delay and this memory. */
#define VIDEO_QUEUE_TIME  GST_SECOND
#define VIDEO_QUEUE_BYTES (64 * 1024 * 1024)

struct _GstConicInput {
  GstBin parent_instance;

  GstWebRTCKind kind;
  GstConicInputFunc ready;
  GstConicInputFunc eos;
  gpointer user_data;

  GstElement *clocksync;
  GstElement *tee;

  GMutex valve_lock; /* one decision at a time; OBJECT_LOCK is taken under it */

  /* OBJECT_LOCK */
  const GstConicCodec *codec;
  gboolean is_ready;
  gboolean is_eos;
  GstElement *valve; /* borrowed; NULL for encoded media */
  guint n_branches;
  guint next_branch;
};

G_DEFINE_FINAL_TYPE (GstConicInput, gst_conic_input, GST_TYPE_BIN)

static void
update_valve (GstConicInput *self)
{
  g_autoptr (GstElement) valve = NULL;
  gboolean drop;

  g_mutex_lock (&self->valve_lock);
  GST_OBJECT_LOCK (self);
  valve = self->valve != NULL ? gst_object_ref (self->valve) : NULL;
  drop = self->is_ready && self->n_branches == 0;
  GST_OBJECT_UNLOCK (self);
  if (valve != NULL)
    g_object_set (valve, "drop", drop, NULL);
  g_mutex_unlock (&self->valve_lock);
}

static gboolean
add_to_chain (GstConicInput *self,
              GstElement **last,
              const char *factory,
              const char *settings,
              GError **error)
{
  GstElement *element = gst_conic_codec_make (factory, settings, error);

  if (element == NULL)
    return FALSE;
  gst_bin_add (GST_BIN (self), element);
  gst_element_sync_state_with_parent (element);
  if (!gst_element_link (*last, element)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "Could not link %s to %s",
                 GST_OBJECT_NAME (*last), factory);
    return FALSE;
  }
  *last = element;
  return TRUE;
}

static gboolean
build_raw (GstConicInput *self, const GstConicCodec *codec, GstElement **last, GError **error)
{
  g_autofree char *queue = NULL;
  GstElement *first = *last;

  if (self->kind == GST_WEBRTC_KIND_VIDEO)
    queue = g_strdup_printf ("leaky=downstream max-size-buffers=0 max-size-bytes=%d "
                             "max-size-time=%" G_GUINT64_FORMAT,
                             VIDEO_QUEUE_BYTES, VIDEO_QUEUE_TIME);
  if (!add_to_chain (self, last, "valve", "drop-mode=forward-sticky-events", error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->valve = *last != first ? *last : NULL;
  GST_OBJECT_UNLOCK (self);

  if (!add_to_chain (self, last, "queue", queue, error))
    return FALSE;
  if (self->kind == GST_WEBRTC_KIND_VIDEO)
    return add_to_chain (self, last, "videoconvert", NULL, error) &&
           add_to_chain (self, last, codec->encoder, codec->settings, error);
  return add_to_chain (self, last, "audioconvert", NULL, error) &&
         add_to_chain (self, last, "audioresample", NULL, error) &&
         add_to_chain (self, last, "capsfilter", "caps=audio/x-raw,rate=48000,channels=[1,2]",
                       error) &&
         add_to_chain (self, last, codec->encoder, codec->settings, error);
}

static gboolean
build_encoded (GstConicInput *self, const GstConicCodec *codec, GstElement **last, GError **error)
{
  g_autofree char *caps = g_strconcat ("caps=", codec->parser_caps, NULL);

  if (codec->parser != NULL && !add_to_chain (self, last, codec->parser, NULL, error))
    return FALSE;
  return codec->parser_caps == NULL || add_to_chain (self, last, "capsfilter", caps, error);
}

static gboolean
build_chain (GstConicInput *self, const GstCaps *caps, GError **error)
{
  const GstConicCodec *codec = gst_conic_codec_find_by_caps (caps);
  GstElement *last = self->clocksync;
  gboolean built;

  if (codec == NULL) {
    codec = gst_conic_codec_get_default (self->kind);
    built = build_raw (self, codec, &last, error);
  } else {
    built = build_encoded (self, codec, &last, error);
  }
  if (!built || !gst_element_link (last, self->tee))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->codec = codec;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static GstPadProbeReturn
on_input_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicInput *self = user_data;
  g_autoptr (GError) error = NULL;
  GstCaps *caps;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (GST_PAD_PROBE_INFO_EVENT (info), &caps);
  if (build_chain (self, caps, &error))
    return GST_PAD_PROBE_REMOVE;
  GST_ELEMENT_ERROR (self, CORE, FAILED,
                     ("%s", error != NULL ? error->message : "The encoder can't be linked"),
                     (NULL));
  return GST_PAD_PROBE_REMOVE;
}

static void
set_eos (GstConicInput *self, gboolean is_eos)
{
  GST_OBJECT_LOCK (self);
  self->is_eos = is_eos;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_conic_input_is_eos (GstConicInput *self)
{
  gboolean is_eos;

  GST_OBJECT_LOCK (self);
  is_eos = self->is_eos;
  GST_OBJECT_UNLOCK (self);
  return is_eos;
}

static GstPadProbeReturn
on_tee_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicInput *self = user_data;
  gboolean was_ready;

  switch (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info))) {
  case GST_EVENT_CAPS:
    GST_OBJECT_LOCK (self);
    was_ready = self->is_ready;
    self->is_ready = TRUE;
    GST_OBJECT_UNLOCK (self);
    if (!was_ready)
      self->ready (self, self->user_data);
    update_valve (self);
    return GST_PAD_PROBE_OK;
  case GST_EVENT_STREAM_START:
    set_eos (self, FALSE);
    return GST_PAD_PROBE_OK;
  case GST_EVENT_EOS:
    set_eos (self, TRUE);
    /* Sessions outlive one input; the element decides what its end means. */
    self->eos (self, self->user_data);
    return GST_PAD_PROBE_DROP;
  default:
    return GST_PAD_PROBE_OK;
  }
}

static void
add_probe (GstElement *element, const char *name, GstPadProbeCallback callback, gpointer user_data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, callback, user_data, NULL);
}

static void
gst_conic_input_finalize (GObject *object)
{
  g_mutex_clear (&GST_CONIC_INPUT (object)->valve_lock);

  G_OBJECT_CLASS (gst_conic_input_parent_class)->finalize (object);
}

static void
gst_conic_input_class_init (GstConicInputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_input_finalize;

  GST_DEBUG_CATEGORY_INIT (gst_conic_input_debug, "conicinput", 0, "Conic media input");
}

static void
gst_conic_input_init (GstConicInput *self)
{
  g_mutex_init (&self->valve_lock);
}

GstConicInput *
gst_conic_input_new (GstWebRTCKind kind,
                     GstConicInputFunc ready,
                     GstConicInputFunc eos,
                     gpointer user_data)
{
  GstConicInput *self = g_object_new (GST_TYPE_CONIC_INPUT, NULL);
  g_autoptr (GstCaps) caps = gst_conic_codec_get_input_caps (kind);
  g_autoptr (GstPad) target = NULL;
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);

  self->kind = kind;
  self->ready = ready;
  self->eos = eos;
  self->user_data = user_data;
  self->clocksync = gst_element_factory_make ("clocksync", NULL);
  self->tee = gst_element_factory_make ("tee", NULL);
  g_object_set (filter, "caps", caps, NULL);
  g_object_set (self->clocksync, "sync", TRUE, NULL);
  g_object_set (self->tee, "allow-not-linked", TRUE, NULL);
  gst_bin_add_many (GST_BIN (self), filter, self->clocksync, self->tee, NULL);
  gst_element_link (filter, self->clocksync);
  add_probe (self->clocksync, "src", on_input_event, self);
  add_probe (self->tee, "sink", on_tee_event, self);

  target = gst_element_get_static_pad (filter, "sink");
  gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new ("sink", target));
  return self;
}

GstWebRTCKind
gst_conic_input_get_kind (GstConicInput *self)
{
  return self->kind;
}

const GstConicCodec *
gst_conic_input_get_codec (GstConicInput *self)
{
  const GstConicCodec *codec;

  GST_OBJECT_LOCK (self);
  codec = self->is_ready ? self->codec : NULL;
  GST_OBJECT_UNLOCK (self);
  return codec;
}

/* Whatever becomes of one session's branch, the stream goes on for the others. */
static GstFlowReturn
branch_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_proxy_pad_chain_default (pad, parent, buffer);
  return GST_FLOW_OK;
}

GstPad *
gst_conic_input_request_branch (GstConicInput *self)
{
  g_autoptr (GstPad) target = gst_element_request_pad_simple (self->tee, "src_%u");
  g_autoptr (GstProxyPad) internal = NULL;
  g_autofree char *name = NULL;
  GstPad *pad;

  GST_OBJECT_LOCK (self);
  name = g_strdup_printf ("src_%u", self->next_branch++);
  self->n_branches++;
  GST_OBJECT_UNLOCK (self);
  pad = gst_ghost_pad_new (name, target);
  internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (pad));
  gst_pad_set_chain_function (GST_PAD (internal), branch_chain);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  update_valve (self);
  return gst_object_ref (pad);
}

static gboolean
send_sticky_event (GstPad *pad, GstEvent **event, gpointer user_data)
{
  if (GST_EVENT_TYPE (*event) != GST_EVENT_EOS)
    gst_pad_send_event (user_data, gst_event_ref (*event));
  return TRUE;
}

void
gst_conic_input_start_branch (GstConicInput *self, GstPad *pad)
{
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  g_autoptr (GstPad) peer = gst_pad_get_peer (target);

  /* The tee sends them again with its next buffer; but that may be a while, and the session waits
   * for the caps. */
  gst_pad_sticky_events_foreach (target, send_sticky_event, peer);
}

void
gst_conic_input_release_branch (GstConicInput *self, GstPad *pad)
{
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

  /* First the tee's pad: it then ignores what a push that is under way returns. */
  if (target != NULL)
    gst_element_release_request_pad (self->tee, target);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
  GST_OBJECT_LOCK (self);
  self->n_branches--;
  GST_OBJECT_UNLOCK (self);
  update_valve (self);
}
