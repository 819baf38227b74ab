/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicsection.h"

GstWebRTCRTPTransceiver *
gst_conic_section_get_transceiver (GstPad *webrtc_pad)
{
  GstWebRTCRTPTransceiver *transceiver = NULL;

  g_object_get (webrtc_pad, "transceiver", &transceiver, NULL);
  return transceiver;
}

GstWebRTCKind
gst_conic_section_get_kind (GstPad *webrtc_pad)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = gst_conic_section_get_transceiver (webrtc_pad);
  GstWebRTCKind kind = GST_WEBRTC_KIND_VIDEO;

  if (transceiver != NULL)
    g_object_get (transceiver, "kind", &kind, NULL);
  return kind;
}

guint
gst_conic_section_get_index (GstPad *webrtc_pad)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = gst_conic_section_get_transceiver (webrtc_pad);
  guint index = G_MAXUINT;

  if (transceiver != NULL)
    g_object_get (transceiver, "mlineindex", &index, NULL);
  return index;
}
