/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   GstConicInput ─► sink_%u of the connection ─► GstConicBranch ─► webrtcbin */

#include "gstconicmedia.h"

#include "gstconicbasebin.h"
#include "gstconicbranch.h"

typedef struct {
  GstConicInput *input;
  GstPad *input_pad; /* of input */
  GstConicBranch *branch;
  GstPad *webrtc_pad;
} Share;

struct _GstConicMedia {
  GstBin *connection;
  GstConicBaseBin *bin;
  GstConicSession *session;
  GstElement *webrtcbin;
  GstConicMediaFunc described;
  GObject *user_data;
  GPtrArray *shares; /* Share */
};

static void
share_free (Share *share)
{
  gst_clear_object (&share->input_pad);
  gst_clear_object (&share->webrtc_pad);
  gst_object_unref (share->input);
  g_free (share);
}

/* --- what goes out --- */

static void
set_up_transceiver (GstWebRTCRTPTransceiver *transceiver,
                    GstWebRTCKind kind,
                    GstWebRTCRTPTransceiverDirection direction)
{
  /* Lost video is sent again (RFC 4588); audio has Opus's own concealment. */
  g_object_set (transceiver, "direction", direction, "do-nack", kind == GST_WEBRTC_KIND_VIDEO,
                NULL);
}

static void
set_direction (GstPad *webrtc_pad, GstWebRTCKind kind, GstWebRTCRTPTransceiverDirection direction)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_object_get (webrtc_pad, "transceiver", &transceiver, NULL);
  if (transceiver != NULL)
    set_up_transceiver (transceiver, kind, direction);
}

gboolean
gst_conic_media_is_described (GstConicMedia *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    if (!gst_pad_has_current_caps (share->webrtc_pad))
      return FALSE;
  }
  return TRUE;
}

typedef struct {
  GstConicMediaFunc func;
  GObject *user_data;
} Description;

static void
description_free (gpointer data)
{
  Description *description = data;

  g_object_unref (description->user_data);
  g_free (description);
}

static void
described_in_thread (GstElement *element, gpointer data)
{
  Description *description = data;

  description->func (description->user_data);
}

static void
on_notify_caps (GstPad *pad, GParamSpec *pspec, GstConicMedia *self)
{
  Description *description = g_new0 (Description, 1);

  description->func = self->described;
  description->user_data = g_object_ref (self->user_data);
  gst_conic_base_bin_invoke (self->bin, described_in_thread, description, description_free);
}

/* Gives the session a share of @input on the webrtcbin pad @pad_name. */
static gboolean
add_share (GstConicMedia *self,
           GstConicInput *input,
           int payload_type,
           const char *pad_name,
           GstWebRTCRTPTransceiverDirection direction)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPad) branch_src = NULL;
  g_autoptr (GstPad) branch_sink = NULL;
  g_autofree char *ghost_name = g_strdup_printf ("sink_%u", self->shares->len);
  GstConicBranch *branch =
      gst_conic_branch_new (gst_conic_input_get_codec (input), payload_type, &error);
  GstPad *ghost;
  Share *share;

  if (branch == NULL) {
    GST_ELEMENT_WARNING (self->bin, CORE, MISSING_PLUGIN, ("%s", error->message), (NULL));
    return FALSE;
  }
  share = g_new0 (Share, 1);
  share->input = gst_object_ref (input);
  share->branch = branch;
  share->webrtc_pad = gst_element_request_pad_simple (self->webrtcbin, pad_name);
  share->input_pad = gst_conic_input_request_branch (input);
  g_ptr_array_add (self->shares, share);

  gst_bin_add (self->connection, GST_ELEMENT (branch));
  branch_src = gst_element_get_static_pad (GST_ELEMENT (branch), "src");
  branch_sink = gst_element_get_static_pad (GST_ELEMENT (branch), "sink");
  set_direction (share->webrtc_pad, gst_conic_input_get_kind (input), direction);
  g_signal_connect (share->webrtc_pad, "notify::caps", G_CALLBACK (on_notify_caps), self);
  gst_pad_link (branch_src, share->webrtc_pad);
  gst_element_sync_state_with_parent (GST_ELEMENT (branch));

  ghost = gst_ghost_pad_new (ghost_name, branch_sink);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self->connection), ghost);
  gst_pad_link_full (share->input_pad, ghost, GST_PAD_LINK_CHECK_NOTHING);
  gst_conic_input_start_branch (input, share->input_pad);
  return TRUE;
}

/* --- negotiation --- */

static void
add_transceiver (GstConicMedia *self,
                 GstWebRTCKind kind,
                 GstWebRTCRTPTransceiverDirection direction,
                 GstCaps *caps)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (self->webrtcbin, "add-transceiver", direction, caps, &transceiver);
  if (transceiver != NULL)
    set_up_transceiver (transceiver, kind, direction);
}

void
gst_conic_media_offer (GstConicMedia *self)
{
  static const GstWebRTCKind kinds[] = {GST_WEBRTC_KIND_AUDIO, GST_WEBRTC_KIND_VIDEO};
  gboolean receives = gst_conic_base_bin_receives (self->bin);
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);
  gboolean sends[3] = {FALSE};

  for (guint i = 0; i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    const GstConicCodec *codec = gst_conic_input_get_codec (input);
    GstWebRTCKind kind = gst_conic_input_get_kind (input);

    /* One of each kind can be answered in the same section. */
    if (codec != NULL &&
        add_share (self, input, codec->payload_type, "sink_%u",
                   receives && !sends[kind] ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                                            : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY))
      sends[kind] = TRUE;
  }
  for (guint i = 0; receives && i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (GstCaps) caps = gst_conic_codec_get_receive_caps (kinds[i]);

    if (!sends[kinds[i]] && !gst_caps_is_empty (caps))
      add_transceiver (self, kinds[i], GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps);
  }
}

