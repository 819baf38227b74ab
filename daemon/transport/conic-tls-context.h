/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicTlsContext:
 *
 * A certificate with its key, and what is spoken with it. Shared by the sessions that began with
 * it, which is why it can be replaced while they go on.
 */
typedef struct ssl_ctx_st ConicTlsContext;

ConicTlsContext *
conic_tls_context_new (const char *certificate_file, const char *key_file, GError **error);
ConicTlsContext *conic_tls_context_ref (ConicTlsContext *context);
void conic_tls_context_unref (ConicTlsContext *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicTlsContext, conic_tls_context_unref)

G_END_DECLS
