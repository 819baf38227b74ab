/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What we read of session descriptions ourselves; all of it pure. */

#include "gstconicsdp.h"

#include <string.h>

#include "gstconicsessionerror.h"

/* Fingerprints of a description that are looked at: of each certificate one for each hash, RFC 8122
 * section 5. */
#define FINGERPRINTS_MAX 64

/* Bytes of a candidate: names of 255 at the most, and some numbers. */
#define CANDIDATE_MAX 1024

/* Names of codecs for people; our own. In bytes. */
#define CODECS_ATTRIBUTE  "conic-codecs"
#define CODECS_MAX_LENGTH 100
#define CODECS_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_, "

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

static const char *
find_attribute (const GstSDPMessage *sdp, const GstSDPMedia *media, const char *name)
{
  const char *value = gst_sdp_media_get_attribute_val (media, name);

  return value != NULL ? value : gst_sdp_message_get_attribute_val (sdp, name);
}

static gboolean
is_rejected (const GstSDPMedia *media)
{
  return gst_sdp_media_get_port (media) == 0 &&
         gst_sdp_media_get_attribute_val (media, "bundle-only") == NULL;
}

static gboolean
check_lengths (guint n_formats, guint n_attributes, GError **error)
{
  if (n_formats <= GST_CONIC_SDP_FORMATS_MAX && n_attributes <= GST_CONIC_SDP_ATTRIBUTES_MAX)
    return TRUE;
  g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
               "it is too long: %u formats or %u attributes in one place, not at most %d and %d",
               n_formats, n_attributes, GST_CONIC_SDP_FORMATS_MAX, GST_CONIC_SDP_ATTRIBUTES_MAX);
  return FALSE;
}

static gboolean
check_media (const GstSDPMessage *sdp, guint index, GError **error)
{
  static const char *const required[] = {"ice-ufrag", "ice-pwd", "fingerprint", "setup"};
  const GstSDPMedia *media = gst_sdp_message_get_media (sdp, index);

  if (gst_sdp_media_get_media (media) == NULL || gst_sdp_media_formats_len (media) == 0 ||
      *gst_sdp_media_get_format (media, 0) == '\0') {
    g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                 "media section %u has no formats", index);
    return FALSE;
  }
  if (!check_lengths (gst_sdp_media_formats_len (media), gst_sdp_media_attributes_len (media),
                      error))
    return FALSE;
  /* A section that is turned down needs no transport. */
  if (is_rejected (media))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (required); i++) {
    if (find_attribute (sdp, media, required[i]) == NULL) {
      g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                   "media section %u has no a=%s", index, required[i]);
      return FALSE;
    }
  }
  return TRUE;
}

/* The mids of the description before, or else numbers that no section has. */
static void
add_missing_mids (GstSDPMessage *sdp, const GstSDPMessage *before)
{
  guint next = 0;

  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *) gst_sdp_message_get_media (sdp, i);
    g_autofree char *mid = NULL;

    if (gst_sdp_media_get_attribute_val (media, "mid") != NULL)
      continue;
    if (before != NULL)
      mid = g_strdup (gst_conic_sdp_get_mid (before, i));
    while (mid == NULL || gst_conic_sdp_find_mid (sdp, mid) >= 0) {
      g_free (mid);
      mid = g_strdup_printf ("%u", next++);
    }
    gst_sdp_media_add_attribute (media, "mid", mid);
  }
}

/* Zero is no source, and webrtcbin says so with a critical. */
static void
drop_bad_ssrcs (GstSDPMessage *sdp)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *) gst_sdp_message_get_media (sdp, i);

    for (guint j = gst_sdp_media_attributes_len (media); j > 0; j--) {
      const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, j - 1);

      if (g_strcmp0 (attribute->key, "ssrc") == 0 &&
          (attribute->value == NULL ||
           (guint32) g_ascii_strtoull (attribute->value, NULL, 10) == 0))
        gst_sdp_media_remove_attribute (media, j - 1);
    }
  }
}

static gboolean
check_mids (const GstSDPMessage *sdp, GError **error)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    if (gst_conic_sdp_find_mid (sdp, gst_conic_sdp_get_mid (sdp, i)) != (int) i) {
      g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                   "media section %u has the a=mid of another", i);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
