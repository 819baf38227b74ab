/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that the example configuration lists every key with its default, that each default is said
 * where an option is described, and that every value is read back as it was set. */

#include "conic-config.h"

#include <string.h>

typedef struct {
  ConicConfig *config;
  GHashTable *listed; /* of keys: what the example says */
} Fixture;

/* Takes what is commented out as if it were not: “#key=value” begins at once, text after a space. */
static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "..", "data", "conicd.conf", NULL);
  g_autofree char *text = NULL;
  g_autofree char *group = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  fixture->config = conic_config_new ();
  fixture->listed = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    if (lines[i][0] == '[') {
      g_free (group);
      group = g_strndup (lines[i] + 1, strlen (lines[i]) - 2);
    } else if (lines[i][0] == '#' && g_ascii_islower (lines[i][1])) {
      g_auto (GStrv) parts = g_strsplit (lines[i] + 1, "=", 2);
      const ConicConfigKey *key = conic_config_find_key (group, parts[0]);

      if (key == NULL)
        g_error ("%s: there is no such key: %s", path, lines[i]);
      g_assert_true (g_hash_table_insert (fixture->listed, (gpointer) key, g_strdup (parts[1])));
    }
  }
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_hash_table_unref (fixture->listed);
  conic_config_free (fixture->config);
}

static void
test_example (Fixture *fixture, gconstpointer unused)
{
  const ConicConfigKey *key;
  gsize n = 0;

  while ((key = conic_config_get_nth_key (n)) != NULL) {
    g_autofree char *value = conic_config_get (fixture->config, key);
    const char *listed = g_hash_table_lookup (fixture->listed, key);

    g_test_message ("[%s] %s", key->group, key->name);
    g_assert_cmpstr (listed, ==, value);
    n++;
  }
  g_assert_cmpuint (g_hash_table_size (fixture->listed), ==, n);
}

static void
test_descriptions (Fixture *fixture, gconstpointer unused)
{
  const ConicConfigKey *key;

  for (gsize i = 0; (key = conic_config_get_nth_key (i)) != NULL; i++) {
    g_autofree char *value = conic_config_get (fixture->config, key);
    g_autofree char *said = g_strdup_printf ("(%s)", value);

    g_test_message ("--%s: %s", key->option, key->description);
    if (value[0] != '\0')
      g_assert_nonnull (strstr (key->description, said));
  }
}

/* Neither a default nor one that another kind of key would take. */
static const char *
make_value (const ConicConfigKey *key)
{
  if (g_str_equal (key->placeholder, "ADDR:PORT"))
    return "127.0.0.1:1;[::1]:65535";
  if (g_str_equal (key->placeholder, "LEVEL"))
    return "info";
  if (g_str_equal (key->placeholder, "SECONDS"))
    return "61.5";
  if (g_str_equal (key->placeholder, "N"))
    return "1234";
  if (g_str_equal (key->placeholder, "yes|no"))
    return "no";
  return conic_config_key_is_list (key) ? "a;b" : "a";
}

static void
test_round_trip (Fixture *fixture, gconstpointer unused)
{
  const ConicConfigKey *key;

  for (gsize i = 0; (key = conic_config_get_nth_key (i)) != NULL; i++) {
    const char *value = make_value (key);
    g_auto (GStrv) values = g_strsplit (value, ";", -1);
    g_autoptr (GError) error = NULL;
    g_autofree char *found = NULL;

    conic_config_set (fixture->config, key, (const char *const *) values, &error);
    g_assert_no_error (error);
    found = conic_config_get (fixture->config, key);
    g_assert_cmpstr (found, ==, value);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/config/example", Fixture, NULL, set_up, test_example, tear_down);
  g_test_add ("/config/descriptions", Fixture, NULL, set_up, test_descriptions, tear_down);
  g_test_add ("/config/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
  return g_test_run ();
}
