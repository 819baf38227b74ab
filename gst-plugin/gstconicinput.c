/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   sink ─► capsfilter ─► clocksync ─► tee ─► GstConicEncoding, one for each codec in use ─► src_%u …
 *
 * clocksync paces what comes from a file, for webrtcbin sends as fast as it gets. An encoding of raw
 * media is there as long as a session uses it; one of encoded media, from the first caps on. */

#include "gstconicinput.h"

#include "gstconicencoder.h"
#include "gstconicencoding.h"
#include "gstconicobjects.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_input_debug);
#define GST_CAT_DEFAULT gst_conic_input_debug

struct _GstConicInput {
  GstBin parent_instance;

  GstWebRTCKind kind;
  const GstConicInputHandlers *handlers;
  gpointer user_data;
  GstElement *tee;

  GMutex encodings_lock; /* one coming or going at a time; OBJECT_LOCK is taken under it */

  /* OBJECT_LOCK */
  GPtrArray *encodable; /* (element-type GstConicCodec): what raw media may become */
  GPtrArray *encodings; /* (element-type GstConicEncoding) */
  GPtrArray *codecs;    /* (element-type GstConicCodec): NULL until it is known what comes in */
  gboolean is_raw;
  gboolean is_ending; /* EOS has come in */
  gboolean is_eos;    /* and gone out */
  guint bitrate;
  guint next_branch;
};

G_DEFINE_FINAL_TYPE (GstConicInput, gst_conic_input, GST_TYPE_BIN)

/* --- the end --- */

static void
check_eos (GstConicInput *self)
{
  gboolean ended;

  GST_OBJECT_LOCK (self);
  ended = self->is_ending && !self->is_eos;
  for (guint i = 0; i < self->encodings->len; i++)
    ended = ended && gst_conic_encoding_is_eos (g_ptr_array_index (self->encodings, i));
  if (ended)
    self->is_eos = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (ended)
    self->handlers->eos (self, self->user_data);
}

static void
on_encoding_eos (GstConicEncoding *encoding, gpointer user_data)
{
  check_eos (user_data);
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

/* --- encodings --- */

/* (nullable): borrowed; under encodings_lock */
static GstConicEncoding *
find_encoding (GstConicInput *self, const GstConicCodec *codec)
{
  for (guint i = 0; i < self->encodings->len; i++) {
    GstConicEncoding *encoding = g_ptr_array_index (self->encodings, i);

    if (gst_conic_encoding_get_codec (encoding) == codec)
      return encoding;
  }
  return NULL;
}

/* (nullable): borrowed; under encodings_lock */
static GstConicEncoding *
add_encoding (GstConicInput *self, const GstConicCodec *codec, gboolean raw, GError **error)
{
  g_autoptr (GstPad) tee_pad = NULL;
  g_autoptr (GstPad) sink = NULL;
  GstConicEncoding *encoding;
  GstElement *encoder = NULL;
  guint bitrate;

  GST_OBJECT_LOCK (self);
  bitrate = self->bitrate;
  GST_OBJECT_UNLOCK (self);
  if (raw) {
    encoder = gst_conic_encoder_make (codec, bitrate, error);
    if (encoder == NULL)
      return NULL;
  }
  encoding = gst_conic_encoding_new (codec, encoder, on_encoding_eos, self, error);
  if (encoding == NULL)
    return NULL;
  if (encoder != NULL)
    self->handlers->encoder (self, encoder, self->user_data);
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->encodings, gst_object_ref (encoding));
  GST_OBJECT_UNLOCK (self);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (encoding));
  gst_element_sync_state_with_parent (GST_ELEMENT (encoding));
  tee_pad = gst_element_request_pad_simple (self->tee, "src_%u");
  sink = gst_element_get_static_pad (GST_ELEMENT (encoding), "sink");
  gst_pad_link (tee_pad, sink);
  return encoding;
}

/* Under encodings_lock. */
static void
remove_encoding (GstConicInput *self, GstConicEncoding *encoding)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (GST_ELEMENT (encoding), "sink");
  g_autoptr (GstPad) tee_pad = gst_pad_get_peer (sink);

  if (tee_pad != NULL)
    gst_element_release_request_pad (self->tee, tee_pad);
  gst_element_set_locked_state (GST_ELEMENT (encoding), TRUE);
  gst_element_set_state (GST_ELEMENT (encoding), GST_STATE_NULL);
  gst_bin_remove (GST_BIN (self), GST_ELEMENT (encoding));
  GST_OBJECT_LOCK (self);
  g_ptr_array_remove (self->encodings, encoding);
  GST_OBJECT_UNLOCK (self);
}

