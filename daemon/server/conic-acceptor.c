/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Half-open requests are what an attacker has most of, and libsoup has a handful of sources of the
 * main loop for each. So a connection waits here, as one entry of the epoll set with a deadline,
 * until the end of its request's head can be seen in the socket; nothing is read before. With TLS
 * the handshake comes first, and what is read of the head is kept in the session. */

#include "conic-acceptor.h"

#include "conic-handshake.h"
#include "conic-log.h"
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

/* Steps of TLS handshakes in one turn. A signature with an RSA key takes 0.6 ms, and hundreds of
 * clients come at once after a restart. */
#define HANDSHAKES_PER_TURN 2

/* Bytes that the head of a request may have, as in most servers. */
#define HEAD_BYTES 8192

#define HEAD_END "\r\n\r\n"

/* How long to leave the listeners alone when there are no descriptors left at all. */
#define EXHAUSTED_PAUSE G_TIME_SPAN_SECOND

/* How long somebody who is refused may take to read that, and how many may at a time: refusing must
 * not use up the descriptors. Those beyond may find the connection reset instead. */
#define REFUSED_LINGER G_TIME_SPAN_SECOND
#define REFUSED_MAX    256

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
  ConicTls *tls;         /* (nullable): NULL without TLS, and once it is shut */
  ConicAddress *address; /* (nullable) */
  gint64 since;          /* when it was accepted */
  gboolean refused;      /* answered; it is only waited for the client to read that */
  gboolean queued;       /* for its TLS handshake */
  GList link;
  GList handshake_link;
} Arrival;

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
  GQueue handshakes; /* of Arrival, by their handshake_link: there is something to be read */
  ConicDeadline handshake_turn;
  ConicLogLimit complaints[CONIC_HANDSHAKE_N_RESULTS];
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

/* Frees the arrival. Returns its descriptor, which is the caller's then, as are the others. */
static int
release_arrival (Arrival *arrival, ConicTls **tls, ConicAddress **address)
{
  ConicAcceptor *self = arrival->acceptor;
  int fd = arrival->watch.fd;

  conic_epoll_source_remove (self->source, &arrival->watch);
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, -1);
  g_queue_unlink (&self->arrivals, &arrival->link);
  if (arrival->queued)
    g_queue_unlink (&self->handshakes, &arrival->handshake_link);
  if (arrival->refused)
    self->n_refused--;
  *tls = arrival->tls;
  *address = arrival->address;
  g_free (arrival);
  return fd;
}

