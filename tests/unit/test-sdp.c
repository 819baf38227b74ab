/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a session description that webrtcbin can't take is refused with the name of what it
 * lacks, that mids are filled in, that a section says more to webrtcbin than to the other side, and
 * that fingerprints, directions, kinds and mids are read as the RFCs say: above all, that a certificate
 * matches its own fingerprint and no other. */

#include <string.h>

#include "gstconicsdp.h"
#include "gstconicsessionerror.h"

#define HEAD   "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
#define PRINT  "a=fingerprint:sha-256 AA:BB\r\n"
#define SETUP  "a=setup:actpass\r\n"
#define VIDEO  "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
#define AUDIO  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
#define DATA   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
#define REFUSE "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"

/* One more media section than a description may have. */
#define MEDIAS_TOO_MANY 65

/* A certificate, what `openssl x509 -fingerprint` says of it, and another one. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBhDCCASugAwIBAgIUf9lfCvEjWqCBQlNtO/rjlqZKhL0wCgYIKoZIzj0EAwIw\n"
    "FzEVMBMGA1UEAwwMY29uaWMgdGVzdCBhMCAXDTI2MTEyMjA5MDIyM1oYDzIxMjYx\n"
    "MDI5MDkwMjIzWjAXMRUwEwYDVQQDDAxjb25pYyB0ZXN0IGEwWTATBgcqhkjOPQIB\n"
    "BggqhkjOPQMBBwNCAAQ24AUaZrsLjGEE76TlpcWx21fZQo28Fk5Mm8rXOWMtT2N7\n"
    "mG3NSzpFHg0A62Yo7z+6tsk/V1wEOVtn+pNIegKvo1MwUTAdBgNVHQ4EFgQU+4oe\n"
    "7iPb6HiI04tj0trNzD1bgZkwHwYDVR0jBBgwFoAU+4oe7iPb6HiI04tj0trNzD1b\n"
    "gZkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiA3Xun1dHc6NTtP\n"
    "Ep0Lv2ui6yUJIOPvKsrLu0WzAHER7wIgHIRxlbDT3owbyj7Y8tI9/vwofTGs9SNI\n"
    "0E/N62KIAxA=\n"
    "-----END CERTIFICATE-----\n";
static const char other_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBhjCCASugAwIBAgIUdJn6gAS47zMhVYGbF+wEWPvjM10wCgYIKoZIzj0EAwIw\n"
    "FzEVMBMGA1UEAwwMY29uaWMgdGVzdCBiMCAXDTI2MTEyMjA5MDIyM1oYDzIxMjYx\n"
    "MDI5MDkwMjIzWjAXMRUwEwYDVQQDDAxjb25pYyB0ZXN0IGIwWTATBgcqhkjOPQIB\n"
    "BggqhkjOPQMBBwNCAATkqeMdCAXy1/rB4t5AMVASzVkL7DBM7qrzsNkvbElJ6ZTR\n"
    "s55YDLbXvc7lGu2MwDliljUWPDXhZB1lwGLzjpkXo1MwUTAdBgNVHQ4EFgQUONic\n"
    "+8YpU7KnRNFpc/X9ra0OpnswHwYDVR0jBBgwFoAUONic+8YpU7KnRNFpc/X9ra0O\n"
    "pnswDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAq9pEiDB8QEU4\n"
    "UmpilZDU0PVw6kGwX94u7YShCg88BkYCIQC53XpdSu2iI5XFF0dUtU0N75i/fr5g\n"
    "UXJ8sJ0JLQ5XMQ==\n"
    "-----END CERTIFICATE-----\n";

#define SHA1 "C8:4A:9E:60:87:A2:20:52:AC:9F:05:1F:CD:72:49:80:9F:6D:FE:2A"
#define SHA256                                                                                     \
  "BA:2A:25:B0:F3:64:17:E2:3C:A9:C2:C7:29:7E:65:82:F9:7D:6E:61:25:1F:50:E2:AE:19:F6:29:69:3C:CC:"  \
  "B8"
#define SHA384                                                                                     \
  "CD:01:18:75:81:5A:0D:CD:B4:87:72:29:B8:AE:3F:98:EE:3F:11:CE:E7:C0:0C:9A:AF:46:68:83:61:AF:90:"  \
  "78:BE:20:06:AF:E9:13:CB:57:40:B8:0C:77:7A:7E:89:05"
#define SHA512                                                                                     \
  "7B:4B:9C:D6:83:14:3C:66:45:04:A0:C7:D8:56:E6:34:02:FB:B2:D1:1C:5A:A9:85:16:F7:BA:21:1E:DF:82:"  \
  "44:8D:A7:CF:33:C9:17:FE:D6:6B:2E:22:46:DB:16:2E:AF:89:9F:C2:5A:B2:8C:78:49:5F:01:CC:F6:7F:22:"  \
  "BD:36"

static GstWebRTCRTPTransceiverDirection
get_direction (const GstSDPMedia *media)
{
  if (gst_conic_sdp_sends (media))
    return gst_conic_sdp_receives (media) ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV
                                          : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY;
  return gst_conic_sdp_receives (media) ? GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY
                                        : GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE;
}

static GstSDPMessage *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GstSDPMessage *sdp = gst_conic_sdp_parse (text, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (sdp);
  return sdp;
}

/* --- what is refused --- */

