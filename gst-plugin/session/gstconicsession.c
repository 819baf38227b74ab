/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One webrtcbin and its negotiation.
 *
 *   offerer   NEW ─ offer ─► OFFERING ─ description out ─► HAVE_OFFER ─ answer in ─► STABLE
 *   answerer  NEW ─ offer in ─► OFFERED ─ answer ─► ANSWERING ─ description out ─► STABLE
 *   again     STABLE ─ prepare ─► PREPARING ─ offer ─► OFFERING …, or STABLE ─ offer in ─► OFFERED …
 *
 * webrtcbin tells things in threads of its own; post() takes each to the session's context, where
 * all the state below is read and written. */

#include "gstconicsession.h"

#include <string.h>

#include "gstconicgate.h"
#include "gstconicice.h"
#include "gstconicpath.h"
#include "gstconicpulse.h"
#include "gstconicstats.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_session_debug);
#define GST_CAT_DEFAULT gst_conic_session_debug

/* Early candidates that are kept. A host with many addresses gathers a few dozen. */
#define EARLY_CANDIDATES_MAX 256

/* Milliseconds that the goodbye of a peer has to arrive after the end of its DTLS connection: it
 * takes the way over the hub, and says why. */
#define GOODBYE_TIME 2000

typedef enum {
  SESSION_NEW,
  SESSION_PREPARING,
  SESSION_OFFERING,
  SESSION_HAVE_OFFER,
  SESSION_OFFERED,
  SESSION_ANSWERING,
  SESSION_STABLE,
  SESSION_CLOSED,
} SessionState;

typedef struct {
  int mline_index;
  char *mid;
  char *candidate;
} Candidate;

struct _GstConicSession {
  GObject parent_instance;

  char *peer_id;
  char *session_id;
  gboolean offerer;
  GMainContext *context;
  const GstConicSessionHandlers *handlers;
  gpointer user_data;

  SessionState state;
  GstElement *webrtcbin;
  GstConicGate *gate;
  GstSDPMessage *local;
  GstSDPMessage *remote;
  gboolean local_sent;
  gboolean remote_applied;
  guint64 silent;           /* set of sections in which nothing is sent any more */
  GQueue local_candidates;  /* Candidate: all that were gathered */
  GQueue remote_candidates; /* Candidate: came before the description did */

  guint timeout;
  GSource *deadline;
  GSource *goodbye_timer;
  GSource *pulse_timer;
  GstConicPulse pulse;
  gboolean verified;
  gboolean transport_up;
  gboolean connected;

  GMutex stats_lock; /* innermost */
  GstStructure *stats;
  GstConicStats stats_state;
  double round_trip_time;
  GstStructure *measures; /* (nullable) */
};

G_DEFINE_FINAL_TYPE (GstConicSession, gst_conic_session, G_TYPE_OBJECT)
G_DEFINE_QUARK (gst - conic - session - error - quark, gst_conic_session_error)

static Candidate *
candidate_new (int mline_index, const char *mid, const char *text)
{
  Candidate *candidate = g_new0 (Candidate, 1);

  candidate->mline_index = mline_index;
  candidate->mid = g_strdup (mid);
  candidate->candidate = g_strdup (text);
  return candidate;
}

static void
candidate_free (Candidate *candidate)
{
  g_free (candidate->mid);
  g_free (candidate->candidate);
  g_free (candidate);
}

/* --- from webrtcbin's threads to ours --- */

typedef void (*EventFunc) (GstConicSession *self, gpointer data);

typedef struct {
  GstConicSession *session;
  EventFunc func;
  gpointer data;
  GDestroyNotify free_data;
} Event;

static void
event_free (gpointer data)
{
  Event *event = data;

  if (event->free_data != NULL && event->data != NULL)
    event->free_data (event->data);
  g_object_unref (event->session);
  g_free (event);
}

static gboolean
on_event (gpointer data)
{
  Event *event = data;

  if (event->session->state != SESSION_CLOSED)
    event->func (event->session, event->data);
  return G_SOURCE_REMOVE;
}

