/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds a pipeline, lets it play until the first buffer reaches the sink called "out", and takes
 * it down again; COUNT times. Prints `playing N` when the buffer has come, and `cycle N` after each.
 * After every PAUSE cycles it waits for a line on standard input, so that a test can look at the
 * process in between; if PAUSE is 0, it does so in each cycle, while the pipeline plays.
 * Usage: cycler COUNT PAUSE SECONDS PIPELINE; SECONDS is how long a cycle may take. */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean arrived;
} Arrival;

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Arrival *arrival = user_data;

  g_mutex_lock (&arrival->lock);
  arrival->arrived = TRUE;
  g_cond_signal (&arrival->cond);
  g_mutex_unlock (&arrival->lock);
  return GST_PAD_PROBE_REMOVE;
}

static gboolean
wait_for_buffer (Arrival *arrival, gint64 seconds)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  gboolean arrived;

  g_mutex_lock (&arrival->lock);
  while (!arrival->arrived && g_cond_wait_until (&arrival->cond, &arrival->lock, deadline))
    ;
  arrived = arrival->arrived;
  g_mutex_unlock (&arrival->lock);
  return arrived;
}

static void
print_errors (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)) != NULL) {
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &error, NULL);
    else
      gst_message_parse_warning (message, &error, NULL);
    printf ("%s: %s\n", GST_MESSAGE_TYPE_NAME (message), error->message);
    gst_message_unref (message);
  }
}

static gboolean
run_cycle (const char *description, gint64 seconds, guint cycle, gboolean hold)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstElement) out = NULL;
  g_autoptr (GstPad) pad = NULL;
  Arrival arrival = {0};
  gboolean arrived;

  if (error != NULL) {
    printf ("%s\n", error->message);
    return FALSE;
  }
  out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  pad = gst_element_get_static_pad (out, "sink");
  g_mutex_init (&arrival.lock);
  g_cond_init (&arrival.cond);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, &arrival, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  arrived = wait_for_buffer (&arrival, seconds);
  if (arrived)
    printf ("playing %u\n", cycle);
  else
    print_errors (pipeline);
  if (arrived && hold && getchar () == EOF)
    arrived = FALSE;
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_cond_clear (&arrival.cond);
  g_mutex_clear (&arrival.lock);
  return arrived;
}

int
main (int argc, char **argv)
{
  guint count, pause, cycle;

  if (argc != 5) {
    fprintf (stderr, "Usage: cycler COUNT PAUSE SECONDS PIPELINE\n");
    return 2;
  }
  setvbuf (stdout, NULL, _IOLBF, 0);
  gst_init (NULL, NULL);
  count = strtoul (argv[1], NULL, 10);
  pause = strtoul (argv[2], NULL, 10);
  for (cycle = 1; cycle <= count; cycle++) {
    if (!run_cycle (argv[4], strtol (argv[3], NULL, 10), cycle, pause == 0)) {
      printf ("cycle %u: no buffer came\n", cycle);
      return 1;
    }
    printf ("cycle %u\n", cycle);
    if (pause > 0 && cycle % pause == 0 && getchar () == EOF)
      return 1;
  }
  /* So that the leaks tracer, if it is on, says what is left. */
  gst_deinit ();
  printf ("done\n");
  return 0;
}
