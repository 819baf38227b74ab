/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   sink ─► queue (leaky) ─► payloader ─► src
 *        ╫ shut until the session is connected and, for video, a keyframe comes */

#include "gstconicbranch.h"

#include <gst/video/video.h>

#include "gstconictwcc.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_branch_debug);
#define GST_CAT_DEFAULT gst_conic_branch_debug

/* Encoded media that may wait for a session's network thread, before the oldest is dropped. */
#define QUEUE_TIME (500 * GST_MSECOND)

typedef enum {
  BRANCH_SHUT,
  BRANCH_WAITING,
  BRANCH_OPEN,
} BranchState;

struct _GstConicBranch {
  GstBin parent_instance;

  GstWebRTCKind kind;
  int state;    /* BranchState, atomic */
  int n_frames; /* that went out, atomic */
};

G_DEFINE_FINAL_TYPE (GstConicBranch, gst_conic_branch, GST_TYPE_BIN)

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicBranch *self = user_data;

  switch (g_atomic_int_get (&self->state)) {
  case BRANCH_OPEN:
    g_atomic_int_inc (&self->n_frames);
    return GST_PAD_PROBE_OK;
  case BRANCH_WAITING:
    if (GST_BUFFER_FLAG_IS_SET (GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT))
      return GST_PAD_PROBE_DROP;
    g_atomic_int_set (&self->state, BRANCH_OPEN);
    g_atomic_int_inc (&self->n_frames);
    return GST_PAD_PROBE_OK;
  case BRANCH_SHUT:
  default:
    return GST_PAD_PROBE_DROP;
  }
}

static void
add_ghost_pad (GstConicBranch *self, const char *name, GstElement *element)
{
  g_autoptr (GstPad) target = gst_element_get_static_pad (element, name);

  gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new (name, target));
}

static void
gst_conic_branch_class_init (GstConicBranchClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (gst_conic_branch_debug, "conicbranch", 0, "Conic media branch");
}

static void
gst_conic_branch_init (GstConicBranch *self)
{
}

GstConicBranch *
gst_conic_branch_new (const GstConicCodec *codec,
                      int payload_type,
                      guint32 ssrc,
                      guint twcc_id,
                      GError **error)
{
  g_autoptr (GstPad) pad = NULL;
  GstElement *payloader = gst_conic_codec_make (codec->payloader, codec->payloader_settings, error);
  GstElement *queue;
  GstConicBranch *self;

  if (payloader == NULL)
    return NULL;
  self = g_object_new (GST_TYPE_CONIC_BRANCH, NULL);
  self->kind = codec->kind;
  queue = gst_element_factory_make ("queue", NULL);
  gst_util_set_object_arg (G_OBJECT (queue), "leaky", "downstream");
  g_object_set (queue, "max-size-buffers", 0, "max-size-bytes", 0, "max-size-time", QUEUE_TIME,
                NULL);
  g_object_set (payloader, "pt", payload_type, "ssrc", ssrc, NULL);
  if (twcc_id > 0)
    gst_conic_twcc_add_to_payloader (payloader, twcc_id);
  gst_bin_add_many (GST_BIN (self), queue, payloader, NULL);
  gst_element_link (queue, payloader);

  pad = gst_element_get_static_pad (queue, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, self, NULL);
  add_ghost_pad (self, "sink", queue);
  add_ghost_pad (self, "src", payloader);
  return self;
}

void
gst_conic_branch_open (GstConicBranch *self)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (self), "sink");

  g_atomic_int_set (&self->state,
                    self->kind == GST_WEBRTC_KIND_VIDEO ? BRANCH_WAITING : BRANCH_OPEN);
  if (self->kind == GST_WEBRTC_KIND_VIDEO)
    gst_pad_push_event (pad,
                        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}

void
gst_conic_branch_shut (GstConicBranch *self)
{
  g_atomic_int_set (&self->state, BRANCH_SHUT);
}

guint
gst_conic_branch_get_n_frames (GstConicBranch *self)
{
  return (guint) g_atomic_int_get (&self->n_frames);
}
