/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   GstConicInput ─► sink_%u ─► GstConicBranch ─► webrtcbin ─► decodebin ─► src_%u ─► the element's
 *                                                    │                                   src pads
 *                                             data channels
 *
 * What a session carries is settled in negotiate(), on the endpoint's thread; webrtcbin and
 * decodebin add pads on theirs. */

#include "gstconicconnection.h"

#include "gstconicbasebin.h"
#include "gstconicbranch.h"
#include "gstconicchannels.h"
#include "gstconicobjects.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_connection_debug);
#define GST_CAT_DEFAULT gst_conic_connection_debug

/* Milliseconds from the connection to the channels of the data pads. webrtcbin 1.22 can lose a channel
 * that is there before the association is; and the answerer lets the offerer go first, so that a label
 * that both have needs one channel only. */
#define OFFERER_DATA_DELAY  50
#define ANSWERER_DATA_DELAY 150

/* Microseconds that usrsctp's timer thread, which ticks every 10 ms, gets to let go of an association
 * that has been closed. */
#define SCTP_CLOSE_TIME (50 * G_TIME_SPAN_MILLISECOND)

/* Milliseconds between two measurements of the round trip. */
#define MEASURE_INTERVAL 1000

typedef struct {
  GstConicInput *input;
  GstPad *input_pad; /* of input */
  GstConicBranch *branch;
  GstPad *webrtc_pad;
} Share;

struct _GstConicConnection {
  GstBin parent_instance;

  GstConicBaseBin *bin; /* borrowed: it outlives this */
  GstConicSession *session;
  GstElement *webrtcbin;
  GstConicChannels *channels;
  GPtrArray *shares; /* Share */
  gboolean described;
  gboolean is_open;
  gboolean has_left;
  GSource *data_timer;
  GSource *measure_timer;

  GMutex lock;         /* guards what follows; no other is taken under it */
  GPtrArray *decoders; /* (element-type GstElement) */
  guint n_pads;
};

G_DEFINE_FINAL_TYPE (GstConicConnection, gst_conic_connection, GST_TYPE_BIN)

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

static gboolean
is_described (GstConicConnection *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    if (!gst_pad_has_current_caps (share->webrtc_pad))
      return FALSE;
  }
  return TRUE;
}

static void
go_on (GstConicConnection *self)
{
  if (self->described || self->has_left || !is_described (self))
    return;
  self->described = TRUE;
  if (gst_conic_session_get_remote_description (self->session) == NULL)
    gst_conic_session_offer (self->session);
  else
    gst_conic_session_answer (self->session);
}

static void
described_in_thread (GstElement *element, gpointer data)
{
  go_on (data);
}

static void
on_notify_caps (GstPad *pad, GParamSpec *pspec, GstConicConnection *self)
{
  gst_conic_base_bin_invoke (self->bin, described_in_thread, gst_object_ref (self),
                             gst_object_unref);
}

/* Gives the session a share of @input on the webrtcbin pad @pad_name. */
static gboolean
add_share (GstConicConnection *self,
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

  gst_bin_add (GST_BIN (self), GST_ELEMENT (branch));
  branch_src = gst_element_get_static_pad (GST_ELEMENT (branch), "src");
  branch_sink = gst_element_get_static_pad (GST_ELEMENT (branch), "sink");
  set_direction (share->webrtc_pad, gst_conic_input_get_kind (input), direction);
  g_signal_connect (share->webrtc_pad, "notify::caps", G_CALLBACK (on_notify_caps), self);
  gst_pad_link (branch_src, share->webrtc_pad);
  gst_element_sync_state_with_parent (GST_ELEMENT (branch));

  ghost = gst_ghost_pad_new (ghost_name, branch_sink);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), ghost);
  gst_pad_link_full (share->input_pad, ghost, GST_PAD_LINK_CHECK_NOTHING);
  gst_conic_input_start_branch (input, share->input_pad);
  return TRUE;
}

