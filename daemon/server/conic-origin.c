/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-origin.h"

#include "conic-loopback.h"
#include "conic-server-error.h"

#include <string.h>

/* What a page has that is nobody's: a file, a sandbox, a redirection (RFC 6454 section 7.3). */
#define OPAQUE "null"

#define ANY "*"

struct _ConicOrigins {
  gboolean any;
  GHashTable *allowed; /* set of what normalize() returns, and of OPAQUE */
};

static int
default_port (const char *scheme)
{
  return g_str_equal (scheme, "https") ? 443 : g_str_equal (scheme, "http") ? 80 : -1;
}

/* Returns (transfer full) (nullable): `scheme://host:port`, in lower case and with the port that the
 * scheme has by default; %NULL if @text has less or more than these. */
static char *
normalize (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  g_autofree char *host = NULL;
  const char *scheme;
  gboolean is_ipv6;
  int port;

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0' ||
      *g_uri_get_path (uri) != '\0' || g_uri_get_userinfo (uri) != NULL ||
      g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return NULL;
  /* A page's WebSocket is none of its own origin. */
  scheme = g_uri_get_scheme (uri);
  if (g_str_equal (scheme, "ws") || g_str_equal (scheme, "wss"))
    return NULL;
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  if (strchr (host, '*') != NULL)
    return NULL;
  is_ipv6 = strchr (host, ':') != NULL;
  port = g_uri_get_port (uri) >= 0 ? g_uri_get_port (uri) : default_port (scheme);
  return g_strdup_printf (is_ipv6 ? "%s://[%s]:%d" : "%s://%s:%d", scheme, host, port);
}

/* Whether @page, which is normal, is of this machine by its name. What was escaped in a name is not any
 * more, so it may be no URI. */
static gboolean
is_on_loopback (const char *page)
{
  g_autoptr (GUri) uri = g_uri_parse (page, G_URI_FLAGS_NONE, NULL);

  return uri != NULL && conic_loopback_is_host (g_uri_get_host (uri));
}

/* Whether a page may be without TLS that was asked for at the same place as the hub. */
static gboolean
may_be_plain (const char *page, ConicOriginWay way)
{
  return way == CONIC_ORIGIN_WAY_PLAIN ||
         (way == CONIC_ORIGIN_WAY_LOOPBACK && is_on_loopback (page));
}

/* The host and the port are those of the request. A page's scheme is only known to be another if
 * this end of the connection has TLS: otherwise a proxy before it may have. */
static gboolean
is_same_host (const char *origin, const char *host, ConicOriginWay way)
{
  g_autofree char *page = normalize (origin);
  g_autofree char *asked = NULL;
  g_autofree char *hub = NULL;
  const char *scheme;

  if (page == NULL)
    return FALSE;
  if (g_str_has_prefix (page, "https://"))
    scheme = "https://";
  else if (g_str_has_prefix (page, "http://") && may_be_plain (page, way))
    scheme = "http://";
  else
    return FALSE;
  asked = g_strconcat (scheme, host, NULL);
  hub = normalize (asked);
  return hub != NULL && g_str_equal (page, hub);
}

/**
 * conic_origins_new:
 * @allowed: (array zero-terminated=1): origins beside the hub's own: `https://example.org`,
 *   `null`, or `*` for any
 * @error: return location for a #CONIC_SERVER_ERROR, which names what is no origin
 *
 * Returns: (transfer full) (nullable): the rule, or %NULL
 */
ConicOrigins *
conic_origins_new (const char *const *allowed, GError **error)
{
  g_autoptr (ConicOrigins) self = g_new0 (ConicOrigins, 1);

  self->allowed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; allowed[i] != NULL; i++) {
    char *origin;

    if (g_str_equal (allowed[i], ANY)) {
      self->any = TRUE;
      continue;
    }
    origin = g_str_equal (allowed[i], OPAQUE) ? g_strdup (allowed[i]) : normalize (allowed[i]);
    if (origin == NULL) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                   "“%s” is not an origin: it has to be a scheme, a host and perhaps a port, such "
                   "as https://example.org or http://localhost:8080, or null, or * for any",
                   allowed[i]);
      return NULL;
    }
    g_hash_table_add (self->allowed, origin);
  }
  return g_steal_pointer (&self);
}

void
conic_origins_free (ConicOrigins *self)
{
  g_hash_table_unref (self->allowed);
  g_free (self);
}

/**
 * conic_origins_allow:
 * @self: the rule
 * @origin: (nullable): the request's header `Origin`; %NULL if it has none, as what is no browser
 * @host: (nullable): its header `Host`
 * @way: how the request came
 *
 * Returns: whether the page may connect
 */
gboolean
conic_origins_allow (const ConicOrigins *self,
                     const char *origin,
                     const char *host,
                     ConicOriginWay way)
{
  g_autofree char *normal = NULL;

  if (origin == NULL || self->any || (host != NULL && is_same_host (origin, host, way)))
    return TRUE;
  if (g_hash_table_size (self->allowed) == 0)
    return FALSE;
  normal = g_str_equal (origin, OPAQUE) ? g_strdup (origin) : normalize (origin);
  return normal != NULL && g_hash_table_contains (self->allowed, normal);
}
