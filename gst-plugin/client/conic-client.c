/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A registered client of a hub over libsoup's WebSocket client. */

#include "conic-client.h"

#include <libsoup/soup.h>

#include "conic-backoff.h"
#include "conic-codec.h"
#include "conic-handshake.h"
#include "conic-limits.h"

/* The first delay before a reconnect and the longest, in milliseconds: quick enough for a hub that
 * restarts, slow enough for one that is overwhelmed. */
#define RETRY_DELAY_MIN 500
#define RETRY_DELAY_MAX 15000

/* Seconds between the pings that keep NATs and proxies on the way from forgetting us. */
#define KEEPALIVE_INTERVAL 25

/* Of the time that the credentials for relays last, in percent: then there are new ones with another
 * registration. At the most a day, for clocks can be wrong by years. */
#define RENEWAL_PERCENT 75
#define RENEWAL_MAX     (24 * G_TIME_SPAN_HOUR)

/* Milliseconds from the first packet to the registration, for hubs that accept and never answer. */
#define REGISTER_TIMEOUT 10000

/* Milliseconds that an orderly goodbye may take. */
#define STOP_TIMEOUT 200

typedef enum {
  CLIENT_IDLE,
  CLIENT_CONNECTING,
  CLIENT_REGISTERING,
  CLIENT_REGISTERED,
  CLIENT_WAITING,
  CLIENT_STOPPED,
} ClientState;

struct _ConicClient {
  GObject parent_instance;

  ClientState state;
  char *uri;
  char *id;           /* asked for, then registered */
  char *resume_token; /* of the registration of id */
  char *token;        /* (nullable): a secret */
  char *tls_ca;       /* (nullable): a file */
  GPtrArray *ice_servers;
  gint64 renewal_time; /* of those, monotonic; G_MAXINT64 for never */
  gboolean was_registered;
  ConicBackoff backoff; /* of attempts in a row that didn't lead to a registration */

  GMainContext *context;
  SoupSession *session;
  SoupWebsocketConnection *connection;
  gboolean heard; /* something from the hub since the last look */
  GCancellable *cancellable;
  GSource *timer;

  GSourceOnceFunc done;
  gpointer done_data;
};