typedef struct {
  const char *name;
  const char *text;
  const char *named; /* what the refusal has to name */
} Refusal;

static const Refusal refusals[] = {
    {"empty", "", "not SDP"},
    {"prose", "hello", "0 media sections"},
    {"no-media", HEAD, "0 media sections"},
    {"no-formats", HEAD ICE PRINT SETUP "m=video 9 UDP/TLS/RTP/SAVPF\r\n", "no formats"},
    {"no-ufrag", HEAD VIDEO "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" PRINT SETUP, "a=ice-ufrag"},
    {"no-pwd", HEAD VIDEO "a=ice-ufrag:abcd\r\n" PRINT SETUP, "a=ice-pwd"},
    {"no-fingerprint", HEAD VIDEO ICE SETUP, "a=fingerprint"},
    {"no-setup", HEAD VIDEO ICE PRINT, "a=setup"},
    {"second-section", HEAD VIDEO ICE PRINT SETUP AUDIO ICE PRINT,
     "media section 1 has no a=setup"},
    {"data-before-the-bundle",
     HEAD ICE PRINT SETUP "a=group:BUNDLE a d\r\n" DATA "a=mid:d\r\n" AUDIO "a=mid:a\r\n",
     "BUNDLE"},
    {"out-of-the-bundle",
     HEAD ICE PRINT SETUP "a=group:BUNDLE a\r\n" AUDIO "a=mid:a\r\n" VIDEO "a=mid:v\r\n", "BUNDLE"},
    {"bundle-of-nothing", HEAD ICE PRINT SETUP "a=group:BUNDLE z\r\n" AUDIO "a=mid:a\r\n",
     "BUNDLE"},
    {"bundle-only", HEAD REFUSE "a=bundle-only\r\n" ICE SETUP, "a=fingerprint"},
};

static void
test_refusal (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (gst_conic_sdp_parse (refusal->text, NULL, &error));
  g_assert_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION);
  if (strstr (error->message, refusal->named) == NULL)
    g_error ("“%s” does not name “%s”", error->message, refusal->named);
}

static char *
make_sections (guint n)
{
  GString *text = g_string_new (HEAD ICE PRINT SETUP);

  for (guint i = 0; i < n; i++)
    g_string_append (text, AUDIO);
  return g_string_free (text, FALSE);
}

