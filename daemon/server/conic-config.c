/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-config.h"

#include "conic-limits.h"
#include "conic-log.h"
#include "conic-pattern.h"
#include "conic-token.h"

#include <string.h>

/* Bytes that may wait for one client: two messages of the largest size, or a few hundred session
 * descriptions. What is more is for a client that doesn't read. */
#define QUEUE_BYTES (2 * CONIC_MESSAGE_MAX_BYTES)

/* Messages that may wait for one client: a call with every candidate of both sides has fifty. */
#define QUEUE_MESSAGES 1024

/* Connections at a time: the soft limit of open files is the harder one on most machines. */
#define CLIENTS 100000

/* Seconds. A handshake, a registration and a farewell are one packet each way. */
#define HANDSHAKE_SECONDS 10
#define REGISTER_SECONDS  10
#define CLOSE_SECONDS     3

/* Seconds that a full queue may stay full. Long enough for a phone that changes its network. */
#define SLOW_SECONDS 10

/* Seconds of silence before a ping, less than the 60 after which common proxies cut a connection,
 * and seconds for its answer. */
#define PING_SECONDS 30
#define PONG_SECONDS 15

/* Seconds for stopping: the farewells of everyone, and some for a busy machine. */
#define DRAIN_SECONDS 5

/* A day: longer deadlines are none. */
#define MAX_SECONDS (24 * 60 * 60)

/* Connections from one address: a household or an office behind one, not a whole network. Behind a
 * proxy all clients have the proxy's. */
#define CLIENTS_PER_ADDRESS 0

/* What one client may send for long, and at once. A call with every candidate of both sides is fifty
 * messages and thirty kilobytes; a server of media has twenty of them in a second. */
#define MESSAGES_PER_SECOND 1000
#define MESSAGES_BURST      2000
#define BYTES_PER_SECOND    (1024 * 1024)
#define BYTES_BURST         (4 * 1024 * 1024)

/* Seconds for which a lost client's id is kept for it. None: a program that crashed and was started
 * again has no token, and wants its id back. */
#define RESUME_SECONDS 0

/* Seconds for which TURN credentials are made: a working day. coturn looks at them when an
 * allocation is made or refreshed. */
#define TURN_SECONDS (8 * 60 * 60)

typedef enum {
  KIND_ADDRESSES, /* (element-type GSocketAddress) GPtrArray */
  KIND_BOOLEAN,   /* gboolean, as yes or no */
  KIND_LOG_LEVEL, /* GLogLevelFlags */
  KIND_STRING,    /* char * */
  KIND_STRINGS,   /* GStrv */
  KIND_UINT,      /* guint */
  KIND_SIZE,      /* gsize */
  KIND_SECONDS,   /* as text, with decimals; gint64 microseconds in the struct */
} Kind;

typedef struct {
  ConicConfigKey key;
  Kind kind;
  gsize offset;
  double least;
  double most;
} Key;

#define AT(member) G_STRUCT_OFFSET (ConicConfig, member)

