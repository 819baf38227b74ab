/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-transport-private.h"

const guint16 conic_transport_closes[CONIC_TRANSPORT_N_CLOSES] = {
    1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 4001, 4003, 4004, 4008,
};

static void
on_settle (gint64 now, gpointer user_data)
{
  ConicTransport *self = user_data;
  GList *link;

  while ((link = g_queue_pop_head_link (&self->unsettled)) != NULL)
    conic_websocket_settle (link->data, now);
  if (self->n_forwarded > 0) {
    conic_histogram_observe (&self->stats.relay_time, g_get_monotonic_time () - now,
                             self->n_forwarded);
    self->n_forwarded = 0;
  }
}

static void
on_woken (gint64 now, gpointer user_data)
{
  ConicTransport *self = user_data;

  /* Those that have more are appended, and get their turn in the next one. */
  for (guint n = self->again.length; n > 0 && self->again.length > 0; n--) {
    GList *link = g_queue_pop_head_link (&self->again);

    conic_websocket_read_again (link->data, now);
    on_settle (now, self);
  }
  on_settle (now, self);
}

static const ConicEpollHooks epoll_hooks = {
    .settle = on_settle,
    .woken = on_woken,
};

static void
set_limits (ConicTransport *self, const ConicTransportLimits *limits)
{
  self->limits = *limits;
  self->message_rate = conic_bucket_rate (limits->messages_per_second, limits->messages_burst);
  self->byte_rate = conic_bucket_rate (limits->bytes_per_second, limits->bytes_burst);
}

/**
 * conic_transport_new:
 * @context: the main context that the connections are served on
 * @limits: for each connection; copied
 * @emptied: called when the last connection is gone
 * @user_data: for @emptied
 * @error: return location for a #GIOError
 *
 * Returns: (transfer full) (nullable): a transport without connections
 */
ConicTransport *
conic_transport_new (GMainContext *context,
                     const ConicTransportLimits *limits,
                     ConicTransportEmptyFunc emptied,
                     gpointer user_data,
                     GError **error)
{
  ConicTransport *self = g_new0 (ConicTransport, 1);

  set_limits (self, limits);
  self->emptied = emptied;
  self->user_data = user_data;
  self->epoll_source = conic_epoll_source_new (context, &epoll_hooks, self, error);
  if (self->epoll_source == NULL)
    g_clear_pointer (&self, g_free);
  return self;
}

/**
 * conic_transport_free:
 * @self: (transfer full): the transport
 *
 * Drops the connections that are left, without another word to them or to their owners.
 */
void
conic_transport_free (ConicTransport *self)
{
  while (self->connections.head != NULL) /* nobody is told: that is done while it settles */
    conic_websocket_destroy (self->connections.head->data);
  conic_epoll_source_free (self->epoll_source);
  g_free (self);
}

/* Limits of the connections that there are and of those that come. A deadline that runs already
 * stays as it was set; what a client may send begins anew. */
void
conic_transport_set_limits (ConicTransport *self, const ConicTransportLimits *limits)
{
  set_limits (self, limits);
  for (GList *link = self->connections.head; link != NULL; link = link->next)
    conic_websocket_apply_limits (link->data);
}

/* (transfer none): where other descriptors and deadlines of the daemon may be watched as well */
ConicEpollSource *
conic_transport_get_epoll_source (ConicTransport *self)
{
  return self->epoll_source;
}

/* How many connections there are, those included that are only being closed. */
guint
conic_transport_get_n_connections (ConicTransport *self)
{
  return self->connections.length;
}

/* (transfer none): what was counted since the start; valid as long as the transport is */
const ConicTransportStats *
conic_transport_get_stats (ConicTransport *self)
{
  return &self->stats;
}

/* A connection ended with @status. */
void
conic_transport_count_close (ConicTransport *self, guint status)
{
  guint i = 0;

  while (i < CONIC_TRANSPORT_N_CLOSES && conic_transport_closes[i] != status)
    i++;
  self->stats.closes[i]++;
}
