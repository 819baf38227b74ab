/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicmediasettings.h"

#define DEFAULT_LATENCY 200
#define DEFAULT_RECEIVE (GST_CONIC_MEDIA_KINDS_AUDIO | GST_CONIC_MEDIA_KINDS_VIDEO)

/* bit/s: 640×480 at 30 frames a second looks well, and a home's upstream has room for several. */
#define DEFAULT_BITRATE       2000000
#define DEFAULT_AUDIO_BITRATE 96000

GType
gst_conic_output_mode_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_CONIC_OUTPUT_RAW, "Decoded pictures and samples", "raw"},
      {GST_CONIC_OUTPUT_ENCODED, "The encoded stream, parsed", "encoded"},
      {GST_CONIC_OUTPUT_RTP, "RTP packets, in order", "rtp"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstConicOutputMode", values));
  return type;
}

GType
gst_conic_media_kinds_get_type (void)
{
  static const GFlagsValue values[] = {
      {GST_CONIC_MEDIA_KINDS_AUDIO, "Sound", "audio"},
      {GST_CONIC_MEDIA_KINDS_VIDEO, "Pictures", "video"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_flags_register_static ("GstConicMediaKinds", values));
  return type;
}

void
gst_conic_media_settings_init (GstConicMediaSettings *self)
{
  *self = (GstConicMediaSettings){
      .latency = DEFAULT_LATENCY,
      .do_lost = TRUE,
      .output = GST_CONIC_OUTPUT_RAW,
      .receive = DEFAULT_RECEIVE,
      .bitrate = DEFAULT_BITRATE,
      .audio_bitrate = DEFAULT_AUDIO_BITRATE,
      .do_nack = TRUE,
  };
}

void
gst_conic_media_settings_copy (const GstConicMediaSettings *self, GstConicMediaSettings *copy)
{
  gst_conic_media_settings_clear (copy);
  *copy = *self;
  copy->video_codecs = g_strdupv (self->video_codecs);
  copy->audio_codecs = g_strdupv (self->audio_codecs);
}

void
gst_conic_media_settings_clear (GstConicMediaSettings *self)
{
  g_clear_pointer (&self->video_codecs, g_strfreev);
  g_clear_pointer (&self->audio_codecs, g_strfreev);
}

const char *const *
gst_conic_media_settings_get_codecs (const GstConicMediaSettings *self, GstWebRTCKind kind)
{
  return (const char *const *) (kind == GST_WEBRTC_KIND_VIDEO ? self->video_codecs
                                                              : self->audio_codecs);
}

gboolean
gst_conic_media_settings_receives (const GstConicMediaSettings *self, GstWebRTCKind kind)
{
  return (self->receive & (kind == GST_WEBRTC_KIND_VIDEO ? GST_CONIC_MEDIA_KINDS_VIDEO
                                                         : GST_CONIC_MEDIA_KINDS_AUDIO)) != 0;
}

void
gst_conic_media_settings_install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (
      klass, GST_CONIC_PROP_VIDEO_CODECS,
      gst_param_spec_array (
          "video-codecs", "Video codecs",
          "What video is sent and taken in, the most wanted first, of <VP8, H264, "
          "VP9, AV1> (empty: all that there are encoders or decoders for)",
          g_param_spec_string ("codec", "Codec", "A codec", NULL, flags), flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_AUDIO_CODECS,
      gst_param_spec_array (
          "audio-codecs", "Audio codecs",
          "What audio is sent and taken in, the most wanted first, of <OPUS, PCMU, "
          "PCMA> (empty: all that there are encoders or decoders for)",
          g_param_spec_string ("codec", "Codec", "A codec", NULL, flags), flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_DO_NACK,
      g_param_spec_boolean ("do-nack", "Send again what is lost",
                            "Ask for lost packets of video to be sent again, and send them again "
                            "(RFC 4588)",
                            TRUE, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_FEC_PERCENTAGE,
      g_param_spec_uint (
          "fec-percentage", "FEC percentage",
          "Packets for repair (RFC 5109) that are sent with video, in percent of its "
          "own; and whether the other side's are used (0: no)",
          0, 100, 0, flags));
}

void
gst_conic_media_settings_install_send_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (
      klass, GST_CONIC_PROP_BITRATE,
      g_param_spec_uint ("bitrate", "Bit rate",
                         "Bits per second that raw video is encoded to, each pad's; may change at "
                         "any time",
                         1000, G_MAXINT, DEFAULT_BITRATE, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_AUDIO_BITRATE,
      g_param_spec_uint ("audio-bitrate", "Audio bit rate",
                         "Bits per second that raw audio is encoded to, each pad's; may change at "
                         "any time",
                         4000, 650000, DEFAULT_AUDIO_BITRATE, flags));
}

void
gst_conic_media_settings_install_receive_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (
      klass, GST_CONIC_PROP_LATENCY,
      g_param_spec_uint ("latency", "Latency",
                         "Milliseconds that what is received is held back, so that late and lost "
                         "packets can still come",
                         0, 10000, DEFAULT_LATENCY, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_DO_LOST,
      g_param_spec_boolean ("do-lost", "Tell of lost packets",
                            "Tell decoders of packets that are lost for good, so that they conceal "
                            "the gap",
                            TRUE, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_OUTPUT,
      g_param_spec_enum ("output", "Output",
                         "In what form received media comes out: decoded, encoded, or in its RTP "
                         "packets",
                         GST_TYPE_CONIC_OUTPUT_MODE, GST_CONIC_OUTPUT_RAW, flags));
  gst_type_mark_as_plugin_api (GST_TYPE_CONIC_OUTPUT_MODE, (GstPluginAPIFlags) 0);
  g_object_class_install_property (
      klass, GST_CONIC_PROP_RECEIVE,
      g_param_spec_flags ("receive", "Receive",
                          "Which media is taken; the other side is told not to send the rest",
                          GST_TYPE_CONIC_MEDIA_KINDS, DEFAULT_RECEIVE, flags));
  gst_type_mark_as_plugin_api (GST_TYPE_CONIC_MEDIA_KINDS, (GstPluginAPIFlags) 0);
}

gboolean
gst_conic_media_settings_set (GstConicMediaSettings *self, guint id, const GValue *value)
{
  switch (id) {
  case GST_CONIC_PROP_LATENCY:
    self->latency = g_value_get_uint (value);
    return TRUE;
  case GST_CONIC_PROP_DO_LOST:
    self->do_lost = g_value_get_boolean (value);
    return TRUE;
  case GST_CONIC_PROP_OUTPUT:
    self->output = (GstConicOutputMode) g_value_get_enum (value);
    return TRUE;
  case GST_CONIC_PROP_RECEIVE:
    self->receive = (GstConicMediaKinds) g_value_get_flags (value);
    return TRUE;
  case GST_CONIC_PROP_BITRATE:
    self->bitrate = g_value_get_uint (value);
    return TRUE;
  case GST_CONIC_PROP_AUDIO_BITRATE:
    self->audio_bitrate = g_value_get_uint (value);
    return TRUE;
  case GST_CONIC_PROP_VIDEO_CODECS:
    gst_conic_settings_take_strings (&self->video_codecs, value);
    return TRUE;
  case GST_CONIC_PROP_AUDIO_CODECS:
    gst_conic_settings_take_strings (&self->audio_codecs, value);
    return TRUE;
  case GST_CONIC_PROP_DO_NACK:
    self->do_nack = g_value_get_boolean (value);
    return TRUE;
  case GST_CONIC_PROP_FEC_PERCENTAGE:
    self->fec_percentage = g_value_get_uint (value);
    return TRUE;
  default:
    return FALSE;
  }
}

gboolean
gst_conic_media_settings_get (const GstConicMediaSettings *self, guint id, GValue *value)
{
  switch (id) {
  case GST_CONIC_PROP_LATENCY:
    g_value_set_uint (value, self->latency);
    return TRUE;
  case GST_CONIC_PROP_DO_LOST:
    g_value_set_boolean (value, self->do_lost);
    return TRUE;
  case GST_CONIC_PROP_OUTPUT:
    g_value_set_enum (value, (int) self->output);
    return TRUE;
  case GST_CONIC_PROP_RECEIVE:
    g_value_set_flags (value, self->receive);
    return TRUE;
  case GST_CONIC_PROP_BITRATE:
    g_value_set_uint (value, self->bitrate);
    return TRUE;
  case GST_CONIC_PROP_AUDIO_BITRATE:
    g_value_set_uint (value, self->audio_bitrate);
    return TRUE;
  case GST_CONIC_PROP_VIDEO_CODECS:
    gst_conic_settings_give_strings (self->video_codecs, value);
    return TRUE;
  case GST_CONIC_PROP_AUDIO_CODECS:
    gst_conic_settings_give_strings (self->audio_codecs, value);
    return TRUE;
  case GST_CONIC_PROP_DO_NACK:
    g_value_set_boolean (value, self->do_nack);
    return TRUE;
  case GST_CONIC_PROP_FEC_PERCENTAGE:
    g_value_set_uint (value, self->fec_percentage);
    return TRUE;
  default:
    return FALSE;
  }
}