/* (transfer none) (nullable): the first of @inputs that fits @media; no longer among them */
static GstConicInput *
take_input (GPtrArray *inputs, const GstSDPMedia *media, int *payload_type)
{
  for (guint i = 0; i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    const GstConicCodec *codec = gst_conic_input_get_codec (input);

    if (gst_conic_input_get_kind (input) != gst_conic_sdp_get_kind (media) || codec == NULL)
      continue;
    *payload_type = gst_conic_codec_find_payload_type (codec, media);
    if (*payload_type >= 0) {
      g_ptr_array_remove_index (inputs, i);
      return input;
    }
  }
  return NULL;
}

/* webrtcbin matches its transceivers with the sections of an offer in order, so every section gets
 * one, wanted or not. */
static void
answer_section (GstConicMedia *self, GPtrArray *inputs, const GstSDPMedia *media, guint index)
{
  GstWebRTCKind kind = gst_conic_sdp_get_kind (media);
  GstWebRTCRTPTransceiverDirection theirs = gst_conic_sdp_get_direction (media);
  gboolean receives = gst_conic_base_bin_receives (self->bin) &&
                      (theirs == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY ||
                       theirs == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV);
  gboolean sends = theirs == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY ||
                   theirs == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV;
  g_autofree char *pad_name = g_strdup_printf ("sink_%u", index);
  g_autoptr (GstCaps) caps = NULL;
  int payload_type;
  GstConicInput *input = sends ? take_input (inputs, media, &payload_type) : NULL;

  if (input != NULL && add_share (self, input, payload_type, pad_name,
                                  receives ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                                           : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY))
    return;
  caps = gst_conic_codec_choose (media);
  if (receives && !gst_caps_is_empty (caps)) {
    add_transceiver (self, kind, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps);
    return;
  }
  gst_caps_replace (&caps, NULL);
  caps = gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
                              gst_sdp_media_get_media (media), NULL);
  add_transceiver (self, kind, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE, caps);
}

static void
leave_out_used (GstConicMedia *self, GPtrArray *inputs)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    g_ptr_array_remove (inputs, share->input);
  }
}

void
gst_conic_media_answer (GstConicMedia *self)
{
  const GstSDPMessage *offer = gst_conic_session_get_remote_description (self->session);
  const GstSDPMessage *done = gst_conic_session_get_local_description (self->session);
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);

  /* In a renegotiation, what is there stays as it is. */
  leave_out_used (self, inputs);
  for (guint i = done != NULL ? gst_sdp_message_medias_len (done) : 0;
       i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (offer, i);

    if (gst_conic_sdp_get_kind (media) != GST_WEBRTC_KIND_UNKNOWN)
      answer_section (self, inputs, media, i);
  }
}

/* --- the session goes on --- */

void
gst_conic_media_open (GstConicMedia *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    gst_conic_branch_open (share->branch);
  }
}

/* Whether a peer that made this section of a description sends in it. */
static gboolean
is_sending (const GstSDPMedia *media)
{
  GstWebRTCRTPTransceiverDirection direction = gst_conic_sdp_get_direction (media);

  return gst_conic_sdp_get_kind (media) != GST_WEBRTC_KIND_UNKNOWN &&
         (direction == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY ||
          direction == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV);
}

static gboolean
is_receiving (const GstSDPMedia *media)
{
  GstWebRTCRTPTransceiverDirection direction = gst_conic_sdp_get_direction (media);

  return direction == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY ||
         direction == GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV;
}

guint
gst_conic_media_count_incoming (GstConicMedia *self)
{
  const GstSDPMessage *theirs = gst_conic_session_get_remote_description (self->session);
  const GstSDPMessage *ours = gst_conic_session_get_local_description (self->session);
  guint n_sections = MIN (gst_sdp_message_medias_len (theirs), gst_sdp_message_medias_len (ours));
  guint n = 0;

  for (guint i = 0; i < n_sections; i++)
    if (is_sending (gst_sdp_message_get_media (theirs, i)) &&
        is_receiving (gst_sdp_message_get_media (ours, i)))
      n++;
  return n;
}

void
gst_conic_media_release (GstConicMedia *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    g_signal_handlers_disconnect_by_data (share->webrtc_pad, self);
    gst_conic_input_release_branch (share->input, share->input_pad);
  }
}

GstConicMedia *
gst_conic_media_new (GstBin *connection,
                     GstElement *element,
                     GstConicSession *session,
                     GstElement *webrtcbin,
                     GstConicMediaFunc described,
                     gpointer user_data)
{
  GstConicMedia *self = g_new0 (GstConicMedia, 1);

  self->connection = connection;
  self->bin = GST_CONIC_BASE_BIN (element);
  self->session = session;
  self->webrtcbin = webrtcbin;
  self->described = described;
  self->user_data = user_data;
  self->shares = g_ptr_array_new_with_free_func ((GDestroyNotify) share_free);
  return self;
}

void
gst_conic_media_free (GstConicMedia *self)
{
  g_ptr_array_unref (self->shares);
  g_free (self);
}
