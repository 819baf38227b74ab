/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libjwt takes the algorithm from the token and the key for whatever that needs: an RSA key's public
 * text would be taken for a secret if a token said HS256. So each key has the one algorithm that it
 * is for, and a token is only good if it names the same. */

#include "conic-token.h"

#include "conic-scan.h"
#include "conic-secret.h"
#include "conic-server-error.h"

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* Seconds by which the clock of whoever made a token may differ from this one. */
#define LEEWAY_SECONDS 30

/* Bytes of a secret: as many as HS256 makes of it, RFC 7518 section 3.2. */
#define SECRET_MIN_BYTES 32

/* Bits of an RSA key: RFC 7518 section 3.3. */
#define RSA_MIN_BITS 2048

/* A number beyond is no time that anybody means, and not exact as a double. */
#define TIME_MAX 9007199254740992.0

struct _ConicTokenKey {
  jwt_alg_t algorithm;
  GBytes *bytes;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (jwt_t, jwt_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)

/* For a key file that is encrypted: OpenSSL would ask for its password on the terminal. */
static int
on_password_wanted (char *buffer, int size, int for_writing, void *user_data)
{
  return -1;
}

typedef EVP_PKEY *(*ReadKey) (BIO *, EVP_PKEY **, pem_password_cb *, void *);

static EVP_PKEY *
read_pem (GBytes *bytes, ReadKey read)
{
  g_autoptr (BIO) bio =
      BIO_new_mem_buf (g_bytes_get_data (bytes, NULL), (int) g_bytes_get_size (bytes));

  return read (bio, NULL, on_password_wanted, NULL);
}

/* Returns (nullable): what is wrong with a key in PEM; sets @algorithm if nothing is */
static const char *
judge_pem (GBytes *bytes, ReadKey read, ReadKey read_other, jwt_alg_t *algorithm)
{
  g_autoptr (EVP_PKEY) key = read_pem (bytes, read);

  if (key == NULL) {
    g_autoptr (EVP_PKEY) other = read_pem (bytes, read_other);

    if (other != NULL && read == PEM_read_bio_PUBKEY)
      return "this is a private key; tokens are checked by the public one that belongs to it";
    if (other != NULL)
      return "this is a public key; tokens are signed with the private one that belongs to it";
    return "this PEM file has no key that can be read (a certificate is none, nor is one that "
           "needs "
           "a password)";
  }
  switch (EVP_PKEY_get_base_id (key)) {
  case EVP_PKEY_RSA:
    if (EVP_PKEY_get_bits (key) < RSA_MIN_BITS)
      return "this RSA key has less than 2048 bits";
    *algorithm = JWT_ALG_RS256;
    return NULL;
  case EVP_PKEY_ED25519:
    return "this is an Ed25519 key, and EdDSA needs a newer libjwt; RSA keys and secrets are taken";
  default:
    return "this is neither an RSA key nor a secret; others are not taken";
  }
}

/* Whether it is what stands between the lines of PEM: many programs show a public key that way. */
static gboolean
is_bare_key (const char *text)
{
  gsize length;
  g_autofree guchar *der = g_base64_decode (text, &length);
  const guchar *at_key = der, *at_certificate = der, *at_private = der;
  g_autoptr (EVP_PKEY) key = d2i_PUBKEY (NULL, &at_key, (long) length);
  g_autoptr (X509) certificate = d2i_X509 (NULL, &at_certificate, (long) length);
  g_autoptr (EVP_PKEY) private_key = d2i_AutoPrivateKey (NULL, &at_private, (long) length);

  return key != NULL || certificate != NULL || private_key != NULL;
}

/* Public keys that aren't in PEM would pass as secrets that everybody knows. */
static const char *
judge_secret (GBytes *bytes)
{
  const char *text = g_bytes_get_data (bytes, NULL);

  if (is_bare_key (text))
    return "this is a key or a certificate without the lines of PEM around it (-----BEGIN …)";
  if (text[0] == '{' || g_str_has_prefix (text, "ssh-"))
    return "this is a key in a form that is not taken (JWK or OpenSSH); PEM is";
  if (g_bytes_get_size (bytes) < SECRET_MIN_BYTES)
    return "a secret has to have 32 bytes or more";
  return NULL;
}

static ConicTokenKey *
load_key (const char *path, ReadKey read, ReadKey read_other, GError **error)
{
  g_autoptr (GBytes) bytes = conic_secret_load (path, error);
  jwt_alg_t algorithm = JWT_ALG_HS256;
  const char *problem;
  ConicTokenKey *self;

  if (bytes == NULL)
    return NULL;
  if (strstr (g_bytes_get_data (bytes, NULL), "-----BEGIN ") != NULL)
    problem = judge_pem (bytes, read, read_other, &algorithm);
  else
    problem = judge_secret (bytes);
  if (problem != NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s: %s", path, problem);
    return NULL;
  }
  self = g_new0 (ConicTokenKey, 1);
  self->algorithm = algorithm;
  self->bytes = g_steal_pointer (&bytes);
  return self;
}

/**
 * conic_token_key_load_for_checking:
 * @path: (type filename): an RSA public key in PEM, or a secret of 32 bytes or more
 * @error: return location for a #CONIC_SERVER_ERROR, which names the file
 *
 * Returns: (transfer full) (nullable): the key, or %NULL if the file has none that is taken
 */
ConicTokenKey *
conic_token_key_load_for_checking (const char *path, GError **error)
{
  return load_key (path, PEM_read_bio_PUBKEY, PEM_read_bio_PrivateKey, error);
}

/**
 * conic_token_key_load_for_signing:
 * @path: (type filename): an RSA private key in PEM, or a secret of 32 bytes or more
 * @error: return location for a #CONIC_SERVER_ERROR, which names the file
 *
 * Returns: (transfer full) (nullable): the key, or %NULL if the file has none that is taken
 */
ConicTokenKey *
conic_token_key_load_for_signing (const char *path, GError **error)
{
  return load_key (path, PEM_read_bio_PrivateKey, PEM_read_bio_PUBKEY, error);
}

void
conic_token_key_free (ConicTokenKey *self)
{
  g_bytes_unref (self->bytes);
  g_free (self);
}

static gboolean
add_targets (jwt_t *jwt, const char *const *targets)
{
  g_autofree char *joined = g_strjoinv ("\",\"", (GStrv) targets);
  g_autofree char *json = targets[0] != NULL ? g_strdup_printf ("{\"targets\":[\"%s\"]}", joined)
                                             : g_strdup ("{\"targets\":[]}");

  return jwt_add_grants_json (jwt, json) == 0;
}

/**
 * conic_token_sign:
 * @key: a key for signing
 * @claims: what the token is to say
 * @error: return location for %CONIC_ERROR_INVALID_ID if the subject or a target is none, or for
 *   a #CONIC_SERVER_ERROR
 *
 * Returns: (transfer full) (nullable): the token, in RFC 7515's compact form, or %NULL
 */
char *
conic_token_sign (const ConicTokenKey *key, const ConicTokenClaims *claims, GError **error)
{
  g_autoptr (ConicGrant) grant = conic_grant_new (claims->subject, claims->targets, error);
  g_autoptr (jwt_t) jwt = NULL;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (key->bytes, &length);
  char *encoded = NULL;
  char *token;

  if (grant == NULL)
    return NULL;
  if (jwt_new (&jwt) == 0 && jwt_set_alg (jwt, key->algorithm, bytes, (int) length) == 0 &&
      jwt_add_grant (jwt, "sub", claims->subject) == 0 &&
      jwt_add_grant (jwt, "aud", claims->audience) == 0 &&
      jwt_add_grant_int (jwt, "iat", claims->issued) == 0 &&
      jwt_add_grant_int (jwt, "exp", claims->expires) == 0 &&
      (claims->targets == NULL || add_targets (jwt, claims->targets)))
    encoded = jwt_encode_str (jwt);
  if (encoded == NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_TOKEN, "The token can't be signed");
    return NULL;
  }
  token = g_strdup (encoded);
  free (encoded);
  return token;
}

