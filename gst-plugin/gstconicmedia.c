/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Raw media is offered in every codec that it can be encoded with; its branch is made once the answer
 * says which it is to be. */

#include "gstconicmedia.h"

#include <stdlib.h>

#include "gstconicbasebin.h"
#include "gstconicmessages.h"
#include "gstconicshare.h"
#include "gstconictwcc.h"

GST_DEBUG_CATEGORY_EXTERN (gst_conic_connection_debug);
#define GST_CAT_DEFAULT gst_conic_connection_debug

struct _GstConicMedia {
  GstBin *connection;
  GstConicBaseBin *bin;
  GstConicSession *session;
  GstElement *webrtcbin;
  GstConicMediaFunc described;
  GObject *user_data;
  const GstConicMediaSettings *settings;
  GPtrArray *shares;    /* GstConicShare */
  guint n_checked;      /* sections of which it is known whether they have a codec */
  gboolean has_told[3]; /* by kind: that one has none */
};

/* Whether what the other side sends of @kind is taken. */
static gboolean
receives (GstConicMedia *self, GstWebRTCKind kind)
{
  return gst_conic_base_bin_receives (self->bin) &&
         gst_conic_media_settings_receives (self->settings, kind);
}

/* --- transceivers --- */

static void
set_up_transceiver (GstConicMedia *self,
                    GstWebRTCRTPTransceiver *transceiver,
                    GstWebRTCKind kind,
                    GstWebRTCRTPTransceiverDirection direction)
{
  gboolean is_video = kind == GST_WEBRTC_KIND_VIDEO;

  g_object_set (transceiver, "direction", direction, NULL);
  /* Lost video is sent again (RFC 4588) or repaired (RFC 5109); audio has Opus's own concealment. */
  g_object_set (transceiver, "do-nack", is_video && self->settings->do_nack, NULL);
  if (is_video && self->settings->fec_percentage > 0)
    g_object_set (transceiver, "fec-type", GST_WEBRTC_FEC_TYPE_ULP_RED, "fec-percentage",
                  self->settings->fec_percentage, NULL);
}

static void
add_transceiver (GstConicMedia *self,
                 GstWebRTCKind kind,
                 GstWebRTCRTPTransceiverDirection direction,
                 GstCaps *caps)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (self->webrtcbin, "add-transceiver", direction, caps, &transceiver);
  if (transceiver != NULL)
    set_up_transceiver (self, transceiver, kind, direction);
}

/* --- what goes out --- */

