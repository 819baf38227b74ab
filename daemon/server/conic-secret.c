/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-secret.h"

#include "conic-server-error.h"

/* Leaves out the line's end that editors and most commands put at the end of a file. */
static gsize
length_without_line_end (const char *text, gsize length)
{
  if (length > 0 && text[length - 1] == '\n')
    length--;
  if (length > 0 && text[length - 1] == '\r')
    length--;
  return length;
}

GBytes *
conic_secret_load (const char *path, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autofree char *text = NULL;
  const char *problem = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why)) {
    g_set_error_literal (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, why->message);
    return NULL;
  }
  length = length_without_line_end (text, length);
  if (length == 0)
    problem = "the file is empty";
  else if (!g_utf8_validate (text, length, NULL))
    problem = "the file isn't text; write keys in PEM and secrets in base64 or hexadecimal digits";
  if (problem != NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s: %s", path, problem);
    return NULL;
  }
  text[length] = '\0';
  return g_bytes_new_take (g_steal_pointer (&text), length);
}
