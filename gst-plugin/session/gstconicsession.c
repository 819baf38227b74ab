/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One webrtcbin and its negotiation.
 *
 *   offerer   NEW ─ offer ─► OFFERING ─ description out ─► HAVE_OFFER ─ answer in ─► STABLE
 *   answerer  NEW ─ offer in ─► OFFERED ─ answer ─► ANSWERING ─ description out ─► STABLE
 *   again     STABLE ─ prepare ─► PREPARING ─ offer ─► OFFERING …, or STABLE ─ offer in ─► OFFERED …
 *
 * webrtcbin tells things in threads of its own; GstConicEvents takes each to the session's context,
 * where all the state below is read and written. */

#include "gstconicsession.h"

#include <string.h>

#include "gstconicevents.h"
#include "gstconicice.h"
#include "gstconictimer.h"
#include "gstconictransport.h"
#include "gstconictrickle.h"

GST_DEBUG_CATEGORY (gst_conic_session_debug);
#define GST_CAT_DEFAULT gst_conic_session_debug

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

struct _GstConicSession {
  GObject parent_instance;

  char *peer_id;
  char *session_id;
  gboolean offerer;
  GstConicEvents events;
  const GstConicSessionHandlers *handlers;
  gpointer user_data;

  SessionState state;
  GstElement *webrtcbin;
  GstSDPMessage *local;
  GstSDPMessage *remote;
  guint64 silent; /* set of sections in which nothing is sent any more */
  GPtrArray *
      codecs; /* (nullable elements): for each section that the offer had no codec for, what we have */

  guint timeout;
  GSource *deadline;
  GstConicTrickle trickle;
  GstConicTransport transport;
};

G_DEFINE_FINAL_TYPE (GstConicSession, gst_conic_session, G_TYPE_OBJECT)
G_DEFINE_QUARK (gst - conic - session - error - quark, gst_conic_session_error)

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
  self->deadline = gst_conic_timer_start (self->events.context, "conic-session-deadline",
                                          self->timeout * 1000, on_deadline, self, NULL);
}

/* --- candidates --- */

static void
on_local_candidate (GstConicSession *self, guint mline_index, const char *text)
{
  const char *mid = NULL;

  if (self->local != NULL)
    mid = gst_conic_sdp_get_mid (self->local, mline_index);
  self->handlers->candidate (self, mline_index, mid, text, self->user_data);
}

GstConicTrickle *
gst_conic_session_get_trickle (GstConicSession *self)
{
  return &self->trickle;
}

void
gst_conic_session_receive_candidate (GstConicSession *self,
                                     const char *mid,
                                     int mline_index,
                                     const char *candidate)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  gst_conic_trickle_receive (&self->trickle, self->remote, mid, mline_index, candidate);
}

/* --- descriptions --- */

static void
description_out (GstConicSession *self, GstWebRTCSDPType type)
{
  g_autofree char *text = gst_sdp_message_as_text (self->local);

  self->handlers->description (self, type, text, self->user_data);
  gst_conic_trickle_start (&self->trickle);
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
  gst_conic_trickle_resend (&self->trickle);
}

/* Both descriptions are in force. */
static void
settle (GstConicSession *self)
{
  if (self->transport.connected)
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
  if (is_offer)
    return;
  gst_conic_gate_hold (self->transport.gate, FALSE);
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
  for (guint i = 0; self->state == SESSION_ANSWERING && i < self->codecs->len; i++)
    if (g_ptr_array_index (self->codecs, i) != NULL)
      gst_conic_sdp_set_codecs (self->local, i, g_ptr_array_index (self->codecs, i));
  gst_conic_events_ask (&self->events, self->webrtcbin, "set-local-description", description,
                        local_set_event);
}

gboolean
gst_conic_session_prepare_offer (GstConicSession *self)
{
  g_return_val_if_fail (GST_IS_CONIC_SESSION (self), FALSE);

  if (self->state != SESSION_STABLE || !self->transport.connected)
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
  gst_conic_events_ask (&self->events, self->webrtcbin, "create-offer", NULL, created_event);
}

void
gst_conic_session_silence (GstConicSession *self, guint index)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  if (index < GST_CONIC_SDP_MEDIAS_MAX)
    self->silent |= G_GUINT64_CONSTANT (1) << index;
}

