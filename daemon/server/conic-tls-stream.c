/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A GIOStream has two streams of types of their own, which here only know where they belong. Neither
 * blocks: libsoup's server asks for nothing that does. */

#include "conic-tls-stream.h"

#include <errno.h>
#include <sys/epoll.h>

struct _ConicTlsStream {
  GIOStream parent;

  GSocket *socket; /* only to wait for and to close */
  ConicTls *tls;   /* (nullable): NULL once it is closed or taken away */
  GInputStream *input;
  GOutputStream *output;
};

#define CONIC_TYPE_TLS_INPUT (conic_tls_input_get_type ())
G_DECLARE_FINAL_TYPE (ConicTlsInput, conic_tls_input, CONIC, TLS_INPUT, GInputStream)

struct _ConicTlsInput {
  GInputStream parent;
  ConicTlsStream *stream; /* (unowned): what it is a part of */
};

#define CONIC_TYPE_TLS_OUTPUT (conic_tls_output_get_type ())
G_DECLARE_FINAL_TYPE (ConicTlsOutput, conic_tls_output, CONIC, TLS_OUTPUT, GOutputStream)

struct _ConicTlsOutput {
  GOutputStream parent;
  ConicTlsStream *stream; /* (unowned): what it is a part of */
};

static void conic_tls_input_pollable_init (GPollableInputStreamInterface *interface);
static void conic_tls_output_pollable_init (GPollableOutputStreamInterface *interface);

G_DEFINE_FINAL_TYPE (ConicTlsStream, conic_tls_stream, G_TYPE_IO_STREAM)
G_DEFINE_FINAL_TYPE_WITH_CODE (ConicTlsInput,
                               conic_tls_input,
                               G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      conic_tls_input_pollable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE (ConicTlsOutput,
                               conic_tls_output,
                               G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      conic_tls_output_pollable_init))

static gssize
fail (int code, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (code), g_strerror (code));
  return -1;
}

/* A source of @pollable that is ready at once, or when the socket is. */
static GSource *
create_source (ConicTlsStream *self, GObject *pollable, guint32 events, GCancellable *cancellable)
{
  g_autoptr (GSource) ready =
      events == 0
          ? g_timeout_source_new (0)
          : g_socket_create_source (self->socket, events == EPOLLIN ? G_IO_IN : G_IO_OUT, NULL);

  return g_pollable_source_new_full (pollable, ready, cancellable);
}

static gssize
read_input (GInputStream *input,
            void *buffer,
            gsize size,
            GCancellable *cancellable,
            GError **error)
{
  ConicTlsStream *self = CONIC_TLS_INPUT (input)->stream;
  gssize n;

  if (self->tls == NULL)
    return 0;
  n = conic_tls_read (self->tls, buffer, size);
  return n < 0 ? fail (errno, error) : n;
}

static gboolean
is_input_readable (GPollableInputStream *input)
{
  ConicTlsStream *self = CONIC_TLS_INPUT (input)->stream;

  return self->tls == NULL || conic_tls_is_readable (self->tls) ||
         g_socket_condition_check (self->socket, G_IO_IN) != 0;
}

static GSource *
create_input_source (GPollableInputStream *input, GCancellable *cancellable)
{
  ConicTlsStream *self = CONIC_TLS_INPUT (input)->stream;
  gboolean at_once = self->tls == NULL || conic_tls_is_readable (self->tls);

  return create_source (self, G_OBJECT (input), at_once ? 0 : conic_tls_get_read_events (self->tls),
                        cancellable);
}

static gssize
read_nonblocking (GPollableInputStream *input, void *buffer, gsize size, GError **error)
{
  return read_input (G_INPUT_STREAM (input), buffer, size, NULL, error);
}

static void
conic_tls_input_pollable_init (GPollableInputStreamInterface *interface)
{
  interface->is_readable = is_input_readable;
  interface->create_source = create_input_source;
  interface->read_nonblocking = read_nonblocking;
}

static void
conic_tls_input_class_init (ConicTlsInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = read_input;
}

static void
conic_tls_input_init (ConicTlsInput *self)
{
}

static gssize
write_output (GOutputStream *output,
              const void *buffer,
              gsize size,
              GCancellable *cancellable,
              GError **error)
{
  ConicTlsStream *self = CONIC_TLS_OUTPUT (output)->stream;
  struct iovec vector = {.iov_base = (void *) buffer, .iov_len = size};
  gssize n;

  if (self->tls == NULL)
    return fail (EPIPE, error);
  n = conic_tls_write (self->tls, &vector, 1);
  return n < 0 ? fail (errno, error) : n;
}

