/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Raw media:
 *
 *   sink ─► queue ─► convert [─► scale ─► capsfilter] ─► encoder [─► parser] ─► tee ─► src_%u …
 *
 * encoded media:
 *
 *   sink ─► [parser ─► capsfilter] ─► tee ─► src_%u … */

#include "gstconicencoding.h"

#include <gst/video/video.h>

#include "gstconicencoder.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_encoding_debug);
#define GST_CAT_DEFAULT gst_conic_encoding_debug

/* Raw pictures that may wait for an encoder that is late, before the oldest is dropped: a hiccup of
 * the machine costs nothing, and too slow a machine no more than this delay and this memory. */
#define VIDEO_QUEUE_TIME  GST_SECOND
#define VIDEO_QUEUE_BYTES (64 * 1024 * 1024)

/* Microseconds from one keyframe that was asked for to the next: many viewers that lose packets
 * together ask often, and each keyframe costs all of them ten times an ordinary frame. */
#define KEYFRAME_INTERVAL (200 * G_TIME_SPAN_MILLISECOND)

/* Microseconds after which a request counts as lost that no keyframe has followed: what is encoded
 * elsewhere may have it on its way over a network. */
#define KEYFRAME_PATIENCE G_TIME_SPAN_SECOND

struct _GstConicEncoding {
  GstBin parent_instance;

  const GstConicCodec *codec;
  GstElement *encoder; /* borrowed, as the tee is */
  GstElement *tee;
  GstConicEncodingFunc eos;
  gpointer user_data;

  /* OBJECT_LOCK */
  gboolean is_eos;
  guint n_branches;
  guint next_branch;
  gboolean keyframe_asked;   /* and passed on, but none has come */
  gboolean keyframe_wanted;  /* asked for too early after the last */
  gint64 last_keyframe_time; /* when the last request was passed on */
};

G_DEFINE_FINAL_TYPE (GstConicEncoding, gst_conic_encoding, GST_TYPE_BIN)

/* --- keyframes --- */

static gboolean
is_due (GstConicEncoding *self)
{
  gint64 interval = self->keyframe_asked ? KEYFRAME_PATIENCE : KEYFRAME_INTERVAL;

  return self->last_keyframe_time == 0 ||
         g_get_monotonic_time () - self->last_keyframe_time >= interval;
}

/* Whether a request is to go on to the encoder now; if not, it will have its keyframe all the same. */
static gboolean
take_request (GstConicEncoding *self)
{
  gboolean pass;

  GST_OBJECT_LOCK (self);
  pass = is_due (self);
  if (pass) {
    self->keyframe_asked = TRUE;
    self->last_keyframe_time = g_get_monotonic_time ();
  } else if (!self->keyframe_asked) {
    self->keyframe_wanted = TRUE;
  }
  GST_OBJECT_UNLOCK (self);
  return pass;
}

static GstPadProbeReturn
on_tee_upstream (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (!gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info)))
    return GST_PAD_PROBE_OK;
  return take_request (user_data) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
on_tee_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicEncoding *self = user_data;
  gboolean ask;

  GST_OBJECT_LOCK (self);
  if (!GST_BUFFER_FLAG_IS_SET (GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT))
    self->keyframe_asked = FALSE;
  ask = (self->keyframe_wanted || self->keyframe_asked) && is_due (self);
  if (ask)
    self->keyframe_wanted = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (ask)
    gst_pad_push_event (pad,
                        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
  return GST_PAD_PROBE_OK;
}

/* --- the end --- */

static void
set_eos (GstConicEncoding *self, gboolean is_eos)
{
  GST_OBJECT_LOCK (self);
  self->is_eos = is_eos;
  GST_OBJECT_UNLOCK (self);
}

static GstPadProbeReturn
on_tee_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicEncoding *self = user_data;

  switch (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info))) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_FLUSH_STOP:
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

gboolean
gst_conic_encoding_is_eos (GstConicEncoding *self)
{
  gboolean is_eos;

  GST_OBJECT_LOCK (self);
  is_eos = self->is_eos;
  GST_OBJECT_UNLOCK (self);
  return is_eos;
}

/* --- branches --- */

/* Whatever becomes of one session's branch, the stream goes on for the others. */
static GstFlowReturn
branch_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_proxy_pad_chain_default (pad, parent, buffer);
  return GST_FLOW_OK;
}

/* The same for caps and the like: a branch that is just being stopped refuses them, and for the tee
 * that would be an error. */
static gboolean
branch_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_pad_event_default (pad, parent, event);
  return TRUE;
}

/* And when the only branch is just being taken away, so that no pad of the tee takes an event. */
static gboolean
tee_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_pad_event_default (pad, parent, event);
  return TRUE;
}

GstPad *
gst_conic_encoding_request_branch (GstConicEncoding *self)
{
  g_autoptr (GstPad) target = gst_element_request_pad_simple (self->tee, "src_%u");
  g_autoptr (GstProxyPad) internal = NULL;
  g_autofree char *name = NULL;
  GstPad *pad;

  GST_OBJECT_LOCK (self);
  name = g_strdup_printf ("src_%u", self->next_branch++);
  self->n_branches++;
  GST_OBJECT_UNLOCK (self);
  pad = gst_ghost_pad_new_no_target (name, GST_PAD_SRC);
  internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (pad));
  gst_pad_set_chain_function (GST_PAD (internal), branch_chain);
  gst_pad_set_event_function (GST_PAD (internal), branch_event);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  /* Last: from then on the stream comes through. */
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), target);
  return gst_object_ref (pad);
}

