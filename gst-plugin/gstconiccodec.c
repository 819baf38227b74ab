/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The codecs: the one place to add another. */

#include "gstconiccodec.h"

#include <string.h>

#include "gstconicencoder.h"

/* Names of the other side's codecs that are shown, and their bytes: a browser has half a dozen. */
#define NAMES_MAX       8
#define NAME_MAX_LENGTH 16
#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_"

static const GstConicCodec codecs[] = {
    {
        .kind = GST_WEBRTC_KIND_VIDEO,
        .encoding_name = "VP8",
        .clock_rate = 90000,
        .payload_type = 96,
        .rtx_payload_type = 97,
        .caps = "video/x-vp8",
        .payloader = "rtpvp8pay",
        .payloader_settings = "picture-id-mode=15-bit",
        .depayloader = "rtpvp8depay",
    },
    {
        .kind = GST_WEBRTC_KIND_VIDEO,
        .encoding_name = "H264",
        .clock_rate = 90000,
        .payload_type = 102,
        .rtx_payload_type = 103,
        /* Constrained baseline, RFC 6184 section 8.1: what every other side can read. */
        .format = "packetization-mode=(string)1, profile-level-id=(string)42e01f, "
                  "level-asymmetry-allowed=(string)1",
        .caps = "video/x-h264",
        .parser = "h264parse",
        /* With the parameter sets in the caps, where the session description takes them from. */
        .parser_caps = "video/x-h264,stream-format=avc,alignment=au",
        .payloader = "rtph264pay",
        .payloader_settings = "config-interval=-1 aggregate-mode=zero-latency",
        .depayloader = "rtph264depay",
    },
    {
        .kind = GST_WEBRTC_KIND_VIDEO,
        .encoding_name = "VP9",
        .clock_rate = 90000,
        .payload_type = 98,
        .rtx_payload_type = 99,
        .caps = "video/x-vp9",
        .parser = "vp9parse",
        .payloader = "rtpvp9pay",
        .payloader_settings = "picture-id-mode=15-bit",
        .depayloader = "rtpvp9depay",
    },
    {
        .kind = GST_WEBRTC_KIND_VIDEO,
        .encoding_name = "AV1",
        .clock_rate = 90000,
        .payload_type = 100,
        .rtx_payload_type = 101,
        .caps = "video/x-av1",
        .parser = "av1parse",
        .parser_caps = "video/x-av1,stream-format=obu-stream,alignment=tu",
        /* Of gst-plugins-rs: GStreamer 1.22 itself has none. */
        .payloader = "rtpav1pay",
        .depayloader = "rtpav1depay",
    },
    {
        .kind = GST_WEBRTC_KIND_AUDIO,
        .encoding_name = "OPUS",
        .clock_rate = 48000,
        .payload_type = 111,
        /* Always announced with two channels, RFC 7587 section 7. */
        .format = "encoding-params=(string)2",
        .caps = "audio/x-opus",
        .payloader = "rtpopuspay",
        .depayloader = "rtpopusdepay",
    },
    {
        .kind = GST_WEBRTC_KIND_AUDIO,
        .encoding_name = "PCMU",
        .clock_rate = 8000,
        .payload_type = 0,
        .caps = "audio/x-mulaw",
        .payloader = "rtppcmupay",
        .depayloader = "rtppcmudepay",
    },
    {
        .kind = GST_WEBRTC_KIND_AUDIO,
        .encoding_name = "PCMA",
        .clock_rate = 8000,
        .payload_type = 8,
        .caps = "audio/x-alaw",
        .payloader = "rtppcmapay",
        .depayloader = "rtppcmadepay",
    },
};

const GstConicCodec *
gst_conic_codec_find_by_caps (const GstCaps *caps)
{
  const char *name;

  if (caps == NULL || gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return NULL;
  name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (strcmp (codecs[i].caps, name) == 0)
      return &codecs[i];
  return NULL;
}

const GstConicCodec *
gst_conic_codec_find_by_name (GstWebRTCKind kind, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].kind == kind && g_ascii_strcasecmp (codecs[i].encoding_name, name) == 0)
      return &codecs[i];
  return NULL;
}

static gboolean
has_factory (const char *name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  return factory != NULL;
}

GstCaps *
gst_conic_codec_get_input_caps (GstWebRTCKind kind)
{
  /* What the encoders take without a conversion comes first, so that sources prefer it. */
  GstCaps *caps = gst_caps_from_string (kind == GST_WEBRTC_KIND_VIDEO
                                            ? "video/x-raw, format=I420; video/x-raw"
                                            : "audio/x-raw, format=S16LE, rate=48000, "
                                              "layout=interleaved; audio/x-raw");

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].kind == kind)
      gst_caps_append (caps, gst_caps_new_empty_simple (codecs[i].caps));
  return caps;
}

