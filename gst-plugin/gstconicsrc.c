/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-conicsrc
 * @title: conicsrc
 * @short_description: a WebRTC peer that receives
 *
 * Brings in the audio, video and data messages of another peer: it calls the one named by
 * #conicsrc:target-id, or waits for peers that push to it. Pads appear as streams do; what they
 * give is decoded. A stream that isn't linked is dropped and harms nobody.
 *
 * A pad `data_X` gives the messages of the data channel labelled X, a buffer each.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 conicsrc target-id=camera ! videoconvert ! autovideosink
 * gst-launch-1.0 conicsrc name=r target-id=alice r.data_chat ! fdsink
 * ]|
 */

#include "gstconicsrc.h"

struct _GstConicSrc {
  GstConicBaseBin parent_instance;
};

G_DEFINE_FINAL_TYPE (GstConicSrc, gst_conic_src, GST_TYPE_CONIC_BASE_BIN)
GST_ELEMENT_REGISTER_DEFINE (conicsrc, "conicsrc", GST_RANK_NONE, GST_TYPE_CONIC_SRC)

static void
gst_conic_src_class_init (GstConicSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_conic_base_bin_class_add_src_templates (element_class, "audio_%u", "video_%u", "data_%s");
  gst_element_class_set_static_metadata (element_class, "Conic source", "Source/Network/WebRTC",
                                         "Receives audio, video and data messages from WebRTC "
                                         "peers that it meets on a Conic hub",
                                         "The Conic developers");
}

static void
gst_conic_src_init (GstConicSrc *self)
{
}
