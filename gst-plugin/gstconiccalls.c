/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconiccalls.h"

#include <string.h>

#include "conic-backoff.h"
#include "gstconicmailbox.h"
#include "gstconicmessages.h"
#include "gstconicsessions.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY (gst_conic_calls_debug);
#define GST_CAT_DEFAULT gst_conic_calls_debug

/* The delays between two calls of a target that can't be reached, in milliseconds. */
#define CALL_DELAY_MIN 1000
#define CALL_DELAY_MAX 5000

/* What the reason of a goodbye begins with when the session broke and the peer stays: the other side
 * may call again at once. */
#define LOST_PREFIX "lost: "

/* Sessions with one peer: one each way, and as many that are about to be replaced. */
#define SESSIONS_PER_PEER 4

struct _GstConicCalls {
  GstElement *element; /* borrowed */
  const GstConicCallsHandlers *handlers;
  GMainContext *context;

  GstConicMailbox mailbox;
  char *target_id;
  guint max_sessions;
  gboolean ready;
  gboolean stopping;

  GstConicSessions sessions;

  GSource *call_timer;
  ConicBackoff call_backoff;
};

static void call_target (GstConicCalls *self);

/* --- sessions --- */

static void
send_message (GstConicCalls *self, const ConicMessage *message)
{
  gst_conic_messages_log (self->element, message);
  gst_conic_mailbox_send (&self->mailbox, message, !self->stopping);
}

/* What is for a session that has ended meanwhile is not wanted any more, but for its goodbye. */
static gboolean
is_wanted (const ConicMessage *message, gpointer user_data)
{
  GstConicCalls *self = user_data;

  return message->type == CONIC_MESSAGE_BYE ||
         gst_conic_sessions_find (&self->sessions, message->to_id, message->session_id) != NULL;
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
send_bye (GstConicCalls *self, const char *peer_id, const char *session_id, const char *reason)
{
  g_autoptr (ConicMessage) bye = new_message (CONIC_MESSAGE_BYE, peer_id, session_id);

  bye->reason = g_strdup (reason);
  send_message (self, bye);
}

static gboolean
is_target (GstConicCalls *self, const char *peer_id)
{
  return self->target_id != NULL && g_str_equal (self->target_id, peer_id);
}

static gboolean
on_call_timer (gpointer user_data)
{
  GstConicCalls *self = user_data;

  g_clear_pointer (&self->call_timer, g_source_unref);
  call_target (self);
  return G_SOURCE_REMOVE;
}

/* Calls again after a while. Returns the delay in milliseconds. */
static guint
schedule_call (GstConicCalls *self)
{
  guint delay = conic_backoff_draw (&self->call_backoff);

  if (self->stopping || self->call_timer != NULL)
    return delay;
  conic_backoff_grow (&self->call_backoff);
  self->call_timer =
      gst_conic_timer_start (self->context, "conic-call", delay, on_call_timer, self, NULL);
  return delay;
}

static void
remove_session (GstConicCalls *self, GstConicSession *session, gboolean by_peer)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);

  if (!gst_conic_sessions_remove (&self->sessions, session))
    return;
  self->handlers->session_closed (self->element, session, by_peer);
  gst_conic_session_close (session);
}

/* The session broke; tells the application, and calls again. */
static void
lose_session (GstConicCalls *self, GstConicSession *session, const GError *error)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);
  gboolean again = is_target (self, gst_conic_session_get_peer_id (session)) &&
                   self->handlers->calls_again (self->element, FALSE);

  remove_session (self, session, FALSE);
  gst_conic_messages_session_failed (self->element, session, error->message);
  if (again &&
      g_error_matches (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_CERTIFICATE))
    gst_conic_messages_error (self->element, error);
  else
    gst_conic_messages_warning (self->element, error, again ? schedule_call (self) : 0);
}

static void
on_description (GstConicSession *session,
                GstWebRTCSDPType type,
                const char *sdp,
                gpointer user_data)
{
  GstConicCalls *self = user_data;
  g_autoptr (ConicMessage) message = new_session_message (session, CONIC_MESSAGE_SDP);

  message->sdp_type = type == GST_WEBRTC_SDP_TYPE_OFFER ? CONIC_SDP_OFFER : CONIC_SDP_ANSWER;
  message->sdp = g_strdup (sdp);
  send_message (self, message);
}

