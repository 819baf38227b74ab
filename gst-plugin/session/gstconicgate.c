/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the gate stands in a webrtcbin:
 *
 *   nicesrc ─► dtlssrtpdec ─╫► rtp_src, rtcp_src, data_src ─► rtpbin, sctpdec
 *   nicesink ◄─ dtlssrtpenc ◄╫─ rtp_sink_%d, rtcp_sink_%d, data_sink ◄─ rtpbin, sctpenc
 *
 * dtlssrtpdec notifies “peer-pem” from within the handshake, before there are keys, so the gate is
 * open or refused before anything could pass it: no buffer of an honest peer is lost to it. */

#include "gstconicgate.h"

#include <gst/rtp/rtp.h>

#include "gstconicsdp.h"

/* Sources (SSRCs) of RTP and RTCP that a session may have in its life: the media of each section, what is sent
 * again of it, and packets for repair. webrtcbin keeps each, with threads of its own, until the end. */
#define SOURCES_MAX (3 * GST_CONIC_SDP_MEDIAS_MAX)

/* Where an RTP packet has its source, RFC 3550 section 5.1. */
#define SSRC_OFFSET 8

typedef enum {
  GATE_CLOSED,
  GATE_OPEN,
  GATE_REFUSED,
} GateState;

struct _GstConicGate {
  GstElement *webrtcbin;
  GMutex lock; /* innermost: nothing is called with it held */
  GateState state;
  GStrv fingerprints;      /* NULL until a description came */
  GPtrArray *certificates; /* PEM of those shown so far */
  GHashTable *sources;     /* set of SSRCs: those let in */
  gboolean is_held;        /* no new ones for a moment */
  int n_packets;           /* atomic: let in */
  gboolean is_left;        /* atomic: nobody wants to know any more */
  const GstConicGateHandlers *handlers;
  gpointer user_data;
  GDestroyNotify destroy;
};

static void
clear_gate (gpointer data)
{
  GstConicGate *gate = data;

  g_strfreev (gate->fingerprints);
  g_ptr_array_unref (gate->certificates);
  g_hash_table_unref (gate->sources);
  g_mutex_clear (&gate->lock);
  gate->destroy (gate->user_data);
}

static void
unref_gate (gpointer data)
{
  g_atomic_rc_box_release_full (data, clear_gate);
}

static void
unref_closure_gate (gpointer data, GClosure *closure)
{
  unref_gate (data);
}

/* A refusal is for good: nobody honest shows a second certificate. */
static void
judge (GstConicGate *gate)
{
  GateState old, now;

  g_mutex_lock (&gate->lock);
  old = gate->state;
  now = old;
  if (gate->fingerprints != NULL && gate->certificates->len > 0 && old != GATE_REFUSED) {
    now = GATE_OPEN;
    for (guint i = 0; i < gate->certificates->len; i++)
      if (!gst_conic_sdp_matches_certificate ((const char *const *) gate->fingerprints,
                                              g_ptr_array_index (gate->certificates, i)))
        now = GATE_REFUSED;
  }
  g_atomic_int_set (&gate->state, now);
  g_mutex_unlock (&gate->lock);

  if (now != old)
    gate->handlers->judged (now == GATE_OPEN, gate->user_data);
}

static void
on_peer_pem (GstElement *dtlssrtpdec, GParamSpec *pspec, GstConicGate *gate)
{
  g_autofree char *pem = NULL;

  g_object_get (dtlssrtpdec, "peer-pem", &pem, NULL);
  if (pem == NULL)
    return;
  g_mutex_lock (&gate->lock);
  g_ptr_array_add (gate->certificates, g_steal_pointer (&pem));
  g_mutex_unlock (&gate->lock);
  judge (gate);
}

/* The nick of the state: the type is the dtls plugin's own. */
static void
on_connection_state (GstElement *dtlssrtpdec, GParamSpec *pspec, GstConicGate *gate)
{
  GValue state = G_VALUE_INIT;
  const GEnumValue *value;

  g_value_init (&state, pspec->value_type);
  g_object_get_property (G_OBJECT (dtlssrtpdec), pspec->name, &state);
  value = g_enum_get_value (G_PARAM_SPEC_ENUM (pspec)->enum_class, g_value_get_enum (&state));
  if (value != NULL && g_str_equal (value->value_nick, "closed") &&
      g_atomic_int_get (&gate->state) == GATE_OPEN && !g_atomic_int_get (&gate->is_left))
    gate->handlers->closed (gate->user_data);
  g_value_unset (&state);
}

