/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The path of a message, in this order and with no step back:
 *
 *   socket ─► ConicWebsocket ─► conic_view_scan() ─► ConicHub ─► conic_view_relay() ─► the target's
 *                                                                                  ConicWebsocket
 *
 * A session is one client: the hub's peer on one side, the transport's connection on the other. */

#include "conic-dispatcher.h"

#include "conic-codec.h"
#include "conic-log.h"
#include "conic-websocket.h"

/* Registered clients that are as much work to go through for a list as a message is. */
#define CLIENTS_PER_MESSAGE 100

typedef struct {
  ConicPeer peer;
  ConicDispatcher *dispatcher;
  ConicWebsocket *websocket;
  ConicAddress *address; /* (nullable) */
  char *remote;          /* for the log */
  ConicPass *pass;       /* (nullable) */
  ConicDeadline expiry;  /* of the pass */
  gboolean registered;
  gboolean was_registered; /* it is, or has been */
  gboolean was_refused;    /* something, with an error */
  gboolean ended;          /* the hub has forgotten it */
  GList link;
} Session;

struct _ConicDispatcher {
  ConicTransport *transport;
  ConicHub *hub;
  ConicDeadline deadline; /* the hub's */
  const ConicIce *ice;    /* (nullable) */
  GQueue sessions;
};

static void
update_deadline (ConicDispatcher *self)
{
  conic_epoll_source_set_deadline (conic_transport_get_epoll_source (self->transport),
                                   &self->deadline, conic_hub_get_deadline (self->hub));
}

static void
on_deadline (ConicDeadline *deadline, gint64 now)
{
  ConicDispatcher *self =
      (ConicDispatcher *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicDispatcher, deadline));

  conic_hub_advance (self->hub, now);
  update_deadline (self);
}

static char *
make_timestamp (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
}

static char *
name_client (Session *session)
{
  if (session->peer.id == NULL)
    return g_strdup_printf ("Client at %s", session->remote);
  return g_strdup_printf ("Client “%s” at %s", session->peer.id, session->remote);
}

/* Only the first one, for a client may send a thousand bad messages in a second; and only the code,
 * for a message is nobody else's business. */
static void
log_refusal (Session *session, ConicError code)
{
  const ConicLogClient client = {session->peer.id, session->remote, 0};
  g_autofree char *name = NULL;

  if (session->was_refused)
    return;
  session->was_refused = TRUE;
  name = name_client (session);
  conic_log_client (G_LOG_LEVEL_DEBUG, &client, "%s was told “%s”", name,
                    conic_error_to_code (code));
}

