/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-outbox.h"
#include "conic-tls.h"

G_BEGIN_DECLS

/**
 * ConicStream:
 * @fd: the connected socket, non-blocking
 * @tls: (nullable): the TLS session on it; %NULL is plain TCP
 *
 * Bytes to and from a client, whether they are encrypted on the way or not. The stream owns both.
 */
typedef struct {
  int fd;
  ConicTls *tls;
} ConicStream;

gssize conic_stream_read (ConicStream *stream, void *buffer, gsize size);
gboolean conic_stream_write_out (ConicStream *stream, ConicOutbox *outbox, guint64 *n_written);
void conic_stream_shut (ConicStream *stream);
void conic_stream_close (ConicStream *stream);

gboolean conic_stream_is_readable (const ConicStream *stream);
guint32 conic_stream_get_read_events (const ConicStream *stream);
guint32 conic_stream_get_write_events (const ConicStream *stream);
gsize conic_stream_get_n_promised (const ConicStream *stream);
const char *conic_stream_get_failure (const ConicStream *stream);

G_END_DECLS
