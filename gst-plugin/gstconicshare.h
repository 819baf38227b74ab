/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicinput.h"

G_BEGIN_DECLS

/**
 * GstConicShare:
 *
 * What one session has of an input: a section of its description, and a branch once it is known in which
 * codec it goes out. All in the endpoint's thread but where it says otherwise.
 */
typedef struct _GstConicShare GstConicShare;

/* (transfer full): @connection: the bin that @webrtcbin is in, and that the branch goes into; both
 * outlive this. @pad_name: webrtcbin's pad to ask for */
GstConicShare *gst_conic_share_new (GstBin *connection,
                                    GstElement *webrtcbin,
                                    GstConicInput *input,
                                    const char *pad_name);
void gst_conic_share_free (GstConicShare *self);

GstConicInput *gst_conic_share_get_input (GstConicShare *self);

/* webrtcbin's; borrowed */
GstPad *gst_conic_share_get_pad (GstConicShare *self);

/* (transfer full) (nullable) */
GstWebRTCRTPTransceiver *gst_conic_share_get_transceiver (GstConicShare *self);

/* The index of the section that it is sent in, G_MAXUINT before it has one. */
guint gst_conic_share_get_section (GstConicShare *self);

/* (nullable): the section of @sdp, which is one side's description, that it is sent in */
const GstSDPMedia *gst_conic_share_find_section (GstConicShare *self, const GstSDPMessage *sdp);

/* Limits the section to @caps, which are changed. */
void gst_conic_share_set_caps (GstConicShare *self, GstCaps *caps);

/* Whether webrtcbin knows what it needs to describe it. */
gboolean gst_conic_share_is_described (GstConicShare *self);

/* Answers with the format of the offer, whatever the stream says of its own. Before it begins. */
void gst_conic_share_hide_format (GstConicShare *self);

/**
 * gst_conic_share_begin:
 * @twcc_id: id of the header extension for transport-wide congestion control, 0 for none
 *
 * Makes the branch. Nothing goes out before gst_conic_share_set_open().
 */
gboolean gst_conic_share_begin (GstConicShare *self,
                                const GstConicCodec *codec,
                                int payload_type,
                                guint twcc_id,
                                GError **error);

/* (nullable): in which codec it has begun */
const GstConicCodec *gst_conic_share_get_codec (GstConicShare *self);

/* How many pictures, or pieces of sound, went out. */
guint gst_conic_share_get_n_frames (GstConicShare *self);

/* Lets it out, or no longer. Only once it has begun. */
void gst_conic_share_set_open (GstConicShare *self, gboolean is_open);

/* Takes the branch away. webrtcbin's pad stays: something may still come in its section. */
void gst_conic_share_end (GstConicShare *self);

/* Gives the input's branch back, so that nothing more comes. From any thread, once. */
void gst_conic_share_release (GstConicShare *self);

G_END_DECLS
