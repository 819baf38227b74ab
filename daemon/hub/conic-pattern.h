/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A pattern is an id, or what ids begin with, followed by `*`. */

/* Whether @text is a pattern that some id matches; what is before its `*` has at most @max_prefix
 * characters. */
gboolean conic_pattern_is_valid (const char *text, gsize max_prefix);

gboolean conic_pattern_matches (const char *pattern, const char *id);

/* Whether @id matches one of @patterns: (array zero-terminated=1) (nullable), %NULL is none */
gboolean conic_pattern_any_matches (const char *const *patterns, const char *id);

/* The characters that a pattern's ids begin with; all of the pattern if it is an id. */
gsize conic_pattern_get_prefix_length (const char *pattern);

G_END_DECLS
