/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The map of sessions, and the thread that signaling happens in.
 *
 *   hub ◄─ ConicClient ◄─► GstConicEndpoint ◄─► GstConicSession (one for each peer) ─► webrtcbin
 *                                 ▲
 *                              element
 *
 * Locks: sessions_lock guards the array of sessions, whose statistics the application reads; under
 * it only a session's lock is taken. All else belongs to the endpoint's thread, which takes no lock
 * of the element's that is held while gst_conic_endpoint_stop() waits for it. */

#include "gstconicendpoint.h"

#include <string.h>

#include "conic-client.h"
#include "gstconicmessages.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_endpoint_debug);
#define GST_CAT_DEFAULT gst_conic_endpoint_debug

/* The delays between two calls of a target that can't be reached, in milliseconds. */
#define CALL_DELAY_MIN 1000
#define CALL_DELAY_MAX 3000

/* Messages kept for a session that isn't there yet: candidates that overtake their offer, and
 * offers that come before the media is known. */
#define EARLY_MESSAGES_MAX 128

/* Events that are still run when the thread ends; a source that is always ready must not keep it. */
#define LEFTOVERS_MAX 1000

/* Sessions with one peer: one each way, and as many that are about to be replaced. */
#define SESSIONS_PER_PEER 4

struct _GstConicEndpoint {
  GObject parent_instance;

  GstElement *element; /* borrowed: it owns us */
  const GstConicEndpointHandlers *handlers;

  GstConicSettings settings;

  /* What the settings were at the start; but for target_id, fixed from then on. */
  char *uri;
  char *client_id;
  char *target_id; /* the thread's */
  guint session_timeout;
  guint max_sessions;

  GMutex sessions_lock;
  GPtrArray *sessions; /* (element-type GstConicSession): changed by the thread only */

  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  ConicClient *client;
  gboolean ready;
  gboolean stopping;
  GQueue early; /* ConicMessage */
  GSource *call_timer;
  guint call_delay;
};

G_DEFINE_FINAL_TYPE (GstConicEndpoint, gst_conic_endpoint, G_TYPE_OBJECT)

static void call_target (GstConicEndpoint *self);

/* --- sessions --- */

static GstConicSession *
find_session (GstConicEndpoint *self, const char *peer_id, const char *session_id)
{
  for (guint i = 0; peer_id != NULL && i < self->sessions->len; i++) {
    GstConicSession *session = g_ptr_array_index (self->sessions, i);
    const char *own = gst_conic_session_get_session_id (session);

    /* A peer that knows nothing of session ids has one session. */
    if (g_str_equal (gst_conic_session_get_peer_id (session), peer_id) &&
        (session_id == NULL || own == NULL || g_str_equal (own, session_id)))
      return session;
  }
  return NULL;
}

static ConicMessage *
new_message (ConicMessageType type, const char *peer_id, const char *session_id)
{
  ConicMessage *message = conic_message_new (type);

  message->to_id = g_strdup (peer_id);
  message->session_id = g_strdup (session_id);
  return message;
}

static ConicMessage *
new_session_message (GstConicSession *session, ConicMessageType type)
{
  return new_message (type, gst_conic_session_get_peer_id (session),
                      gst_conic_session_get_session_id (session));
}

static void
send_bye (GstConicEndpoint *self, const char *peer_id, const char *session_id, const char *reason)
{
  g_autoptr (ConicMessage) bye = new_message (CONIC_MESSAGE_BYE, peer_id, session_id);

  bye->reason = g_strdup (reason);
  conic_client_send (self->client, bye);
}

static gboolean
is_target (GstConicEndpoint *self, const char *peer_id)
{
  return self->target_id != NULL && g_str_equal (self->target_id, peer_id);
}

static gboolean
on_call_timer (gpointer user_data)
{
  GstConicEndpoint *self = user_data;

  g_clear_pointer (&self->call_timer, g_source_unref);
  call_target (self);
  return G_SOURCE_REMOVE;
}

/* Calls again after a while. Returns the delay in milliseconds. */
static guint
schedule_call (GstConicEndpoint *self)
{
  guint delay = self->call_delay;

  if (self->stopping || self->call_timer != NULL)
    return delay;
  self->call_delay = MIN (self->call_delay * 2, CALL_DELAY_MAX);
  self->call_timer =
      gst_conic_timer_start (self->context, "conic-call", delay, on_call_timer, self, NULL);
  return delay;
}

