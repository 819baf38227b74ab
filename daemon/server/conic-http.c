/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libsoup's part. A request is answered, and its connection closed; or it is a WebSocket handshake,
 * and then its connection is taken from libsoup as soon as the answer is written:
 *
 *   conic_http_take() ─► SoupServer ─┬─► answer()
 *                                    └─(wrote-informational: 101)─► ConicHttpHandler.upgraded
 *
 * Whoever gets the connection gets a duplicate of libsoup's socket, for a GSocket can't give its
 * descriptor up. */

#include "conic-http.h"

#include "conic-handshake.h"
#include "conic-limits.h"
#include "conic-loopback.h"
#include "conic-page.h"
#include "conic-tls-stream.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that libsoup may have read beyond the request: more than it ever reads at once. */
#define EARLY_BYTES (16 * 1024)

/* The status that libsoup has no name for: RFC 9110 section 15.5.22. */
#define UPGRADE_REQUIRED 426

#define PLAIN_TEXT "text/plain; charset=utf-8"

/* https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

struct _ConicHttp {
  ConicEpollSource *source;
  ConicServerStats *stats;
  const ConicAdmission *admission;
  const ConicHttpHandler *handler;
  gpointer user_data;
  SoupServer *soup;
  ConicPage *page;
  GQueue visits; /* of Visit, by their link */
};

/* A connection while libsoup has it; goes with its GSocket. */
typedef struct {
  ConicDeadline deadline;
  ConicHttp *http; /* (nullable): NULL when libsoup keeps the connection longer than that */
  ConicHttpResources resources;
  int spare;             /* of libsoup's socket, for the time after it; -1 when it is taken */
  GSocketAddress *local; /* libsoup gives this back, and not the socket: it leads to the visit */
  ConicTlsStream *tls;   /* (nullable) (unowned): libsoup's stream, if it is one with TLS */
  ConicAddress *address; /* (nullable): goes with the spare */
  ConicPass *pass;       /* (nullable): what it was admitted with */
  gint64 since;
  ConicHandshakeResult result;
  GList link;
} Visit;

static const char VISIT_KEY[] = "conic-visit";

/* Returns (nullable): %NULL when the connection is gone. */
static Visit *
get_visit (SoupServerMessage *message)
{
  return g_object_get_data (G_OBJECT (soup_server_message_get_local_address (message)), VISIT_KEY);
}

static void
on_visit_expired (ConicDeadline *deadline, gint64 now)
{
  Visit *visit = (Visit *) deadline;

  /* libsoup sees the end of the stream and lets the connection go. Its own descriptor may be somebody
   * else's already. */
  visit->result = CONIC_HANDSHAKE_TIMEOUT;
  shutdown (visit->spare, SHUT_RDWR);
}

static void
detach_visit (Visit *visit)
{
  ConicHttp *self = visit->http;

  conic_epoll_source_set_deadline (self->source, &visit->deadline, -1);
  g_queue_unlink (&self->visits, &visit->link);
  conic_address_release (g_steal_pointer (&visit->address));
  visit->http = NULL;
}

static void
free_visit (gpointer data)
{
  Visit *visit = data;

  if (visit->http != NULL) {
    visit->http->stats->handshakes[visit->result]++;
    detach_visit (visit);
  }
  if (visit->spare >= 0)
    close (visit->spare);
  g_object_set_data (G_OBJECT (visit->local), VISIT_KEY, NULL);
  g_object_unref (visit->local);
  g_clear_pointer (&visit->pass, conic_pass_free);
  g_free (visit);
}

/* The handshake's answer is written: takes the connection from libsoup. */
static void
on_upgraded (SoupServerMessage *message, gpointer user_data)
{
  ConicHttp *self = user_data;
  Visit *visit = get_visit (message);
  int fd = visit->spare;
  ConicAddress *address = g_steal_pointer (&visit->address);
  ConicTls *tls;
  /* The reference that libsoup had goes with the connection. */
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (g_object_ref (message));
  GInputStream *input = g_io_stream_get_input_stream (stream);
  guint8 early[EARLY_BYTES];
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (input), early,
                                                       sizeof early, NULL, NULL);

  conic_histogram_observe (&self->stats->handshake_time, g_get_monotonic_time () - visit->since, 1);
  visit->result = CONIC_HANDSHAKE_UPGRADED;
  visit->spare = -1;
  tls = visit->tls != NULL ? conic_tls_stream_steal (visit->tls) : NULL;
  /* Dropping the last reference doesn't close it. */
  g_io_stream_close (stream, NULL, NULL);
  self->handler->upgraded (fd, tls, address, g_steal_pointer (&visit->pass), early, MAX (n, 0),
                           self->user_data);
  g_object_unref (message);
}

/* One request a connection: whoever comes for a WebSocket needs no more. */
static void
close_afterwards (SoupServerMessage *message)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
}

