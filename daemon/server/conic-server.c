/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection comes to be a client in one of two ways: at once if it begins with a proper
 * WebSocket handshake, or by way of libsoup, which answers all other requests as well:
 *
 *   ConicAcceptor ─┬─(conic_handshake_answer)───────────────────┬─► ConicDispatcher
 *                  └─► SoupServer ─(wrote-informational: 101)───┘
 *
 * The dispatcher gets a duplicate of libsoup's socket, for a GSocket can't give its descriptor up.
 */

#include "conic-server.h"

#include "conic-acceptor.h"
#include "conic-dispatcher.h"
#include "conic-limits.h"

#include <libsoup/soup.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that libsoup may have read beyond the request: more than it ever reads at once. */
#define EARLY_BYTES (16 * 1024)

/* The status that libsoup has no name for: RFC 9110 section 15.5.22. */
#define UPGRADE_REQUIRED 426

struct _ConicServer {
  ConicTransport *transport;
  ConicDispatcher *dispatcher;
  ConicAcceptor *acceptor; /* (nullable): NULL while stopping */
  SoupServer *soup;
  GPtrArray *addresses;
  guint clients;
  GQueue handshakes; /* of Handshake, by their link */
  gint64 drain_timeout;

  ConicDeadline drain;
  GSourceOnceFunc stopped;
  gpointer stopped_data;
  GSource *stopped_source; /* (nullable) */
};

/* A connection while libsoup has it; goes with its GSocket. */
typedef struct {
  ConicDeadline deadline;
  ConicServer *server; /* (nullable): NULL when libsoup keeps the connection longer than that */
  int fd;              /* the GSocket's */
  int spare;           /* the same socket, for the time after libsoup; -1 when it is taken */
  GList link;
} Handshake;

static const char HANDSHAKE_KEY[] = "conic-handshake";

static void
on_handshake_expired (ConicDeadline *deadline, gint64 now)
{
  Handshake *handshake = (Handshake *) deadline;

  /* libsoup sees the end of the stream and lets the connection go. */
  shutdown (handshake->fd, SHUT_RDWR);
}

static void
detach_handshake (Handshake *handshake)
{
  ConicServer *self = handshake->server;

  conic_epoll_source_set_deadline (conic_transport_get_epoll_source (self->transport),
                                   &handshake->deadline, -1);
  g_queue_unlink (&self->handshakes, &handshake->link);
  handshake->server = NULL;
}

static void
free_handshake (gpointer data)
{
  Handshake *handshake = data;

  if (handshake->server != NULL)
    detach_handshake (handshake);
  if (handshake->spare >= 0)
    close (handshake->spare);
  g_free (handshake);
}

static void
on_arrived (int fd, int spare, gint64 deadline, gpointer user_data)
{
  ConicServer *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  Handshake *handshake;

  if (socket == NULL) {
    g_info ("A connection was lost at once: %s", error->message);
    close (fd);
    close (spare);
    return;
  }
  local = g_socket_get_local_address (socket, &error);
  if (local != NULL)
    remote = g_socket_get_remote_address (socket, &error);
  if (remote == NULL) {
    g_info ("A connection was lost at once: %s", error->message);
    close (spare);
    return;
  }
  g_socket_set_blocking (socket, FALSE);

  handshake = g_new0 (Handshake, 1);
  handshake->deadline.expired = on_handshake_expired;
  handshake->server = self;
  handshake->fd = fd;
  handshake->spare = spare;
  handshake->link.data = handshake;
  g_queue_push_tail_link (&self->handshakes, &handshake->link);
  conic_epoll_source_set_deadline (conic_transport_get_epoll_source (self->transport),
                                   &handshake->deadline, deadline);
  g_object_set_data_full (G_OBJECT (socket), HANDSHAKE_KEY, handshake, free_handshake);
  /* libsoup doesn't give the socket of a stream back, but it does give its address. */
  g_object_set_data (G_OBJECT (local), HANDSHAKE_KEY, handshake);

  connection = g_socket_connection_factory_create_connection (socket);
  if (!soup_server_accept_iostream (self->soup, G_IO_STREAM (connection), local, remote, &error))
    g_info ("A connection was lost at once: %s", error->message);
}

static void
on_accepted (int fd, gpointer user_data)
{
  ConicServer *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!conic_dispatcher_take (self->dispatcher, fd, NULL, NULL, 0, &error))
    g_warning ("A client was dropped: %s", error->message);
}