gboolean
gst_conic_media_is_described (GstConicMedia *self)
{
  for (guint i = 0; i < self->shares->len; i++)
    if (!gst_conic_share_is_described (g_ptr_array_index (self->shares, i)))
      return FALSE;
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

/* Begins a share whose codec is known now. */
static void
begin_share (GstConicMedia *self,
             GstConicShare *share,
             const GstConicCodec *codec,
             int payload_type,
             guint twcc_id)
{
  g_autoptr (GError) error = NULL;

  if (!gst_conic_share_begin (share, codec, payload_type, twcc_id, &error))
    GST_ELEMENT_WARNING (self->bin, CORE, MISSING_PLUGIN, ("%s", error->message), (NULL));
  else
    GST_INFO_OBJECT (self->bin, "“%s”: %s is sent as %s, payload type %d",
                     gst_conic_session_get_peer_id (self->session),
                     GST_OBJECT_NAME (gst_conic_share_get_input (share)), codec->encoding_name,
                     payload_type);
}

/* Gives the session a share of @input on the webrtcbin pad @pad_name. @caps: (nullable): what the
 * section is limited to; else it is what comes out of the branch */
static GstConicShare *
add_share (GstConicMedia *self,
           GstConicInput *input,
           const char *pad_name,
           GstWebRTCRTPTransceiverDirection direction,
           GstCaps *caps)
{
  GstConicShare *share = gst_conic_share_new (self->connection, self->webrtcbin, input, pad_name);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = gst_conic_share_get_transceiver (share);

  g_ptr_array_add (self->shares, share);
  g_signal_connect (gst_conic_share_get_pad (share), "notify::caps", G_CALLBACK (on_notify_caps),
                    self);
  set_up_transceiver (self, transceiver, gst_conic_input_get_kind (input), direction);
  if (caps != NULL)
    gst_conic_share_set_caps (share, caps);
  return share;
}

/* --- the offer --- */

static void
offer_input (GstConicMedia *self,
             GstConicInput *input,
             GPtrArray *codecs,
             const char *pad_name,
             GstWebRTCRTPTransceiverDirection direction)
{
  const GstConicCodec *codec = g_ptr_array_index (codecs, 0);
  g_autoptr (GstCaps) caps = NULL;
  GstConicShare *share;

  if (gst_conic_input_is_raw (input)) {
    caps = gst_conic_codec_get_offer_caps (codecs, self->settings->do_nack);
    gst_conic_twcc_add_to_caps (caps, GST_CONIC_TWCC_ID);
    add_share (self, input, pad_name, direction, caps);
  } else {
    share = add_share (self, input, pad_name, direction, NULL);
    begin_share (self, share, codec, codec->payload_type, GST_CONIC_TWCC_ID);
  }
}

static void
offer_to_receive (GstConicMedia *self, GstWebRTCKind kind)
{
  g_autoptr (GPtrArray) codecs =
      gst_conic_codec_list_decodable (kind,
                                      gst_conic_media_settings_get_codecs (self->settings, kind));
  g_autoptr (GstCaps) caps = gst_conic_codec_get_offer_caps (codecs, self->settings->do_nack);

  if (codecs->len == 0)
    return;
  gst_conic_twcc_add_to_caps (caps, GST_CONIC_TWCC_ID);
  add_transceiver (self, kind, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps);
}

static gboolean
has_share (GstConicMedia *self, GstConicInput *input)
{
  for (guint i = 0; i < self->shares->len; i++)
    if (gst_conic_share_get_input (g_ptr_array_index (self->shares, i)) == input)
      return TRUE;
  return FALSE;
}

void
gst_conic_media_offer (GstConicMedia *self)
{
  static const GstWebRTCKind kinds[] = {GST_WEBRTC_KIND_AUDIO, GST_WEBRTC_KIND_VIDEO};
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);
  gboolean sends[3] = {FALSE};

  for (guint i = 0; i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (input);
    GstWebRTCKind kind = gst_conic_input_get_kind (input);

    if (codecs == NULL || has_share (self, input))
      continue;
    /* One of each kind can be answered in the same section. */
    offer_input (self, input, codecs, "sink_%u",
                 receives (self, kind) && !sends[kind]
                     ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                     : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY);
    sends[kind] = TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (!sends[kinds[i]] && receives (self, kinds[i]))
      offer_to_receive (self, kinds[i]);
}

/* --- the answer --- */

/* (transfer none) (nullable): the first of @inputs that fits @media; no longer among them */
static GstConicInput *
take_input (GPtrArray *inputs,
            const GstSDPMedia *media,
            const GstConicCodec **codec,
            int *payload_type)
{
  for (guint i = 0; i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (input);

    if (codecs == NULL)
      continue;
    *codec = gst_conic_codec_choose (codecs, media, FALSE, payload_type);
    if (*codec != NULL) {
      g_ptr_array_remove_index (inputs, i);
      return input;
    }
  }
  return NULL;
}

static gboolean
answer_with_input (GstConicMedia *self, GPtrArray *inputs, const GstSDPMedia *media, guint index)
{
  g_autofree char *pad_name = g_strdup_printf ("sink_%u", index);
  g_autoptr (GstCaps) caps = NULL;
  const GstConicCodec *codec;
  GstConicInput *input;
  int payload_type;
  GstConicShare *share;

  input = take_input (inputs, media, &codec, &payload_type);
  if (input == NULL)
    return FALSE;
  caps = gst_conic_codec_get_rtp_caps (codec, payload_type);
  gst_conic_twcc_add_to_caps (caps, gst_conic_twcc_find_id (media));
  share = add_share (self, input, pad_name,
                     receives (self, codec->kind) ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                                                  : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY,
                     caps);
  gst_conic_share_hide_format (share);
  begin_share (self, share, codec, payload_type, gst_conic_twcc_find_id (media));
  return TRUE;
}

static gboolean
answer_to_receive (GstConicMedia *self, const GstSDPMedia *media)
{
  GstWebRTCKind kind = gst_conic_sdp_get_kind (media);
  const char *const *names = gst_conic_media_settings_get_codecs (self->settings, kind);
  g_autoptr (GPtrArray) codecs = gst_conic_codec_list_decodable (kind, names);
  g_autoptr (GstCaps) caps = NULL;
  const GstConicCodec *codec;
  int payload_type;

  /* Without a wish of ours, the other side's counts. */
  codec = gst_conic_codec_choose (codecs, media, names == NULL, &payload_type);
  if (codec == NULL)
    return FALSE;
  GST_INFO_OBJECT (self->bin, "“%s”: %s is asked for, payload type %d",
                   gst_conic_session_get_peer_id (self->session), codec->encoding_name,
                   payload_type);
  caps = gst_conic_codec_get_rtp_caps (codec, payload_type);
  gst_conic_twcc_add_to_caps (caps, gst_conic_twcc_find_id (media));
  add_transceiver (self, kind, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps);
  return TRUE;
}

/* (transfer full): what an unwanted section can be answered with, and be offered again: its first
 * codec */
static GstCaps *
get_any_caps (const GstSDPMedia *media)
{
  GstCaps *caps = NULL;

  if (gst_sdp_media_formats_len (media) > 0)
    caps = gst_sdp_media_get_caps_from_media (media, atoi (gst_sdp_media_get_format (media, 0)));
  if (caps == NULL)
    return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
                                gst_sdp_media_get_media (media), NULL);
  gst_structure_set_name (gst_caps_get_structure (caps, 0), "application/x-rtp");
  return caps;
}

