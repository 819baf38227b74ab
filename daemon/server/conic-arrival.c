/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Half-open requests are what an attacker has most of, and libsoup has a handful of sources of the
 * main loop for each. So a connection waits here, as one entry of the epoll set with a deadline,
 * until the end of its request's head can be seen in the socket; nothing is read before. With TLS
 * the handshake comes first, and what is read of the head is kept in the session. */

#include "conic-acceptor-private.h"

#include "conic-handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Arrivals that are looked at in one turn, and as how many one counts that makes its TLS handshake:
 * hundreds of clients come at once after a restart. A request takes libsoup 0.2 ms, a signature with
 * an RSA key 0.6 ms. */
#define ARRIVALS_PER_TURN 16
#define TLS_ARRIVALS      8

/* Bytes that the head of a request may have, as in most servers. */
#define HEAD_BYTES 8192

#define HEAD_END "\r\n\r\n"

/* How long somebody who is refused may take to read that, and how many may at a time: refusing must
 * not use up the descriptors. Those beyond may find the connection reset instead. */
#define REFUSED_LINGER G_TIME_SPAN_SECOND
#define REFUSED_MAX    256

/* Frees the arrival. Returns its descriptor, which is the caller's then, as are the others. */
static int
release_arrival (ConicArrival *arrival, ConicTls **tls, ConicAddress **address)
{
  ConicAcceptor *self = arrival->acceptor;
  int fd = arrival->watch.fd;

  conic_epoll_source_remove (self->source, &arrival->watch);
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, -1);
  g_queue_unlink (&self->arrivals, &arrival->link);
  if (arrival->queued)
    g_queue_unlink (&self->queue, &arrival->queue_link);
  if (arrival->refused)
    self->n_refused--;
  *tls = arrival->tls;
  *address = arrival->address;
  g_free (arrival);
  return fd;
}

/* Closes it without a word. */
void
conic_arrival_drop (ConicArrival *arrival)
{
  ConicAddress *address;
  ConicTls *tls;
  int fd = release_arrival (arrival, &tls, &address);

  g_clear_pointer (&tls, conic_tls_free);
  close (fd);
  conic_address_release (address);
}

/* @result is why, unless the client was told that already. */
static void
end_arrival (ConicArrival *arrival, ConicHandshakeResult result)
{
  ConicAcceptor *self = arrival->acceptor;

  if (!arrival->refused)
    self->stats->handshakes[result]++;
  conic_arrival_drop (arrival);
  if (self->reserve_fd < 0)
    conic_acceptor_take_reserve (self);
}

static void
close_arrival (ConicArrival *arrival)
{
  end_arrival (arrival, CONIC_HANDSHAKE_LOST);
}

/* Looks at what came, as recv() does. */
static gssize
peek (ConicArrival *arrival, char *head, gsize size)
{
  return arrival->tls != NULL ? conic_tls_peek (arrival->tls, head, size)
                              : recv (arrival->watch.fd, head, size, MSG_PEEK | MSG_DONTWAIT);
}

