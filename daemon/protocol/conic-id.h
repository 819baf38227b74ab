/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Characters of an id that this project makes: as many as conic's xids have. */
#define CONIC_ID_NEW_LENGTH 20

/* Whether @id may be a client's id: `[A-Za-z0-9._~-]{1,128}`, section 3 of the wire contract. */
gboolean conic_id_is_valid (const char *id);

/* Copies the @length bytes at @id, which needn't be terminated, to the CONIC_ID_MAX_LENGTH + 1
 * bytes at @out and terminates them, if they are a client's id; else @out is undefined. */
gboolean conic_id_copy (char *out, const char *id, gsize length);

/**
 * conic_id_new:
 *
 * Makes an id for a client, a message or a resume token: %CONIC_ID_NEW_LENGTH characters of
 * `[0-9a-v]`, which are 100 bits from the kernel's getrandom(2). GLib's random numbers can be
 * computed from earlier ones, and a resume token must not be guessed; an xid counts upwards.
 *
 * Returns: (transfer full): the id
 */
char *conic_id_new (void);

G_END_DECLS
