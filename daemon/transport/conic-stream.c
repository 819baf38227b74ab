/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Frames written with one system call; more isn't faster. */
#define FRAMES_PER_WRITE 32

/**
 * conic_stream_read:
 * @self: the stream
 * @buffer: (array length=size): where to
 * @size: bytes of @buffer, not 0
 *
 * Returns: bytes read, 0 for the end, -1 for an error; errno is EAGAIN if there is nothing now
 */
gssize
conic_stream_read (ConicStream *self, void *buffer, gsize size)
{
  gssize n;

  do
    n = self->tls != NULL ? conic_tls_read (self->tls, buffer, size)
                          : recv (self->fd, buffer, size, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

static gssize
write_vectors (ConicStream *self, struct iovec *vectors, guint n_vectors)
{
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = n_vectors};
  gssize n;

  do
    n = self->tls != NULL ? conic_tls_write (self->tls, vectors, n_vectors)
                          : sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

/**
 * conic_stream_write_out:
 * @self: the stream
 * @outbox: what to write; what was written is gone from it
 * @n_written: (inout): the bytes that were are added to this
 *
 * Writes as much as goes at once.
 *
 * Returns: %FALSE if the stream is broken
 */
gboolean
conic_stream_write_out (ConicStream *self, ConicOutbox *outbox, guint64 *n_written)
{
  while (outbox->n_frames > 0) {
    struct iovec vectors[FRAMES_PER_WRITE];
    gssize n = write_vectors (self, vectors, conic_outbox_peek (outbox, vectors, FRAMES_PER_WRITE));

    if (n < 0)
      return errno == EAGAIN;
    *n_written += n;
    conic_outbox_advance (outbox, n);
  }
  return TRUE;
}

/**
 * conic_stream_shut:
 * @self: the stream
 *
 * Tells the client that nothing more will come. What the client still sends can be read to be thrown
 * away, and for that it isn't decrypted any more.
 */
void
conic_stream_shut (ConicStream *self)
{
  if (self->tls != NULL)
    conic_tls_shut (self->tls);
  g_clear_pointer (&self->tls, conic_tls_free);
  shutdown (self->fd, SHUT_WR);
}

/* Ends the stream. */
void
conic_stream_close (ConicStream *self)
{
  if (self->tls != NULL)
    conic_tls_shut (self->tls);
  g_clear_pointer (&self->tls, conic_tls_free);
  close (self->fd);
}

/* Whether there may be something to read that nobody is woken for: the kernel reports again what is
 * left in the socket, but not what TLS has taken from there. */
gboolean
conic_stream_is_readable (const ConicStream *self)
{
  return self->tls != NULL && conic_tls_is_readable (self->tls);
}

/* What the socket has to be ready for before it makes sense to read. With TLS, reading may have to
 * wait for room to write, and the other way round. */
guint32
conic_stream_get_read_events (const ConicStream *self)
{
  return self->tls != NULL ? conic_tls_get_read_events (self->tls) : EPOLLIN;
}

/* The same for writing. */
guint32
conic_stream_get_write_events (const ConicStream *self)
{
  return self->tls != NULL ? conic_tls_get_write_events (self->tls) : EPOLLOUT;
}

/* How many bytes of those that were to be written have to come again, the same ones. */
gsize
conic_stream_get_n_promised (const ConicStream *self)
{
  return self->tls != NULL ? conic_tls_get_n_promised (self->tls) : 0;
}

/* (transfer none): what went wrong, for a log */
const char *
conic_stream_get_failure (const ConicStream *self)
{
  const char *failure = self->tls != NULL ? conic_tls_get_failure (self->tls) : NULL;

  return failure != NULL ? failure : "connection lost";
}
