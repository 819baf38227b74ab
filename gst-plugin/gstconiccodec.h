/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsdp.h"

G_BEGIN_DECLS

/**
 * GstConicCodec:
 *
 * How one codec is carried and read: a row of the table in gstconiccodec.c.
 */
typedef struct {
  GstWebRTCKind kind;
  const char *encoding_name; /* of RTP, RFC 8866 section 6.6 */
  int clock_rate;
  int payload_type;        /* which we offer */
  int rtx_payload_type;    /* the same for what is sent again, 0 for none */
  const char *format;      /* what we offer besides: fields of caps (nullable) */
  const char *caps;        /* of the encoded stream */
  const char *parser;      /* factory (nullable) */
  const char *parser_caps; /* what it has to make (nullable) */
  const char *payloader;
  const char *payloader_settings; /* (nullable) */
  const char *depayloader;
} GstConicCodec;

/* (nullable): the codec of an encoded stream with @caps */
const GstConicCodec *gst_conic_codec_find_by_caps (const GstCaps *caps);

/**
 * gst_conic_codec_list_encodable:
 * @names: (nullable): names of codecs, the most wanted first; %NULL or empty for all
 *
 * Returns: (transfer full) (element-type GstConicCodec): the codecs of @kind that raw media can be
 *   encoded with and sent in here, in that order
 */
GPtrArray *gst_conic_codec_list_encodable (GstWebRTCKind kind, const char *const *names);

/* (transfer full) (element-type GstConicCodec): likewise those that can be received and decoded */
GPtrArray *gst_conic_codec_list_decodable (GstWebRTCKind kind, const char *const *names);

/* (nullable): the codec of @kind called @name, such as “H264” */
const GstConicCodec *gst_conic_codec_find_by_name (GstWebRTCKind kind, const char *name);

/* (transfer full): raw media that can be encoded, then what passes through, of @kind */
GstCaps *gst_conic_codec_get_input_caps (GstWebRTCKind kind);

/* (transfer full): what a source pad for @kind may give, decoded, encoded or as RTP */
GstCaps *gst_conic_codec_get_output_caps (GstWebRTCKind kind);

/* (transfer full): `application/x-rtp` of @codec as @payload_type */
GstCaps *gst_conic_codec_get_rtp_caps (const GstConicCodec *codec, int payload_type);

/* (transfer full): `application/x-rtp` of @codecs as we offer them, @with_rtx if their lost packets can be
 * sent again (RFC 4588) */
GstCaps *gst_conic_codec_get_offer_caps (GPtrArray *codecs, gboolean with_rtx);

/**
 * gst_conic_codec_find_payload_type:
 *
 * Returns: the payload type that @media, of another peer, gives to @codec, or -1
 */
int gst_conic_codec_find_payload_type (const GstConicCodec *codec, const GstSDPMedia *media);

/**
 * gst_conic_codec_choose:
 * @codecs: (element-type GstConicCodec): those that would do
 * @by_peer: whether the order of @media counts, rather than that of @codecs
 * @payload_type: (out): what @media gives to the one that is chosen
 *
 * Returns: (nullable): the first of @codecs that is in @media
 */
const GstConicCodec *gst_conic_codec_choose (GPtrArray *codecs,
                                             const GstSDPMedia *media,
                                             gboolean by_peer,
                                             int *payload_type);

/* (transfer full): the names of those in @list for people, such as “VP8, VP9” */
char *gst_conic_codec_name_all (GPtrArray *list);

/* (transfer full): likewise those in @media, of either side, but for what only repairs others */
char *gst_conic_codec_name_offered (const GstSDPMedia *media);

/* (transfer floating) (nullable): an element of @factory with @settings: "property=value …" */
GstElement *gst_conic_codec_make (const char *factory, const char *settings, GError **error);

G_END_DECLS
