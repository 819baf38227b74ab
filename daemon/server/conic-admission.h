/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-config.h"
#include "conic-grant.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * ConicAdmission:
 *
 * Who may come in, and what they may do then: the rules for `Origin` and for tokens. It is made of a
 * configuration and doesn't change.
 */
typedef struct _ConicAdmission ConicAdmission;

/**
 * ConicUpgrade:
 * @headers: of the request
 * @query: (nullable): what follows the `?` in its path, as it came
 * @fd: the socket that it came on
 *
 * A request for a WebSocket.
 */
typedef struct {
  SoupMessageHeaders *headers;
  const char *query;
  int fd;
} ConicUpgrade;

/**
 * ConicPass:
 * @grant: what the client may do
 * @expires: the monotonic time in microseconds at which that ends
 *
 * What an admitted client got for its token.
 */
typedef struct {
  ConicGrant *grant;
  gint64 expires;
} ConicPass;

/**
 * ConicVerdict:
 * @status: of HTTP: 101 if the client is admitted, else what it is refused with
 * @protocol: (nullable): if it is admitted, the subprotocol to answer
 * @pass: (nullable): if it is admitted by a token; without one it may do everything
 * @text: if it is refused, why: one line, without its end
 * @challenge: (nullable): if it is refused, the header `WWW-Authenticate`
 *
 * What becomes of a request. Whoever declares one calls conic_verdict_clear() on it.
 */
typedef struct {
  guint status;
  const char *protocol;
  ConicPass *pass;
  char *text;
  char *challenge;
} ConicVerdict;

ConicAdmission *conic_admission_new (const ConicConfig *config, GError **error);
void conic_admission_free (ConicAdmission *admission);

void conic_admission_judge (const ConicAdmission *admission,
                            const ConicUpgrade *upgrade,
                            ConicVerdict *verdict);

void conic_pass_free (ConicPass *pass);
void conic_verdict_clear (ConicVerdict *verdict);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicAdmission, conic_admission_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicPass, conic_pass_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ConicVerdict, conic_verdict_clear)

G_END_DECLS
