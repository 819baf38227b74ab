/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-hub.h"

#include <string.h>

#include "conic-pattern.h"
#include "conic-registry.h"

/* WebSocket status codes: RFC 6455 section 7.4.1, and the wire contract's own. */
#define CLOSE_GOING_AWAY 1001
#define CLOSE_REPLACED   4001
#define CLOSE_EXPIRED    4003
#define CLOSE_DENIED     4004

/* Bytes of one list_response: what clients accept as a message, less room for its envelope. A hub
 * with more clients than that (some ten thousand) lists a part of them. */
#define LIST_MAX_BYTES (CONIC_MESSAGE_MAX_BYTES - 4096)

/* Bytes that the longer of the dialects writes around an id in a list_response. */
#define LIST_ENTRY_BYTES (sizeof "{\"client_id\":\"\"}," - 1)

/* Bytes of a message's id that a reply repeats. A longer one is not worth its cost, and no known
 * client makes one longer than 36. */
#define REPLY_TO_MAX_BYTES 256

/* How often an id is made anew for a client that asks for none, until one is not denied: ids begin with
 * any of 32 characters, and an operator may deny those that begin with a few of them, or all. */
#define MAKE_ID_TRIES 100

struct _ConicHub {
  ConicHubOptions options;
  GHashTable *peers; /* set of every ConicPeer, registered or not */
  ConicRegistry *registry;
  GStrv denied; /* (nullable): patterns of ids */
  gboolean shut_down;
  ConicHubStats stats;
};

ConicHub *
conic_hub_new (const ConicHubOptions *options)
{
  ConicHub *hub = g_new0 (ConicHub, 1);

  hub->options = *options;
  hub->peers = g_hash_table_new (NULL, NULL);
  hub->registry = conic_registry_new ();

  return hub;
}

void
conic_hub_free (ConicHub *hub)
{
  conic_registry_free (hub->registry);
  g_hash_table_unref (hub->peers);
  g_strfreev (hub->denied);
  g_free (hub);
}

static void
trim_held (ConicHub *hub)
{
  while (hub->options.max_held > 0 &&
         conic_registry_get_n_held (hub->registry) > hub->options.max_held)
    conic_registry_remove (hub->registry, conic_registry_get_first_held (hub->registry));
}

void
conic_hub_set_options (ConicHub *hub, const ConicHubOptions *options, gint64 now)
{
  hub->options = *options;
  conic_registry_shorten (hub->registry, now + options->resume_window);
  trim_held (hub);
  conic_hub_advance (hub, now);
}

/* A hub-made answer to the message that @view shows. */
static ConicMessage *
make_reply (ConicMessageType type, const ConicView *view)
{
  ConicMessage *reply = conic_message_new (type);

  if (view->id.length <= REPLY_TO_MAX_BYTES)
    reply->reply_to = conic_view_dup_id (view);

  return reply;
}

static void
count (ConicHub *hub, const ConicView *view, ConicHubOutcome outcome)
{
  hub->stats.messages[view->type][outcome]++;
}

static void
count_error (ConicHub *hub, const ConicView *view, ConicError code)
{
  hub->stats.errors[code]++;
  count (hub, view,
         code == CONIC_ERROR_PEER_NOT_FOUND ? CONIC_HUB_NOT_FOUND
         : code == CONIC_ERROR_PEER_SLOW    ? CONIC_HUB_SLOW
                                            : CONIC_HUB_REFUSED);
}

/* A registration is refused in its own words: Go's clients know no others. */
static void
reply_error (ConicHub *hub,
             ConicPeer *peer,
             const ConicView *view,
             ConicError code,
             const char *to_id,
             const char *text)
{
  gboolean is_register = view->type == CONIC_MESSAGE_REGISTER_REQUEST;
  g_autoptr (ConicMessage) reply =
      make_reply (is_register ? CONIC_MESSAGE_REGISTER_RESPONSE : CONIC_MESSAGE_ERROR, view);

  reply->has_error = TRUE;
  reply->code = code;
  reply->error_message = g_strdup (text);
  if (is_register && view->client_id[0] != '\0')
    reply->client_id = g_strdup (view->client_id);
  if (to_id != NULL && to_id[0] != '\0')
    reply->to_id = g_strdup (to_id);

  count_error (hub, view, code);
  peer->interface->send (peer, reply);
}

