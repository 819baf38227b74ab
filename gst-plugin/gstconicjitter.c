/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   rtpssrcdemux ─► rtpjitterbuffer
 *                ╫ packets that something has held up are taken for less late than they are */

#include "gstconicjitter.h"

#include <gst/rtp/rtp.h>

#include "gstconicarrival.h"
#include "gstconicobjects.h"

/* Packets in a row by which a stream shows that it begins with the first of them. */
#define FAST_START_PACKETS 2

typedef struct {
  GstElement *jitterbuffer; /* owns this */
  GstConicArrival arrival;
  gboolean do_nack;     /* whether lost video is asked for again */
  int clock_rate;       /* of the latest packet */
  int clock_rates[128]; /* of payload types: 0 if not asked for yet, negative if not known */
} Punctuality;

/* webrtcbin goes through the streams of the whole session, and what it says last is whether lost packets
 * of this one are asked for: beside sound, those of pictures wouldn't be. */
static void
set_retransmission (Punctuality *self, const GstStructure *format)
{
  gboolean is_video = g_strcmp0 (gst_structure_get_string (format, "media"), "video") == 0;

  g_object_set (self->jitterbuffer, "do-retransmission", is_video && self->do_nack, NULL);
}

static int
get_clock_rate (Punctuality *self, guint payload_type)
{
  int *clock_rate = &self->clock_rates[payload_type];
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *format;

  if (*clock_rate != 0)
    return *clock_rate;
  *clock_rate = -1;
  g_signal_emit_by_name (self->jitterbuffer, "request-pt-map", payload_type, &caps);
  if (caps == NULL || gst_caps_is_empty (caps))
    return *clock_rate;
  format = gst_caps_get_structure (caps, 0);
  set_retransmission (self, format);
  if (!gst_structure_get_int (format, "clock-rate", clock_rate) || *clock_rate <= 0)
    *clock_rate = -1;
  return *clock_rate;
}

/* The jitter buffer of GStreamer 1.22 begins a new timeline with a packet that is later than its latency:
 * what comes after it is late as well from then on, and sound and pictures part. */
static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Punctuality *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstClockTime arrival;
  guint32 timestamp;
  int clock_rate;
  guint latency;

  /* Packets that were asked for again are late by nature. */
  if (!GST_BUFFER_DTS_IS_VALID (buffer) ||
      GST_BUFFER_FLAG_IS_SET (buffer, GST_RTP_BUFFER_FLAG_RETRANSMISSION) ||
      !gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp))
    return GST_PAD_PROBE_OK;
  clock_rate = get_clock_rate (self, gst_rtp_buffer_get_payload_type (&rtp));
  timestamp = gst_rtp_buffer_get_timestamp (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  if (clock_rate < 0)
    return GST_PAD_PROBE_OK;
  if (clock_rate != self->clock_rate)
    self->arrival = (GstConicArrival){0};
  self->clock_rate = clock_rate;
  g_object_get (self->jitterbuffer, "latency", &latency, NULL);
  arrival =
      (GstClockTime) gst_conic_arrival_judge (&self->arrival, (gint64) GST_BUFFER_DTS (buffer),
                                              timestamp, (guint) clock_rate,
                                              (gint64) (latency * GST_MSECOND / 2));
  if (arrival != GST_BUFFER_DTS (buffer)) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_DTS (buffer) = arrival;
    GST_PAD_PROBE_INFO_DATA (info) = buffer;
  }
  return GST_PAD_PROBE_OK;
}

void
gst_conic_jitter_set_up (GstElement *element, gboolean do_nack)
{
  g_autoptr (GstPad) sink = NULL;
  Punctuality *punctuality;

  if (!gst_conic_objects_is_a (element, "rtpjitterbuffer"))
    return;
  /* What is merely late would be given up for lost, and dropped when it comes. */
  g_object_set (element, "rtx-next-seqnum", FALSE, NULL);
  /* One that has the first packets in a row hands them on at once: when the picture is shown, and how long
   * lost packets are waited for, stays as it is. */
  g_object_set (element, "faststart-min-packets", FAST_START_PACKETS, NULL);
  punctuality = g_new0 (Punctuality, 1);
  punctuality->jitterbuffer = element;
  punctuality->do_nack = do_nack;
  sink = gst_element_get_static_pad (element, "sink");
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, on_packet, punctuality, g_free);
}
