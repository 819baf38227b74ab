/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-acceptor-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted in one turn, so that a storm of them doesn't stop those that are there. */
#define ACCEPTS_PER_TURN 32

/* How long to leave the listeners alone when there are no descriptors left at all. */
#define EXHAUSTED_PAUSE G_TIME_SPAN_SECOND

typedef struct {
  ConicWatch watch;
  ConicAcceptor *acceptor;
  GSocket *socket;
} Listener;

static void
free_listener (gpointer data)
{
  Listener *listener = data;

  conic_epoll_source_remove (listener->acceptor->source, &listener->watch);
  g_object_unref (listener->socket);
  g_free (listener);
}

static void
set_listening (ConicAcceptor *self, gboolean listening)
{
  for (guint i = 0; i < self->listeners->len; i++) {
    Listener *listener = g_ptr_array_index (self->listeners, i);

    conic_epoll_source_modify (self->source, &listener->watch, listening ? EPOLLIN : 0);
  }
}

static void
pause_listening (ConicAcceptor *self)
{
  set_listening (self, FALSE);
  conic_epoll_source_set_deadline (self->source, &self->pause,
                                   g_get_monotonic_time () + EXHAUSTED_PAUSE);
}

/* Keeps a descriptor for later, and serves the listeners again if there is one. */
void
conic_acceptor_take_reserve (ConicAcceptor *self)
{
  self->reserve_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (self->reserve_fd < 0) {
    pause_listening (self);
    return;
  }
  conic_epoll_source_set_deadline (self->source, &self->pause, -1);
  set_listening (self, TRUE);
}

/* Returns (transfer none) (nullable): %NULL if nobody came or nobody can be taken, for the reason in
 * errno. */
static ConicArrival *
accept_arrival (ConicAcceptor *self, int listener_fd, gint64 now)
{
  union {
    struct sockaddr any;
    struct sockaddr_storage storage;
  } from = {.any.sa_family = AF_UNSPEC};
  socklen_t length = sizeof from;
  int fd = accept4 (listener_fd, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd < 0)
    return NULL;
  return conic_arrival_new (self, fd, &from.any, now);
}

static void
on_pause_over (ConicDeadline *deadline, gint64 now)
{
  conic_acceptor_take_reserve (
      (ConicAcceptor *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicAcceptor, pause)));
}

/* No descriptors are left: refuses one connection with the reserved one, and leaves the others
 * waiting in the kernel until it is gone. */
static void
refuse_exhausted (ConicAcceptor *self, int listener_fd, gint64 now)
{
  ConicArrival *arrival;

  set_listening (self, FALSE);
  if (self->reserve_fd >= 0)
    close (self->reserve_fd);
  self->reserve_fd = -1;
  arrival = accept_arrival (self, listener_fd, now);
  if (arrival != NULL)
    conic_arrival_refuse (arrival, CONIC_HANDSHAKE_NO_DESCRIPTORS,
                          CONIC_ARRIVAL_REPLY ("503 Service Unavailable"), now);
  else
    pause_listening (self);
}

static gboolean
is_exhaustion (int code)
{
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static gboolean
has_too_many (ConicAcceptor *self, const ConicAddress *address)
{
  return self->per_address > 0 && address != NULL &&
         conic_address_get_n_connections (address) > self->per_address;
}

static void
on_listener_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  ConicAcceptor *self = ((Listener *) watch)->acceptor;

  for (guint i = 0; i < ACCEPTS_PER_TURN; i++) {
    gboolean has_room = self->handler->has_room (self->user_data);
    ConicArrival *arrival = accept_arrival (self, watch->fd, now);

    if (arrival == NULL) {
      if (is_exhaustion (errno))
        refuse_exhausted (self, watch->fd, now);
      else if (errno != EAGAIN)
        continue; /* it was gone before it was accepted */
      return;
    }
    if (has_too_many (self, arrival->address))
      conic_arrival_refuse (arrival, CONIC_HANDSHAKE_ADDRESS_LIMIT,
                            CONIC_ARRIVAL_REPLY ("429 Too Many Requests"), now);
    else if (!has_room)
      conic_arrival_refuse (arrival, CONIC_HANDSHAKE_NO_ROOM,
                            CONIC_ARRIVAL_REPLY ("503 Service Unavailable"), now);
  }
}

