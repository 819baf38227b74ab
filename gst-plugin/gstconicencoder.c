/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The encoders and how each is tuned for real time: the one place to add another. */

#include "gstconicencoder.h"

typedef struct {
  const char *encoding_name;
  const char *factory;
  const char *settings;         /* no look-ahead, a steady rate, keyframes mostly on request */
  const char *input_caps;       /* (nullable): of the pictures that it and all decoders can take */
  const char *bitrate_property; /* guint or int */
  guint bitrate_unit;           /* bit/s */
} Encoder;

/* Of one codec, the first that is there is taken. */
static const Encoder encoders[] = {
    {
        .encoding_name = "VP8",
        .factory = "vp8enc",
        .settings = "deadline=1 cpu-used=8 threads=2 lag-in-frames=0 end-usage=cbr "
                    "keyframe-max-dist=300",
        .bitrate_property = "target-bitrate",
        .bitrate_unit = 1,
    },
    {
        .encoding_name = "H264",
        .factory = "x264enc",
        .settings = "tune=zerolatency speed-preset=ultrafast key-int-max=300 "
                    "option-string=sync-lookahead=0:sliced-threads=1",
        /* It would encode what comes from a screen in High 4:4:4, and pictures of odd sizes not at all. */
        .input_caps = "video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2]",
        .bitrate_property = "bitrate",
        .bitrate_unit = 1000,
    },
    {
        .encoding_name = "H264",
        .factory = "openh264enc",
        .settings = "usage-type=camera complexity=low rate-control=bitrate gop-size=300 "
                    "multi-thread=2 enable-frame-skip=false",
        .bitrate_property = "bitrate",
        .bitrate_unit = 1,
    },
    {
        .encoding_name = "VP9",
        .factory = "vp9enc",
        .settings = "deadline=1 cpu-used=8 threads=2 row-mt=true tile-columns=1 lag-in-frames=0 "
                    "end-usage=cbr keyframe-max-dist=300",
        .bitrate_property = "target-bitrate",
        .bitrate_unit = 1,
    },
    {
        .encoding_name = "AV1",
        .factory = "av1enc",
        .settings = "usage-profile=realtime cpu-used=10 threads=2 row-mt=true lag-in-frames=0 "
                    "end-usage=cbr keyframe-max-dist=300",
        .bitrate_property = "target-bitrate",
        .bitrate_unit = 1000,
    },
    {
        .encoding_name = "OPUS",
        .factory = "opusenc",
        .settings = "frame-size=20",
        .bitrate_property = "bitrate",
        .bitrate_unit = 1,
    },
};

/* (nullable) */
static const Encoder *
find_encoder (const GstConicCodec *codec)
{
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autoptr (GstElementFactory) factory = NULL;

    if (!g_str_equal (encoders[i].encoding_name, codec->encoding_name))
      continue;
    factory = gst_element_factory_find (encoders[i].factory);
    if (factory != NULL)
      return &encoders[i];
  }
  return NULL;
}

gboolean
gst_conic_encoder_exists (const GstConicCodec *codec)
{
  return find_encoder (codec) != NULL;
}

const char *
gst_conic_encoder_get_input_caps (const GstConicCodec *codec)
{
  const Encoder *encoder = find_encoder (codec);

  return encoder != NULL ? encoder->input_caps : NULL;
}

GstElement *
gst_conic_encoder_make (const GstConicCodec *codec, guint bitrate, GError **error)
{
  const Encoder *encoder = find_encoder (codec);
  GstElement *element;

  if (encoder == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, "There is no encoder for %s",
                 codec->encoding_name);
    return NULL;
  }
  element = gst_conic_codec_make (encoder->factory, encoder->settings, error);
  if (element != NULL && bitrate > 0)
    gst_conic_encoder_set_bitrate (element, bitrate);
  return element;
}

void
gst_conic_encoder_set_bitrate (GstElement *element, guint bitrate)
{
  const char *factory = GST_OBJECT_NAME (gst_element_get_factory (element));

  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++)
    if (g_str_equal (encoders[i].factory, factory))
      g_object_set (element, encoders[i].bitrate_property,
                    (int) MAX (bitrate / encoders[i].bitrate_unit, 1), NULL);
}
