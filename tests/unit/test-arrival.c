/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows what arrival a late packet is taken for: not later than the limit while something that held up
 * packets lets them catch up, and what it is once it looks as if the other side had paused; that clocks
 * may drift apart for a day, and timestamps wrap around; and that no packet is taken for having come
 * before the one in front of it, whatever its timestamp says. */

#include "gstconicarrival.h"

#define MS         G_GINT64_CONSTANT (1000000)
#define CLOCK_RATE 48000u
#define INTERVAL   (20 * MS)
#define LIMIT      (100 * MS)

typedef struct {
  GstConicArrival arrival;
  gint64 sent;
  guint32 rtp;
  gint64 judged; /* of the packet before */
} Stream;

/* Sends one packet, which takes so long; returns how much earlier it is taken for having come. */
static gint64
pass (Stream *stream, gint64 duration)
{
  gint64 arrival = stream->sent + duration;
  gint64 judged =
      gst_conic_arrival_judge (&stream->arrival, arrival, stream->rtp, CLOCK_RATE, LIMIT);

  g_assert_cmpint (judged, >=, MIN (arrival, stream->judged));
  stream->judged = judged;
  stream->sent += INTERVAL;
  stream->rtp += (guint32) (INTERVAL * CLOCK_RATE / 1000 / MS);
  return arrival - judged;
}

static void
pass_steady (Stream *stream, guint n, gint64 duration)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (pass (stream, duration), ==, 0);
}

static void
test_in_time (void)
{
  Stream stream = {0};

  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (pass (&stream, 10 * MS + i % 7 * 10 * MS), ==, 0);
}

/* All that comes in half a second comes at its end. */
static void
test_held_up (void)
{
  Stream stream = {.sent = 3600 * 1000 * MS};

  for (guint round = 0; round < 3; round++) {
    pass_steady (&stream, 500, 10 * MS);
    for (gint64 duration = 500 * MS; duration > 10 * MS; duration -= INTERVAL)
      g_assert_cmpint (pass (&stream, duration), ==, MAX (duration - 10 * MS - LIMIT, 0));
  }
  pass_steady (&stream, 500, 10 * MS);
}

/* A thin path lets what was held up through twice as fast as it is sent. */
static void
test_slow_catch_up (void)
{
  Stream stream = {0};

  pass_steady (&stream, 500, 10 * MS);
  for (gint64 duration = 2000 * MS; duration > 10 * MS; duration -= INTERVAL / 2)
    g_assert_cmpint (pass (&stream, duration), ==, MAX (duration - 10 * MS - LIMIT, 0));
  pass_steady (&stream, 500, 10 * MS);
}

static void
test_other_path (void)
{
  Stream stream = {0};
  guint n = 0;

  pass_steady (&stream, 500, 10 * MS);
  while (pass (&stream, 400 * MS) > 0)
    n++;
  g_assert_cmpuint (n, >, 5);
  g_assert_cmpuint (n, <, 20);
  pass_steady (&stream, 500, 400 * MS);
  pass_steady (&stream, 500, 10 * MS);
}

/* Its timestamps go on where they were, or jump; either way what comes is in time again soon. */
static void
test_pause (void)
{
  static const guint32 jumps[] = {0, 10 * CLOCK_RATE, (guint32) -10 * (int) CLOCK_RATE,
                                  (guint32) -1000 * (int) CLOCK_RATE};

  for (guint i = 0; i < G_N_ELEMENTS (jumps); i++) {
    Stream stream = {0};

    pass_steady (&stream, 500, 10 * MS);
    stream.sent += 5000 * MS;
    stream.rtp += jumps[i];
    for (guint n = 0; n < 20; n++)
      pass (&stream, 10 * MS);
    pass_steady (&stream, 500, 10 * MS);
  }
}

/* 100 parts in a million, both ways. */
static void
test_drift (void)
{
  for (int sign = -1; sign <= 1; sign += 2) {
    Stream stream = {.sent = 1000 * MS};

    for (guint i = 0; i < 24 * 3600 * 50; i++) {
      g_assert_cmpint (pass (&stream, 10 * MS), ==, 0);
      stream.sent += sign * INTERVAL / 10000;
    }
  }
}

static void
test_wrap (void)
{
  Stream stream = {.rtp = G_MAXUINT32 - 100 * CLOCK_RATE / 50};

  pass_steady (&stream, 1000, 10 * MS);
  g_assert_cmpint (pass (&stream, 310 * MS), ==, 200 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/arrival/in-time", test_in_time);
  g_test_add_func ("/arrival/held-up", test_held_up);
  g_test_add_func ("/arrival/slow-catch-up", test_slow_catch_up);
  g_test_add_func ("/arrival/other-path", test_other_path);
  g_test_add_func ("/arrival/pause", test_pause);
  g_test_add_func ("/arrival/drift", test_drift);
  g_test_add_func ("/arrival/wrap", test_wrap);

  return g_test_run ();
}