void
gst_conic_session_set_codecs (GstConicSession *self, guint index, const char *codecs)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));
  g_return_if_fail (index < GST_CONIC_SDP_MEDIAS_MAX);

  if (self->codecs->len <= index)
    g_ptr_array_set_size (self->codecs, (int) index + 1);
  g_free (g_ptr_array_index (self->codecs, index));
  g_ptr_array_index (self->codecs, index) = g_strdup (codecs);
}

static void
remote_set_event (GstConicSession *self, gpointer reply)
{
  if (!check_reply (self, reply, "the session description can't be used"))
    return;
  gst_conic_trickle_apply (&self->trickle, self->remote);
  if (self->state == SESSION_ANSWERING)
    gst_conic_events_ask (&self->events, self->webrtcbin, "create-answer", NULL, created_event);
  else if (self->state == SESSION_STABLE)
    settle (self);
}

static void
apply_remote (GstConicSession *self, GstWebRTCSDPType type)
{
  g_auto (GStrv) fingerprints = gst_conic_sdp_get_fingerprints (self->remote);
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  GstSDPMessage *copy;

  gst_conic_transport_expect (&self->transport, (const char *const *) fingerprints);
  gst_conic_gate_hold (self->transport.gate, type == GST_WEBRTC_SDP_TYPE_OFFER);
  gst_sdp_message_copy (self->remote, &copy);
  gst_conic_sdp_widen (copy);
  description = gst_webrtc_session_description_new (type, copy);
  gst_conic_events_ask (&self->events, self->webrtcbin, "set-remote-description", description,
                        remote_set_event);
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
  if (type == GST_WEBRTC_SDP_TYPE_OFFER && self->transport.connected)
    start_deadline (self);
  if (type == GST_WEBRTC_SDP_TYPE_OFFER)
    gst_conic_events_post (&self->events, offered_event, NULL, NULL);
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

  self->transport.round_trip_time = seconds;
}

void
gst_conic_session_set_measures (GstConicSession *self, GstStructure *measures)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  g_clear_pointer (&self->transport.measures, gst_structure_free);
  self->transport.measures = measures;
}

static void
on_transport_connected (GstConicSession *self)
{
  gst_conic_timer_stop (&self->deadline);
  self->handlers->connected (self, self->user_data);
}

static const GstConicTransportHandlers transport_handlers = {
    .connected = on_transport_connected,
    .failed = fail,
};

GstConicTransport *
gst_conic_session_get_transport (GstConicSession *self)
{
  return &self->transport;
}

void
gst_conic_session_open (GstConicSession *self, GstElement *webrtcbin, guint timeout)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));
  g_return_if_fail (self->webrtcbin == NULL);

  self->webrtcbin = gst_object_ref (webrtcbin);
  self->timeout = timeout;
  gst_conic_transport_open (&self->transport, webrtcbin, timeout);
  gst_conic_trickle_open (&self->trickle, webrtcbin);
  gst_conic_ice_configure (webrtcbin);
  start_deadline (self);
}

void
gst_conic_session_close (GstConicSession *self)
{
  g_return_if_fail (GST_IS_CONIC_SESSION (self));

  move (self, SESSION_CLOSED);
  self->events.is_over = TRUE;
  gst_conic_timer_stop (&self->deadline);
  gst_conic_trickle_close (&self->trickle);
  gst_conic_transport_close (&self->transport);
  gst_clear_object (&self->webrtcbin);
}

/* --- the object --- */

static void
gst_conic_session_finalize (GObject *object)
{
  GstConicSession *self = GST_CONIC_SESSION (object);

  g_free (self->peer_id);
  g_free (self->session_id);
  g_ptr_array_unref (self->codecs);
  g_clear_pointer (&self->local, gst_sdp_message_free);
  g_clear_pointer (&self->remote, gst_sdp_message_free);
  gst_conic_trickle_clear (&self->trickle);
  gst_conic_transport_clear (&self->transport);
  gst_conic_events_clear (&self->events);

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
  self->codecs = g_ptr_array_new_with_free_func (g_free);
  gst_conic_events_init (&self->events, self, context);
  gst_conic_trickle_init (&self->trickle, &self->events, on_local_candidate);
  gst_conic_transport_init (&self->transport, &self->events, &transport_handlers, self->peer_id,
                            self->session_id);
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
  return self->transport.connected;
}

GstStructure *
gst_conic_session_get_stats (GstConicSession *self)
{
  return gst_conic_transport_get_stats (&self->transport);
}