/* clang-format off: a table */
static const Key keys[] = {
    {{"daemon", "listen", "listen", "ADDR:PORT",
      "Where to listen for clients (127.0.0.1:3000); can be given more than once"},
     KIND_ADDRESSES,
     AT (listen),
     0,
     0},
    {{"daemon", "metrics-listen", "metrics-listen", "ADDR:PORT",
      "Where /metrics and the health checks are, if not where clients are"},
     KIND_ADDRESSES,
     AT (metrics_listen),
     0,
     0},
    {{"daemon", "log-level", "log-level", "LEVEL",
      "What to log: error, warning, message, info or debug (message)"},
     KIND_LOG_LEVEL,
     AT (log_level),
     0,
     0},
    {{"daemon", "origins", "origin", "ORIGIN",
      "A web page's origin that may connect beside the hub's own, or * for any"},
     KIND_STRINGS,
     AT (origins),
     0,
     0},
    {{"daemon", "page", "page", "yes|no", "Whether there is a page for browsers at /: yes or no (yes)"},
     KIND_BOOLEAN,
     AT (page),
     0,
     0},

    {{"tls", "certificate", "tls-certificate", "FILE", "Certificate chain for TLS, in PEM"},
     KIND_STRING,
     AT (tls_certificate),
     0,
     0},
    {{"tls", "key", "tls-key", "FILE", "The certificate's private key, in PEM"},
     KIND_STRING,
     AT (tls_key),
     0,
     0},

    {{"auth", "keys", "auth-key", "FILE",
      "Key that clients' tokens are signed with: only clients with a token may connect"},
     KIND_STRINGS,
     AT (auth_keys),
     0,
     0},
    {{"auth", "audience", "auth-audience", "NAME", "The audience of tokens (" CONIC_TOKEN_AUDIENCE ")"},
     KIND_STRING,
     AT (auth_audience),
     0,
     0},
    {{"auth", "deny", "auth-deny", "ID",
      "An id that nobody may have, or what such ids begin with, followed by *"},
     KIND_STRINGS,
     AT (auth_deny),
     0,
     0},

    {{"ice", "stun-uris", "stun-uri", "URI", "A STUN server for the clients, as stun:HOST:PORT"},
     KIND_STRINGS,
     AT (stun_uris),
     0,
     0},
    {{"ice", "turn-uris", "turn-uri", "URI", "A TURN server for the clients, as turn:HOST:PORT"},
     KIND_STRINGS,
     AT (turn_uris),
     0,
     0},
    {{"ice", "turn-secret", "turn-secret", "FILE",
      "The secret shared with the TURN servers, for credentials"},
     KIND_STRING,
     AT (turn_secret),
     0,
     0},
    {{"ice", "turn-seconds", "turn-seconds", "SECONDS", "How long TURN credentials last (28800)"},
     KIND_SECONDS,
     AT (turn_lifetime),
     60,
     30 * MAX_SECONDS},

    {{"limits", "clients", "clients", "N", "Connections at a time (100000)"},
     KIND_UINT,
     AT (clients),
     1,
     10e6},
    {{"limits", "clients-per-address", "clients-per-address", "N",
      "Connections at a time from one address; 0 is no limit (0)"},
     KIND_UINT,
     AT (clients_per_address),
     0,
     10e6},
    {{"limits", "message-bytes", "message-bytes", "N", "Bytes of a client's message (524288)"},
     KIND_SIZE,
     AT (transport.message_bytes),
     1024,
     64e6},
    {{"limits", "messages-per-second", "messages-per-second", "N",
      "Messages that one client may send in a second; 0 is no limit (1000)"},
     KIND_UINT,
     AT (transport.messages_per_second),
     0,
     1e6},
    {{"limits", "messages-burst", "messages-burst", "N", "The same at once (2000)"},
     KIND_UINT,
     AT (transport.messages_burst),
     1,
     1e6},
    {{"limits", "bytes-per-second", "bytes-per-second", "N",
      "Bytes that one client may send in a second; 0 is no limit (1048576)"},
     KIND_SIZE,
     AT (transport.bytes_per_second),
     0,
     1e9},
    {{"limits", "bytes-burst", "bytes-burst", "N", "The same at once (4194304)"},
     KIND_SIZE,
     AT (transport.bytes_burst),
     1024,
     1e9},
    {{"limits", "queue-bytes", "queue-bytes", "N",
      "Bytes that may wait for a client that doesn't read (1048576)"},
     KIND_SIZE,
     AT (transport.queue_bytes),
     1024,
     1e9},
    {{"limits", "queue-messages", "queue-messages", "N", "The same in messages (1024)"},
     KIND_UINT,
     AT (transport.queue_messages),
     1,
     1e6},

    {{"timeouts", "handshake-seconds", "handshake-seconds", "SECONDS",
      "For a connection's HTTP request (10)"},
     KIND_SECONDS,
     AT (handshake_timeout),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "register-seconds", "register-seconds", "SECONDS",
      "For a client's registration (10)"},
     KIND_SECONDS,
     AT (transport.confirm_timeout),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "slow-seconds", "slow-seconds", "SECONDS",
      "How long a client's queue may stay full (10)"},
     KIND_SECONDS,
     AT (transport.slow_timeout),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "ping-seconds", "ping-seconds", "SECONDS",
      "How long a client may be silent before it is asked whether it is there (30)"},
     KIND_SECONDS,
     AT (transport.ping_interval),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "pong-seconds", "pong-seconds", "SECONDS", "For its answer (15)"},
     KIND_SECONDS,
     AT (transport.pong_timeout),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "close-seconds", "close-seconds", "SECONDS", "For a closing handshake (3)"},
     KIND_SECONDS,
     AT (transport.close_timeout),
     0.001,
     MAX_SECONDS},
    {{"timeouts", "resume-seconds", "resume-seconds", "SECONDS",
      "How long a lost client's id is kept for its resume token (0)"},
     KIND_SECONDS,
     AT (resume_window),
     0,
     MAX_SECONDS},
    {{"timeouts", "drain-seconds", "drain-seconds", "SECONDS",
      "For everyone to leave when conicd stops (5)"},
     KIND_SECONDS,
     AT (drain_timeout),
     0.001,
     MAX_SECONDS},
};
/* clang-format on */

