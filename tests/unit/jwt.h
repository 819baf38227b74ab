/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* {"alg":"HS256"} and what makes it true */
#define JWT_HS256 "{\"alg\":\"HS256\"}"

/**
 * jwt_make:
 * @header: the first part of the token
 * @claims: (array length=length): the second; anything at all
 * @length: bytes of @claims
 * @digest: of the HMAC that it is signed with, whatever @header says
 * @secret: the key of that
 *
 * Returns: (transfer full): a token, RFC 7515 section 7.1
 */
char *jwt_make (const char *header,
                gconstpointer claims,
                gsize length,
                GChecksumType digest,
                const char *secret);
