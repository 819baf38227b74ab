/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer's URI: conic://HOST:PORT/PEER is PEER at the hub ws://HOST:PORT/ws. */

#include "gstconicuri.h"

#include <gst/gst.h>
#include <string.h>

#include "conic-limits.h"

/* The scheme of a hub, and of the peers there. */
static const struct {
  const char *peer;
  const char *hub;
} schemes[] = {
    {GST_CONIC_URI_SCHEME, "ws"},
    {GST_CONIC_URI_SCHEME_TLS, "wss"},
};

static gboolean
fail (GError **error, const char *text, const char *reason)
{
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
               "“%s” is not the URI of a peer, such as conic://HOST:%d/PEER: %s", text,
               CONIC_DEFAULT_PORT, reason);
  return FALSE;
}

static const char *
find_hub_scheme (const char *peer_scheme)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_equal (schemes[i].peer, peer_scheme))
      return schemes[i].hub;
  return NULL;
}

gboolean
gst_conic_uri_parse (const char *text, char **hub, char **peer_id, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? find_hub_scheme (g_uri_get_scheme (uri)) : NULL;
  const char *path;

  if (scheme == NULL)
    return fail (error, text, "it doesn't begin with conic:// or conics://");
  if (g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return fail (error, text, "it names no host");
  if (g_uri_get_userinfo (uri) != NULL)
    return fail (error, text, "there are no users");
  path = g_uri_get_path (uri);
  if (*path != '/' || path[1] == '\0' || strchr (path + 1, '/') != NULL)
    return fail (error, text, "its path is not the id of one peer");
  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return fail (error, text, "nothing comes after the id of the peer");

  *hub = g_uri_join (G_URI_FLAGS_NONE, scheme, NULL, g_uri_get_host (uri),
                     g_uri_get_port (uri) >= 0 ? g_uri_get_port (uri) : CONIC_DEFAULT_PORT,
                     CONIC_DEFAULT_PATH, NULL, NULL);
  *peer_id = g_strdup (path + 1);
  return TRUE;
}

char *
gst_conic_uri_build (const char *hub, const char *peer_id)
{
  g_autoptr (GUri) uri = g_uri_parse (hub, G_URI_FLAGS_NONE, NULL);
  g_autofree char *path = g_strconcat ("/", peer_id, NULL);

  if (uri == NULL || peer_id == NULL || g_strcmp0 (g_uri_get_path (uri), CONIC_DEFAULT_PATH) != 0)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_equal (schemes[i].hub, g_uri_get_scheme (uri)))
      return g_uri_join (G_URI_FLAGS_NONE, schemes[i].peer, NULL, g_uri_get_host (uri),
                         g_uri_get_port (uri), path, NULL, NULL);
  return NULL;
}