static void
on_candidate (GstConicSession *session,
              guint mline_index,
              const char *mid,
              const char *candidate,
              gpointer user_data)
{
  GstConicCalls *self = user_data;
  g_autoptr (ConicMessage) message = new_session_message (session, CONIC_MESSAGE_CANDIDATE);

  message->candidate = g_strdup (candidate);
  message->sdp_mid = g_strdup (mid);
  message->sdp_mline_index = (int) mline_index;
  send_message (self, message);
}

static void
on_offered (GstConicSession *session, gpointer user_data)
{
  GstConicCalls *self = user_data;

  self->handlers->session_negotiate (self->element, session);
}

static void
on_stable (GstConicSession *session, gpointer user_data)
{
  GstConicCalls *self = user_data;

  self->handlers->session_stable (self->element, session);
}

static void
on_connected (GstConicSession *session, gpointer user_data)
{
  GstConicCalls *self = user_data;

  if (is_target (self, gst_conic_session_get_peer_id (session)))
    conic_backoff_reset (&self->call_backoff);
  self->handlers->session_connected (self->element, session);
  gst_conic_messages_session_started (self->element, session);
}

void
gst_conic_calls_fail (GstConicCalls *self, GstConicSession *session, const GError *error)
{
  g_autofree char *reason = g_strconcat (LOST_PREFIX, error->message, NULL);

  send_bye (self, gst_conic_session_get_peer_id (session),
            gst_conic_session_get_session_id (session), reason);
  lose_session (self, session, error);
}

static void
on_failed (GstConicSession *session, const GError *error, gpointer user_data)
{
  gst_conic_calls_fail (user_data, session, error);
}

static const GstConicSessionHandlers session_handlers = {
    .description = on_description,
    .candidate = on_candidate,
    .offered = on_offered,
    .stable = on_stable,
    .connected = on_connected,
    .failed = on_failed,
};

static void
add_early_candidates (GstConicCalls *self, GstConicSession *session)
{
  ConicMessage *message;

  while ((message = gst_conic_mailbox_take_candidate (
              &self->mailbox, gst_conic_session_get_peer_id (session),
              gst_conic_session_get_session_id (session))) != NULL) {
    gst_conic_session_receive_candidate (session, message->sdp_mid, message->sdp_mline_index,
                                         message->candidate);
    conic_message_free (message);
  }
}

/* (transfer none) (nullable): NULL when the element refused; the peer is then told */
static GstConicSession *
add_session (GstConicCalls *self, const char *peer_id, const char *session_id, gboolean offerer)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session =
      gst_conic_session_new (peer_id, session_id, offerer, self->context, &session_handlers, self);

  GST_INFO_OBJECT (self->element, "“%s”: session %s, %s", peer_id, session_id,
                   offerer ? "a call to it" : "a call from it");
  gst_conic_sessions_add (&self->sessions, session);
  if (!self->handlers->session_new (self->element, session, &error)) {
    send_bye (self, peer_id, session_id, error->message);
    lose_session (self, session, error);
    return NULL;
  }
  add_early_candidates (self, session);
  return session;
}

void
gst_conic_calls_end (GstConicCalls *self, GstConicSession *session, const char *reason)
{
  g_autoptr (GstConicSession) keep = g_object_ref (session);

  send_bye (self, gst_conic_session_get_peer_id (session),
            gst_conic_session_get_session_id (session), reason);
  remove_session (self, session, FALSE);
  gst_conic_messages_session_ended (self->element, session, reason);
}

