/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread that signaling happens in, and what runs there.
 *
 *   hub ◄─ ConicClient ◄─► GstConicCalls ◄─► GstConicSession (one for each peer) ─► webrtcbin
 *                               ▲
 *                            element
 *
 * The thread takes no lock of the element's that is held while gst_conic_endpoint_stop() waits for
 * it. */

#include "gstconicendpoint.h"

#include "gstconicmessages.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_endpoint_debug);
#define GST_CAT_DEFAULT gst_conic_endpoint_debug

/* Events that are still run when the thread ends; a source that is always ready must not keep it. */
#define LEFTOVERS_MAX 1000

struct _GstConicEndpoint {
  GObject parent_instance;

  GstElement *element; /* borrowed: it owns us */

  GstConicSettings settings;

  /* What the settings were at the start, fixed from then on. */
  char *uri;
  char *client_id;
  guint session_timeout;

  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  ConicClient *client;
  GstConicCalls *calls;

  /* OBJECT_LOCK of the element */
  gboolean is_playing;
  GError *failure; /* (nullable): posted before the element was to play */
};

G_DEFINE_FINAL_TYPE (GstConicEndpoint, gst_conic_endpoint, G_TYPE_OBJECT)

/* --- the hub --- */

static void
on_client_message (ConicClient *client, const ConicMessage *message, GstConicEndpoint *self)
{
  gst_conic_calls_receive (self->calls, message);
}

static void
on_client_registered (ConicClient *client, const char *id, GstConicEndpoint *self)
{
  gst_conic_settings_set_hub_servers (&self->settings, conic_client_get_ice_servers (client));
  gst_conic_settings_set_connected (&self->settings, self->element, TRUE, id);
  gst_conic_messages_registered (self->element, id);
  gst_conic_calls_resume (self->calls);
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
  GST_OBJECT_LOCK (self->element);
  if (!self->is_playing && self->failure == NULL)
    self->failure = g_error_copy (located);
  GST_OBJECT_UNLOCK (self->element);
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

  gst_conic_calls_stop (self->calls);
  conic_client_stop (self->client, quit_loop, self);
}

static void
ready_in_thread (GstElement *element, gpointer data)
{
  gst_conic_calls_set_ready (((GstConicEndpoint *) data)->calls);
}

static gpointer
run_thread (gpointer data)
{
  GstConicEndpoint *self = data;

  g_main_context_push_thread_default (self->context);
  self->client = conic_client_new ();
  g_mutex_lock (&self->settings.lock);
  conic_client_set_token (self->client, self->settings.token);
  conic_client_set_tls_ca (self->client, self->settings.tls_ca);
  g_mutex_unlock (&self->settings.lock);
  gst_conic_calls_set_client (self->calls, self->client);
  g_signal_connect (self->client, "registered", G_CALLBACK (on_client_registered), self);
  g_signal_connect (self->client, "message", G_CALLBACK (on_client_message), self);
  g_signal_connect (self->client, "lost", G_CALLBACK (on_client_lost), self);
  g_signal_connect (self->client, "failed", G_CALLBACK (on_client_failed), self);
  conic_client_start (self->client, self->uri, self->client_id);

  g_main_loop_run (self->loop);

  g_signal_handlers_disconnect_by_data (self->client, self);
  gst_conic_calls_set_client (self->calls, NULL);
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
  g_mutex_lock (&self->settings.lock);
  self->uri = g_strdup (self->settings.uri);
  self->client_id = g_strdup (self->settings.client_id);
  self->session_timeout = self->settings.session_timeout;
  gst_conic_calls_start (self->calls, self->settings.target_id, self->settings.max_sessions);
  g_mutex_unlock (&self->settings.lock);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("conic-signaling", run_thread, self);
}

gboolean
gst_conic_endpoint_play (GstConicEndpoint *self)
{
  g_autoptr (GError) failure = NULL;

  GST_OBJECT_LOCK (self->element);
  self->is_playing = TRUE;
  failure = g_steal_pointer (&self->failure);
  GST_OBJECT_UNLOCK (self->element);
  if (failure != NULL)
    gst_conic_messages_error (self->element, failure);
  return failure == NULL;
}

void
gst_conic_endpoint_stop (GstConicEndpoint *self)
{
  if (self->thread == NULL)
    return;
  gst_conic_endpoint_invoke (self, stop_in_thread, self, NULL);
  g_thread_join (g_steal_pointer (&self->thread));
  self->is_playing = FALSE;
  g_clear_error (&self->failure);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  gst_conic_settings_set_connected (&self->settings, self->element, FALSE, NULL);
}

void
gst_conic_endpoint_fail_session (GstConicEndpoint *self,
                                 GstConicSession *session,
                                 const GError *error)
{
  gst_conic_calls_fail (self->calls, session, error);
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

gboolean
gst_conic_endpoint_reconnects (GstConicEndpoint *self)
{
  gboolean reconnects;

  g_mutex_lock (&self->settings.lock);
  reconnects = self->settings.reconnect;
  g_mutex_unlock (&self->settings.lock);
  return reconnects;
}

guint
gst_conic_endpoint_get_session_timeout (GstConicEndpoint *self)
{
  return self->session_timeout;
}

/* The one setting that may change while the element runs: it is then a call. */
static void
set_target_in_thread (GstElement *element, gpointer data)
{
  GstConicEndpoint *self = data;
  g_autofree char *target_id = NULL;

  g_mutex_lock (&self->settings.lock);
  target_id = g_strdup (self->settings.target_id);
  g_mutex_unlock (&self->settings.lock);
  gst_conic_calls_set_target (self->calls, target_id);
}

static void
set_token_in_thread (GstElement *element, gpointer data)
{
  GstConicEndpoint *self = data;

  if (self->client == NULL)
    return;
  g_mutex_lock (&self->settings.lock);
  conic_client_set_token (self->client, self->settings.token);
  g_mutex_unlock (&self->settings.lock);
}

gboolean
gst_conic_endpoint_set_property (GstConicEndpoint *self, guint id, const GValue *value)
{
  if (!gst_conic_settings_set (&self->settings, id, value))
    return FALSE;
  if (id == GST_CONIC_PROP_TARGET_ID)
    gst_conic_endpoint_invoke (self, set_target_in_thread, self, NULL);
  else if (id == GST_CONIC_PROP_TOKEN)
    gst_conic_endpoint_invoke (self, set_token_in_thread, self, NULL);
  return TRUE;
}

gboolean
gst_conic_endpoint_get_property (GstConicEndpoint *self, guint id, GValue *value)
{
  if (id != GST_CONIC_PROP_STATS)
    return gst_conic_settings_get (&self->settings, id, value);
  g_value_take_boxed (value, gst_conic_calls_get_stats (self->calls));
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
  g_clear_error (&self->failure);
  gst_conic_settings_clear (&self->settings);
  gst_conic_calls_free (self->calls);
  g_main_context_unref (self->context);

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
  gst_conic_settings_init (&self->settings);
  self->context = g_main_context_new ();
}

GstConicEndpoint *
gst_conic_endpoint_new (GstElement *element, const GstConicCallsHandlers *handlers)
{
  GstConicEndpoint *self = g_object_new (GST_TYPE_CONIC_ENDPOINT, NULL);

  self->element = element;
  self->calls = gst_conic_calls_new (element, handlers, self->context);
  return self;
}
