/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Half-open requests are what an attacker has most of, and libsoup has a handful of sources of the
 * main loop for each. So a connection waits here, as one entry of the epoll set with a deadline,
 * until the end of its request's head can be seen in the socket; nothing is read before. */

#include "conic-acceptor.h"

#include "conic-handshake.h"
#include "conic-server-error.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted in one turn, so that a storm of them doesn't stop those that are there. */
#define ACCEPTS_PER_TURN 32

/* Connections that the kernel may keep until they are accepted; it takes less if its own limit
 * (net.core.somaxconn) is lower. */
#define BACKLOG 4096

/* Bytes that the head of a request may have, as in most servers. */
#define HEAD_BYTES 8192

#define HEAD_END "\r\n\r\n"

/* How long to leave the listeners alone when there are no descriptors left at all. */
#define EXHAUSTED_PAUSE G_TIME_SPAN_SECOND

/* How long somebody who is refused may take to read that. */
#define REFUSED_LINGER G_TIME_SPAN_SECOND

#define REPLY(status) "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

typedef struct {
  ConicWatch watch;
  ConicAcceptor *acceptor;
  GSocket *socket;
} Listener;

typedef struct {
  ConicWatch watch;
  ConicDeadline deadline;
  ConicAcceptor *acceptor;
  gboolean refused; /* answered; it is only waited for the client to read that */
  GList link;
} Arrival;

struct _ConicAcceptor {
  ConicEpollSource *source;
  gint64 timeout;
  const ConicAcceptorHandler *handler;
  gpointer user_data;
  GPtrArray *listeners;
  GQueue arrivals;
  guint n_refused; /* of the arrivals */
  ConicDeadline pause;
  int reserve_fd; /* given up to be able to refuse a connection when descriptors are used up */
};

static void
free_listener (gpointer data)
{
  Listener *listener = data;

  conic_epoll_source_remove (listener->acceptor->source, &listener->watch);
  g_object_unref (listener->socket);
  g_free (listener);
}

/* Frees the arrival. Returns its descriptor, which is the caller's then. */
static int
release_arrival (Arrival *arrival)
{
  ConicAcceptor *self = arrival->acceptor;
  int fd = arrival->watch.fd;

  conic_epoll_source_remove (self->source, &arrival->watch);
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, -1);
  g_queue_unlink (&self->arrivals, &arrival->link);
  if (arrival->refused)
    self->n_refused--;
  g_free (arrival);
  return fd;
}

static void
set_listening (ConicAcceptor *self, gboolean listening)
{
  for (guint i = 0; i < self->listeners->len; i++) {
    Listener *listener = g_ptr_array_index (self->listeners, i);

    conic_epoll_source_modify (self->source, &listener->watch, listening ? EPOLLIN : 0);
  }
}

/* Keeps a descriptor for later, and serves the listeners again if there is one. */
static void
take_reserve (ConicAcceptor *self)
{
  self->reserve_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  set_listening (self, self->reserve_fd >= 0);
  if (self->reserve_fd < 0)
    conic_epoll_source_set_deadline (self->source, &self->pause,
                                     g_get_monotonic_time () + EXHAUSTED_PAUSE);
}

static void
close_arrival (Arrival *arrival)
{
  ConicAcceptor *self = arrival->acceptor;

  close (release_arrival (arrival));
  if (self->reserve_fd < 0)
    take_reserve (self);
}

/* Throws away what came. A socket that is closed with unread bytes is reset, and the client may
 * never see the answer. */
static void
discard (Arrival *arrival)
{
  char bytes[HEAD_BYTES];
  gssize n;

  do
    n = recv (arrival->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);
  while (n > 0 || (n < 0 && errno == EINTR));
  if (n == 0 || errno != EAGAIN)
    close_arrival (arrival);
}

