/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tokens that are good, and all that are not. They are put together by hand here, for no library
 * makes the bad ones. */

#include "conic-token.h"

#include "conic-error.h"
#include "conic-server-error.h"
#include "jwt.h"

#include <glib/gstdio.h>
#include <string.h>

#define NOW      1700000000
#define LEEWAY   30
#define SECRET   "0123456789abcdef0123456789abcdef"
#define OTHER    "another secret of more than 32 bytes"
#define HS256    "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define AUDIENCE "\"aud\":\"conicd\""
#define IN_TIME  "\"exp\":1700000010"
#define GOOD     "{\"sub\":\"alice\"," AUDIENCE "," IN_TIME "}"

typedef struct {
  char *path;
  GPtrArray *keys;
} Fixture;

static void
write_key (Fixture *fixture, const char *text)
{
  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
}

static void
add_key (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;
  ConicTokenKey *key;

  write_key (fixture, text);
  key = conic_token_key_load_for_checking (fixture->path, &error);
  g_assert_no_error (error);
  g_ptr_array_add (fixture->keys, key);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  int fd = g_file_open_tmp ("conic-test-XXXXXX", &fixture->path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  fixture->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) conic_token_key_free);
  add_key (fixture, SECRET "\n");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_free (fixture->path);
  g_ptr_array_unref (fixture->keys);
}

/* (transfer full): a token with an HMAC of that kind */
static char *
make_token (const char *header, const char *claims, GChecksumType digest, const char *secret)
{
  return jwt_make (header, claims, strlen (claims), digest, secret);
}

static ConicGrant *
check_at (Fixture *fixture, const char *token, gint64 now, GError **error)
{
  gint64 expires;

  return conic_token_check (fixture->keys, "conicd", token, now, &expires, error);
}

static void
expect_bad_token (Fixture *fixture, const char *token, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicGrant) grant = check_at (fixture, token, NOW, &error);

  g_assert_null (grant);
  g_assert_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_TOKEN);
  g_assert_nonnull (strstr (error->message, named));
  /* It becomes a quoted string of a header: RFC 6750 section 3. */
  for (const char *c = error->message; *c != '\0'; c++)
    g_assert_true (g_ascii_isprint (*c) && *c != '"' && *c != '\\');
}

static void
expect_bad (Fixture *fixture, const char *claims, const char *named)
{
  g_autofree char *token = make_token (HS256, claims, G_CHECKSUM_SHA256, SECRET);

  g_test_message ("%s", claims);
  expect_bad_token (fixture, token, named);
}

static ConicGrant *
expect_good (Fixture *fixture, const char *claims, gint64 now)
{
  g_autofree char *token = make_token (HS256, claims, G_CHECKSUM_SHA256, SECRET);
  g_autoptr (GError) error = NULL;
  ConicGrant *grant = check_at (fixture, token, now, &error);

  g_test_message ("%s", claims);
  g_assert_no_error (error);
  return grant;
}

static void
test_good (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicGrant) grant = expect_good (fixture, GOOD, NOW);

  g_assert_true (conic_grant_may_be (grant, "alice"));
  g_assert_false (conic_grant_may_be (grant, "bob"));
  g_assert_true (conic_grant_may_reach (grant, "bob"));
}

static void
test_targets (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicGrant) grant =
      expect_good (fixture,
                   "{\"sub\":\"v*\"," AUDIENCE "," IN_TIME ",\"targets\":[\"a\", \"b.*\"]}", NOW);
  g_autoptr (ConicGrant) nobody =
      expect_good (fixture, "{\"sub\":\"v\"," AUDIENCE "," IN_TIME ",\"targets\":[]}", NOW);

  g_assert_true (conic_grant_may_be (grant, "v1"));
  g_assert_true (conic_grant_may_reach (grant, "a"));
  g_assert_true (conic_grant_may_reach (grant, "b.1"));
  g_assert_false (conic_grant_may_reach (grant, "c"));
  g_assert_false (conic_grant_may_reach (nobody, "a"));
}

static void
test_bad_claims (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *claims;
    const char *named;
  } cases[] = {
      {"{}", "exp"},
      {"[]", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE "}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":\"1700000010\"}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":null}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":true}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":-1}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":1e300}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":[1700000010]}", "exp"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":0}", "expired"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":1699999970}", "expired"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"nbf\":\"now\"}", "nbf"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"nbf\":1700000031}", "not valid yet"},
      {"{\"sub\":\"a\"," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":\"other\"," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":\"conicd2\"," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":[]," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":[\"other\"]," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":[\"conicd\",1]," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":{\"conicd\":1}," IN_TIME "}", "audience"},
      {"{\"sub\":\"a\",\"aud\":null," IN_TIME "}", "audience"},
      {"{" AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":7," AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":\"\"," AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":\"a b\"," AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":\"a\\\"b\\\\\"," AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":\"a*b\"," AUDIENCE "," IN_TIME "}", "sub"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":\"b\"}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":{}}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":null}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":[1]}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":[[\"b\"]]}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":[\"b c\"]}", "targets"},
      {"{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"targets\":[\"\"]}", "targets"},
      /* libjwt can't read these. */
      {"x", "signed"},
      {"{\"sub\":\"a\\u0000b\"," AUDIENCE "," IN_TIME "}", "signed"},
      {"{\"sub\":\"a\"," AUDIENCE ",\"exp\":1e999}", "signed"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_bad (fixture, cases[i].claims, cases[i].named);
}

