/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-admission.h"
#include "conic-epoll-source.h"
#include "conic-request.h"
#include "conic-server-stats.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicHttp:
 *
 * Answers requests: those for a WebSocket, those that ask how the daemon is, and those for the page.
 */
typedef struct _ConicHttp ConicHttp;

/**
 * ConicHttpResources:
 * @CONIC_HTTP_WEBSOCKET: `/ws`
 * @CONIC_HTTP_STATUS: `/healthz`, `/readyz` and `/metrics`
 * @CONIC_HTTP_PAGE: `/` and what belongs to it
 *
 * What there is on the address that a connection came to. Where everybody finds the WebSocket as
 * well, `/metrics` is for this machine only.
 */
typedef enum {
  CONIC_HTTP_WEBSOCKET = 1 << 0,
  CONIC_HTTP_STATUS = 1 << 1,
  CONIC_HTTP_PAGE = 1 << 2,
} ConicHttpResources;

/**
 * ConicHttpHandler:
 * @upgraded: a WebSocket handshake on @fd (transfer full), non-blocking, was answered; @tls,
 *   @address and @pass are (transfer full) (nullable) and the client has already sent @early, which may be
 *   written to
 * @is_ready: whether another client could come if the connection that asks were gone
 * @write_metrics: (transfer full): all that was counted, in Prometheus' text format
 */
typedef struct {
  void (*upgraded) (int fd,
                    ConicTls *tls,
                    ConicAddress *address,
                    ConicPass *pass,
                    guint8 *early,
                    gsize early_length,
                    gpointer user_data);
  gboolean (*is_ready) (gpointer user_data);
  char *(*write_metrics) (gpointer user_data);
} ConicHttpHandler;

ConicHttp *conic_http_new (ConicEpollSource *source,
                           ConicServerStats *stats,
                           const ConicHttpHandler *handler,
                           gpointer user_data);
void conic_http_free (ConicHttp *http);

void conic_http_take (ConicHttp *http, ConicHttpResources there, const ConicRequest *request);
void conic_http_set_admission (ConicHttp *http, const ConicAdmission *admission);
guint conic_http_get_n_connections (ConicHttp *http);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicHttp, conic_http_free)

G_END_DECLS
