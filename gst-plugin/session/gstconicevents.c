/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicevents.h"

typedef struct {
  GstConicEvents *events;
  GstConicSession *session; /* keeps the events */
  GstConicEventFunc func;
  gpointer data;
  GDestroyNotify free_data;
} Event;

void
gst_conic_events_init (GstConicEvents *self, GstConicSession *session, GMainContext *context)
{
  self->session = session;
  self->context = g_main_context_ref (context);
}

void
gst_conic_events_clear (GstConicEvents *self)
{
  g_main_context_unref (self->context);
}

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

  if (!event->events->is_over)
    event->func (event->session, event->data);
  return G_SOURCE_REMOVE;
}

void
gst_conic_events_post (GstConicEvents *self,
                       GstConicEventFunc func,
                       gpointer data,
                       GDestroyNotify free_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Event *event = g_new0 (Event, 1);

  event->events = self;
  event->session = g_object_ref (self->session);
  event->func = func;
  event->data = data;
  event->free_data = free_data;
  g_source_set_static_name (source, "conic-session-event");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_event, event, event_free);
  g_source_attach (source, self->context);
}

/* --- promises --- */

typedef struct {
  GstConicEvents *events;
  GstConicSession *session; /* keeps the events */
  GstConicEventFunc func;
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
  gst_conic_events_post (reply->events, reply->func,
                         structure != NULL ? gst_structure_copy (structure) : NULL,
                         (GDestroyNotify) gst_structure_free);
}

void
gst_conic_events_ask (GstConicEvents *self,
                      GstElement *webrtcbin,
                      const char *signal,
                      gpointer argument,
                      GstConicEventFunc func)
{
  Reply *reply = g_new0 (Reply, 1);
  g_autoptr (GstPromise) promise = NULL;

  reply->events = self;
  reply->session = g_object_ref (self->session);
  reply->func = func;
  promise = gst_promise_new_with_change_func (on_promise_changed, reply, reply_free);
  g_signal_emit_by_name (webrtcbin, signal, argument, promise);
}
