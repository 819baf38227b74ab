/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicinputs.h"

#include <string.h>

#include "gstconicobjects.h"
#include "gstconicoutputs.h"

struct _GstConicInputs {
  GstElement *element; /* borrowed */
  const GstConicMediaSettings *settings;
  const GstConicInputsHandlers *handlers;

  GMutex lock;      /* innermost */
  GPtrArray *media; /* (element-type GstConicInput) */
  GPtrArray *data;  /* (element-type GstConicDataSink) */
  guint bitrate;    /* as last set, for the pads to come, too */
  guint audio_bitrate;
};

GPtrArray *
gst_conic_inputs_get_media (GstConicInputs *self)
{
  GPtrArray *media;

  g_mutex_lock (&self->lock);
  media = gst_conic_objects_copy (self->media);
  g_mutex_unlock (&self->lock);
  return media;
}

/* (transfer full) (element-type GstConicDataSink) */
static GPtrArray *
get_data (GstConicInputs *self)
{
  GPtrArray *data;

  g_mutex_lock (&self->lock);
  data = gst_conic_objects_copy (self->data);
  g_mutex_unlock (&self->lock);
  return data;
}

gboolean
gst_conic_inputs_are_known (GstConicInputs *self)
{
  g_autoptr (GPtrArray) media = gst_conic_inputs_get_media (self);

  for (guint i = 0; i < media->len; i++) {
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (g_ptr_array_index (media, i));

    if (codecs == NULL)
      return FALSE;
  }
  return TRUE;
}

GStrv
gst_conic_inputs_get_labels (GstConicInputs *self)
{
  g_autoptr (GPtrArray) data = get_data (self);
  GPtrArray *labels = g_ptr_array_new ();

  for (guint i = 0; i < data->len; i++) {
    GstConicDataSink *sink = g_ptr_array_index (data, i);

    if (!gst_conic_data_sink_is_eos (sink))
      g_ptr_array_add (labels, g_strdup (gst_conic_data_sink_get_label (sink)));
  }
  g_ptr_array_add (labels, NULL);
  return (GStrv) g_ptr_array_free (labels, FALSE);
}

GstConicDataSink *
gst_conic_inputs_find_data (GstConicInputs *self, const char *label)
{
  g_autoptr (GPtrArray) data = get_data (self);

  for (guint i = 0; i < data->len; i++)
    if (g_str_equal (gst_conic_data_sink_get_label (g_ptr_array_index (data, i)), label))
      return gst_object_ref (g_ptr_array_index (data, i));
  return NULL;
}

/* --- settings --- */

static void
set_bitrate (GstConicInputs *self, GstConicInput *input)
{
  guint bitrate;

  g_mutex_lock (&self->lock);
  bitrate = gst_conic_input_get_kind (input) == GST_WEBRTC_KIND_VIDEO ? self->bitrate
                                                                      : self->audio_bitrate;
  g_mutex_unlock (&self->lock);
  gst_conic_input_set_bitrate (input, bitrate);
}

static void
set_up (GstConicInputs *self, GstConicInput *input)
{
  gst_conic_input_set_up (input,
                          gst_conic_media_settings_get_codecs (self->settings,
                                                               gst_conic_input_get_kind (input)));
  set_bitrate (self, input);
}

void
gst_conic_inputs_set_up (GstConicInputs *self)
{
  g_autoptr (GPtrArray) media = gst_conic_inputs_get_media (self);

  for (guint i = 0; i < media->len; i++)
    set_up (self, g_ptr_array_index (media, i));
}

void
gst_conic_inputs_set_bitrates (GstConicInputs *self, const GstConicMediaSettings *settings)
{
  g_autoptr (GPtrArray) media = gst_conic_inputs_get_media (self);

  g_mutex_lock (&self->lock);
  self->bitrate = settings->bitrate;
  self->audio_bitrate = settings->audio_bitrate;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < media->len; i++)
    set_bitrate (self, g_ptr_array_index (media, i));
}

/* --- what the pads tell --- */

/* The element has come to its end when all its sink pads have. */
static void
check_eos (GstConicInputs *self)
{
  g_autoptr (GPtrArray) media = gst_conic_inputs_get_media (self);
  g_autoptr (GPtrArray) data = get_data (self);

  for (guint i = 0; i < media->len; i++)
    if (!gst_conic_input_is_eos (g_ptr_array_index (media, i)))
      return;
  for (guint i = 0; i < data->len; i++)
    if (!gst_conic_data_sink_is_eos (g_ptr_array_index (data, i)))
      return;
  if (media->len + data->len > 0)
    self->handlers->eos (self->element);
}

static void
on_input_ready (GstConicInput *input, gpointer user_data)
{
  GstConicInputs *self = user_data;

  self->handlers->known (self->element);
}

static void
on_input_eos (GstConicInput *input, gpointer user_data)
{
  check_eos (user_data);
}

static void
on_input_encoder (GstConicInput *input, GstElement *encoder, gpointer user_data)
{
  GstConicInputs *self = user_data;

  self->handlers->encoder (self->element, GST_OBJECT_NAME (input), encoder);
}

