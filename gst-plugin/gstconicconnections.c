/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All but what may be called from any thread happens in the endpoint's. */

#include "gstconicconnections.h"

#include "gstconicbasebin.h"
#include "gstconicdepartures.h"
#include "gstconicobjects.h"
#include "gstconicpause.h"
#include "gstconictimer.h"

/* Milliseconds between the end of the last stream and EOS: what is encoded still has to pass the
 * branches and webrtcbin. */
#define EOS_LINGER 150

/* Milliseconds, beyond the latency, that what is under way gets when the other side has left. */
#define DRAIN_TIME 100

struct _GstConicConnections {
  GstElement *element; /* borrowed, as the next two */
  GstConicEndpoint *endpoint;
  const GstConicMediaSettings *settings;

  GstConicDepartures *departures;
  GstConicPause pause;
  GSource *eos_timer; /* the endpoint's thread's */

  GMutex lock;    /* innermost */
  GPtrArray *all; /* (element-type GstConicConnection): changed by the endpoint's thread only,
                     under the lock */
};

static GstConicConnections *
get_connections (GstElement *element)
{
  return gst_conic_base_bin_get_connections (GST_CONIC_BASE_BIN (element));
}

static GstConicConnection *
find_connection (GstConicConnections *self, GstConicSession *session)
{
  for (guint i = 0; i < self->all->len; i++) {
    GstConicConnection *connection = g_ptr_array_index (self->all, i);

    if (gst_conic_connection_get_session (connection) == session)
      return connection;
  }
  return NULL;
}

GstElement *
gst_conic_connections_find_webrtcbin (GstConicConnections *self,
                                      const char *peer_id,
                                      const char *session_id)
{
  GstElement *found = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->all->len && found == NULL; i++) {
    GstConicConnection *connection = g_ptr_array_index (self->all, i);
    GstConicSession *session = gst_conic_connection_get_session (connection);

    if (g_str_equal (gst_conic_session_get_peer_id (session), peer_id) &&
        (session_id == NULL ||
         g_strcmp0 (gst_conic_session_get_session_id (session), session_id) == 0))
      found = gst_object_ref (gst_conic_connection_get_webrtcbin (connection));
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* --- what the calls tell --- */

static gboolean
session_new (GstElement *element, GstConicSession *session, GError **error)
{
  GstConicConnections *self = get_connections (element);
  GstConicConnection *connection = gst_conic_connection_new (element, session);
  GstElement *webrtcbin = gst_conic_connection_get_webrtcbin (connection);

  gst_object_ref_sink (connection);
  if (webrtcbin == NULL) {
    g_set_error_literal (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_NEGOTIATION,
                         "there is no webrtcbin any more");
    gst_object_unref (connection);
    return FALSE;
  }
  gst_conic_endpoint_configure (self->endpoint, webrtcbin);
  gst_conic_session_open (session, webrtcbin,
                          gst_conic_endpoint_get_session_timeout (self->endpoint));
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->all, connection);
  g_mutex_unlock (&self->lock);
  gst_conic_pause_watch (&self->pause, GST_BIN (connection));
  /* It plays also while the element is paused, for the other side's sake. */
  gst_element_set_locked_state (GST_ELEMENT (connection), TRUE);
  gst_bin_add (GST_BIN (element), GST_ELEMENT (connection));
  gst_element_set_state (GST_ELEMENT (connection), GST_STATE_PLAYING);
  return TRUE;
}

static void
session_negotiate (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_negotiate (find_connection (get_connections (element), session));
}

static void
session_stable (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_settle (find_connection (get_connections (element), session));
}

static void
session_connected (GstElement *element, GstConicSession *session)
{
  gst_conic_connection_open (find_connection (get_connections (element), session));
}

void
gst_conic_connections_remove_output (GstConicConnections *self,
                                     GstConicConnection *connection,
                                     GstPad *pad)
{
  gst_conic_departures_remove_output (self->departures, connection, pad);
}

static void
session_closed (GstElement *element, GstConicSession *session, gboolean by_peer)
{
  GstConicConnections *self = get_connections (element);
  g_autoptr (GstConicConnection) connection = find_connection (self, session);
  gboolean has_target = gst_conic_endpoint_has_target (self->endpoint);

  if (connection == NULL)
    return;
  gst_object_ref (connection);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->all, connection);
  g_mutex_unlock (&self->lock);
  gst_conic_connection_leave (connection);
  if (by_peer && gst_conic_session_is_connected (session) &&
      gst_conic_outputs_are_possible (element))
    gst_conic_departures_drain (self->departures, connection, self->settings->latency + DRAIN_TIME,
                                has_target);
  else
    gst_conic_departures_close (self->departures, connection, has_target);
}

static void
stopping (GstElement *element)
{
  GstConicConnections *self = get_connections (element);

  gst_conic_departures_hurry (self->departures);
  gst_conic_timer_stop (&self->eos_timer);
}

static gboolean
calls_again (GstElement *element, gboolean by_peer)
{
  GstConicConnections *self = get_connections (element);

  /* Who receives comes to its end with the one who sends; without a pad there is no end to come to. */
  return !by_peer || !gst_conic_outputs_are_there (element) ||
         gst_conic_endpoint_reconnects (self->endpoint);
}