/* --- negotiation --- */

static void
add_transceiver (GstConicConnection *self,
                 GstWebRTCKind kind,
                 GstWebRTCRTPTransceiverDirection direction,
                 GstCaps *caps)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (self->webrtcbin, "add-transceiver", direction, caps, &transceiver);
  if (transceiver != NULL)
    set_up_transceiver (transceiver, kind, direction);
}

static void
offer_media (GstConicConnection *self)
{
  static const GstWebRTCKind kinds[] = {GST_WEBRTC_KIND_AUDIO, GST_WEBRTC_KIND_VIDEO};
  gboolean receives = gst_conic_base_bin_receives (self->bin);
  g_autoptr (GPtrArray) inputs = gst_conic_base_bin_get_inputs (self->bin);
  g_auto (GStrv) labels = gst_conic_base_bin_get_data_labels (self->bin);
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
  if (receives || labels[0] != NULL)
    gst_conic_channels_open_control (self->channels);
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
answer_section (GstConicConnection *self, GPtrArray *inputs, const GstSDPMedia *media, guint index)
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
leave_out_used (GstConicConnection *self, GPtrArray *inputs)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    g_ptr_array_remove (inputs, share->input);
  }
}

static void
answer_media (GstConicConnection *self)
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

void
gst_conic_connection_negotiate (GstConicConnection *self)
{
  const GstSDPMessage *theirs = gst_conic_session_get_remote_description (self->session);

  self->described = FALSE;
  if (theirs != NULL)
    answer_media (self);
  else
    offer_media (self);
  go_on (self);
}

/* --- data --- */

static void
open_data (GstConicConnection *self)
{
  g_auto (GStrv) labels = gst_conic_base_bin_get_data_labels (self->bin);

  for (guint i = 0; labels[i] != NULL; i++)
    gst_conic_channels_open (self->channels, labels[i]);
}

static gboolean
on_data_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  g_clear_pointer (&self->data_timer, g_source_unref);
  open_data (self);
  return G_SOURCE_REMOVE;
}

static gboolean
offers_data (const GstSDPMessage *sdp)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++)
    if (g_strcmp0 (gst_sdp_media_get_media (gst_sdp_message_get_media (sdp, i)), "application") ==
        0)
      return TRUE;
  return FALSE;
}

static gboolean
on_measure_timer (gpointer user_data)
{
  GstConicConnection *self = user_data;

  gst_conic_session_set_round_trip_time (self->session,
                                         gst_conic_channels_measure (self->channels));
  return G_SOURCE_CONTINUE;
}

/* (transfer full) */
static GSource *
add_timer (GstConicConnection *self, guint milliseconds, GSourceFunc func)
{
  GSource *timer = g_timeout_source_new (milliseconds);

  g_source_set_static_name (timer, "conic-connection");
  g_source_set_callback (timer, func, self, NULL);
  g_source_attach (timer, g_main_context_get_thread_default ());
  return timer;
}

static void
clear_timer (GSource **timer)
{
  if (*timer != NULL)
    g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

void
gst_conic_connection_open (GstConicConnection *self)
{
  self->is_open = TRUE;
  self->measure_timer = add_timer (self, MEASURE_INTERVAL, on_measure_timer);
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    gst_conic_branch_open (share->branch);
  }
  if (!offers_data (gst_conic_session_get_remote_description (self->session)))
    return;
  self->data_timer = add_timer (self,
                                gst_conic_session_is_offerer (self->session) ? OFFERER_DATA_DELAY
                                                                             : ANSWERER_DATA_DELAY,
                                on_data_timer);
}

void
gst_conic_connection_open_data (GstConicConnection *self, const char *label)
{
  if (self->is_open && self->data_timer == NULL)
    gst_conic_channels_open (self->channels, label);
}

/* --- what comes in --- */