enum { SIGNAL_REGISTERED, SIGNAL_MESSAGE, SIGNAL_LOST, SIGNAL_FAILED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (ConicClient, conic_client, G_TYPE_OBJECT)
G_DEFINE_QUARK (conic - client - error - quark, conic_client_error)

static void connect_to_hub (ConicClient *self);

static void
clear_timer (ConicClient *self)
{
  if (self->timer == NULL)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
set_timer (ConicClient *self, const char *name, guint milliseconds, GSourceFunc callback)
{
  clear_timer (self);
  self->timer = g_timeout_source_new (milliseconds);
  g_source_set_static_name (self->timer, name);
  g_source_set_callback (self->timer, callback, self, NULL);
  g_source_attach (self->timer, self->context);
}

static void
drop_connection (ConicClient *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->connection, self);
  if (soup_websocket_connection_get_state (self->connection) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (self->connection, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
  g_clear_object (&self->connection);
}

static gboolean
on_retry (gpointer user_data)
{
  ConicClient *self = user_data;

  clear_timer (self);
  connect_to_hub (self);
  return G_SOURCE_REMOVE;
}

static void
lose (ConicClient *self, const GError *error)
{
  guint delay = conic_backoff_draw (&self->backoff);

  conic_backoff_grow (&self->backoff);
  drop_connection (self);
  self->state = CLIENT_WAITING;
  set_timer (self, "conic-client-retry", delay, on_retry);
  g_signal_emit (self, signals[SIGNAL_LOST], 0, error, delay);
}

static void
fail (ConicClient *self, const GError *error)
{
  drop_connection (self);
  clear_timer (self);
  self->state = CLIENT_STOPPED;
  g_signal_emit (self, signals[SIGNAL_FAILED], 0, error);
}

static void
finish_stop (ConicClient *self)
{
  GSourceOnceFunc done = self->done;

  self->done = NULL;
  clear_timer (self);
  drop_connection (self);
  if (done != NULL)
    done (self->done_data);
}

static gboolean
on_stop_timeout (gpointer user_data)
{
  finish_stop (user_data);
  return G_SOURCE_REMOVE;
}

static char *
make_message_id (void)
{
  return g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

static void
send_message (ConicClient *self, const ConicMessage *message)
{
  g_autoptr (ConicMessage) copy = conic_message_copy (message);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GBytes) text = NULL;

  if (copy->id == NULL)
    copy->id = make_message_id ();
  if (copy->timestamp == NULL)
    copy->timestamp = g_date_time_format_iso8601 (now);
  if (copy->from_id == NULL && message->type != CONIC_MESSAGE_REGISTER_REQUEST)
    copy->from_id = g_strdup (self->id);
  text = conic_codec_write (copy, CONIC_DIALECT_ENVELOPE);
  soup_websocket_connection_send_message (self->connection, SOUP_WEBSOCKET_DATA_TEXT, text);
}

/* A refusal of our registration is final while we have never had one: somebody set a wrong id or
 * token. Later it's the hub that has to forget our old connection first. */
static void
on_refused (ConicClient *self, ConicError code, const char *text)
{
  g_autoptr (GError) error = g_error_new_literal (CONIC_ERROR, (int) code,
                                                  text != NULL ? text : conic_error_to_code (code));

  if (self->was_registered || code == CONIC_ERROR_SHUTTING_DOWN || code == CONIC_ERROR_RATE_LIMITED)
    lose (self, error);
  else
    fail (self, error);
}

/* When the first credentials of @servers expire: the Unix time that their user name begins with, or
 * G_MAXINT64. */
static gint64
get_expiry (GPtrArray *servers)
{
  gint64 first = G_MAXINT64;

  for (guint i = 0; servers != NULL && i < servers->len; i++) {
    const ConicIceServer *server = g_ptr_array_index (servers, i);
    char *end = NULL;
    gint64 expiry = server->username != NULL ? g_ascii_strtoll (server->username, &end, 10) : 0;

    if (expiry > 0 && *end == ':')
      first = MIN (first, expiry);
  }
  return first;
}

/* Returns: monotonic; G_MAXINT64 also if our clock can't be the hub's */
static gint64
get_renewal_time (GPtrArray *servers)
{
  gint64 expiry = get_expiry (servers);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  gint64 left = MIN (expiry, now + RENEWAL_MAX / G_USEC_PER_SEC) - now;

  if (expiry == G_MAXINT64 || left <= 0)
    return G_MAXINT64;
  return g_get_monotonic_time () + left * G_USEC_PER_SEC * RENEWAL_PERCENT / 100;
}

static void start_watch (ConicClient *self);

/* A hub that is gone without a word: it has answered none of our pings. */
static gboolean
on_watch (gpointer user_data)
{
  ConicClient *self = user_data;
  g_autoptr (GError) error = NULL;

  if (g_get_monotonic_time () >= self->renewal_time) {
    drop_connection (self);
    connect_to_hub (self);
    return G_SOURCE_REMOVE;
  }
  if (self->heard) {
    self->heard = FALSE;
    start_watch (self);
    return G_SOURCE_REMOVE;
  }
  error = g_error_new_literal (CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_LOST,
                               "it doesn't answer pings any more");
  lose (self, error);
  return G_SOURCE_REMOVE;
}

static gboolean
on_register_timeout (gpointer user_data)
{
  g_autoptr (GError) error =
      g_error_new_literal (CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_UNREACHABLE,
                           "it accepts connections, but doesn't answer");

  lose (user_data, error);
  return G_SOURCE_REMOVE;
}

static void
on_websocket_pong (SoupWebsocketConnection *connection, GBytes *data, ConicClient *self)
{
  self->heard = TRUE;
}

static void
start_watch (ConicClient *self)
{
  gint64 left = (self->renewal_time - g_get_monotonic_time ()) / 1000;

  set_timer (self, "conic-client-watch", (guint) CLAMP (left + 1, 1, 2 * KEEPALIVE_INTERVAL * 1000),
             on_watch);
}

static void
on_register_response (ConicClient *self, const ConicMessage *response)
{
  if (!response->success) {
    if (response->has_error)
      on_refused (self, response->code, response->error_message);
    else
      on_refused (self, CONIC_ERROR_ID_TAKEN, "the hub refused the registration");
    return;
  }

  g_free (self->id);
  self->id = g_strdup (response->client_id);
  g_free (self->resume_token);
  self->resume_token = g_strdup (response->resume_token);
  g_clear_pointer (&self->ice_servers, g_ptr_array_unref);
  if (response->ice_servers != NULL)
    self->ice_servers = g_ptr_array_ref (response->ice_servers);
  self->was_registered = TRUE;
  conic_backoff_reset (&self->backoff);
  self->state = CLIENT_REGISTERED;
  self->renewal_time = get_renewal_time (self->ice_servers);
  start_watch (self);
  g_signal_emit (self, signals[SIGNAL_REGISTERED], 0, self->id);
}

static void
on_websocket_message (SoupWebsocketConnection *connection,
                      SoupWebsocketDataType type,
                      GBytes *bytes,
                      ConicClient *self)
{
  g_autoptr (ConicMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  ConicDialect dialect = CONIC_DIALECT_ENVELOPE;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  self->heard = TRUE;
  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    message = conic_codec_parse (text, length, &dialect, &error);
  if (message == NULL) {
    g_debug ("Ignored a message from the hub: %s", error != NULL ? error->message : "not text");
    return;
  }

  if (message->type == CONIC_MESSAGE_REGISTER_RESPONSE) {
    if (self->state == CLIENT_REGISTERING)
      on_register_response (self, message);
  } else if (message->type == CONIC_MESSAGE_ERROR && self->state == CLIENT_REGISTERING) {
    on_refused (self, message->code, message->error_message);
  } else if (self->state == CLIENT_REGISTERED) {
    g_signal_emit (self, signals[SIGNAL_MESSAGE], 0, message);
  }
}

static void
on_websocket_closed (SoupWebsocketConnection *connection, ConicClient *self)
{
  g_autoptr (GError) error = NULL;
  const char *reason = soup_websocket_connection_get_close_data (connection);
  gushort code = soup_websocket_connection_get_close_code (connection);

  if (self->state == CLIENT_STOPPED) {
    finish_stop (self);
    return;
  }
  if (code == 0)
    g_set_error_literal (&error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_LOST,
                         "the connection broke");
  else
    g_set_error (&error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_LOST,
                 "it closed the connection (code %u%s%s)", code,
                 reason != NULL && *reason != '\0' ? ", " : "", reason != NULL ? reason : "");
  lose (self, error);
}

static void
register_at_hub (ConicClient *self)
{
  g_autoptr (ConicMessage) request = conic_message_new (CONIC_MESSAGE_REGISTER_REQUEST);

  request->client_id = g_strdup (self->id);
  request->resume_token = g_strdup (self->resume_token);
  self->state = CLIENT_REGISTERING;
  send_message (self, request);
}

/* A certificate that isn't trusted and a token that won't do are for the user to mend, unless they
 * have been good enough before: then the hub may be about to get a new one. */
static void
on_unreachable (ConicClient *self, SoupMessage *request, const GError *reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *challenge = conic_handshake_get_challenge (request);

  if (challenge != NULL) {
    on_refused (self, CONIC_ERROR_UNAUTHORIZED, challenge);
    return;
  }
  error = g_error_new_literal (CONIC_CLIENT_ERROR,
                               reason->domain == G_TLS_ERROR ? CONIC_CLIENT_ERROR_TLS
                                                             : CONIC_CLIENT_ERROR_UNREACHABLE,
                               reason->message);
  if (g_error_matches (reason, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE) && !self->was_registered)
    fail (self, error);
  else
    lose (self, error);
}

static void
on_websocket_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConicClient) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupWebsocketConnection) connection = NULL;
  SoupMessage *request = soup_session_get_async_result_message (SOUP_SESSION (source), result);

  connection = soup_session_websocket_connect_finish (SOUP_SESSION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->state != CLIENT_CONNECTING)
    return;
  if (connection == NULL) {
    on_unreachable (self, request, error);
    return;
  }

  self->connection = g_steal_pointer (&connection);
  soup_websocket_connection_set_max_incoming_payload_size (self->connection,
                                                           CONIC_MESSAGE_MAX_BYTES);
  soup_websocket_connection_set_keepalive_interval (self->connection, KEEPALIVE_INTERVAL);
  g_signal_connect (self->connection, "message", G_CALLBACK (on_websocket_message), self);
  g_signal_connect (self->connection, "pong", G_CALLBACK (on_websocket_pong), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_websocket_closed), self);
  register_at_hub (self);
}