const GstConicCallsHandlers gst_conic_connections_handlers = {
    .session_new = session_new,
    .session_negotiate = session_negotiate,
    .session_stable = session_stable,
    .session_connected = session_connected,
    .session_closed = session_closed,
    .calls_again = calls_again,
    .stopping = stopping,
};

typedef struct {
  GstConicConnection *connection;
  GError *error;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;

  gst_object_unref (failure->connection);
  g_error_free (failure->error);
  g_free (failure);
}

static void
failed_in_thread (GstElement *element, gpointer data)
{
  GstConicConnections *self = get_connections (element);
  Failure *failure = data;

  if (g_ptr_array_find (self->all, failure->connection, NULL))
    gst_conic_endpoint_fail_session (self->endpoint,
                                     gst_conic_connection_get_session (failure->connection),
                                     failure->error);
}

void
gst_conic_connections_fail (GstConicConnections *self,
                            GstConicConnection *connection,
                            GstMessage *message)
{
  Failure *failure = g_new0 (Failure, 1);
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  /* What it says itself doesn't tell that it is about data, and mostly of a peer that goes. */
  if (gst_conic_objects_is_a (GST_MESSAGE_SRC (message), "sctpenc"))
    failure->error =
        g_error_new_literal (error->domain, error->code, "the peer broke off the data channels");
  else
    failure->error = g_steal_pointer (&error);
  failure->connection = gst_object_ref (connection);
  gst_conic_endpoint_invoke (self->endpoint, failed_in_thread, failure, failure_free);
}

/* --- what the element tells --- */

static void
update_in_thread (GstElement *element, gpointer data)
{
  GstConicConnections *self = get_connections (element);

  for (guint i = 0; i < self->all->len; i++)
    gst_conic_connection_update (g_ptr_array_index (self->all, i));
}

void
gst_conic_connections_update (GstConicConnections *self)
{
  gst_conic_endpoint_invoke (self->endpoint, update_in_thread, NULL, NULL);
}

static void
open_data_in_thread (GstElement *element, gpointer data)
{
  GstConicConnections *self = get_connections (element);

  for (guint i = 0; i < self->all->len; i++)
    gst_conic_connection_open_data (g_ptr_array_index (self->all, i), data);
}

static gboolean
on_eos_timer (gpointer user_data)
{
  GstConicConnections *self = user_data;

  g_clear_pointer (&self->eos_timer, g_source_unref);
  gst_element_post_message (self->element, gst_message_new_eos (GST_OBJECT (self->element)));
  return G_SOURCE_REMOVE;
}

static void
eos_in_thread (GstElement *element, gpointer data)
{
  GstConicConnections *self = get_connections (element);

  if (self->eos_timer == NULL)
    self->eos_timer =
        gst_conic_timer_start (NULL, "conic-eos", EOS_LINGER, on_eos_timer, self, NULL);
}

/* What the connections do is done at the running time of the element, which stands still while that is
 * paused. Who plays already only takes over the new time. */
static void
resume_in_thread (GstElement *element, gpointer data)
{
  GstConicConnections *self = get_connections (element);

  for (guint i = 0; i < self->all->len; i++)
    gst_element_set_state (g_ptr_array_index (self->all, i), GST_STATE_PLAYING);
  gst_conic_pause_end (&self->pause, GPOINTER_TO_INT (data));
}

void
gst_conic_connections_resume (GstConicConnections *self)
{
  int number = gst_conic_pause_get_number (&self->pause);

  gst_conic_endpoint_invoke (self->endpoint, resume_in_thread, GINT_TO_POINTER (number), NULL);
}

void
gst_conic_connections_open_data (GstConicConnections *self, const char *label)
{
  gst_conic_endpoint_invoke (self->endpoint, open_data_in_thread, g_strdup (label), g_free);
}

void
gst_conic_connections_finish (GstConicConnections *self)
{
  gst_conic_endpoint_invoke (self->endpoint, eos_in_thread, NULL, NULL);
}

void
gst_conic_connections_pause (GstConicConnections *self)
{
  gst_conic_pause_begin (&self->pause);
}

gboolean
gst_conic_connections_wait (GstConicConnections *self, int milliseconds)
{
  return gst_conic_departures_wait (self->departures, milliseconds);
}

GstConicConnections *
gst_conic_connections_new (GstElement *element,
                           GstConicEndpoint *endpoint,
                           GstConicOutputs *outputs,
                           const GstConicMediaSettings *settings)
{
  GstConicConnections *self = g_new0 (GstConicConnections, 1);

  self->element = element;
  self->endpoint = endpoint;
  self->settings = settings;
  self->departures = gst_conic_departures_new (element, outputs);
  g_mutex_init (&self->lock);
  self->all = g_ptr_array_new_with_free_func (gst_object_unref);
  return self;
}

void
gst_conic_connections_free (GstConicConnections *self)
{
  g_ptr_array_unref (self->all);
  gst_conic_departures_free (self->departures);
  g_mutex_clear (&self->lock);
  g_free (self);
}