/* (transfer full) (nullable): what we would have used in a section that can't be used, if anything */
static GPtrArray *
list_missed (GstConicMedia *self, GPtrArray *inputs, const GstSDPMedia *media)
{
  GstWebRTCKind kind = gst_conic_sdp_get_kind (media);

  for (guint i = 0; gst_conic_sdp_receives (media) && i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    GPtrArray *codecs = gst_conic_input_get_codecs (input);

    if (codecs != NULL && gst_conic_input_get_kind (input) == kind)
      return codecs;
    g_clear_pointer (&codecs, g_ptr_array_unref);
  }
  if (!gst_conic_sdp_sends (media) || !receives (self, kind))
    return NULL;
  return gst_conic_codec_list_decodable (kind, gst_conic_media_settings_get_codecs (self->settings,
                                                                                    kind));
}

/* Once, however many sections the two try: each side offers anew what the other hasn't taken. */
static void
tell_missed (GstConicMedia *self, GstWebRTCKind kind, const char *theirs, const char *ours)
{
  if (self->has_told[kind])
    return;
  self->has_told[kind] = TRUE;
  gst_conic_messages_no_codec (GST_ELEMENT (self->bin), self->session, kind, theirs, ours);
}

/* Tells both sides when a section that is wanted can't be used. */
static void
report_missed (GstConicMedia *self, GPtrArray *inputs, const GstSDPMedia *media, guint index)
{
  g_autoptr (GPtrArray) codecs = list_missed (self, inputs, media);
  g_autofree char *ours = NULL;
  g_autofree char *theirs = NULL;

  if (codecs == NULL)
    return;
  ours = gst_conic_codec_name_all (codecs);
  theirs = gst_conic_codec_name_offered (media);
  gst_conic_session_set_codecs (self->session, index, ours);
  tell_missed (self, gst_conic_sdp_get_kind (media), theirs, ours);
}

/* webrtcbin matches its transceivers with the sections of an offer in order, so every section gets
 * one, wanted or not; one in which nothing comes may have something later. */
static void
answer_section (GstConicMedia *self, GPtrArray *inputs, const GstSDPMedia *media, guint index)
{
  GstWebRTCKind kind = gst_conic_sdp_get_kind (media);
  g_autoptr (GstCaps) caps = NULL;

  if (gst_conic_sdp_receives (media) && answer_with_input (self, inputs, media, index))
    return;
  if (receives (self, kind) && answer_to_receive (self, media))
    return;
  report_missed (self, inputs, media, index);
  caps = get_any_caps (media);
  add_transceiver (self, kind, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE, caps);
}

