/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicdepartures.h"

#include "gstconictimer.h"

struct _GstConicDepartures {
  GstElement *element; /* borrowed */
  GstConicOutputs *outputs;
  GHashTable *draining; /* GstConicConnection to GSource: the endpoint's thread's */

  GMutex lock;     /* innermost */
  guint n_working; /* threads that put something away */
  GCond worked;    /* there is one fewer of them */
};

/* A piece of work; the departures stay until it is done. */
typedef struct {
  GstConicDepartures *departures;
  GstConicConnection *connection; /* borrowed: call_async has a reference */
  gboolean by_peer;
  gboolean ends_data;
  gboolean keep_pads;
  GstPad *pad; /* (nullable): the one that goes, and nothing else */
} Departure;

static void
departure_free (gpointer data)
{
  Departure *departure = data;

  gst_clear_object (&departure->pad);
  g_free (departure);
}

static void
put_away (GstConicDepartures *self, const Departure *departure)
{
  GstConicConnection *connection = departure->connection;

  if (departure->by_peer)
    gst_conic_connection_send_eos (connection);
  if (departure->by_peer && departure->ends_data)
    gst_conic_outputs_end_data (self->outputs);
  gst_conic_connection_close (connection);
  gst_conic_outputs_remove_media (self->outputs, connection, departure->keep_pads);
  gst_bin_remove (GST_BIN (self->element), GST_ELEMENT (connection));
}

static void
work (GstElement *connection, gpointer user_data)
{
  Departure *departure = user_data;
  GstConicDepartures *self = departure->departures;

  if (departure->pad != NULL)
    gst_conic_outputs_remove_pad (self->outputs, departure->pad);
  else
    put_away (self, departure);
  g_mutex_lock (&self->lock);
  self->n_working--;
  g_cond_broadcast (&self->worked);
  g_mutex_unlock (&self->lock);
}

/* (transfer full) */
static Departure *
departure_new (GstConicDepartures *self, GstConicConnection *connection)
{
  Departure *departure = g_new0 (Departure, 1);

  departure->departures = self;
  departure->connection = connection;
  return departure;
}

static void
begin (Departure *departure)
{
  GstConicDepartures *self = departure->departures;

  g_mutex_lock (&self->lock);
  self->n_working++;
  g_mutex_unlock (&self->lock);
  gst_element_call_async (GST_ELEMENT (departure->connection), work, departure, departure_free);
}

void
gst_conic_departures_close (GstConicDepartures *self,
                            GstConicConnection *connection,
                            gboolean keep_pads)
{
  Departure *departure = departure_new (self, connection);

  departure->keep_pads = keep_pads;
  begin (departure);
}

static gboolean
on_drain_timer (gpointer user_data)
{
  const Departure *drained = user_data;
  GstConicDepartures *self = drained->departures;
  Departure *departure = departure_new (self, drained->connection);

  departure->by_peer = TRUE;
  departure->ends_data = drained->ends_data;
  begin (departure);
  g_hash_table_remove (self->draining, drained->connection);
  return G_SOURCE_REMOVE;
}

void
gst_conic_departures_drain (GstConicDepartures *self,
                            GstConicConnection *connection,
                            guint milliseconds,
                            gboolean ends_data)
{
  Departure *departure = departure_new (self, connection);

  departure->ends_data = ends_data;
  g_hash_table_insert (self->draining, gst_object_ref (connection),
                       gst_conic_timer_start (NULL, "conic-drain", milliseconds, on_drain_timer,
                                              departure, departure_free));
}

void
gst_conic_departures_remove_output (GstConicDepartures *self,
                                    GstConicConnection *connection,
                                    GstPad *pad)
{
  Departure *departure = departure_new (self, connection);

  departure->pad = gst_object_ref (pad);
  begin (departure);
}

void
gst_conic_departures_hurry (GstConicDepartures *self)
{
  GHashTableIter iter;
  gpointer connection;

  g_hash_table_iter_init (&iter, self->draining);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    gst_conic_departures_close (self, connection, FALSE);
  g_hash_table_remove_all (self->draining);
}

gboolean
gst_conic_departures_wait (GstConicDepartures *self, int milliseconds)
{
  gint64 deadline = milliseconds < 0
                        ? G_MAXINT64
                        : g_get_monotonic_time () + milliseconds * G_TIME_SPAN_MILLISECOND;
  gboolean done;

  g_mutex_lock (&self->lock);
  while (self->n_working > 0 && g_cond_wait_until (&self->worked, &self->lock, deadline))
    ;
  done = self->n_working == 0;
  g_mutex_unlock (&self->lock);
  return done;
}

static void
stop_timer (gpointer timer)
{
  GSource *source = timer;

  gst_conic_timer_stop (&source);
}

GstConicDepartures *
gst_conic_departures_new (GstElement *element, GstConicOutputs *outputs)
{
  GstConicDepartures *self = g_new0 (GstConicDepartures, 1);

  self->element = element;
  self->outputs = outputs;
  self->draining = g_hash_table_new_full (NULL, NULL, gst_object_unref, stop_timer);
  g_mutex_init (&self->lock);
  g_cond_init (&self->worked);
  return self;
}

void
gst_conic_departures_free (GstConicDepartures *self)
{
  g_hash_table_unref (self->draining);
  g_cond_clear (&self->worked);
  g_mutex_clear (&self->lock);
  g_free (self);
}
