/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The floor that conicd is measured against: the least that a relay on one thread can do. It trusts
 * its clients: the handshake looks for the key only, a message is searched for its target and
 * forwarded from where it was read, without a copy; nothing is validated, nothing is queued beyond
 * what a socket doesn't take. Each message is written with a system call of its own, as in most
 * relays; with `gather`, what one read brought for one client leaves in one, as in conicd.
 *
 * floor [gather]: prints the port that it listens on, and runs until it is killed. */

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
#include <unistd.h>

#define EVENTS     256
#define READ_BYTES (16 * 1024)

/* Frames written with one system call. */
#define BATCH 32

typedef struct {
  int fd;
  gboolean open; /* the handshake is done */
  char *id;
  GByteArray *in;  /* (nullable): an incomplete frame */
  GByteArray *out; /* (nullable): what the socket didn't take */
} Client;

typedef struct {
  int epoll_fd;
  int listener;
  GHashTable *clients; /* of Client by id */

  Client *batch_target; /* (nullable): whom the frames of the batch are for */
  struct iovec batch[BATCH];
  gsize n_batch;
  gsize max_batch;
} Floor;

static void
drop (Floor *self, Client *client)
{
  if (client->id != NULL)
    g_hash_table_remove (self->clients, client->id);
  close (client->fd);
  g_free (client->id);
  g_clear_pointer (&client->in, g_byte_array_unref);
  g_clear_pointer (&client->out, g_byte_array_unref);
  g_free (client);
}

static void
watch (Floor *self, Client *client, int operation, guint32 events)
{
  struct epoll_event event = {.events = events, .data.ptr = client};

  epoll_ctl (self->epoll_fd, operation, client->fd, &event);
}

