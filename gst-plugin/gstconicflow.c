/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicflow.h"

#include <stdio.h>
#include <string.h>

/* How often the other side is greeted; one that doesn't answer by then doesn't speak this. */
#define GREETINGS_MAX 10

/* After this many microseconds a ping counts as lost: the other side answers none while it still has
 * something to send. */
#define PING_TIME (3 * G_TIME_SPAN_SECOND)

/* Words that wait for the control channel to open. */
#define UNSENT_MAX 256

struct _GstConicFlow {
  GMutex lock; /* innermost but for those of the control channel */
  GstConicChannel *control;
  GQueue unsent; /* char *: until the control channel is open */
  gboolean spoken;
  guint n_greetings; /* said without an answer */
  guint n_opened;    /* by the other side; G_MAXUINT until it has said */
  int ping;          /* the last one's number */
  gint64 ping_time;  /* when it was sent, in microseconds; 0 once it was answered */
  double round_trip; /* in seconds; -1 until one was measured */
};

GstConicFlow *
gst_conic_flow_new (void)
{
  GstConicFlow *flow = g_atomic_rc_box_new0 (GstConicFlow);

  g_mutex_init (&flow->lock);
  g_queue_init (&flow->unsent);
  flow->n_opened = G_MAXUINT;
  flow->round_trip = -1;
  return flow;
}

GstConicFlow *
gst_conic_flow_ref (GstConicFlow *flow)
{
  return g_atomic_rc_box_acquire (flow);
}

static void
clear (gpointer data)
{
  GstConicFlow *flow = data;

  gst_conic_flow_clear (flow);
  g_mutex_clear (&flow->lock);
}

void
gst_conic_flow_unref (GstConicFlow *flow)
{
  g_atomic_rc_box_release_full (flow, clear);
}

void
gst_conic_flow_set_control (GstConicFlow *flow, GstConicChannel *control)
{
  g_mutex_lock (&flow->lock);
  g_set_object (&flow->control, control);
  g_mutex_unlock (&flow->lock);
}

void
gst_conic_flow_clear (GstConicFlow *flow)
{
  g_autoptr (GstConicChannel) control = NULL;

  g_mutex_lock (&flow->lock);
  control = g_steal_pointer (&flow->control);
  g_queue_clear_full (&flow->unsent, g_free);
  g_mutex_unlock (&flow->lock);
}

void
gst_conic_flow_flush (GstConicFlow *flow)
{
  g_mutex_lock (&flow->lock);
  while (flow->control != NULL && gst_conic_channel_is_open (flow->control) &&
         !g_queue_is_empty (&flow->unsent)) {
    const char *text = g_queue_peek_head (&flow->unsent);
    g_autoptr (GBytes) data = g_bytes_new (text, strlen (text) + 1);
    g_autoptr (GBytes) word = g_bytes_new_from_bytes (data, 0, strlen (text));

    if (!gst_conic_channel_send (flow->control, word, TRUE, NULL))
      break;
    g_free (g_queue_pop_head (&flow->unsent));
  }
  g_mutex_unlock (&flow->lock);
}

static void
say (GstConicFlow *flow, char *text)
{
  g_mutex_lock (&flow->lock);
  if (g_queue_get_length (&flow->unsent) >= UNSENT_MAX)
    g_free (text);
  else
    g_queue_push_tail (&flow->unsent, text);
  g_mutex_unlock (&flow->lock);
  gst_conic_flow_flush (flow);
}

static GstConicChannel *
find_channel (GPtrArray *channels, int id)
{
  for (guint i = 0; i < channels->len; i++)
    if (gst_conic_channel_get_id (g_ptr_array_index (channels, i)) == id)
      return g_ptr_array_index (channels, i);
  return NULL;
}

/* A flood of pings isn't answered faster than it is read. */
static gboolean
may_pong (GstConicFlow *flow)
{
  gboolean drained;

  g_mutex_lock (&flow->lock);
  drained = flow->control != NULL && gst_conic_channel_is_drained (flow->control);
  g_mutex_unlock (&flow->lock);
  return drained;
}

static void
receive_pong (GstConicFlow *flow, int ping)
{
  g_mutex_lock (&flow->lock);
  if (ping == flow->ping && flow->ping_time != 0) {
    flow->round_trip = (double) (g_get_monotonic_time () - flow->ping_time) / G_USEC_PER_SEC;
    flow->ping_time = 0;
  }
  g_mutex_unlock (&flow->lock);
}

