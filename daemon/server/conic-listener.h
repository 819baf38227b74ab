/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GSocket *conic_listener_open (GSocketAddress *address, GError **error);
GSocket *conic_listener_adopt (int fd, GError **error);

G_END_DECLS