static void
remove_session (GstConicEndpoint *self, GstConicSession *session, gboolean by_peer)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);
  gboolean found;

  g_mutex_lock (&self->sessions_lock);
  found = g_ptr_array_remove (self->sessions, session);
  g_mutex_unlock (&self->sessions_lock);
  if (!found)
    return;
  self->handlers->session_closed (self->element, session, by_peer);
  gst_conic_session_close (session);
}

/* The session ended, well or not; tells the application. */
static void
lose_session (GstConicEndpoint *self, GstConicSession *session, const GError *error)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);
  gboolean target = is_target (self, gst_conic_session_get_peer_id (session));

  remove_session (self, session, FALSE);
  gst_conic_messages_session_failed (self->element, session, error->message);
  if (target &&
      g_error_matches (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_CERTIFICATE))
    gst_conic_messages_error (self->element, error);
  else
    gst_conic_messages_warning (self->element, error, target ? schedule_call (self) : 0);
}

static void
on_description (GstConicSession *session,
                GstWebRTCSDPType type,
                const char *sdp,
                gpointer user_data)
{
  GstConicEndpoint *self = user_data;
  g_autoptr (ConicMessage) message = new_session_message (session, CONIC_MESSAGE_SDP);

  message->sdp_type = type == GST_WEBRTC_SDP_TYPE_OFFER ? CONIC_SDP_OFFER : CONIC_SDP_ANSWER;
  message->sdp = g_strdup (sdp);
  conic_client_send (self->client, message);
}

static void
on_candidate (GstConicSession *session,
              guint mline_index,
              const char *mid,
              const char *candidate,
              gpointer user_data)
{
  GstConicEndpoint *self = user_data;
  g_autoptr (ConicMessage) message = new_session_message (session, CONIC_MESSAGE_CANDIDATE);

  message->candidate = g_strdup (candidate);
  message->sdp_mid = g_strdup (mid);
  message->sdp_mline_index = (int) mline_index;
  conic_client_send (self->client, message);
}

static void
on_offered (GstConicSession *session, gpointer user_data)
{
  GstConicEndpoint *self = user_data;

  self->handlers->session_negotiate (self->element, session);
}

static void
on_connected (GstConicSession *session, gpointer user_data)
{
  GstConicEndpoint *self = user_data;

  if (is_target (self, gst_conic_session_get_peer_id (session)))
    self->call_delay = CALL_DELAY_MIN;
  self->handlers->session_connected (self->element, session);
  gst_conic_messages_session_started (self->element, session);
}

void
gst_conic_endpoint_fail_session (GstConicEndpoint *self,
                                 GstConicSession *session,
                                 const GError *error)
{
  send_bye (self, gst_conic_session_get_peer_id (session),
            gst_conic_session_get_session_id (session), error->message);
  lose_session (self, session, error);
}

static void
on_failed (GstConicSession *session, const GError *error, gpointer user_data)
{
  gst_conic_endpoint_fail_session (user_data, session, error);
}

static const GstConicSessionHandlers session_handlers = {
    .description = on_description,
    .candidate = on_candidate,
    .offered = on_offered,
    .connected = on_connected,
    .failed = on_failed,
};

static void
add_early_candidates (GstConicEndpoint *self, GstConicSession *session)
{
  const char *peer_id = gst_conic_session_get_peer_id (session);

  for (GList *l = self->early.head, *next; l != NULL; l = next) {
    ConicMessage *message = l->data;

    next = l->next;
    if (message->type != CONIC_MESSAGE_CANDIDATE || g_strcmp0 (message->from_id, peer_id) != 0 ||
        g_strcmp0 (message->session_id, gst_conic_session_get_session_id (session)) != 0)
      continue;
    gst_conic_session_receive_candidate (session, message->sdp_mid, message->sdp_mline_index,
                                         message->candidate);
    g_queue_delete_link (&self->early, l);
    conic_message_free (message);
  }
}

