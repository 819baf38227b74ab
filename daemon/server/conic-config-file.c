/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-config-file.h"

#include <string.h>

/* The first line beyond @after, counted from 1, on which @group begins, or on which @key stands in
 * it; 0 if there is none. */
static guint
find_line (const char *text, const char *group, const char *key, guint after)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean in_group = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    gsize length = strlen (line);

    if (line[0] == '[' && length > 2) {
      in_group = strlen (group) == length - 2 && strncmp (line + 1, group, length - 2) == 0;
      if (in_group && key == NULL && i >= after)
        return i + 1;
    } else if (in_group && key != NULL && g_str_has_prefix (line, key)) {
      const char *rest = line + strlen (key);

      if (i >= after && (*rest == '=' || g_ascii_isspace (*rest)))
        return i + 1;
    }
  }
  return 0;
}

static gboolean
load_key (ConicConfig *self, const ConicConfigKey *key, GKeyFile *file, GError **error)
{
  g_auto (GStrv) values = NULL;

  if (conic_config_key_is_list (key)) {
    values = g_key_file_get_string_list (file, key->group, key->name, NULL, error);
    for (gsize i = 0; values != NULL && values[i] != NULL; i++)
      g_strstrip (values[i]);
  } else {
    values = g_new0 (char *, 2);
    values[0] = g_key_file_get_string (file, key->group, key->name, error);
  }
  /* An empty list is one; a single value that isn't there had an error. */
  return values != NULL && (values[0] != NULL || conic_config_key_is_list (key)) &&
         conic_config_set (self, key, (const char *const *) values, error);
}

/* Returns (nullable): the first group that has such a key */
static const char *
find_group (const char *name)
{
  const ConicConfigKey *key;

  for (gsize i = 0; (key = conic_config_get_nth_key (i)) != NULL; i++)
    if (g_str_equal (key->name, name))
      return key->group;
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

  if (conic_config_find_key (group, NULL) == NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "%s:%u: there is no group “%s”", path, find_line (text, group, NULL, 0), group);
    return FALSE;
  }
  for (gsize i = 0; names[i] != NULL; i++) {
    const ConicConfigKey *key = conic_config_find_key (group, names[i]);
    guint line = find_line (text, group, names[i], 0);
    guint again = find_line (text, group, names[i], line);
    g_autoptr (GError) why = NULL;

    if (key == NULL) {
      const char *other = find_group (names[i]);

      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                   "%s:%u: there is no key “%s” in the group “%s”%s%s%s", path, line, names[i],
                   group, other != NULL ? ", but in “" : "", other != NULL ? other : "",
                   other != NULL ? "”" : "");
      return FALSE;
    }
    /* GKeyFile would go by the last one. */
    if (again != 0) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                   "%s:%u: “%s” stands in line %u already%s", path, again, names[i], line,
                   conic_config_key_is_list (key)
                       ? "; put several values there, with ; between them"
                       : "");
      return FALSE;
    }
    if (!load_key (self, key, file, &why)) {
      g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s:%u: %s", path, line,
                   why->message);
      return FALSE;
    }
  }
  return TRUE;
}

static void
set_file_error (GError **error, const char *path, const char *why)
{
  g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "%s: %s", path, why);
}

/**
 * conic_config_file_load:
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
conic_config_file_load (ConicConfig *self, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) groups = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &why)) {
    set_file_error (error, path, why->message);
    return FALSE;
  }
  /* GKeyFile would go by what comes before a U+0000, and repeat other bytes in its messages. */
  if (!g_utf8_validate (text, length, NULL)) {
    set_file_error (error, path, "this is not a text file in UTF-8");
    return FALSE;
  }
  if (!g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &why)) {
    set_file_error (error, path, why->message);
    return FALSE;
  }

  groups = g_key_file_get_groups (file, NULL);
  for (gsize i = 0; groups[i] != NULL; i++)
    if (!load_group (self, file, path, text, groups[i], error))
      return FALSE;
  return TRUE;
}