static void
on_decoded_pad (GstElement *decoder, GstPad *pad, GstConicConnection *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autofree char *name = NULL;
  GstWebRTCKind kind = GST_WEBRTC_KIND_VIDEO;
  GstPad *ghost;

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_get_size (caps) > 0 &&
      g_str_has_prefix (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "audio/"))
    kind = GST_WEBRTC_KIND_AUDIO;

  g_mutex_lock (&self->lock);
  name = g_strdup_printf ("src_%u", self->n_pads++);
  g_mutex_unlock (&self->lock);
  ghost = gst_ghost_pad_new (name, pad);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), ghost);
  gst_conic_base_bin_add_output (self->bin, self, kind, ghost);
}

static void
set_boolean (GstElement *element, const char *property, gboolean value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property) != NULL)
    g_object_set (element, property, value, NULL);
}

/* What webrtcbin and decodebin make for themselves, set right. */
static void
on_deep_element_added (GstBin *self, GstBin *bin, GstElement *element, gpointer user_data)
{
  /* A depayloader: without these a lost keyframe shows as smear until the next one. */
  set_boolean (element, "wait-for-keyframe", TRUE);
  set_boolean (element, "request-keyframe", TRUE);
  /* A jitter buffer: what is merely late would be given up for lost, and dropped when it comes. */
  set_boolean (element, "rtx-next-seqnum", FALSE);
}

static GstPadProbeReturn
drop_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_DROP;
}

static void
on_webrtc_pad (GstElement *webrtcbin, GstPad *pad, GstConicConnection *self)
{
  g_autoptr (GstPad) sink = NULL;
  GstElement *decoder;

  if (gst_pad_get_direction (pad) != GST_PAD_SRC)
    return;
  if (!gst_conic_base_bin_receives (self->bin)) {
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop_buffer,
                       NULL, NULL);
    return;
  }
  decoder = gst_element_factory_make ("decodebin", NULL);
  if (decoder == NULL) {
    GST_ELEMENT_WARNING (self->bin, CORE, MISSING_PLUGIN,
                         ("There is no decodebin: install gstreamer1.0-plugins-base"), (NULL));
    return;
  }
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_decoded_pad), self);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->decoders, gst_object_ref_sink (decoder));
  g_mutex_unlock (&self->lock);
  gst_bin_add (GST_BIN (self), decoder);
  gst_element_sync_state_with_parent (decoder);
  sink = gst_element_get_static_pad (decoder, "sink");
  gst_pad_link (pad, sink);
}

void
gst_conic_connection_send_eos (GstConicConnection *self)
{
  g_autoptr (GPtrArray) decoders = NULL;

  g_mutex_lock (&self->lock);
  decoders = gst_conic_objects_copy (self->decoders);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < decoders->len; i++) {
    g_autoptr (GstPad) sink = gst_element_get_static_pad (g_ptr_array_index (decoders, i), "sink");
    g_autoptr (GstPad) peer = gst_pad_get_peer (sink);

    if (peer != NULL)
      gst_pad_unlink (peer, sink);
    gst_pad_send_event (sink, gst_event_new_eos ());
  }
}

/* --- the object --- */

void
gst_conic_connection_leave (GstConicConnection *self)
{
  self->has_left = TRUE;
  clear_timer (&self->data_timer);
  clear_timer (&self->measure_timer);
}

static void
lock_element (const GValue *item, gpointer user_data)
{
  GPtrArray *locked = user_data;
  GstElement *element = g_value_get_object (item);

  gst_element_set_locked_state (element, TRUE);
  if (!g_ptr_array_find (locked, element, NULL))
    g_ptr_array_add (locked, gst_object_ref (element));
}

/* GStreamer 1.22 frees an association as soon as it has closed it, while usrsctp's timer thread may
 * still be about to send something for it. sctpdec closes it; what holds on to it a little longer is
 * sctpenc. */
