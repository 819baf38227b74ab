/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection comes to be a client in one of two ways: at once if it begins with a proper
 * WebSocket handshake, or by way of libsoup, which answers all other requests as well:
 *
 *   ConicAcceptor ─┬─(conic_handshake_answer)─┬─► ConicDispatcher
 *                  └─► ConicHttp ─(upgraded)──┘
 */

#include "conic-server.h"

#include "conic-acceptor.h"
#include "conic-dispatcher.h"
#include "conic-http.h"
#include "conic-listener.h"
#include "conic-metrics.h"

/* What the configuration names and has to be read: it is taken over as a whole, or not at all. */
typedef struct {
  ConicAdmission *admission;
  ConicIce *ice;
  ConicTlsContext *tls; /* (nullable): NULL is no TLS */
} Material;

struct _ConicServer {
  Material material;
  ConicAddressCount *address_count;
  ConicTransport *transport;
  ConicDispatcher *dispatcher;
  ConicAcceptor *acceptor;         /* (nullable): NULL while stopping */
  ConicAcceptor *metrics_acceptor; /* for the addresses that are not for clients */
  ConicHttp *http;
  ConicServerStats stats;
  GPtrArray *addresses;
  GPtrArray *metrics_addresses;
  guint clients;
  gboolean page;
  gint64 drain_timeout;

  ConicDeadline drain;
  GSourceOnceFunc stopped;
  gpointer stopped_data;
  GSource *stopped_source; /* (nullable) */
};

static void
on_arrived (const ConicRequest *request, gpointer user_data)
{
  ConicServer *self = user_data;
  ConicHttpResources there = CONIC_HTTP_WEBSOCKET;

  if (self->page)
    there |= CONIC_HTTP_PAGE;
  if (self->metrics_addresses->len == 0)
    there |= CONIC_HTTP_STATUS;
  conic_http_take (self->http, there, request);
}

static void
on_metrics_arrived (const ConicRequest *request, gpointer user_data)
{
  ConicServer *self = user_data;

  conic_http_take (self->http, CONIC_HTTP_STATUS, request);
}

static void
on_upgraded (int fd,
             ConicTls *tls,
             ConicAddress *address,
             ConicPass *pass,
             guint8 *early,
             gsize early_length,
             gpointer user_data)
{
  ConicServer *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!conic_dispatcher_take (self->dispatcher, fd, address, pass, tls, early, early_length,
                              &error))
    g_warning ("A client was dropped: %s", error->message);
}

static void
on_accepted (int fd, ConicTls *tls, ConicAddress *address, ConicPass *pass, gpointer user_data)
{
  on_upgraded (fd, tls, address, pass, NULL, 0, user_data);
}

static guint
get_n_handshakes (ConicServer *self)
{
  return conic_http_get_n_connections (self->http) +
         (self->acceptor != NULL ? conic_acceptor_get_n_waiting (self->acceptor) : 0);
}

static guint
get_n_connections (ConicServer *self)
{
  return conic_transport_get_n_connections (self->transport) + get_n_handshakes (self);
}

static gboolean
has_room (gpointer user_data)
{
  ConicServer *self = user_data;

  return get_n_connections (self) < self->clients;
}

static gboolean
has_room_for_metrics (gpointer user_data)
{
  return TRUE;
}

static const ConicAcceptorHandler acceptor_handler = {
    .has_room = has_room,
    .arrived = on_arrived,
    .upgraded = on_accepted,
};

static const ConicAcceptorHandler metrics_acceptor_handler = {
    .has_room = has_room_for_metrics,
    .arrived = on_metrics_arrived,
};

/* The connection that asks is one of those that there are. */
static gboolean
is_ready (gpointer user_data)
{
  ConicServer *self = user_data;

  return self->acceptor != NULL && get_n_connections (self) <= self->clients;
}

static char *
write_metrics (gpointer user_data)
{
  ConicServer *self = user_data;
  ConicHub *hub = conic_dispatcher_get_hub (self->dispatcher);
  const ConicMetrics metrics = {
      .server = &self->stats,
      .transport = conic_transport_get_stats (self->transport),
      .hub = conic_hub_get_stats (hub),
      .n_handshakes = get_n_handshakes (self),
      .n_connections = conic_transport_get_n_connections (self->transport),
      .n_peers = conic_hub_get_n_peers (hub),
      .n_registered = conic_hub_get_n_registered (hub),
      .max_connections = self->clients,
  };

  return conic_metrics_write (&metrics);
}

static const ConicHttpHandler http_handler = {
    .upgraded = on_upgraded,
    .is_ready = is_ready,
    .write_metrics = write_metrics,
};

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