static gboolean
has_room (gpointer user_data)
{
  ConicServer *self = user_data;

  return conic_transport_get_n_connections (self->transport) + self->handshakes.length +
             conic_acceptor_get_n_waiting (self->acceptor) <
         self->clients;
}

static const ConicAcceptorHandler acceptor_handler = {
    .has_room = has_room,
    .arrived = on_arrived,
    .upgraded = on_accepted,
};

/* The handshake's answer is written: takes the connection from libsoup. */
static void
on_upgraded (SoupServerMessage *message, gpointer user_data)
{
  ConicServer *self = user_data;
  GSocketAddress *local = soup_server_message_get_local_address (message);
  Handshake *handshake = g_object_get_data (G_OBJECT (local), HANDSHAKE_KEY);
  int fd = handshake->spare;
  /* The reference that libsoup had goes with the connection. */
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (g_object_ref (message));
  GInputStream *input = g_io_stream_get_input_stream (stream);
  g_autoptr (GError) error = NULL;
  guint8 early[EARLY_BYTES];
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (input), early,
                                                       sizeof early, NULL, NULL);

  /* Dropping the last reference doesn't close it. */
  handshake->spare = -1;
  g_io_stream_close (stream, NULL, NULL);
  if (!conic_dispatcher_take (self->dispatcher, fd, NULL, early, MAX (n, 0), &error))
    g_warning ("A client was dropped: %s", error->message);
  g_object_unref (message);
}

static void
answer (SoupServerMessage *message, guint status, const char *text)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  /* One request a connection: whoever comes for a WebSocket needs no more. */
  soup_message_headers_replace (headers, "Connection", "close");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY, text,
                                    strlen (text));
}

static gboolean
is_get (SoupServerMessage *message)
{
  return g_str_equal (soup_server_message_get_method (message), SOUP_METHOD_GET);
}

static void
answer_websocket (ConicServer *self, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  const char *upgrade =
      soup_message_headers_get_one (soup_server_message_get_request_headers (message), "Upgrade");

  if (upgrade == NULL || g_ascii_strcasecmp (upgrade, "websocket") != 0) {
    soup_message_headers_replace (headers, "Upgrade", "websocket");
    answer (message, UPGRADE_REQUIRED, "This is a WebSocket.\n");
    soup_server_message_set_status (message, UPGRADE_REQUIRED, "Upgrade Required");
    soup_message_headers_replace (headers, "Connection", "close, Upgrade");
    return;
  }

  /* No extension is offered, so none is negotiated: permessage-deflate would let a client have a
   * thousand times its bytes unpacked here. */
  if (soup_websocket_server_process_handshake (message, NULL, NULL, NULL, NULL))
    g_signal_connect (message, "wrote-informational", G_CALLBACK (on_upgraded), self);
  else
    soup_message_headers_replace (headers, "Connection", "close");
}

static void
on_request (SoupServer *soup,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  ConicServer *self = user_data;

  if (!g_str_equal (path, CONIC_DEFAULT_PATH) && !g_str_equal (path, "/healthz"))
    answer (message, SOUP_STATUS_NOT_FOUND, "Not found.\n");
  else if (!is_get (message))
    answer (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "Only GET is allowed.\n");
  else if (g_str_equal (path, CONIC_DEFAULT_PATH))
    answer_websocket (self, message);
  else
    answer (message, SOUP_STATUS_OK, "ok\n");
}

/* Called when the head of a request is read. No request here has a body, so none is kept. */
static void
on_request_head (SoupServer *soup,
                 SoupServerMessage *message,
                 const char *path,
                 GHashTable *query,
                 gpointer user_data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);

  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  if (encoding == SOUP_ENCODING_CHUNKED || (encoding == SOUP_ENCODING_CONTENT_LENGTH &&
                                            soup_message_headers_get_content_length (headers) > 0))
    answer (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "A request may have no body.\n");
}

static void
stop_now (ConicServer *self)
{
  conic_epoll_source_set_deadline (conic_transport_get_epoll_source (self->transport), &self->drain,
                                   -1);
  if (self->stopped == NULL)
    return;
  /* From the main loop, for the caller may free the server then. */
  self->stopped_source = g_idle_source_new ();
  g_source_set_name (self->stopped_source, "conic stopped");
  g_source_set_callback (self->stopped_source, G_SOURCE_FUNC (self->stopped), self->stopped_data,
                         NULL);
  g_source_attach (self->stopped_source, g_main_context_get_thread_default ());
  self->stopped = NULL;
}