static void
close_peer (ConicPeer *peer, guint16 status, const char *reason)
{
  peer->closing = TRUE;
  peer->interface->close (peer, status, reason);
}

/* Takes as long for a token that is nearly right as for one that isn't. */
static gboolean
token_matches (const ConicRegistration *registration, ConicSlice token)
{
  gsize length = strlen (registration->resume_token);
  guint difference = 0;

  if (token.length != length)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    difference |= (guint) (token.data[i] ^ registration->resume_token[i]);

  return difference == 0;
}

static gboolean
is_denied (ConicHub *hub, const char *id)
{
  return conic_pattern_any_matches ((const char *const *) hub->denied, id);
}

/* (transfer full): an id that nobody has; one that is denied only if there hardly is another */
static char *
make_free_id (ConicHub *hub, ConicPeer *peer)
{
  for (guint n = 1;; n++) {
    g_autofree char *made = conic_grant_make_id (peer->grant);

    if (conic_registry_lookup (hub->registry, made) == NULL &&
        (!is_denied (hub, made) || n >= MAKE_ID_TRIES))
      return g_steal_pointer (&made);
  }
}

static void
take_over (ConicHub *hub, ConicRegistration *registration, ConicPeer *peer)
{
  ConicPeer *old = registration->peer;

  conic_registry_hand_over (hub->registry, registration, peer);
  if (old != NULL)
    close_peer (old, CLOSE_REPLACED, "replaced");
}

static void
receive_register (ConicHub *hub, ConicPeer *peer, const ConicView *view)
{
  g_autoptr (ConicMessage) reply = NULL;
  g_autofree char *made = NULL;
  ConicRegistration *registration;
  const char *id = view->client_id;

  if (peer->id != NULL) {
    reply_error (hub, peer, view, CONIC_ERROR_ALREADY_REGISTERED, NULL,
                 "this connection is registered; unregister first");
    return;
  }

  if (id[0] == '\0' && conic_grant_get_id (peer->grant) != NULL)
    id = conic_grant_get_id (peer->grant);
  if (id[0] == '\0')
    id = made = make_free_id (hub, peer);
  if (!conic_grant_may_be (peer->grant, id) || is_denied (hub, id)) {
    reply_error (hub, peer, view, CONIC_ERROR_UNAUTHORIZED, NULL,
                 is_denied (hub, id) ? "this hub denies this id" : "your token is not for this id");
    return;
  }

  registration = conic_registry_lookup (hub->registry, id);
  if (registration == NULL) {
    registration = conic_registry_add (hub->registry, id, peer);
  } else if (token_matches (registration, view->resume_token)) {
    take_over (hub, registration, peer);
  } else {
    reply_error (hub, peer, view, CONIC_ERROR_ID_TAKEN, NULL,
                 "another client has this id, or was just lost");
    return;
  }

  reply = make_reply (CONIC_MESSAGE_REGISTER_RESPONSE, view);
  reply->success = TRUE;
  reply->client_id = g_strdup (registration->id);
  reply->resume_token = g_strdup (registration->resume_token);
  peer->interface->send (peer, reply);
  count (hub, view, CONIC_HUB_ANSWERED);
}