/**
 * conic_config_new:
 *
 * Returns: (transfer full): the defaults
 */
ConicConfig *
conic_config_new (void)
{
  ConicConfig *self = g_new0 (ConicConfig, 1);

  self->listen = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->listen,
                   g_inet_socket_address_new_from_string ("127.0.0.1", CONIC_DEFAULT_PORT));
  self->metrics_listen = g_ptr_array_new_with_free_func (g_object_unref);
  self->log_level = G_LOG_LEVEL_MESSAGE;
  self->origins = g_new0 (char *, 1);
  self->page = TRUE;
  self->auth_keys = g_new0 (char *, 1);
  self->auth_audience = g_strdup (CONIC_TOKEN_AUDIENCE);
  self->auth_deny = g_new0 (char *, 1);
  self->stun_uris = g_new0 (char *, 1);
  self->turn_uris = g_new0 (char *, 1);
  self->turn_lifetime = TURN_SECONDS * G_TIME_SPAN_SECOND;
  self->clients = CLIENTS;
  self->clients_per_address = CLIENTS_PER_ADDRESS;
  self->resume_window = RESUME_SECONDS * G_TIME_SPAN_SECOND;
  self->handshake_timeout = HANDSHAKE_SECONDS * G_TIME_SPAN_SECOND;
  self->drain_timeout = DRAIN_SECONDS * G_TIME_SPAN_SECOND;
  self->transport = (ConicTransportLimits){
      .message_bytes = CONIC_MESSAGE_MAX_BYTES,
      .messages_per_second = MESSAGES_PER_SECOND,
      .messages_burst = MESSAGES_BURST,
      .bytes_per_second = BYTES_PER_SECOND,
      .bytes_burst = BYTES_BURST,
      .queue_bytes = QUEUE_BYTES,
      .queue_messages = QUEUE_MESSAGES,
      .confirm_timeout = REGISTER_SECONDS * G_TIME_SPAN_SECOND,
      .slow_timeout = SLOW_SECONDS * G_TIME_SPAN_SECOND,
      .ping_interval = PING_SECONDS * G_TIME_SPAN_SECOND,
      .pong_timeout = PONG_SECONDS * G_TIME_SPAN_SECOND,
      .close_timeout = CLOSE_SECONDS * G_TIME_SPAN_SECOND,
  };
  return self;
}

void
conic_config_free (ConicConfig *self)
{
  g_ptr_array_unref (self->listen);
  g_ptr_array_unref (self->metrics_listen);
  g_strfreev (self->origins);
  g_free (self->tls_certificate);
  g_free (self->tls_key);
  g_strfreev (self->auth_keys);
  g_free (self->auth_audience);
  g_strfreev (self->auth_deny);
  g_strfreev (self->stun_uris);
  g_strfreev (self->turn_uris);
  g_free (self->turn_secret);
  g_free (self);
}