/* Writes what is gathered; keeps what the socket doesn't take. */
static void
flush (Floor *self)
{
  Client *client = self->batch_target;
  struct msghdr message = {.msg_iov = self->batch, .msg_iovlen = self->n_batch};
  gssize written = 0;

  if (client == NULL)
    return;
  self->batch_target = NULL;
  if (client->out == NULL)
    written = sendmsg (client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  written = MAX (written, 0);
  for (gsize i = 0; i < self->n_batch; i++) {
    gsize n = MIN ((gsize) written, self->batch[i].iov_len);

    written -= n;
    if (n == self->batch[i].iov_len)
      continue;
    if (client->out == NULL) {
      client->out = g_byte_array_new ();
      watch (self, client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    g_byte_array_append (client->out, (guint8 *) self->batch[i].iov_base + n,
                         self->batch[i].iov_len - n);
  }
  self->n_batch = 0;
}

/* Gathers bytes that stay where they are until the next flush. */
static void
put (Floor *self, Client *client, guint8 *data, gsize length)
{
  if (self->batch_target != client || self->n_batch == self->max_batch)
    flush (self);
  self->batch_target = client;
  self->batch[self->n_batch++] = (struct iovec){data, length};
}

static void
drain (Floor *self, Client *client)
{
  gssize n = send (client->fd, client->out->data, client->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);

  if (n > 0)
    g_byte_array_remove_range (client->out, 0, n);
  if (client->out->len == 0) {
    g_clear_pointer (&client->out, g_byte_array_unref);
    watch (self, client, EPOLL_CTL_MOD, EPOLLIN);
  }
}

static gsize
write_header (guint8 *header, gsize length)
{
  header[0] = 0x81;
  if (length < 126) {
    header[1] = length;
    return 2;
  }
  header[1] = 126;
  header[2] = length >> 8;
  header[3] = length & 0xff;
  return 4;
}

/* The string value that follows @name, or NULL. */
static const char *
find (const char *text, gsize length, const char *name, gsize *n)
{
  const char *start = memmem (text, length, name, strlen (name));
  const char *end;

  if (start == NULL)
    return NULL;
  start += strlen (name);
  end = memchr (start, '"', text + length - start);
  *n = end != NULL ? end - start : 0;
  return end != NULL ? start : NULL;
}

static void
on_text (Floor *self, Client *client, guint8 *text, gsize length)
{
  gsize n;
  const char *id = find ((char *) text, length, "\"to_id\":\"", &n);
  guint8 header[4];
  char key[129];

  if (id != NULL && n < sizeof key) {
    Client *target;

    memcpy (key, id, n);
    key[n] = '\0';
    target = g_hash_table_lookup (self->clients, key);
    if (target != NULL) {
      /* The header goes where the client's was, which was four bytes longer. */
      gsize h = write_header (header, length);

      memcpy (text - h, header, h);
      put (self, target, text - h, length + h);
    }
    return;
  }
  id = find ((char *) text, length, "\"client_id\":\"", &n);
  if (id != NULL && client->id == NULL) {
    g_autofree char *answer = NULL;
    guint8 reply[512];

    client->id = g_strndup (id, n);
    g_hash_table_insert (self->clients, client->id, client);
    answer =
        g_strdup_printf ("{\"id\":\"x\",\"type\":\"register_response\",\"data\":{\"client_id\":"
                         "\"%.128s\",\"success\":true}}",
                         client->id);
    n = write_header (reply, strlen (answer));
    memcpy (reply + n, answer, strlen (answer));
    put (self, client, reply, n + strlen (answer));
    flush (self);
  }
}

static void
unmask (guint8 *data, gsize length, const guint8 *mask)
{
  guint64 wide, word;
  guint8 twice[8];
  gsize i = 0;

  memcpy (twice, mask, 4);
  memcpy (twice + 4, mask, 4);
  memcpy (&wide, twice, 8);
  for (; i + 8 <= length; i += 8) {
    memcpy (&word, data + i, 8);
    word ^= wide;
    memcpy (data + i, &word, 8);
  }
  for (; i < length; i++)
    data[i] ^= mask[i & 3];
}

/* Acts on whole frames. Returns how many bytes were used, -1 at a close frame. */
static gssize
on_frames (Floor *self, Client *client, guint8 *data, gsize length)
{
  gsize used = 0;

  while (length - used >= 6) {
    guint8 *frame = data + used;
    gsize payload = frame[1] & 0x7f;
    gsize header = payload == 126 ? 8 : 6;

    if ((frame[0] & 0xf) == 8)
      return -1;
    if (payload == 126)
      payload = (gsize) frame[2] << 8 | frame[3];
    if (length - used < header + payload)
      break;
    unmask (frame + header, payload, frame + header - 4);
    if ((frame[0] & 0xf) == 1)
      on_text (self, client, frame + header, payload);
    used += header + payload;
  }
  return used;
}

static gssize
on_handshake (Floor *self, Client *client, const guint8 *data, gsize length)
{
  static const char name[] = "Sec-WebSocket-Key: ";
  const guint8 *end = memmem (data, length, "\r\n\r\n", 4);
  const char *key = memmem (data, length, name, sizeof name - 1);
  g_autoptr (GChecksum) sum = NULL;
  g_autofree char *accept = NULL;
  g_autofree char *answer = NULL;
  guint8 digest[20];
  gsize size = sizeof digest;

  if (end == NULL || key == NULL)
    return 0;
  sum = g_checksum_new (G_CHECKSUM_SHA1);
  g_checksum_update (sum, (const guchar *) key + sizeof name - 1, 24);
  g_checksum_update (sum, (const guchar *) "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  g_checksum_get_digest (sum, digest, &size);
  accept = g_base64_encode (digest, size);
  answer = g_strdup_printf ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                            accept);
  put (self, client, (guint8 *) answer, strlen (answer));
  flush (self);
  client->open = TRUE;
  return end + 4 - data;
}

static void
on_readable (Floor *self, Client *client)
{
  guint8 buffer[READ_BYTES];
  guint8 *data = buffer;
  gssize n = recv (client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  g_autoptr (GByteArray) joined = NULL;
  gsize length = n;
  gssize used = 0;

  if (n <= 0) {
    if (n == 0 || errno != EAGAIN)
      drop (self, client);
    return;
  }
  if (client->in != NULL) {
    joined = g_steal_pointer (&client->in);
    g_byte_array_append (joined, buffer, n);
    data = joined->data;
    length = joined->len;
  }
  if (!client->open)
    used = on_handshake (self, client, data, length);
  if (client->open) {
    n = on_frames (self, client, data + used, length - used);
    flush (self);
    if (n < 0) {
      drop (self, client);
      return;
    }
    used += n;
  }
  if ((gsize) used < length)
    client->in = g_byte_array_append (g_byte_array_new (), data + used, length - used);
}

static void
accept_all (Floor *self)
{
  int fd, on = 1;

  while ((fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    Client *client = g_new0 (Client, 1);

    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->fd = fd;
    watch (self, client, EPOLL_CTL_ADD, EPOLLIN);
  }
}

int
main (int argc, char **argv)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  struct epoll_event event = {.events = EPOLLIN};
  struct rlimit limit;
  Floor self = {.clients = g_hash_table_new (g_str_hash, g_str_equal)};
  int on = 1;

  self.max_batch = argc > 1 && g_str_equal (argv[1], "gather") ? BATCH : 1;
  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  self.listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt (self.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind (self.listener, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (self.listener, 4096) < 0) {
    perror ("floor");
    return 1;
  }
  getsockname (self.listener, (struct sockaddr *) &address, &size);
  printf ("floor listening on ws://127.0.0.1:%d/ws\n", ntohs (address.sin_port));
  fflush (stdout);
  self.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  epoll_ctl (self.epoll_fd, EPOLL_CTL_ADD, self.listener, &event);

  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait (self.epoll_fd, events, EVENTS, -1);

    for (int i = 0; i < n; i++) {
      Client *client = events[i].data.ptr;

      if (client == NULL) {
        accept_all (&self);
        continue;
      }
      if ((events[i].events & EPOLLOUT) && client->out != NULL)
        drain (&self, client);
      if (events[i].events & ~(guint32) EPOLLOUT)
        on_readable (&self, client);
    }
  }
}
