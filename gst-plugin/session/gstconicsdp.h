/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

/* Media sections in one description. A call has three; every one costs memory in webrtcbin. A set of
 * sections is a guint64, with a bit for each. */
#define GST_CONIC_SDP_MEDIAS_MAX 64

/* Formats of a media section: payload types are of 7 bits. */
#define GST_CONIC_SDP_FORMATS_MAX 128

/* Attributes of a media section, and of the session. A browser with every codec and a few dozen candidates
 * has 400; webrtcbin compares each with each, for every format. */
#define GST_CONIC_SDP_ATTRIBUTES_MAX 1024

/**
 * gst_conic_sdp_parse:
 * @text: a session description from another peer, RFC 8866
 * @before: (nullable): what it has to agree with: the offer that it answers, or the same peer's
 *   description before
 * @error: return location for a #GST_CONIC_SESSION_ERROR
 *
 * Reads a description and makes sure that webrtcbin can take it: every media section has ICE
 * credentials, a fingerprint and a setup role, is in the BUNDLE group if there is one, and stands
 * where it stood in @before (RFC 8829 sections 5.2.2 and 5.8; RFC 9143). webrtcbin asserts much of
 * this. A missing `a=mid` is filled in. Nothing in it is as long as would keep anyone busy.
 *
 * Returns: (transfer full) (nullable): the description, or %NULL with an @error that names what
 *   is missing
 */
GstSDPMessage *gst_conic_sdp_parse (const char *text, const GstSDPMessage *before, GError **error);

/* Whether @candidate is one (RFC 8839 section 5.1) of the component that we use, RTP with RTCP. */
gboolean gst_conic_sdp_is_candidate (const char *candidate);

/**
 * gst_conic_sdp_get_fingerprints:
 *
 * Returns: (transfer full): every `a=fingerprint` value (RFC 8122) of the session and its media
 *   sections, none twice
 */
GStrv gst_conic_sdp_get_fingerprints (const GstSDPMessage *sdp);

/**
 * gst_conic_sdp_matches_certificate:
 * @fingerprints: values of `a=fingerprint`
 * @pem: an X.509 certificate
 *
 * Whether one of @fingerprints is that of @pem, by SHA-256 or stronger (RFC 8122 section 5).
 */
gboolean gst_conic_sdp_matches_certificate (const char *const *fingerprints, const char *pem);

/* What a peer that made this media section does (RFC 8866 section 6.7). */
gboolean gst_conic_sdp_sends (const GstSDPMedia *media);
gboolean gst_conic_sdp_receives (const GstSDPMedia *media);

/* Lets every section of media in @sdp, which is the other side's, go both ways. webrtcbin 1.22 refuses
 * a section that changes its direction; so it is shown none that does. */
void gst_conic_sdp_widen (GstSDPMessage *sdp);

/**
 * gst_conic_sdp_narrow:
 * @sdp: what webrtcbin describes, in sections that were widened
 * @offer: (nullable): what the other side really said, if @sdp is the answer to that
 * @silent: the set of sections in which nothing is sent any more
 *
 * Makes @sdp say what is true (RFC 3264 sections 5.1 and 6.1).
 */
void gst_conic_sdp_narrow (GstSDPMessage *sdp, const GstSDPMessage *offer, guint64 silent);

/* Says in @sdp, an answer, which @codecs this side has for the section at @index, of which the offer had
 * none; and whether another peer said so: (nullable): names that may be shown to people. */
void gst_conic_sdp_set_codecs (GstSDPMessage *sdp, guint index, const char *codecs);
const char *gst_conic_sdp_get_codecs (const GstSDPMedia *media);

/* The kind of a media section; GST_WEBRTC_KIND_UNKNOWN for application and the rest. */
GstWebRTCKind gst_conic_sdp_get_kind (const GstSDPMedia *media);

/* The index of the media section that has @mid, or -1. */
int gst_conic_sdp_find_mid (const GstSDPMessage *sdp, const char *mid);

/* (nullable): the mid of the media section at @index */
const char *gst_conic_sdp_get_mid (const GstSDPMessage *sdp, guint index);

G_END_DECLS
