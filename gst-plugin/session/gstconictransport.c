/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconictransport.h"

#include "gstconicassociation.h"
#include "gstconicpath.h"
#include "gstconicsessionerror.h"
#include "gstconictimer.h"

GST_DEBUG_CATEGORY_EXTERN (gst_conic_session_debug);
#define GST_CAT_DEFAULT gst_conic_session_debug

/* Milliseconds that the goodbye of a peer has to arrive after the end of its DTLS connection: it
 * takes the way over the hub, and says why. */
#define GOODBYE_TIME 2000

G_GNUC_PRINTF (3, 4)
static void
fail_with (GstConicTransport *self, GstConicSessionError code, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  error = g_error_new_valist (GST_CONIC_SESSION_ERROR, (int) code, format, args);
  va_end (args);
  self->handlers->failed (self->events->session, error);
}

/* --- how it does --- */

static gboolean
copy_field (GQuark field, const GValue *value, gpointer user_data)
{
  gst_structure_id_set_value (user_data, field, value);
  return TRUE;
}

static void
stats_event (GstConicSession *session, gpointer reply)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);
  GstStructure *stats;
  double rtcp_round_trip_time;

  if (reply == NULL)
    return;
  stats = gst_conic_stats_read (&self->stats_state, reply, g_get_monotonic_time ());
  gst_structure_set (stats, "peer-id", G_TYPE_STRING, self->peer_id, "session-id", G_TYPE_STRING,
                     self->session_id, NULL);
  /* webrtcbin 1.22 tells it by pads of media, and so not of a session that has messages only. */
  if (g_str_equal (gst_structure_get_string (stats, "path"), "unknown"))
    gst_structure_set (stats, "path", G_TYPE_STRING, gst_conic_path_get_kind (self->webrtcbin),
                       NULL);
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
read_stats (GstConicTransport *self)
{
  gst_conic_events_ask (self->events, self->webrtcbin, "get-stats", NULL, stats_event);
}

static gboolean
is_peer_alive (GstConicTransport *self)
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
  GstConicTransport *self = user_data;

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
check_connected (GstConicTransport *self)
{
  if (self->connected || !self->verified || !self->is_up)
    return;
  self->connected = TRUE;
  GST_INFO_OBJECT (self->events->session, "“%s”: connected, path: %s", self->peer_id,
                   gst_conic_path_get_kind (self->webrtcbin));
  self->pulse_timer =
      gst_conic_timer_start (self->events->context, "conic-session-pulse",
                             GST_CONIC_PULSE_INTERVAL * 1000, on_pulse_timer, self, NULL);
  read_stats (self);
  self->handlers->connected (self->events->session);
}

static void
verified_event (GstConicSession *session, gpointer data)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);
  GST_INFO_OBJECT (session, "“%s”: its certificate is the one in its description", self->peer_id);
  self->verified = TRUE;
  check_connected (self);
}

static void
refused_event (GstConicSession *session, gpointer data)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);
  fail_with (self, GST_CONIC_SESSION_ERROR_CERTIFICATE,
             "the certificate of “%s” is not the one in its session description: somebody between "
             "the two, perhaps the hub, has changed it. Nothing was sent or received",
             self->peer_id);
}

static gboolean
on_goodbye_timer (gpointer user_data)
{
  GstConicTransport *self = user_data;

  gst_conic_timer_stop (&self->goodbye_timer);
  fail_with (self, GST_CONIC_SESSION_ERROR_TRANSPORT, "“%s” closed the connection", self->peer_id);
  return G_SOURCE_REMOVE;
}

static void
closed_event (GstConicSession *session, gpointer data)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);
  if (self->goodbye_timer == NULL)
    self->goodbye_timer = gst_conic_timer_start (self->events->context, "conic-session-goodbye",
                                                 GOODBYE_TIME, on_goodbye_timer, self, NULL);
}

static void
on_judged (gboolean verified, gpointer user_data)
{
  GstConicTransport *self = gst_conic_session_get_transport (user_data);

  gst_conic_events_post (self->events, verified ? verified_event : refused_event, NULL, NULL);
}

static void
on_closed (gpointer user_data)
{
  GstConicTransport *self = gst_conic_session_get_transport (user_data);

  gst_conic_events_post (self->events, closed_event, NULL, NULL);
}

static const GstConicGateHandlers gate_handlers = {
    .judged = on_judged,
    .closed = on_closed,
};

/* (transfer none): what an enumeration's @value is called */
static const char *
get_nick (GType type, int value)
{
  g_autoptr (GEnumClass) enumeration = g_type_class_ref (type);
  const GEnumValue *entry = g_enum_get_value (enumeration, value);

  return entry != NULL ? entry->value_nick : "?";
}

