/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target over the files of a folder, so that the corpus is a test of every build:
 *
 *     fuzz-TARGET CORPUS-FOLDER
 */

#include <glib.h>

#include "conic-fuzz.h"

static gboolean
run_file (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree uint8_t *exact = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;

  /* In a block of its exact size, so that a sanitizer sees a read past its end. */
  exact = g_memdup2 (text, length);
  LLVMFuzzerTestOneInput (exact, length);

  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = NULL;
  const char *name;
  guint n_files = 0;

  if (argc != 2) {
    g_printerr ("usage: %s CORPUS-FOLDER\n", argv[0]);
    return 2;
  }

  folder = g_dir_open (argv[1], 0, &error);
  while (error == NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (argv[1], name, NULL);

    if (run_file (path, &error))
      n_files++;
  }
  if (error != NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }

  g_print ("%u files\n", n_files);

  return n_files > 0 ? 0 : 1;
}