agrees_with (const GstSDPMessage *sdp, const GstSDPMessage *before, GError **error)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (before); i++) {
    const GstSDPMedia *old = gst_sdp_message_get_media (before, i);
    const GstSDPMedia *new =
        i < gst_sdp_message_medias_len (sdp) ? gst_sdp_message_get_media (sdp, i) : NULL;

    if (new == NULL ||
        g_strcmp0 (gst_sdp_media_get_media (new), gst_sdp_media_get_media (old)) != 0 ||
        g_strcmp0 (gst_conic_sdp_get_mid (sdp, i), gst_conic_sdp_get_mid (before, i)) != 0) {
      g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                   "media section %u is not where it was", i);
      return FALSE;
    }
  }
  return TRUE;
}

/* (transfer full) (nullable): the mids of the BUNDLE group, RFC 9143 section 5 */
static GStrv
get_bundle (const GstSDPMessage *sdp)
{
  const char *value;

  for (guint n = 0; (value = gst_sdp_message_get_attribute_val_n (sdp, "group", n)) != NULL; n++)
    if (g_str_has_prefix (value, "BUNDLE "))
      return g_strsplit (value + strlen ("BUNDLE "), " ", -1);
  return NULL;
}

/* webrtcbin 1.22 takes a data section for one of a transport of its own, unless the transport that
 * it is bundled on is there already. */
static gboolean
is_data_after (const GstSDPMessage *sdp, guint tag)
{
  for (guint i = 0; i < tag; i++)
    if (gst_conic_sdp_get_kind (gst_sdp_message_get_media (sdp, i)) == GST_WEBRTC_KIND_UNKNOWN)
      return FALSE;
  return TRUE;
}

/* All sections on one transport, or as before. */
static gboolean
check_bundle (const GstSDPMessage *sdp, const GstSDPMessage *before, GError **error)
{
  g_auto (GStrv) mids = get_bundle (sdp);
  g_auto (GStrv) old_mids = before != NULL ? get_bundle (before) : NULL;
  gboolean good = TRUE;
  int tag;

  if (mids == NULL) {
    for (guint i = 1; i < gst_sdp_message_medias_len (sdp) && old_mids != NULL; i++)
      good = good && is_rejected (gst_sdp_message_get_media (sdp, i));
  } else {
    tag = gst_conic_sdp_find_mid (sdp, mids[0]);
    good = tag >= 0 && gst_sdp_media_get_port (gst_sdp_message_get_media (sdp, (guint) tag)) != 0 &&
           is_data_after (sdp, (guint) tag) &&
           (before == NULL || (old_mids != NULL && g_strcmp0 (mids[0], old_mids[0]) == 0));
    for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++)
      good = good && (is_rejected (gst_sdp_message_get_media (sdp, i)) ||
                      g_strv_contains ((const char *const *) mids, gst_conic_sdp_get_mid (sdp, i)));
  }
  if (!good)
    g_set_error_literal (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                         "its BUNDLE group leaves out a media section, stands after that for data, "
                         "or is not what it was");
  return good;
}

GstSDPMessage *
gst_conic_sdp_parse (const char *text, const GstSDPMessage *before, GError **error)
{
  GstSDPMessage *parsed = NULL;
  g_autoptr (GstSDPMessage) sdp = NULL;
  guint n_medias;

  g_return_val_if_fail (text != NULL, NULL);

  if (*text == '\0' || gst_sdp_message_new_from_text (text, &parsed) != GST_SDP_OK) {
    g_set_error_literal (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                         "it is not SDP");
    return NULL;
  }
  sdp = parsed;

  n_medias = gst_sdp_message_medias_len (sdp);
  if (n_medias == 0 || n_medias > GST_CONIC_SDP_MEDIAS_MAX) {
    g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                 "it has %u media sections, not 1 to %d", n_medias, GST_CONIC_SDP_MEDIAS_MAX);
    return NULL;
  }
  if (!check_lengths (0, gst_sdp_message_attributes_len (sdp), error))
    return NULL;
  for (guint i = 0; i < n_medias; i++)
    if (!check_media (sdp, i, error))
      return NULL;

  add_missing_mids (sdp, before);
  if (!check_mids (sdp, error) || (before != NULL && !agrees_with (sdp, before, error)) ||
      !check_bundle (sdp, before, error))
    return NULL;
  drop_bad_ssrcs (sdp);
  return g_steal_pointer (&sdp);
}

