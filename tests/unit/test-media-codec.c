/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that the table of codecs is used right: which codec a stream is, what payload type another
 * peer's description gives it (static ones too, which need no rtpmap), which codec of an offer is
 * chosen, and that every row can be made into what it promises. */

#include <stdlib.h>
#include <string.h>

#include "gstconiccodec.h"
#include "gstconicencoder.h"

/* (transfer full): the media section @text of a description */
static GstSDPMessage *
parse (const char *text)
{
  g_autofree char *full = g_strconcat ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
                                       "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
                                       "a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n",
                                       text, NULL);
  g_autoptr (GError) error = NULL;
  GstSDPMessage *sdp = gst_conic_sdp_parse (full, NULL, &error);

  g_assert_no_error (error);
  return sdp;
}

static const GstConicCodec *
find (const char *media_type)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (media_type);

  return gst_conic_codec_find_by_caps (caps);
}

static void
test_find_by_caps (void)
{
  static const struct {
    const char *caps, *encoding_name;
  } streams[] = {
      {"video/x-vp8", "VP8"},
      {"video/x-vp9, profile=(string)0", "VP9"},
      {"video/x-h264, stream-format=byte-stream, alignment=nal", "H264"},
      {"audio/x-opus, channels=2", "OPUS"},
      {"audio/x-mulaw, rate=8000, channels=1", "PCMU"},
      {"audio/x-alaw", "PCMA"},
      {"video/x-raw", NULL},
      {"audio/x-raw, format=S16LE", NULL},
      {"video/x-vp80", NULL},
      {"ANY", NULL},
      {"EMPTY", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    const GstConicCodec *codec = find (streams[i].caps);

    g_assert_cmpstr (codec != NULL ? codec->encoding_name : NULL, ==, streams[i].encoding_name);
  }
  g_assert_null (gst_conic_codec_find_by_caps (NULL));
}

/* "VP8 H264 …" */
static char *
join (GPtrArray *codecs)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < codecs->len; i++) {
    const GstConicCodec *codec = g_ptr_array_index (codecs, i);

    g_string_append_printf (names, "%s%s", i > 0 ? " " : "", codec->encoding_name);
  }
  return g_strdup (names->str);
}

/* In the order that was asked for, each once, without what isn't there; all in the table's order if
 * nothing was. */
static void
test_lists (void)
{
  static const struct {
    GstWebRTCKind kind;
    const char *names[6];
    const char *encodable, *decodable;
  } lists[] = {
      {GST_WEBRTC_KIND_VIDEO, {"H264", "VP8"}, "H264 VP8", "H264 VP8"},
      {GST_WEBRTC_KIND_VIDEO, {"vp9", "VP9", "THEORA", "OPUS", "vp8"}, "VP9 VP8", "VP9 VP8"},
      {GST_WEBRTC_KIND_VIDEO, {"THEORA"}, "", ""},
      {GST_WEBRTC_KIND_AUDIO, {"PCMA", "OPUS"}, "OPUS", "PCMA OPUS"},
      {GST_WEBRTC_KIND_AUDIO, {NULL}, "OPUS", "OPUS PCMU PCMA"},
      {GST_WEBRTC_KIND_UNKNOWN, {NULL}, "", ""},
  };
  g_autoptr (GPtrArray) all = gst_conic_codec_list_encodable (GST_WEBRTC_KIND_VIDEO, NULL);
  g_autofree char *all_names = join (all);

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    g_autoptr (GPtrArray) encodable =
        gst_conic_codec_list_encodable (lists[i].kind, lists[i].names);
    g_autoptr (GPtrArray) decodable =
        gst_conic_codec_list_decodable (lists[i].kind, lists[i].names);
    g_autofree char *encodable_names = join (encodable);
    g_autofree char *decodable_names = join (decodable);

    g_assert_cmpstr (encodable_names, ==, lists[i].encodable);
    g_assert_cmpstr (decodable_names, ==, lists[i].decodable);
  }
  g_assert_true (g_str_has_prefix (all_names, "VP8 H264 VP9"));
}

#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF "
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF "

