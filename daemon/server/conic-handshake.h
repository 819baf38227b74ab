/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *conic_handshake_answer (const char *head, gsize length);

G_END_DECLS
