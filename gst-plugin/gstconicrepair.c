/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   rtpreddec ─► rtpstorage ─► rtpjitterbuffer ─► rtpptdemux ─► rtpulpfecdec ─► depayloader
 *   ╫ header extensions come back                                            ╫ DISCONT where a
 *                                                                              picture is missing */

#include "gstconicrepair.h"

#include <gst/rtp/rtp.h>

#include "gstconicobjects.h"

/* --- RED --- */

/* Of the packet that rtpreddec is opening. */
typedef struct {
  GBytes *extension; /* (nullable) */
  guint16 profile;
} Envelope;

static void
envelope_free (gpointer data)
{
  Envelope *envelope = data;

  g_clear_pointer (&envelope->extension, g_bytes_unref);
  g_free (envelope);
}

static GstPadProbeReturn
on_sealed (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Envelope *envelope = user_data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  g_clear_pointer (&envelope->extension, g_bytes_unref);
  if (!gst_rtp_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), GST_MAP_READ, &rtp))
    return GST_PAD_PROBE_OK;
  envelope->extension = gst_rtp_buffer_get_extension_bytes (&rtp, &envelope->profile);
  gst_rtp_buffer_unmap (&rtp);
  return GST_PAD_PROBE_OK;
}

/* What is in a RED packet was protected together with its header extensions, which rtpreddec drops:
 * what is then recovered from several packets would be shifted against them. */
static GstPadProbeReturn
on_opened (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Envelope *envelope = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gpointer data;

  if (envelope->extension == NULL || GST_BUFFER_FLAG_IS_SET (buffer, GST_RTP_BUFFER_FLAG_REDUNDANT))
    return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable (buffer);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  if (!gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp))
    return GST_PAD_PROBE_OK;
  if (!gst_rtp_buffer_get_extension (&rtp)) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data (envelope->extension, &size);

    gst_rtp_buffer_set_extension_data (&rtp, envelope->profile, (guint16) (size / 4));
    if (size > 0 && gst_rtp_buffer_get_extension_data (&rtp, NULL, &data, NULL))
      memcpy (data, bytes, size);
  }
  gst_rtp_buffer_unmap (&rtp);
  return GST_PAD_PROBE_OK;
}

/* --- what follows what --- */

/* Where in which picture a packet is. */
typedef struct {
  guint picture_id;
  guint picture_id_mask;
  gboolean begins;
  gboolean ends;
} Place;

typedef gboolean (*PlaceFunc) (const guint8 *payload, gsize size, Place *place);

/* The PictureID that begins at @data, in VP8 and VP9 alike. */
static gboolean
read_picture_id (const guint8 *data, gsize size, Place *place)
{
  if (size < 1 || ((data[0] & 0x80) != 0 && size < 2))
    return FALSE;
  if ((data[0] & 0x80) != 0) {
    place->picture_id = (guint) (data[0] & 0x7f) << 8 | data[1];
    place->picture_id_mask = 0x7fff;
  } else {
    place->picture_id = data[0];
    place->picture_id_mask = 0x7f;
  }
  return TRUE;
}

/* RFC 7741 section 4.2 */
static gboolean
read_vp8 (const guint8 *payload, gsize size, Place *place)
{
  if (size < 2 || (payload[0] & 0x80) == 0 || (payload[1] & 0x80) == 0)
    return FALSE;
  place->begins = (payload[0] & 0x17) == 0x10; /* S, partition 0 */
  return read_picture_id (payload + 2, size - 2, place);
}

/* RFC 9628 section 4.2; layers of one picture have the same PictureID. */
static gboolean
read_vp9 (const guint8 *payload, gsize size, Place *place)
{
  gsize layer;

  if (size < 1 || (payload[0] & 0x80) == 0 || !read_picture_id (payload + 1, size - 1, place))
    return FALSE;
  layer = place->picture_id_mask == 0x7fff ? 3 : 2;
  place->begins = (payload[0] & 0x08) != 0; /* B */
  if ((payload[0] & 0x20) != 0)             /* L */
    place->begins = place->begins && size > layer && (payload[layer] & 0x01) == 0;
  return TRUE;
}

