/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicGrant:
 *
 * What a connection may call itself, and whom it may reach. Where a grant is nullable, %NULL allows
 * everything: that is a hub without authentication.
 *
 * Ids are allowed by patterns: an id, or the beginning of one followed by `*`.
 */
typedef struct _ConicGrant ConicGrant;

/**
 * conic_grant_new:
 * @id: the pattern of the ids that the connection may register
 * @targets: (array zero-terminated=1) (nullable): the patterns of the ids that it may send to; %NULL
 *   is everyone
 * @error: return location for %CONIC_ERROR_INVALID_ID, in ASCII and without a word of the patterns
 *
 * Returns: (transfer full) (nullable): a grant, or %NULL if no id can match one of the patterns
 */
ConicGrant *conic_grant_new (const char *id, const char *const *targets, GError **error);
void conic_grant_free (ConicGrant *grant);

/* Whether a connection with @grant (nullable) may register @id. */
gboolean conic_grant_may_be (const ConicGrant *grant, const char *id);

/* Whether a connection with @grant (nullable) may know of @id and send to it. */
gboolean conic_grant_may_reach (const ConicGrant *grant, const char *id);

/* (nullable): the only id that a connection with @grant (nullable) may register; NULL if there are
 * others */
const char *conic_grant_get_id (const ConicGrant *grant);

/* (transfer full): an id that nobody can guess, for a connection with @grant (nullable); to be
 * called if conic_grant_get_id() knows none */
char *conic_grant_make_id (const ConicGrant *grant);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicGrant, conic_grant_free)

G_END_DECLS
