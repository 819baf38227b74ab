/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsdp.h"

G_BEGIN_DECLS

/**
 * GstConicCodec:
 *
 * How one codec is made, carried and read: a row of the table in gstconiccodec.c.
 */
typedef struct {
  GstWebRTCKind kind;
  const char *encoding_name; /* of RTP, RFC 8866 section 6.6 */
  int clock_rate;
  int payload_type;        /* which we offer */
  const char *caps;        /* of the encoded stream */
  const char *encoder;     /* factory (nullable): passed through only */
  const char *settings;    /* of the encoder, for real time: "property=value …" (nullable) */
  const char *parser;      /* factory (nullable) */
  const char *parser_caps; /* what it has to make (nullable) */
  const char *payloader;
  const char *payloader_settings; /* (nullable) */
} GstConicCodec;

/* (nullable): the codec of an encoded stream with @caps */
const GstConicCodec *gst_conic_codec_find_by_caps (const GstCaps *caps);

/* The codec that raw media of @kind is encoded with. */
const GstConicCodec *gst_conic_codec_get_default (GstWebRTCKind kind);

/* (transfer full): raw media that can be encoded, then what passes through, of @kind */
GstCaps *gst_conic_codec_get_input_caps (GstWebRTCKind kind);

/* (transfer full): what a source pad for @kind may give, decoded, encoded or as RTP */
GstCaps *gst_conic_codec_get_output_caps (GstWebRTCKind kind);

/* (transfer full): `application/x-rtp` of the codecs of @kind that can be decoded here */
GstCaps *gst_conic_codec_get_receive_caps (GstWebRTCKind kind);

/* (transfer full): `application/x-rtp` of @codec as @payload_type */
GstCaps *gst_conic_codec_get_rtp_caps (const GstConicCodec *codec, int payload_type);

/**
 * gst_conic_codec_find_payload_type:
 *
 * Returns: the payload type that @media, of another peer, gives to @codec, or -1
 */
int gst_conic_codec_find_payload_type (const GstConicCodec *codec, const GstSDPMedia *media);

/* (transfer full): the first codec in @media that can be decoded here; empty when there is none */
GstCaps *gst_conic_codec_choose (const GstSDPMedia *media);

/* (transfer floating) (nullable): an element of @factory with @settings */
GstElement *gst_conic_codec_make (const char *factory, const char *settings, GError **error);

G_END_DECLS
