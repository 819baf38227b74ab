/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-tls-context.h"

#include <sys/uio.h>

G_BEGIN_DECLS

/**
 * ConicTls:
 *
 * The server's end of a TLS session on a non-blocking socket. The handshake happens by itself when
 * it is read from or written to.
 */
typedef struct _ConicTls ConicTls;

ConicTls *conic_tls_new (ConicTlsContext *context, int fd);
void conic_tls_free (ConicTls *tls);
void conic_tls_set_fd (ConicTls *tls, int fd);

gssize conic_tls_read (ConicTls *tls, void *buffer, gsize size);
gssize conic_tls_peek (ConicTls *tls, void *buffer, gsize size);
gssize conic_tls_write (ConicTls *tls, const struct iovec *vectors, guint n_vectors);
void conic_tls_shut (ConicTls *tls);

gboolean conic_tls_is_established (ConicTls *tls);
gboolean conic_tls_is_readable (ConicTls *tls);
gboolean conic_tls_has_more (ConicTls *tls);
gboolean conic_tls_has_ended (ConicTls *tls);
guint32 conic_tls_get_read_events (ConicTls *tls);
guint32 conic_tls_get_write_events (ConicTls *tls);
gsize conic_tls_get_n_promised (ConicTls *tls);
const char *conic_tls_get_failure (ConicTls *tls);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicTls, conic_tls_free)

G_END_DECLS
