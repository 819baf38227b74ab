/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a histogram's bounds ascend and belong to their own bucket, as Prometheus has it, and
 * that nothing is left out of it. */

#include "conic-histogram.h"

static void
test_bounds (void)
{
  ConicHistogram histogram = {0};

  for (guint i = 0; i < CONIC_HISTOGRAM_N_BOUNDS; i++) {
    gint64 bound = conic_histogram_bounds[i];

    if (i > 0)
      g_assert_cmpint (bound, >, conic_histogram_bounds[i - 1]);
    conic_histogram_observe (&histogram, bound, 1);
    conic_histogram_observe (&histogram, bound + 1, 10);
    g_assert_cmpuint (histogram.counts[i], ==, i == 0 ? 1 : 11);
    g_assert_cmpuint (histogram.counts[i + 1], ==, 10);
  }
}

static void
test_sum (void)
{
  ConicHistogram histogram = {0};
  guint64 n = 0;

  conic_histogram_observe (&histogram, 7, 3);
  conic_histogram_observe (&histogram, 0, 1);
  conic_histogram_observe (&histogram, G_TIME_SPAN_DAY, 2);
  conic_histogram_observe (&histogram, -5, 1); /* who asked two clocks */
  for (guint i = 0; i <= CONIC_HISTOGRAM_N_BOUNDS; i++)
    n += histogram.counts[i];
  g_assert_cmpuint (n, ==, 7);
  g_assert_cmpuint (histogram.sum, ==, 3 * 7 + 2 * G_TIME_SPAN_DAY);
  g_assert_cmpuint (histogram.counts[0], ==, 5);
  g_assert_cmpuint (histogram.counts[CONIC_HISTOGRAM_N_BOUNDS], ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/histogram/bounds", test_bounds);
  g_test_add_func ("/histogram/sum", test_sum);
  return g_test_run ();
}
