/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-log.h"

#include <stdio.h>

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

char *
conic_log_escape (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *escaped = g_string_sized_new (64);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    /* Not only controls: a line separator or an override of direction forges a log as well. */
    if (g_unichar_isprint (c))
      g_string_append_unichar (escaped, c);
    else
      g_string_append_printf (escaped, "\\u%04x", c);
  }
  return g_string_free (escaped, FALSE);
}

static const char *
level_name (GLogLevelFlags level)
{
  /* Programmers' errors, as GLib writes them everywhere. */
  if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
    return "CRITICAL";
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (level & levels[i].level)
      return levels[i].name;
  return "";
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