static GSocketAddress *
parse_address (const char *text, GError **error)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = NULL;
  GSocketAddress *address = NULL;
  guint64 port;

  if (colon != NULL && g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL)) {
    if (text[0] == '[' && colon > text && colon[-1] == ']')
      host = g_strndup (text + 1, colon - text - 2);
    else if (memchr (text, ':', colon - text) == NULL)
      host = g_strndup (text, colon - text);
    if (host != NULL && g_str_equal (host, "localhost")) {
      g_free (host);
      host = g_strdup ("127.0.0.1");
    }
    if (host != NULL && (text[0] == '[' || strchr (host, ':') == NULL))
      address = g_inet_socket_address_new_from_string (host, port);
  }
  if (address == NULL)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“%s” is not an address to listen on: it has to be an IP address and a port, such "
                 "as 127.0.0.1:3000 or [::1]:3000",
                 text);
  return address;
}

static gboolean
set_addresses (GPtrArray **member, const char *const *values, GError **error)
{
  g_autoptr (GPtrArray) parsed = g_ptr_array_new_with_free_func (g_object_unref);

  for (gsize i = 0; values[i] != NULL; i++) {
    GSocketAddress *address = parse_address (values[i], error);

    if (address == NULL)
      return FALSE;
    g_ptr_array_add (parsed, address);
  }
  g_ptr_array_unref (*member);
  *member = g_steal_pointer (&parsed);
  return TRUE;
}

static gboolean
set_boolean (gboolean *member, const Key *key, const char *text, GError **error)
{
  if (g_str_equal (text, "yes") || g_str_equal (text, "no")) {
    *member = g_str_equal (text, "yes");
    return TRUE;
  }
  g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
               "“%s” has to be yes or no, not “%s”", key->key.name, text);
  return FALSE;
}

static gboolean
set_log_level (GLogLevelFlags *member, const char *name, GError **error)
{
  if (conic_log_level_from_name (name, member))
    return TRUE;
  g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
               "“%s” is not a log level: it has to be error, warning, message, info or debug",
               name);
  return FALSE;
}

static gboolean
set_number (gpointer member, const Key *key, const char *text, GError **error)
{
  char *end = NULL;
  double value = g_ascii_strtod (text, &end);
  gboolean in_range = value >= key->least && value <= key->most;
  gboolean whole = key->kind == KIND_SECONDS || (in_range && value == (double) (gint64) value);

  if (end == text || *end != '\0' || !in_range || !whole) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“%s” has to be a %s from %.10g to %.10g, not “%s”", key->key.name,
                 key->kind == KIND_SECONDS ? "number of seconds" : "whole number", key->least,
                 key->most, text);
    return FALSE;
  }

  if (key->kind == KIND_UINT)
    *(guint *) member = value;
  else if (key->kind == KIND_SIZE)
    *(gsize *) member = value;
  else
    *(gint64 *) member = value * G_TIME_SPAN_SECOND;
  return TRUE;
}

static void
set_string (char **member, const char *value)
{
  g_free (*member);
  *member = value[0] != '\0' ? g_strdup (value) : NULL;
}

static void
set_strings (GStrv *member, const char *const *values)
{
  g_strfreev (*member);
  *member = g_strdupv ((GStrv) values);
}

/**
 * conic_config_get_nth_key:
 * @n: from 0
 *
 * Returns: (transfer none) (nullable): a key, or %NULL if there are no more
 */
const ConicConfigKey *
conic_config_get_nth_key (gsize n)
{
  return n < G_N_ELEMENTS (keys) ? &keys[n].key : NULL;
}

/**
 * conic_config_find_key:
 * @group: a group of the file
 * @name: (nullable): a key in it, or %NULL for any
 *
 * Returns: (transfer none) (nullable): the key, or %NULL if there is none
 */
const ConicConfigKey *
conic_config_find_key (const char *group, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].key.group, group) &&
        (name == NULL || g_str_equal (keys[i].key.name, name)))
      return &keys[i].key;
  return NULL;
}

/* Whether it takes any number of values. */
gboolean
conic_config_key_is_list (const ConicConfigKey *key)
{
  Kind kind = ((const Key *) key)->kind;

  return kind == KIND_ADDRESSES || kind == KIND_STRINGS;
}

/**
 * conic_config_set:
 * @self: the configuration
 * @key: what to set, one of conic_config_find_key() and conic_config_get_nth_key()
 * @values: (array zero-terminated=1): one value, or any number if the key is a list
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Sets a key from text. A list replaces the former one.
 *
 * Returns: whether the value is one for this key; if not, nothing has changed
 */
