/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What tells a request that was made on this machine from one that a proxy on it has passed on, and
 * from one by a name that a stranger had lead here (DNS rebinding). */

gboolean conic_loopback_is_host (const char *host);
gboolean conic_loopback_is_socket (int fd);
gboolean conic_loopback_is_forwarded (SoupMessageHeaders *headers);

G_END_DECLS