static void
post (GstConicSession *self, EventFunc func, gpointer data, GDestroyNotify free_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Event *event = g_new0 (Event, 1);

  event->session = g_object_ref (self);
  event->func = func;
  event->data = data;
  event->free_data = free_data;
  g_source_set_static_name (source, "conic-session-event");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_event, event, event_free);
  g_source_attach (source, self->context);
}

typedef struct {
  GstConicSession *session;
  EventFunc func;
} Reply;

static void
reply_free (gpointer data)
{
  Reply *reply = data;

  g_object_unref (reply->session);
  g_free (reply);
}

static void
on_promise_changed (GstPromise *promise, gpointer user_data)
{
  Reply *reply = user_data;
  const GstStructure *structure = NULL;

  if (gst_promise_wait (promise) == GST_PROMISE_RESULT_REPLIED)
    structure = gst_promise_get_reply (promise);
  else
    structure = NULL;
  post (reply->session, reply->func, structure != NULL ? gst_structure_copy (structure) : NULL,
        (GDestroyNotify) gst_structure_free);
}

/* Emits a signal of webrtcbin's that takes @argument and a promise; what is promised is given to @func
 * as a GstStructure, NULL if empty. The promise is webrtcbin's alone, which may drop it unanswered. */
static void
ask (GstConicSession *self, const char *signal, gpointer argument, EventFunc func)
{
  Reply *reply = g_new0 (Reply, 1);
  g_autoptr (GstPromise) promise = NULL;

  reply->session = g_object_ref (self);
  reply->func = func;
  promise = gst_promise_new_with_change_func (on_promise_changed, reply, reply_free);
  g_signal_emit_by_name (self->webrtcbin, signal, argument, promise);
}

/* --- the end --- */

static void
fail (GstConicSession *self, const GError *error)
{
  g_autoptr (GstConicSession) keep = g_object_ref (self);

  GST_INFO_OBJECT (self, "session with %s failed: %s", self->peer_id, error->message);
  if (self->state != SESSION_CLOSED)
    self->handlers->failed (self, error, self->user_data);
}

G_GNUC_PRINTF (3, 4)
static void
fail_with (GstConicSession *self, GstConicSessionError code, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  error = g_error_new_valist (GST_CONIC_SESSION_ERROR, (int) code, format, args);
  va_end (args);
  fail (self, error);
}

/* Whether @reply says that webrtcbin did what it was asked; fails the session if not. */
static gboolean
check_reply (GstConicSession *self, const GstStructure *reply, const char *what)
{
  g_autoptr (GError) error = NULL;

  if (reply == NULL || !gst_structure_has_field_typed (reply, "error", G_TYPE_ERROR))
    return TRUE;
  gst_structure_get (reply, "error", G_TYPE_ERROR, &error, NULL);
  fail_with (self, GST_CONIC_SESSION_ERROR_NEGOTIATION, "%s: %s", what, error->message);
  return FALSE;
}

/* --- states --- */

/* The moves that there are; a renegotiation starts anew from STABLE. */
static gboolean
may_move (SessionState from, SessionState to)
{
  switch (to) {
  case SESSION_PREPARING:
    return from == SESSION_STABLE;
  case SESSION_OFFERING:
    return from == SESSION_NEW || from == SESSION_PREPARING;
  case SESSION_OFFERED:
    return from == SESSION_NEW || from == SESSION_STABLE;
  case SESSION_HAVE_OFFER:
    return from == SESSION_OFFERING;
  case SESSION_ANSWERING:
    return from == SESSION_OFFERED;
  case SESSION_STABLE:
    return from == SESSION_HAVE_OFFER || from == SESSION_ANSWERING;
  case SESSION_CLOSED:
    return TRUE;
  case SESSION_NEW:
  default:
    return FALSE;
  }
}

static gboolean
move (GstConicSession *self, SessionState to)
{
  if (!may_move (self->state, to)) {
    GST_WARNING_OBJECT (self, "no move from state %d to %d", self->state, to);
    return FALSE;
  }
  self->state = to;
  return TRUE;
}

