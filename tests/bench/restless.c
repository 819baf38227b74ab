/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes pipelines up and down at random points of their lives: connecting, registering, gathering,
 * in the handshake, playing. Each state change is watched; one that takes too long is a hang, and
 * the program ends itself with a core.
 * Usage: restless COUNT SEED PIPELINE…; each cycle takes one of the pipelines. */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Milliseconds: from before the first packet to well into the session. */
#define LIFE_MAX 1500

/* Seconds that a state change may take on a busy machine, under a sanitizer. */
#define PATIENCE 60

static void
set_state (GstElement *pipeline, GstState state, gint64 *longest)
{
  gint64 start = g_get_monotonic_time ();

  /* The default action ends the process. */
  alarm (PATIENCE);
  gst_element_set_state (pipeline, state);
  alarm (0);
  *longest = MAX (*longest, g_get_monotonic_time () - start);
}

static gboolean
run_cycle (const char *description, guint life, gint64 *longest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (error != NULL) {
    printf ("%s\n", error->message);
    return FALSE;
  }
  bus = gst_element_get_bus (pipeline);
  set_state (pipeline, GST_STATE_PLAYING, longest);
  message = gst_bus_timed_pop_filtered (bus, life * GST_MSECOND, GST_MESSAGE_ERROR);
  set_state (pipeline, GST_STATE_NULL, longest);
  if (message != NULL) {
    gst_message_parse_error (message, &error, NULL);
    printf ("error: %s\n", error->message);
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GRand) random = NULL;
  gint64 longest = 0;
  guint count;

  if (argc < 4) {
    fprintf (stderr, "Usage: restless COUNT SEED PIPELINE...\n");
    return 2;
  }
  setvbuf (stdout, NULL, _IOLBF, 0);
  gst_init (NULL, NULL);
  count = strtoul (argv[1], NULL, 10);
  random = g_rand_new_with_seed (strtoul (argv[2], NULL, 10));
  for (guint i = 1; i <= count; i++) {
    const char *description = argv[3 + g_rand_int_range (random, 0, argc - 3)];
    guint life = g_rand_int_range (random, 0, LIFE_MAX);

    if (!run_cycle (description, life, &longest))
      return 1;
    if (i % 50 == 0)
      printf ("cycle %u, longest state change %.0f ms\n", i, longest / 1000.0);
  }
  gst_deinit ();
  printf ("done: %u cycles, longest state change %.0f ms\n", count, longest / 1000.0);
  return 0;
}