/* Whether nothing more will come than that. */
static gboolean
has_ended (ConicArrival *arrival, guint32 events)
{
  if (arrival->tls != NULL)
    return conic_tls_has_ended (arrival->tls);
  return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

/* Takes what was looked at. */
static gboolean
take (ConicArrival *arrival, char *head, gsize length)
{
  gssize n = arrival->tls != NULL ? conic_tls_read (arrival->tls, head, length)
                                  : recv (arrival->watch.fd, head, length, MSG_DONTWAIT);

  return n == (gssize) length;
}

/* The socket's buffer is empty, so it is taken at once or never. */
static gboolean
say (ConicArrival *arrival, const char *text)
{
  struct iovec vector = {.iov_base = (char *) text, .iov_len = strlen (text)};
  gssize n = arrival->tls != NULL
                 ? conic_tls_write (arrival->tls, &vector, 1)
                 : send (arrival->watch.fd, text, vector.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);

  return n == (gssize) vector.iov_len;
}

/* Says the last. */
static gboolean
say_and_shut (ConicArrival *arrival, const char *text)
{
  /* There is no way to say anything before the TLS handshake is made. */
  if ((arrival->tls != NULL && !conic_tls_is_established (arrival->tls)) || !say (arrival, text))
    return FALSE;
  if (arrival->tls != NULL)
    conic_tls_shut (arrival->tls);
  g_clear_pointer (&arrival->tls, conic_tls_free);
  return shutdown (arrival->watch.fd, SHUT_WR) == 0;
}

/* Throws some of it away that came. A socket that is closed with unread bytes is reset, and the client
 * may never see the answer. */
static void
discard (ConicArrival *arrival)
{
  char bytes[HEAD_BYTES];
  gssize n = recv (arrival->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);

  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
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

/**
 * conic_arrival_refuse:
 * @arrival: the connection, which may be freed then
 * @result: how that is counted
 * @reply: the whole answer
 * @now: the monotonic time
 *
 * Answers, as far as that can be done at once, and lets the client some time to read it.
 */
void
conic_arrival_refuse (ConicArrival *arrival,
                      ConicHandshakeResult result,
                      const char *reply,
                      gint64 now)
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
  /* Level-triggered from now on: it may send without end, and each turn takes a little of that. */
  conic_epoll_source_modify (self->source, &arrival->watch, EPOLLIN);
}

/* Answers the handshake of @length bytes that @head is the copy of. */
static void
upgrade (ConicArrival *arrival, char *head, gsize length, const char *answer, ConicPass **pass)
{
  ConicAcceptor *self = arrival->acceptor;
  ConicAddress *address;
  ConicTls *tls;
  int fd;

  /* What comes after the head stays where it is. */
  if (!take (arrival, head, length) || !say (arrival, answer)) {
    self->stats->handshakes[CONIC_HANDSHAKE_LOST]++;
    conic_arrival_drop (arrival);
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
answer (ConicArrival *arrival, char *head, gsize length, gint64 now)
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
  else
    conic_arrival_refuse (arrival, conic_handshake_get_result (verdict.status), text, now);
  return TRUE;
}

static void
hand_over (ConicArrival *arrival, char *head, gsize length, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;
  ConicRequest request = {.since = arrival->since, .deadline = arrival->deadline.at};

  if (answer (arrival, head, length, now))
    return;
  request.spare = fcntl (arrival->watch.fd, F_DUPFD_CLOEXEC, 0);
  if (request.spare < 0) {
    conic_arrival_refuse (arrival, CONIC_HANDSHAKE_NO_DESCRIPTORS,
                          CONIC_ARRIVAL_REPLY ("503 Service Unavailable"), now);
    return;
  }
  request.fd = release_arrival (arrival, &request.tls, &request.address);
  self->handler->arrived (&request, self->user_data);
}

static void
fail_tls (ConicArrival *arrival)
{
  g_autofree char *remote = conic_log_describe_remote (arrival->watch.fd);
  const ConicLogClient client = {.remote = remote};

  conic_log_client (G_LOG_LEVEL_INFO, &client, "The TLS handshake with %s failed: %s", remote,
                    conic_tls_get_failure (arrival->tls));
  end_arrival (arrival, CONIC_HANDSHAKE_TLS_FAILED);
}

/* Has it looked at for @events when its turn comes. */
static void
queue (ConicArrival *arrival, guint32 events, gint64 now)
{
  ConicAcceptor *self = arrival->acceptor;

  arrival->events |= events;
  if (arrival->queued)
    return;
  arrival->queued = TRUE;
  g_queue_push_tail_link (&self->queue, &arrival->queue_link);
  if (self->queue.length == 1)
    conic_epoll_source_set_deadline (self->source, &self->turn, now);
}

static void
await_more (ConicArrival *arrival, gint64 now)
{
  if (arrival->tls == NULL)
    return;
  /* To read on, TLS may have to write first; or it has only left some for another turn. */
  conic_epoll_source_modify (arrival->acceptor->source, &arrival->watch,
                             conic_tls_get_read_events (arrival->tls) | EPOLLET);
  if (conic_tls_has_more (arrival->tls))
    queue (arrival, 0, now);
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
look (ConicArrival *arrival, guint32 events, gint64 now)
{
  char head[HEAD_BYTES];
  const char *end;
  gssize n = peek (arrival, head, sizeof head);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    await_more (arrival, now);
  else if (n < 0 && arrival->tls != NULL && !conic_tls_is_established (arrival->tls))
    fail_tls (arrival);
  else if (n <= 0)
    close_arrival (arrival);
  else if ((end = find_end (head, n)) != NULL)
    hand_over (arrival, head, end - head, now);
  else if (n == sizeof head)
    conic_arrival_refuse (arrival, CONIC_HANDSHAKE_INVALID,
                          CONIC_ARRIVAL_REPLY ("431 Request Header Fields Too Large"), now);
  else if (has_ended (arrival, events))
    close_arrival (arrival);
  else
    await_more (arrival, now);
}

static void
on_arrival_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  ConicArrival *arrival = (ConicArrival *) watch;

  if (arrival->refused)
    discard (arrival);
  else
    queue (arrival, events, now);
}

/* Looks at some of those that wait for it; the deadline is an acceptor's. */
void
conic_arrival_on_turn (ConicDeadline *deadline, gint64 now)
{
  ConicAcceptor *self =
      (ConicAcceptor *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicAcceptor, turn));

  for (guint n = 0; n < ARRIVALS_PER_TURN && self->queue.length > 0;) {
    ConicArrival *arrival = g_queue_pop_head_link (&self->queue)->data;
    guint32 events = arrival->events;

    n += arrival->tls != NULL ? TLS_ARRIVALS : 1;
    arrival->queued = FALSE;
    arrival->events = 0;
    if (!arrival->refused)
      look (arrival, events, now);
  }
  /* After now: in the next turn, and everybody else's is before that. */
  conic_epoll_source_set_deadline (self->source, &self->turn,
                                   self->queue.length > 0 ? now + 1 : -1);
}

static void
on_arrival_expired (ConicDeadline *deadline, gint64 now)
{
  ConicArrival *arrival =
      (ConicArrival *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicArrival, deadline));

  if (arrival->refused)
    close_arrival (arrival);
  else
    conic_arrival_refuse (arrival, CONIC_HANDSHAKE_TIMEOUT,
                          CONIC_ARRIVAL_REPLY ("408 Request Timeout"), now);
}