static void
on_drain_expired (ConicDeadline *deadline, gint64 now)
{
  ConicServer *self = (ConicServer *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicServer, drain));

  g_message ("%u clients took too long to leave",
             conic_transport_get_n_connections (self->transport));
  stop_now (self);
}

static void
on_empty (gpointer user_data)
{
  ConicServer *self = user_data;

  if (self->acceptor == NULL)
    stop_now (self);
}

/**
 * conic_server_new:
 * @config: what was asked for
 * @error: return location for a #CONIC_SERVER_ERROR, or a #GIOError if the kernel has no room
 *
 * Begins to serve.
 *
 * Returns: (transfer full) (nullable): a server that listens, or %NULL
 */
ConicServer *
conic_server_new (const ConicConfig *config, GError **error)
{
  g_autoptr (ConicServer) self = g_new0 (ConicServer, 1);
  ConicHubOptions options = {.resume_window = config->resume_window};

  self->addresses = g_ptr_array_new_with_free_func (g_free);
  self->clients = config->clients;
  self->drain_timeout = config->drain_timeout;
  self->drain.expired = on_drain_expired;
  self->transport = conic_transport_new (g_main_context_get_thread_default (), &config->transport,
                                         on_empty, self, error);
  if (self->transport == NULL)
    return NULL;
  self->dispatcher = conic_dispatcher_new (self->transport, &options);
  self->soup = soup_server_new (NULL, NULL);
  soup_server_add_early_handler (self->soup, NULL, on_request_head, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_request, self, NULL);

  self->acceptor = conic_acceptor_new (conic_transport_get_epoll_source (self->transport),
                                       config->handshake_timeout, &acceptor_handler, self);
  for (guint i = 0; i < config->listen->len; i++) {
    char *address =
        conic_acceptor_listen (self->acceptor, g_ptr_array_index (config->listen, i), error);

    if (address == NULL)
      return NULL;
    g_ptr_array_add (self->addresses, address);
  }
  g_ptr_array_add (self->addresses, NULL);
  return g_steal_pointer (&self);
}

/**
 * conic_server_free:
 * @self: (transfer full): the server
 *
 * Ends at once whatever is left of it.
 */
void
conic_server_free (ConicServer *self)
{
  if (self->stopped_source != NULL) {
    g_source_destroy (self->stopped_source);
    g_source_unref (self->stopped_source);
  }
  g_clear_pointer (&self->acceptor, conic_acceptor_free);
  if (self->soup != NULL)
    soup_server_disconnect (self->soup);
  g_clear_object (&self->soup);
  while (self->handshakes.head != NULL)
    detach_handshake (self->handshakes.head->data);
  g_clear_pointer (&self->dispatcher, conic_dispatcher_free);
  g_clear_pointer (&self->transport, conic_transport_free);
  g_ptr_array_unref (self->addresses);
  g_free (self);
}

/**
 * conic_server_reload:
 * @self: the server
 * @config: what is asked for now
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Takes over limits and deadlines, for those who are connected as well. Addresses to listen on stay
 * as they are until the next start.
 *
 * Returns: whether the configuration can be served; if not, nothing has changed
 */
gboolean
conic_server_reload (ConicServer *self, const ConicConfig *config, GError **error)
{
  self->clients = config->clients;
  self->drain_timeout = config->drain_timeout;
  conic_transport_set_limits (self->transport, &config->transport);
  if (self->acceptor != NULL)
    conic_acceptor_set_timeout (self->acceptor, config->handshake_timeout);
  return TRUE;
}

/* (transfer none): where it listens, each `ADDR:PORT` with the port that the kernel chose */
const char *const *
conic_server_get_addresses (ConicServer *self)
{
  return (const char *const *) self->addresses->pdata;
}

/**
 * conic_server_stop:
 * @self: the server
 * @stopped: called from the main loop when every client has left, or has had its time
 * @user_data: for @stopped
 *
 * Accepts nobody any more, and tells everyone to leave.
 */
void
conic_server_stop (ConicServer *self, GSourceOnceFunc stopped, gpointer user_data)
{
  ConicEpollSource *source = conic_transport_get_epoll_source (self->transport);

  if (self->acceptor == NULL)
    return;
  g_clear_pointer (&self->acceptor, conic_acceptor_free);
  self->stopped = stopped;
  self->stopped_data = user_data;
  conic_dispatcher_shut_down (self->dispatcher);
  if (conic_transport_get_n_connections (self->transport) == 0)
    stop_now (self);
  else
    conic_epoll_source_set_deadline (source, &self->drain,
                                     g_get_monotonic_time () + self->drain_timeout);
}