static void
receive_unregister (ConicHub *hub, ConicPeer *peer, const ConicView *view)
{
  g_autoptr (ConicMessage) reply = NULL;

  if (view->client_id[0] != '\0' && strcmp (view->client_id, peer->id) != 0) {
    reply_error (hub, peer, view, CONIC_ERROR_FROM_MISMATCH, NULL,
                 "only the connection that has an id can give it up");
    return;
  }

  reply = make_reply (CONIC_MESSAGE_UNREGISTER_RESPONSE, view);
  reply->success = TRUE;
  reply->client_id = g_strdup (peer->id);
  conic_registry_remove (hub->registry, conic_registry_lookup (hub->registry, peer->id));
  peer->interface->send (peer, reply);
  count (hub, view, CONIC_HUB_ANSWERED);
}

static void
receive_list (ConicHub *hub, ConicPeer *peer, const ConicView *view)
{
  g_autoptr (ConicMessage) reply = make_reply (CONIC_MESSAGE_LIST_RESPONSE, view);

  reply->clients =
      conic_registry_list (hub->registry, peer->grant, LIST_MAX_BYTES, LIST_ENTRY_BYTES);
  peer->interface->send (peer, reply);
  count (hub, view, CONIC_HUB_ANSWERED);
}

static void
receive_relayed (ConicHub *hub, ConicPeer *peer, const ConicView *view)
{
  const ConicRegistration *target = NULL;

  if (view->has_from && strcmp (view->from_id, peer->id) != 0) {
    reply_error (hub, peer, view, CONIC_ERROR_FROM_MISMATCH, NULL,
                 "from_id is not the id of this connection");
    return;
  }

  /* Who may not be reached is as one who isn't there. */
  if (view->to_id[0] != '\0' && conic_grant_may_reach (peer->grant, view->to_id))
    target = conic_registry_lookup (hub->registry, view->to_id);
  if (target == NULL || target->peer == NULL) {
    reply_error (hub, peer, view, CONIC_ERROR_PEER_NOT_FOUND, view->to_id, "no such peer");
    return;
  }

  if (!target->peer->interface->relay (target->peer, view, peer->id))
    reply_error (hub, peer, view, CONIC_ERROR_PEER_SLOW, view->to_id,
                 "the peer reads too slowly; the message was not delivered");
  else
    count (hub, view,
           target->peer->dialect == peer->dialect ? CONIC_HUB_RELAYED : CONIC_HUB_TRANSLATED);
}

static void
receive_registered (ConicHub *hub, ConicPeer *peer, const ConicView *view)
{
  switch (view->type) {
  case CONIC_MESSAGE_UNREGISTER_REQUEST:
    receive_unregister (hub, peer, view);
    break;
  case CONIC_MESSAGE_LIST_REQUEST:
    receive_list (hub, peer, view);
    break;
  case CONIC_MESSAGE_SDP:
  case CONIC_MESSAGE_CANDIDATE:
  case CONIC_MESSAGE_DATA_CHANNEL:
  case CONIC_MESSAGE_BYE:
    receive_relayed (hub, peer, view);
    break;
  case CONIC_MESSAGE_REGISTER_REQUEST:
  case CONIC_MESSAGE_REGISTER_RESPONSE:
  case CONIC_MESSAGE_UNREGISTER_RESPONSE:
  case CONIC_MESSAGE_LIST_RESPONSE:
  case CONIC_MESSAGE_ERROR:
    /* Registrations went another way, and a view is never of what only hubs send. */
    g_return_if_reached ();
  }
}

/* Says what is no answer to a message. */
static void
tell (ConicHub *hub, ConicPeer *peer, ConicError code, const char *text)
{
  g_autoptr (ConicMessage) message = conic_message_new (CONIC_MESSAGE_ERROR);

  message->code = code;
  message->error_message = g_strdup (text);
  hub->stats.errors[code]++;
  peer->interface->send (peer, message);
}

static void
bid_farewell (ConicHub *hub, ConicPeer *peer)
{
  tell (hub, peer, CONIC_ERROR_SHUTTING_DOWN, "the hub is shutting down");
  close_peer (peer, CLOSE_GOING_AWAY, "shutting down");
}

void
conic_hub_add (ConicHub *hub, ConicPeer *peer, gint64 now)
{
  peer->id = NULL;
  peer->closing = FALSE;
  g_hash_table_add (hub->peers, peer);

  if (hub->shut_down)
    bid_farewell (hub, peer);
}

