/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicoutputs.h"

#include <string.h>

#include "gstconicbasebin.h"
#include "gstconicobjects.h"

GST_DEBUG_CATEGORY_EXTERN (gst_conic_base_bin_debug);
#define GST_CAT_DEFAULT gst_conic_base_bin_debug

/* Labels of data channels that an element shows pads for, ever since it was READY. */
#define DATA_PADS_MAX 256

/* --- the pads of media --- */

enum { PROP_PEER_ID = 1 };

struct _GstConicMediaSrc {
  GstGhostPad parent_instance;

  char *peer_id; /* OBJECT_LOCK */
};

G_DECLARE_FINAL_TYPE (GstConicMediaSrc, gst_conic_media_src, GST, CONIC_MEDIA_SRC, GstGhostPad)
G_DEFINE_FINAL_TYPE (GstConicMediaSrc, gst_conic_media_src, GST_TYPE_GHOST_PAD)

static void
gst_conic_media_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GST_OBJECT_LOCK (object);
  g_value_set_string (value, GST_CONIC_MEDIA_SRC (object)->peer_id);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_conic_media_src_finalize (GObject *object)
{
  g_free (GST_CONIC_MEDIA_SRC (object)->peer_id);

  G_OBJECT_CLASS (gst_conic_media_src_parent_class)->finalize (object);
}

static void
gst_conic_media_src_class_init (GstConicMediaSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gst_conic_media_src_get_property;
  object_class->finalize = gst_conic_media_src_finalize;
  g_object_class_install_property (object_class, PROP_PEER_ID,
                                   g_param_spec_string ("peer-id", "Peer id",
                                                        "The peer that this comes from", NULL,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_conic_media_src_init (GstConicMediaSrc *self)
{
}

/* @owner: the connection whose media @pad shows from now on */
static void
set_owner (GstPad *pad, gpointer owner)
{
  GstConicMediaSrc *self = GST_CONIC_MEDIA_SRC (pad);
  GstConicSession *session = gst_conic_connection_get_session (owner);

  GST_OBJECT_LOCK (self);
  g_free (self->peer_id);
  self->peer_id = g_strdup (gst_conic_session_get_peer_id (session));
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "peer-id");
}

typedef struct {
  GstPad *ghost; /* on the element */
  GstWebRTCKind kind;
  gpointer owner; /* NULL: kept for the next connection */
} Output;

struct _GstConicOutputs {
  GstElement *element;        /* borrowed */
  GstConicEndpoint *endpoint; /* likewise */

  GRecMutex add_lock; /* taken before lock: one pad at a time, for gst-launch's delayed links take
                         two at once for the same; pad-added handlers run under it */
  GMutex lock;        /* innermost */
  GPtrArray *media;   /* Output */
  guint n_media[3];   /* by kind, ever */
  GPtrArray *data;    /* (element-type GstConicDataSrc) */
};

static GstPadTemplate *
find_template (GstElement *element, const char *prefix)
{
  GList *templates = gst_element_class_get_pad_template_list (GST_ELEMENT_GET_CLASS (element));

  for (GList *l = templates; l != NULL; l = l->next)
    if (GST_PAD_TEMPLATE_DIRECTION (l->data) == GST_PAD_SRC &&
        g_str_has_prefix (GST_PAD_TEMPLATE_NAME_TEMPLATE (l->data), prefix))
      return l->data;
  return NULL;
}

/* (transfer full): “video_src_” of “video_src_%u” */
static char *
get_prefix (GstPadTemplate *template)
{
  return g_strndup (template->name_template, strcspn (template->name_template, "%"));
}

gboolean
gst_conic_outputs_are_possible (GstElement *element)
{
  return find_template (element, "") != NULL;
}

gboolean
gst_conic_outputs_are_there (GstElement *element)
{
  gboolean are;

  GST_OBJECT_LOCK (element);
  are = element->numsrcpads > 0;
  GST_OBJECT_UNLOCK (element);
  return are;
}

gboolean
gst_conic_outputs_are_named (GstElement *element, const char *name)
{
  static const char *const kinds[] = {"audio_", "video_", "data_"};

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstPadTemplate *template = find_template (element, kinds[i]);
    g_autofree char *prefix = template != NULL ? get_prefix (template) : NULL;

    if (prefix != NULL && g_str_has_prefix (name, prefix))
      return TRUE;
  }
  return FALSE;
}

static void
output_free (Output *output)
{
  gst_object_unref (output->ghost);
  g_free (output);
}

GstConicOutputs *
gst_conic_outputs_new (GstElement *element, GstConicEndpoint *endpoint)
{
  GstConicOutputs *self = g_new0 (GstConicOutputs, 1);

  self->element = element;
  self->endpoint = endpoint;
  g_rec_mutex_init (&self->add_lock);
  g_mutex_init (&self->lock);
  self->media = g_ptr_array_new_with_free_func ((GDestroyNotify) output_free);
  self->data = g_ptr_array_new_with_free_func (gst_object_unref);
  return self;
}

void
gst_conic_outputs_free (GstConicOutputs *self)
{
  g_ptr_array_unref (self->media);
  g_ptr_array_unref (self->data);
  g_mutex_clear (&self->lock);
  g_rec_mutex_clear (&self->add_lock);
  g_free (self);
}

static void
add_pad (GstConicOutputs *self, GstPad *pad)
{
  g_rec_mutex_lock (&self->add_lock);
  gst_element_add_pad (self->element, pad);
  g_rec_mutex_unlock (&self->add_lock);
}

/* What is downstream may stay, and be linked to another pad: it is to forget that it was flushed. */
static void
remove_pad (GstConicOutputs *self, GstPad *pad)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  gst_pad_set_active (pad, FALSE);
  if (peer != NULL && GST_PAD_IS_FLUSHING (peer))
    gst_pad_send_event (peer, gst_event_new_flush_stop (FALSE));
  gst_element_remove_pad (self->element, pad);
}

