/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicService:
 *
 * The daemon as its service manager sees it, which is systemd, or nobody.
 */
typedef struct _ConicService ConicService;

ConicService *conic_service_new (void);
void conic_service_free (ConicService *service);

const GArray *conic_service_get_sockets (ConicService *service);

void conic_service_ready (ConicService *service, const char *status);
void conic_service_reloading (ConicService *service);
void conic_service_stopping (ConicService *service, gint64 timeout);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicService, conic_service_free)

G_END_DECLS