static GstPadProbeReturn
on_outgoing (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicGate *gate = user_data;

  return g_atomic_int_get (&gate->state) == GATE_OPEN ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
on_incoming (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstConicGate *gate = user_data;

  if (g_atomic_int_get (&gate->state) != GATE_OPEN)
    return GST_PAD_PROBE_DROP;
  g_atomic_int_inc (&gate->n_packets);
  return GST_PAD_PROBE_OK;
}

static gboolean
admit (GstConicGate *gate, guint32 ssrc)
{
  gboolean known;

  g_mutex_lock (&gate->lock);
  known = g_hash_table_contains (gate->sources, GUINT_TO_POINTER (ssrc));
  if (!known && !gate->is_held && g_hash_table_size (gate->sources) < SOURCES_MAX)
    known = g_hash_table_add (gate->sources, GUINT_TO_POINTER (ssrc));
  g_mutex_unlock (&gate->lock);
  return known;
}

/* One by one, as srtpdec pushes them. */
static GstPadProbeReturn
on_rtp (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *packet = GST_PAD_PROBE_INFO_BUFFER (info);
  guint32 ssrc;

  if (gst_buffer_extract (packet, SSRC_OFFSET, &ssrc, sizeof ssrc) != sizeof ssrc)
    return GST_PAD_PROBE_DROP;
  return admit (user_data, g_ntohl (ssrc)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static gboolean
admit_described (GstConicGate *gate, GstRTCPPacket *packet)
{
  for (gboolean more = gst_rtcp_packet_sdes_first_item (packet); more;
       more = gst_rtcp_packet_sdes_next_item (packet))
    if (!admit (gate, gst_rtcp_packet_sdes_get_ssrc (packet)))
      return FALSE;
  return TRUE;
}

/* Whose @packet is, or whom it names; a BYE is heeded for known sources only. */
static gboolean
admit_sender (GstConicGate *gate, GstRTCPPacket *packet)
{
  guint32 ssrc;

  switch (gst_rtcp_packet_get_type (packet)) {
  case GST_RTCP_TYPE_SR:
    gst_rtcp_packet_sr_get_sender_info (packet, &ssrc, NULL, NULL, NULL, NULL);
    return admit (gate, ssrc);
  case GST_RTCP_TYPE_RR:
    return admit (gate, gst_rtcp_packet_rr_get_ssrc (packet));
  case GST_RTCP_TYPE_APP:
    return admit (gate, gst_rtcp_packet_app_get_ssrc (packet));
  case GST_RTCP_TYPE_RTPFB:
  case GST_RTCP_TYPE_PSFB:
    return admit (gate, gst_rtcp_packet_fb_get_sender_ssrc (packet));
  case GST_RTCP_TYPE_SDES:
    return admit_described (gate, packet);
  default:
    return TRUE;
  }
}

/* A report makes webrtcbin as much for a new source as a packet of media does. */
static GstPadProbeReturn
on_rtcp (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gboolean good = TRUE;

  if (!gst_rtcp_buffer_validate_reduced (buffer) ||
      !gst_rtcp_buffer_map (buffer, GST_MAP_READ, &rtcp))
    return GST_PAD_PROBE_DROP;
  for (gboolean more = gst_rtcp_buffer_get_first_packet (&rtcp, &packet); more && good;
       more = gst_rtcp_packet_move_to_next (&packet))
    good = admit_sender (user_data, &packet);
  gst_rtcp_buffer_unmap (&rtcp);
  return good ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static void
add_probe (GstPad *pad, GstPadProbeCallback callback, GstConicGate *gate)
{
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, callback,
                     g_atomic_rc_box_acquire (gate), unref_gate);
}

/* The pads on the far side of the handshake; the others carry what is encrypted. */
static void
guard_pad (GstPad *pad, gboolean is_dec, GstConicGate *gate)
{
  if (gst_pad_get_direction (pad) != (is_dec ? GST_PAD_SRC : GST_PAD_SINK))
    return;
  add_probe (pad, is_dec ? on_incoming : on_outgoing, gate);
  if (is_dec && g_str_equal (GST_PAD_NAME (pad), "rtp_src"))
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_rtp, g_atomic_rc_box_acquire (gate),
                       unref_gate);
  else if (is_dec && g_str_equal (GST_PAD_NAME (pad), "rtcp_src"))
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_rtcp, g_atomic_rc_box_acquire (gate),
                       unref_gate);
}

static void
on_enc_pad_added (GstElement *element, GstPad *pad, GstConicGate *gate)
{
  guard_pad (pad, FALSE, gate);
}

static void
on_dec_pad_added (GstElement *element, GstPad *pad, GstConicGate *gate)
{
  guard_pad (pad, TRUE, gate);
}

static void
guard_element (GstElement *element, GstConicGate *gate)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const char *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";
  gboolean is_dec = g_str_equal (name, "dtlssrtpdec");
  GCallback on_pad_added = G_CALLBACK (is_dec ? on_dec_pad_added : on_enc_pad_added);

  if (!is_dec && !g_str_equal (name, "dtlssrtpenc"))
    return;

  /* Pads come while the transport is set up, by one thread: none is added between these two. */
  g_signal_connect_data (element, "pad-added", on_pad_added, g_atomic_rc_box_acquire (gate),
                         unref_closure_gate, 0);
  GST_OBJECT_LOCK (element);
  for (GList *l = element->pads; l != NULL; l = l->next)
    guard_pad (l->data, is_dec, gate);
  GST_OBJECT_UNLOCK (element);

  if (is_dec) {
    g_signal_connect_data (element, "notify::peer-pem", G_CALLBACK (on_peer_pem),
                           g_atomic_rc_box_acquire (gate), unref_closure_gate, 0);
    g_signal_connect_data (element, "notify::connection-state", G_CALLBACK (on_connection_state),
                           g_atomic_rc_box_acquire (gate), unref_closure_gate, 0);
    on_peer_pem (element, NULL, gate);
  }
}