/* (transfer none) (nullable): NULL when the element refused; the peer is then told */
static GstConicSession *
add_session (GstConicEndpoint *self, const char *peer_id, const char *session_id, gboolean offerer)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session =
      gst_conic_session_new (peer_id, session_id, offerer, self->context, &session_handlers, self);

  g_mutex_lock (&self->sessions_lock);
  g_ptr_array_add (self->sessions, session);
  g_mutex_unlock (&self->sessions_lock);
  if (!self->handlers->session_new (self->element, session, &error)) {
    send_bye (self, peer_id, session_id, error->message);
    lose_session (self, session, error);
    return NULL;
  }
  add_early_candidates (self, session);
  return session;
}

void
gst_conic_endpoint_end_session (GstConicEndpoint *self,
                                GstConicSession *session,
                                const char *reason)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);

  send_bye (self, gst_conic_session_get_peer_id (session),
            gst_conic_session_get_session_id (session), reason);
  remove_session (self, session, FALSE);
  gst_conic_messages_session_ended (self->element, session, reason);
}

static void
call_target (GstConicEndpoint *self)
{
  g_autofree char *session_id = NULL;
  GstConicSession *session;

  if (self->target_id == NULL || !self->ready || self->stopping || self->client == NULL ||
      !conic_client_is_registered (self->client))
    return;
  gst_conic_timer_stop (&self->call_timer);

  session = find_session (self, self->target_id, NULL);
  if (session != NULL) {
    gst_conic_session_resend (session);
    return;
  }
  session_id = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  session = add_session (self, self->target_id, session_id, TRUE);
  if (session != NULL)
    self->handlers->session_negotiate (self->element, session);
}

/* The target isn't there, or won't take the call: the offer that is made will do for the next try. */
static void
hold_call (GstConicEndpoint *self, GstConicSession *session, const GError *error)
{
  /* The hub answers each candidate that followed the offer, too. */
  if (self->call_timer != NULL)
    return;
  gst_conic_session_hold (session);
  gst_conic_messages_warning (self->element, error, schedule_call (self));
}

/* --- messages --- */

static void
keep_early (GstConicEndpoint *self, const ConicMessage *message)
{
  if (g_queue_get_length (&self->early) >= EARLY_MESSAGES_MAX)
    conic_message_free (g_queue_pop_head (&self->early));
  g_queue_push_tail (&self->early, conic_message_copy (message));
}

/* Both sides have called at once: the call of the id that sorts lower wins. Returns whether the
 * offer that came is to be ignored. */
static gboolean
resolve_glare (GstConicEndpoint *self, const char *peer_id)
{
  GstConicSession *ours = find_session (self, peer_id, NULL);

  if (ours == NULL || !gst_conic_session_has_local_offer (ours))
    return FALSE;
  if (strcmp (conic_client_get_id (self->client), peer_id) < 0)
    return TRUE;
  remove_session (self, ours, FALSE);
  return FALSE;
}

/* Every session costs threads and sockets; nobody gets all of them. */
static gboolean
may_add_session (GstConicEndpoint *self, const char *peer_id)
{
  guint n_of_peer = 0;

  for (guint i = 0; i < self->sessions->len; i++)
    if (g_str_equal (gst_conic_session_get_peer_id (g_ptr_array_index (self->sessions, i)),
                     peer_id))
      n_of_peer++;
  return n_of_peer < SESSIONS_PER_PEER && self->sessions->len < self->max_sessions;
}

static void
on_offer (GstConicEndpoint *self, const ConicMessage *message)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session;

  if (!self->ready) {
    keep_early (self, message);
    return;
  }
  if (self->target_id != NULL && !is_target (self, message->from_id)) {
    send_bye (self, message->from_id, message->session_id, "this peer takes no calls");
    return;
  }
  if (resolve_glare (self, message->from_id))
    return;

  session = find_session (self, message->from_id, message->session_id);
  if (session != NULL && !gst_conic_session_is_continued_by (session, message->sdp)) {
    /* The peer has started anew without a goodbye. */
    remove_session (self, session, FALSE);
    gst_conic_messages_session_ended (self->element, session, "replaced by a new call");
    session = NULL;
  }
  if (session == NULL && !may_add_session (self, message->from_id)) {
    send_bye (self, message->from_id, message->session_id,
              "this peer has no room for another session");
    return;
  }
  if (session == NULL)
    session = add_session (self, message->from_id, message->session_id, FALSE);
  if (session != NULL && !gst_conic_session_receive_description (session, GST_WEBRTC_SDP_TYPE_OFFER,
                                                                 message->sdp, &error))
    gst_conic_endpoint_fail_session (self, session, error);
}

