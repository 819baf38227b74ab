/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-ice.h"

#include "conic-message.h"
#include "conic-secret.h"
#include "conic-server-error.h"

/* host and port of RFC 7064 and RFC 7065, as far as browsers take them */
#define HOST_AND_PORT "(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?"

struct _ConicIce {
  GStrv stun_uris;
  GStrv turn_uris;
  GBytes *secret; /* (nullable): NULL without TURN servers */
  gint64 lifetime;
};

static gboolean
check_uris (const char *const *uris,
            const char *pattern,
            const char *kind,
            const char *example,
            GError **error)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_DOLLAR_ENDONLY, 0, NULL);

  for (gsize i = 0; uris[i] != NULL; i++) {
    g_autoptr (GMatchInfo) match = NULL;
    gboolean fits = g_regex_match (regex, uris[i], 0, &match);
    g_autofree char *port = fits ? g_match_info_fetch (match, 2) : NULL;

    if (fits && port[0] == ':')
      fits = g_ascii_string_to_unsigned (port + 1, 10, 1, G_MAXUINT16, NULL, NULL);
    if (!fits) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                   "“%s” is not the URI of a %s server: it has to be such as %s", uris[i], kind,
                   example);
      return FALSE;
    }
  }
  return TRUE;
}

/**
 * conic_ice_new:
 * @stun_uris: (array zero-terminated=1): as in RFC 7064
 * @turn_uris: (array zero-terminated=1): as in RFC 7065
 * @secret_file: (type filename) (nullable): has the secret shared with the TURN servers; needed if
 *   there are any
 * @lifetime: seconds for which credentials are made
 * @error: return location for a #CONIC_SERVER_ERROR, which names the URI or the file
 *
 * Returns: (transfer full) (nullable): the servers, or %NULL if something is wrong with them
 */
ConicIce *
conic_ice_new (const char *const *stun_uris,
               const char *const *turn_uris,
               const char *secret_file,
               gint64 lifetime,
               GError **error)
{
  g_autoptr (ConicIce) self = g_new0 (ConicIce, 1);

  if (!check_uris (stun_uris, "^stuns?:" HOST_AND_PORT "$", "STUN", "stun:stun.example.org:3478",
                   error) ||
      !check_uris (turn_uris, "^turns?:" HOST_AND_PORT "(\\?transport=(udp|tcp))?$", "TURN",
                   "turn:turn.example.org:3478?transport=udp", error))
    return NULL;
  if (turn_uris[0] != NULL) {
    self->secret = conic_secret_load (secret_file, error);
    if (self->secret == NULL)
      return NULL;
  }
  self->stun_uris = g_strdupv ((GStrv) stun_uris);
  self->turn_uris = g_strdupv ((GStrv) turn_uris);
  self->lifetime = lifetime;
  return g_steal_pointer (&self);
}

void
conic_ice_free (ConicIce *self)
{
  g_strfreev (self->stun_uris);
  g_strfreev (self->turn_uris);
  g_clear_pointer (&self->secret, g_bytes_unref);
  g_free (self);
}

static char *
make_credential (const ConicIce *self, const char *username)
{
  gsize secret_length;
  const guint8 *secret = g_bytes_get_data (self->secret, &secret_length);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA1, secret, secret_length);
  guint8 digest[20];
  gsize digest_length = sizeof digest;

  g_hmac_update (hmac, (const guchar *) username, -1);
  g_hmac_get_digest (hmac, digest, &digest_length);
  return g_base64_encode (digest, digest_length);
}

/**
 * conic_ice_make_servers:
 * @self: the servers
 * @client_id: who is told of them
 * @now: Unix time in seconds
 *
 * Makes credentials by which the TURN servers know until when @client_id may use them, and no more:
 * the user name is `EXPIRY:ID`, the password its HMAC-SHA1 with the shared secret. That is coturn's
 * `use-auth-secret`, described in draft-uberti-behave-turn-rest-00.
 *
 * Returns: (transfer full) (element-type ConicIceServer) (nullable): what to tell, %NULL if there are
 *   no servers
 */
GPtrArray *
conic_ice_make_servers (const ConicIce *self, const char *client_id, gint64 now)
{
  g_autoptr (GPtrArray) servers = NULL;
  ConicIceServer *server;

  if (self->stun_uris[0] == NULL && self->turn_uris[0] == NULL)
    return NULL;
  servers = g_ptr_array_new_with_free_func ((GDestroyNotify) conic_ice_server_free);
  if (self->stun_uris[0] != NULL) {
    server = g_new0 (ConicIceServer, 1);
    server->urls = g_strdupv (self->stun_uris);
    g_ptr_array_add (servers, server);
  }
  if (self->turn_uris[0] != NULL) {
    server = g_new0 (ConicIceServer, 1);
    server->urls = g_strdupv (self->turn_uris);
    server->username = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", now + self->lifetime, client_id);
    server->credential = make_credential (self, server->username);
    g_ptr_array_add (servers, server);
  }
  return g_steal_pointer (&servers);
}