static void
clear_material (Material *material)
{
  g_clear_pointer (&material->admission, conic_admission_free);
  g_clear_pointer (&material->ice, conic_ice_free);
  g_clear_pointer (&material->tls, conic_tls_context_unref);
}

/* Returns whether @tls, %NULL without TLS, is what the configuration wants. */
static gboolean
load_tls (ConicTlsContext **tls, const ConicConfig *config, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (config->tls_certificate == NULL)
    return TRUE;
  *tls = conic_tls_context_new (config->tls_certificate, config->tls_key, &why);
  if (*tls == NULL)
    g_set_error_literal (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG, why->message);
  return *tls != NULL;
}

static gboolean
load_material (Material *material, const ConicConfig *config, GError **error)
{
  *material = (Material){0};
  material->admission = conic_admission_new (config, error);
  if (material->admission != NULL)
    material->ice = conic_ice_new ((const char *const *) config->stun_uris,
                                   (const char *const *) config->turn_uris, config->turn_secret,
                                   config->turn_lifetime / G_TIME_SPAN_SECOND, error);
  if (material->ice != NULL && load_tls (&material->tls, config, error))
    return TRUE;
  clear_material (material);
  return FALSE;
}

static void
use_material (ConicServer *self, Material *material)
{
  Material old = self->material;

  self->material = *material;
  if (self->acceptor != NULL) {
    conic_acceptor_set_admission (self->acceptor, self->material.admission);
    conic_acceptor_set_tls (self->acceptor, self->material.tls);
  }
  conic_http_set_admission (self->http, self->material.admission);
  conic_dispatcher_set_ice (self->dispatcher, self->material.ice);
  clear_material (&old);
}

/* Takes @socket (transfer full) (nullable), %NULL if there was an error already. */
static gboolean
add_socket (ConicAcceptor *acceptor, GSocket *socket, GPtrArray *addresses, GError **error)
{
  char *address = socket != NULL ? conic_acceptor_add (acceptor, socket, error) : NULL;

  g_clear_object (&socket);
  if (address == NULL)
    return FALSE;
  g_ptr_array_add (addresses, address);
  return TRUE;
}

