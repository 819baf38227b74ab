/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* OpenSSL directly, not a GTlsConnection: that makes each handshake in a thread of GTask's pool and
 * blocks there, so that a few dozen clients who never finish theirs keep everybody else out.
 *
 * Three things differ from a plain socket, and whoever uses a session has to heed them:
 *
 * - What came may be here and not in the socket any more, where nobody is woken for it:
 *   conic_tls_is_readable().
 * - To read, it may have to write first, and the other way round: conic_tls_get_read_events().
 * - Bytes that it could not write at once are encrypted already: exactly those have to be given to it
 *   again, conic_tls_get_n_promised().
 *
 * OpenSSL reads on as long as what comes is TLS's own business, such as new keys; ten thousand of
 * those in a row would be one read, and everybody else would wait for that. So it is stopped. */

#include "conic-tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/epoll.h>

/* Bytes of a record, which is what one write makes: RFC 8446 section 5.1. */
#define RECORD_BYTES SSL3_RT_MAX_PLAIN_LENGTH

/* How often the socket is read for one conic_tls_read() or conic_tls_peek(): sixteen records, at twice
 * each, however little is in them. New keys take 20 µs. */
#define SOCKET_READS 32

struct _ConicTls {
  SSL *ssl;
  GByteArray *peeked; /* (nullable): read, but only to look at it */
  gsize n_promised;
  const char *failure; /* (nullable): why nothing goes any more, static */
  guint32 read_events;
  guint32 write_events;
  guint n_reads;     /* of the socket since somebody asked */
  gboolean has_more; /* to read, which nobody is woken for */
  gboolean ended;    /* nothing more will come */
};

/* Has OpenSSL believe that the socket is empty when it has read enough. */
static long
on_socket (BIO *socket,
           int operation,
           const char *data,
           size_t length,
           int argument,
           long more,
           int result,
           size_t *processed)
{
  ConicTls *self = (ConicTls *) (gpointer) BIO_get_callback_arg (socket);

  if (operation != BIO_CB_READ)
    return result;
  if (self->n_reads == SOCKET_READS) {
    BIO_clear_retry_flags (socket);
    BIO_set_retry_read (socket);
    return -1;
  }
  self->n_reads++;
  return result;
}

/**
 * conic_tls_new:
 * @context: what to begin with; the session keeps a reference
 * @fd: a connected socket, non-blocking; stays the caller's, who closes it after the session is freed
 *
 * Returns: (transfer full): a session whose handshake has still to be made
 */
ConicTls *
conic_tls_new (ConicTlsContext *context, int fd)
{
  ConicTls *self = g_new0 (ConicTls, 1);

  self->ssl = SSL_new (context);
  self->read_events = EPOLLIN;
  self->write_events = EPOLLOUT;
  SSL_set_accept_state (self->ssl);
  SSL_set_fd (self->ssl, fd);
  BIO_set_callback_ex (SSL_get_rbio (self->ssl), on_socket);
  BIO_set_callback_arg (SSL_get_rbio (self->ssl), (char *) self);
  return self;
}

/* Frees it without a word to the client. */
void
conic_tls_free (ConicTls *self)
{
  SSL_free (self->ssl);
  g_clear_pointer (&self->peeked, g_byte_array_unref);
  g_free (self);
}

/* Goes on with a duplicate of its socket. */
void
conic_tls_set_fd (ConicTls *self, int fd)
{
  BIO_set_fd (SSL_get_rbio (self->ssl), fd, BIO_NOCLOSE);
}

/* What an operation that came to @result means, in the way of recv() and send(): 0 for the end, else
 * -1 with errno. @events is what to wait for before it is tried again. */
static gssize
interpret (ConicTls *self, int result, guint32 *events)
{
  gulong code;

  switch (SSL_get_error (self->ssl, result)) {
  case SSL_ERROR_WANT_READ:
    *events = EPOLLIN;
    errno = EAGAIN;
    return -1;
  case SSL_ERROR_WANT_WRITE:
    *events = EPOLLOUT;
    errno = EAGAIN;
    return -1;
  case SSL_ERROR_ZERO_RETURN:
    self->ended = TRUE;
    return 0;
  case SSL_ERROR_SYSCALL:
    self->failure = "connection lost";
    errno = ECONNRESET;
    return -1;
  default:
    code = ERR_peek_error ();
    self->failure = ERR_reason_error_string (code);
    if (self->failure == NULL)
      self->failure = "TLS failed";
    ERR_clear_error ();
    errno = EPROTO;
    return -1;
  }
}

static gssize
read_record (ConicTls *self, void *buffer, gsize size)
{
  int n;

  if (self->failure != NULL) {
    errno = EPROTO;
    return -1;
  }
  self->read_events = EPOLLIN;
  ERR_clear_error ();
  n = SSL_read (self->ssl, buffer, MIN (size, G_MAXINT));
  self->has_more = n > 0 ? SSL_has_pending (self->ssl) : self->n_reads == SOCKET_READS;
  return n > 0 ? n : interpret (self, n, &self->read_events);
}