static void
call_target (GstConicCalls *self)
{
  g_autofree char *session_id = NULL;
  GstConicSession *session;

  if (self->target_id == NULL || !self->ready || self->stopping || self->mailbox.client == NULL ||
      !conic_client_is_registered (self->mailbox.client))
    return;
  gst_conic_timer_stop (&self->call_timer);

  session = gst_conic_sessions_find (&self->sessions, self->target_id, NULL);
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
hold_call (GstConicCalls *self, GstConicSession *session, const GError *error)
{
  /* The hub answers each candidate that followed the offer, too. */
  if (self->call_timer != NULL)
    return;
  gst_conic_session_hold (session);
  gst_conic_messages_warning (self->element, error, schedule_call (self));
}

/* --- messages --- */

/* Both sides have changed a running session at once, and webrtcbin 1.22 can't take back its offer:
 * the call begins anew. The other side sees that from our goodbye to its offer. */
static void
begin_anew (GstConicCalls *self, GstConicSession *session)
{
  g_autoptr (GError) error = g_error_new (GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_STATE,
                                          "“%s” changed the session while this side did",
                                          gst_conic_session_get_peer_id (session));

  gst_conic_calls_fail (self, session, error);
}

/* Both sides have called at once: the call of the id that sorts lower wins. Returns whether the
 * offer that came has been dealt with. */
static gboolean
resolve_glare (GstConicCalls *self, const char *peer_id)
{
  GstConicSession *ours = gst_conic_sessions_find (&self->sessions, peer_id, NULL);

  if (ours == NULL || !gst_conic_session_has_local_offer (ours))
    return FALSE;
  if (strcmp (conic_client_get_id (self->mailbox.client), peer_id) < 0) {
    /* Held back because the peer wasn't there? It is now. */
    if (self->call_timer != NULL && is_target (self, peer_id))
      call_target (self);
    return TRUE;
  }
  if (gst_conic_session_is_connected (ours)) {
    begin_anew (self, ours);
    return TRUE;
  }
  remove_session (self, ours, FALSE);
  return FALSE;
}

/* Every session costs threads and sockets; nobody gets all of them. */
static gboolean
may_add_session (GstConicCalls *self, const char *peer_id)
{
  return gst_conic_sessions_count (&self->sessions, peer_id) < SESSIONS_PER_PEER &&
         self->sessions.all->len < self->max_sessions;
}

static void
on_offer (GstConicCalls *self, const ConicMessage *message)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session;

  if (!self->ready) {
    gst_conic_mailbox_keep (&self->mailbox, message);
    return;
  }
  if (self->target_id != NULL && !is_target (self, message->from_id)) {
    send_bye (self, message->from_id, message->session_id, "this peer takes no calls");
    return;
  }
  if (resolve_glare (self, message->from_id))
    return;

  session = gst_conic_sessions_find (&self->sessions, message->from_id, message->session_id);
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
    gst_conic_calls_fail (self, session, error);
}

static void
on_answer (GstConicCalls *self, const ConicMessage *message)
{
  g_autoptr (GError) error = NULL;
  GstConicSession *session =
      gst_conic_sessions_find (&self->sessions, message->from_id, message->session_id);

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
    gst_conic_calls_fail (self, session, error);
}

static void
on_remote_candidate (GstConicCalls *self, const ConicMessage *message)
{
  GstConicSession *session =
      gst_conic_sessions_find (&self->sessions, message->from_id, message->session_id);

  if (session != NULL)
    gst_conic_session_receive_candidate (session, message->sdp_mid, message->sdp_mline_index,
                                         message->candidate);
  else
    gst_conic_mailbox_keep (&self->mailbox, message);
}

static void
on_bye (GstConicCalls *self, const ConicMessage *message)
{
  GstConicSession *session =
      gst_conic_sessions_find (&self->sessions, message->from_id, message->session_id);
  g_autoptr (GstConicSession) keep = NULL;
  g_autoptr (GError) error = NULL;
  const char *reason = message->reason != NULL ? message->reason : "no reason given";
  gboolean again;

  if (session == NULL)
    return;
  if (gst_conic_session_has_local_offer (session) && !gst_conic_session_is_connected (session)) {
    error = gst_conic_messages_new_refusal (message->from_id, reason);
    hold_call (self, session, error);
    return;
  }
  if (g_str_has_prefix (reason, LOST_PREFIX)) {
    error = gst_conic_messages_new_loss (message->from_id, reason + strlen (LOST_PREFIX));
    lose_session (self, session, error);
    return;
  }
  keep = g_object_ref (session);
  again = is_target (self, message->from_id) && self->handlers->calls_again (self->element, TRUE);
  remove_session (self, session, !again);
  gst_conic_messages_session_ended (self->element, session, reason);
  if (again)
    schedule_call (self);
}