static void
test_times (Fixture *fixture, gconstpointer data)
{
  g_autofree char *token = make_token (HS256, GOOD, G_CHECKSUM_SHA256, SECRET);
  gint64 expires;
  g_autoptr (ConicGrant) now =
      conic_token_check (fixture->keys, "conicd", token, NOW, &expires, NULL);
  g_autoptr (ConicGrant) late = check_at (fixture, token, NOW + 10 + LEEWAY - 1, NULL);
  g_autoptr (ConicGrant) too_late = check_at (fixture, token, NOW + 10 + LEEWAY, NULL);
  g_autoptr (ConicGrant) early =
      expect_good (fixture, "{\"sub\":\"a\"," AUDIENCE "," IN_TIME ",\"nbf\":1700000030}", NOW);
  g_autoptr (ConicGrant) fraction =
      expect_good (fixture, "{\"sub\":\"a\"," AUDIENCE ",\"exp\":1700000010.5}", NOW);

  g_assert_nonnull (now);
  g_assert_cmpint (expires, ==, NOW + 10 + LEEWAY);
  g_assert_nonnull (late);
  g_assert_null (too_late);
  g_assert_nonnull (early);
  g_assert_nonnull (fraction);
}

static void
test_audiences (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConicGrant) one_of =
      expect_good (fixture, "{\"sub\":\"a\",\"aud\":[\"other\",\"conicd\"]," IN_TIME "}", NOW);
  g_autoptr (ConicGrant) escaped =
      expect_good (fixture, "{\"sub\":\"a\",\"aud\":\"\\u0063onicd\"," IN_TIME "}", NOW);
  g_autofree char *token = make_token (HS256, "{\"sub\":\"a\",\"aud\":\"h\\\"ub\"," IN_TIME "}",
                                       G_CHECKSUM_SHA256, SECRET);
  gint64 expires;
  g_autoptr (ConicGrant) odd =
      conic_token_check (fixture->keys, "h\"ub", token, NOW, &expires, NULL);

  g_assert_nonnull (one_of);
  g_assert_nonnull (escaped);
  g_assert_nonnull (odd);
}

