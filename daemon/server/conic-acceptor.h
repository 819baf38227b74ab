/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-admission.h"
#include "conic-epoll-source.h"
#include "conic-request.h"
#include "conic-server-stats.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ConicAcceptor:
 *
 * Listens on any number of addresses, and gives out connections once their whole HTTP request is
 * there to be read.
 */
typedef struct _ConicAcceptor ConicAcceptor;

/**
 * ConicAcceptorHandler:
 * @has_room: whether one more connection may be taken
 * @arrived: a request came; all that is in @request is (transfer full)
 * @upgraded: a WebSocket handshake on @fd (transfer full), non-blocking, was answered; @pass
 *   (transfer full) (nullable) is what it was admitted with, @tls (transfer full) (nullable) its TLS
 *   session, @address (transfer full) (nullable) what it is counted for
 */
typedef struct {
  gboolean (*has_room) (gpointer user_data);
  void (*arrived) (const ConicRequest *request, gpointer user_data);
  void (*upgraded) (int fd,
                    ConicTls *tls,
                    ConicAddress *address,
                    ConicPass *pass,
                    gpointer user_data);
} ConicAcceptorHandler;

ConicAcceptor *conic_acceptor_new (ConicEpollSource *source,
                                   ConicAddressCount *addresses,
                                   gint64 timeout,
                                   ConicServerStats *stats,
                                   const ConicAcceptorHandler *handler,
                                   gpointer user_data);
void conic_acceptor_free (ConicAcceptor *acceptor);

char *conic_acceptor_add (ConicAcceptor *acceptor, GSocket *socket, GError **error);
void conic_acceptor_set_tls (ConicAcceptor *acceptor, ConicTlsContext *context);
void conic_acceptor_set_timeout (ConicAcceptor *acceptor, gint64 timeout);
void conic_acceptor_set_per_address (ConicAcceptor *acceptor, guint connections);
void conic_acceptor_set_admission (ConicAcceptor *acceptor, const ConicAdmission *admission);
guint conic_acceptor_get_n_waiting (ConicAcceptor *acceptor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicAcceptor, conic_acceptor_free)

G_END_DECLS