/* What hasn't happened in time. */
static void
fail_late (GstConicSession *self)
{
  GstWebRTCICEConnectionState ice;

  g_object_get (self->webrtcbin, "ice-connection-state", &ice, NULL);
  if (self->state == SESSION_HAVE_OFFER)
    fail_with (self, GST_CONIC_SESSION_ERROR_TIMEOUT, "no answer from “%s” came within %u s",
               self->peer_id, self->timeout);
  else if (self->state != SESSION_STABLE)
    fail_with (self, GST_CONIC_SESSION_ERROR_TIMEOUT,
               "the session with “%s” was not described within %u s: no media came to describe",
               self->peer_id, self->timeout);
  else if (ice == GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED ||
           ice == GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED)
    fail_with (self, GST_CONIC_SESSION_ERROR_TIMEOUT,
               "“%s” was reached, but the DTLS handshake did not end within %u s", self->peer_id,
               self->timeout);
  else
    fail_with (self, GST_CONIC_SESSION_ERROR_TIMEOUT,
               "no path to “%s” was found within %u s: set stun-server or turn-servers if the two "
               "are in different networks",
               self->peer_id, self->timeout);
}

static gboolean
on_deadline (gpointer user_data)
{
  GstConicSession *self = user_data;

  gst_conic_timer_stop (&self->deadline);
  fail_late (self);
  return G_SOURCE_REMOVE;
}

static void
start_deadline (GstConicSession *self)
{
  gst_conic_timer_stop (&self->deadline);
  self->deadline = gst_conic_timer_start (self->context, "conic-session-deadline",
                                          self->timeout * 1000, on_deadline, self, NULL);
}

/* --- candidates --- */

static void
send_candidate (GstConicSession *self, const Candidate *candidate)
{
  const char *mid = NULL;

  if (self->local != NULL)
    mid = gst_conic_sdp_get_mid (self->local, (guint) candidate->mline_index);
  self->handlers->candidate (self, (guint) candidate->mline_index, mid, candidate->candidate,
                             self->user_data);
}

static void
local_candidate_event (GstConicSession *self, gpointer data)
{
  Candidate *candidate = data;

  g_queue_push_tail (&self->local_candidates,
                     candidate_new (candidate->mline_index, NULL, candidate->candidate));
  if (self->local_sent)
    send_candidate (self, candidate);
}

static void
on_ice_candidate (GstElement *webrtcbin, guint mline, const char *text, GstConicSession *self)
{
  post (self, local_candidate_event, candidate_new ((int) mline, NULL, text),
        (GDestroyNotify) candidate_free);
}

static void
apply_candidate (GstConicSession *self, const Candidate *candidate)
{
  int index = -1;

  if (candidate->mid != NULL)
    index = gst_conic_sdp_find_mid (self->remote, candidate->mid);
  if (index < 0)
    index = candidate->mline_index;
  if (index < 0 || (guint) index >= gst_sdp_message_medias_len (self->remote)) {
    GST_INFO_OBJECT (self, "candidate for a media section that %s doesn't have", self->peer_id);
    return;
  }
  g_signal_emit_by_name (self->webrtcbin, "add-ice-candidate", (guint) index, candidate->candidate);
}

void
gst_conic_session_receive_candidate (GstConicSession *self,
                                     const char *mid,
                                     int mline_index,
                                     const char *candidate)
{
  Candidate *copy;

  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  /* webrtcbin 1.22 has no end of candidates, which is an empty one; it goes on checking until it
   * has a pair. */
  if (!gst_conic_sdp_is_candidate (candidate)) {
    GST_INFO_OBJECT (self, "not a candidate for us: %.40s", candidate);
    return;
  }
  copy = candidate_new (mline_index, mid, candidate);
  if (self->remote_applied) {
    apply_candidate (self, copy);
    candidate_free (copy);
  } else if (g_queue_get_length (&self->remote_candidates) < EARLY_CANDIDATES_MAX) {
    g_queue_push_tail (&self->remote_candidates, copy);
  } else {
    candidate_free (copy);
  }
}

/* --- descriptions --- */

static void
send_candidates (GstConicSession *self)
{
  for (GList *l = self->local_candidates.head; l != NULL; l = l->next)
    send_candidate (self, l->data);
}

static void
description_out (GstConicSession *self, GstWebRTCSDPType type)
{
  g_autofree char *text = gst_sdp_message_as_text (self->local);
  gboolean first = !self->local_sent;

  self->handlers->description (self, type, text, self->user_data);
  self->local_sent = TRUE;
  if (first)
    send_candidates (self);
}

