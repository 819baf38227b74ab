/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a token bucket gives its burst at once and its rate for long, never more, and not less to
 * whoever comes back when it is told to. */

#include "conic-bucket.h"

/* As after a year of uptime: time must not wear the arithmetic out. */
#define LATE (366 * G_TIME_SPAN_DAY)

static guint
take_all (ConicBucket *bucket, const ConicBucketRate *rate, gint64 now)
{
  guint n = 0;

  for (; !conic_bucket_is_empty (bucket, rate, now); n++) {
    g_assert_cmpint (conic_bucket_get_rest (bucket, rate, now), ==, 0);
    conic_bucket_take (bucket, rate, now, 1);
  }
  return n;
}

static void
test_burst (void)
{
  const double rates[] = {0.1, 1, 3, 7, 999, 1000, 123457, 1e6};
  const guint bursts[] = {1, 2, 3, 1000, 2000, 99999};

  for (gsize r = 0; r < G_N_ELEMENTS (rates); r++) {
    for (gsize b = 0; b < G_N_ELEMENTS (bursts); b++) {
      ConicBucketRate rate = conic_bucket_rate (rates[r], bursts[b]);
      ConicBucket bucket = {0};

      /* A token's time is rounded to nanoseconds, which shows in very many of them only. */
      if (bursts[b] <= 2000)
        g_assert_cmpuint (take_all (&bucket, &rate, LATE), ==, bursts[b]);
      else
        g_assert_cmpfloat_with_epsilon (take_all (&bucket, &rate, LATE), bursts[b],
                                        2 + bursts[b] / 1000);
      g_assert_cmpuint (take_all (&bucket, &rate, LATE), ==, 0);
      /* A minute later there is a minute's worth, or a full bucket if that is less. */
      g_assert_cmpfloat_with_epsilon (take_all (&bucket, &rate, LATE + G_TIME_SPAN_MINUTE),
                                      MIN (60 * rates[r], bursts[b]), 2 + bursts[b] / 1000);
    }
  }
}

/* Somebody who takes what there is, and comes back when it is told to, gets the whole rate. */
static void
test_rate (void)
{
  const double rates[] = {1, 10, 1000, 250000};
  const guint bursts[] = {1, 5, 2000};

  for (gsize r = 0; r < G_N_ELEMENTS (rates); r++) {
    for (gsize b = 0; b < G_N_ELEMENTS (bursts); b++) {
      ConicBucketRate rate = conic_bucket_rate (rates[r], bursts[b]);
      ConicBucket bucket = {0};
      gint64 now = LATE, end = now + 10 * G_TIME_SPAN_SECOND;
      double taken = 0, visits = 0;

      while (now < end) {
        taken += take_all (&bucket, &rate, now);
        now += conic_bucket_get_rest (&bucket, &rate, now);
        visits++;
      }
      g_test_message ("%g a second, %u at once: %g in 10 seconds", rates[r], bursts[b], taken);
      g_assert_cmpfloat (taken, <=, 10 * rates[r] + bursts[b] + 1);
      g_assert_cmpfloat (taken, >=, 9.9 * rates[r]);
      if (bursts[b] >= rates[r] / 10)
        g_assert_cmpfloat (visits, <=, 10 * 50 + 1);
    }
  }
}

/* What comes in lumps, as bytes do, is taken at once and paid for later. */
static void
test_debt (void)
{
  ConicBucketRate rate = conic_bucket_rate (1000, 2000);
  ConicBucket bucket = {0};
  gint64 rest;

  conic_bucket_take (&bucket, &rate, LATE, 1999);
  g_assert_false (conic_bucket_is_empty (&bucket, &rate, LATE));
  conic_bucket_take (&bucket, &rate, LATE, 3001);
  g_assert_true (conic_bucket_is_empty (&bucket, &rate, LATE));
  g_assert_false (conic_bucket_is_empty (&bucket, &rate, LATE + 3001 * 1000));
  g_assert_true (conic_bucket_is_empty (&bucket, &rate, LATE + 3000 * 1000));
  rest = conic_bucket_get_rest (&bucket, &rate, LATE);
  g_assert_cmpint (rest, >=, 3001 * 1000);
  g_assert_cmpint (rest, <=, 3101 * 1000);
}

static void
test_no_limit (void)
{
  ConicBucketRate rate = conic_bucket_rate (0, 1);
  ConicBucketRate slow = conic_bucket_rate (1, 1);
  ConicBucket bucket = {0};

  for (guint i = 0; i < 1000; i++) {
    conic_bucket_take (&bucket, &rate, LATE, G_MAXUINT32);
    g_assert_false (conic_bucket_is_empty (&bucket, &rate, LATE));
  }
  g_assert_cmpuint (take_all (&bucket, &slow, LATE), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bucket/burst", test_burst);
  g_test_add_func ("/bucket/rate", test_rate);
  g_test_add_func ("/bucket/debt", test_debt);
  g_test_add_func ("/bucket/no-limit", test_no_limit);
  return g_test_run ();
}