static void
on_answer (GstConicEndpoint *self, const ConicMessage *message)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session = find_session (self, message->from_id, message->session_id);

  if (session == NULL) {
    GST_INFO_OBJECT (self->element, "answer of %s without a call", message->from_id);
    return;
  }
  if (gst_conic_session_receive_description (session, GST_WEBRTC_SDP_TYPE_ANSWER, message->sdp,
                                             &error))
    return;
  if (g_error_matches (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_STATE))
    GST_INFO_OBJECT (self->element, "%s", error->message);
  else
    gst_conic_endpoint_fail_session (self, session, error);
}

static void
on_remote_candidate (GstConicEndpoint *self, const ConicMessage *message)
{
  GstConicSession *session = find_session (self, message->from_id, message->session_id);

  if (session != NULL)
    gst_conic_session_receive_candidate (session, message->sdp_mid, message->sdp_mline_index,
                                         message->candidate);
  else
    keep_early (self, message);
}

static void
on_bye (GstConicEndpoint *self, const ConicMessage *message)
{
  GstConicSession *session = find_session (self, message->from_id, message->session_id);
  g_autoptr (GstConicSession) keep = NULL;
  g_autoptr (GError) error = NULL;
  const char *reason = message->reason != NULL ? message->reason : "no reason given";

  if (session == NULL)
    return;
  if (gst_conic_session_has_local_offer (session)) {
    error = gst_conic_messages_new_refusal (message->from_id, reason);
    hold_call (self, session, error);
    return;
  }
  keep = g_object_ref (session);
  remove_session (self, session, TRUE);
  gst_conic_messages_session_ended (self->element, session, reason);
}

static void
on_error (GstConicEndpoint *self, const ConicMessage *message)
{
  GstConicSession *session = find_session (self, message->to_id, NULL);
  g_autoptr (GError) error = NULL;

  GST_INFO_OBJECT (self->element, "the hub says %s: %s", conic_error_to_code (message->code),
                   message->error_message != NULL ? message->error_message : "");
  if (session == NULL || gst_conic_session_is_connected (session))
    return;
  error = g_error_new (CONIC_ERROR, (int) message->code, "could not call “%s”: %s", message->to_id,
                       message->error_message != NULL ? message->error_message
                                                      : conic_error_to_code (message->code));
  if (gst_conic_session_has_local_offer (session))
    hold_call (self, session, error);
  else
    lose_session (self, session, error);
}

static void
on_client_message (ConicClient *client, const ConicMessage *message, GstConicEndpoint *self)
{
  if (message->type != CONIC_MESSAGE_ERROR && message->from_id == NULL)
    return;

  switch (message->type) {
  case CONIC_MESSAGE_SDP:
    if (message->sdp_type == CONIC_SDP_OFFER)
      on_offer (self, message);
    else if (message->sdp_type == CONIC_SDP_ANSWER)
      on_answer (self, message);
    break;
  case CONIC_MESSAGE_CANDIDATE:
    on_remote_candidate (self, message);
    break;
  case CONIC_MESSAGE_BYE:
    on_bye (self, message);
    break;
  case CONIC_MESSAGE_ERROR:
    on_error (self, message);
    break;
  default:
    break;
  }
}

static void
on_client_registered (ConicClient *client, const char *id, GstConicEndpoint *self)
{
  gst_conic_settings_set_connected (&self->settings, self->element, TRUE, id);
  gst_conic_messages_registered (self->element, id);
  call_target (self);
}

static void
on_client_lost (ConicClient *client, const GError *error, guint delay, GstConicEndpoint *self)
{
  g_autoptr (GError) located = gst_conic_messages_at_hub (error, self->uri, self->client_id);

  gst_conic_settings_set_connected (&self->settings, self->element, FALSE, NULL);
  gst_conic_messages_warning (self->element, located, delay);
}

static void
on_client_failed (ConicClient *client, const GError *error, GstConicEndpoint *self)
{
  g_autoptr (GError) located = gst_conic_messages_at_hub (error, self->uri, self->client_id);

  gst_conic_settings_set_connected (&self->settings, self->element, FALSE, NULL);
  gst_conic_messages_error (self->element, located);
}