void
gst_conic_session_hold (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  gst_conic_timer_stop (&self->deadline);
}

void
gst_conic_session_resend (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  if (self->state != SESSION_HAVE_OFFER)
    return;
  start_deadline (self);
  description_out (self, GST_WEBRTC_SDP_TYPE_OFFER);
  send_candidates (self);
}

/* Both descriptions are in force. */
static void
settle (GstConicSession *self)
{
  if (self->connected)
    gst_conic_timer_stop (&self->deadline);
  self->handlers->stable (self, self->user_data);
}

static void
local_set_event (GstConicSession *self, gpointer reply)
{
  gboolean is_offer = self->state == SESSION_OFFERING;

  if (!check_reply (self, reply, "webrtcbin refused its own description"))
    return;
  if (!move (self, is_offer ? SESSION_HAVE_OFFER : SESSION_STABLE))
    return;
  description_out (self, is_offer ? GST_WEBRTC_SDP_TYPE_OFFER : GST_WEBRTC_SDP_TYPE_ANSWER);
  if (!is_offer)
    settle (self);
}

static void
created_event (GstConicSession *self, gpointer reply)
{
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  const char *name = self->state == SESSION_OFFERING ? "offer" : "answer";

  if (!check_reply (self, reply, "webrtcbin could not describe its media"))
    return;
  if (reply != NULL)
    gst_structure_get (reply, name, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, NULL);
  if (description == NULL) {
    fail_with (self, GST_CONIC_SESSION_ERROR_NEGOTIATION, "webrtcbin made no %s", name);
    return;
  }
  g_clear_pointer (&self->local, gst_sdp_message_free);
  gst_sdp_message_copy (description->sdp, &self->local);
  gst_conic_sdp_narrow (self->local, self->state == SESSION_OFFERING ? NULL : self->remote,
                        self->silent);
  ask (self, "set-local-description", description, local_set_event);
}

gboolean
gst_conic_session_prepare_offer (GstConicSession *self)
{
  g_return_val_if_fail (GST_IS_CONIC_SESSION (self), FALSE);

  if (self->state != SESSION_STABLE || !self->connected)
    return FALSE;
  start_deadline (self);
  return move (self, SESSION_PREPARING);
}

void
gst_conic_session_offer (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  if (!move (self, SESSION_OFFERING))
    return;
  ask (self, "create-offer", NULL, created_event);
}

void
gst_conic_session_silence (GstConicSession *self, guint index)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  if (index < GST_CONIC_SDP_MEDIAS_MAX)
    self->silent |= G_GUINT64_CONSTANT (1) << index;
}

static void
remote_set_event (GstConicSession *self, gpointer reply)
{
  Candidate *candidate;

  if (!check_reply (self, reply, "the session description can't be used"))
    return;
  self->remote_applied = TRUE;
  while ((candidate = g_queue_pop_head (&self->remote_candidates)) != NULL) {
    apply_candidate (self, candidate);
    candidate_free (candidate);
  }
  if (self->state == SESSION_ANSWERING)
    ask (self, "create-answer", NULL, created_event);
  else if (self->state == SESSION_STABLE)
    settle (self);
}

static void
apply_remote (GstConicSession *self, GstWebRTCSDPType type)
{
  g_auto (GStrv) fingerprints = gst_conic_sdp_get_fingerprints (self->remote);
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  GstSDPMessage *copy;

  gst_conic_gate_expect (self->gate, (const char *const *) fingerprints);
  gst_sdp_message_copy (self->remote, &copy);
  gst_conic_sdp_widen (copy);
  description = gst_webrtc_session_description_new (type, copy);
  ask (self, "set-remote-description", description, remote_set_event);
}

void
gst_conic_session_answer (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  if (move (self, SESSION_ANSWERING))
    apply_remote (self, GST_WEBRTC_SDP_TYPE_OFFER);
}

static void
offered_event (GstConicSession *self, gpointer data)
{
  self->handlers->offered (self, self->user_data);
}