static void
drop_arrival (Arrival *arrival)
{
  ConicAddress *address;
  ConicTls *tls;
  int fd = release_arrival (arrival, &tls, &address);

  g_clear_pointer (&tls, conic_tls_free);
  close (fd);
  conic_address_release (address);
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
static void
take_reserve (ConicAcceptor *self)
{
  self->reserve_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (self->reserve_fd < 0) {
    pause_listening (self);
    return;
  }
  conic_epoll_source_set_deadline (self->source, &self->pause, -1);
  set_listening (self, TRUE);
}

/* @result is why, unless the client was told that already. */
static void
end_arrival (Arrival *arrival, ConicHandshakeResult result)
{
  ConicAcceptor *self = arrival->acceptor;

  if (!arrival->refused)
    self->stats->handshakes[result]++;
  drop_arrival (arrival);
  if (self->reserve_fd < 0)
    take_reserve (self);
}

static void
close_arrival (Arrival *arrival)
{
  end_arrival (arrival, CONIC_HANDSHAKE_LOST);
}

/* Looks at what came, as recv() does. */
static gssize
peek (Arrival *arrival, char *head, gsize size)
{
  return arrival->tls != NULL ? conic_tls_peek (arrival->tls, head, size)
                              : recv (arrival->watch.fd, head, size, MSG_PEEK | MSG_DONTWAIT);
}

/* Whether nothing more will come than that. */
static gboolean
has_ended (Arrival *arrival, guint32 events)
{
  if (arrival->tls != NULL)
    return conic_tls_has_ended (arrival->tls);
  return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

/* Takes what was looked at. */
static gboolean
take (Arrival *arrival, char *head, gsize length)
{
  gssize n = arrival->tls != NULL ? conic_tls_read (arrival->tls, head, length)
                                  : recv (arrival->watch.fd, head, length, MSG_DONTWAIT);

  return n == (gssize) length;
}

/* The socket's buffer is empty, so it is taken at once or never. */
static gboolean
say (Arrival *arrival, const char *text)
{
  struct iovec vector = {.iov_base = (char *) text, .iov_len = strlen (text)};
  gssize n = arrival->tls != NULL
                 ? conic_tls_write (arrival->tls, &vector, 1)
                 : send (arrival->watch.fd, text, vector.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);

  return n == (gssize) vector.iov_len;
}

/* Says the last. */
static gboolean
say_and_shut (Arrival *arrival, const char *text)
{
  /* There is no way to say anything before the TLS handshake is made. */
  if ((arrival->tls != NULL && !conic_tls_is_established (arrival->tls)) || !say (arrival, text))
    return FALSE;
  if (arrival->tls != NULL)
    conic_tls_shut (arrival->tls);
  g_clear_pointer (&arrival->tls, conic_tls_free);
  return shutdown (arrival->watch.fd, SHUT_WR) == 0;
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

/* What an operator has to know of, once a minute if it happens all the time. */
static void
complain (ConicAcceptor *self, ConicHandshakeResult result, gint64 now)
{
  static const char *const complaints[CONIC_HANDSHAKE_N_RESULTS] = {
      [CONIC_HANDSHAKE_NO_ROOM] = "there are as many clients as there may be",
      [CONIC_HANDSHAKE_ADDRESS_LIMIT] = "its address has as many clients as one may have",
      [CONIC_HANDSHAKE_NO_DESCRIPTORS] = "no descriptors are left",
  };
  guint n_kept_back;

  if (complaints[result] != NULL &&
      conic_log_limit_pass (&self->complaints[result], now, &n_kept_back))
    g_warning ("A client was refused: %s (and %u times since this was last said)",
               complaints[result], n_kept_back);
}

static void
refuse (Arrival *arrival, ConicHandshakeResult result, const char *reply, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;

  self->stats->handshakes[result]++;
  complain (self, result, now);

  /* Whoever is refused doesn't stand in the way of the next attempt. */
  conic_address_release (g_steal_pointer (&arrival->address));
  arrival->refused = TRUE;
  self->n_refused++;

  if (!say_and_shut (arrival, reply) || self->n_refused > REFUSED_MAX) {
    close_arrival (arrival);
    return;
  }
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, now + REFUSED_LINGER);
  discard (arrival);
}

/* Answers the handshake of @length bytes that @head is the copy of. */
static void
upgrade (Arrival *arrival, char *head, gsize length, const char *answer, ConicPass **pass)
{
  ConicAcceptor *self = arrival->acceptor;
  ConicAddress *address;
  ConicTls *tls;
  int fd;

  /* What comes after the head stays where it is. */
  if (!take (arrival, head, length) || !say (arrival, answer)) {
    self->stats->handshakes[CONIC_HANDSHAKE_LOST]++;
    drop_arrival (arrival);
    return;
  }
  self->stats->handshakes[CONIC_HANDSHAKE_UPGRADED]++;
  conic_histogram_observe (&self->stats->handshake_time, g_get_monotonic_time () - arrival->since,
                           1);
  fd = release_arrival (arrival, &tls, &address);
  self->handler->upgraded (fd, tls, address, g_steal_pointer (pass), self->user_data);
}

/* Returns whether the request was a handshake, and was answered. */
static gboolean
answer (Arrival *arrival, char *head, gsize length, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;
  g_auto (ConicVerdict) verdict = {0};
  g_autofree char *text = NULL;

  if (self->admission == NULL)
    return FALSE;
  text = conic_handshake_answer (self->admission, arrival->watch.fd, head, length, &verdict);
  if (text == NULL)
    return FALSE;
  if (verdict.status == SOUP_STATUS_SWITCHING_PROTOCOLS)
    upgrade (arrival, head, length, text, &verdict.pass);
  else if (verdict.status == SOUP_STATUS_FORBIDDEN)
    refuse (arrival, CONIC_HANDSHAKE_FORBIDDEN, text, now);
  else if (verdict.status == SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE)
    refuse (arrival, CONIC_HANDSHAKE_INVALID, text, now);
  else
    refuse (arrival, CONIC_HANDSHAKE_UNAUTHORIZED, text, now);
  return TRUE;
}

static void
hand_over (Arrival *arrival, char *head, gsize length, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;
  gint64 since = arrival->since, deadline = arrival->deadline.at;
  ConicAddress *address;
  ConicTls *tls;
  int fd, spare;

  if (answer (arrival, head, length, now))
    return;
  spare = fcntl (arrival->watch.fd, F_DUPFD_CLOEXEC, 0);
  if (spare < 0) {
    refuse (arrival, CONIC_HANDSHAKE_NO_DESCRIPTORS, REPLY ("503 Service Unavailable"), now);
    return;
  }
  fd = release_arrival (arrival, &tls, &address);
  self->handler->arrived (fd, spare, tls, address, since, deadline, self->user_data);
}

static void
fail_tls (Arrival *arrival)
{
  g_autofree char *remote = conic_log_describe_remote (arrival->watch.fd);
  const ConicLogClient client = {.remote = remote};

  conic_log_client (G_LOG_LEVEL_INFO, &client, "The TLS handshake with %s failed: %s", remote,
                    conic_tls_get_failure (arrival->tls));
  end_arrival (arrival, CONIC_HANDSHAKE_TLS_FAILED);
}

/* Has it looked at when its turn comes. */
static void
queue_handshake (Arrival *arrival, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;

  if (arrival->queued)
    return;
  arrival->queued = TRUE;
  g_queue_push_tail_link (&self->handshakes, &arrival->handshake_link);
  if (self->handshakes.length == 1)
    conic_epoll_source_set_deadline (self->source, &self->handshake_turn, now);
}

/* To read on, TLS may have to write first. */
static void
watch_for_more (Arrival *arrival)
{
  if (arrival->tls != NULL)
    conic_epoll_source_modify (arrival->acceptor->source, &arrival->watch,
                               conic_tls_get_read_events (arrival->tls) | EPOLLET);
}

static void
await_first (Arrival *arrival, gint64 now)
{
  watch_for_more (arrival);
  if (arrival->tls != NULL && conic_tls_is_readable (arrival->tls))
    queue_handshake (arrival, now);
}

/* Returns (nullable): what follows the head of a request. Empty lines before it are none of it
 * (RFC 9112 section 2.2): libsoup would wait for what comes after them. */
static const char *
find_end (const char *head, gsize length)
{
  gsize start = 0;
  const char *end;

  while (start < length && (head[start] == '\r' || head[start] == '\n'))
    start++;
  end = memmem (head + start, length - start, HEAD_END, strlen (HEAD_END));
  return end != NULL ? end + strlen (HEAD_END) : NULL;
}

static void
look (Arrival *arrival, guint32 events, gint64 now)
{
  char head[HEAD_BYTES];
  const char *end;
  gssize n = peek (arrival, head, sizeof head);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    await_first (arrival, now);
  else if (n < 0 && arrival->tls != NULL && !conic_tls_is_established (arrival->tls))
    fail_tls (arrival);
  else if (n <= 0)
    close_arrival (arrival);
  else if ((end = find_end (head, n)) != NULL)
    hand_over (arrival, head, end - head, now);
  else if (n == sizeof head)
    refuse (arrival, CONIC_HANDSHAKE_INVALID, REPLY ("431 Request Header Fields Too Large"), now);
  else if (has_ended (arrival, events))
    close_arrival (arrival);
  else
    watch_for_more (arrival);
}

static void
on_arrival_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  Arrival *arrival = (Arrival *) watch;

  if (arrival->refused)
    discard (arrival);
  else if (arrival->tls != NULL)
    queue_handshake (arrival, now);
  else
    look (arrival, events, now);
}

static void
on_handshake_turn (ConicDeadline *deadline, gint64 now)
{
  ConicAcceptor *self =
      (ConicAcceptor *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicAcceptor, handshake_turn));

  for (guint i = 0; i < HANDSHAKES_PER_TURN && self->handshakes.length > 0; i++) {
    Arrival *arrival = g_queue_pop_head_link (&self->handshakes)->data;

    arrival->queued = FALSE;
    look (arrival, 0, now);
  }
  /* After now: in the next turn, and everybody else's is before that. */
  conic_epoll_source_set_deadline (self->source, &self->handshake_turn,
                                   self->handshakes.length > 0 ? now + 1 : -1);
}