static void
refuse (Arrival *arrival, const char *reply, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;

  /* The socket's buffer is empty, so it is taken at once or never. */
  arrival->refused = TRUE;
  self->n_refused++;
  if (send (arrival->watch.fd, reply, strlen (reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ||
      shutdown (arrival->watch.fd, SHUT_WR) < 0) {
    close_arrival (arrival);
    return;
  }
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, now + REFUSED_LINGER);
  discard (arrival);
}

/* Answers the handshake of @length bytes that @head is the copy of. */
static void
upgrade (Arrival *arrival, char *head, gsize length, const char *answer)
{
  ConicAcceptor *self = arrival->acceptor;
  int fd = release_arrival (arrival);
  gssize n = strlen (answer);

  /* What comes after the head stays in the socket. */
  if (recv (fd, head, length, MSG_DONTWAIT) == (gssize) length &&
      send (fd, answer, n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
    self->handler->upgraded (fd, self->user_data);
  else
    close (fd);
}

static void
hand_over (Arrival *arrival, char *head, gsize length, gint64 now)
{
  g_autofree char *answer = conic_handshake_answer (head, length);
  ConicAcceptor *self = arrival->acceptor;
  gint64 deadline = arrival->deadline.at;
  int spare;

  if (answer != NULL) {
    upgrade (arrival, head, length, answer);
    return;
  }
  spare = fcntl (arrival->watch.fd, F_DUPFD_CLOEXEC, 0);
  if (spare < 0)
    refuse (arrival, REPLY ("503 Service Unavailable"), now);
  else
    self->handler->arrived (release_arrival (arrival), spare, deadline, self->user_data);
}

static void
on_arrival_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  Arrival *arrival = (Arrival *) watch;
  char head[HEAD_BYTES];
  const char *end;
  gssize n;

  if (arrival->refused) {
    discard (arrival);
    return;
  }
  n = recv (watch->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    close_arrival (arrival);
  else if ((end = memmem (head, n, HEAD_END, strlen (HEAD_END))) != NULL)
    hand_over (arrival, head, end + strlen (HEAD_END) - head, now);
  else if (n == sizeof head)
    refuse (arrival, REPLY ("431 Request Header Fields Too Large"), now);
  else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    close_arrival (arrival);
}

static void
on_arrival_expired (ConicDeadline *deadline, gint64 now)
{
  Arrival *arrival = (Arrival *) ((guint8 *) deadline - G_STRUCT_OFFSET (Arrival, deadline));

  if (arrival->refused)
    close_arrival (arrival);
  else
    refuse (arrival, REPLY ("408 Request Timeout"), now);
}

/* Returns (transfer none) (nullable): %NULL if the kernel has no room; @fd is closed then. */
static Arrival *
add_arrival (ConicAcceptor *self, int fd, gint64 now)
{
  Arrival *arrival = g_new0 (Arrival, 1);
  int on = 1;

  /* Small messages go at once; without it a candidate would wait for the client's ACK. */
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  /* Edge-triggered, for what was only looked at stays readable. */
  arrival->watch = (ConicWatch){
      .ready = on_arrival_ready,
      .fd = fd,
      .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
  };
  arrival->deadline.expired = on_arrival_expired;
  arrival->acceptor = self;
  arrival->link.data = arrival;
  if (!conic_epoll_source_add (self->source, &arrival->watch, NULL)) {
    close (fd);
    g_free (arrival);
    return NULL;
  }
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, now + self->timeout);
  g_queue_push_tail_link (&self->arrivals, &arrival->link);
  return arrival;
}

static void
on_pause_over (ConicDeadline *deadline, gint64 now)
{
  take_reserve ((ConicAcceptor *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicAcceptor, pause)));
}

/* No descriptors are left: refuses one connection with the reserved one, and leaves the others
 * waiting in the kernel until it is gone. */
static void
refuse_exhausted (ConicAcceptor *self, int listener_fd, gint64 now)
{
  Arrival *arrival = NULL;
  int fd;

  set_listening (self, FALSE);
  close (self->reserve_fd);
  self->reserve_fd = -1;
  fd = accept4 (listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0)
    arrival = add_arrival (self, fd, now);
  if (arrival != NULL)
    refuse (arrival, REPLY ("503 Service Unavailable"), now);
  else
    take_reserve (self);
}

static void
on_listener_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  ConicAcceptor *self = ((Listener *) watch)->acceptor;

  for (guint i = 0; i < ACCEPTS_PER_TURN; i++) {
    int fd = accept4 (watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    Arrival *arrival;
    gboolean has_room;

    if (fd < 0) {
      if (errno == ECONNABORTED || errno == EINTR)
        continue;
      if (errno != EAGAIN)
        refuse_exhausted (self, watch->fd, now);
      return;
    }
    has_room = self->handler->has_room (self->user_data);
    arrival = add_arrival (self, fd, now);
    if (arrival != NULL && !has_room)
      refuse (arrival, REPLY ("503 Service Unavailable"), now);
  }
}

/**
 * conic_acceptor_new:
 * @source: where the sockets are watched; outlives the acceptor
 * @timeout: microseconds for a connection's request
 * @handler: static
 * @user_data: for @handler
 *
 * Returns: (transfer full): an acceptor that listens nowhere yet
 */
ConicAcceptor *
conic_acceptor_new (ConicEpollSource *source,
                    gint64 timeout,
                    const ConicAcceptorHandler *handler,
                    gpointer user_data)
{
  ConicAcceptor *self = g_new0 (ConicAcceptor, 1);

  self->source = source;
  self->timeout = timeout;
  self->handler = handler;
  self->user_data = user_data;
  self->listeners = g_ptr_array_new_with_free_func (free_listener);
  self->pause.expired = on_pause_over;
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
    close (release_arrival (self->arrivals.head->data));
  conic_epoll_source_set_deadline (self->source, &self->pause, -1);
  g_ptr_array_unref (self->listeners);
  if (self->reserve_fd >= 0)
    close (self->reserve_fd);
  g_free (self);
}

static char *
address_to_string (GSocketAddress *address)
{
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static GSocket *
open_listener (GSocketAddress *address, GError **error)
{
  GSocketFamily family = g_socket_address_get_family (address);
  g_autoptr (GSocket) socket =
      g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, BACKLOG);
  /* [::] is one address, and 0.0.0.0 another: who wants both asks for both. */
  if (family == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, NULL);
  if (!g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error))
    return NULL;
  return g_steal_pointer (&socket);
}