gboolean
gst_conic_session_receive_description (GstConicSession *self,
                                       GstWebRTCSDPType type,
                                       const char *text,
                                       GError **error)
{
  g_autoptr (GstSDPMessage) sdp = NULL;
  SessionState next = type == GST_WEBRTC_SDP_TYPE_OFFER ? SESSION_OFFERED : SESSION_STABLE;

  g_return_val_if_fail (GST_IS_CONIC_SESSION (self), FALSE);

  if ((type != GST_WEBRTC_SDP_TYPE_OFFER && type != GST_WEBRTC_SDP_TYPE_ANSWER) ||
      !may_move (self->state, next) ||
      (next == SESSION_STABLE && self->state != SESSION_HAVE_OFFER)) {
    g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_STATE,
                 "“%s” sent an unexpected %s", self->peer_id, gst_webrtc_sdp_type_to_string (type));
    return FALSE;
  }
  sdp = gst_conic_sdp_parse (text, next == SESSION_STABLE ? self->local : self->remote, error);
  if (sdp != NULL && next == SESSION_STABLE &&
      gst_sdp_message_medias_len (sdp) != gst_sdp_message_medias_len (self->local)) {
    g_clear_pointer (&sdp, gst_sdp_message_free);
    g_set_error_literal (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_DESCRIPTION,
                         "it has not the media sections of the offer");
  }
  if (sdp == NULL) {
    g_prefix_error (error, "the %s of “%s” can't be used: ", gst_webrtc_sdp_type_to_string (type),
                    self->peer_id);
    return FALSE;
  }
  g_clear_pointer (&self->remote, gst_sdp_message_free);
  self->remote = g_steal_pointer (&sdp);
  move (self, next);
  if (type == GST_WEBRTC_SDP_TYPE_OFFER && self->connected)
    start_deadline (self);
  if (type == GST_WEBRTC_SDP_TYPE_OFFER)
    post (self, offered_event, NULL, NULL);
  else
    apply_remote (self, type);
  return TRUE;
}

gboolean
gst_conic_session_is_continued_by (GstConicSession *self, const char *text)
{
  g_autoptr (GstSDPMessage) sdp = NULL;
  GstSDPMessage *parsed = NULL;

  g_return_val_if_fail (GST_IS_CONIC_SESSION (self), FALSE);

  if (self->remote == NULL)
    return FALSE;
  if (*text != '\0' && gst_sdp_message_new_from_text (text, &parsed) == GST_SDP_OK)
    sdp = parsed;
  return sdp != NULL && g_strcmp0 (gst_sdp_message_get_origin (sdp)->sess_id,
                                   gst_sdp_message_get_origin (self->remote)->sess_id) == 0;
}

/* --- the transport --- */

void
gst_conic_session_set_round_trip_time (GstConicSession *self, double seconds)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  self->round_trip_time = seconds;
}

void
gst_conic_session_set_measures (GstConicSession *self, GstStructure *measures)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  g_clear_pointer (&self->measures, gst_structure_free);
  self->measures = measures;
}

static gboolean
copy_field (GQuark field, const GValue *value, gpointer user_data)
{
  gst_structure_id_set_value (user_data, field, value);
  return TRUE;
}

static void
stats_event (GstConicSession *self, gpointer reply)
{
  GstStructure *stats;
  double rtcp_round_trip_time;

  if (reply == NULL)
    return;
  stats = gst_conic_stats_read (&self->stats_state, reply, g_get_monotonic_time ());
  gst_structure_set (stats, "peer-id", G_TYPE_STRING, self->peer_id, "session-id", G_TYPE_STRING,
                     self->session_id, NULL);
  gst_conic_stats_read_twcc (self->webrtcbin, stats);
  if (self->measures != NULL)
    gst_structure_foreach (self->measures, copy_field, stats);
  if (gst_structure_get_double (stats, "round-trip-time", &rtcp_round_trip_time) &&
      rtcp_round_trip_time < 0)
    gst_structure_set (stats, "round-trip-time", G_TYPE_DOUBLE, self->round_trip_time, NULL);
  g_mutex_lock (&self->stats_lock);
  g_clear_pointer (&self->stats, gst_structure_free);
  self->stats = stats;
  g_mutex_unlock (&self->stats_lock);
}

static void
read_stats (GstConicSession *self)
{
  ask (self, "get-stats", NULL, stats_event);
}

