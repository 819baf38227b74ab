/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): @text, UTF-8 and without a control character: what a client sends may be logged
 * in no other way */
char *conic_log_escape (const char *text);

/* Whether @name is "error", "warning", "message", "info" or "debug"; sets @level to the least
 * important one that is to be logged. */
gboolean conic_log_level_from_name (const char *name, GLogLevelFlags *level);

/* For g_log_set_writer_func(): to the journal if that is where standard error goes, else lines on
 * standard error. @user_data is a pointer to the GLogLevelFlags above. */
GLogWriterOutput
conic_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data);

G_END_DECLS