/* RFC 7515 section 7.1: three parts of base64url. libjwt would stop reading a part at the first
 * other character. */
static gboolean
is_compact (const char *token)
{
  guint parts = 1;
  gsize length = 0;

  for (const char *c = token; *c != '\0'; c++) {
    if (*c == '.') {
      if (length == 0)
        return FALSE;
      parts++;
      length = 0;
    } else if (g_ascii_isalnum (*c) || *c == '-' || *c == '_') {
      length++;
    } else {
      return FALSE;
    }
  }
  return parts == 3 && length > 0;
}

/* Returns (transfer full) (nullable): what the token says, if it is signed with the key. libjwt
 * compares signatures in constant time since CVE-2024-25189, and so does Debian 12's. */
static jwt_t *
verify (const ConicTokenKey *key, const char *token)
{
  g_autoptr (jwt_t) jwt = NULL;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (key->bytes, &length);
  g_autofree char *critical = NULL;

  if (jwt_decode (&jwt, token, bytes, (int) length) != 0 || jwt_get_alg (jwt) != key->algorithm)
    return NULL;
  /* Extensions that have to be understood, RFC 7515 section 4.1.11: none are. */
  critical = jwt_get_headers_json (jwt, "crit");
  return critical == NULL ? g_steal_pointer (&jwt) : NULL;
}

static gboolean
fail (GError **error, const char *problem)
{
  g_set_error_literal (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_TOKEN, problem);
  return FALSE;
}

