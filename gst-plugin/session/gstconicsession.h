/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsdp.h"
#include "gstconicsessionerror.h"

G_BEGIN_DECLS

#define GST_TYPE_CONIC_SESSION (gst_conic_session_get_type ())
G_DECLARE_FINAL_TYPE (GstConicSession, gst_conic_session, GST, CONIC_SESSION, GObject)

/**
 * GstConicSessionHandlers:
 * @description: (nullable): send this local description to the other side
 * @candidate: send this local candidate (RFC 8839); @mid is %NULL when not known
 * @offered: an offer came, readable by gst_conic_session_get_remote_description(): set up media,
 *   then call gst_conic_session_answer()
 * @stable: the descriptions of both sides are in force, for the first time or anew
 * @connected: the transport is up and the other side's certificate the right one
 * @failed: the session is over; unref it
 *
 * What a session tells its owner, always on the main context it was made with, never from within
 * a call of the owner's.
 */
typedef struct {
  void (*description) (GstConicSession *session,
                       GstWebRTCSDPType type,
                       const char *sdp,
                       gpointer user_data);
  void (*candidate) (GstConicSession *session,
                     guint mline_index,
                     const char *mid,
                     const char *candidate,
                     gpointer user_data);
  void (*offered) (GstConicSession *session, gpointer user_data);
  void (*stable) (GstConicSession *session, gpointer user_data);
  void (*connected) (GstConicSession *session, gpointer user_data);
  void (*failed) (GstConicSession *session, const GError *error, gpointer user_data);
} GstConicSessionHandlers;

/**
 * gst_conic_session_new:
 * @peer_id: who is on the other side
 * @session_id: (nullable): which of the sessions with that peer this is
 * @offerer: whether this side called
 * @context: where all of the session happens
 * @handlers: (transfer none): lives as long as the session
 *
 * A session: one webrtcbin and its negotiation with one peer (RFC 8829). It knows nothing of how
 * descriptions travel, or of what media there is.
 */
GstConicSession *gst_conic_session_new (const char *peer_id,
                                        const char *session_id,
                                        gboolean offerer,
                                        GMainContext *context,
                                        const GstConicSessionHandlers *handlers,
                                        gpointer user_data);

/**
 * gst_conic_session_open:
 * @webrtcbin: to be used for this session alone, and not in PLAYING state before this call
 * @timeout: seconds after which a session that isn't connected fails
 */
void gst_conic_session_open (GstConicSession *self, GstElement *webrtcbin, guint timeout);

/* In a connected session, before its media is changed: says that an offer is about to be made. Returns
 * FALSE while another is under way; the stable handler tells when that is over. */
gboolean gst_conic_session_prepare_offer (GstConicSession *self);

/* Before the answer is made: the offer has none of the codecs that we have for its media section at @index.
 * The answer names ours: the other side can't tell why nothing comes. */
void gst_conic_session_set_codecs (GstConicSession *self, guint index, const char *codecs);

/* Nothing is sent any more in the media section at @index; the next description says so. */
void gst_conic_session_silence (GstConicSession *self, guint index);

/* Makes the offer. Media that takes part has its pads and transceivers by now. */
void gst_conic_session_offer (GstConicSession *self);

/* Sends the offer again, with all its candidates, to a peer that hasn't got it or wouldn't take it;
 * until then the session waits, without a deadline. */
void gst_conic_session_hold (GstConicSession *self);
void gst_conic_session_resend (GstConicSession *self);

/* Makes the answer to the offer that was told by the offered handler. */
void gst_conic_session_answer (GstConicSession *self);

/**
 * gst_conic_session_receive_description:
 * @sdp: text from the other side
 *
 * Returns: %FALSE with an @error that names what is wrong with it; the session goes on as it was
 */
gboolean gst_conic_session_receive_description (GstConicSession *self,
                                                GstWebRTCSDPType type,
                                                const char *sdp,
                                                GError **error);

/* Whether @sdp comes from the same peer connection as the descriptions before: RFC 8829 section
 * 5.2.2 keeps the session id of its o= line. */
gboolean gst_conic_session_is_continued_by (GstConicSession *self, const char *sdp);

/**
 * gst_conic_session_receive_candidate:
 * @mid: (nullable): names the media section, else @mline_index does
 * @mline_index: index of the media section, or -1
 * @candidate: RFC 8839; empty at the end of candidates
 *
 * A candidate that is early is kept until the description that it belongs to.
 */
void gst_conic_session_receive_candidate (GstConicSession *self,
                                          const char *mid,
                                          int mline_index,
                                          const char *candidate);

/* Ends it: no handler is called any more, and webrtcbin is the owner's again. */
void gst_conic_session_close (GstConicSession *self);

const char *gst_conic_session_get_peer_id (GstConicSession *self);
const char *gst_conic_session_get_session_id (GstConicSession *self);

/* (nullable): the other side's latest description; borrowed */
const GstSDPMessage *gst_conic_session_get_remote_description (GstConicSession *self);

/* (nullable): this side's latest description; borrowed */
const GstSDPMessage *gst_conic_session_get_local_description (GstConicSession *self);

/* Whether this side makes an offer, or has made one that is still without an answer. */
gboolean gst_conic_session_has_local_offer (GstConicSession *self);

gboolean gst_conic_session_is_offerer (GstConicSession *self);
gboolean gst_conic_session_is_connected (GstConicSession *self);

/* What a measurement of the owner's says, in seconds: used where RTCP can't tell, as for a side
 * that sends no media. */
void gst_conic_session_set_round_trip_time (GstConicSession *self, double seconds);

/* @measures: (transfer full): what the owner counts itself: fields of the statistics from now on */
void gst_conic_session_set_measures (GstConicSession *self, GstStructure *measures);

/* (transfer full) (nullable): the last `conic-session-stats`, at most a second old */
GstStructure *gst_conic_session_get_stats (GstConicSession *self);

G_END_DECLS