/* --- the thread --- */

typedef struct {
  GstConicEndpoint *endpoint;
  GstConicEndpointFunc func;
  gpointer data;
  GDestroyNotify free_data;
} Invocation;

static void
invocation_free (gpointer data)
{
  Invocation *invocation = data;

  if (invocation->free_data != NULL && invocation->data != NULL)
    invocation->free_data (invocation->data);
  g_free (invocation);
}

static gboolean
on_invocation (gpointer data)
{
  Invocation *invocation = data;

  invocation->func (invocation->endpoint->element, invocation->data);
  return G_SOURCE_REMOVE;
}

void
gst_conic_endpoint_invoke (GstConicEndpoint *self,
                           GstConicEndpointFunc func,
                           gpointer data,
                           GDestroyNotify free_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Invocation *invocation = g_new0 (Invocation, 1);

  /* Borrowed: the context, and with it what was never run, goes with the endpoint. */
  invocation->endpoint = self;
  invocation->func = func;
  invocation->data = data;
  invocation->free_data = free_data;
  g_source_set_static_name (source, "conic-endpoint-invoke");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_invocation, invocation, invocation_free);
  g_source_attach (source, self->context);
}

static void
quit_loop (gpointer user_data)
{
  GstConicEndpoint *self = user_data;

  g_main_loop_quit (self->loop);
}

static void
stop_in_thread (GstElement *element, gpointer data)
{
  GstConicEndpoint *self = data;

  self->stopping = TRUE;
  gst_conic_timer_stop (&self->call_timer);
  while (self->sessions->len > 0)
    gst_conic_endpoint_end_session (self, g_ptr_array_index (self->sessions, 0), "the peer left");
  self->handlers->stopping (self->element);
  conic_client_stop (self->client, quit_loop, self);
}

static void
ready_in_thread (GstElement *element, gpointer data)
{
  GstConicEndpoint *self = data;
  GQueue early = self->early;
  ConicMessage *message;

  if (self->ready || self->stopping)
    return;
  self->ready = TRUE;
  g_queue_init (&self->early);
  while ((message = g_queue_pop_head (&early)) != NULL) {
    on_client_message (self->client, message, self);
    conic_message_free (message);
  }
  call_target (self);
}

static gpointer
run_thread (gpointer data)
{
  GstConicEndpoint *self = data;

  g_main_context_push_thread_default (self->context);
  self->client = conic_client_new ();
  g_signal_connect (self->client, "registered", G_CALLBACK (on_client_registered), self);
  g_signal_connect (self->client, "message", G_CALLBACK (on_client_message), self);
  g_signal_connect (self->client, "lost", G_CALLBACK (on_client_lost), self);
  g_signal_connect (self->client, "failed", G_CALLBACK (on_client_failed), self);
  conic_client_start (self->client, self->uri, self->client_id);

  g_main_loop_run (self->loop);

  g_signal_handlers_disconnect_by_data (self->client, self);
  g_clear_object (&self->client);
  /* What was posted meanwhile holds references that only running it lets go. */
  for (guint i = 0; i < LEFTOVERS_MAX && g_main_context_iteration (self->context, FALSE); i++)
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

void
gst_conic_endpoint_start (GstConicEndpoint *self)
{
  g_return_if_fail (self->thread == NULL);

  g_free (self->uri);
  g_free (self->client_id);
  g_free (self->target_id);
  g_mutex_lock (&self->settings.lock);
  self->uri = g_strdup (self->settings.uri);
  self->client_id = g_strdup (self->settings.client_id);
  self->target_id = g_strdup (self->settings.target_id);
  self->session_timeout = self->settings.session_timeout;
  self->max_sessions = self->settings.max_sessions;
  g_mutex_unlock (&self->settings.lock);
  self->stopping = FALSE;
  self->ready = FALSE;
  self->call_delay = CALL_DELAY_MIN;
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("conic-signaling", run_thread, self);
}

void
gst_conic_endpoint_stop (GstConicEndpoint *self)
{
  if (self->thread == NULL)
    return;
  gst_conic_endpoint_invoke (self, stop_in_thread, self, NULL);
  g_thread_join (g_steal_pointer (&self->thread));
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_queue_clear_full (&self->early, (GDestroyNotify) conic_message_free);
  gst_conic_settings_set_connected (&self->settings, self->element, FALSE, NULL);
}

void
gst_conic_endpoint_set_ready (GstConicEndpoint *self)
{
  gst_conic_endpoint_invoke (self, ready_in_thread, self, NULL);
}

/* --- settings --- */

gboolean
gst_conic_endpoint_has_target (GstConicEndpoint *self)
{
  gboolean has_target;

  g_mutex_lock (&self->settings.lock);
  has_target = self->settings.target_id != NULL;
  g_mutex_unlock (&self->settings.lock);
  return has_target;
}

guint
gst_conic_endpoint_get_session_timeout (GstConicEndpoint *self)
{
  return self->session_timeout;
}

/* (transfer full) */
static GstStructure *
get_stats (GstConicEndpoint *self)
{
  GstStructure *stats = gst_structure_new_empty ("conic-stats");
  GValue sessions = G_VALUE_INIT;

  g_value_init (&sessions, GST_TYPE_ARRAY);
  for (guint i = 0; i < self->sessions->len; i++) {
    GstStructure *one = gst_conic_session_get_stats (g_ptr_array_index (self->sessions, i));
    GValue item = G_VALUE_INIT;

    if (one == NULL)
      continue;
    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&item, one);
    gst_value_array_append_and_take_value (&sessions, &item);
  }
  gst_structure_take_value (stats, "sessions", &sessions);
  return stats;
}

