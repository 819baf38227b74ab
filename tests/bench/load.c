/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Load for a hub, on one thread. Clients come in pairs; whoever gets a message sends one to its
 * partner, so that `window` messages are always on their way between the two (a closed loop); or
 * messages are sent at a given rate, one by one and whatever has become of those before (an open
 * loop), and a round trip counts from when its message was due.
 *
 * load relay PORT PAIRS WINDOW SECONDS IDLE MIXED RATE
 *   connects and registers PAIRS pairs and IDLE clients that stay silent, prints "ready", waits for
 *   a line on standard input, relays for SECONDS, prints JSON. MIXED 1: the second of each pair
 *   speaks the readme dialect. RATE > 0: that many relayed messages a second in all, instead of the
 *   window.
 *
 * load connect PORT COUNT CONCURRENCY
 *   connects, upgrades, registers and leaves COUNT times, prints JSON.
 *
 * While it relays it never sleeps, so that the hub isn't charged for waking it. `load_busy` is the part
 * of the time in which it had something to do: near 1, it is the load that was measured. */

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Bytes of the session description in each message: that of a call with sound and picture. */
#define SDP_BYTES 1400

/* Messages of one client that may be on their way: their times of sending are remembered. */
#define RING 1024

/* Microseconds that the histogram of round trips reaches to, one bucket each. */
#define HISTOGRAM 1000000

/* Messages written with one system call, so that the load needs less time for them than the hub. */
#define BATCH 16

/* Clients that connect at the same time while the stage is set. */
#define CONNECT_AHEAD 64

#define EVENTS 256

typedef enum { CONNECTING, UPGRADING, REGISTERING, READY } State;

typedef struct _Client Client;
struct _Client {
  int fd;
  State state;
  int number;
  gboolean readme;
  Client *partner; /* NULL: idle */
  char *message;   /* (nullable): the frame that it sends to its partner */
  gsize message_length;
  gsize unsent; /* bytes of the last message that the socket didn't take */
  gboolean blocked;
  guint to_send;
  guint8 header[10];
  guint header_length;
  gsize payload_left;
  char upgrade[512];
  gsize upgrade_length;
  gint64 sent_at[RING];
  guint first, next;
};

typedef struct {
  int epoll_fd;
  int port;
  guint n_ready;
  gboolean running;
  gboolean paced;
  gint64 now; /* when the bytes that are looked at were read */
  guint64 received;
  guint64 received_in_all; /* the warming up included */
  guint64 round_trips;
  guint64 overloaded; /* messages that were due when too many were on their way */
  gint64 idle;        /* microseconds in which polling found nothing */
  guint *histogram;
} Load;

static gsize
write_frame (char *out, const char *text)
{
  static const guint8 mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  gsize length = strlen (text), n = 0;

  out[n++] = (char) 0x81;
  if (length < 126) {
    out[n++] = 0x80 | length;
  } else {
    out[n++] = (char) (0x80 | 126);
    out[n++] = length >> 8;
    out[n++] = length & 0xff;
  }
  memcpy (out + n, mask, 4);
  n += 4;
  for (gsize i = 0; i < length; i++)
    out[n + i] = text[i] ^ mask[i & 3];
  return n + length;
}

static void
make_message (Client *client)
{
  g_autoptr (GString) sdp = g_string_new (NULL);
  g_autofree char *text = NULL;

  while (sdp->len < SDP_BYTES)
    g_string_append (sdp, "a=rtpmap:96 VP8/90000\\r\\na=rtcp-fb:96 nack pli\\r\\n");
  if (client->readme) {
    g_autofree char *once = g_strescape (sdp->str, NULL);

    text = g_strdup_printf (
        "{\"type\":\"sdp\",\"raw\":\"{\\\"ID\\\":\\\"client%d\\\",\\\"TargetID\\\":"
        "\\\"client%d\\\",\\\"SessionDescription\\\":{\\\"type\\\":\\\"offer\\\","
        "\\\"sdp\\\":\\\"%s\\\"}}\"}",
        client->number, client->partner->number, once);
  } else {
    text = g_strdup_printf ("{\"id\":\"m\",\"type\":\"sdp\",\"timestamp\":\"2025-01-01T00:00:00Z\","
                            "\"data\":{\"from_id\":\"client%d\",\"to_id\":\"client%d\","
                            "\"session_description\":{\"type\":\"offer\",\"sdp\":\"%s\"}}}",
                            client->number, client->partner->number, sdp->str);
  }
  client->message = g_malloc (strlen (text) + 16);
  client->message_length = write_frame (client->message, text);
}