/* Reads a NumericDate, RFC 7519 section 2. Returns whether there is one. */
static gboolean
get_time (jwt_t *jwt, const char *name, gint64 *time)
{
  g_autofree char *json = jwt_get_grants_json (jwt, name);
  ConicScan scan;
  ConicJsonValue value;
  double seconds;

  if (json == NULL)
    return FALSE;
  conic_scan_init (&scan, json, strlen (json));
  if (!conic_scan_value (&scan, &value) || value.kind != CONIC_JSON_NUMBER)
    return FALSE;
  seconds = g_ascii_strtod (json, NULL);
  if (!(seconds >= 0 && seconds <= TIME_MAX))
    return FALSE;
  *time = (gint64) seconds;
  return TRUE;
}

/* Returns (transfer full) (nullable): the strings of an array, or the one that stands alone; %NULL if
 * it is anything else */
static GStrv
read_strings (const char *json)
{
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();
  ConicScan scan;
  gboolean in_array;

  conic_scan_init (&scan, json, strlen (json));
  in_array = conic_scan_peek (&scan) == '[' && conic_scan_open_array (&scan);
  while (!in_array || conic_scan_next_element (&scan)) {
    ConicJsonValue value;
    g_autofree char *string = NULL;

    if (!conic_scan_value (&scan, &value) || value.kind != CONIC_JSON_STRING || value.has_nul)
      return NULL;
    string = g_malloc0 (value.text.length + 1);
    conic_scan_unescape (value.text, string);
    g_strv_builder_add (strings, string);
    if (!in_array)
      break;
  }
  return scan.problem == NULL ? g_strv_builder_end (strings) : NULL;
}

static gboolean
check_times (jwt_t *jwt, gint64 now, gint64 *expires, GError **error)
{
  g_autofree char *not_before_json = jwt_get_grants_json (jwt, "nbf");
  gint64 not_before;

  if (!get_time (jwt, "exp", expires))
    return fail (error, "The token has no exp");
  if (now >= *expires + LEEWAY_SECONDS)
    return fail (error, "The token has expired");
  if (not_before_json == NULL)
    return TRUE;
  if (!get_time (jwt, "nbf", &not_before))
    return fail (error, "The token's nbf is no time");
  if (now < not_before - LEEWAY_SECONDS)
    return fail (error, "The token is not valid yet");
  return TRUE;
}

static gboolean
check_audience (jwt_t *jwt, const char *audience, GError **error)
{
  g_autofree char *json = jwt_get_grants_json (jwt, "aud");
  g_auto (GStrv) audiences = json != NULL ? read_strings (json) : NULL;

  if (audiences == NULL || !g_strv_contains ((const char *const *) audiences, audience))
    return fail (error, "The token is meant for another audience");
  return TRUE;
}

static ConicGrant *
make_grant (jwt_t *jwt, GError **error)
{
  const char *subject = jwt_get_grant (jwt, "sub");
  g_autofree char *json = jwt_get_grants_json (jwt, "targets");
  g_auto (GStrv) targets = NULL;
  g_autoptr (GError) why = NULL;
  ConicGrant *grant;

  if (subject == NULL) {
    fail (error, "The token has no sub");
    return NULL;
  }
  if (json != NULL && (json[0] != '[' || (targets = read_strings (json)) == NULL)) {
    fail (error, "The token's targets are no array of strings");
    return NULL;
  }
  grant = conic_grant_new (subject, (const char *const *) targets, &why);
  if (grant == NULL)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_TOKEN, "The token's %s",
                 why->message);
  return grant;
}

/**
 * conic_token_check:
 * @keys: (element-type ConicTokenKey): keys for checking, any of which will do
 * @audience: who the token has to be meant for
 * @token: a token, as it was sent
 * @now: Unix time in seconds
 * @expires: (out): Unix time in seconds at which it is over for certain
 * @error: return location for %CONIC_SERVER_ERROR_TOKEN, in ASCII and without a word of the token
 *
 * Returns: (transfer full) (nullable): what the token grants, or %NULL if it is not good
 */
ConicGrant *
conic_token_check (const GPtrArray *keys,
                   const char *audience,
                   const char *token,
                   gint64 now,
                   gint64 *expires,
                   GError **error)
{
  g_autoptr (jwt_t) jwt = NULL;
  gint64 end;

  if (!is_compact (token)) {
    fail (error, "The token is malformed");
    return NULL;
  }
  for (guint i = 0; i < keys->len && jwt == NULL; i++)
    jwt = verify (g_ptr_array_index (keys, i), token);
  if (jwt == NULL) {
    fail (error, "The token is not signed with a key of this hub");
    return NULL;
  }
  if (!check_times (jwt, now, &end, error) || !check_audience (jwt, audience, error))
    return NULL;
  *expires = end + LEEWAY_SECONDS;
  return make_grant (jwt, error);
}
