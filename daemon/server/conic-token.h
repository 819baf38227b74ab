/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-grant.h"

G_BEGIN_DECLS

/* Who a token has to be meant for, unless told otherwise. */
#define CONIC_TOKEN_AUDIENCE "conicd"

/**
 * ConicTokenKey:
 *
 * A key that tokens (JWT, RFC 7519) are signed with or checked by. The key alone decides on the
 * algorithm, whatever a token says of itself: RS256 for RSA, else HS256 with a secret.
 */
typedef struct _ConicTokenKey ConicTokenKey;

/**
 * ConicTokenClaims:
 * @subject: `sub`, the client id, or what it has to begin with followed by `*`
 * @targets: (array zero-terminated=1) (nullable): `targets`, the ids that may be reached, likewise;
 *   %NULL is everyone
 * @audience: `aud`, who the token is meant for
 * @issued: `iat`, Unix time in seconds
 * @expires: `exp`, Unix time in seconds
 *
 * What a token says.
 */
typedef struct {
  const char *subject;
  const char *const *targets;
  const char *audience;
  gint64 issued;
  gint64 expires;
} ConicTokenClaims;

ConicTokenKey *conic_token_key_load_for_checking (const char *path, GError **error);
ConicTokenKey *conic_token_key_load_for_signing (const char *path, GError **error);
void conic_token_key_free (ConicTokenKey *key);

char *conic_token_sign (const ConicTokenKey *key, const ConicTokenClaims *claims, GError **error);

ConicGrant *conic_token_check (const GPtrArray *keys,
                               const char *audience,
                               const char *token,
                               gint64 now,
                               gint64 *expires,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicTokenKey, conic_token_key_free)

G_END_DECLS