static void
leave_out_used (GstConicMedia *self, GPtrArray *inputs)
{
  for (guint i = 0; i < self->shares->len; i++)
    g_ptr_array_remove (inputs, gst_conic_share_get_input (g_ptr_array_index (self->shares, i)));
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
  self->n_checked = gst_sdp_message_medias_len (offer);
}

/* --- changes --- */

/* (transfer full) (nullable): an input that comes out nowhere in this session yet, but could */
static GstConicInput *
find_new_input (GstConicMedia *self)
{
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);

  for (guint i = 0; i < inputs->len; i++) {
    GstConicInput *input = g_ptr_array_index (inputs, i);
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (input);

    if (codecs != NULL && !has_share (self, input))
      return gst_object_ref (input);
  }
  return NULL;
}

/* (nullable): a share of an input that the element has no more */
static GstConicShare *
find_old_share (GstConicMedia *self)
{
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);

  for (guint i = 0; i < self->shares->len; i++) {
    GstConicShare *share = g_ptr_array_index (self->shares, i);

    if (!g_ptr_array_find (inputs, gst_conic_share_get_input (share), NULL))
      return share;
  }
  return NULL;
}

gboolean
gst_conic_media_is_stale (GstConicMedia *self)
{
  g_autoptr (GstConicInput) input = find_new_input (self);

  return input != NULL || find_old_share (self) != NULL;
}

static void
end_share (GstConicMedia *self, GstConicShare *share)
{
  g_signal_handlers_disconnect_by_data (gst_conic_share_get_pad (share), self);
  gst_conic_share_end (share);
  gst_conic_session_silence (self->session, gst_conic_share_get_section (share));
  g_ptr_array_remove (self->shares, share);
}

void
gst_conic_media_update (GstConicMedia *self)
{
  const GstSDPMessage *ours = gst_conic_session_get_local_description (self->session);
  guint n_sections = gst_sdp_message_medias_len (ours);
  GstConicInput *input;
  GstConicShare *old;

  while ((old = find_old_share (self)) != NULL)
    end_share (self, old);
  while ((input = find_new_input (self)) != NULL) {
    g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (input);
    g_autofree char *pad_name = g_strdup_printf ("sink_%u", n_sections++);

    offer_input (self, input, codecs, pad_name, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY);
    gst_object_unref (input);
  }
}

/* --- the session goes on --- */

/* In an offer, port 0 may just mean that the section goes with another (RFC 9143 section 6). */
static gboolean
is_rejected (const GstSDPMedia *media)
{
  return gst_sdp_media_get_port (media) == 0 &&
         gst_sdp_media_get_attribute_val (media, "bundle-only") == NULL;
}

/* The answer to what was offered says in which codec it is to come. */
static void
settle_share (GstConicMedia *self, GstConicShare *share)
{
  const GstSDPMedia *media =
      gst_conic_share_find_section (share,
                                    gst_conic_session_get_remote_description (self->session));
  g_autoptr (GPtrArray) codecs = gst_conic_input_get_codecs (gst_conic_share_get_input (share));
  const GstConicCodec *codec = NULL;
  g_autoptr (GstCaps) caps = NULL;
  int payload_type;

  if (media != NULL && !is_rejected (media) && gst_conic_sdp_receives (media))
    codec = gst_conic_codec_choose (codecs, media, FALSE, &payload_type);
  if (codec == NULL)
    return;
  caps = gst_conic_codec_get_rtp_caps (codec, payload_type);
  gst_conic_twcc_add_to_caps (caps, gst_conic_twcc_find_id (media));
  gst_conic_share_set_caps (share, caps);
  begin_share (self, share, codec, payload_type, gst_conic_twcc_find_id (media));
}