static void
answer_as (SoupServerMessage *message, guint status, const char *type, const char *text)
{
  close_afterwards (message);
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, text, strlen (text));
}

static void
answer (SoupServerMessage *message, guint status, const char *text)
{
  answer_as (message, status, PLAIN_TEXT, text);
}

static void
answer_refusal (SoupServerMessage *message, const ConicVerdict *verdict)
{
  g_autofree char *text = g_strconcat (verdict->text, "\n", NULL);

  if (verdict->challenge != NULL)
    soup_message_headers_replace (soup_server_message_get_response_headers (message),
                                  "WWW-Authenticate", verdict->challenge);
  answer (message, verdict->status, text);
}

static void
answer_websocket (ConicHttp *self, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));
  const char *upgrade = soup_message_headers_get_one (request, "Upgrade");
  Visit *visit = get_visit (message);
  g_auto (ConicVerdict) verdict = {0};

  /* A page isn't told why its WebSocket was refused, but it can ask again without an upgrade. */
  conic_admission_judge (self->admission, &(ConicUpgrade){request, query, visit->spare}, &verdict);
  if (verdict.status != SOUP_STATUS_SWITCHING_PROTOCOLS) {
    answer_refusal (message, &verdict);
    return;
  }
  if (upgrade == NULL || g_ascii_strcasecmp (upgrade, "websocket") != 0) {
    soup_message_headers_replace (headers, "Upgrade", "websocket");
    answer (message, UPGRADE_REQUIRED, "This is a WebSocket.\n");
    soup_server_message_set_status (message, UPGRADE_REQUIRED, "Upgrade Required");
    soup_message_headers_replace (headers, "Connection", "close, Upgrade");
    return;
  }

  /* No extension is offered, so none is negotiated: permessage-deflate would let a client have a
   * thousand times its bytes unpacked here. The origin has been looked at. */
  if (!soup_websocket_server_process_handshake (message, NULL, NULL, NULL, NULL)) {
    close_afterwards (message);
    return;
  }
  if (verdict.protocol != NULL)
    soup_message_headers_replace (headers, "Sec-WebSocket-Protocol", verdict.protocol);
  visit->pass = g_steal_pointer (&verdict.pass);
  g_signal_connect (message, "wrote-informational", G_CALLBACK (on_upgraded), self);
}

static void
answer_health (ConicHttp *self, SoupServerMessage *message)
{
  answer (message, SOUP_STATUS_OK, "ok\n");
}

static void
answer_readiness (ConicHttp *self, SoupServerMessage *message)
{
  if (self->handler->is_ready (self->user_data))
    answer (message, SOUP_STATUS_OK, "ready\n");
  else
    answer (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "No new clients at the moment.\n");
}

/* Whether the request is from this machine, and by a name that only this machine has. A proxy on it is,
 * too, but who asks the proxy isn't. */
static gboolean
is_local (SoupServerMessage *message)
{
  return conic_loopback_is_host (g_uri_get_host (soup_server_message_get_uri (message))) &&
         conic_loopback_is_socket (get_visit (message)->spare) &&
         !conic_loopback_is_forwarded (soup_server_message_get_request_headers (message));
}

static void
answer_metrics (ConicHttp *self, SoupServerMessage *message)
{
  g_autofree char *text = NULL;

  if ((get_visit (message)->resources & CONIC_HTTP_WEBSOCKET) && !is_local (message)) {
    answer (message, SOUP_STATUS_NOT_FOUND, "Not found.\n");
    return;
  }
  text = self->handler->write_metrics (self->user_data);
  answer_as (message, SOUP_STATUS_OK, METRICS_TEXT, text);
}

static const struct {
  const char *path;
  ConicHttpResources kind;
  void (*answer) (ConicHttp *self, SoupServerMessage *message);
} resources[] = {
    {CONIC_DEFAULT_PATH, CONIC_HTTP_WEBSOCKET, answer_websocket},
    {"/healthz", CONIC_HTTP_STATUS, answer_health},
    {"/readyz", CONIC_HTTP_STATUS, answer_readiness},
    {"/metrics", CONIC_HTTP_STATUS, answer_metrics},
};

/* Whether the method will do for that kind; if not, that is answered. */
static gboolean
check_method (SoupServerMessage *message, ConicHttpResources kind)
{
  const char *method = soup_server_message_get_method (message);
  gboolean has_head = kind != CONIC_HTTP_WEBSOCKET;

  if (g_str_equal (method, SOUP_METHOD_GET) || (has_head && g_str_equal (method, SOUP_METHOD_HEAD)))
    return TRUE;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow",
                                has_head ? "GET, HEAD" : "GET");
  answer (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "This method is not allowed.\n");
  return FALSE;
}

