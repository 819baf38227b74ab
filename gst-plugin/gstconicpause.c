/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicpause.h"

#include "gstconicobjects.h"

void
gst_conic_pause_begin (GstConicPause *self)
{
  g_atomic_int_inc (&self->n_begun);
}

int
gst_conic_pause_get_number (GstConicPause *self)
{
  return g_atomic_int_get (&self->n_begun);
}

void
gst_conic_pause_end (GstConicPause *self, int number)
{
  g_atomic_int_set (&self->n_ended, number);
}

static GstPadProbeReturn
on_media (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicPause *self = user_data;

  return g_atomic_int_get (&self->n_ended) == g_atomic_int_get (&self->n_begun)
             ? GST_PAD_PROBE_OK
             : GST_PAD_PROBE_DROP;
}

static void
watch_pad (GstPad *pad, GstConicPause *self)
{
  if (g_str_equal (GST_PAD_NAME (pad), "rtp_src"))
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_media,
                       self, NULL);
}

static void
on_pad_added (GstElement *dtlssrtpdec, GstPad *pad, GstConicPause *self)
{
  watch_pad (pad, self);
}

static void
on_deep_element_added (GstBin *connection, GstBin *bin, GstElement *child, GstConicPause *self)
{
  if (!gst_conic_objects_is_a (child, "dtlssrtpdec"))
    return;
  /* Pads come while the transport is set up, by one thread: none is added between these two. */
  g_signal_connect (child, "pad-added", G_CALLBACK (on_pad_added), self);
  GST_OBJECT_LOCK (child);
  for (GList *l = child->pads; l != NULL; l = l->next)
    watch_pad (l->data, self);
  GST_OBJECT_UNLOCK (child);
}

void
gst_conic_pause_watch (GstConicPause *self, GstBin *connection)
{
  g_signal_connect (connection, "deep-element-added", G_CALLBACK (on_deep_element_added), self);
}
