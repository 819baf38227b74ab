/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 low;
  guint64 high;
} ConicSiphashKey;

/* A key that nobody can guess, from getrandom(2). */
void conic_siphash_make_key (ConicSiphashKey *key);

/**
 * conic_siphash:
 * @key: a secret
 * @data: (array length=length): what to hash
 * @length: bytes of @data
 *
 * SipHash-2-4 (Aumasson and Bernstein, 2012). Clients choose their ids: with GLib's string hash
 * some thousand of them can be made to collide, and every look-up would walk over them all.
 *
 * Returns: the hash
 */
guint64 conic_siphash (const ConicSiphashKey *key, const char *data, gsize length);

G_END_DECLS
