/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-admission.h"

#include "conic-log.h"
#include "conic-loopback.h"
#include "conic-origin.h"
#include "conic-token.h"

#include <string.h>

/* The subprotocol, and what one begins with that is a token: a browser's page can send no header of
 * its choice, but it can name subprotocols. */
#define PROTOCOL        "conic"
#define BEARER_PROTOCOL "bearer."

/* RFC 6750 section 2.1 */
#define BEARER_SCHEME "Bearer "

/* RFC 6750 section 3 */
#define CHALLENGE "Bearer realm=\"" PROTOCOL "\""

/* Longer than any process lives: microseconds of more would not fit. */
#define FAR_SECONDS (100 * 365 * 24 * 60 * 60LL)

struct _ConicAdmission {
  ConicOrigins *origins;
  GPtrArray *keys; /* (element-type ConicTokenKey): empty is no authentication */
  char *audience;
  gboolean tls;
};

/**
 * conic_admission_new:
 * @config: what was asked for
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Reads the keys.
 *
 * Returns: (transfer full) (nullable): the rules, or %NULL if they can't be followed
 */
ConicAdmission *
conic_admission_new (const ConicConfig *config, GError **error)
{
  g_autoptr (ConicAdmission) self = g_new0 (ConicAdmission, 1);

  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) conic_token_key_free);
  self->audience = g_strdup (config->auth_audience);
  self->tls = config->tls_certificate != NULL;
  self->origins = conic_origins_new ((const char *const *) config->origins, error);
  if (self->origins == NULL)
    return NULL;
  for (gsize i = 0; config->auth_keys[i] != NULL; i++) {
    ConicTokenKey *key = conic_token_key_load_for_checking (config->auth_keys[i], error);

    if (key == NULL)
      return NULL;
    g_ptr_array_add (self->keys, key);
  }
  return g_steal_pointer (&self);
}

void
conic_admission_free (ConicAdmission *self)
{
  g_clear_pointer (&self->origins, conic_origins_free);
  g_ptr_array_unref (self->keys);
  g_free (self->audience);
  g_free (self);
}

static void
refuse (ConicVerdict *verdict, guint status, char *text, char *challenge)
{
  verdict->status = status;
  verdict->text = text;
  verdict->challenge = challenge;
}

static void
find_in_protocols (GPtrArray *tokens, SoupMessageHeaders *headers, ConicVerdict *verdict)
{
  const char *header = soup_message_headers_get_list (headers, "Sec-WebSocket-Protocol");
  GSList *protocols;

  if (header == NULL)
    return;
  protocols = soup_header_parse_list (header);
  for (GSList *link = protocols; link != NULL; link = link->next) {
    const char *protocol = link->data;

    if (g_str_equal (protocol, PROTOCOL))
      verdict->protocol = PROTOCOL;
    else if (g_str_has_prefix (protocol, BEARER_PROTOCOL))
      g_ptr_array_add (tokens, g_strdup (protocol + strlen (BEARER_PROTOCOL)));
  }
  soup_header_free_list (protocols);
}

static void
find_in_authorization (GPtrArray *tokens, SoupMessageHeaders *headers)
{
  const char *header = soup_message_headers_get_list (headers, "Authorization");

  if (header != NULL && g_ascii_strncasecmp (header, BEARER_SCHEME, strlen (BEARER_SCHEME)) == 0)
    g_ptr_array_add (tokens, g_strstrip (g_strdup (header + strlen (BEARER_SCHEME))));
}

static void
find_in_query (GPtrArray *tokens, const char *query)
{
  GUriParamsIter params;
  char *name, *value;

  if (query == NULL)
    return;
  g_uri_params_iter_init (&params, query, -1, "&", G_URI_PARAMS_NONE);
  while (g_uri_params_iter_next (&params, &name, &value, NULL)) {
    if (g_str_equal (name, "token"))
      g_ptr_array_add (tokens, value);
    else
      g_free (value);
    g_free (name);
  }
}

static void
admit_by_token (const ConicAdmission *self, const char *token, ConicVerdict *verdict)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_real_time () / G_TIME_SPAN_SECOND;
  gint64 expires;
  ConicGrant *grant = conic_token_check (self->keys, self->audience, token, now, &expires, &error);

  if (grant == NULL) {
    refuse (verdict, SOUP_STATUS_UNAUTHORIZED, g_strdup (error->message),
            g_strdup_printf (CHALLENGE ", error=\"invalid_token\", error_description=\"%s\"",
                             error->message));
    return;
  }
  verdict->pass = g_new0 (ConicPass, 1);
  verdict->pass->grant = grant;
  verdict->pass->expires =
      g_get_monotonic_time () + MIN (expires - now, FAR_SECONDS) * G_TIME_SPAN_SECOND;
}

static ConicOriginWay
find_way (const ConicAdmission *self, const ConicUpgrade *upgrade)
{
  if (self->tls)
    return CONIC_ORIGIN_WAY_TLS;
  return conic_loopback_is_socket (upgrade->fd) && !conic_loopback_is_forwarded (upgrade->headers)
             ? CONIC_ORIGIN_WAY_LOOPBACK
             : CONIC_ORIGIN_WAY_PLAIN;
}

static void
judge (const ConicAdmission *self, const ConicUpgrade *upgrade, ConicVerdict *verdict)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  const char *origin = soup_message_headers_get_list (upgrade->headers, "Origin");
  const char *host = soup_message_headers_get_list (upgrade->headers, "Host");

  find_in_protocols (tokens, upgrade->headers, verdict);
  if (origin != NULL &&
      !conic_origins_allow (self->origins, origin, host, find_way (self, upgrade))) {
    g_autofree char *name = conic_log_escape (origin);

    refuse (verdict, SOUP_STATUS_FORBIDDEN,
            g_strdup_printf ("Pages of the origin “%s” may not connect to this hub", name), NULL);
    return;
  }
  if (self->keys->len == 0)
    return;

  find_in_authorization (tokens, upgrade->headers);
  find_in_query (tokens, upgrade->query);
  /* RFC 6750 section 3.1 says what is answered to none and to several. */
  if (tokens->len == 0)
    refuse (verdict, SOUP_STATUS_UNAUTHORIZED, g_strdup ("A token is needed"),
            g_strdup (CHALLENGE));
  else if (tokens->len > 1)
    refuse (verdict, SOUP_STATUS_BAD_REQUEST, g_strdup ("There is more than one token"),
            g_strdup (CHALLENGE ", error=\"invalid_request\""));
  else
    admit_by_token (self, g_ptr_array_index (tokens, 0), verdict);
}

/**
 * conic_admission_judge:
 * @self: the rules
 * @upgrade: a request
 * @verdict: (out caller-allocates): what becomes of it
 *
 * Decides on a request; a refusal is logged, without its token.
 */
void
conic_admission_judge (const ConicAdmission *self,
                       const ConicUpgrade *upgrade,
                       ConicVerdict *verdict)
{
  *verdict = (ConicVerdict){.status = SOUP_STATUS_SWITCHING_PROTOCOLS};
  judge (self, upgrade, verdict);
  if (verdict->text != NULL) {
    g_autofree char *remote = conic_log_describe_remote (upgrade->fd);
    const ConicLogClient client = {.remote = remote};

    conic_log_client (G_LOG_LEVEL_INFO, &client, "Refused %s: %s", remote, verdict->text);
  }
}

void
conic_pass_free (ConicPass *self)
{
  conic_grant_free (self->grant);
  g_free (self);
}

void
conic_verdict_clear (ConicVerdict *self)
{
  g_clear_pointer (&self->pass, conic_pass_free);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->challenge, g_free);
}
