/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-config.h"

#include "conic-limits.h"
#include "conic-log.h"

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

typedef enum {
  KIND_LISTEN,
  KIND_LOG_LEVEL,
  KIND_UINT,    /* guint */
  KIND_SIZE,    /* gsize */
  KIND_SECONDS, /* in the file, with decimals; gint64 microseconds in the struct */
} Kind;

typedef struct {
  const char *group;
  const char *key;
  Kind kind;
  gsize offset;
  double least;
  double most;
} Key;

#define TIMEOUT(key, member)                                                                       \
  {                                                                                                \
    "timeouts", key, KIND_SECONDS, G_STRUCT_OFFSET (ConicConfig, member), 0.001, MAX_SECONDS       \
  }

static const Key keys[] = {
    {"daemon", "listen", KIND_LISTEN, 0, 0, 0},
    {"daemon", "log-level", KIND_LOG_LEVEL, 0, 0, 0},
    {"limits", "clients", KIND_UINT, G_STRUCT_OFFSET (ConicConfig, clients), 1, 10e6},
    {"limits", "message-bytes", KIND_SIZE, G_STRUCT_OFFSET (ConicConfig, transport.message_bytes),
     1024, 64e6},
    {"limits", "queue-bytes", KIND_SIZE, G_STRUCT_OFFSET (ConicConfig, transport.queue_bytes), 1024,
     1e9},
    {"limits", "queue-messages", KIND_UINT, G_STRUCT_OFFSET (ConicConfig, transport.queue_messages),
     1, 1e6},
    TIMEOUT ("handshake-seconds", handshake_timeout),
    TIMEOUT ("register-seconds", transport.confirm_timeout),
    TIMEOUT ("slow-seconds", transport.slow_timeout),
    TIMEOUT ("ping-seconds", transport.ping_interval),
    TIMEOUT ("pong-seconds", transport.pong_timeout),
    TIMEOUT ("close-seconds", transport.close_timeout),
    TIMEOUT ("drain-seconds", drain_timeout),
};

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
  self->log_level = G_LOG_LEVEL_MESSAGE;
  self->clients = CLIENTS;
  self->handshake_timeout = HANDSHAKE_SECONDS * G_TIME_SPAN_SECOND;
  self->drain_timeout = DRAIN_SECONDS * G_TIME_SPAN_SECOND;
  self->transport = (ConicTransportLimits){
      .message_bytes = CONIC_MESSAGE_MAX_BYTES,
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

/**
 * conic_config_set_listen:
 * @self: the configuration
 * @addresses: (array zero-terminated=1): each `ADDR:PORT`, with brackets around an IPv6 address;
 *   port 0 has the kernel choose one
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Replaces the addresses to listen on.
 *
 * Returns: whether all are addresses; if not, nothing has changed
 */
gboolean
conic_config_set_listen (ConicConfig *self, const char *const *addresses, GError **error)
{
  g_autoptr (GPtrArray) parsed = g_ptr_array_new_with_free_func (g_object_unref);

  for (gsize i = 0; addresses[i] != NULL; i++) {
    GSocketAddress *address = parse_address (addresses[i], error);

    if (address == NULL)
      return FALSE;
    g_ptr_array_add (parsed, address);
  }
  if (parsed->len == 0) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "No address to listen on");
    return FALSE;
  }
  g_ptr_array_unref (self->listen);
  self->listen = g_steal_pointer (&parsed);
  return TRUE;
}

/**
 * conic_config_set_log_level:
 * @self: the configuration
 * @name: a level's name
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Returns: whether there is such a level
 */
gboolean
conic_config_set_log_level (ConicConfig *self, const char *name, GError **error)
{
  if (conic_log_level_from_name (name, &self->log_level))
    return TRUE;
  g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
               "“%s” is not a log level: it has to be error, warning, message, info or debug",
               name);
  return FALSE;
}