static void
on_arrival_expired (ConicDeadline *deadline, gint64 now)
{
  Arrival *arrival = (Arrival *) ((guint8 *) deadline - G_STRUCT_OFFSET (Arrival, deadline));

  if (arrival->refused)
    close_arrival (arrival);
  else
    refuse (arrival, CONIC_HANDSHAKE_TIMEOUT, REPLY ("408 Request Timeout"), now);
}

/* Returns (transfer none) (nullable): %NULL if nobody came or nobody can be taken, for the reason in
 * errno. */
static Arrival *
accept_arrival (ConicAcceptor *self, int listener_fd, gint64 now)
{
  union {
    struct sockaddr any;
    struct sockaddr_storage storage;
  } from = {.any.sa_family = AF_UNSPEC};
  socklen_t length = sizeof from;
  int fd = accept4 (listener_fd, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  Arrival *arrival;
  int on = 1;

  if (fd < 0)
    return NULL;

  /* Small messages go at once; without it a candidate would wait for the client's ACK. */
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  /* Edge-triggered, for what was only looked at, or waits for its turn, stays readable. */
  self->stats->accepted++;
  arrival = g_new0 (Arrival, 1);
  arrival->watch = (ConicWatch){
      .ready = on_arrival_ready,
      .fd = fd,
      .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
  };
  arrival->deadline.expired = on_arrival_expired;
  arrival->acceptor = self;
  arrival->since = now;
  arrival->link.data = arrival;
  arrival->handshake_link.data = arrival;
  if (!conic_epoll_source_add (self->source, &arrival->watch, NULL)) {
    self->stats->handshakes[CONIC_HANDSHAKE_NO_DESCRIPTORS]++;
    close (fd);
    g_free (arrival);
    errno = ENOSPC;
    return NULL;
  }
  if (self->tls != NULL)
    arrival->tls = conic_tls_new (self->tls, fd);
  arrival->address = conic_address_count_add (self->addresses, &from.any);
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
  Arrival *arrival;

  set_listening (self, FALSE);
  if (self->reserve_fd >= 0)
    close (self->reserve_fd);
  self->reserve_fd = -1;
  arrival = accept_arrival (self, listener_fd, now);
  if (arrival != NULL)
    refuse (arrival, CONIC_HANDSHAKE_NO_DESCRIPTORS, REPLY ("503 Service Unavailable"), now);
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
    Arrival *arrival = accept_arrival (self, watch->fd, now);

    if (arrival == NULL) {
      if (is_exhaustion (errno))
        refuse_exhausted (self, watch->fd, now);
      else if (errno != EAGAIN)
        continue; /* it was gone before it was accepted */
      return;
    }
    if (has_too_many (self, arrival->address))
      refuse (arrival, CONIC_HANDSHAKE_ADDRESS_LIMIT, REPLY ("429 Too Many Requests"), now);
    else if (!has_room)
      refuse (arrival, CONIC_HANDSHAKE_NO_ROOM, REPLY ("503 Service Unavailable"), now);
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
  self->handshake_turn.expired = on_handshake_turn;
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
    drop_arrival (self->arrivals.head->data);
  conic_epoll_source_set_deadline (self->source, &self->handshake_turn, -1);
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
