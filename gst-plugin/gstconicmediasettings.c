/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicmediasettings.h"

#define DEFAULT_LATENCY 200

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

void
gst_conic_media_settings_init (GstConicMediaSettings *self)
{
  *self = (GstConicMediaSettings){
      .latency = DEFAULT_LATENCY,
      .do_lost = TRUE,
      .output = GST_CONIC_OUTPUT_RAW,
  };
}

void
gst_conic_media_settings_copy (const GstConicMediaSettings *self, GstConicMediaSettings *copy)
{
  gst_conic_media_settings_clear (copy);
  *copy = *self;
}

void
gst_conic_media_settings_clear (GstConicMediaSettings *self)
{
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
  default:
    return FALSE;
  }
}