/* For the log, where it is news only once. */
static void
log_states (GstConicTransport *self,
            GstWebRTCPeerConnectionState state,
            GstWebRTCICEConnectionState ice_state)
{
  GstWebRTCICEGatheringState gathering;

  g_object_get (self->webrtcbin, "ice-gathering-state", &gathering, NULL);
  if (state == self->logged_state && ice_state == self->logged_ice_state &&
      gathering == self->logged_gathering)
    return;
  self->logged_state = state;
  self->logged_ice_state = ice_state;
  self->logged_gathering = gathering;
  GST_INFO_OBJECT (self->events->session, "“%s”: connection %s, ICE %s, gathering of candidates %s",
                   self->peer_id, get_nick (GST_TYPE_WEBRTC_PEER_CONNECTION_STATE, state),
                   get_nick (GST_TYPE_WEBRTC_ICE_CONNECTION_STATE, ice_state),
                   get_nick (GST_TYPE_WEBRTC_ICE_GATHERING_STATE, gathering));
}

static void
connection_state_event (GstConicSession *session, gpointer data)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);
  GstWebRTCPeerConnectionState state;
  GstWebRTCICEConnectionState ice_state;

  g_object_get (self->webrtcbin, "connection-state", &state, "ice-connection-state", &ice_state,
                NULL);
  log_states (self, state, ice_state);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
    self->is_up = TRUE;
    check_connected (self);
  } else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
             ice_state == GST_WEBRTC_ICE_CONNECTION_STATE_FAILED) {
    fail_with (self, GST_CONIC_SESSION_ERROR_TRANSPORT, "%s “%s”",
               self->connected ? "the connection was lost to" : "no connection could be made to",
               self->peer_id);
  }
}

static void
on_notify_state (GstElement *webrtcbin, GParamSpec *pspec, GstConicSession *session)
{
  GstConicTransport *self = gst_conic_session_get_transport (session);

  gst_conic_events_post (self->events, connection_state_event, NULL, NULL);
}

void
gst_conic_transport_expect (GstConicTransport *self, const char *const *fingerprints)
{
  gst_conic_gate_expect (self->gate, fingerprints);
}

GstStructure *
gst_conic_transport_get_stats (GstConicTransport *self)
{
  GstStructure *stats;

  g_mutex_lock (&self->stats_lock);
  stats = self->stats != NULL ? gst_structure_copy (self->stats) : NULL;
  g_mutex_unlock (&self->stats_lock);
  return stats;
}

void
gst_conic_transport_open (GstConicTransport *self, GstElement *webrtcbin, guint timeout)
{
  GstConicSession *session = self->events->session;

  self->webrtcbin = gst_object_ref (webrtcbin);
  self->association = (int) gst_conic_association_claim (webrtcbin);
  self->timeout = timeout;
  self->gate =
      gst_conic_gate_new (webrtcbin, &gate_handlers, g_object_ref (session), g_object_unref);
  g_signal_connect_object (webrtcbin, "notify::connection-state", G_CALLBACK (on_notify_state),
                           session, 0);
  g_signal_connect_object (webrtcbin, "notify::ice-connection-state", G_CALLBACK (on_notify_state),
                           session, 0);
  g_signal_connect_object (webrtcbin, "notify::ice-gathering-state", G_CALLBACK (on_notify_state),
                           session, 0);
}

void
gst_conic_transport_close (GstConicTransport *self)
{
  gst_conic_timer_stop (&self->goodbye_timer);
  gst_conic_timer_stop (&self->pulse_timer);
  g_clear_pointer (&self->gate, gst_conic_gate_free);
  if (self->webrtcbin != NULL)
    g_signal_handlers_disconnect_by_data (self->webrtcbin, self->events->session);
  gst_clear_object (&self->webrtcbin);
}

void
gst_conic_transport_init (GstConicTransport *self,
                          GstConicEvents *events,
                          const GstConicTransportHandlers *handlers,
                          const char *peer_id,
                          const char *session_id)
{
  self->events = events;
  self->handlers = handlers;
  self->peer_id = peer_id;
  self->session_id = session_id;
  g_mutex_init (&self->stats_lock);
  self->round_trip_time = -1;
  self->association = -1;
}

void
gst_conic_transport_clear (GstConicTransport *self)
{
  if (self->association >= 0)
    gst_conic_association_release ((guint) self->association);
  g_clear_pointer (&self->stats, gst_structure_free);
  g_clear_pointer (&self->measures, gst_structure_free);
  g_mutex_clear (&self->stats_lock);
}