static gboolean
apply_number (ConicConfig *self, const Key *key, GKeyFile *file, GError **error)
{
  gpointer member = (guint8 *) self + key->offset;
  g_autofree char *text = g_key_file_get_value (file, key->group, key->key, NULL);
  char *end = NULL;
  double value = g_ascii_strtod (text, &end);
  gboolean whole = key->kind == KIND_SECONDS || value == (double) (gint64) value;

  if (end == text || *end != '\0' || !(value >= key->least && value <= key->most) || !whole) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "“%s” has to be a %s from %.10g to %.10g, not “%s”", key->key,
                 key->kind == KIND_SECONDS ? "number of seconds" : "whole number", key->least,
                 key->most, text);
    return FALSE;
  }

  switch (key->kind) {
  case KIND_UINT:
    *(guint *) member = value;
    break;
  case KIND_SIZE:
    *(gsize *) member = value;
    break;
  case KIND_SECONDS:
    *(gint64 *) member = value * G_TIME_SPAN_SECOND;
    break;
  default:
    g_assert_not_reached ();
  }
  return TRUE;
}

static gboolean
apply_key (ConicConfig *self, const Key *key, GKeyFile *file, GError **error)
{
  if (key->kind == KIND_LISTEN) {
    g_auto (GStrv) addresses = g_key_file_get_string_list (file, key->group, key->key, NULL, error);

    return addresses != NULL &&
           conic_config_set_listen (self, (const char *const *) addresses, error);
  }
  if (key->kind == KIND_LOG_LEVEL) {
    g_autofree char *name = g_key_file_get_string (file, key->group, key->key, error);

    return name != NULL && conic_config_set_log_level (self, name, error);
  }
  return apply_number (self, key, file, error);
}

/* The line, counted from 1, on which @group begins, or on which @key stands in it. */
static guint
find_line (const char *text, const char *group, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean in_group = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    gsize length = strlen (line);

    if (line[0] == '[' && length > 2) {
      in_group = strlen (group) == length - 2 && strncmp (line + 1, group, length - 2) == 0;
      if (in_group && key == NULL)
        return i + 1;
    } else if (in_group && key != NULL && g_str_has_prefix (line, key)) {
      const char *rest = line + strlen (key);

      if (*rest == '=' || g_ascii_isspace (*rest))
        return i + 1;
    }
  }
  return 0;
}

static const Key *
find_key (const char *group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].group, group) && (key == NULL || g_str_equal (keys[i].key, key)))
      return &keys[i];
  return NULL;
}

static gboolean
load_group (ConicConfig *self,
            GKeyFile *file,
            const char *path,
            const char *text,
            const char *group,
            GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (file, group, NULL, NULL);

  if (find_key (group, NULL) == NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "%s:%u: there is no group “%s”", path, find_line (text, group, NULL), group);
    return FALSE;
  }
  for (gsize i = 0; names[i] != NULL; i++) {
    const Key *key = find_key (group, names[i]);
    guint line = find_line (text, group, names[i]);
    g_autoptr (GError) why = NULL;

    if (key == NULL) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                   "%s:%u: there is no key “%s” in the group “%s”", path, line, names[i], group);
      return FALSE;
    }
    if (!apply_key (self, key, file, &why)) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s:%u: %s", path, line,
                   why->message);
      return FALSE;
    }
  }
  return TRUE;
}

/**
 * conic_config_load:
 * @self: the configuration; changed as far as the file was read when it is refused
 * @path: (type filename): a key file
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Takes over what the file says. A group or a key that there isn't, and a value that is out of
 * range, is refused with its line.
 *
 * Returns: whether all of the file is in order
 */
gboolean
conic_config_load (ConicConfig *self, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) groups = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why) ||
      !g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &why)) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s: %s", path,
                 why->message);
    return FALSE;
  }

  groups = g_key_file_get_groups (file, NULL);
  for (gsize i = 0; groups[i] != NULL; i++)
    if (!load_group (self, file, path, text, groups[i], error))
      return FALSE;
  return TRUE;
}