GstCaps *
gst_conic_codec_get_output_caps (GstWebRTCKind kind)
{
  const char *media = kind == GST_WEBRTC_KIND_VIDEO ? "video" : "audio";
  GstCaps *caps =
      gst_caps_new_empty_simple (kind == GST_WEBRTC_KIND_VIDEO ? "video/x-raw" : "audio/x-raw");

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].kind == kind)
      gst_caps_append (caps, gst_caps_new_empty_simple (codecs[i].caps));
  gst_caps_append (caps,
                   gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING, media, NULL));
  return caps;
}

static void
add_format (const GstConicCodec *codec, GstCaps *caps)
{
  g_autofree char *text = NULL;
  g_autoptr (GstStructure) format = NULL;

  if (codec->format == NULL)
    return;
  text = g_strconcat ("format, ", codec->format, NULL);
  format = gst_structure_from_string (text, NULL);
  for (int i = 0; i < gst_structure_n_fields (format); i++) {
    const char *name = gst_structure_nth_field_name (format, (guint) i);

    gst_caps_set_value (caps, name, gst_structure_get_value (format, name));
  }
}

GstCaps *
gst_conic_codec_get_rtp_caps (const GstConicCodec *codec, int payload_type)
{
  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
                              codec->kind == GST_WEBRTC_KIND_VIDEO ? "video" : "audio",
                              "encoding-name", G_TYPE_STRING, codec->encoding_name, "clock-rate",
                              G_TYPE_INT, codec->clock_rate, "payload", G_TYPE_INT, payload_type,
                              NULL);
}

/* RFC 4588 section 8.1 */
static GstCaps *
get_rtx_caps (const GstConicCodec *codec)
{
  g_autofree char *apt = g_strdup_printf ("%d", codec->payload_type);

  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING, "video", "encoding-name",
                              G_TYPE_STRING, "RTX", "clock-rate", G_TYPE_INT, codec->clock_rate,
                              "payload", G_TYPE_INT, codec->rtx_payload_type, "apt", G_TYPE_STRING,
                              apt, NULL);
}

GstCaps *
gst_conic_codec_get_offer_caps (GPtrArray *list, gboolean with_rtx)
{
  GstCaps *caps = gst_caps_new_empty ();

  for (guint i = 0; i < list->len; i++) {
    const GstConicCodec *codec = g_ptr_array_index (list, i);
    GstCaps *one = gst_conic_codec_get_rtp_caps (codec, codec->payload_type);

    add_format (codec, one);
    gst_caps_append (caps, one);
  }
  /* webrtcbin 1.22 offers it for the first by itself, and for no other. */
  for (guint i = 1; i < list->len && with_rtx; i++) {
    const GstConicCodec *codec = g_ptr_array_index (list, i);

    if (codec->rtx_payload_type > 0)
      gst_caps_append (caps, get_rtx_caps (codec));
  }
  return caps;
}

static gboolean
can_encode (const GstConicCodec *codec)
{
  return gst_conic_encoder_exists (codec) && has_factory (codec->payloader);
}

static gboolean
can_decode (const GstConicCodec *codec)
{
  GList *decoders =
      gst_element_factory_list_get_elements (GST_ELEMENT_FACTORY_TYPE_DECODER, GST_RANK_MARGINAL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (codec->caps);
  GList *fitting = gst_element_factory_list_filter (decoders, caps, GST_PAD_SINK, FALSE);
  gboolean found = fitting != NULL && has_factory (codec->depayloader);

  gst_plugin_feature_list_free (fitting);
  gst_plugin_feature_list_free (decoders);
  return found;
}

typedef gboolean (*CodecFunc) (const GstConicCodec *codec);

static void
add_codec (GPtrArray *list, const GstConicCodec *codec, CodecFunc can)
{
  if (codec != NULL && !g_ptr_array_find (list, codec, NULL) && can (codec))
    g_ptr_array_add (list, (gpointer) codec);
}

static GPtrArray *
list_codecs (GstWebRTCKind kind, const char *const *names, CodecFunc can)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    add_codec (list, gst_conic_codec_find_by_name (kind, names[i]), can);
  for (guint i = 0; (names == NULL || names[0] == NULL) && i < G_N_ELEMENTS (codecs); i++)
    if (codecs[i].kind == kind)
      add_codec (list, &codecs[i], can);
  return list;
}

GPtrArray *
gst_conic_codec_list_encodable (GstWebRTCKind kind, const char *const *names)
{
  return list_codecs (kind, names, can_encode);
}

GPtrArray *
gst_conic_codec_list_decodable (GstWebRTCKind kind, const char *const *names)
{
  return list_codecs (kind, names, can_decode);
}