static void
test_too_many_sections (void)
{
  g_autofree char *most = make_sections (MEDIAS_TOO_MANY - 1);
  g_autofree char *more = make_sections (MEDIAS_TOO_MANY);
  g_autoptr (GstSDPMessage) sdp = parse (most);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (gst_sdp_message_medias_len (sdp), ==, MEDIAS_TOO_MANY - 1);
  g_assert_null (gst_conic_sdp_parse (more, NULL, &error));
  g_assert_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION);
  g_assert_nonnull (strstr (error->message, "65 media sections"));
}

/* (transfer full): a section with one more format than there are payload types, or one attribute more than
 * it may have */
static char *
make_long (guint n_formats, guint n_attributes)
{
  GString *text = g_string_new (HEAD ICE PRINT SETUP "m=video 9 UDP/TLS/RTP/SAVPF");

  for (guint i = 0; i < n_formats; i++)
    g_string_append_printf (text, " %u", i);
  g_string_append (text, "\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n");
  for (guint i = 1; i < n_attributes; i++)
    g_string_append_printf (text, "a=rtpmap:%u X/90000\r\n", i);
  return g_string_free (text, FALSE);
}

/* Each attribute is compared with each, for every format: a message of half a megabyte would do for hours. */
static void
test_too_long (void)
{
  static const guint most[][2] = {{GST_CONIC_SDP_FORMATS_MAX, 1},
                                  {1, GST_CONIC_SDP_ATTRIBUTES_MAX}};

  for (guint i = 0; i < G_N_ELEMENTS (most); i++) {
    g_autofree char *text = make_long (most[i][0], most[i][1]);
    g_autofree char *more = make_long (most[i][0] + (i == 0), most[i][1] + (i == 1));
    g_autoptr (GstSDPMessage) sdp = parse (text);
    g_autoptr (GError) error = NULL;

    g_assert_null (gst_conic_sdp_parse (more, NULL, &error));
    g_assert_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION);
    g_assert_nonnull (strstr (error->message, "too long"));
  }
}

static void
test_candidates (void)
{
  g_autofree char *name = g_strnfill (2000, 'a');
  g_autofree char *endless = g_strdup_printf ("candidate:1 1 UDP 1 %s.local 9 typ host", name);

  g_assert_true (gst_conic_sdp_is_candidate ("candidate:1 1 UDP 1 192.0.2.1 9 typ host"));
  g_assert_false (gst_conic_sdp_is_candidate ("candidate:1 2 UDP 1 192.0.2.1 9 typ host"));
  g_assert_false (gst_conic_sdp_is_candidate (""));
  g_assert_false (gst_conic_sdp_is_candidate (endless));
}

/* What comes later may add sections, but not move or change those that there are. */
static void
test_before (void)
{
  static const struct {
    const char *text;
    gboolean fits;
  } later[] = {
      {HEAD ICE PRINT SETUP AUDIO "a=mid:a\r\n" VIDEO "a=mid:v\r\n", TRUE},
      {HEAD ICE PRINT SETUP VIDEO "a=mid:v\r\n" AUDIO "a=mid:a\r\n", FALSE},
      {HEAD ICE PRINT SETUP VIDEO "a=mid:a\r\n" AUDIO "a=mid:v\r\n", FALSE},
      {HEAD ICE PRINT SETUP AUDIO "a=mid:a\r\n", FALSE},
  };
  g_autoptr (GstSDPMessage) before = parse (later[0].text);

  for (guint i = 0; i < G_N_ELEMENTS (later); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstSDPMessage) sdp = gst_conic_sdp_parse (later[i].text, before, &error);

    g_assert_cmpint (sdp != NULL, ==, later[i].fits);
    if (!later[i].fits)
      g_assert_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION);
  }
}

/* --- what is taken --- */

/* Credentials may stand in the session part, and a section that is turned down needs none. */
static const char *const accepted[] = {
    HEAD VIDEO ICE PRINT SETUP,
    HEAD ICE PRINT SETUP VIDEO AUDIO DATA,
    HEAD PRINT VIDEO ICE SETUP AUDIO ICE SETUP,
    HEAD REFUSE AUDIO ICE PRINT SETUP,
};