/**
 * conic_arrival_new:
 * @self: whose it is
 * @fd: (transfer full): the socket, non-blocking
 * @from: where it comes from
 * @now: the monotonic time
 *
 * Returns: (transfer none) (nullable): a connection that is looked after from now on; %NULL with
 *   errno if the kernel has no room
 */
ConicArrival *
conic_arrival_new (ConicAcceptor *self, int fd, const struct sockaddr *from, gint64 now)
{
  ConicArrival *arrival;
  int on = 1;

  /* Small messages go at once; without it a candidate would wait for the client's ACK. */
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  /* Edge-triggered, for what was only looked at, or waits for its turn, stays readable. */
  self->stats->accepted++;
  arrival = g_new0 (ConicArrival, 1);
  arrival->watch = (ConicWatch){
      .ready = on_arrival_ready,
      .fd = fd,
      .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
  };
  arrival->deadline.expired = on_arrival_expired;
  arrival->acceptor = self;
  arrival->since = now;
  arrival->link.data = arrival;
  arrival->queue_link.data = arrival;
  if (!conic_epoll_source_add (self->source, &arrival->watch, NULL)) {
    self->stats->handshakes[CONIC_HANDSHAKE_NO_DESCRIPTORS]++;
    close (fd);
    g_free (arrival);
    errno = ENOSPC;
    return NULL;
  }
  if (self->tls != NULL)
    arrival->tls = conic_tls_new (self->tls, fd);
  arrival->address = conic_address_count_add (self->addresses, from);
  conic_epoll_source_set_deadline (self->source, &arrival->deadline, now + self->timeout);
  g_queue_push_tail_link (&self->arrivals, &arrival->link);
  return arrival;
}
