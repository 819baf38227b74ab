/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicicesettings.h"

#include <string.h>

#include "conic-message.h"

#define MAX_PORT 65535

void
gst_conic_ice_settings_init (GstConicIceSettings *self)
{
  *self = (GstConicIceSettings){
      .policy = GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL,
      .max_port = MAX_PORT,
  };
}

void
gst_conic_ice_settings_clear (GstConicIceSettings *self)
{
  g_free (self->stun_server);
  g_strfreev (self->turn_servers);
  g_clear_pointer (&self->hub_servers, g_ptr_array_unref);
  g_strfreev (self->local_addresses);
}

/* --- what the hub says --- */

static gboolean
is_stun (const char *uri)
{
  return g_str_has_prefix (uri, "stun:") || g_str_has_prefix (uri, "stuns:");
}

/* (transfer full) (nullable): `turn:HOST:PORT?…` (RFC 7064, RFC 7065) as webrtcbin has it, with two
 * slashes and the credentials in it */
static char *
to_gst_uri (const char *url, const ConicIceServer *server)
{
  const char *colon = strchr (url, ':');
  g_autofree char *scheme = NULL;
  g_autofree char *user = NULL;
  g_autofree char *password = NULL;

  if (colon == NULL || colon[1] == '\0' || colon[1] == '/')
    return NULL;
  scheme = g_strndup (url, (gsize) (colon - url));
  if (is_stun (url))
    return g_strdup_printf ("%s://%s", scheme, colon + 1);
  if (!g_str_equal (scheme, "turn") && !g_str_equal (scheme, "turns"))
    return NULL;
  if (server->username == NULL || server->credential == NULL)
    return NULL;
  user = g_uri_escape_string (server->username, NULL, FALSE);
  password = g_uri_escape_string (server->credential, NULL, FALSE);
  return g_strdup_printf ("%s://%s:%s@%s", scheme, user, password, colon + 1);
}

void
gst_conic_ice_settings_set_hub_servers (GstConicIceSettings *self, GPtrArray *servers)
{
  g_clear_pointer (&self->hub_servers, g_ptr_array_unref);
  self->hub_servers = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; servers != NULL && i < servers->len; i++) {
    const ConicIceServer *server = g_ptr_array_index (servers, i);

    for (guint j = 0; server->urls != NULL && server->urls[j] != NULL; j++) {
      char *uri = to_gst_uri (server->urls[j], server);

      if (uri != NULL)
        g_ptr_array_add (self->hub_servers, uri);
    }
  }
}

/* --- webrtcbin --- */

static gboolean
add_turn_server (GstElement *webrtcbin, const char *uri)
{
  gboolean added = FALSE;

  g_signal_emit_by_name (webrtcbin, "add-turn-server", uri, &added);
  return added;
}

/* webrtcbin says nothing of what it can't use. */
static gboolean
is_stun_server (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);

  return uri != NULL && g_str_equal (g_uri_get_scheme (uri), "stun") &&
         g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0';
}

static void
apply_servers (const GstConicIceSettings *self, GstElement *element, GstElement *webrtcbin)
{
  const char *stun_server = self->stun_server;

  if (stun_server != NULL && !is_stun_server (stun_server)) {
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
                         ("stun-server “%s” is not a STUN server, such as stun://HOST:PORT",
                          stun_server),
                         (NULL));
    stun_server = NULL;
  }
  for (guint i = 0; self->hub_servers != NULL && i < self->hub_servers->len; i++) {
    const char *uri = g_ptr_array_index (self->hub_servers, i);

    if (!is_stun (uri))
      add_turn_server (webrtcbin, uri);
    else if (stun_server == NULL)
      /* webrtcbin has room for one, and the user's comes first. */
      stun_server = uri;
  }
  if (stun_server != NULL)
    g_object_set (webrtcbin, "stun-server", stun_server, NULL);
  for (guint i = 0; self->turn_servers != NULL && self->turn_servers[i] != NULL; i++)
    if (!add_turn_server (webrtcbin, self->turn_servers[i]))
      /* Without the server itself: it holds a password. */
      GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
                           ("Entry %u of turn-servers is not a TURN server, such as "
                            "turn://USER:PASSWORD@HOST:PORT",
                            i + 1),
                           (NULL));
}

static void
apply_ports (const GstConicIceSettings *self, GstElement *element, GObject *ice)
{
  if (self->min_port > self->max_port) {
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
                         ("min-port %u is above max-port %u: any port is used", self->min_port,
                          self->max_port),
                         (NULL));
    return;
  }
  /* The agent compares each with the other as it is set. */
  g_object_set (ice, "max-rtp-port", self->max_port, NULL);
  g_object_set (ice, "min-rtp-port", self->min_port, NULL);
}

void
gst_conic_ice_settings_apply (const GstConicIceSettings *self,
                              GstElement *element,
                              GstElement *webrtcbin)
{
  g_autoptr (GObject) ice = NULL;

  apply_servers (self, element, webrtcbin);
  g_object_set (webrtcbin, "ice-transport-policy", self->policy, NULL);
  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (ice == NULL)
    return;
  apply_ports (self, element, ice);
  for (guint i = 0; self->local_addresses != NULL && self->local_addresses[i] != NULL; i++) {
    gboolean added = FALSE;

    g_signal_emit_by_name (ice, "add-local-ip-address", self->local_addresses[i], &added);
    if (!added)
      GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
                           ("“%s” in local-addresses is not an IP address",
                            self->local_addresses[i]),
                           (NULL));
  }
}