static void
connect_to_hub (ConicClient *self)
{
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  message = conic_handshake_new (self->uri, self->token);
  if (message == NULL) {
    g_set_error (&error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_URI,
                 "not the URI of a hub, such as ws://127.0.0.1:%d%s", CONIC_DEFAULT_PORT,
                 CONIC_DEFAULT_PATH);
    fail (self, error);
    return;
  }
  self->state = CLIENT_CONNECTING;
  set_timer (self, "conic-client-register", REGISTER_TIMEOUT, on_register_timeout);
  self->cancellable = g_cancellable_new ();
  soup_session_websocket_connect_async (self->session, message, NULL, NULL, G_PRIORITY_DEFAULT,
                                        self->cancellable, on_websocket_connected,
                                        g_object_ref (self));
}

static void
conic_client_dispose (GObject *object)
{
  ConicClient *self = CONIC_CLIENT (object);

  clear_timer (self);
  drop_connection (self);
  g_clear_object (&self->session);
  g_clear_pointer (&self->context, g_main_context_unref);

  G_OBJECT_CLASS (conic_client_parent_class)->dispose (object);
}

static void
conic_client_finalize (GObject *object)
{
  ConicClient *self = CONIC_CLIENT (object);

  g_free (self->uri);
  g_free (self->id);
  g_free (self->resume_token);
  g_free (self->token);
  g_free (self->tls_ca);
  g_clear_pointer (&self->ice_servers, g_ptr_array_unref);

  G_OBJECT_CLASS (conic_client_parent_class)->finalize (object);
}