static Client *
connect_client (Load *self, int number, gboolean readme)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons (self->port)};
  struct epoll_event event = {.events = EPOLLOUT};
  Client *client = g_new0 (Client, 1);
  int on = 1;

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  client->number = number;
  client->readme = readme;
  client->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt (client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (client->fd < 0 || (connect (client->fd, (struct sockaddr *) &address, sizeof address) < 0 &&
                         errno != EINPROGRESS)) {
    perror ("load: connect");
    exit (1);
  }
  event.data.ptr = client;
  epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, client->fd, &event);
  return client;
}

static void
wait_for (Load *self, Client *client, guint32 events)
{
  struct epoll_event event = {.events = events, .data.ptr = client};

  epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

static void
put_all (Client *client, const char *data, gsize length)
{
  if (send (client->fd, data, length, MSG_NOSIGNAL) != (gssize) length) {
    perror ("load: send");
    exit (1);
  }
}

/* Takes note of @n bytes that were written. */
static void
account (Client *client, gsize n)
{
  while (n > 0) {
    gsize part;

    if (client->unsent == 0) {
      client->to_send--;
      client->unsent = client->message_length;
    }
    part = MIN (n, client->unsent);
    client->unsent -= part;
    n -= part;
  }
}

/* Sends what is to be sent, as far as the socket takes it. */
static void
pump (Load *self, Client *client)
{
  gboolean blocked = client->blocked;

  client->blocked = FALSE;
  while (!client->blocked && (client->to_send > 0 || client->unsent > 0)) {
    struct iovec vectors[BATCH];
    struct msghdr message = {.msg_iov = vectors};
    gsize wanted = 0;
    gssize n;

    if (client->unsent > 0)
      vectors[message.msg_iovlen++] = (struct iovec){
          client->message + client->message_length - client->unsent,
          client->unsent,
      };
    for (guint i = 0; i < client->to_send && message.msg_iovlen < BATCH; i++)
      vectors[message.msg_iovlen++] = (struct iovec){client->message, client->message_length};
    for (gsize i = 0; i < message.msg_iovlen; i++)
      wanted += vectors[i].iov_len;
    n = sendmsg (client->fd, &message, MSG_NOSIGNAL);
    n = MAX (n, 0);
    account (client, n);
    client->blocked = (gsize) n < wanted;
  }
  if (blocked != client->blocked)
    wait_for (self, client, client->blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Has the client send one more message; its time counts from @due. */
static void
owe (Client *client, gint64 due)
{
  client->sent_at[client->next++ % RING] = due;
  client->to_send++;
}

static void
on_message (Load *self, Client *client)
{
  if (client->state == REGISTERING) {
    client->state = READY;
    self->n_ready++;
    return;
  }
  if (!self->running || client->partner == NULL)
    return;
  self->received++;
  self->received_in_all++;
  if (client->number % 2 == 0) {
    gint64 took = self->now - client->sent_at[client->first++ % RING];

    self->histogram[CLAMP (took, 0, HISTOGRAM - 1)]++;
    self->round_trips++;
  }
  if (client->number % 2 == 1 || !self->paced)
    owe (client, self->now);
}

/* Counts the server's frames; what they hold is of no interest. */
static void
on_bytes (Load *self, Client *client, const guint8 *data, gsize length)
{
  while (length > 0) {
    if (client->payload_left == 0) {
      guint needed = 2;

      client->header[client->header_length++] = *data++;
      length--;
      if (client->header_length >= 2)
        needed = client->header[1] < 126 ? 2 : client->header[1] == 126 ? 4 : 10;
      if (client->header_length < needed)
        continue;
      client->header_length = 0;
      client->payload_left = client->header[1];
      if (needed == 4)
        client->payload_left = (gsize) client->header[2] << 8 | client->header[3];
    } else {
      gsize n = MIN (length, client->payload_left);

      data += n;
      length -= n;
      client->payload_left -= n;
      if (client->payload_left == 0 && (client->header[0] & 0xf) == 1)
        on_message (self, client);
    }
  }
}

static void
on_upgrading (Client *client, const guint8 **data, gsize *length)
{
  while (*length > 0 && client->upgrade_length < sizeof client->upgrade - 1) {
    client->upgrade[client->upgrade_length++] = **data;
    (*data)++;
    (*length)--;
    if (g_str_has_suffix (client->upgrade, "\r\n\r\n")) {
      char frame[512];
      g_autofree char *text = NULL;

      if (!g_str_has_prefix (client->upgrade, "HTTP/1.1 101")) {
        fprintf (stderr, "load: no upgrade: %s\n", client->upgrade);
        exit (1);
      }
      text = client->readme
                 ? g_strdup_printf (
                       "{\"type\":\"register\",\"raw\":\"{\\\"ID\\\":\\\"client%d\\\"}\"}",
                       client->number)
                 : g_strdup_printf ("{\"id\":\"r\",\"type\":\"register_request\",\"data\":{"
                                    "\"client_id\":\"client%d\"}}",
                                    client->number);
      client->state = REGISTERING;
      put_all (client, frame, write_frame (frame, text));
      return;
    }
  }
}

static void
on_event (Load *self, Client *client, guint32 events)
{
  static const char request[] =
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  guint8 buffer[32 * 1024];
  const guint8 *data = buffer;
  gsize length;
  gssize n;

  if (client->state == CONNECTING) {
    client->state = UPGRADING;
    wait_for (self, client, EPOLLIN);
    put_all (client, request, sizeof request - 1);
    return;
  }
  if (events & EPOLLOUT)
    pump (self, client);
  if (!(events & ~(guint32) EPOLLOUT))
    return;
  n = recv (client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0) {
    fprintf (stderr, "load: client %d was closed\n", client->number);
    exit (1);
  }
  self->now = g_get_monotonic_time ();
  length = n;
  if (client->state == UPGRADING)
    on_upgrading (client, &data, &length);
  on_bytes (self, client, data, length);
  pump (self, client);
}

static void
turn (Load *self, int timeout)
{
  struct epoll_event events[EVENTS];
  gint64 before = g_get_monotonic_time ();
  int n = epoll_wait (self->epoll_fd, events, EVENTS, timeout);

  if (n <= 0)
    self->idle += g_get_monotonic_time () - before;
  for (int i = 0; i < n; i++)
    on_event (self, events[i].data.ptr, events[i].events);
}

/* Microseconds of processor time that the load has had. */
static gint64
get_cpu (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (gint64) time.tv_sec * G_TIME_SPAN_SECOND + time.tv_nsec / 1000;
}

static double
percentile (Load *self, double part)
{
  guint64 sum = 0, wanted = self->round_trips * part;

  for (int i = 0; i < HISTOGRAM; i++) {
    sum += self->histogram[i];
    if (sum > wanted)
      return i;
  }
  return HISTOGRAM;
}

/* Connects everyone and prepares the pairs' messages. Returns (transfer full) the clients. */
static Client **
set_stage (Load *self, int pairs, int idle, gboolean mixed)
{
  int n = 2 * pairs + idle;
  Client **clients = g_new0 (Client *, n);

  for (int i = 0; i < n; i++) {
    clients[i] = connect_client (self, i, mixed && i < 2 * pairs && i % 2 == 1);
    while (i + 1 - (int) self->n_ready >= CONNECT_AHEAD)
      turn (self, -1);
  }
  while ((int) self->n_ready < n)
    turn (self, -1);
  for (int i = 0; i < 2 * pairs; i++) {
    clients[i]->partner = clients[i ^ 1];
    make_message (clients[i]);
  }
  return clients;
}

/* Sends what is due by now. A message that should have gone out long ago is late from then on:
 * that the load or the hub was held up is no excuse. */
static void
send_due (Load *self, Client **clients, int pairs, gint64 start, double interval, guint64 *n)
{
  gint64 now = g_get_monotonic_time ();

  for (; start + *n * interval <= now; (*n)++) {
    Client *client = clients[2 * (g_random_int () % pairs)];

    if (client->next - client->first >= RING) {
      self->overloaded++;
      continue;
    }
    owe (client, start + (gint64) (*n * interval));
    pump (self, client);
  }
}

static void
relay (Load *self, int pairs, int window, double seconds, int idle, gboolean mixed, double rate)
{
  g_autofree Client **clients = set_stage (self, pairs, idle, mixed);
  gint64 begin, start, now, end;
  guint64 n_due = 0;
  char line[16];

  puts ("ready");
  fflush (stdout);
  if (fgets (line, sizeof line, stdin) == NULL)
    return;

  begin = start = now = g_get_monotonic_time ();
  self->running = TRUE;
  self->paced = rate > 0;
  for (int i = 0; i < 2 * pairs && !self->paced; i += 2) {
    for (int j = 0; j < window; j++)
      owe (clients[i], now);
    pump (self, clients[i]);
  }
  /* The first fifth warms up. */
  end = start + seconds * G_TIME_SPAN_SECOND * 6 / 5;
  for (gboolean warm = FALSE; now < end; now = g_get_monotonic_time ()) {
    if (!warm && now >= start + seconds * G_TIME_SPAN_SECOND / 5) {
      warm = TRUE;
      start = now;
      self->received = self->round_trips = self->overloaded = 0;
      self->idle = 0;
      memset (self->histogram, 0, HISTOGRAM * sizeof (guint));
    }
    /* Each message that is sent makes two relays. */
    if (self->paced)
      send_due (self, clients, pairs, begin, 2 * G_TIME_SPAN_SECOND / rate, &n_due);
    turn (self, 0);
  }
  printf ("{\"messages_per_second\": %.0f, \"messages\": %" G_GUINT64_FORMAT
          ", \"p50_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, \"overloaded\": "
          "%" G_GUINT64_FORMAT ", \"load_busy\": %.3f}\n",
          self->received * 1e6 / (now - start), self->received_in_all, percentile (self, 0.5),
          percentile (self, 0.99), percentile (self, 0.999), self->overloaded,
          (double) (now - start - self->idle) / (now - start));
}

static void
connect_and_leave (Load *self, int count, int concurrency)
{
  gint64 start = g_get_monotonic_time ();
  struct linger linger = {.l_onoff = 1};
  int begun = 0, done = 0;

  while (begun < MIN (count, concurrency))
    connect_client (self, begun++, FALSE);
  while (done < count) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait (self->epoll_fd, events, EVENTS, -1);

    for (int i = 0; i < n; i++) {
      Client *client = events[i].data.ptr;

      on_event (self, client, events[i].events);
      if (client->state != READY)
        continue;
      /* A reset, for ports that wait for stray segments would run out. */
      setsockopt (client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
      close (client->fd);
      g_free (client);
      done++;
      if (begun < count)
        connect_client (self, begun++, FALSE);
    }
  }
  printf ("{\"clients_per_second\": %.0f, \"load_busy\": %.3f}\n",
          count * 1e6 / (g_get_monotonic_time () - start),
          (double) get_cpu () / (g_get_monotonic_time () - start));
}

int
main (int argc, char **argv)
{
  Load self = {.epoll_fd = epoll_create1 (EPOLL_CLOEXEC)};
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  self.histogram = g_new0 (guint, HISTOGRAM);
  if (argc == 9 && g_str_equal (argv[1], "relay")) {
    self.port = atoi (argv[2]);
    relay (&self, atoi (argv[3]), atoi (argv[4]), g_ascii_strtod (argv[5], NULL), atoi (argv[6]),
           atoi (argv[7]), g_ascii_strtod (argv[8], NULL));
    return 0;
  }
  if (argc == 5 && g_str_equal (argv[1], "connect")) {
    self.port = atoi (argv[2]);
    connect_and_leave (&self, atoi (argv[3]), atoi (argv[4]));
    return 0;
  }
  fprintf (stderr, "load relay PORT PAIRS WINDOW SECONDS IDLE MIXED RATE | load connect PORT COUNT "
                   "CONCURRENCY\n");
  return 2;
}
