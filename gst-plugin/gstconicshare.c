/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   GstConicInput ─► sink_%u of the connection ─► GstConicBranch ─► webrtcbin */

#include "gstconicshare.h"

#include "gstconicbranch.h"
#include "gstconicsection.h"

struct _GstConicShare {
  GstBin *connection;
  GstConicInput *input;
  guint32 ssrc;
  GstPad *webrtc_pad;
  gboolean is_limited;    /* the section has caps of its own: none of the stream's are needed */
  GstPad *input_pad;      /* of input (nullable): until it begins, as branch */
  GstConicBranch *branch; /* borrowed: the connection's */
  const GstConicCodec *codec;
  gboolean is_open;
};

GstConicShare *
gst_conic_share_new (GstBin *connection,
                     GstElement *webrtcbin,
                     GstConicInput *input,
                     const char *pad_name)
{
  GstConicShare *self = g_new0 (GstConicShare, 1);

  self->connection = connection;
  self->input = gst_object_ref (input);
  self->ssrc = MAX (g_random_int (), 1);
  self->webrtc_pad = gst_element_request_pad_simple (webrtcbin, pad_name);
  return self;
}

void
gst_conic_share_free (GstConicShare *self)
{
  gst_clear_object (&self->input_pad);
  gst_clear_object (&self->webrtc_pad);
  gst_object_unref (self->input);
  g_free (self);
}

GstConicInput *
gst_conic_share_get_input (GstConicShare *self)
{
  return self->input;
}

GstPad *
gst_conic_share_get_pad (GstConicShare *self)
{
  return self->webrtc_pad;
}

const GstConicCodec *
gst_conic_share_get_codec (GstConicShare *self)
{
  return self->codec;
}

guint
gst_conic_share_get_n_frames (GstConicShare *self)
{
  return self->branch != NULL ? gst_conic_branch_get_n_frames (self->branch) : 0;
}

/* --- its section --- */

GstWebRTCRTPTransceiver *
gst_conic_share_get_transceiver (GstConicShare *self)
{
  return gst_conic_section_get_transceiver (self->webrtc_pad);
}

guint
gst_conic_share_get_section (GstConicShare *self)
{
  return gst_conic_section_get_index (self->webrtc_pad);
}

const GstSDPMedia *
gst_conic_share_find_section (GstConicShare *self, const GstSDPMessage *sdp)
{
  guint index = gst_conic_share_get_section (self);

  if (sdp == NULL || index >= gst_sdp_message_medias_len (sdp))
    return NULL;
  return gst_sdp_message_get_media (sdp, index);
}

void
gst_conic_share_set_caps (GstConicShare *self, GstCaps *caps)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = gst_conic_share_get_transceiver (self);

  /* In one of them only, or webrtcbin would announce it as often. */
  gst_structure_set (gst_caps_get_structure (caps, 0), "ssrc", G_TYPE_UINT, self->ssrc, NULL);
  g_object_set (transceiver, "codec-preferences", caps, NULL);
  self->is_limited = TRUE;
}

gboolean
gst_conic_share_is_described (GstConicShare *self)
{
  return self->branch == NULL || self->is_limited || gst_pad_has_current_caps (self->webrtc_pad);
}

/* What an encoder outside says of its stream: its profile and its level. webrtcbin would compare them
 * with the offer's letter by letter, and refuse a section over a level; the offer's own are answered. */
static GstPadProbeReturn
hide_format (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  static const char *const fields[] = {"profile-level-id", "profile", "level",
                                       "sprop-parameter-sets", "packetization-mode"};
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  g_autoptr (GstCaps) caps = NULL;
  GstCaps *own;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &own);
  caps = gst_caps_copy (own);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    gst_structure_remove_field (gst_caps_get_structure (caps, 0), fields[i]);
  GST_PAD_PROBE_INFO_DATA (info) = gst_event_new_caps (caps);
  gst_event_unref (event);
  return GST_PAD_PROBE_OK;
}

void
gst_conic_share_hide_format (GstConicShare *self)
{
  gst_pad_add_probe (self->webrtc_pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, hide_format, NULL,
                     NULL);
}

/* --- its branch --- */

static void
link_branch (GstConicShare *self)
{
  g_autoptr (GstPad) src = gst_element_get_static_pad (GST_ELEMENT (self->branch), "src");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (GST_ELEMENT (self->branch), "sink");
  GstPad *ghost;

  gst_pad_link (src, self->webrtc_pad);
  gst_element_sync_state_with_parent (GST_ELEMENT (self->branch));

  ghost = gst_ghost_pad_new (GST_OBJECT_NAME (self->webrtc_pad), sink);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self->connection), ghost);
  gst_pad_link_full (self->input_pad, ghost, GST_PAD_LINK_CHECK_NOTHING);
  gst_conic_input_start_branch (self->input, self->input_pad);
}

gboolean
gst_conic_share_begin (GstConicShare *self,
                       const GstConicCodec *codec,
                       int payload_type,
                       guint twcc_id,
                       GError **error)
{
  GstPad *input_pad = gst_conic_input_request_branch (self->input, codec, error);
  GstConicBranch *branch = NULL;

  if (input_pad == NULL)
    return FALSE;
  branch = gst_conic_branch_new (codec, payload_type, self->ssrc, twcc_id, error);
  if (branch == NULL) {
    gst_conic_input_release_branch (self->input, input_pad);
    gst_object_unref (input_pad);
    return FALSE;
  }
  self->input_pad = input_pad;
  self->branch = branch;
  self->codec = codec;
  gst_bin_add (self->connection, GST_ELEMENT (branch));
  link_branch (self);
  return TRUE;
}

void
gst_conic_share_set_open (GstConicShare *self, gboolean is_open)
{
  if (is_open == self->is_open)
    return;
  self->is_open = is_open;
  if (is_open)
    gst_conic_branch_open (self->branch);
  else
    gst_conic_branch_shut (self->branch);
}

void
gst_conic_share_end (GstConicShare *self)
{
  g_autoptr (GstPad) ghost = NULL;

  if (self->branch == NULL)
    return;
  ghost = gst_element_get_static_pad (GST_ELEMENT (self->connection),
                                      GST_OBJECT_NAME (self->webrtc_pad));
  gst_conic_input_release_branch (self->input, self->input_pad);
  gst_pad_set_active (ghost, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self->connection), ghost);
  gst_element_set_locked_state (GST_ELEMENT (self->branch), TRUE);
  gst_element_set_state (GST_ELEMENT (self->branch), GST_STATE_NULL);
  gst_bin_remove (self->connection, GST_ELEMENT (self->branch));
  self->branch = NULL;
}

void
gst_conic_share_release (GstConicShare *self)
{
  if (self->input_pad != NULL)
    gst_conic_input_release_branch (self->input, self->input_pad);
}