static gboolean
is_peer_alive (GstConicSession *self)
{
  GstConicPulseCounts counts = {.packets = gst_conic_gate_count_packets (self->gate)};

  counts.has_mark = gst_conic_path_read_mark (self->webrtcbin, &counts.mark);
  /* While it is paused, webrtcbin hears nothing. */
  if (GST_STATE (self->webrtcbin) != GST_STATE_PLAYING)
    gst_conic_pulse_reset (&self->pulse);
  /* Who has answered our owner's measurements is asked again each second. */
  return gst_conic_pulse_beat (&self->pulse, &counts, self->round_trip_time >= 0, self->timeout);
}

static gboolean
on_pulse_timer (gpointer user_data)
{
  GstConicSession *self = user_data;

  if (is_peer_alive (self)) {
    read_stats (self);
    return G_SOURCE_CONTINUE;
  }
  fail_with (self, GST_CONIC_SESSION_ERROR_TIMEOUT,
             "“%s” is gone: nothing was heard of it for %u s", self->peer_id,
             self->pulse.silence * GST_CONIC_PULSE_INTERVAL);
  return G_SOURCE_REMOVE;
}

static void
check_connected (GstConicSession *self)
{
  if (self->connected || !self->verified || !self->transport_up)
    return;
  self->connected = TRUE;
  gst_conic_timer_stop (&self->deadline);
  self->pulse_timer =
      gst_conic_timer_start (self->context, "conic-session-pulse", GST_CONIC_PULSE_INTERVAL * 1000,
                             on_pulse_timer, self, NULL);
  read_stats (self);
  self->handlers->connected (self, self->user_data);
}

static void
verified_event (GstConicSession *self, gpointer data)
{
  self->verified = TRUE;
  check_connected (self);
}

static void
refused_event (GstConicSession *self, gpointer data)
{
  fail_with (self, GST_CONIC_SESSION_ERROR_CERTIFICATE,
             "the certificate of “%s” is not the one in its session description: somebody between "
             "the two, perhaps the hub, has changed it. Nothing was sent or received",
             self->peer_id);
}

static gboolean
on_goodbye_timer (gpointer user_data)
{
  GstConicSession *self = user_data;

  gst_conic_timer_stop (&self->goodbye_timer);
  fail_with (self, GST_CONIC_SESSION_ERROR_TRANSPORT, "“%s” closed the connection", self->peer_id);
  return G_SOURCE_REMOVE;
}

static void
closed_event (GstConicSession *self, gpointer data)
{
  if (self->goodbye_timer == NULL)
    self->goodbye_timer = gst_conic_timer_start (self->context, "conic-session-goodbye",
                                                 GOODBYE_TIME, on_goodbye_timer, self, NULL);
}

static void
on_judged (gboolean verified, gpointer user_data)
{
  post (user_data, verified ? verified_event : refused_event, NULL, NULL);
}

static void
on_closed (gpointer user_data)
{
  post (user_data, closed_event, NULL, NULL);
}

static const GstConicGateHandlers gate_handlers = {
    .judged = on_judged,
    .closed = on_closed,
};

static void
connection_state_event (GstConicSession *self, gpointer data)
{
  GstWebRTCPeerConnectionState state;
  GstWebRTCICEConnectionState ice_state;

  g_object_get (self->webrtcbin, "connection-state", &state, "ice-connection-state", &ice_state,
                NULL);
  GST_DEBUG_OBJECT (self, "connection state %d, ICE connection state %d", state, ice_state);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
    self->transport_up = TRUE;
    check_connected (self);
  } else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
             ice_state == GST_WEBRTC_ICE_CONNECTION_STATE_FAILED) {
    fail_with (self, GST_CONIC_SESSION_ERROR_TRANSPORT, "%s “%s”",
               self->connected ? "the connection was lost to" : "no connection could be made to",
               self->peer_id);
  }
}

static void
on_notify_state (GstElement *webrtcbin, GParamSpec *pspec, GstConicSession *self)
{
  post (self, connection_state_event, NULL, NULL);
}