static void
test_payload_types (void)
{
  static const struct {
    const char *codec, *media;
    int payload_type;
  } sections[] = {
      {"video/x-vp8", VIDEO "120\r\na=rtpmap:120 VP8/90000\r\n", 120},
      {"video/x-vp8", VIDEO "100 101\r\na=rtpmap:101 vp8/90000\r\na=rtpmap:100 VP9/90000\r\n", 101},
      {"video/x-vp8", VIDEO "1 10\r\na=rtpmap:10 VP8/90000\r\na=rtpmap:1 X/90000\r\n", 10},
      {"video/x-vp9", VIDEO "96\r\na=rtpmap:96 VP8/90000\r\n", -1},
      {"video/x-vp8", VIDEO "96\r\na=rtpmap:96 VP80/90000\r\n", -1},
      {"video/x-vp8", VIDEO "96\r\na=rtpmap:96 VP/90000\r\n", -1},
      {"video/x-vp8", VIDEO "96\r\n", -1},
      {"video/x-vp8", VIDEO "97\r\na=rtpmap:96 VP8/90000\r\n", -1},
      {"audio/x-opus", AUDIO "0 8 111\r\na=rtpmap:111 opus/48000/2\r\n", 111},
      {"audio/x-mulaw", AUDIO "0 8 111\r\na=rtpmap:111 opus/48000/2\r\n", 0},
      {"audio/x-alaw", AUDIO "0 8 111\r\na=rtpmap:111 opus/48000/2\r\n", 8},
      {"audio/x-mulaw", AUDIO "8\r\n", -1},
      {"audio/x-mulaw", AUDIO "96\r\na=rtpmap:96 PCMU/8000\r\n", 96},
      /* A map overrules what is static. */
      {"audio/x-mulaw", AUDIO "0\r\na=rtpmap:0 PCMA/8000\r\n", -1},
      {"audio/x-opus", AUDIO "0\r\n", -1},
      /* RTP has seven bits for it. */
      {"video/x-vp8", VIDEO "128\r\na=rtpmap:128 VP8/90000\r\n", -1},
      {"video/x-vp8", VIDEO "127 5000\r\na=rtpmap:5000 VP8/90000\r\na=rtpmap:127 VP8/90000\r\n",
       127},
      {"video/x-vp8", VIDEO "-1\r\na=rtpmap:-1 VP8/90000\r\n", -1},
      {"video/x-vp8", VIDEO "x\r\na=rtpmap:x VP8/90000\r\n", -1},
  };

  for (guint i = 0; i < G_N_ELEMENTS (sections); i++) {
    g_autoptr (GstSDPMessage) sdp = parse (sections[i].media);
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, 0);

    g_assert_cmpint (gst_conic_codec_find_payload_type (find (sections[i].codec), media), ==,
                     sections[i].payload_type);
  }
}

/* The order of an offer is the order of its preference, unless we have one of our own; what isn't
 * known is passed over. */
static void
test_choose (void)
{
  static const struct {
    const char *media, *encoding_name;
    int payload_type, clock_rate;
  } sections[] = {
      {VIDEO "98 96\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\n", "VP9", 98, 90000},
      {VIDEO "96 98\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\n", "VP8", 96, 90000},
      {VIDEO
       "99 97 96\r\na=rtpmap:99 ODD/90000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:96 VP8/90000\r\n",
       "VP8", 96, 90000},
      {AUDIO "111 0\r\na=rtpmap:111 opus/48000/2\r\n", "OPUS", 111, 48000},
      {AUDIO "8 0\r\n", "PCMA", 8, 8000},
      {AUDIO "18 13\r\n", NULL, 0, 0},
      {VIDEO "96\r\na=rtpmap:96 ODD/90000\r\n", NULL, 0, 0},
      /* A codec of another kind than its section's is none. */
      {VIDEO "111\r\na=rtpmap:111 opus/48000/2\r\n", NULL, 0, 0},
      {AUDIO "96\r\na=rtpmap:96 VP8/90000\r\n", NULL, 0, 0},
      {"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", NULL, 0, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (sections); i++) {
    g_autoptr (GstSDPMessage) sdp = parse (sections[i].media);
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, 0);
    g_autoptr (GPtrArray) codecs =
        gst_conic_codec_list_decodable (gst_conic_sdp_get_kind (media), NULL);
    const GstConicCodec *codec;
    int payload_type = -1;

    codec = gst_conic_codec_choose (codecs, media, TRUE, &payload_type);
    if (sections[i].encoding_name == NULL) {
      g_assert_null (codec);
      continue;
    }
    g_assert_cmpstr (codec->encoding_name, ==, sections[i].encoding_name);
    g_assert_cmpint (codec->clock_rate, ==, sections[i].clock_rate);
    g_assert_cmpint (payload_type, ==, sections[i].payload_type);
  }
}

