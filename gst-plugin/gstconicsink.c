/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-conicsink
 * @title: conicsink
 * @short_description: a WebRTC peer that sends
 *
 * Puts audio, video and data messages on the air: it registers at a hub and sends to everyone who
 * calls it, or calls the peer named by #conicsink:target-id. Raw media is encoded once, however
 * many watch; encoded media (Opus, VP8, VP9, H.264) is sent as it is.
 *
 * A request pad `data_X` is the data channel labelled X: a buffer is a message. With caps
 * `text/x-raw,format=utf8` it is a text message, with any other caps binary; without caps what is
 * UTF-8 is text. The pad waits for a session to send to, and while the channel is full.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! conicsink client-id=camera
 * gst-launch-1.0 conicsink name=s client-id=studio \
 *     videotestsrc is-live=true ! s.video_0 audiotestsrc is-live=true ! s.audio_0
 * gst-launch-1.0 fdsrc ! s.data_chat conicsink name=s client-id=alice data_chat::lines=true
 * ]|
 */

#include "gstconicsink.h"

struct _GstConicSink {
  GstConicBaseBin parent_instance;
};

G_DEFINE_FINAL_TYPE (GstConicSink, gst_conic_sink, GST_TYPE_CONIC_BASE_BIN)
GST_ELEMENT_REGISTER_DEFINE (conicsink, "conicsink", GST_RANK_NONE, GST_TYPE_CONIC_SINK)

static void
gst_conic_sink_class_init (GstConicSinkClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_conic_base_bin_class_add_sink_templates (element_class);
  gst_element_class_set_static_metadata (element_class, "Conic sink", "Sink/Network/WebRTC",
                                         "Sends audio, video and data messages to WebRTC peers "
                                         "that meet it on a Conic hub",
                                         "The Conic developers");
}

static void
gst_conic_sink_init (GstConicSink *self)
{
}