static void
receive_opened (GstConicFlow *flow, int n_opened)
{
  g_mutex_lock (&flow->lock);
  if (n_opened >= 0)
    flow->n_opened = (guint) n_opened;
  g_mutex_unlock (&flow->lock);
}

guint
gst_conic_flow_get_n_opened (GstConicFlow *flow)
{
  guint n_opened;

  g_mutex_lock (&flow->lock);
  n_opened = flow->n_opened;
  g_mutex_unlock (&flow->lock);
  return n_opened;
}

gboolean
gst_conic_flow_is_answered (GstConicFlow *flow)
{
  gboolean spoken;

  g_mutex_lock (&flow->lock);
  spoken = flow->spoken;
  g_mutex_unlock (&flow->lock);
  return spoken;
}

double
gst_conic_flow_measure (GstConicFlow *flow)
{
  double round_trip;
  gboolean greet;
  gint64 now = g_get_monotonic_time ();
  int ping = -1;

  g_mutex_lock (&flow->lock);
  round_trip = flow->round_trip;
  greet = !flow->spoken && flow->control != NULL && flow->n_greetings++ < GREETINGS_MAX;
  if (flow->spoken && (flow->ping_time == 0 || now - flow->ping_time > PING_TIME)) {
    ping = ++flow->ping;
    flow->ping_time = now;
  }
  g_mutex_unlock (&flow->lock);
  if (greet)
    say (flow, g_strdup ("hello"));
  if (ping >= 0)
    say (flow, g_strdup_printf ("ping %d", ping));
  return round_trip;
}

void
gst_conic_flow_receive (GstConicFlow *flow, const char *text, GPtrArray *channels)
{
  GstConicChannel *channel;
  char verb[16] = "";
  int id = -1;
  guint64 count = G_MAXUINT64;
  gboolean greet;

  g_mutex_lock (&flow->lock);
  greet = !flow->spoken;
  flow->spoken = TRUE;
  g_mutex_unlock (&flow->lock);
  if (greet)
    say (flow, g_strdup ("hello"));

  sscanf (text, "%15s %d %" G_GUINT64_FORMAT, verb, &id, &count);
  if (g_str_equal (verb, "ping") && may_pong (flow))
    say (flow, g_strdup_printf ("pong %d", id));
  else if (g_str_equal (verb, "pong"))
    receive_pong (flow, id);
  else if (g_str_equal (verb, "opened"))
    receive_opened (flow, id);
  channel = id >= 0 ? find_channel (channels, id) : NULL;
  if (channel == NULL)
    return;
  if (g_str_equal (verb, "pause"))
    gst_conic_channel_set_paused (channel, TRUE);
  else if (g_str_equal (verb, "resume"))
    gst_conic_channel_set_paused (channel, FALSE);
  else if (g_str_equal (verb, "ended"))
    gst_conic_channel_set_received (channel);
  else if (g_str_equal (verb, "end"))
    gst_conic_channel_set_expected (channel, count);
}

gboolean
gst_conic_flow_is_spoken (GstConicChannel *channel)
{
  GstConicFlow *flow = gst_conic_channel_get_flow (channel);

  return flow != NULL && gst_conic_flow_is_answered (flow);
}

void
gst_conic_flow_send_opened (GstConicFlow *flow, guint n_opened)
{
  say (flow, g_strdup_printf ("opened %u", n_opened));
}

void
gst_conic_flow_send_pause (GstConicChannel *channel, gboolean pause)
{
  GstConicFlow *flow = gst_conic_channel_get_flow (channel);

  if (flow != NULL)
    say (flow,
         g_strdup_printf ("%s %d", pause ? "pause" : "resume", gst_conic_channel_get_id (channel)));
}

void
gst_conic_flow_send_end (GstConicChannel *channel)
{
  GstConicFlow *flow = gst_conic_channel_get_flow (channel);

  if (flow != NULL)
    say (flow, g_strdup_printf ("end %d %" G_GUINT64_FORMAT, gst_conic_channel_get_id (channel),
                                gst_conic_channel_get_n_sent (channel)));
}

void
gst_conic_flow_send_ended (GstConicChannel *channel)
{
  GstConicFlow *flow = gst_conic_channel_get_flow (channel);

  if (flow != NULL)
    say (flow, g_strdup_printf ("ended %d", gst_conic_channel_get_id (channel)));
}
