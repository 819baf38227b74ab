/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-tls.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicTlsStream:
 *
 * A TLS session as libsoup wants it: a stream that can be polled.
 */
#define CONIC_TYPE_TLS_STREAM (conic_tls_stream_get_type ())
G_DECLARE_FINAL_TYPE (ConicTlsStream, conic_tls_stream, CONIC, TLS_STREAM, GIOStream)

ConicTlsStream *conic_tls_stream_new (ConicTls *tls, GSocket *socket);
ConicTls *conic_tls_stream_steal (ConicTlsStream *stream);

G_END_DECLS