static void
test_accepted (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (accepted); i++) {
    g_autoptr (GstSDPMessage) sdp = parse (accepted[i]);

    g_assert_cmpuint (gst_sdp_message_medias_len (sdp), >, 0);
  }
}

static void
test_mids (void)
{
  g_autoptr (GstSDPMessage) sdp =
      parse (HEAD ICE PRINT SETUP VIDEO "a=mid:v\r\n" AUDIO DATA "a=mid:data\r\n");
  g_autofree char *filled_in = g_strdup (gst_conic_sdp_get_mid (sdp, 1));

  g_assert_cmpstr (gst_conic_sdp_get_mid (sdp, 0), ==, "v");
  g_assert_cmpstr (gst_conic_sdp_get_mid (sdp, 2), ==, "data");
  g_assert_null (gst_conic_sdp_get_mid (sdp, 3));
  g_assert_nonnull (filled_in);
  g_assert_cmpstr (filled_in, !=, "");
  g_assert_cmpint (gst_conic_sdp_find_mid (sdp, "v"), ==, 0);
  g_assert_cmpint (gst_conic_sdp_find_mid (sdp, filled_in), ==, 1);
  g_assert_cmpint (gst_conic_sdp_find_mid (sdp, "data"), ==, 2);
  g_assert_cmpint (gst_conic_sdp_find_mid (sdp, "V"), ==, -1);
  g_assert_cmpint (gst_conic_sdp_find_mid (sdp, ""), ==, -1);
}

/* A mid that is filled in is nobody else's, whichever of the sections have one. */
static void
test_filled_in_mids (void)
{
  for (guint without = 0; without < 1 << 4; without++) {
    g_autoptr (GString) text = g_string_new (HEAD ICE PRINT SETUP);
    g_autoptr (GstSDPMessage) sdp = NULL;

    /* Those that are given are the ones that would come to mind: from 3 to 0. */
    for (guint i = 0; i < 4; i++) {
      g_string_append (text, AUDIO);
      if ((without & 1 << i) == 0)
        g_string_append_printf (text, "a=mid:%u\r\n", 3 - i);
    }
    sdp = parse (text->str);
    for (guint i = 0; i < 4; i++)
      g_assert_cmpint (gst_conic_sdp_find_mid (sdp, gst_conic_sdp_get_mid (sdp, i)), ==, i);
  }
}

static void
test_kinds_and_directions (void)
{
  static const struct {
    GstWebRTCKind kind;
    GstWebRTCRTPTransceiverDirection direction;
  } sections[] = {
      {GST_WEBRTC_KIND_VIDEO, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV},
      {GST_WEBRTC_KIND_VIDEO, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV},
      {GST_WEBRTC_KIND_AUDIO, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY},
      {GST_WEBRTC_KIND_AUDIO, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY},
      {GST_WEBRTC_KIND_VIDEO, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE},
      {GST_WEBRTC_KIND_UNKNOWN, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV},
  };
  g_autoptr (GstSDPMessage) sdp =
      parse (HEAD ICE PRINT SETUP VIDEO VIDEO "a=sendrecv\r\n" AUDIO "a=sendonly\r\n" AUDIO
                                              "a=recvonly\r\n" VIDEO "a=inactive\r\n" DATA);

  g_assert_cmpuint (gst_sdp_message_medias_len (sdp), ==, G_N_ELEMENTS (sections));
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

    g_assert_cmpint (gst_conic_sdp_get_kind (media), ==, sections[i].kind);
    g_assert_cmpint (get_direction (media), ==, sections[i].direction);
  }
}

/* --- what webrtcbin is shown, and what is said in its name --- */