/**
 * conic_tls_read:
 * @self: the session
 * @buffer: (array length=size): where to
 * @size: bytes of @buffer, not 0
 *
 * Reads, as recv() does. It may return less than there is.
 *
 * Returns: bytes read, 0 for the end, -1 for an error; errno is EAGAIN if there is nothing now
 */
gssize
conic_tls_read (ConicTls *self, void *buffer, gsize size)
{
  gsize n;

  self->n_reads = 0;
  if (self->peeked == NULL)
    return read_record (self, buffer, size);
  n = MIN (size, self->peeked->len);
  memcpy (buffer, self->peeked->data, n);
  g_byte_array_remove_range (self->peeked, 0, n);
  if (self->peeked->len == 0)
    g_clear_pointer (&self->peeked, g_byte_array_unref);
  return n;
}

/**
 * conic_tls_peek:
 * @self: the session
 * @buffer: (array length=size): where to
 * @size: bytes of @buffer, not 0
 *
 * Shows what came so far, as recv() does with MSG_PEEK. Unlike there, none of that is left in the
 * socket, where there may be more: conic_tls_has_more().
 *
 * Returns: bytes shown, 0 for the end, -1 for an error; errno is EAGAIN if there is nothing yet
 */
gssize
conic_tls_peek (ConicTls *self, void *buffer, gsize size)
{
  gsize have = self->peeked != NULL ? self->peeked->len : 0;
  gssize n = 1;

  self->n_reads = 0;
  if (have > 0)
    memcpy (buffer, self->peeked->data, MIN (have, size));
  while (have < size) {
    n = read_record (self, (guint8 *) buffer + have, size - have);
    if (n <= 0)
      break;
    if (self->peeked == NULL)
      self->peeked = g_byte_array_sized_new (n);
    g_byte_array_append (self->peeked, (guint8 *) buffer + have, n);
    have += n;
  }
  return have > 0 && self->failure == NULL ? (gssize) MIN (have, size) : n;
}

/**
 * conic_tls_write:
 * @self: the session
 * @vectors: (array length=n_vectors): what to write; begins with what was promised
 * @n_vectors: how many there are
 *
 * Writes as much of that as fits into one record, as sendmsg() does.
 *
 * Returns: bytes written, -1 for an error; errno is EAGAIN if the socket takes nothing now
 */
gssize
conic_tls_write (ConicTls *self, const struct iovec *vectors, guint n_vectors)
{
  guint8 record[RECORD_BYTES];
  gsize room = self->n_promised > 0 ? self->n_promised : sizeof record;
  gsize length = 0;
  int n;

  if (self->failure != NULL) {
    errno = EPROTO;
    return -1;
  }
  for (guint i = 0; i < n_vectors && length < room; i++) {
    gsize part = MIN (vectors[i].iov_len, room - length);

    memcpy (record + length, vectors[i].iov_base, part);
    length += part;
  }
  self->write_events = EPOLLOUT;
  self->n_reads = 0;
  ERR_clear_error ();
  n = SSL_write (self->ssl, record, length);
  self->n_promised = n > 0 ? 0 : length;
  return n > 0 ? n : interpret (self, n, &self->write_events);
}

/**
 * conic_tls_shut:
 * @self: the session; nothing may be written any more
 *
 * Tells the client that nothing more will come (RFC 8446 section 6.1), if the socket takes that at
 * once.
 */
void
conic_tls_shut (ConicTls *self)
{
  if (self->failure != NULL || self->n_promised > 0 || !SSL_is_init_finished (self->ssl))
    return;
  ERR_clear_error ();
  SSL_shutdown (self->ssl);
  ERR_clear_error ();
}

/* Whether the handshake is made, so that something can be said. */
gboolean
conic_tls_is_established (ConicTls *self)
{
  return self->failure == NULL && SSL_is_init_finished (self->ssl);
}

/* Whether there may be something to read that nobody is woken for. */
gboolean
conic_tls_is_readable (ConicTls *self)
{
  return self->peeked != NULL || self->has_more;
}

/* The same beyond what was peeked at. */
gboolean
conic_tls_has_more (ConicTls *self)
{
  return self->has_more;
}

/* Whether nothing more will come than was peeked at. */
gboolean
conic_tls_has_ended (ConicTls *self)
{
  return self->ended || self->failure != NULL;
}

/* EPOLLIN or EPOLLOUT: what the socket has to be ready for before it makes sense to read. */
guint32
conic_tls_get_read_events (ConicTls *self)
{
  return self->read_events;
}

/* EPOLLIN or EPOLLOUT: the same for writing. */
guint32
conic_tls_get_write_events (ConicTls *self)
{
  return self->write_events;
}

/* How many bytes of those that were to be written have to come again, the same ones. */
gsize
conic_tls_get_n_promised (ConicTls *self)
{
  return self->n_promised;
}

/* (transfer none) (nullable): what went wrong, for a log; %NULL if nothing did */
const char *
conic_tls_get_failure (ConicTls *self)
{
  return self->failure;
}
