/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstConicGate:
 *
 * Lets nothing through a webrtcbin, in or out, until the certificate that the other side shows in
 * the DTLS handshake is the one whose fingerprint stands in its session description (RFC 8827
 * section 6.5). webrtcbin doesn't check that itself before GStreamer 1.28.5.
 */
typedef struct _GstConicGate GstConicGate;

/**
 * GstConicGateHandlers:
 * @judged: called once: whether the certificate was the right one; in the thread that runs the DTLS
 *   handshake, or in that of gst_conic_gate_expect()
 * @closed: the other side has ended the DTLS connection (close_notify); in a streaming thread
 */
typedef struct {
  void (*judged) (gboolean verified, gpointer user_data);
  void (*closed) (gpointer user_data);
} GstConicGateHandlers;

/**
 * gst_conic_gate_new:
 * @webrtcbin: the element to guard; the gate lives until gst_conic_gate_free()
 * @handlers: (transfer none): lives as long as the gate
 * @user_data: for @handlers, as long as @webrtcbin may handshake: @destroy tells when that is over
 *
 * Returns: (transfer full): a closed gate
 */
GstConicGate *gst_conic_gate_new (GstElement *webrtcbin,
                                  const GstConicGateHandlers *handlers,
                                  gpointer user_data,
                                  GDestroyNotify destroy);

/**
 * gst_conic_gate_expect:
 * @fingerprints: the `a=fingerprint` values of the other side's description
 *
 * Says which certificates are right; again when a new description replaces the old one.
 */
void gst_conic_gate_expect (GstConicGate *gate, const char *const *fingerprints);

/* Whether packets of sources that haven't been heard of yet are dropped: while webrtcbin 1.22 knows the media
 * sections of an offer and not yet which transceivers they are, it has a warning for each new source. */
void gst_conic_gate_hold (GstConicGate *gate, gboolean is_held);

/* How many packets have come in so far, modulo 2³². Nobody but the peer can have sent them: they have
 * been decrypted. */
guint gst_conic_gate_count_packets (GstConicGate *gate);

/* Leaves the webrtcbin alone. What the gate has not let through it never will. */
void gst_conic_gate_free (GstConicGate *gate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstConicGate, gst_conic_gate_free)

G_END_DECLS
