/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_certificate_prepare:
 *
 * Lets GStreamer's dtls plugin make the certificate of this process before a session needs it: that is an
 * RSA key, which takes up to half a second, once. Returns at once.
 *
 * Returns: (transfer full): the thread that does so, for g_thread_join()
 */
GThread *gst_conic_certificate_prepare (void);

G_END_DECLS