/* --- what comes in --- */

static gboolean
learn_caps (GstConicInput *self, const GstCaps *caps, GError **error)
{
  const GstConicCodec *codec = gst_conic_codec_find_by_caps (caps);
  GstConicEncoding *encoding = NULL;
  GPtrArray *codecs;

  if (codec != NULL) {
    g_mutex_lock (&self->encodings_lock);
    encoding = add_encoding (self, codec, FALSE, error);
    g_mutex_unlock (&self->encodings_lock);
    if (encoding == NULL)
      return FALSE;
  } else if (self->encodable->len == 0) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                 "There is no encoder for any of the codecs that %s is to be sent in",
                 GST_OBJECT_NAME (self));
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  codecs = codec != NULL ? g_ptr_array_new () : g_ptr_array_ref (self->encodable);
  if (codec != NULL)
    g_ptr_array_add (codecs, (gpointer) codec);
  self->codecs = codecs;
  self->is_raw = codec == NULL;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
take_caps (GstConicInput *self, const GstCaps *caps)
{
  g_autoptr (GError) error = NULL;
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = self->codecs != NULL;
  GST_OBJECT_UNLOCK (self);
  if (known)
    return;
  if (learn_caps (self, caps, &error))
    self->handlers->ready (self, self->user_data);
  else
    GST_ELEMENT_ERROR (self, CORE, FAILED,
                       ("%s", error != NULL ? error->message : "The encoder can't be linked"),
                       (NULL));
}

static void
set_ending (GstConicInput *self, gboolean ending)
{
  GST_OBJECT_LOCK (self);
  self->is_ending = ending;
  self->is_eos = FALSE;
  GST_OBJECT_UNLOCK (self);
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicInput *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_CAPS:
    gst_event_parse_caps (event, &caps);
    take_caps (self, caps);
    break;
  case GST_EVENT_STREAM_START:
  /* Sought in: what has ended goes on. */
  case GST_EVENT_FLUSH_STOP:
    set_ending (self, FALSE);
    break;
  case GST_EVENT_EOS:
    set_ending (self, TRUE);
    /* If nobody is watching, nobody needs to see the end. */
    check_eos (self);
    break;
  default:
    break;
  }
  return GST_PAD_PROBE_OK;
}

/* --- branches --- */

GstPad *
gst_conic_input_request_branch (GstConicInput *self, const GstConicCodec *codec, GError **error)
{
  g_autoptr (GstPad) target = NULL;
  g_autofree char *name = NULL;
  GstConicEncoding *encoding;
  GstPad *pad;

  g_mutex_lock (&self->encodings_lock);
  encoding = find_encoding (self, codec);
  if (encoding == NULL)
    encoding = add_encoding (self, codec, TRUE, error);
  if (encoding != NULL)
    target = gst_conic_encoding_request_branch (encoding);
  g_mutex_unlock (&self->encodings_lock);
  if (target == NULL)
    return NULL;

  GST_OBJECT_LOCK (self);
  name = g_strdup_printf ("src_%u", self->next_branch++);
  GST_OBJECT_UNLOCK (self);
  pad = gst_ghost_pad_new (name, target);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  return gst_object_ref (pad);
}

static gboolean
send_sticky_event (GstPad *pad, GstEvent **event, gpointer user_data)
{
  if (GST_EVENT_TYPE (*event) != GST_EVENT_EOS)
    gst_pad_send_event (user_data, gst_event_ref (*event));
  return TRUE;
}

/* (transfer full): the pad of the encoding's tee behind @pad */
static GstPad *
get_tee_pad (GstPad *pad)
{
  g_autoptr (GstPad) encoding_pad = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

  return gst_ghost_pad_get_target (GST_GHOST_PAD (encoding_pad));
}

void
gst_conic_input_start_branch (GstConicInput *self, GstPad *pad)
{
  g_autoptr (GstPad) target = get_tee_pad (pad);
  g_autoptr (GstPad) peer = gst_pad_get_peer (target);

  /* The tee sends them again with its next buffer; but that may be a while, and the session waits
   * for the caps. */
  gst_pad_sticky_events_foreach (target, send_sticky_event, peer);
}

