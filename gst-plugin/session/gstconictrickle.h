/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicevents.h"

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* In the session's context: a candidate of this side's is to go to the other. */
typedef void (*GstConicTrickleFunc) (GstConicSession *session, guint mline_index, const char *text);

/**
 * GstConicTrickle:
 *
 * The ICE candidates of one session, each of which is told as it is found (RFC 8838): no candidate goes
 * out before the first description of this side, and none that comes is used before the one of the
 * other side. All in the session's context.
 */
typedef struct {
  GstConicEvents *events; /* borrowed */
  GstConicTrickleFunc send;
  GstElement *webrtcbin;   /* (nullable) */
  gulong handler;          /* of a signal of its */
  GQueue local;            /* GstConicCandidate: all that were gathered */
  GQueue remote;           /* GstConicCandidate: came before the description did */
  gboolean local_sent;     /* a description of this side is out */
  gboolean remote_applied; /* a description of the other side is in force */
} GstConicTrickle;

/* (transfer none): the candidates of @session */
GstConicTrickle *gst_conic_session_get_trickle (GstConicSession *session);

void
gst_conic_trickle_init (GstConicTrickle *self, GstConicEvents *events, GstConicTrickleFunc send);
void gst_conic_trickle_clear (GstConicTrickle *self);

void gst_conic_trickle_open (GstConicTrickle *self, GstElement *webrtcbin);
void gst_conic_trickle_close (GstConicTrickle *self);

/* A description is out: from the first one on candidates follow, those that wait at once. */
void gst_conic_trickle_start (GstConicTrickle *self);

/* The other side hasn't got what was sent: sends all candidates again. */
void gst_conic_trickle_resend (GstConicTrickle *self);

/**
 * gst_conic_trickle_receive:
 * @remote: (nullable): the other side's description, if it has come
 * @mid: (nullable): names the media section, else @mline_index does
 * @mline_index: index of the media section, or -1
 * @text: RFC 8839; empty at the end of candidates
 *
 * Takes a candidate of the other side's. One that is of no use is left out.
 */
void gst_conic_trickle_receive (GstConicTrickle *self,
                                const GstSDPMessage *remote,
                                const char *mid,
                                int mline_index,
                                const char *text);

/* The description @remote is in force: uses the candidates that came before it. */
void gst_conic_trickle_apply (GstConicTrickle *self, const GstSDPMessage *remote);

G_END_DECLS