static gboolean
adopt (ConicAcceptor *acceptor, const GArray *sockets, GPtrArray *addresses, GError **error)
{
  for (guint i = 0; i < sockets->len; i++) {
    GSocket *socket = conic_listener_adopt (g_array_index (sockets, int, i), error);

    if (!add_socket (acceptor, socket, addresses, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
listen_on (ConicAcceptor *acceptor, GPtrArray *wanted, GPtrArray *addresses, GError **error)
{
  for (guint i = 0; i < wanted->len; i++) {
    GSocket *socket = conic_listener_open (g_ptr_array_index (wanted, i), error);

    if (!add_socket (acceptor, socket, addresses, error))
      return FALSE;
  }
  return TRUE;
}

/* No more ids are held than there may be clients. */
static ConicHubOptions
make_hub_options (const ConicConfig *config)
{
  return (ConicHubOptions){.resume_window = config->resume_window, .max_held = config->clients};
}

/**
 * conic_server_check:
 * @config: what is asked for
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Looks at all that the configuration names, without serving anything.
 *
 * Returns: whether it is in order
 */
gboolean
conic_server_check (const ConicConfig *config, GError **error)
{
  Material material;

  if (!load_material (&material, config, error))
    return FALSE;
  clear_material (&material);
  return TRUE;
}

/**
 * conic_server_new:
 * @config: what was asked for
 * @sockets: (element-type int): sockets that listen already, to be used instead of the addresses
 *   that the configuration has for clients; taken over, unless there are none
 * @error: return location for a #CONIC_SERVER_ERROR, or a #GIOError if the kernel has no room
 *
 * Begins to serve.
 *
 * Returns: (transfer full) (nullable): a server that listens, or %NULL
 */
ConicServer *
conic_server_new (const ConicConfig *config, const GArray *sockets, GError **error)
{
  g_autoptr (ConicServer) self = g_new0 (ConicServer, 1);
  const ConicHubOptions options = make_hub_options (config);
  ConicEpollSource *source;
  Material material;

  self->addresses = g_ptr_array_new_null_terminated (1, g_free, TRUE);
  self->metrics_addresses = g_ptr_array_new_null_terminated (1, g_free, TRUE);
  self->clients = config->clients;
  self->page = config->page;
  self->drain_timeout = config->drain_timeout;
  self->drain.expired = on_drain_expired;
  conic_server_count_reload (self, TRUE);
  self->transport = conic_transport_new (g_main_context_get_thread_default (), &config->transport,
                                         on_empty, self, error);
  if (self->transport == NULL)
    return NULL;
  source = conic_transport_get_epoll_source (self->transport);
  self->address_count = conic_address_count_new ();
  self->dispatcher = conic_dispatcher_new (self->transport, &options);
  self->http = conic_http_new (source, &self->stats, &http_handler, self);
  self->acceptor = conic_acceptor_new (source, self->address_count, config->handshake_timeout,
                                       &self->stats, &acceptor_handler, self);
  conic_acceptor_set_per_address (self->acceptor, config->clients_per_address);
  self->metrics_acceptor =
      conic_acceptor_new (source, self->address_count, config->handshake_timeout, &self->stats,
                          &metrics_acceptor_handler, self);
  if (!load_material (&material, config, error))
    return NULL;
  use_material (self, &material);
  conic_dispatcher_set_denied (self->dispatcher, (const char *const *) config->auth_deny);
  if (!(sockets->len > 0 ? adopt (self->acceptor, sockets, self->addresses, error)
                         : listen_on (self->acceptor, config->listen, self->addresses, error)) ||
      !listen_on (self->metrics_acceptor, config->metrics_listen, self->metrics_addresses, error))
    return NULL;
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
  g_clear_pointer (&self->metrics_acceptor, conic_acceptor_free);
  g_clear_pointer (&self->http, conic_http_free);
  g_clear_pointer (&self->dispatcher, conic_dispatcher_free);
  g_clear_pointer (&self->transport, conic_transport_free);
  g_clear_pointer (&self->address_count, conic_address_count_free);
  clear_material (&self->material);
  g_ptr_array_unref (self->addresses);
  g_ptr_array_unref (self->metrics_addresses);
  g_free (self);
}

/* Whether clients have to speak TLS. */
gboolean
conic_server_has_tls (ConicServer *self)
{
  return self->material.tls != NULL;
}

/**
 * conic_server_reload:
 * @self: the server
 * @config: what is asked for now
 * @error: return location for a #CONIC_SERVER_ERROR
 *
 * Takes over limits and deadlines, for those who are connected as well, and disconnects those whose ids
 * are denied. Who else may come in, and what they are told of ICE servers, is for those who come from
 * now on. Addresses to listen on stay as
 * they are until the next start.
 *
 * Returns: whether the configuration can be served; if not, nothing has changed
 */
gboolean
conic_server_reload (ConicServer *self, const ConicConfig *config, GError **error)
{
  const ConicHubOptions options = make_hub_options (config);
  Material material;
  guint n_denied;

  /* An address that spoke TLS must not speak plain text all at once. */
  if ((config->tls_certificate != NULL) != conic_server_has_tls (self)) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_CONFIG,
                 "TLS can only be turned %s by another start",
                 conic_server_has_tls (self) ? "off" : "on");
    return FALSE;
  }
  if (!load_material (&material, config, error))
    return FALSE;
  use_material (self, &material);
  self->clients = config->clients;
  self->page = config->page;
  self->drain_timeout = config->drain_timeout;
  conic_transport_set_limits (self->transport, &config->transport);
  conic_dispatcher_set_options (self->dispatcher, &options);
  if (self->acceptor != NULL) {
    conic_acceptor_set_timeout (self->acceptor, config->handshake_timeout);
    conic_acceptor_set_per_address (self->acceptor, config->clients_per_address);
  }
  conic_acceptor_set_timeout (self->metrics_acceptor, config->handshake_timeout);
  n_denied =
      conic_dispatcher_set_denied (self->dispatcher, (const char *const *) config->auth_deny);
  if (n_denied > 0)
    g_message ("%u clients are disconnected, for their ids are denied", n_denied);
  return TRUE;
}

/**
 * conic_server_count_reload:
 * @self: the server
 * @success: whether the configuration could be read and served
 *
 * Takes note of how a reload went, for the metrics.
 */
void
conic_server_count_reload (ConicServer *self, gboolean success)
{
  self->stats.reload_failed = !success;
  if (success)
    self->stats.configured_at = g_get_real_time ();
}

/* (transfer none): where it listens, each `ADDR:PORT` with the port that the kernel chose */
const char *const *
conic_server_get_addresses (ConicServer *self)
{
  return (const char *const *) self->addresses->pdata;
}

/* (transfer none): the same for the addresses that are not for clients */
const char *const *
conic_server_get_metrics_addresses (ConicServer *self)
{
  return (const char *const *) self->metrics_addresses->pdata;
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