static void
set_to_null (GstConicConnection *self)
{
  g_autoptr (GPtrArray) encoders = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GstIterator) found =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (self), "sctpenc");

  while (gst_iterator_foreach (found, lock_element, encoders) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (found);
  gst_element_set_state (GST_ELEMENT (self), GST_STATE_NULL);
  if (encoders->len > 0)
    g_usleep (SCTP_CLOSE_TIME);
  for (guint i = 0; i < encoders->len; i++)
    gst_element_set_state (g_ptr_array_index (encoders, i), GST_STATE_NULL);
}

void
gst_conic_connection_close (GstConicConnection *self)
{
  for (guint i = 0; i < self->shares->len; i++) {
    Share *share = g_ptr_array_index (self->shares, i);

    g_signal_handlers_disconnect_by_data (share->webrtc_pad, self);
    gst_conic_input_release_branch (share->input, share->input_pad);
  }
  /* Locked, or an element that changes its own state now would take this one along again. */
  gst_element_set_locked_state (GST_ELEMENT (self), TRUE);
  set_to_null (self);
  /* Nothing of webrtcbin's runs any more. */
  g_clear_pointer (&self->channels, gst_conic_channels_free);
  g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
  g_ptr_array_set_size (self->shares, 0);
  self->webrtcbin = NULL;
}

/* A session that breaks is the session's end, not the pipeline's. */
static void
gst_conic_connection_handle_message (GstBin *bin, GstMessage *message)
{
  GstConicConnection *self = GST_CONIC_CONNECTION (bin);

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    gst_conic_base_bin_connection_failed (self->bin, self, message);
    gst_message_unref (message);
    return;
  case GST_MESSAGE_EOS:
    gst_message_unref (message);
    return;
  default:
    GST_BIN_CLASS (gst_conic_connection_parent_class)->handle_message (bin, message);
    return;
  }
}

static void
gst_conic_connection_finalize (GObject *object)
{
  GstConicConnection *self = GST_CONIC_CONNECTION (object);

  g_clear_pointer (&self->channels, gst_conic_channels_free);
  g_clear_object (&self->session);
  g_ptr_array_unref (self->shares);
  g_ptr_array_unref (self->decoders);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_conic_connection_parent_class)->finalize (object);
}

static void
gst_conic_connection_class_init (GstConicConnectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_connection_finalize;
  GST_BIN_CLASS (klass)->handle_message = gst_conic_connection_handle_message;

  GST_DEBUG_CATEGORY_INIT (gst_conic_connection_debug, "conicconnection", 0, "Conic connection");
}

static void
gst_conic_connection_init (GstConicConnection *self)
{
  g_mutex_init (&self->lock);
  self->shares = g_ptr_array_new_with_free_func ((GDestroyNotify) share_free);
  self->decoders = g_ptr_array_new_with_free_func (gst_object_unref);
}

GstConicConnection *
gst_conic_connection_new (GstElement *element, GstConicSession *session)
{
  GstConicConnection *self = g_object_new (GST_TYPE_CONIC_CONNECTION, NULL);
  GstElement *webrtcbin = gst_element_factory_make ("webrtcbin", NULL);

  self->bin = GST_CONIC_BASE_BIN (element);
  self->session = g_object_ref (session);
  if (webrtcbin == NULL)
    return self;
  self->webrtcbin = webrtcbin;
  gst_util_set_object_arg (G_OBJECT (webrtcbin), "bundle-policy", "max-bundle");
  g_signal_connect (self, "deep-element-added", G_CALLBACK (on_deep_element_added), NULL);
  g_signal_connect (webrtcbin, "pad-added", G_CALLBACK (on_webrtc_pad), self);
  gst_bin_add (GST_BIN (self), webrtcbin);
  self->channels = gst_conic_channels_new (element, webrtcbin);
  return self;
}

GstConicSession *
gst_conic_connection_get_session (GstConicConnection *self)
{
  return self->session;
}

GstElement *
gst_conic_connection_get_webrtcbin (GstConicConnection *self)
{
  return self->webrtcbin;
}