/* --- media --- */

/* Nobody downstream, or nobody any more, is no reason to end the session. But who has had enough is
 * told that it is over, as every source does. */
static GstFlowReturn
forgive (GstPad *ghost, GstFlowReturn ret)
{
  if (ret == GST_FLOW_EOS && !GST_PAD_IS_EOS (ghost))
    gst_pad_push_event (ghost, gst_event_new_eos ());
  return ret == GST_FLOW_NOT_LINKED || ret == GST_FLOW_EOS ? GST_FLOW_OK : ret;
}

static GstFlowReturn
output_chain (GstPad *pad, GstObject *ghost, GstBuffer *buffer)
{
  return forgive (GST_PAD (ghost), gst_proxy_pad_chain_default (pad, ghost, buffer));
}

static GstFlowReturn
output_chain_list (GstPad *pad, GstObject *ghost, GstBufferList *list)
{
  return forgive (GST_PAD (ghost), gst_proxy_pad_chain_list_default (pad, ghost, list));
}

static GstPad *
new_ghost (GstConicOutputs *self, GstWebRTCKind kind, guint index, GstPad *target)
{
  GstPadTemplate *template =
      find_template (self->element, kind == GST_WEBRTC_KIND_AUDIO ? "audio_" : "video_");
  g_autofree char *prefix = get_prefix (template);
  g_autofree char *name = g_strdup_printf ("%s%u", prefix, index);
  GstPad *ghost = g_object_new (gst_conic_media_src_get_type (), "name", name, "direction",
                                GST_PAD_SRC, "template", template, NULL);
  g_autoptr (GstProxyPad) internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (ghost));

  gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), target);
  gst_pad_set_chain_function (GST_PAD (internal), output_chain);
  gst_pad_set_chain_list_function (GST_PAD (internal), output_chain_list);
  return ghost;
}