static void
send_to_peer (ConicPeer *peer, const ConicMessage *message)
{
  Session *session = (Session *) peer;
  const ConicIce *ice = session->dispatcher->ice;
  ConicMessage stamped = *message;
  g_autofree char *timestamp = NULL;
  g_autoptr (GPtrArray) ice_servers = NULL;
  g_autoptr (GBytes) text = NULL;

  /* A shallow copy: only the codec sees it. What is of a day and an hour is put in here, for the hub
   * doesn't know them. */
  if (stamped.timestamp == NULL)
    stamped.timestamp = timestamp = make_timestamp ();
  if (ice != NULL && message->type == CONIC_MESSAGE_REGISTER_RESPONSE && message->success)
    stamped.ice_servers = ice_servers =
        conic_ice_make_servers (ice, message->client_id, g_get_real_time () / G_TIME_SPAN_SECOND);
  if (message->has_error)
    log_refusal (session, message->code);
  if (message->type == CONIC_MESSAGE_LIST_RESPONSE)
    conic_websocket_charge (session->websocket,
                            conic_hub_get_n_registered (session->dispatcher->hub) /
                                CLIENTS_PER_MESSAGE);
  text = conic_codec_write (&stamped, peer->dialect);
  conic_websocket_send (session->websocket, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
}

static gboolean
relay_to_peer (ConicPeer *peer, const ConicView *view, const char *sender_id)
{
  Session *session = (Session *) peer;
  g_autoptr (GBytes) text = conic_view_relay (view, sender_id, peer->dialect);

  if (text == NULL)
    return conic_websocket_send (session->websocket, view->text.data, view->text.length);
  return conic_websocket_send (session->websocket, g_bytes_get_data (text, NULL),
                               g_bytes_get_size (text));
}

static void
close_peer (ConicPeer *peer, guint16 status, const char *reason)
{
  Session *session = (Session *) peer;

  conic_websocket_close (session->websocket, status, reason);
}

static const ConicPeerInterface peer_interface = {
    .send = send_to_peer,
    .relay = relay_to_peer,
    .close = close_peer,
};

static void
set_expiry (Session *session, gint64 at)
{
  conic_epoll_source_set_deadline (conic_transport_get_epoll_source (
                                       session->dispatcher->transport),
                                   &session->expiry, at);
}

static void
on_expired (ConicDeadline *deadline, gint64 now)
{
  Session *session = (Session *) ((guint8 *) deadline - G_STRUCT_OFFSET (Session, expiry));

  conic_hub_expire (session->dispatcher->hub, &session->peer);
}

/* Once for most connections; who does it over and over is to make no line for each. */
static void
log_registration (Session *session)
{
  const ConicLogClient client = {session->peer.id, session->remote, 0};
  g_autofree char *name = name_client (session);

  conic_log_client (session->was_registered ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_INFO, &client,
                    "%s registered", name);
  session->was_registered = TRUE;
}

/* A registered client may stay, any other has to register in time. */
static void
update_confirmed (Session *session)
{
  gboolean registered = session->peer.id != NULL;

  if (registered == session->registered)
    return;
  session->registered = registered;
  conic_websocket_confirm (session->websocket, registered);
  if (registered)
    log_registration (session);
}

static void
refuse_binary (Session *session)
{
  const ConicView nothing = {.type = CONIC_MESSAGE_ERROR};
  g_autoptr (GError) error = g_error_new (CONIC_ERROR, CONIC_ERROR_BAD_MESSAGE,
                                          "A message has to be a text message, not a binary one");

  conic_hub_refuse (session->dispatcher->hub, &session->peer, &nothing, error);
}

static void
take_text (Session *session, const char *text, gsize length, gint64 now)
{
  ConicDispatcher *self = session->dispatcher;
  g_autoptr (GError) error = NULL;
  g_auto (ConicView) view;

  if (!conic_view_scan (&view, text, length, session->peer.dialect, &error)) {
    conic_hub_refuse (self->hub, &session->peer, &view, error);
    return;
  }
  conic_hub_receive (self->hub, &session->peer, &view, now);
  update_confirmed (session);
  update_deadline (self);
}

static void
on_message (gboolean is_text, const char *data, gsize length, gint64 now, gpointer user_data)
{
  Session *session = user_data;

  if (is_text)
    take_text (session, data, length, now);
  else
    refuse_binary (session);
}

static void
on_throttled (gpointer user_data)
{
  Session *session = user_data;

  conic_hub_warn (session->dispatcher->hub, &session->peer);
}

/* Whoever takes its leave doesn't come back for its id: 1001 is a page that was left, and no status
 * at all is what a page's close() sends. */
static gboolean
is_lost (ConicStatus status)
{
  return status != CONIC_STATUS_NORMAL && status != CONIC_STATUS_GOING_AWAY &&
         status != CONIC_STATUS_NONE;
}

static void
log_end (Session *session, ConicStatus status, const char *reason)
{
  const ConicLogClient client = {session->peer.id, session->remote, status};
  g_autofree char *name = name_client (session);

  conic_log_client (G_LOG_LEVEL_INFO, &client, "%s left: %d (%s)", name, status, reason);
}

static void
on_ended (ConicStatus status, const char *reason, gint64 now, gpointer user_data)
{
  Session *session = user_data;
  ConicDispatcher *self = session->dispatcher;

  log_end (session, status, reason);
  conic_hub_remove (self->hub, &session->peer, is_lost (status), now);
  set_expiry (session, -1);
  session->ended = TRUE;
  update_deadline (self);
}

static void
free_session (Session *session)
{
  g_queue_unlink (&session->dispatcher->sessions, &session->link);
  conic_address_release (session->address);
  g_free (session->remote);
  g_clear_pointer (&session->pass, conic_pass_free);
  g_free (session);
}

static void
on_gone (gpointer user_data)
{
  free_session (user_data);
}

static const ConicWebsocketHandler websocket_handler = {
    .message = on_message,
    .throttled = on_throttled,
    .ended = on_ended,
    .gone = on_gone,
};

/**
 * conic_dispatcher_new:
 * @transport: serves the connections; has to be freed right after the dispatcher
 * @options: the hub's
 *
 * Returns: (transfer full): a dispatcher with a hub of its own
 */
ConicDispatcher *
conic_dispatcher_new (ConicTransport *transport, const ConicHubOptions *options)
{
  ConicDispatcher *self = g_new0 (ConicDispatcher, 1);

  self->transport = transport;
  self->hub = conic_hub_new (options);
  self->deadline.expired = on_deadline;
  return self;
}

/**
 * conic_dispatcher_free:
 * @self: (transfer full): the dispatcher
 *
 * Drops the sessions that are left.
 */
void
conic_dispatcher_free (ConicDispatcher *self)
{
  gint64 now = g_get_monotonic_time ();

  while (self->sessions.head != NULL) {
    Session *session = self->sessions.head->data;

    if (!session->ended) {
      conic_hub_remove (self->hub, &session->peer, FALSE, now);
      set_expiry (session, -1);
    }
    free_session (session);
  }
  conic_hub_free (self->hub);
  g_free (self);
}

/**
 * conic_dispatcher_take:
 * @self: the dispatcher
 * @fd: (transfer full): the socket, non-blocking; closed with the connection, and if this fails
 * @address: (transfer full) (nullable): what it is counted for
 * @pass: (transfer full) (nullable): what it was admitted with; %NULL allows everything
 * @tls: (transfer full) (nullable): the TLS session on it
 * @early: (array length=early_length): what the client sent right after its handshake; written to
 * @early_length: bytes of @early
 * @error: return location for a #GIOError
 *
 * Makes a client of a connection after its WebSocket handshake.
 *
 * Returns: %FALSE if the kernel has no room
 */
gboolean
conic_dispatcher_take (ConicDispatcher *self,
                       int fd,
                       ConicAddress *address,
                       ConicPass *pass,
                       ConicTls *tls,
                       guint8 *early,
                       gsize early_length,
                       GError **error)
{
  Session *session = g_new0 (Session, 1);

  session->websocket =
      conic_websocket_new (self->transport, fd, tls, &websocket_handler, session, error);
  if (session->websocket == NULL) {
    conic_address_release (address);
    g_clear_pointer (&pass, conic_pass_free);
    g_free (session);
    return FALSE;
  }
  session->peer.interface = &peer_interface;
  session->dispatcher = self;
  session->address = address;
  session->remote = conic_log_describe_remote (fd);
  session->expiry.expired = on_expired;
  session->pass = pass;
  if (pass != NULL) {
    session->peer.grant = pass->grant;
    set_expiry (session, pass->expires);
  }
  session->link.data = session;
  g_queue_push_tail_link (&self->sessions, &session->link);
  conic_hub_add (self->hub, &session->peer, g_get_monotonic_time ());
  if (early_length > 0)
    conic_websocket_feed (session->websocket, early, early_length);
  return TRUE;
}

/* What clients that register from now on are told: (transfer none) (nullable), the caller keeps @ice
 * until it has set another. */
void
conic_dispatcher_set_ice (ConicDispatcher *self, const ConicIce *ice)
{
  self->ice = ice;
}

/* How long and how many ids are held, from now on and of those that are. */
void
conic_dispatcher_set_options (ConicDispatcher *self, const ConicHubOptions *options)
{
  conic_hub_set_options (self->hub, options, g_get_monotonic_time ());
  update_deadline (self);
}

/* Sets the patterns (array zero-terminated=1) of the ids that nobody may have. Returns how many clients
 * are disconnected for theirs. */
guint
conic_dispatcher_set_denied (ConicDispatcher *self, const char *const *patterns)
{
  return conic_hub_set_denied (self->hub, patterns);
}

/**
 * conic_dispatcher_shut_down:
 * @self: the dispatcher
 *
 * Tells every client that the hub goes, and begins to close the connections.
 */
void
conic_dispatcher_shut_down (ConicDispatcher *self)
{
  conic_hub_shut_down (self->hub);
}

/* (transfer none): the hub, to look at */
ConicHub *
conic_dispatcher_get_hub (ConicDispatcher *self)
{
  return self->hub;
}
