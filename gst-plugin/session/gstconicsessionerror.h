/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GST_CONIC_SESSION_ERROR:
 *
 * The error domain of sessions: why one ended, or a step of it failed.
 */
#define GST_CONIC_SESSION_ERROR (gst_conic_session_error_quark ())

/**
 * GstConicSessionError:
 * @GST_CONIC_SESSION_ERROR_DESCRIPTION: the other side's session description can't be used
 * @GST_CONIC_SESSION_ERROR_STATE: a description came that doesn't fit the state of the
 *   negotiation
 * @GST_CONIC_SESSION_ERROR_NEGOTIATION: webrtcbin made no description, or refused one
 * @GST_CONIC_SESSION_ERROR_CERTIFICATE: the certificate that the other side showed isn't the one
 *   in its session description
 * @GST_CONIC_SESSION_ERROR_TRANSPORT: ICE or DTLS failed
 * @GST_CONIC_SESSION_ERROR_REFUSED: the other side said goodbye to our offer, or the element
 *   doesn't want the call
 * @GST_CONIC_SESSION_ERROR_TIMEOUT: not connected within the time that the element gives
 */
typedef enum {
  GST_CONIC_SESSION_ERROR_DESCRIPTION,
  GST_CONIC_SESSION_ERROR_STATE,
  GST_CONIC_SESSION_ERROR_NEGOTIATION,
  GST_CONIC_SESSION_ERROR_CERTIFICATE,
  GST_CONIC_SESSION_ERROR_TRANSPORT,
  GST_CONIC_SESSION_ERROR_REFUSED,
  GST_CONIC_SESSION_ERROR_TIMEOUT,
} GstConicSessionError;

GQuark gst_conic_session_error_quark (void);

G_END_DECLS