/* The one setting that may change while the element runs: it is then a call. */
static void
set_target_in_thread (GstElement *element, gpointer data)
{
  GstConicEndpoint *self = data;

  g_free (self->target_id);
  g_mutex_lock (&self->settings.lock);
  self->target_id = g_strdup (self->settings.target_id);
  g_mutex_unlock (&self->settings.lock);
  call_target (self);
}

gboolean
gst_conic_endpoint_set_property (GstConicEndpoint *self, guint id, const GValue *value)
{
  if (!gst_conic_settings_set (&self->settings, id, value))
    return FALSE;
  if (id == GST_CONIC_PROP_TARGET_ID)
    gst_conic_endpoint_invoke (self, set_target_in_thread, self, NULL);
  return TRUE;
}

gboolean
gst_conic_endpoint_get_property (GstConicEndpoint *self, guint id, GValue *value)
{
  if (id != GST_CONIC_PROP_STATS)
    return gst_conic_settings_get (&self->settings, id, value);
  g_mutex_lock (&self->sessions_lock);
  g_value_take_boxed (value, get_stats (self));
  g_mutex_unlock (&self->sessions_lock);
  return TRUE;
}

void
gst_conic_endpoint_configure (GstConicEndpoint *self, GstElement *webrtcbin)
{
  gst_conic_settings_configure (&self->settings, self->element, webrtcbin);
}

/* --- the object --- */

static void
gst_conic_endpoint_finalize (GObject *object)
{
  GstConicEndpoint *self = GST_CONIC_ENDPOINT (object);

  g_free (self->uri);
  g_free (self->client_id);
  g_free (self->target_id);
  gst_conic_settings_clear (&self->settings);
  g_ptr_array_unref (self->sessions);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->sessions_lock);

  G_OBJECT_CLASS (gst_conic_endpoint_parent_class)->finalize (object);
}

static void
gst_conic_endpoint_class_init (GstConicEndpointClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_endpoint_finalize;

  GST_DEBUG_CATEGORY_INIT (gst_conic_endpoint_debug, "conicendpoint", 0, "Conic endpoint");
}

static void
gst_conic_endpoint_init (GstConicEndpoint *self)
{
  g_mutex_init (&self->sessions_lock);
  g_queue_init (&self->early);
  gst_conic_settings_init (&self->settings);
  self->sessions = g_ptr_array_new_with_free_func (g_object_unref);
  self->context = g_main_context_new ();
}

GstConicEndpoint *
gst_conic_endpoint_new (GstElement *element, const GstConicEndpointHandlers *handlers)
{
  GstConicEndpoint *self = g_object_new (GST_TYPE_CONIC_ENDPOINT, NULL);

  self->element = element;
  self->handlers = handlers;
  return self;
}