static void
on_error (GstConicCalls *self, const ConicMessage *message)
{
  GstConicSession *session = gst_conic_sessions_find (&self->sessions, message->to_id, NULL);
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

void
gst_conic_calls_receive (GstConicCalls *self, const ConicMessage *message)
{
  if (self->stopping || (message->type != CONIC_MESSAGE_ERROR && message->from_id == NULL))
    return;

  gst_conic_messages_log (self->element, message);
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

/* --- the whole --- */

/* An offer that a former target hasn't taken stands in the way of that peer's own call. */
static void
end_untaken_calls (GstConicCalls *self)
{
  for (guint i = self->sessions.all->len; i > 0; i--) {
    GstConicSession *session = g_ptr_array_index (self->sessions.all, i - 1);

    if (!is_target (self, gst_conic_session_get_peer_id (session)) &&
        gst_conic_session_has_local_offer (session) && !gst_conic_session_is_connected (session))
      gst_conic_calls_end (self, session, "the call was given up");
  }
}

void
gst_conic_calls_set_target (GstConicCalls *self, const char *target_id)
{
  g_free (self->target_id);
  self->target_id = g_strdup (target_id);
  conic_backoff_reset (&self->call_backoff);
  gst_conic_timer_stop (&self->call_timer);
  end_untaken_calls (self);
  call_target (self);
}

void
gst_conic_calls_set_ready (GstConicCalls *self)
{
  GQueue early;
  ConicMessage *message;

  if (self->ready || self->stopping)
    return;
  self->ready = TRUE;
  early = gst_conic_mailbox_take_all (&self->mailbox);
  while ((message = g_queue_pop_head (&early)) != NULL) {
    gst_conic_calls_receive (self, message);
    conic_message_free (message);
  }
  call_target (self);
}

void
gst_conic_calls_resume (GstConicCalls *self)
{
  gst_conic_mailbox_flush (&self->mailbox, is_wanted, self);
  call_target (self);
}

void
gst_conic_calls_start (GstConicCalls *self, const char *target_id, guint max_sessions)
{
  g_free (self->target_id);
  self->target_id = g_strdup (target_id);
  self->max_sessions = max_sessions;
  self->ready = FALSE;
  self->stopping = FALSE;
  conic_backoff_reset (&self->call_backoff);
}

void
gst_conic_calls_set_client (GstConicCalls *self, ConicClient *client)
{
  self->mailbox.client = client;
}

void
gst_conic_calls_stop (GstConicCalls *self)
{
  self->stopping = TRUE;
  gst_conic_timer_stop (&self->call_timer);
  while (self->sessions.all->len > 0)
    gst_conic_calls_end (self, g_ptr_array_index (self->sessions.all, 0), "the peer left");
  gst_conic_mailbox_clear (&self->mailbox);
  self->handlers->stopping (self->element);
}

GstStructure *
gst_conic_calls_get_stats (GstConicCalls *self)
{
  return gst_conic_sessions_get_stats (&self->sessions);
}

GstConicCalls *
gst_conic_calls_new (GstElement *element,
                     const GstConicCallsHandlers *handlers,
                     GMainContext *context)
{
  GstConicCalls *self = g_new0 (GstConicCalls, 1);

  GST_DEBUG_CATEGORY_INIT (gst_conic_calls_debug, "coniccalls", 0, "Conic calls");

  self->element = element;
  self->handlers = handlers;
  self->context = g_main_context_ref (context);
  gst_conic_sessions_init (&self->sessions);
  gst_conic_mailbox_init (&self->mailbox);
  conic_backoff_init (&self->call_backoff, CALL_DELAY_MIN, CALL_DELAY_MAX);
  return self;
}

void
gst_conic_calls_free (GstConicCalls *self)
{
  gst_conic_mailbox_clear (&self->mailbox);
  g_free (self->target_id);
  gst_conic_sessions_clear (&self->sessions);
  g_main_context_unref (self->context);
  g_free (self);
}