guint
gst_conic_encoding_release_branch (GstConicEncoding *self, GstPad *pad)
{
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  guint n_left;

  /* First the tee's pad: it then ignores what a push that is under way returns. */
  if (target != NULL)
    gst_element_release_request_pad (self->tee, target);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
  GST_OBJECT_LOCK (self);
  n_left = --self->n_branches;
  GST_OBJECT_UNLOCK (self);
  return n_left;
}

/* --- the object --- */

static void
gst_conic_encoding_class_init (GstConicEncodingClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (gst_conic_encoding_debug, "conicencoding", 0, "Conic media encoding");
}

static void
gst_conic_encoding_init (GstConicEncoding *self)
{
}

static gboolean
append (GstConicEncoding *self, GstElement **last, GstElement *element, GError **error)
{
  if (element == NULL)
    return FALSE;
  gst_bin_add (GST_BIN (self), element);
  if (*last != NULL && !gst_element_link (*last, element)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "Could not link %s to %s",
                 GST_OBJECT_NAME (*last), GST_OBJECT_NAME (element));
    return FALSE;
  }
  if (*last == NULL) {
    g_autoptr (GstPad) target = gst_element_get_static_pad (element, "sink");

    gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new ("sink", target));
  }
  *last = element;
  return TRUE;
}

static gboolean
append_new (GstConicEncoding *self,
            GstElement **last,
            const char *factory,
            const char *settings,
            GError **error)
{
  return append (self, last, gst_conic_codec_make (factory, settings, error), error);
}

static gboolean
append_raw (GstConicEncoding *self, GstElement **last, GError **error)
{
  const char *input_caps = gst_conic_encoder_get_input_caps (self->codec);
  g_autofree char *queue = NULL;
  g_autofree char *caps = g_strconcat ("caps=", input_caps, NULL);

  if (self->codec->kind == GST_WEBRTC_KIND_AUDIO)
    return append_new (self, last, "queue", NULL, error) &&
           append_new (self, last, "audioconvert", NULL, error) &&
           append_new (self, last, "audioresample", NULL, error) &&
           append_new (self, last, "capsfilter", "caps=audio/x-raw,rate=48000,channels=[1,2]",
                       error);
  queue = g_strdup_printf ("leaky=downstream max-size-buffers=0 max-size-bytes=%d "
                           "max-size-time=%" G_GUINT64_FORMAT,
                           VIDEO_QUEUE_BYTES, VIDEO_QUEUE_TIME);
  return append_new (self, last, "queue", queue, error) &&
         append_new (self, last, "videoconvert", NULL, error) &&
         (input_caps == NULL || (append_new (self, last, "videoscale", NULL, error) &&
                                 append_new (self, last, "capsfilter", caps, error)));
}

static gboolean
build (GstConicEncoding *self, GstElement *encoder, GError **error)
{
  g_autofree char *caps = g_strconcat ("caps=", self->codec->parser_caps, NULL);
  GstElement *last = NULL;

  if (encoder != NULL && !(append_raw (self, &last, error) && append (self, &last, encoder, error)))
    return FALSE;
  if (self->codec->parser != NULL && !append_new (self, &last, self->codec->parser, NULL, error))
    return FALSE;
  if (self->codec->parser_caps != NULL && !append_new (self, &last, "capsfilter", caps, error))
    return FALSE;
  if (!append_new (self, &last, "tee", "allow-not-linked=true", error))
    return FALSE;
  self->encoder = encoder;
  self->tee = last;
  return TRUE;
}

GstConicEncoding *
gst_conic_encoding_new (const GstConicCodec *codec,
                        GstElement *encoder,
                        GstConicEncodingFunc eos,
                        gpointer user_data,
                        GError **error)
{
  g_autoptr (GstElement) owned = encoder != NULL ? gst_object_ref_sink (encoder) : NULL;
  GstConicEncoding *self = g_object_new (GST_TYPE_CONIC_ENCODING, NULL);
  g_autoptr (GstPad) pad = NULL;

  self->codec = codec;
  self->eos = eos;
  self->user_data = user_data;
  if (!build (self, encoder, error)) {
    gst_object_unref (gst_object_ref_sink (self));
    return NULL;
  }
  pad = gst_element_get_static_pad (self->tee, "sink");
  gst_pad_set_event_function (pad, tee_event);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
                     on_tee_event, self, NULL);
  if (codec->kind == GST_WEBRTC_KIND_VIDEO) {
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_tee_upstream, self, NULL);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_tee_buffer, self, NULL);
  }
  return self;
}

const GstConicCodec *
gst_conic_encoding_get_codec (GstConicEncoding *self)
{
  return self->codec;
}

GstElement *
gst_conic_encoding_get_encoder (GstConicEncoding *self)
{
  return self->encoder;
}
