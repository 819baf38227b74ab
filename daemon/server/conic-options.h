/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-config.h"

G_BEGIN_DECLS

/**
 * ConicOptions:
 * @version: only the version is asked for
 * @check_config: only a look at the configuration is asked for
 *
 * What the command line says. It outlives the configuration that is made of it, for a file can be
 * read again.
 */
typedef struct {
  gboolean version;
  gboolean check_config;

  /*< private >*/
  char *file;
  GHashTable *values; /* ConicConfigKey → GPtrArray of char * */
} ConicOptions;

ConicOptions *conic_options_parse (int *argc, char ***argv, GError **error);
void conic_options_free (ConicOptions *options);

ConicConfig *conic_options_load (const ConicOptions *options, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicOptions, conic_options_free)

G_END_DECLS
