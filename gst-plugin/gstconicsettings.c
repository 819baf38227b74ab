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
  gst_conic_ice_settings_init (&self->ice);
  g_mutex_init (&self->lock);
}

void
gst_conic_settings_clear (GstConicSettings *self)
{
  g_free (self->uri);
  g_free (self->client_id);
  g_free (self->registered_id);
  g_free (self->target_id);
  g_free (self->token);
  g_free (self->tls_ca);
  gst_conic_ice_settings_clear (&self->ice);
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
      klass, GST_CONIC_PROP_TOKEN,
      g_param_spec_string ("token", "Token",
                           "What the hub lets this peer in for (a JWT); a secret, so it can't be "
                           "read here; set while running, the next connection has it",
                           NULL,
                           G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_TLS_CA,
      g_param_spec_string ("tls-ca", "TLS certificates",
                           "File of the certificates (PEM) that vouch for a hub at wss:// (unset: "
                           "those that the system trusts)",
                           NULL, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
                           "stun://HOST:PORT that tells this peer its address outside a NAT "
                           "(unset: the hub's, if it recommends one)",
                           NULL, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_TURN_SERVERS,
      gst_param_spec_array ("turn-servers", "TURN servers",
                            "Relays for peers that reach each other in no other way, as "
                            "<\"turn://USER:PASSWORD@HOST:PORT\", …>; turns:// for TLS; beside "
                            "those that the hub recommends",
                            g_param_spec_string ("turn-server", "TURN server", "A TURN server",
                                                 NULL, flags),
                            flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_ICE_TRANSPORT_POLICY,
      g_param_spec_enum ("ice-transport-policy", "ICE transport policy",
                         "Which paths to peers may be used: all, or only those over a TURN server, "
                         "so that peers don't learn this one's addresses",
                         GST_TYPE_WEBRTC_ICE_TRANSPORT_POLICY, GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL,
                         flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_MIN_PORT,
      g_param_spec_uint ("min-port", "Lowest port",
                         "The lowest UDP port that is used for peers, for a firewall to know; a "
                         "session takes one for each address (0: any)",
                         0, 65535, 0, flags));
  g_object_class_install_property (klass, GST_CONIC_PROP_MAX_PORT,
                                   g_param_spec_uint ("max-port", "Highest port",
                                                      "The highest UDP port that is used for peers",
                                                      1, 65535, 65535, flags));
  g_object_class_install_property (
      klass, GST_CONIC_PROP_LOCAL_ADDRESSES,
      gst_param_spec_array ("local-addresses", "Local addresses",
                            "The addresses of this machine that peers may be reached from, as "
                            "<\"192.0.2.1\", …> (empty: all but the loopback's)",
                            g_param_spec_string ("local-address", "Local address", "An IP address",
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
      klass, GST_CONIC_PROP_RECONNECT,
      g_param_spec_boolean (
          "reconnect", "Reconnect",
          "Call the target again also when it has said goodbye, in place of coming "
          "to an end with it",
          FALSE, flags));
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

/* --- values --- */

typedef enum { KIND_STRING, KIND_STRINGS, KIND_UINT, KIND_ENUM, KIND_BOOLEAN } Kind;

/* Where the value of each property is. */
typedef struct {
  GstConicProp id;
  Kind kind;
  gsize offset;
} Field;

static const Field fields[] = {
    {GST_CONIC_PROP_URI, KIND_STRING, offsetof (GstConicSettings, uri)},
    {GST_CONIC_PROP_CLIENT_ID, KIND_STRING, offsetof (GstConicSettings, client_id)},
    {GST_CONIC_PROP_TARGET_ID, KIND_STRING, offsetof (GstConicSettings, target_id)},
    {GST_CONIC_PROP_TOKEN, KIND_STRING, offsetof (GstConicSettings, token)},
    {GST_CONIC_PROP_TLS_CA, KIND_STRING, offsetof (GstConicSettings, tls_ca)},
    {GST_CONIC_PROP_STUN_SERVER, KIND_STRING, offsetof (GstConicSettings, ice.stun_server)},
    {GST_CONIC_PROP_TURN_SERVERS, KIND_STRINGS, offsetof (GstConicSettings, ice.turn_servers)},
    {GST_CONIC_PROP_ICE_TRANSPORT_POLICY, KIND_ENUM, offsetof (GstConicSettings, ice.policy)},
    {GST_CONIC_PROP_MIN_PORT, KIND_UINT, offsetof (GstConicSettings, ice.min_port)},
    {GST_CONIC_PROP_MAX_PORT, KIND_UINT, offsetof (GstConicSettings, ice.max_port)},
    {GST_CONIC_PROP_LOCAL_ADDRESSES, KIND_STRINGS,
     offsetof (GstConicSettings, ice.local_addresses)},
    {GST_CONIC_PROP_SESSION_TIMEOUT, KIND_UINT, offsetof (GstConicSettings, session_timeout)},
    {GST_CONIC_PROP_MAX_SESSIONS, KIND_UINT, offsetof (GstConicSettings, max_sessions)},
    {GST_CONIC_PROP_RECONNECT, KIND_BOOLEAN, offsetof (GstConicSettings, reconnect)},
    {GST_CONIC_PROP_CONNECTED, KIND_BOOLEAN, offsetof (GstConicSettings, connected)},
};

static const Field *
find_field (guint id)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i].id == id)
      return &fields[i];
  return NULL;
}

static void
set_field (GstConicSettings *self, const Field *field, const GValue *value)
{
  gpointer place = G_STRUCT_MEMBER_P (self, field->offset);

  switch (field->kind) {
  case KIND_STRING:
    set_string (place, value);
    break;
  case KIND_STRINGS:
    gst_conic_settings_take_strings (place, value);
    break;
  case KIND_UINT:
    *(guint *) place = g_value_get_uint (value);
    break;
  case KIND_ENUM:
    *(GstWebRTCICETransportPolicy *) place = (GstWebRTCICETransportPolicy) g_value_get_enum (value);
    break;
  case KIND_BOOLEAN:
    *(gboolean *) place = g_value_get_boolean (value);
    break;
  default:
    g_assert_not_reached ();
  }
}

gboolean
gst_conic_settings_set (GstConicSettings *self, guint id, const GValue *value)
{
  const Field *field = find_field (id);

  if (field == NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  set_field (self, field, value);
  if (self->uri == NULL)
    self->uri = g_strdup (DEFAULT_URI);
  if (id == GST_CONIC_PROP_CLIENT_ID)
    g_clear_pointer (&self->registered_id, g_free);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
get_field (GstConicSettings *self, const Field *field, GValue *value)
{
  gpointer place = G_STRUCT_MEMBER_P (self, field->offset);

  switch (field->kind) {
  case KIND_STRING:
    g_value_set_string (value, *(char **) place);
    break;
  case KIND_STRINGS:
    gst_conic_settings_give_strings (*(GStrv *) place, value);
    break;
  case KIND_UINT:
    g_value_set_uint (value, *(guint *) place);
    break;
  case KIND_ENUM:
    g_value_set_enum (value, (int) *(GstWebRTCICETransportPolicy *) place);
    break;
  case KIND_BOOLEAN:
    g_value_set_boolean (value, *(gboolean *) place);
    break;
  default:
    g_assert_not_reached ();
  }
}

gboolean
gst_conic_settings_get (GstConicSettings *self, guint id, GValue *value)
{
  const Field *field = find_field (id);

  if (field == NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  get_field (self, field, value);
  if (id == GST_CONIC_PROP_CLIENT_ID && self->registered_id != NULL)
    g_value_set_string (value, self->registered_id);
  g_mutex_unlock (&self->lock);
  return TRUE;
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
gst_conic_settings_set_hub_servers (GstConicSettings *self, GPtrArray *servers)
{
  g_mutex_lock (&self->lock);
  gst_conic_ice_settings_set_hub_servers (&self->ice, servers);
  g_mutex_unlock (&self->lock);
}

void
gst_conic_settings_configure (GstConicSettings *self, GstElement *element, GstElement *webrtcbin)
{
  GstConicIceSettings ice;

  /* Not under the lock: what is said on the bus may make the application read a property. */
  g_mutex_lock (&self->lock);
  ice = self->ice;
  ice.stun_server = g_strdup (ice.stun_server);
  ice.turn_servers = g_strdupv (ice.turn_servers);
  ice.local_addresses = g_strdupv (ice.local_addresses);
  if (ice.hub_servers != NULL)
    g_ptr_array_ref (ice.hub_servers);
  g_mutex_unlock (&self->lock);
  gst_conic_ice_settings_apply (&ice, element, webrtcbin);
  gst_conic_ice_settings_clear (&ice);
}
