/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

/* Fields of a message about a client, if there are all of them. */
#define MAX_FIELDS 6

/* Microseconds between two messages of the same kind about something that floods. */
#define LIMIT_INTERVAL (60 * G_TIME_SPAN_SECOND)

static const struct {
  const char *name;
  GLogLevelFlags level;
} levels[] = {
    {"error", G_LOG_LEVEL_CRITICAL},  {"warning", G_LOG_LEVEL_WARNING},
    {"message", G_LOG_LEVEL_MESSAGE}, {"info", G_LOG_LEVEL_INFO},
    {"debug", G_LOG_LEVEL_DEBUG},
};

gboolean
conic_log_level_from_name (const char *name, GLogLevelFlags *level)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (levels[i].name, name)) {
      *level = levels[i].level;
      return TRUE;
    }
  return FALSE;
}

const char *
conic_log_level_to_name (GLogLevelFlags level)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (levels[i].level == level)
      return levels[i].name;
  return "";
}

/* Not only controls: a line separator or an override of direction forges a log as well. */
static gboolean
is_harmless (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return g_unichar_isprint (c) && type != G_UNICODE_LINE_SEPARATOR &&
         type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
conic_log_escape (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *escaped = g_string_sized_new (64);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (is_harmless (c))
      g_string_append_unichar (escaped, c);
    else
      g_string_append_printf (escaped, "\\u%04x", c);
  }
  return g_string_free (escaped, FALSE);
}

char *
conic_log_describe_remote (int fd)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } from = {.any.sa_family = AF_UNSPEC};
  socklen_t length = sizeof from;
  char host[INET6_ADDRSTRLEN];

  /* GSocketAddress does all that as well, with a handful of objects for each client. */
  getpeername (fd, &from.any, &length);
  /* A socket of systemd's takes IPv4 as IPv6; whoever searches the log doesn't. */
  if (from.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED (&from.v6.sin6_addr))
    from.v4 = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = from.v6.sin6_port,
        .sin_addr.s_addr = from.v6.sin6_addr.s6_addr32[3],
    };
  if (from.any.sa_family == AF_INET &&
      inet_ntop (AF_INET, &from.v4.sin_addr, host, sizeof host) != NULL)
    return g_strdup_printf ("%s:%u", host, ntohs (from.v4.sin_port));
  if (from.any.sa_family == AF_INET6 &&
      inet_ntop (AF_INET6, &from.v6.sin6_addr, host, sizeof host) != NULL)
    return g_strdup_printf ("[%s]:%u", host, ntohs (from.v6.sin6_port));
  return g_strdup ("an address that has gone");
}

/* The number that syslog has for it: RFC 5424 section 6.2.1. */
static const char *
syslog_priority (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK) {
  case G_LOG_LEVEL_CRITICAL:
  case G_LOG_LEVEL_WARNING:
    return "4";
  case G_LOG_LEVEL_MESSAGE:
    return "5";
  case G_LOG_LEVEL_INFO:
    return "6";
  default:
    return "7";
  }
}

static void
add_field (GLogField *fields, gsize *n, const char *key, const char *value)
{
  if (value != NULL)
    fields[(*n)++] = (GLogField){.key = key, .value = value, .length = -1};
}

void
conic_log_client (GLogLevelFlags level, const ConicLogClient *client, const char *format, ...)
{
  g_autofree char *message = NULL;
  GLogField fields[MAX_FIELDS];
  char code[8];
  gsize n = 0;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_snprintf (code, sizeof code, "%u", client->close_code);

  add_field (fields, &n, "GLIB_DOMAIN", G_LOG_DOMAIN);
  add_field (fields, &n, "PRIORITY", syslog_priority (level));
  add_field (fields, &n, "MESSAGE", message);
  add_field (fields, &n, "CONIC_CLIENT_ID", client->id);
  add_field (fields, &n, "CONIC_REMOTE", client->remote);
  add_field (fields, &n, "CONIC_CLOSE_CODE", client->close_code != 0 ? code : NULL);
  g_log_structured_array (level, fields, n);
}

gboolean
conic_log_limit_pass (ConicLogLimit *self, gint64 now, guint *n_kept_back)
{
  if (now < self->next) {
    self->n_kept_back++;
    return FALSE;
  }
  *n_kept_back = self->n_kept_back;
  self->n_kept_back = 0;
  self->next = now + LIMIT_INTERVAL;
  return TRUE;
}

static const char *
level_name (GLogLevelFlags level)
{
  /* Programmers' errors, as GLib writes them everywhere. */
  if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
    return "CRITICAL";
  return conic_log_level_to_name (level & G_LOG_LEVEL_MASK);
}

static char *
field_text (const GLogField *field)
{
  return field->length < 0 ? g_strdup (field->value) : g_strndup (field->value, field->length);
}

GLogWriterOutput
conic_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const GLogLevelFlags *least = user_data;
  g_autofree GLogField *copies = NULL;
  g_autofree char *message = NULL;
  g_autofree char *domain = NULL;

  if ((level & G_LOG_LEVEL_MASK) > *least)
    return G_LOG_WRITER_HANDLED;

  copies = g_memdup2 (fields, n_fields * sizeof *fields);
  for (gsize i = 0; i < n_fields; i++) {
    if (g_str_equal (fields[i].key, "GLIB_DOMAIN") && domain == NULL) {
      domain = field_text (&fields[i]);
    } else if (g_str_equal (fields[i].key, "MESSAGE") && message == NULL) {
      g_autofree char *text = field_text (&fields[i]);

      message = conic_log_escape (text);
      copies[i].value = message;
      copies[i].length = -1;
    }
  }

  if (g_log_writer_is_journald (fileno (stderr)) &&
      g_log_writer_journald (level, copies, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  fprintf (stderr, "%s: %s: %s\n", domain != NULL ? domain : "conicd", level_name (level),
           message != NULL ? message : "");
  return G_LOG_WRITER_HANDLED;
}