/**
 * conic_acceptor_listen:
 * @self: the acceptor
 * @address: where
 * @error: return location for a #CONIC_SERVER_ERROR, which names the address
 *
 * Begins to listen.
 *
 * Returns: (transfer full) (nullable): the address as `ADDR:PORT`, with the port that the kernel
 *   chose if none was asked for; %NULL if it can't be listened on
 */
char *
conic_acceptor_listen (ConicAcceptor *self, GSocketAddress *address, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GSocket) socket = open_listener (address, &why);
  g_autoptr (GSocketAddress) local = NULL;
  Listener *listener;

  if (socket != NULL)
    local = g_socket_get_local_address (socket, &why);
  if (local == NULL) {
    g_autofree char *name = address_to_string (address);

    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_LISTEN, "Can't listen on %s: %s",
                 name,
                 g_error_matches (why, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
                     ? "another program has the address"
                     : why->message);
    return NULL;
  }

  listener = g_new0 (Listener, 1);
  listener->watch = (ConicWatch){
      .ready = on_listener_ready,
      .fd = g_socket_get_fd (socket),
      .events = EPOLLIN,
  };
  listener->acceptor = self;
  listener->socket = g_steal_pointer (&socket);
  if (!conic_epoll_source_add (self->source, &listener->watch, error)) {
    g_object_unref (listener->socket);
    g_free (listener);
    return NULL;
  }
  g_ptr_array_add (self->listeners, listener);
  return address_to_string (local);
}

/* Microseconds for the requests of connections that are still to come. */
void
conic_acceptor_set_timeout (ConicAcceptor *self, gint64 timeout)
{
  self->timeout = timeout;
}

/* How many connections have not sent a whole request yet. */
guint
conic_acceptor_get_n_waiting (ConicAcceptor *self)
{
  return self->arrivals.length - self->n_refused;
}