static void
on_deep_element_added (GstBin *webrtcbin, GstBin *bin, GstElement *element, GstConicGate *gate)
{
  guard_element (element, gate);
}

static void
guard_existing (const GValue *item, gpointer user_data)
{
  guard_element (g_value_get_object (item), user_data);
}

GstConicGate *
gst_conic_gate_new (GstElement *webrtcbin,
                    const GstConicGateHandlers *handlers,
                    gpointer user_data,
                    GDestroyNotify destroy)
{
  GstConicGate *gate = g_atomic_rc_box_new0 (GstConicGate);
  g_autoptr (GstIterator) elements = gst_bin_iterate_recurse (GST_BIN (webrtcbin));

  gate->webrtcbin = gst_object_ref (webrtcbin);
  g_mutex_init (&gate->lock);
  gate->sources = g_hash_table_new (NULL, NULL);
  gate->certificates = g_ptr_array_new_with_free_func (g_free);
  gate->handlers = handlers;
  gate->user_data = user_data;
  gate->destroy = destroy;

  g_signal_connect_data (webrtcbin, "deep-element-added", G_CALLBACK (on_deep_element_added),
                         g_atomic_rc_box_acquire (gate), unref_closure_gate, 0);
  while (gst_iterator_foreach (elements, guard_existing, gate) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  return gate;
}

void
gst_conic_gate_expect (GstConicGate *gate, const char *const *fingerprints)
{
  g_mutex_lock (&gate->lock);
  g_strfreev (gate->fingerprints);
  gate->fingerprints = g_strdupv ((GStrv) fingerprints);
  g_mutex_unlock (&gate->lock);
  judge (gate);
}

void
gst_conic_gate_hold (GstConicGate *gate, gboolean is_held)
{
  g_mutex_lock (&gate->lock);
  gate->is_held = is_held;
  g_mutex_unlock (&gate->lock);
}

guint
gst_conic_gate_count_packets (GstConicGate *gate)
{
  return (guint) g_atomic_int_get (&gate->n_packets);
}

void
gst_conic_gate_free (GstConicGate *gate)
{
  /* Our own end closes the connection, too. */
  g_atomic_int_set (&gate->is_left, TRUE);
  g_signal_handlers_disconnect_by_data (gate->webrtcbin, gate);
  g_clear_object (&gate->webrtcbin);
  unref_gate (gate);
}