/* The name of the codec that @media maps @payload_type to; of length 0 if it doesn't say. */
static const char *
find_encoding_name (const GstSDPMedia *media, const char *payload_type, gsize *length)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    const char *value = attribute->value;
    gsize pt_length;

    if (g_strcmp0 (attribute->key, "rtpmap") != 0 || value == NULL)
      continue;
    pt_length = strcspn (value, " ");
    if (strlen (payload_type) != pt_length || strncmp (value, payload_type, pt_length) != 0)
      continue;
    value += pt_length + strspn (value + pt_length, " ");
    *length = strcspn (value, "/ ");
    return value;
  }
  *length = 0;
  return "";
}

static gboolean
carries (const GstConicCodec *codec, const GstSDPMedia *media, const char *payload_type)
{
  gsize length;
  const char *name = find_encoding_name (media, payload_type, &length);
  guint64 number;

  if (!g_ascii_string_to_unsigned (payload_type, 10, 0, 127, &number, NULL))
    return FALSE;
  /* RFC 3551's static payload types need no rtpmap. */
  if (length == 0)
    return codec->payload_type < 96 && number == (guint64) codec->payload_type;
  return strlen (codec->encoding_name) == length &&
         g_ascii_strncasecmp (codec->encoding_name, name, length) == 0;
}

int
gst_conic_codec_find_payload_type (const GstConicCodec *codec, const GstSDPMedia *media)
{
  for (guint i = 0; i < gst_sdp_media_formats_len (media); i++)
    if (carries (codec, media, gst_sdp_media_get_format (media, i)))
      return (int) g_ascii_strtoull (gst_sdp_media_get_format (media, i), NULL, 10);
  return -1;
}

/* The place of @codec's first format in @media, or the number of formats if it has none. */
static guint
find_place (const GstConicCodec *codec, const GstSDPMedia *media)
{
  guint n_formats = gst_sdp_media_formats_len (media);

  for (guint i = 0; i < n_formats; i++)
    if (carries (codec, media, gst_sdp_media_get_format (media, i)))
      return i;
  return n_formats;
}

const GstConicCodec *
gst_conic_codec_choose (GPtrArray *list,
                        const GstSDPMedia *media,
                        gboolean by_peer,
                        int *payload_type)
{
  guint best = gst_sdp_media_formats_len (media);
  const GstConicCodec *chosen = NULL;

  for (guint i = 0; i < list->len && (by_peer || chosen == NULL); i++) {
    const GstConicCodec *codec = g_ptr_array_index (list, i);
    guint place = codec->kind == gst_conic_sdp_get_kind (media) ? find_place (codec, media) : best;

    if (place < best) {
      best = place;
      chosen = codec;
    }
  }
  if (chosen != NULL)
    *payload_type = gst_conic_codec_find_payload_type (chosen, media);
  return chosen;
}

/* --- for people --- */

/* (transfer full) */
static char *
join_names (GPtrArray *names)
{
  if (names->len == 0)
    return g_strdup ("none");
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **) names->pdata);
}

char *
gst_conic_codec_name_all (GPtrArray *list)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add (names, (char *) ((const GstConicCodec *) list->pdata[i])->encoding_name);
  return join_names (names);
}

/* Whether @name may be shown: it is the other side's. */
static gboolean
is_codec_name (const char *name)
{
  static const char *const helpers[] = {"rtx", "red", "ulpfec", "flexfec-03", "telephone-event",
                                        "CN"};

  for (guint i = 0; i < G_N_ELEMENTS (helpers); i++)
    if (g_ascii_strcasecmp (name, helpers[i]) == 0)
      return FALSE;
  return *name != '\0' && strlen (name) <= NAME_MAX_LENGTH &&
         strspn (name, NAME_CHARACTERS) == strlen (name);
}

char *
gst_conic_codec_name_offered (const GstSDPMedia *media)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *rtpmap;

  for (guint i = 0; names->len < NAMES_MAX &&
                    (rtpmap = gst_sdp_media_get_attribute_val_n (media, "rtpmap", i)) != NULL;
       i++) {
    const char *begin = strchr (rtpmap, ' ');
    g_autofree char *name = begin != NULL ? g_strndup (begin + 1, strcspn (begin + 1, "/")) : NULL;

    if (name != NULL && is_codec_name (name) &&
        !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
      g_ptr_array_add (names, g_steal_pointer (&name));
  }
  return join_names (names);
}

GstElement *
gst_conic_codec_make (const char *factory, const char *settings, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  g_auto (GStrv) pairs = NULL;

  if (element == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                 "There is no element “%s”: install the plugin that has it", factory);
    return NULL;
  }
  pairs = g_strsplit (settings != NULL ? settings : "", " ", -1);
  for (guint i = 0; pairs[i] != NULL; i++) {
    char *equals = strchr (pairs[i], '=');

    if (equals == NULL)
      continue;
    *equals = '\0';
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), pairs[i]) != NULL)
      gst_util_set_object_arg (G_OBJECT (element), pairs[i], equals + 1);
  }
  return element;
}
