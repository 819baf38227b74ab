/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-options.h"

#include "conic-config-file.h"
#include "conic-server-error.h"

static const ConicConfigKey *
find_option (const char *option)
{
  const ConicConfigKey *key;

  for (gsize i = 0; (key = conic_config_get_nth_key (i)) != NULL; i++)
    if (g_str_equal (key->option, option))
      return key;
  return NULL;
}

static gboolean
on_option (const char *name, const char *value, gpointer user_data, GError **error)
{
  ConicOptions *self = user_data;
  /* GLib says `-l` if that was what was given. */
  const ConicConfigKey *key = find_option (g_str_equal (name, "-l") ? "listen" : name + 2);
  GPtrArray *values = g_hash_table_lookup (self->values, key);

  if (values == NULL) {
    values = g_ptr_array_new_null_terminated (1, g_free, TRUE);
    g_hash_table_insert (self->values, (gpointer) key, values);
  }
  if (!conic_config_key_is_list (key))
    g_ptr_array_set_size (values, 0);
  g_ptr_array_add (values, g_strdup (value));
  return TRUE;
}

static GOptionGroup *
make_group (ConicOptions *self)
{
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &self->file, "Configuration file", "FILE"},
      {"check-config", 0, 0, G_OPTION_ARG_NONE, &self->check_config,
       "Say whether the configuration is in order, and exit", NULL},
      {"version", 0, 0, G_OPTION_ARG_NONE, &self->version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL,
  };
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, self, NULL);
  g_autoptr (GArray) made = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  const ConicConfigKey *key;

  g_option_group_add_entries (group, entries);
  for (gsize i = 0; (key = conic_config_get_nth_key (i)) != NULL; i++) {
    const GOptionEntry entry = {
        .long_name = key->option,
        .short_name = g_str_equal (key->option, "listen") ? 'l' : 0,
        .arg = G_OPTION_ARG_CALLBACK,
        .arg_data = (gpointer) (guintptr) on_option,
        .description = key->description,
        .arg_description = key->placeholder,
    };

    g_array_append_val (made, entry);
  }
  g_option_group_add_entries (group, (const GOptionEntry *) (gpointer) made->data);
  return group;
}

/**
 * conic_options_parse:
 * @argc: (inout): how many arguments there are
 * @argv: (inout) (array length=argc): the arguments
 * @error: return location for a #GOptionError
 *
 * Reads the command line. Every key of the configuration is an option of it; `--help` prints them
 * all and exits.
 *
 * Returns: (transfer full) (nullable): what it says, or %NULL if it makes no sense
 */
ConicOptions *
conic_options_parse (int *argc, char ***argv, GError **error)
{
  g_autoptr (ConicOptions) self = g_new0 (ConicOptions, 1);
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  self->values = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_option_context_set_summary (context, "Conic's signaling daemon: lets WebRTC peers find each "
                                         "other over a WebSocket at ws://ADDR:PORT/ws");
  g_option_context_set_description (context, "“conicd token --help” tells how to make a token for a "
                                             "client.");
  g_option_context_set_main_group (context, make_group (self));
  if (!g_option_context_parse (context, argc, argv, error))
    return NULL;
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "Unexpected argument “%s”",
                 (*argv)[1]);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
conic_options_free (ConicOptions *self)
{
  g_free (self->file);
  g_hash_table_unref (self->values);
  g_free (self);
}

static gboolean
apply_value (ConicConfig *config, const ConicConfigKey *key, GPtrArray *values, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (conic_config_set (config, key, (const char *const *) values->pdata, &why))
    return TRUE;
  g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, "--%s: %s", key->option,
               why->message);
  return FALSE;
}

/**
 * conic_options_load:
 * @self: the options
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Puts the configuration together: the command line overrides the file, which is read anew, and
 * that overrides the defaults.
 *
 * Returns: (transfer full) (nullable): the configuration, or %NULL if it is not in order
 */
ConicConfig *
conic_options_load (const ConicOptions *self, GError **error)
{
  g_autoptr (ConicConfig) config = conic_config_new ();
  GHashTableIter iter;
  gpointer key, values;

  if (self->file != NULL && !conic_config_file_load (config, self->file, error))
    return NULL;
  g_hash_table_iter_init (&iter, self->values);
  while (g_hash_table_iter_next (&iter, &key, &values))
    if (!apply_value (config, key, values, error))
      return NULL;
  if (!conic_config_check (config, error))
    return NULL;
  return g_steal_pointer (&config);
}
