/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * conic_secret_load:
 * @path: (type filename): a file with a key or a password and nothing else
 * @error: return location for a #CONIC_SERVER_ERROR, which names the file
 *
 * Reads a secret. A line's end at the end of the file is not part of it.
 *
 * Returns: (transfer full) (nullable): the secret, which is text and not empty; it is also
 *   terminated, which doesn't count; %NULL if the file can't be read or has none
 */
GBytes *conic_secret_load (const char *path, GError **error);

G_END_DECLS
