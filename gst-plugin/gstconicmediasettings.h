/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccodec.h"
#include "gstconicsettings.h"

G_BEGIN_DECLS

/**
 * GstConicOutputMode:
 * @GST_CONIC_OUTPUT_RAW: decoded pictures and samples
 * @GST_CONIC_OUTPUT_ENCODED: the encoded stream, out of its packets and parsed
 * @GST_CONIC_OUTPUT_RTP: RTP packets, in order
 *
 * In what form an element gives out the media that it receives.
 */
typedef enum {
  GST_CONIC_OUTPUT_RAW,
  GST_CONIC_OUTPUT_ENCODED,
  GST_CONIC_OUTPUT_RTP,
} GstConicOutputMode;

#define GST_TYPE_CONIC_OUTPUT_MODE (gst_conic_output_mode_get_type ())
GType gst_conic_output_mode_get_type (void);

/**
 * GstConicMediaKinds:
 * @GST_CONIC_MEDIA_KINDS_AUDIO: sound
 * @GST_CONIC_MEDIA_KINDS_VIDEO: pictures
 *
 * Which kinds of media an element takes.
 */
typedef enum {
  GST_CONIC_MEDIA_KINDS_AUDIO = 1 << 0,
  GST_CONIC_MEDIA_KINDS_VIDEO = 1 << 1,
} GstConicMediaKinds;

#define GST_TYPE_CONIC_MEDIA_KINDS (gst_conic_media_kinds_get_type ())
GType gst_conic_media_kinds_get_type (void);

/* Property ids that follow those of GstConicSettings. */
typedef enum {
  GST_CONIC_PROP_LATENCY = GST_CONIC_PROP_LAST,
  GST_CONIC_PROP_DO_LOST,
  GST_CONIC_PROP_OUTPUT,
  GST_CONIC_PROP_RECEIVE,
  GST_CONIC_PROP_BITRATE,
  GST_CONIC_PROP_AUDIO_BITRATE,
  GST_CONIC_PROP_VIDEO_CODECS,
  GST_CONIC_PROP_AUDIO_CODECS,
  GST_CONIC_PROP_DO_NACK,
  GST_CONIC_PROP_FEC_PERCENTAGE,
} GstConicMediaProp;

/**
 * GstConicMediaSettings:
 *
 * The values of the properties of those elements that have media pads.
 */
typedef struct {
  /* what is received */
  guint latency; /* milliseconds */
  gboolean do_lost;
  GstConicOutputMode output;
  GstConicMediaKinds receive;

  /* what is sent */
  guint bitrate; /* bit/s */
  guint audio_bitrate;

  /* either */
  GStrv video_codecs; /* (nullable): NULL for all */
  GStrv audio_codecs;
  gboolean do_nack;
  guint fec_percentage;
} GstConicMediaSettings;

void gst_conic_media_settings_init (GstConicMediaSettings *self);
void gst_conic_media_settings_copy (const GstConicMediaSettings *self, GstConicMediaSettings *copy);
void gst_conic_media_settings_clear (GstConicMediaSettings *self);

/* For the class_init of elements with media pads, of those that receive, and of those that send. */
void gst_conic_media_settings_install_properties (GObjectClass *element_class);
void gst_conic_media_settings_install_receive_properties (GObjectClass *element_class);
void gst_conic_media_settings_install_send_properties (GObjectClass *element_class);

/* (nullable): the names of the codecs of @kind, the most wanted first; %NULL for all */
const char *const *gst_conic_media_settings_get_codecs (const GstConicMediaSettings *self,
                                                        GstWebRTCKind kind);

/* Whether media of @kind that another side sends is wanted. */
gboolean gst_conic_media_settings_receives (const GstConicMediaSettings *self, GstWebRTCKind kind);

/* FALSE if @id isn't one of the settings. The caller holds a lock. */
gboolean gst_conic_media_settings_set (GstConicMediaSettings *self, guint id, const GValue *value);
gboolean gst_conic_media_settings_get (const GstConicMediaSettings *self, guint id, GValue *value);

G_END_DECLS