/**
 * conic_acceptor_new:
 * @source: where the sockets are watched; outlives the acceptor
 * @addresses: where connections are counted by address; outlives them
 * @timeout: microseconds for a connection's request
 * @stats: where to count; outlives the acceptor
 * @handler: static
 * @user_data: for @handler
 *
 * Returns: (transfer full): an acceptor that listens nowhere yet
 */
ConicAcceptor *
conic_acceptor_new (ConicEpollSource *source,
                    ConicAddressCount *addresses,
                    gint64 timeout,
                    ConicServerStats *stats,
                    const ConicAcceptorHandler *handler,
                    gpointer user_data)
{
  ConicAcceptor *self = g_new0 (ConicAcceptor, 1);

  self->source = source;
  self->addresses = addresses;
  self->timeout = timeout;
  self->stats = stats;
  self->handler = handler;
  self->user_data = user_data;
  self->listeners = g_ptr_array_new_with_free_func (free_listener);
  self->pause.expired = on_pause_over;
  self->turn.expired = conic_arrival_on_turn;
  self->reserve_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return self;
}

/**
 * conic_acceptor_free:
 * @self: (transfer full): the acceptor
 *
 * Closes the listeners and the connections that have not been given out.
 */
void
conic_acceptor_free (ConicAcceptor *self)
{
  while (self->arrivals.head != NULL)
    conic_arrival_drop (self->arrivals.head->data);
  conic_epoll_source_set_deadline (self->source, &self->turn, -1);
  conic_epoll_source_set_deadline (self->source, &self->pause, -1);
  g_ptr_array_unref (self->listeners);
  if (self->reserve_fd >= 0)
    close (self->reserve_fd);
  g_clear_pointer (&self->tls, conic_tls_context_unref);
  g_free (self);
}

/**
 * conic_acceptor_add:
 * @self: the acceptor
 * @socket: one that listens, not blocking
 * @error: return location for a #GIOError
 *
 * Begins to accept connections there.
 *
 * Returns: (transfer full) (nullable): the socket's address as `ADDR:PORT`, with the port that the
 *   kernel chose if none was asked for; %NULL if that fails
 */
char *
conic_acceptor_add (ConicAcceptor *self, GSocket *socket, GError **error)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, error);
  Listener *listener;

  if (local == NULL)
    return NULL;
  listener = g_new0 (Listener, 1);
  listener->watch = (ConicWatch){
      .ready = on_listener_ready,
      .fd = g_socket_get_fd (socket),
      .events = EPOLLIN,
  };
  listener->acceptor = self;
  if (!conic_epoll_source_add (self->source, &listener->watch, error)) {
    g_free (listener);
    return NULL;
  }
  listener->socket = g_object_ref (socket);
  g_ptr_array_add (self->listeners, listener);
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (local));
}

/* What connections that are still to come speak TLS with; %NULL is no TLS. */
void
conic_acceptor_set_tls (ConicAcceptor *self, ConicTlsContext *context)
{
  ConicTlsContext *old = self->tls;

  self->tls = context != NULL ? conic_tls_context_ref (context) : NULL;
  g_clear_pointer (&old, conic_tls_context_unref);
}

/* Microseconds for the requests of connections that are still to come. */
void
conic_acceptor_set_timeout (ConicAcceptor *self, gint64 timeout)
{
  self->timeout = timeout;
}

/* How many connections an address may have, for those that are still to come; 0 is no limit. */
void
conic_acceptor_set_per_address (ConicAcceptor *self, guint connections)
{
  self->per_address = connections;
}

/* Who may come in from now on: (transfer none) (nullable), the caller keeps @admission until it has
 * set another. Without one every request is given out. */
void
conic_acceptor_set_admission (ConicAcceptor *self, const ConicAdmission *admission)
{
  self->admission = admission;
}

/* How many connections have not sent a whole request yet. */
guint
conic_acceptor_get_n_waiting (ConicAcceptor *self)
{
  return self->arrivals.length - self->n_refused;
}