static void
test_choose_ours (void)
{
  static const char *const ours[] = {"VP9", "VP8", NULL};
  g_autoptr (GPtrArray) codecs = gst_conic_codec_list_decodable (GST_WEBRTC_KIND_VIDEO, ours);
  g_autoptr (GstSDPMessage) sdp =
      parse (VIDEO "102 96 98\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\n"
                   "a=rtpmap:102 H264/90000\r\n");
  const GstSDPMedia *media = gst_sdp_message_get_media (sdp, 0);
  int payload_type;

  g_assert_cmpstr (gst_conic_codec_choose (codecs, media, FALSE, &payload_type)->encoding_name, ==,
                   "VP9");
  g_assert_cmpint (payload_type, ==, 98);
  g_assert_cmpstr (gst_conic_codec_choose (codecs, media, TRUE, &payload_type)->encoding_name, ==,
                   "VP8");
  g_assert_cmpint (payload_type, ==, 96);
}

static void
test_input_caps (void)
{
  static const struct {
    GstWebRTCKind kind;
    const char *caps;
    gboolean fits;
  } streams[] = {
      {GST_WEBRTC_KIND_VIDEO, "video/x-raw, format=RGB, width=1, height=1", TRUE},
      {GST_WEBRTC_KIND_VIDEO, "video/x-h264", TRUE},
      {GST_WEBRTC_KIND_VIDEO, "audio/x-opus", FALSE},
      {GST_WEBRTC_KIND_AUDIO, "audio/x-raw, format=F32LE, rate=44100, channels=6", TRUE},
      {GST_WEBRTC_KIND_AUDIO, "audio/x-mulaw", TRUE},
      {GST_WEBRTC_KIND_AUDIO, "audio/mpeg", FALSE},
      {GST_WEBRTC_KIND_AUDIO, "video/x-raw", FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    g_autoptr (GstCaps) input = gst_conic_codec_get_input_caps (streams[i].kind);
    g_autoptr (GstCaps) caps = gst_caps_from_string (streams[i].caps);

    g_assert_cmpint (gst_caps_can_intersect (input, caps), ==, streams[i].fits);
  }
}

/* What is offered is one `application/x-rtp` for each codec, then one for what is sent again of each but
 * the first, which webrtcbin sees to; and no payload type twice. */
static void
check_offer_caps (GstWebRTCKind kind, const char *media, gboolean with_rtx)
{
  g_autoptr (GPtrArray) codecs = gst_conic_codec_list_decodable (kind, NULL);
  g_autoptr (GstCaps) caps = gst_conic_codec_get_offer_caps (codecs, with_rtx);
  gboolean used[128] = {FALSE};

  g_assert_cmpuint (codecs->len, >, 0);
  g_assert_cmpuint (gst_caps_get_size (caps), ==,
                    with_rtx && kind == GST_WEBRTC_KIND_VIDEO ? 2 * codecs->len - 1 : codecs->len);
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *structure = gst_caps_get_structure (caps, i);
    const char *name = gst_structure_get_string (structure, "encoding-name");
    int payload_type = -1;

    g_assert_true (gst_structure_has_name (structure, "application/x-rtp"));
    g_assert_cmpstr (gst_structure_get_string (structure, "media"), ==, media);
    g_assert_true (gst_structure_get_int (structure, "payload", &payload_type));
    g_assert_cmpint (payload_type, >=, 0);
    g_assert_cmpint (payload_type, <, G_N_ELEMENTS (used));
    g_assert_false (used[payload_type]);
    used[payload_type] = TRUE;
    if (g_str_equal (name, "OPUS"))
      g_assert_cmpstr (gst_structure_get_string (structure, "encoding-params"), ==, "2");
    if (g_str_equal (name, "RTX"))
      g_assert_true (used[atoi (gst_structure_get_string (structure, "apt"))]);
  }
}

