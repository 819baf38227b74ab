/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicsettings.h"

#include "conic-limits.h"

#define DEFAULT_URI "ws://127.0.0.1:" G_STRINGIFY (CONIC_DEFAULT_PORT) CONIC_DEFAULT_PATH

/* Seconds within which a session is connected or has failed. A TURN allocation over a slow path
 * takes a few. */
#define DEFAULT_SESSION_TIMEOUT 20

/* Sessions at a time. A session has some six threads and four sockets of webrtcbin's. */
#define DEFAULT_MAX_SESSIONS 100

void
gst_conic_settings_init (GstConicSettings *self)
{
  *self = (GstConicSettings){
      .uri = g_strdup (DEFAULT_URI),
      .session_timeout = DEFAULT_SESSION_TIMEOUT,
      .max_sessions = DEFAULT_MAX_SESSIONS,
  };
  g_mutex_init (&self->lock);
}

void
gst_conic_settings_clear (GstConicSettings *self)
{
  g_free (self->uri);
  g_free (self->client_id);
  g_free (self->registered_id);
  g_free (self->target_id);
  g_free (self->stun_server);
  g_strfreev (self->turn_servers);
  g_mutex_clear (&self->lock);
}

void
gst_conic_settings_install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (
      klass, GST_CONIC_PROP_URI,
      g_param_spec_string ("uri", "Hub URI",
                           "WebSocket URI (ws:// or wss://) of the hub to meet at", DEFAULT_URI,
                           flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_CLIENT_ID,
      g_param_spec_string ("client-id", "Client ID",
                           "This peer's id on the hub, by which others call it: letters, digits "
                           "and ._~- (unset: the hub gives one, which can then be read here)",
                           NULL, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_TARGET_ID,
      g_param_spec_string ("target-id", "Target ID",
                           "The id of the peer to call (unset: wait to be called, by any number); "
                           "set while running, it is called then",
                           NULL,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
                           "stun://HOST:PORT that tells this peer its address outside a NAT "
                           "(unset: none is asked)",
                           NULL, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_TURN_SERVERS,
      gst_param_spec_array ("turn-servers", "TURN servers",
                            "Relays for peers that reach each other in no other way, as "
                            "<\"turn://USER:PASSWORD@HOST:PORT\", …>; turns:// for TLS",
                            g_param_spec_string ("turn-server", "TURN server", "A TURN server",
                                                 NULL, flags),
                            flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_SESSION_TIMEOUT,
      g_param_spec_uint ("session-timeout", "Session timeout",
                         "Seconds after which a session that isn't connected, or no longer, ends",
                         1, 3600, DEFAULT_SESSION_TIMEOUT, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_MAX_SESSIONS,
      g_param_spec_uint ("max-sessions", "Maximum sessions",
                         "Sessions at a time; a peer that calls beyond that is refused", 1, 65535,
                         DEFAULT_MAX_SESSIONS, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_CONNECTED,
      g_param_spec_boolean ("connected", "Connected",
                            "Whether this peer is registered on the hub now", FALSE,
                            G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
                          "conic-stats with the array sessions of conic-session-stats: peer-id, "
                          "session-id, path, round-trip-time, bitrate-in, bitrate-out, "
                          "packets-lost, jitter; refreshed once a second",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
set_string (char **field, const GValue *value)
{
  const char *string = g_value_get_string (value);

  g_free (*field);
  /* An empty string is how a shell says “unset”. */
  *field = string != NULL && *string != '\0' ? g_strdup (string) : NULL;
}

void
gst_conic_settings_take_strings (GStrv *strings, const GValue *array)
{
  guint n = gst_value_array_get_size (array);

  g_clear_pointer (strings, g_strfreev);
  if (n == 0)
    return;
  *strings = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    (*strings)[i] = g_value_dup_string (gst_value_array_get_value (array, i));
}

void
gst_conic_settings_give_strings (GStrv strings, GValue *array)
{
  for (guint i = 0; strings != NULL && strings[i] != NULL; i++) {
    GValue item = G_VALUE_INIT;

    g_value_init (&item, G_TYPE_STRING);
    g_value_set_string (&item, strings[i]);
    gst_value_array_append_and_take_value (array, &item);
  }
}

gboolean
gst_conic_settings_set (GstConicSettings *self, guint id, const GValue *value)
{
  gboolean known = TRUE;

  g_mutex_lock (&self->lock);
  switch (id) {
  case GST_CONIC_PROP_URI:
    set_string (&self->uri, value);
    if (self->uri == NULL)
      self->uri = g_strdup (DEFAULT_URI);
    break;
  case GST_CONIC_PROP_CLIENT_ID:
    set_string (&self->client_id, value);
    g_clear_pointer (&self->registered_id, g_free);
    break;
  case GST_CONIC_PROP_TARGET_ID:
    set_string (&self->target_id, value);
    break;
  case GST_CONIC_PROP_STUN_SERVER:
    set_string (&self->stun_server, value);
    break;
  case GST_CONIC_PROP_TURN_SERVERS:
    gst_conic_settings_take_strings (&self->turn_servers, value);
    break;
  case GST_CONIC_PROP_SESSION_TIMEOUT:
    self->session_timeout = g_value_get_uint (value);
    break;
  case GST_CONIC_PROP_MAX_SESSIONS:
    self->max_sessions = g_value_get_uint (value);
    break;
  default:
    known = FALSE;
    break;
  }
  g_mutex_unlock (&self->lock);
  return known;
}

gboolean
gst_conic_settings_get (GstConicSettings *self, guint id, GValue *value)
{
  gboolean known = TRUE;

  g_mutex_lock (&self->lock);
  switch (id) {
  case GST_CONIC_PROP_URI:
    g_value_set_string (value, self->uri);
    break;
  case GST_CONIC_PROP_CLIENT_ID:
    g_value_set_string (value, self->registered_id ? self->registered_id : self->client_id);
    break;
  case GST_CONIC_PROP_TARGET_ID:
    g_value_set_string (value, self->target_id);
    break;
  case GST_CONIC_PROP_STUN_SERVER:
    g_value_set_string (value, self->stun_server);
    break;
  case GST_CONIC_PROP_TURN_SERVERS:
    gst_conic_settings_give_strings (self->turn_servers, value);
    break;
  case GST_CONIC_PROP_SESSION_TIMEOUT:
    g_value_set_uint (value, self->session_timeout);
    break;
  case GST_CONIC_PROP_MAX_SESSIONS:
    g_value_set_uint (value, self->max_sessions);
    break;
  case GST_CONIC_PROP_CONNECTED:
    g_value_set_boolean (value, self->connected);
    break;
  default:
    known = FALSE;
    break;
  }
  g_mutex_unlock (&self->lock);
  return known;
}

void
gst_conic_settings_set_connected (GstConicSettings *self,
                                  GstElement *element,
                                  gboolean connected,
                                  const char *id)
{
  gboolean id_changed;

  g_mutex_lock (&self->lock);
  self->connected = connected;
  id_changed = id != NULL && g_strcmp0 (id, self->registered_id) != 0;
  if (id_changed) {
    g_free (self->registered_id);
    self->registered_id = g_strdup (id);
  }
  g_mutex_unlock (&self->lock);
  g_object_notify (G_OBJECT (element), "connected");
  if (id_changed)
    g_object_notify (G_OBJECT (element), "client-id");
}

void
gst_conic_settings_configure (GstConicSettings *self, GstElement *element, GstElement *webrtcbin)
{
  g_autofree char *stun_server = NULL;
  g_auto (GStrv) turn_servers = NULL;

  g_mutex_lock (&self->lock);
  stun_server = g_strdup (self->stun_server);
  turn_servers = g_strdupv (self->turn_servers);
  g_mutex_unlock (&self->lock);

  if (stun_server != NULL)
    g_object_set (webrtcbin, "stun-server", stun_server, NULL);
  for (guint i = 0; turn_servers != NULL && turn_servers[i] != NULL; i++) {
    gboolean added = FALSE;

    g_signal_emit_by_name (webrtcbin, "add-turn-server", turn_servers[i], &added);
    if (!added)
      /* Without the server itself: it holds a password. */
      GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
                           ("Entry %u of turn-servers is not a TURN server, such as "
                            "turn://USER:PASSWORD@HOST:PORT",
                            i + 1),
                           (NULL));
  }
}