void
conic_hub_remove (ConicHub *hub, ConicPeer *peer, gboolean lost, gint64 now)
{
  ConicRegistration *registration;

  g_hash_table_remove (hub->peers, peer);
  if (peer->id == NULL)
    return;

  registration = conic_registry_lookup (hub->registry, peer->id);
  if (lost && hub->options.resume_window > 0 && !hub->shut_down)
    conic_registry_hold (hub->registry, registration, now + hub->options.resume_window);
  else
    conic_registry_remove (hub->registry, registration);
  trim_held (hub);
}

void
conic_hub_receive (ConicHub *hub, ConicPeer *peer, const ConicView *view, gint64 now)
{
  if (peer->closing)
    return;

  conic_hub_advance (hub, now);
  if (peer->dialect == CONIC_DIALECT_NONE)
    peer->dialect = view->dialect;

  if (view->type == CONIC_MESSAGE_REGISTER_REQUEST)
    receive_register (hub, peer, view);
  else if (peer->id == NULL)
    reply_error (hub, peer, view, CONIC_ERROR_NOT_REGISTERED, NULL, "register first");
  else
    receive_registered (hub, peer, view);
}

void
conic_hub_refuse (ConicHub *hub, ConicPeer *peer, const ConicView *view, const GError *error)
{
  ConicDialect dialect = peer->dialect;

  g_return_if_fail (error->domain == CONIC_ERROR);

  if (peer->closing)
    return;

  /* A bad message doesn't decide the connection's dialect, but it is answered in its own. */
  if (dialect == CONIC_DIALECT_NONE)
    peer->dialect = view->dialect;
  reply_error (hub, peer, view, (ConicError) error->code, NULL, error->message);
  peer->dialect = dialect;
}

void
conic_hub_warn (ConicHub *hub, ConicPeer *peer)
{
  if (!peer->closing)
    tell (hub, peer, CONIC_ERROR_RATE_LIMITED,
          "more than this hub takes from a client; the rest is read more slowly");
}

void
conic_hub_expire (ConicHub *hub, ConicPeer *peer)
{
  if (!peer->closing)
    close_peer (peer, CLOSE_EXPIRED, "token expired");
}

guint
conic_hub_set_denied (ConicHub *hub, const char *const *patterns)
{
  GHashTableIter iter;
  gpointer key;
  guint n = 0;

  g_strfreev (hub->denied);
  hub->denied = g_strdupv ((GStrv) patterns);

  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    ConicPeer *peer = key;

    if (peer->id == NULL || peer->closing || !is_denied (hub, peer->id))
      continue;
    close_peer (peer, CLOSE_DENIED, "denied");
    n++;
  }

  return n;
}

void
conic_hub_shut_down (ConicHub *hub)
{
  GHashTableIter iter;
  gpointer peer;

  hub->shut_down = TRUE;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, &peer, NULL)) {
    if (!((ConicPeer *) peer)->closing)
      bid_farewell (hub, peer);
  }
}

gint64
conic_hub_get_deadline (ConicHub *hub)
{
  const ConicRegistration *first = conic_registry_get_first_held (hub->registry);

  return first != NULL ? first->held_until : -1;
}

void
conic_hub_advance (ConicHub *hub, gint64 now)
{
  for (;;) {
    ConicRegistration *first = conic_registry_get_first_held (hub->registry);

    if (first == NULL || first->held_until > now)
      break;
    conic_registry_remove (hub->registry, first);
  }
}

guint
conic_hub_get_n_registered (ConicHub *hub)
{
  return conic_registry_get_n_connected (hub->registry);
}

guint
conic_hub_get_n_peers (ConicHub *hub)
{
  return g_hash_table_size (hub->peers);
}

const ConicHubStats *
conic_hub_get_stats (ConicHub *hub)
{
  return &hub->stats;
}