static void
test_offer_caps (void)
{
  check_offer_caps (GST_WEBRTC_KIND_AUDIO, "audio", TRUE);
  check_offer_caps (GST_WEBRTC_KIND_VIDEO, "video", TRUE);
  check_offer_caps (GST_WEBRTC_KIND_VIDEO, "video", FALSE);
}

/* Every element that a row names exists, and takes its settings. */
static void
test_make (void)
{
  static const char *const streams[] = {
      "video/x-vp8", "video/x-vp9", "video/x-h264", "audio/x-opus", "audio/x-mulaw", "audio/x-alaw",
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    const GstConicCodec *codec = find (streams[i]);
    const char *const made[][2] = {
        {codec->parser, NULL},
        {codec->payloader, codec->payloader_settings},
        {codec->depayloader, NULL},
    };

    for (guint j = 0; j < G_N_ELEMENTS (made); j++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (GstElement) element = NULL;

      if (made[j][0] == NULL)
        continue;
      element = gst_conic_codec_make (made[j][0], made[j][1], &error);
      g_assert_no_error (error);
      gst_object_ref_sink (element);
    }
  }
}

/* Every encoder that is there takes its settings without a word, and has the bit rate it was given. */
static void
test_encoders (void)
{
  static const struct {
    GstWebRTCKind kind;
    const char *codec, *factory, *property;
    int value;
  } encoders[] = {
      {GST_WEBRTC_KIND_VIDEO, "VP8", "vp8enc", "target-bitrate", 700000},
      {GST_WEBRTC_KIND_VIDEO, "VP9", "vp9enc", "target-bitrate", 700000},
      {GST_WEBRTC_KIND_VIDEO, "H264", NULL, NULL, 0},
      {GST_WEBRTC_KIND_VIDEO, "AV1", "av1enc", "target-bitrate", 700},
      {GST_WEBRTC_KIND_AUDIO, "OPUS", "opusenc", "bitrate", 64000},
  };

  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    const GstConicCodec *codec = gst_conic_codec_find_by_name (encoders[i].kind, encoders[i].codec);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) encoder = NULL;
    int value;

    g_assert_true (gst_conic_encoder_exists (codec));
    encoder = gst_conic_encoder_make (codec, 64000, &error);
    g_assert_no_error (error);
    gst_object_ref_sink (encoder);
    gst_conic_encoder_set_bitrate (encoder,
                                   encoders[i].kind == GST_WEBRTC_KIND_AUDIO ? 64000 : 700000);
    if (encoders[i].factory == NULL)
      continue;
    g_assert_cmpstr (GST_OBJECT_NAME (gst_element_get_factory (encoder)), ==, encoders[i].factory);
    g_object_get (encoder, encoders[i].property, &value, NULL);
    g_assert_cmpint (value, ==, encoders[i].value);
  }
}

static void
test_make_settings (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) queue = gst_object_ref_sink (
      gst_conic_codec_make ("queue", "leaky=downstream no-such-property=1 max-size-buffers=7",
                            &error));
  guint buffers;
  int leaky;

  g_assert_no_error (error);
  g_object_get (queue, "leaky", &leaky, "max-size-buffers", &buffers, NULL);
  g_assert_cmpint (leaky, ==, 2);
  g_assert_cmpuint (buffers, ==, 7);

  g_assert_null (gst_conic_codec_make ("no-such-element", NULL, &error));
  g_assert_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN);
  g_assert_nonnull (strstr (error->message, "no-such-element"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/media-codec/find-by-caps", test_find_by_caps);
  g_test_add_func ("/media-codec/lists", test_lists);
  g_test_add_func ("/media-codec/payload-types", test_payload_types);
  g_test_add_func ("/media-codec/choose", test_choose);
  g_test_add_func ("/media-codec/choose-ours", test_choose_ours);
  g_test_add_func ("/media-codec/input-caps", test_input_caps);
  g_test_add_func ("/media-codec/offer-caps", test_offer_caps);
  g_test_add_func ("/media-codec/make", test_make);
  g_test_add_func ("/media-codec/encoders", test_encoders);
  g_test_add_func ("/media-codec/make-settings", test_make_settings);

  return g_test_run ();
}