static void
conic_client_class_init (ConicClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = conic_client_dispose;
  object_class->finalize = conic_client_finalize;

  signals[SIGNAL_REGISTERED] = g_signal_new ("registered", CONIC_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0,
                                             NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_MESSAGE] = g_signal_new ("message", CONIC_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[SIGNAL_LOST] = g_signal_new ("lost", CONIC_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 2, G_TYPE_ERROR, G_TYPE_UINT);
  signals[SIGNAL_FAILED] = g_signal_new ("failed", CONIC_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
conic_client_init (ConicClient *self)
{
  conic_backoff_init (&self->backoff, RETRY_DELAY_MIN, RETRY_DELAY_MAX);
}

ConicClient *
conic_client_new (void)
{
  return g_object_new (CONIC_TYPE_CLIENT, NULL);
}

void
conic_client_set_token (ConicClient *self, const char *token)
{
  g_return_if_fail (CONIC_IS_CLIENT (self));

  g_free (self->token);
  self->token = g_strdup (token);
}

void
conic_client_set_tls_ca (ConicClient *self, const char *file)
{
  g_return_if_fail (CONIC_IS_CLIENT (self));
  g_return_if_fail (self->state == CLIENT_IDLE);

  g_free (self->tls_ca);
  self->tls_ca = g_strdup (file);
}

GPtrArray *
conic_client_get_ice_servers (ConicClient *self)
{
  g_return_val_if_fail (CONIC_IS_CLIENT (self), NULL);

  return self->ice_servers;
}

static gboolean
on_start (gpointer user_data)
{
  ConicClient *self = user_data;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (GError) error = NULL;

  clear_timer (self);
  if (self->tls_ca != NULL) {
    database = g_tls_file_database_new (self->tls_ca, &reason);
    if (database == NULL) {
      g_set_error (&error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_TLS,
                   "the certificates in “%s” can't be read: %s", self->tls_ca, reason->message);
      fail (self, error);
      return G_SOURCE_REMOVE;
    }
    soup_session_set_tls_database (self->session, database);
  }
  connect_to_hub (self);
  return G_SOURCE_REMOVE;
}

void
conic_client_start (ConicClient *self, const char *uri, const char *client_id)
{
  g_return_if_fail (CONIC_IS_CLIENT (self));
  g_return_if_fail (self->state == CLIENT_IDLE);

  self->context = g_main_context_ref_thread_default ();
  self->session = soup_session_new ();
  /* Signaling messages are small, and inflating them is an attack surface. */
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  self->uri = g_strdup (uri);
  self->id = g_strdup (client_id);
  self->state = CLIENT_WAITING;
  set_timer (self, "conic-client-start", 0, on_start);
}

gboolean
conic_client_send (ConicClient *self, const ConicMessage *message)
{
  g_return_val_if_fail (CONIC_IS_CLIENT (self), FALSE);

  if (self->state != CLIENT_REGISTERED)
    return FALSE;
  if (soup_websocket_connection_get_state (self->connection) != SOUP_WEBSOCKET_STATE_OPEN)
    return FALSE;
  send_message (self, message);
  return TRUE;
}

void
conic_client_stop (ConicClient *self, GSourceOnceFunc done, gpointer user_data)
{
  g_return_if_fail (CONIC_IS_CLIENT (self));
  g_return_if_fail (self->done == NULL);

  self->state = CLIENT_STOPPED;
  self->done = done;
  self->done_data = user_data;
  if (self->connection == NULL ||
      soup_websocket_connection_get_state (self->connection) != SOUP_WEBSOCKET_STATE_OPEN) {
    finish_stop (self);
    return;
  }
  soup_websocket_connection_close (self->connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  set_timer (self, "conic-client-stop", STOP_TIMEOUT, on_stop_timeout);
}

const char *
conic_client_get_id (ConicClient *self)
{
  g_return_val_if_fail (CONIC_IS_CLIENT (self), NULL);

  return self->id;
}

gboolean
conic_client_is_registered (ConicClient *self)
{
  g_return_val_if_fail (CONIC_IS_CLIENT (self), FALSE);

  return self->state == CLIENT_REGISTERED;
}