gboolean
gst_conic_sdp_is_candidate (const char *candidate)
{
  const char *component = strchr (candidate, ' ');

  return g_str_has_prefix (candidate, "candidate:") && component != NULL &&
         g_str_has_prefix (component, " 1 ") && strlen (candidate) <= CANDIDATE_MAX;
}

static void
add_fingerprint (GPtrArray *fingerprints, const char *value)
{
  if (value != NULL && fingerprints->len < FINGERPRINTS_MAX &&
      !g_ptr_array_find_with_equal_func (fingerprints, value, g_str_equal, NULL))
    g_ptr_array_add (fingerprints, g_strdup (value));
}

GStrv
gst_conic_sdp_get_fingerprints (const GstSDPMessage *sdp)
{
  GPtrArray *fingerprints = g_ptr_array_new ();
  const char *value;

  for (guint n = 0; (value = gst_sdp_message_get_attribute_val_n (sdp, "fingerprint", n)); n++)
    add_fingerprint (fingerprints, value);
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

    for (guint n = 0; (value = gst_sdp_media_get_attribute_val_n (media, "fingerprint", n)); n++)
      add_fingerprint (fingerprints, value);
  }
  g_ptr_array_add (fingerprints, NULL);
  return (GStrv) g_ptr_array_free (fingerprints, FALSE);
}

static GBytes *
pem_to_der (const char *pem)
{
  const char *begin = strstr (pem, PEM_BEGIN);
  const char *end = begin != NULL ? strstr (begin, PEM_END) : NULL;
  g_autofree char *base64 = NULL;
  guchar *der;
  gsize length;

  if (end == NULL)
    return NULL;
  begin += strlen (PEM_BEGIN);
  base64 = g_strndup (begin, (gsize) (end - begin));
  der = g_base64_decode (base64, &length);
  return g_bytes_new_take (der, length);
}

/* SHA-1 and weaker are known to a SIP of long ago, and to no browser. */
static gboolean
find_checksum (const char *name, gsize length, GChecksumType *type)
{
  static const struct {
    const char *name;
    GChecksumType type;
  } checksums[] = {
      {"sha-256", G_CHECKSUM_SHA256},
      {"sha-384", G_CHECKSUM_SHA384},
      {"sha-512", G_CHECKSUM_SHA512},
  };

  for (guint i = 0; i < G_N_ELEMENTS (checksums); i++) {
    if (strlen (checksums[i].name) == length &&
        g_ascii_strncasecmp (checksums[i].name, name, length) == 0) {
      *type = checksums[i].type;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
fingerprint_matches (const char *fingerprint, GBytes *der)
{
  const char *space = strchr (fingerprint, ' ');
  g_autofree char *digest = NULL;
  g_autoptr (GString) given = NULL;
  GChecksumType type;

  if (space == NULL || !find_checksum (fingerprint, (gsize) (space - fingerprint), &type))
    return FALSE;
  given = g_string_new (NULL);
  for (const char *p = space; *p != '\0'; p++)
    if (g_ascii_isxdigit (*p))
      g_string_append_c (given, g_ascii_tolower (*p));
  digest = g_compute_checksum_for_bytes (type, der);
  return strcmp (digest, given->str) == 0;
}

gboolean
gst_conic_sdp_matches_certificate (const char *const *fingerprints, const char *pem)
{
  g_autoptr (GBytes) der = pem_to_der (pem);

  for (guint i = 0; der != NULL && fingerprints[i] != NULL; i++)
    if (fingerprint_matches (fingerprints[i], der))
      return TRUE;
  return FALSE;
}

/* What a section may carry, seen from who describes it: a set of these. */
#define SENDS    1u
#define RECEIVES 2u

static const char *const directions[] = {
    [0] = "inactive",
    [SENDS] = "sendonly",
    [RECEIVES] = "recvonly",
    [SENDS | RECEIVES] = "sendrecv",
};

/* Both ways if @media says nothing. */
static guint
get_ways (const GstSDPMedia *media)
{
  guint ways = 0;

  while (ways < (SENDS | RECEIVES) &&
         gst_sdp_media_get_attribute_val (media, directions[ways]) == NULL)
    ways++;
  return ways;
}

gboolean
gst_conic_sdp_sends (const GstSDPMedia *media)
{
  return (get_ways (media) & SENDS) != 0;
}

gboolean
gst_conic_sdp_receives (const GstSDPMedia *media)
{
  return (get_ways (media) & RECEIVES) != 0;
}

static void
set_ways (GstSDPMedia *media, guint ways)
{
  for (guint i = gst_sdp_media_attributes_len (media); i > 0; i--) {
    const char *key = gst_sdp_media_get_attribute (media, i - 1)->key;

    for (guint j = 0; j < G_N_ELEMENTS (directions); j++) {
      if (g_strcmp0 (key, directions[j]) == 0) {
        gst_sdp_media_remove_attribute (media, i - 1);
        break;
      }
    }
  }
  gst_sdp_media_add_attribute (media, directions[ways], "");
}

void
gst_conic_sdp_widen (GstSDPMessage *sdp)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *) gst_sdp_message_get_media (sdp, i);

    if (gst_conic_sdp_get_kind (media) != GST_WEBRTC_KIND_UNKNOWN)
      set_ways (media, SENDS | RECEIVES);
  }
}