static GstSDPMessage *
describe_ways (const char *first, const char *second)
{
  g_autofree char *text = g_strdup_printf (HEAD VIDEO ICE PRINT SETUP
                                           "a=mid:0\r\n%s" AUDIO ICE PRINT SETUP
                                           "a=mid:1\r\n%s" DATA ICE PRINT SETUP "a=mid:2\r\n",
                                           first, second);

  return parse (text);
}

static void
assert_ways (const GstSDPMessage *sdp,
             GstWebRTCRTPTransceiverDirection first,
             GstWebRTCRTPTransceiverDirection second)
{
  g_assert_cmpint (get_direction (gst_sdp_message_get_media (sdp, 0)), ==, first);
  g_assert_cmpint (get_direction (gst_sdp_message_get_media (sdp, 1)), ==, second);
  g_assert_null (gst_sdp_media_get_attribute_val (gst_sdp_message_get_media (sdp, 2), "sendrecv"));
}

static void
test_widen (void)
{
  g_autoptr (GstSDPMessage) inactive = describe_ways ("a=inactive\r\n", "");
  g_autoptr (GstSDPMessage) one_way = describe_ways ("a=sendonly\r\n", "a=recvonly\r\n");

  gst_conic_sdp_widen (inactive);
  assert_ways (inactive, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV,
               GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV);
  gst_conic_sdp_widen (one_way);
  assert_ways (one_way, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV,
               GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV);
}

static void
test_narrow (void)
{
  g_autoptr (GstSDPMessage) offer = describe_ways ("a=recvonly\r\n", "a=sendonly\r\n");
  g_autoptr (GstSDPMessage) answer = describe_ways ("a=sendrecv\r\n", "a=sendrecv\r\n");
  g_autoptr (GstSDPMessage) nothing = describe_ways ("a=recvonly\r\n", "a=sendonly\r\n");
  g_autoptr (GstSDPMessage) silent = describe_ways ("a=sendrecv\r\n", "a=sendonly\r\n");

  gst_conic_sdp_narrow (answer, offer, 0);
  assert_ways (answer, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY,
               GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY);
  gst_conic_sdp_narrow (nothing, offer, 0);
  assert_ways (nothing, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE,
               GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE);
  gst_conic_sdp_narrow (silent, NULL, 3);
  assert_ways (silent, GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY,
               GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE);
}

/* --- fingerprints --- */