/* (transfer full) (nullable): a pad that was kept */
static GstPad *
reuse_ghost (GstConicOutputs *self, gpointer owner, GstWebRTCKind kind)
{
  GstPad *ghost = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->media->len && ghost == NULL; i++) {
    Output *output = g_ptr_array_index (self->media, i);

    if (output->kind == kind && output->owner == NULL) {
      output->owner = owner;
      ghost = gst_object_ref (output->ghost);
    }
  }
  g_mutex_unlock (&self->lock);
  return ghost;
}

void
gst_conic_outputs_add_media (GstConicOutputs *self, gpointer owner, GstWebRTCKind kind, GstPad *pad)
{
  g_autoptr (GstPad) reused = reuse_ghost (self, owner, kind);
  Output *output;
  guint index;

  if (reused != NULL) {
    set_owner (reused, owner);
    gst_ghost_pad_set_target (GST_GHOST_PAD (reused), pad);
    return;
  }
  g_mutex_lock (&self->lock);
  index = self->n_media[kind]++;
  g_mutex_unlock (&self->lock);
  output = g_new0 (Output, 1);
  output->ghost = gst_object_ref_sink (new_ghost (self, kind, index, pad));
  output->kind = kind;
  output->owner = owner;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->media, output);
  g_mutex_unlock (&self->lock);
  set_owner (output->ghost, owner);
  gst_pad_set_active (output->ghost, TRUE);
  GST_INFO_OBJECT (self->element, "“%s”: a new pad, %s",
                   gst_conic_session_get_peer_id (gst_conic_connection_get_session (owner)),
                   GST_OBJECT_NAME (output->ghost));
  add_pad (self, output->ghost);
}

void
gst_conic_outputs_remove_media (GstConicOutputs *self, gpointer owner, gboolean keep)
{
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (gst_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = self->media->len; i > 0; i--) {
    Output *output = g_ptr_array_index (self->media, i - 1);

    if (owner != NULL && output->owner != owner)
      continue;
    g_ptr_array_add (gone, gst_object_ref (output->ghost));
    output->owner = NULL;
    if (!keep)
      g_ptr_array_remove_index (self->media, i - 1);
  }
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < gone->len; i++) {
    GstPad *ghost = g_ptr_array_index (gone, i);

    gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), NULL);
    if (!keep)
      remove_pad (self, ghost);
  }
}

static gboolean
shows (gconstpointer item, gconstpointer pad)
{
  const Output *output = item;
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (output->ghost));

  return target == pad;
}

void
gst_conic_outputs_remove_pad (GstConicOutputs *self, GstPad *pad)
{
  g_autoptr (GstPad) ghost = NULL;
  guint index;

  g_mutex_lock (&self->lock);
  if (g_ptr_array_find_with_equal_func (self->media, pad, shows, &index)) {
    ghost = gst_object_ref (((Output *) g_ptr_array_index (self->media, index))->ghost);
    g_ptr_array_remove_index (self->media, index);
  }
  g_mutex_unlock (&self->lock);
  if (ghost == NULL)
    return;
  remove_pad (self, ghost);
  gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), NULL);
}

/* --- data --- */

/* (transfer full) (nullable) */
static GstConicDataSrc *
find_data (GstConicOutputs *self, const char *label)
{
  for (guint i = 0; i < self->data->len; i++)
    if (g_str_equal (gst_conic_data_src_get_label (g_ptr_array_index (self->data, i)), label))
      return gst_object_ref (g_ptr_array_index (self->data, i));
  return NULL;
}

/* In the endpoint's thread: adds the pad to the element and starts it. */
static void
show_data (GstElement *element, gpointer data)
{
  GstConicOutputs *self = gst_conic_base_bin_get_outputs (GST_CONIC_BASE_BIN (element));
  GstConicDataSrc *src = data;

  gst_pad_set_active (GST_PAD (src), TRUE);
  add_pad (self, GST_PAD (src));
  gst_conic_data_src_start (src);
}

/* (transfer full) (nullable): the pad for @label, made if need be; NULL if elements of this class have
 * none, or if there are too many */
