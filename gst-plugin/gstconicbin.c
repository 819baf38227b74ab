/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-conicbin
 * @title: conicbin
 * @short_description: a whole WebRTC peer
 *
 * Sends what comes into its request pads, as conicsink does, and gives out what the other sides
 * send, as conicsrc does, in the same sessions. Two pads of an element can't share a name, so the
 * source pads are `audio_src_%u`, `video_src_%u` and `data_src_%s`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 audiotestsrc is-live=true ! conicbin name=me client-id=alice \
 *     me.audio_src_0 ! queue ! autoaudiosink
 * gst-launch-1.0 audiotestsrc is-live=true ! conicbin name=me target-id=alice \
 *     me.audio_src_0 ! queue ! autoaudiosink
 * ]|
 */

#include "gstconicbin.h"

struct _GstConicBin {
  GstConicBaseBin parent_instance;
};

G_DEFINE_FINAL_TYPE (GstConicBin, gst_conic_bin, GST_TYPE_CONIC_BASE_BIN)
GST_ELEMENT_REGISTER_DEFINE (conicbin, "conicbin", GST_RANK_NONE, GST_TYPE_CONIC_BIN)

static void
gst_conic_bin_class_init (GstConicBinClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_conic_base_bin_class_add_sink_templates (element_class);
  gst_conic_base_bin_class_add_src_templates (element_class, "audio_src_%u", "video_src_%u",
                                              "data_src_%s");
  gst_element_class_set_static_metadata (element_class, "Conic peer", "Bin/Network/WebRTC",
                                         "Sends to and receives from WebRTC peers that it meets on "
                                         "a Conic hub",
                                         "The Conic developers");
}

static void
gst_conic_bin_init (GstConicBin *self)
{
}