/* Says which sections that we have offered have found no codec. */
static void
check_answer (GstConicMedia *self)
{
  const GstSDPMessage *answer = gst_conic_session_get_remote_description (self->session);
  const GstSDPMessage *offer = gst_conic_session_get_local_description (self->session);
  /* By now another offer may have come, with more. */
  guint n_sections = MIN (gst_sdp_message_medias_len (answer), gst_sdp_message_medias_len (offer));

  for (; self->n_checked < n_sections; self->n_checked++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (answer, self->n_checked);
    GstWebRTCKind kind = gst_conic_sdp_get_kind (media);
    const char *theirs = gst_conic_sdp_get_codecs (media);
    g_autofree char *ours = NULL;

    /* A peer that rejects a section has no codec for it (RFC 8829 section 5.3.1); one that only wants
     * nothing says “inactive”. */
    if (kind == GST_WEBRTC_KIND_UNKNOWN || (theirs == NULL && !is_rejected (media)))
      continue;
    ours = gst_conic_codec_name_offered (gst_sdp_message_get_media (offer, self->n_checked));
    tell_missed (self, kind, theirs, ours);
  }
}

/* Whether the descriptions of both sides have it that @share goes out. */
static gboolean
is_sent (GstConicMedia *self, GstConicShare *share)
{
  const GstSDPMedia *ours =
      gst_conic_share_find_section (share, gst_conic_session_get_local_description (self->session));
  const GstSDPMedia *theirs =
      gst_conic_share_find_section (share,
                                    gst_conic_session_get_remote_description (self->session));

  return ours != NULL && theirs != NULL && !is_rejected (theirs) && gst_conic_sdp_sends (ours) &&
         gst_conic_sdp_receives (theirs);
}

void
gst_conic_media_open (GstConicMedia *self)
{
  check_answer (self);
  for (guint i = 0; i < self->shares->len; i++) {
    GstConicShare *share = g_ptr_array_index (self->shares, i);

    if (gst_conic_share_get_codec (share) == NULL)
      settle_share (self, share);
    if (gst_conic_share_get_codec (share) != NULL)
      gst_conic_share_set_open (share, is_sent (self, share));
  }
}

guint64
gst_conic_media_get_incoming (GstConicMedia *self)
{
  const GstSDPMessage *theirs = gst_conic_session_get_remote_description (self->session);
  const GstSDPMessage *ours = gst_conic_session_get_local_description (self->session);
  guint n_sections = MIN (gst_sdp_message_medias_len (theirs), gst_sdp_message_medias_len (ours));
  guint64 incoming = 0;

  for (guint i = 0; i < MIN (n_sections, GST_CONIC_SDP_MEDIAS_MAX); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (theirs, i);
    const GstSDPMedia *our_media = gst_sdp_message_get_media (ours, i);

    if (gst_conic_sdp_get_kind (media) != GST_WEBRTC_KIND_UNKNOWN && !is_rejected (media) &&
        gst_conic_sdp_sends (media) && gst_conic_sdp_receives (our_media))
      incoming |= G_GUINT64_CONSTANT (1) << i;
  }
  return incoming;
}

void
gst_conic_media_measure (GstConicMedia *self, GstStructure *measures)
{
  const char *codecs[3] = {"", "", ""};
  guint64 n_frames = 0;

  for (guint i = 0; i < self->shares->len; i++) {
    GstConicShare *share = g_ptr_array_index (self->shares, i);
    GstWebRTCKind kind = gst_conic_input_get_kind (gst_conic_share_get_input (share));

    if (gst_conic_share_get_codec (share) == NULL)
      continue;
    codecs[kind] = gst_conic_share_get_codec (share)->encoding_name;
    if (kind == GST_WEBRTC_KIND_VIDEO)
      n_frames += gst_conic_share_get_n_frames (share);
  }
  gst_structure_set (measures, "audio-codec-out", G_TYPE_STRING, codecs[GST_WEBRTC_KIND_AUDIO],
                     "video-codec-out", G_TYPE_STRING, codecs[GST_WEBRTC_KIND_VIDEO], "frames-out",
                     G_TYPE_UINT64, n_frames, NULL);
}

void
gst_conic_media_release (GstConicMedia *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    GstConicShare *share = g_ptr_array_index (self->shares, i);

    g_signal_handlers_disconnect_by_data (gst_conic_share_get_pad (share), self);
    gst_conic_share_release (share);
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
  self->settings = gst_conic_base_bin_get_media_settings (self->bin);
  self->shares = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_conic_share_free);
  return self;
}

void
gst_conic_media_free (GstConicMedia *self)
{
  g_ptr_array_unref (self->shares);
  g_free (self);
}