static gboolean
is_output_writable (GPollableOutputStream *output)
{
  ConicTlsStream *self = CONIC_TLS_OUTPUT (output)->stream;

  return self->tls == NULL || g_socket_condition_check (self->socket, G_IO_OUT) != 0;
}

static GSource *
create_output_source (GPollableOutputStream *output, GCancellable *cancellable)
{
  ConicTlsStream *self = CONIC_TLS_OUTPUT (output)->stream;

  return create_source (self, G_OBJECT (output),
                        self->tls == NULL ? 0 : conic_tls_get_write_events (self->tls),
                        cancellable);
}

static GPollableReturn
write_vectors (GPollableOutputStream *output,
               const GOutputVector *vectors,
               gsize n_vectors,
               gsize *n_written,
               GError **error)
{
  GError *why = NULL;
  gssize n = 0;

  *n_written = 0;
  if (n_vectors > 0)
    n = write_output (G_OUTPUT_STREAM (output), vectors[0].buffer, vectors[0].size, NULL, &why);
  if (n >= 0) {
    *n_written = n;
    return G_POLLABLE_RETURN_OK;
  }
  if (g_error_matches (why, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
    g_error_free (why);
    return G_POLLABLE_RETURN_WOULD_BLOCK;
  }
  g_propagate_error (error, why);
  return G_POLLABLE_RETURN_FAILED;
}

static gssize
write_nonblocking (GPollableOutputStream *output, const void *buffer, gsize size, GError **error)
{
  return write_output (G_OUTPUT_STREAM (output), buffer, size, NULL, error);
}

static void
conic_tls_output_pollable_init (GPollableOutputStreamInterface *interface)
{
  interface->is_writable = is_output_writable;
  interface->create_source = create_output_source;
  interface->write_nonblocking = write_nonblocking;
  interface->writev_nonblocking = write_vectors;
}

static void
conic_tls_output_class_init (ConicTlsOutputClass *klass)
{
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = write_output;
}

static void
conic_tls_output_init (ConicTlsOutput *self)
{
}

static GInputStream *
get_input_stream (GIOStream *stream)
{
  return CONIC_TLS_STREAM (stream)->input;
}

static GOutputStream *
get_output_stream (GIOStream *stream)
{
  return CONIC_TLS_STREAM (stream)->output;
}

static gboolean
close_stream (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  ConicTlsStream *self = CONIC_TLS_STREAM (stream);

  if (self->tls != NULL)
    conic_tls_shut (self->tls);
  g_clear_pointer (&self->tls, conic_tls_free);
  return g_socket_close (self->socket, error);
}

static void
conic_tls_stream_dispose (GObject *object)
{
  ConicTlsStream *self = CONIC_TLS_STREAM (object);

  /* Closes it if nobody has. */
  G_OBJECT_CLASS (conic_tls_stream_parent_class)->dispose (object);
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_object (&self->socket);
}

static void
conic_tls_stream_class_init (ConicTlsStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = conic_tls_stream_dispose;
  G_IO_STREAM_CLASS (klass)->get_input_stream = get_input_stream;
  G_IO_STREAM_CLASS (klass)->get_output_stream = get_output_stream;
  G_IO_STREAM_CLASS (klass)->close_fn = close_stream;
}

static void
conic_tls_stream_init (ConicTlsStream *self)
{
  self->input = g_object_new (CONIC_TYPE_TLS_INPUT, NULL);
  self->output = g_object_new (CONIC_TYPE_TLS_OUTPUT, NULL);
  CONIC_TLS_INPUT (self->input)->stream = self;
  CONIC_TLS_OUTPUT (self->output)->stream = self;
}

/**
 * conic_tls_stream_new:
 * @tls: (transfer full): a session on @socket or a duplicate of that
 * @socket: what is waited for; closed with the stream
 *
 * Returns: (transfer full): a stream of what the session carries
 */
ConicTlsStream *
conic_tls_stream_new (ConicTls *tls, GSocket *socket)
{
  ConicTlsStream *self = g_object_new (CONIC_TYPE_TLS_STREAM, NULL);

  self->tls = tls;
  self->socket = g_object_ref (socket);
  return self;
}

/* (transfer full) (nullable): the session, which goes on without the stream */
ConicTls *
conic_tls_stream_steal (ConicTlsStream *self)
{
  return g_steal_pointer (&self->tls);
}