gboolean
conic_config_set (ConicConfig *self,
                  const ConicConfigKey *key,
                  const char *const *values,
                  GError **error)
{
  const Key *entry = (const Key *) key;
  gpointer member = (guint8 *) self + entry->offset;

  switch (entry->kind) {
  case KIND_ADDRESSES:
    return set_addresses (member, values, error);
  case KIND_BOOLEAN:
    return set_boolean (member, entry, values[0], error);
  case KIND_LOG_LEVEL:
    return set_log_level (member, values[0], error);
  case KIND_STRING:
    set_string (member, values[0]);
    return TRUE;
  case KIND_STRINGS:
    set_strings (member, values);
    return TRUE;
  case KIND_UINT:
  case KIND_SIZE:
  case KIND_SECONDS:
    return set_number (member, entry, values[0], error);
  }
  g_return_val_if_reached (FALSE);
}

static char *
addresses_to_text (const GPtrArray *addresses)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < addresses->len; i++) {
    GSocketConnectable *address = g_ptr_array_index (addresses, i);
    g_autofree char *name = g_socket_connectable_to_string (address);

    g_string_append_printf (text, "%s%s", i > 0 ? ";" : "", name);
  }
  return g_string_free (text, FALSE);
}

/**
 * conic_config_get:
 * @self: the configuration
 * @key: what of it
 *
 * The reverse of conic_config_set().
 *
 * Returns: (transfer full): the value as it is written in a file
 */
char *
conic_config_get (const ConicConfig *self, const ConicConfigKey *key)
{
  const Key *entry = (const Key *) key;
  gconstpointer member = (const guint8 *) self + entry->offset;
  const char *string;

  switch (entry->kind) {
  case KIND_ADDRESSES:
    return addresses_to_text (*(GPtrArray *const *) member);
  case KIND_BOOLEAN:
    return g_strdup (*(const gboolean *) member ? "yes" : "no");
  case KIND_LOG_LEVEL:
    return g_strdup (conic_log_level_to_name (*(const GLogLevelFlags *) member));
  case KIND_STRING:
    string = *(char *const *) member;
    return g_strdup (string != NULL ? string : "");
  case KIND_STRINGS:
    return g_strjoinv (";", *(GStrv const *) member);
  case KIND_UINT:
    return g_strdup_printf ("%u", *(const guint *) member);
  case KIND_SIZE:
    return g_strdup_printf ("%" G_GSIZE_FORMAT, *(const gsize *) member);
  case KIND_SECONDS:
    return g_strdup_printf ("%.10g", *(const gint64 *) member / (double) G_TIME_SPAN_SECOND);
  }
  g_return_val_if_reached (NULL);
}

/* Returns (nullable): the first that no id matches */
static const char *
find_bad_pattern (GStrv patterns)
{
  for (gsize i = 0; patterns[i] != NULL; i++)
    if (!conic_pattern_is_valid (patterns[i], CONIC_ID_MAX_LENGTH - 1))
      return patterns[i];
  return NULL;
}

/**
 * conic_config_check:
 * @self: the configuration
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Looks for what makes no sense together, which no single key shows.
 *
 * Returns: whether all is in order
 */
gboolean
conic_config_check (const ConicConfig *self, GError **error)
{
  const char *bad_pattern = find_bad_pattern (self->auth_deny);

  if (self->listen->len == 0)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“listen” needs an address to listen on");
  else if ((self->tls_certificate == NULL) != (self->tls_key == NULL))
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "TLS needs a certificate and its key; there is only the %s",
                 self->tls_key == NULL ? "certificate" : "key");
  else if (self->turn_uris[0] != NULL && self->turn_secret == NULL)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“turn-uris” needs the “turn-secret” that credentials are made with");
  else if (self->auth_audience == NULL)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“auth-audience” may not be empty: a token is always meant for somebody");
  else if (bad_pattern != NULL)
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“deny”: “%s” is neither a client id nor the beginning of one with * at its end",
                 bad_pattern);
  else
    return TRUE;
  return FALSE;
}