/* The packets that leave an rtpulpfecdec. */
typedef struct {
  GstElement *decoder; /* owns this */
  PlaceFunc read;      /* NULL for codecs that don't number their pictures */
  gboolean has_last;
  Place last;
} Sequence;

static gboolean
read_place (Sequence *self, GstBuffer *buffer, Place *place)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gboolean found;

  if (!gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp))
    return FALSE;
  place->ends = gst_rtp_buffer_get_marker (&rtp);
  found =
      self->read (gst_rtp_buffer_get_payload (&rtp), gst_rtp_buffer_get_payload_len (&rtp), place);
  gst_rtp_buffer_unmap (&rtp);
  return found;
}

/* Whether nothing of the pictures is missing between @last and @place. */
static gboolean
follows (const Place *last, const Place *place, gboolean is_discont)
{
  guint next = place->begins ? (last->picture_id + 1) & place->picture_id_mask : last->picture_id;

  if (last->picture_id_mask != place->picture_id_mask || place->picture_id != next)
    return FALSE;
  return place->begins ? last->ends : !last->ends && !is_discont;
}

/* The jitter buffer marks what comes after a loss as discontinuous, and depayloaders then wait for a
 * keyframe. But what was lost may have been a repair packet, and the mark of a lost picture may have
 * gone with the repair packet after it, which goes no further than rtpptdemux. */
static GstBuffer *
mark (Sequence *self, GstBuffer *buffer)
{
  gboolean is_discont = GST_BUFFER_IS_DISCONT (buffer);
  gboolean has_place, good;
  Place place;

  has_place = read_place (self, buffer, &place);
  good = has_place && self->has_last && follows (&self->last, &place, is_discont);
  if (has_place && self->has_last && good == is_discont) {
    buffer = gst_buffer_make_writable (buffer);
    if (good)
      GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
    else
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  }
  self->has_last = has_place;
  self->last = place;
  return buffer;
}

static void
read_caps (Sequence *self, GstCaps *caps)
{
  const char *name = gst_structure_get_string (gst_caps_get_structure (caps, 0), "encoding-name");

  self->has_last = FALSE;
  self->read = NULL;
  if (g_strcmp0 (name, "VP8") == 0)
    self->read = read_vp8;
  else if (g_strcmp0 (name, "VP9") == 0)
    self->read = read_vp9;
}

static GstPadProbeReturn
on_repaired (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Sequence *self = user_data;
  gboolean passthrough;
  GstCaps *caps;

  if ((GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    /* rtpvp9depay answers that with a critical, and needs no more than DISCONT. */
    if (self->read == read_vp9 && gst_event_has_name (event, "GstRTPPacketLost"))
      return GST_PAD_PROBE_DROP;
    if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
      return GST_PAD_PROBE_OK;
    gst_event_parse_caps (event, &caps);
    read_caps (self, caps);
    return GST_PAD_PROBE_OK;
  }
  g_object_get (self->decoder, "passthrough", &passthrough, NULL);
  if (self->read != NULL && !passthrough)
    GST_PAD_PROBE_INFO_DATA (info) = mark (self, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

void
gst_conic_repair_set_up (GstElement *element)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");

  if (gst_conic_objects_is_a (element, "rtpreddec")) {
    Envelope *envelope = g_new0 (Envelope, 1);

    gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, on_sealed, envelope, NULL);
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, on_opened, envelope, NULL);
    g_object_set_data_full (G_OBJECT (element), "conic-envelope", envelope, envelope_free);
  } else if (gst_conic_objects_is_a (element, "rtpulpfecdec")) {
    Sequence *sequence = g_new0 (Sequence, 1);

    sequence->decoder = element;
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                       on_repaired, sequence, g_free);
  }
}