static GstConicDataSrc *
ensure_data (GstConicOutputs *self, const char *label)
{
  GstPadTemplate *template = find_template (self->element, "data_");
  g_autofree char *prefix = template != NULL ? get_prefix (template) : NULL;
  g_autofree char *name = g_strconcat (prefix != NULL ? prefix : "", label, NULL);
  gboolean is_new = FALSE;
  GstConicDataSrc *src;

  if (template == NULL)
    return NULL;
  g_mutex_lock (&self->lock);
  src = find_data (self, label);
  if (src == NULL && self->data->len < DATA_PADS_MAX) {
    src = gst_object_ref_sink (gst_conic_data_src_new (template, name, label));
    g_ptr_array_add (self->data, gst_object_ref (src));
    is_new = TRUE;
  }
  g_mutex_unlock (&self->lock);
  if (is_new)
    GST_INFO_OBJECT (self->element, "a new pad, %s", name);
  if (is_new)
    gst_conic_endpoint_invoke (self->endpoint, show_data, gst_object_ref (src), gst_object_unref);
  return src;
}

void
gst_conic_outputs_announce_data (GstConicOutputs *self, const char *label)
{
  GstConicDataSrc *src = ensure_data (self, label);

  if (src != NULL)
    gst_object_unref (src);
}

void
gst_conic_outputs_receive_data (GstConicOutputs *self,
                                GstConicChannel *channel,
                                GBytes *data,
                                gboolean is_text)
{
  g_autoptr (GstConicDataSrc) src = ensure_data (self, gst_conic_channel_get_label (channel));

  if (src != NULL)
    gst_conic_data_src_push (src, channel, data, is_text);
  else
    gst_conic_channel_add_delivered (channel);
}

void
gst_conic_outputs_finish_data (GstConicOutputs *self, const char *label)
{
  g_autoptr (GstConicDataSrc) src = NULL;

  /* Without a target others may still come. */
  if (!gst_conic_endpoint_has_target (self->endpoint))
    return;
  src = ensure_data (self, label);
  if (src != NULL)
    gst_conic_data_src_push_eos (src);
}

void
gst_conic_outputs_end_data (GstConicOutputs *self)
{
  g_autoptr (GPtrArray) srcs = NULL;

  g_mutex_lock (&self->lock);
  srcs = gst_conic_objects_copy (self->data);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < srcs->len; i++)
    gst_conic_data_src_push_eos (g_ptr_array_index (srcs, i));
}

void
gst_conic_outputs_remove_data (GstConicOutputs *self)
{
  g_autoptr (GPtrArray) gone = NULL;

  g_mutex_lock (&self->lock);
  gone = self->data;
  self->data = g_ptr_array_new_with_free_func (gst_object_unref);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < gone->len; i++) {
    GstPad *pad = g_ptr_array_index (gone, i);

    if (GST_OBJECT_PARENT (pad) == GST_OBJECT (self->element))
      remove_pad (self, pad);
    else
      gst_pad_set_active (pad, FALSE);
  }
}

/* --- all of them --- */

void
gst_conic_outputs_complete (GstConicOutputs *self)
{
  /* Without a target others may still come. */
  if (gst_conic_endpoint_has_target (self->endpoint))
    gst_element_no_more_pads (self->element);
}

static void
flush (GPtrArray *pads)
{
  for (guint i = 0; i < pads->len; i++)
    gst_pad_push_event (g_ptr_array_index (pads, i), gst_event_new_flush_start ());
}

void
gst_conic_outputs_flush_data (GstConicOutputs *self)
{
  g_autoptr (GPtrArray) pads = NULL;

  g_mutex_lock (&self->lock);
  pads = gst_conic_objects_copy (self->data);
  g_mutex_unlock (&self->lock);
  flush (pads);
}

void
gst_conic_outputs_flush_media (GstConicOutputs *self)
{
  g_autoptr (GPtrArray) pads = g_ptr_array_new_with_free_func (gst_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->media->len; i++) {
    Output *output = g_ptr_array_index (self->media, i);

    g_ptr_array_add (pads, gst_object_ref (output->ghost));
  }
  g_mutex_unlock (&self->lock);
  flush (pads);
}