static void
test_other_algorithms (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *header;
    GChecksumType digest;
  } cases[] = {
      {"{\"alg\":\"HS384\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA384},
      {"{\"alg\":\"HS512\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA512},
      {"{\"alg\":\"RS256\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"ES256\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"none\",\"typ\":\"JWT\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"None\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":null}", G_CHECKSUM_SHA256},
      {"{\"alg\":[\"HS256\"]}", G_CHECKSUM_SHA256},
      {"{}", G_CHECKSUM_SHA256},
      {"[]", G_CHECKSUM_SHA256},
      {"{\"alg\":\"HS256\",\"typ\":\"other\"}", G_CHECKSUM_SHA256},
      {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", G_CHECKSUM_SHA256},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *token = make_token (cases[i].header, GOOD, cases[i].digest, SECRET);

    g_test_message ("%s", cases[i].header);
    expect_bad_token (fixture, token, "signed");
  }
}

static void
test_unsigned (Fixture *fixture, gconstpointer data)
{
  g_autofree char *token = make_token ("{\"alg\":\"none\"}", GOOD, G_CHECKSUM_SHA256, SECRET);
  char *end = strrchr (token, '.') + 1;
  g_autofree char *nonsense = NULL;

  *end = '\0';
  expect_bad_token (fixture, token, "malformed");
  nonsense = g_strconcat (token, "AAAA", NULL);
  expect_bad_token (fixture, nonsense, "signed");
}

/* Every character counts, also those that a lax reader of base64 would skip. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *token = make_token (HS256, GOOD, G_CHECKSUM_SHA256, SECRET);
  gsize length = strlen (token);

  for (gsize i = 0; i < length; i++) {
    g_autofree char *changed = g_strdup (token);
    g_autoptr (ConicGrant) grant = NULL;

    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    grant = check_at (fixture, changed, NOW, NULL);
    g_assert_null (grant);
  }
  for (gsize i = 0; i < length; i++) {
    g_autofree char *cut = g_strndup (token, i);
    g_autoptr (ConicGrant) grant = check_at (fixture, cut, NOW, NULL);

    g_assert_null (grant);
  }
}

static void
test_malformed (Fixture *fixture, gconstpointer data)
{
  static const char *const bad[] = {"",       ".",      "..",      "...",  "a",
                                    "a.b",    "a.b.",   ".b.c",    "a..c", "a.b.c.d",
                                    "a.b.c=", "a.b.c ", "a.b.c\n", "ä.b.c"};
  g_autofree char *token = make_token (HS256, GOOD, G_CHECKSUM_SHA256, SECRET);
  g_autofree char *padded = g_strconcat (token, "=", NULL);
  g_autofree char *longer = g_strconcat (token, ".x", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_test_message ("%s", bad[i]);
    expect_bad_token (fixture, bad[i], "malformed");
  }
  expect_bad_token (fixture, padded, "malformed");
  expect_bad_token (fixture, longer, "malformed");
}

static void
test_rotation (Fixture *fixture, gconstpointer data)
{
  g_autofree char *old = make_token (HS256, GOOD, G_CHECKSUM_SHA256, SECRET);
  g_autofree char *new = make_token (HS256, GOOD, G_CHECKSUM_SHA256, OTHER);
  g_autoptr (ConicGrant) first = NULL;
  g_autoptr (ConicGrant) second = NULL;

  expect_bad_token (fixture, new, "signed");
  add_key (fixture, OTHER);
  first = check_at (fixture, old, NOW, NULL);
  second = check_at (fixture, new, NOW, NULL);
  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_ptr_array_remove_index (fixture->keys, 0);
  expect_bad_token (fixture, old, "signed");
}

static void
test_sign (Fixture *fixture, gconstpointer data)
{
  static const char *const targets[] = {"a", "b.*", NULL};
  g_autoptr (ConicTokenKey) key = conic_token_key_load_for_signing (fixture->path, NULL);
  ConicTokenClaims claims = {"v.*", targets, "conicd", NOW, NOW + 60};
  g_autoptr (GError) error = NULL;
  g_autofree char *token = conic_token_sign (key, &claims, &error);
  g_autofree char *unlimited = NULL;
  g_autoptr (ConicGrant) grant = NULL;
  g_autoptr (ConicGrant) more = NULL;

  g_assert_no_error (error);
  grant = check_at (fixture, token, NOW, &error);
  g_assert_no_error (error);
  g_assert_true (conic_grant_may_be (grant, "v.1"));
  g_assert_true (conic_grant_may_reach (grant, "b.1"));
  g_assert_false (conic_grant_may_reach (grant, "c"));

  claims.targets = NULL;
  unlimited = conic_token_sign (key, &claims, NULL);
  more = check_at (fixture, unlimited, NOW, NULL);
  g_assert_true (conic_grant_may_reach (more, "c"));

  claims.subject = "no id";
  g_assert_null (conic_token_sign (key, &claims, &error));
  g_assert_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID);
}

static void
test_bad_keys (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    const char *named;
  } cases[] = {
      {"", "empty"},
      {"\n", "empty"},
      {"short", "32 bytes"},
      {"0123456789abcdef0123456789abcde\n", "32 bytes"},
      {"0123456789abcdef0123456789abcdef\xff", "text"},
      {"{\"kty\":\"RSA\",\"n\":\"0123456789abcdef0123456789abcdef\"}", "JWK"},
      {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ somebody@somewhere", "OpenSSH"},
      {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "PEM"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM"},
      {"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=", "PEM"},
      {"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7\nlshQhqowtrbLDFw4rXAxZuE=\n", "PEM"},
      {"junk before\n-----BEGIN NOTHING AT ALL-----\n", "PEM"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", cases[i].text);
    write_key (fixture, cases[i].text);
    g_assert_null (conic_token_key_load_for_checking (fixture->path, &error));
    g_assert_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG);
    g_assert_nonnull (strstr (error->message, fixture->path));
    g_assert_nonnull (strstr (error->message, cases[i].named));
    g_clear_error (&error);
    g_assert_null (conic_token_key_load_for_signing (fixture->path, &error));
    g_assert_nonnull (strstr (error->message, fixture->path));
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
      {"/token/good", test_good},
      {"/token/targets", test_targets},
      {"/token/bad-claims", test_bad_claims},
      {"/token/times", test_times},
      {"/token/audiences", test_audiences},
      {"/token/other-algorithms", test_other_algorithms},
      {"/token/unsigned", test_unsigned},
      {"/token/changed", test_changed},
      {"/token/malformed", test_malformed},
      {"/token/rotation", test_rotation},
      {"/token/sign", test_sign},
      {"/token/bad-keys", test_bad_keys},
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