void
gst_conic_session_open (GstConicSession *self, GstElement *webrtcbin, guint timeout)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));
  g_return_if_fail (self->webrtcbin == NULL);

  self->webrtcbin = gst_object_ref (webrtcbin);
  self->timeout = timeout;
  self->gate = gst_conic_gate_new (webrtcbin, &gate_handlers, g_object_ref (self), g_object_unref);
  g_signal_connect_object (webrtcbin, "on-ice-candidate", G_CALLBACK (on_ice_candidate), self, 0);
  g_signal_connect_object (webrtcbin, "notify::connection-state", G_CALLBACK (on_notify_state),
                           self, 0);
  g_signal_connect_object (webrtcbin, "notify::ice-connection-state", G_CALLBACK (on_notify_state),
                           self, 0);
  gst_conic_ice_configure (webrtcbin);
  start_deadline (self);
}

void
gst_conic_session_close (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  move (self, SESSION_CLOSED);
  gst_conic_timer_stop (&self->deadline);
  gst_conic_timer_stop (&self->goodbye_timer);
  gst_conic_timer_stop (&self->pulse_timer);
  g_clear_pointer (&self->gate, gst_conic_gate_free);
  if (self->webrtcbin != NULL)
    g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
  gst_clear_object (&self->webrtcbin);
}

/* --- the object --- */

static void
gst_conic_session_finalize (GObject *object)
{
  GstConicSession *self = GST_CONIC_SESSION (object);

  g_free (self->peer_id);
  g_free (self->session_id);
  g_clear_pointer (&self->local, gst_sdp_message_free);
  g_clear_pointer (&self->remote, gst_sdp_message_free);
  g_queue_clear_full (&self->local_candidates, (GDestroyNotify) candidate_free);
  g_queue_clear_full (&self->remote_candidates, (GDestroyNotify) candidate_free);
  g_clear_pointer (&self->stats, gst_structure_free);
  g_clear_pointer (&self->measures, gst_structure_free);
  g_mutex_clear (&self->stats_lock);
  g_main_context_unref (self->context);

  G_OBJECT_CLASS (gst_conic_session_parent_class)->finalize (object);
}

static void
gst_conic_session_class_init (GstConicSessionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_conic_session_finalize;

  GST_DEBUG_CATEGORY_INIT (gst_conic_session_debug, "conicsession", 0, "Conic session");
}

static void
gst_conic_session_init (GstConicSession *self)
{
  g_mutex_init (&self->stats_lock);
  self->round_trip_time = -1;
}

GstConicSession *
gst_conic_session_new (const char *peer_id,
                       const char *session_id,
                       gboolean offerer,
                       GMainContext *context,
                       const GstConicSessionHandlers *handlers,
                       gpointer user_data)
{
  GstConicSession *self = g_object_new (GST_TYPE_CONIC_SESSION, NULL);

  self->peer_id = g_strdup (peer_id);
  self->session_id = g_strdup (session_id);
  self->offerer = offerer;
  self->context = g_main_context_ref (context);
  self->handlers = handlers;
  self->user_data = user_data;
  return self;
}

const char *
gst_conic_session_get_peer_id (GstConicSession *self)
{
  return self->peer_id;
}

const char *
gst_conic_session_get_session_id (GstConicSession *self)
{
  return self->session_id;
}

const GstSDPMessage *
gst_conic_session_get_remote_description (GstConicSession *self)
{
  return self->remote;
}

const GstSDPMessage *
gst_conic_session_get_local_description (GstConicSession *self)
{
  return self->local;
}

gboolean
gst_conic_session_has_local_offer (GstConicSession *self)
{
  return self->state == SESSION_PREPARING || self->state == SESSION_OFFERING ||
         self->state == SESSION_HAVE_OFFER || (self->state == SESSION_NEW && self->offerer);
}

gboolean
gst_conic_session_is_offerer (GstConicSession *self)
{
  return self->offerer;
}

gboolean
gst_conic_session_is_connected (GstConicSession *self)
{
  return self->connected;
}

GstStructure *
gst_conic_session_get_stats (GstConicSession *self)
{
  GstStructure *stats;

  g_mutex_lock (&self->stats_lock);
  stats = self->stats != NULL ? gst_structure_copy (self->stats) : NULL;
  g_mutex_unlock (&self->stats_lock);
  return stats;
}