static void
check_fingerprints (const char *text, const char *expected)
{
  g_autoptr (GstSDPMessage) sdp = parse (text);
  g_auto (GStrv) fingerprints = gst_conic_sdp_get_fingerprints (sdp);
  g_autofree char *joined = g_strjoinv (", ", fingerprints);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_fingerprints (void)
{
  check_fingerprints (HEAD ICE SETUP PRINT VIDEO AUDIO, "sha-256 AA:BB");
  check_fingerprints (HEAD ICE SETUP VIDEO PRINT AUDIO PRINT, "sha-256 AA:BB");
  check_fingerprints (HEAD ICE SETUP VIDEO PRINT AUDIO "a=fingerprint:sha-256 CC:DD\r\n",
                      "sha-256 AA:BB, sha-256 CC:DD");
  check_fingerprints (HEAD ICE SETUP "a=fingerprint:sha-512 01\r\n" VIDEO PRINT
                                     "a=fingerprint:sha-384 02\r\n",
                      "sha-512 01, sha-256 AA:BB, sha-384 02");
  check_fingerprints (HEAD REFUSE, "");
}

typedef struct {
  const char *name;
  const char *fingerprints[3];
  gboolean matches;
} Match;

static const Match matches[] = {
    {"sha-256", {"sha-256 " SHA256}, TRUE},
    {"sha-384", {"sha-384 " SHA384}, TRUE},
    {"sha-512", {"sha-512 " SHA512}, TRUE},
    {"second", {"sha-256 AA:BB", "sha-512 " SHA512}, TRUE},
    {"sha-1", {"sha-1 " SHA1}, FALSE},
    {"none", {NULL}, FALSE},
    {"no-digest", {"sha-256"}, FALSE},
    {"empty-digest", {"sha-256 "}, FALSE},
    {"empty", {""}, FALSE},
    {"digest-only", {SHA256}, FALSE},
    {"wrong-algorithm", {"sha-512 " SHA256}, FALSE},
    {"algorithm-prefix", {"sha-25 " SHA256}, FALSE},
    {"algorithm-suffix", {"sha-2566 " SHA256}, FALSE},
    {"short", {"sha-256 BA:2A:25:B0"}, FALSE},
    {"longer", {"sha-256 " SHA256 ":00"}, FALSE},
    {"two-lines", {"sha-256 AA:BB", "sha-1 " SHA1}, FALSE},
};

static void
test_match (gconstpointer data)
{
  const Match *match = data;
  g_autofree char *lower_first =
      match->fingerprints[0] != NULL ? g_ascii_strdown (match->fingerprints[0], -1) : NULL;
  g_autofree char *upper_first =
      match->fingerprints[0] != NULL ? g_ascii_strup (match->fingerprints[0], -1) : NULL;
  const char *lower[] = {lower_first, match->fingerprints[1], NULL};
  const char *upper[] = {upper_first, match->fingerprints[1], NULL};

  g_assert_cmpint (gst_conic_sdp_matches_certificate (match->fingerprints, certificate), ==,
                   match->matches);
  g_assert_cmpint (gst_conic_sdp_matches_certificate (lower, certificate), ==, match->matches);
  g_assert_cmpint (gst_conic_sdp_matches_certificate (upper, certificate), ==, match->matches);
  g_assert_false (gst_conic_sdp_matches_certificate (match->fingerprints, other_certificate));
}

/* No digit of a fingerprint may be different. */
static void
test_every_digit (void)
{
  g_autofree char *fingerprint = g_strdup ("sha-256 " SHA256);
  const char *fingerprints[] = {fingerprint, NULL};

  for (char *p = strchr (fingerprint, ' ') + 1; *p != '\0'; p++) {
    char right = *p;

    if (right == ':')
      continue;
    *p = right == '0' ? '1' : '0';
    g_assert_false (gst_conic_sdp_matches_certificate (fingerprints, certificate));
    *p = right;
  }
  g_assert_true (gst_conic_sdp_matches_certificate (fingerprints, certificate));
}

static void
test_no_certificate (void)
{
  static const char *const broken[] = {
      "",
      "certificate",
      "-----BEGIN CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
      "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n",
  };
  static const char *const fingerprints[] = {"sha-256 " SHA256, NULL};

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    g_assert_false (gst_conic_sdp_matches_certificate (fingerprints, broken[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree char *path = g_strdup_printf ("/sdp/refusal/%s", refusals[i].name);

    g_test_add_data_func (path, &refusals[i], test_refusal);
  }
  g_test_add_func ("/sdp/too-many-sections", test_too_many_sections);
  g_test_add_func ("/sdp/too-long", test_too_long);
  g_test_add_func ("/sdp/candidates", test_candidates);
  g_test_add_func ("/sdp/before", test_before);
  g_test_add_func ("/sdp/accepted", test_accepted);
  g_test_add_func ("/sdp/mids", test_mids);
  g_test_add_func ("/sdp/filled-in-mids", test_filled_in_mids);
  g_test_add_func ("/sdp/kinds-and-directions", test_kinds_and_directions);
  g_test_add_func ("/sdp/widen", test_widen);
  g_test_add_func ("/sdp/narrow", test_narrow);
  g_test_add_func ("/sdp/fingerprints", test_fingerprints);
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++) {
    g_autofree char *path = g_strdup_printf ("/sdp/match/%s", matches[i].name);

    g_test_add_data_func (path, &matches[i], test_match);
  }
  g_test_add_func ("/sdp/every-digit", test_every_digit);
  g_test_add_func ("/sdp/no-certificate", test_no_certificate);

  return g_test_run ();
}