void
gst_conic_input_release_branch (GstConicInput *self, GstPad *pad)
{
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  g_autoptr (GstElement) encoding = gst_pad_get_parent_element (target);

  g_mutex_lock (&self->encodings_lock);
  if (gst_conic_encoding_release_branch (GST_CONIC_ENCODING (encoding), target) == 0 &&
      gst_conic_encoding_get_encoder (GST_CONIC_ENCODING (encoding)) != NULL)
    remove_encoding (self, GST_CONIC_ENCODING (encoding));
  g_mutex_unlock (&self->encodings_lock);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
  check_eos (self);
}

/* --- the object --- */

static void
gst_conic_input_finalize (GObject *object)
{
  GstConicInput *self = GST_CONIC_INPUT (object);

  g_ptr_array_unref (self->encodable);
  g_ptr_array_unref (self->encodings);
  g_clear_pointer (&self->codecs, g_ptr_array_unref);
  g_mutex_clear (&self->encodings_lock);

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
  g_mutex_init (&self->encodings_lock);
  self->encodings = g_ptr_array_new_with_free_func (gst_object_unref);
}

GstConicInput *
gst_conic_input_new (GstWebRTCKind kind,
                     const char *name,
                     const GstConicInputHandlers *handlers,
                     gpointer user_data)
{
  GstConicInput *self = g_object_new (GST_TYPE_CONIC_INPUT, "name", name, NULL);
  g_autoptr (GstCaps) caps = gst_conic_codec_get_input_caps (kind);
  g_autoptr (GstPad) target = NULL;
  g_autoptr (GstPad) src = NULL;
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);
  GstElement *clocksync = gst_element_factory_make ("clocksync", NULL);

  self->kind = kind;
  self->handlers = handlers;
  self->user_data = user_data;
  self->encodable = gst_conic_codec_list_encodable (kind, NULL);
  self->tee = gst_element_factory_make ("tee", NULL);
  g_object_set (filter, "caps", caps, NULL);
  g_object_set (clocksync, "sync", TRUE, NULL);
  g_object_set (self->tee, "allow-not-linked", TRUE, NULL);
  gst_bin_add_many (GST_BIN (self), filter, clocksync, self->tee, NULL);
  gst_element_link_many (filter, clocksync, self->tee, NULL);
  src = gst_element_get_static_pad (clocksync, "src");
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
                     on_event, self, NULL);

  target = gst_element_get_static_pad (filter, "sink");
  gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new ("sink", target));
  return self;
}

void
gst_conic_input_set_up (GstConicInput *self, const char *const *names)
{
  GPtrArray *encodable = gst_conic_codec_list_encodable (self->kind, names);

  g_mutex_lock (&self->encodings_lock);
  while (self->encodings->len > 0)
    remove_encoding (self, g_ptr_array_index (self->encodings, 0));
  g_mutex_unlock (&self->encodings_lock);
  GST_OBJECT_LOCK (self);
  g_ptr_array_unref (self->encodable);
  self->encodable = encodable;
  g_clear_pointer (&self->codecs, g_ptr_array_unref);
  GST_OBJECT_UNLOCK (self);
}

void
gst_conic_input_set_bitrate (GstConicInput *self, guint bitrate)
{
  g_autoptr (GPtrArray) encodings = NULL;

  GST_OBJECT_LOCK (self);
  self->bitrate = bitrate;
  encodings = gst_conic_objects_copy (self->encodings);
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; bitrate > 0 && i < encodings->len; i++) {
    GstElement *encoder = gst_conic_encoding_get_encoder (g_ptr_array_index (encodings, i));

    if (encoder != NULL)
      gst_conic_encoder_set_bitrate (encoder, bitrate);
  }
}

GstWebRTCKind
gst_conic_input_get_kind (GstConicInput *self)
{
  return self->kind;
}

GPtrArray *
gst_conic_input_get_codecs (GstConicInput *self)
{
  GPtrArray *codecs;

  GST_OBJECT_LOCK (self);
  codecs = self->codecs != NULL ? g_ptr_array_ref (self->codecs) : NULL;
  GST_OBJECT_UNLOCK (self);
  return codecs;
}

gboolean
gst_conic_input_is_raw (GstConicInput *self)
{
  gboolean is_raw;

  GST_OBJECT_LOCK (self);
  is_raw = self->is_raw;
  GST_OBJECT_UNLOCK (self);
  return is_raw;
}