void
gst_conic_sdp_narrow (GstSDPMessage *sdp, const GstSDPMessage *offer, guint64 silent)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *) gst_sdp_message_get_media (sdp, i);
    guint ways = get_ways (media);

    if (gst_conic_sdp_get_kind (media) == GST_WEBRTC_KIND_UNKNOWN)
      continue;
    if (i < GST_CONIC_SDP_MEDIAS_MAX && (silent & G_GUINT64_CONSTANT (1) << i) != 0)
      ways &= ~SENDS;
    if (offer != NULL && !gst_conic_sdp_receives (gst_sdp_message_get_media (offer, i)))
      ways &= ~SENDS;
    if (offer != NULL && !gst_conic_sdp_sends (gst_sdp_message_get_media (offer, i)))
      ways &= ~RECEIVES;
    set_ways (media, ways);
  }
}

void
gst_conic_sdp_set_codecs (GstSDPMessage *sdp, guint index, const char *codecs)
{
  if (index < gst_sdp_message_medias_len (sdp))
    gst_sdp_media_add_attribute ((GstSDPMedia *) gst_sdp_message_get_media (sdp, index),
                                 CODECS_ATTRIBUTE, codecs);
}

const char *
gst_conic_sdp_get_codecs (const GstSDPMedia *media)
{
  const char *codecs = gst_sdp_media_get_attribute_val (media, CODECS_ATTRIBUTE);

  if (codecs == NULL || strlen (codecs) > CODECS_MAX_LENGTH ||
      strspn (codecs, CODECS_CHARACTERS) < strlen (codecs))
    return NULL;
  return codecs;
}

GstWebRTCKind
gst_conic_sdp_get_kind (const GstSDPMedia *media)
{
  const char *name = gst_sdp_media_get_media (media);

  if (g_strcmp0 (name, "audio") == 0)
    return GST_WEBRTC_KIND_AUDIO;
  if (g_strcmp0 (name, "video") == 0)
    return GST_WEBRTC_KIND_VIDEO;
  return GST_WEBRTC_KIND_UNKNOWN;
}

const char *
gst_conic_sdp_get_mid (const GstSDPMessage *sdp, guint index)
{
  if (index >= gst_sdp_message_medias_len (sdp))
    return NULL;
  return gst_sdp_media_get_attribute_val (gst_sdp_message_get_media (sdp, index), "mid");
}

int
gst_conic_sdp_find_mid (const GstSDPMessage *sdp, const char *mid)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++)
    if (g_strcmp0 (gst_conic_sdp_get_mid (sdp, i), mid) == 0)
      return (int) i;
  return -1;
}
