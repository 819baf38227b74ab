/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows which gaps between pictures count as a freeze: three times the usual, and 150 ms more than it. */

#include "gstconicframes.h"

#define INTERVAL (G_USEC_PER_SEC / 30)
#define MS       G_TIME_SPAN_MILLISECOND

static gint64
add_steady (GstConicFrames *frames, gint64 now, guint n)
{
  for (guint i = 0; i < n; i++)
    gst_conic_frames_add (frames, now += INTERVAL);
  return now;
}

static void
test_steady (void)
{
  GstConicFrames frames = {0};

  add_steady (&frames, G_USEC_PER_SEC, 100);
  g_assert_cmpuint (frames.n_frames, ==, 100);
  g_assert_cmpuint (frames.n_freezes, ==, 0);
}

static void
test_freezes (void)
{
  static const struct {
    gint64 gap;
    guint n_freezes;
  } gaps[] = {
      {100 * MS, 0},
      {170 * MS, 0},
      {200 * MS, 1},
      {5000 * MS, 1},
  };

  for (guint i = 0; i < G_N_ELEMENTS (gaps); i++) {
    GstConicFrames frames = {0};
    gint64 now = add_steady (&frames, G_USEC_PER_SEC, 30);

    gst_conic_frames_add (&frames, now + gaps[i].gap);
    g_assert_cmpuint (frames.n_freezes, ==, gaps[i].n_freezes);
    g_assert_cmpint (frames.freeze_time, ==, gaps[i].n_freezes > 0 ? gaps[i].gap : 0);
    /* What comes in time again is no freeze, and a long one doesn't become what is usual. */
    now = add_steady (&frames, now + gaps[i].gap, 30);
    gst_conic_frames_add (&frames, now + 300 * MS);
    g_assert_cmpuint (frames.n_freezes, ==, gaps[i].n_freezes + 1);
  }
}

/* One picture a second is no freeze if that is what the camera gives. */
static void
test_slow (void)
{
  GstConicFrames frames = {0};

  for (gint64 second = 1; second < 20; second++)
    gst_conic_frames_add (&frames, second * G_USEC_PER_SEC);
  g_assert_cmpuint (frames.n_freezes, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/frames/steady", test_steady);
  g_test_add_func ("/frames/freezes", test_freezes);
  g_test_add_func ("/frames/slow", test_slow);

  return g_test_run ();
}
