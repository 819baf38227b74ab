/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-admission.h"
#include "conic-server-stats.h"

G_BEGIN_DECLS

char *conic_handshake_answer (const ConicAdmission *admission,
                              int fd,
                              const char *head,
                              gsize length,
                              ConicVerdict *verdict);

ConicHandshakeResult conic_handshake_get_result (guint status);

G_END_DECLS
