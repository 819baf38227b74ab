/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* Transport-wide congestion control: its RTP header extension (RFC 8285), of which webrtcbin 1.22 neither
 * speaks in its offers nor in its answers. */

/* The id that we offer it with. */
#define GST_CONIC_TWCC_ID 1

/* Adds it to `application/x-rtp` @caps as @id, if that isn't 0. */
void gst_conic_twcc_add_to_caps (GstCaps *caps, guint id);

/* The id that @media gives to it, 0 if it has none. */
guint gst_conic_twcc_find_id (const GstSDPMedia *media);

/* Lets @payloader number its packets for the feedback. */
void gst_conic_twcc_add_to_payloader (GstElement *payloader, guint id);

G_END_DECLS