static const GstConicInputHandlers input_handlers = {
    .ready = on_input_ready,
    .eos = on_input_eos,
    .encoder = on_input_encoder,
};

static void
on_data_eos (GstConicDataSink *pad, gpointer user_data)
{
  check_eos (user_data);
}

/* --- request pads --- */

static GstPad *
add_media (GstConicInputs *self, GstWebRTCKind kind, GstPadTemplate *template, const char *name)
{
  GstConicInput *input = gst_conic_input_new (kind, name, &input_handlers, self);
  g_autoptr (GstPad) target = gst_element_get_static_pad (GST_ELEMENT (input), "sink");

  set_up (self, input);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->media, gst_object_ref (input));
  g_mutex_unlock (&self->lock);
  gst_bin_add (GST_BIN (self->element), GST_ELEMENT (input));
  gst_element_sync_state_with_parent (GST_ELEMENT (input));
  return gst_ghost_pad_new_from_template (name, target, template);
}

static GstPad *
add_data (GstConicInputs *self, GstPadTemplate *template, const char *name)
{
  const char *label = name + strlen ("data_");
  GstConicDataSink *sink = gst_conic_data_sink_new (template, name, label, on_data_eos, self);

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->data, gst_object_ref (sink));
  g_mutex_unlock (&self->lock);
  self->handlers->opened (self->element, label);
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

/* A pipeline is at its end when all its sinks are: one that nothing comes into never would be. */
static void
set_sink_flag (GstConicInputs *self)
{
  gboolean is_sink;

  g_mutex_lock (&self->lock);
  is_sink = self->media->len + self->data->len > 0;
  g_mutex_unlock (&self->lock);
  if (is_sink)
    GST_OBJECT_FLAG_SET (self->element, GST_ELEMENT_FLAG_SINK);
  else
    GST_OBJECT_FLAG_UNSET (self->element, GST_ELEMENT_FLAG_SINK);
}

GstPad *
gst_conic_inputs_request (GstConicInputs *self, GstPadTemplate *template, const char *name)
{
  GstElement *element = self->element;
  g_autofree char *chosen = choose_name (element, template, name);
  g_autoptr (GstPad) taken = gst_element_get_static_pad (element, chosen);
  GstPad *pad;

  if (taken != NULL || gst_conic_outputs_are_named (element, chosen)) {
    GST_WARNING_OBJECT (element, "the pad name %s is taken", chosen);
    return NULL;
  }
  if (g_str_has_prefix (chosen, "audio_"))
    pad = add_media (self, GST_WEBRTC_KIND_AUDIO, template, chosen);
  else if (g_str_has_prefix (chosen, "video_"))
    pad = add_media (self, GST_WEBRTC_KIND_VIDEO, template, chosen);
  else
    pad = add_data (self, template, chosen);

  set_sink_flag (self);
  if (GST_STATE_TARGET (element) > GST_STATE_READY || GST_STATE (element) > GST_STATE_READY)
    gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  gst_child_proxy_child_added (GST_CHILD_PROXY (element), G_OBJECT (pad), chosen);
  return pad;
}

void
gst_conic_inputs_release (GstConicInputs *self, GstPad *pad)
{
  GstElement *element = self->element;
  g_autoptr (GstElement) input = NULL;

  if (GST_IS_GHOST_PAD (pad)) {
    g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

    input = target != NULL ? gst_pad_get_parent_element (target) : NULL;
  }
  gst_child_proxy_child_removed (GST_CHILD_PROXY (element), G_OBJECT (pad), GST_OBJECT_NAME (pad));
  gst_pad_set_active (pad, FALSE);
  g_mutex_lock (&self->lock);
  if (input != NULL)
    g_ptr_array_remove (self->media, input);
  else
    g_ptr_array_remove (self->data, pad);
  g_mutex_unlock (&self->lock);
  gst_element_remove_pad (element, pad);
  set_sink_flag (self);
  if (input != NULL) {
    gst_element_set_locked_state (input, TRUE);
    gst_element_set_state (input, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (element), input);
    self->handlers->left (element);
  }
  check_eos (self);
}

GstConicInputs *
gst_conic_inputs_new (GstElement *element,
                      const GstConicMediaSettings *settings,
                      const GstConicInputsHandlers *handlers)
{
  GstConicInputs *self = g_new0 (GstConicInputs, 1);

  self->element = element;
  self->settings = settings;
  self->handlers = handlers;
  g_mutex_init (&self->lock);
  self->media = g_ptr_array_new_with_free_func (gst_object_unref);
  self->data = g_ptr_array_new_with_free_func (gst_object_unref);
  self->bitrate = settings->bitrate;
  self->audio_bitrate = settings->audio_bitrate;
  return self;
}

void
gst_conic_inputs_free (GstConicInputs *self)
{
  g_ptr_array_unref (self->media);
  g_ptr_array_unref (self->data);
  g_mutex_clear (&self->lock);
  g_free (self);
}
