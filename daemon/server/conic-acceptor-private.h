/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* What an acceptor and its arrivals know of each other. */

#include "conic-acceptor.h"
#include "conic-log.h"

#include <sys/socket.h>

G_BEGIN_DECLS

/* What HTTP has for those who are refused without a word more. */
#define CONIC_ARRIVAL_REPLY(status)                                                                \
  "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

/**
 * ConicArrival:
 *
 * A connection from its being accepted until its request is there, or it is refused.
 */
typedef struct {
  ConicWatch watch;
  ConicDeadline deadline;
  ConicAcceptor *acceptor;
  ConicTls *tls;         /* (nullable): NULL without TLS, and once it is shut */
  ConicAddress *address; /* (nullable) */
  gint64 since;          /* when it was accepted */
  gboolean refused;      /* answered; it is only waited for the client to read that */
  gboolean queued;       /* to be looked at */
  guint32 events;        /* for which */
  GList link;
  GList queue_link;
} ConicArrival;

struct _ConicAcceptor {
  ConicEpollSource *source;
  ConicAddressCount *addresses;
  guint per_address;    /* 0 is no limit */
  ConicTlsContext *tls; /* (nullable): for connections that are still to come */
  gint64 timeout;
  ConicServerStats *stats;
  const ConicAdmission *admission; /* (nullable): NULL leaves handshakes to others */
  const ConicAcceptorHandler *handler;
  gpointer user_data;
  GPtrArray *listeners;
  GQueue arrivals;
  guint n_refused;   /* of the arrivals */
  GQueue queue;      /* of ConicArrival, by their queue_link: there is something to be read */
  ConicDeadline turn;
  ConicLogLimit complaints[CONIC_HANDSHAKE_N_RESULTS];
  ConicDeadline pause;
  int reserve_fd; /* given up to be able to refuse a connection when descriptors are used up */
};

ConicArrival *
conic_arrival_new (ConicAcceptor *acceptor, int fd, const struct sockaddr *from, gint64 now);
void conic_arrival_drop (ConicArrival *arrival);
void conic_arrival_refuse (ConicArrival *arrival,
                           ConicHandshakeResult result,
                           const char *reply,
                           gint64 now);
void conic_arrival_on_turn (ConicDeadline *deadline, gint64 now);

void conic_acceptor_take_reserve (ConicAcceptor *acceptor);

G_END_DECLS
