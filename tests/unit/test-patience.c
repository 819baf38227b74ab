/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows what a client is waited for, how long, and what comes first if several things are due. */

#include "conic-patience.h"

#define NOW  (G_TIME_SPAN_DAY)
#define PING (30 * G_TIME_SPAN_SECOND)

/* Nothing is due a microsecond before the deadline, and @result is at it. Returns when that is. */
static gint64
expect (const ConicPatience *patience, ConicPatienceResult result)
{
  gint64 at = conic_patience_get_deadline (patience, PING);

  g_assert_cmpint (conic_patience_check (patience, PING, at - 1), ==, CONIC_PATIENCE_WAIT);
  g_assert_cmpint (conic_patience_check (patience, PING, at), ==, result);
  return at;
}

/* Those who came together are asked at times of their own, all within a quarter of the interval. */
static void
test_ping (void)
{
  gint64 first = G_MAXINT64, last = 0;

  for (guint i = 0; i < 1000; i++) {
    ConicPatience patience;
    gint64 at;

    conic_patience_init (&patience, NOW);
    at = expect (&patience, CONIC_PATIENCE_SILENT);
    g_assert_cmpint (at, >, NOW + PING * 3 / 4);
    g_assert_cmpint (at, <=, NOW + PING);
    first = MIN (first, at);
    last = MAX (last, at);

    patience.heard_at += 1234;
    g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SILENT), ==, at + 1234);
  }
  g_assert_cmpint (last - first, >, PING / 5);
}

static void
test_order (void)
{
  ConicPatience patience;

  conic_patience_init (&patience, NOW);
  patience.pong_by = NOW + 50;
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_GONE), ==, NOW + 50);

  /* Nobody is silent who isn't listened to. */
  patience.rests_until = NOW + 60;
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_RESTED), ==, NOW + 60);

  patience.drain_by = NOW + 40;
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SLOW), ==, NOW + 40);
  patience.confirm_by = NOW + 30;
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_UNCONFIRMED), ==, NOW + 30);
  g_assert_cmpint (conic_patience_check (&patience, PING, NOW + 99), ==,
                   CONIC_PATIENCE_UNCONFIRMED);
  patience.confirm_by = 0;
  g_assert_cmpint (conic_patience_check (&patience, PING, NOW + 99), ==, CONIC_PATIENCE_SLOW);
  patience.drain_by = 0;
  g_assert_cmpint (conic_patience_check (&patience, PING, NOW + 99), ==, CONIC_PATIENCE_RESTED);
}

/* Who reads half of what waited is not slow, however much has come after it; and who reads is there. */
static void
test_drain (void)
{
  ConicPatience patience;

  conic_patience_init (&patience, NOW);
  conic_patience_await_drain (&patience, 1000, NOW + 40);
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SLOW), ==, NOW + 40);
  conic_patience_drain (&patience, 0);
  conic_patience_drain (&patience, 499);
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SLOW), ==, NOW + 40);
  conic_patience_drain (&patience, 1);
  expect (&patience, CONIC_PATIENCE_SILENT);
  conic_patience_drain (&patience, 1000000);
  conic_patience_await_drain (&patience, 1000, NOW + 80);
  conic_patience_drain (&patience, 499);
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SLOW), ==, NOW + 80);

  conic_patience_init (&patience, NOW);
  conic_patience_hear (&patience, 100, NOW + 7);
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_SILENT), >, NOW + 100);
  patience.pong_by = NOW + 50;
  conic_patience_hear (&patience, 100, NOW + 7);
  g_assert_cmpint (expect (&patience, CONIC_PATIENCE_GONE), ==, NOW + 107);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/patience/ping", test_ping);
  g_test_add_func ("/patience/order", test_order);
  g_test_add_func ("/patience/drain", test_drain);

  return g_test_run ();
}