static void
on_request (SoupServer *soup,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  ConicHttp *self = user_data;
  ConicHttpResources there = get_visit (message)->resources;
  const ConicPageFile *file;

  for (gsize i = 0; i < G_N_ELEMENTS (resources); i++) {
    if (!(resources[i].kind & there) || !g_str_equal (path, resources[i].path))
      continue;
    if (check_method (message, resources[i].kind))
      resources[i].answer (self, message);
    return;
  }
  file = (there & CONIC_HTTP_PAGE) ? conic_page_find (self->page, path) : NULL;
  if (file == NULL) {
    answer (message, SOUP_STATUS_NOT_FOUND, "Not found.\n");
  } else if (check_method (message, CONIC_HTTP_PAGE)) {
    conic_page_answer (file, message);
    close_afterwards (message);
  }
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

/* Called for every request that was answered, also for those that libsoup itself refuses. */
static void
on_request_finished (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  Visit *visit = get_visit (message);
  guint status = soup_server_message_get_status (message);

  /* What was upgraded is counted when it is taken from libsoup. */
  if (visit != NULL && status != SOUP_STATUS_SWITCHING_PROTOCOLS)
    visit->result = conic_handshake_get_result (status);
}

/**
 * conic_http_new:
 * @source: where deadlines are kept; outlives this
 * @stats: where to count; outlives this
 * @handler: static
 * @user_data: for @handler
 *
 * Returns: (transfer full): something to give connections to, on the main context that is the
 *   thread's default
 */
ConicHttp *
conic_http_new (ConicEpollSource *source,
                ConicServerStats *stats,
                const ConicHttpHandler *handler,
                gpointer user_data)
{
  ConicHttp *self = g_new0 (ConicHttp, 1);

  self->source = source;
  self->stats = stats;
  self->handler = handler;
  self->user_data = user_data;
  self->page = conic_page_new ();
  self->soup = soup_server_new (NULL, NULL);
  soup_server_add_early_handler (self->soup, NULL, on_request_head, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_request, self, NULL);
  g_signal_connect (self->soup, "request-finished", G_CALLBACK (on_request_finished), self);
  return self;
}

/**
 * conic_http_free:
 * @self: (transfer full): the same
 *
 * Closes the connections that it has.
 */
void
conic_http_free (ConicHttp *self)
{
  soup_server_disconnect (self->soup);
  g_object_unref (self->soup);
  while (self->visits.head != NULL)
    detach_visit (self->visits.head->data);
  conic_page_free (self->page);
  g_free (self);
}

/**
 * conic_http_take:
 * @self: the same
 * @there: what there is on the address that it came to
 * @request: what came; all that is in it is taken
 *
 * Answers the request. Whatever comes of it, the connection ends, or is handed on upgraded.
 */
void
conic_http_take (ConicHttp *self, ConicHttpResources there, const ConicRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (request->fd, &error);
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  Visit *visit;

  if (socket != NULL) {
    local = g_socket_get_local_address (socket, &error);
    if (local != NULL)
      remote = g_socket_get_remote_address (socket, &error);
  } else {
    close (request->fd);
  }
  if (remote == NULL) {
    self->stats->handshakes[CONIC_HANDSHAKE_LOST]++;
    if (request->tls != NULL)
      conic_tls_free (request->tls);
    close (request->spare);
    conic_address_release (request->address);
    return;
  }
  g_socket_set_blocking (socket, FALSE);

  visit = g_new0 (Visit, 1);
  visit->deadline.expired = on_visit_expired;
  visit->http = self;
  visit->resources = there;
  visit->spare = request->spare;
  visit->local = g_object_ref (local);
  visit->address = request->address;
  visit->since = request->since;
  visit->result = CONIC_HANDSHAKE_LOST;
  visit->link.data = visit;
  g_queue_push_tail_link (&self->visits, &visit->link);
  conic_epoll_source_set_deadline (self->source, &visit->deadline, request->deadline);
  g_object_set_data_full (G_OBJECT (socket), VISIT_KEY, visit, free_visit);
  g_object_set_data (G_OBJECT (local), VISIT_KEY, visit);

  if (request->tls != NULL) {
    /* The spare is what is left of the connection after libsoup. */
    conic_tls_set_fd (request->tls, request->spare);
    visit->tls = conic_tls_stream_new (request->tls, socket);
    stream = G_IO_STREAM (visit->tls);
  } else {
    stream = G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
  }
  if (!soup_server_accept_iostream (self->soup, stream, local, remote, &error))
    g_info ("A connection was lost at once: %s", error->message);
}

/* Who may come in from now on: (transfer none), the caller keeps @admission until it has set
 * another. */
void
conic_http_set_admission (ConicHttp *self, const ConicAdmission *admission)
{
  self->admission = admission;
}

/* How many connections libsoup has at the moment. */
guint
conic_http_get_n_connections (ConicHttp *self)
{
  return self->visits.length;
}
