/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that the delays between tries double up to their bound and start anew after a success, and that
 * each is drawn within 30 percent of that, not always the same. */

#include "conic-backoff.h"

/* Draws with a chance of less than 10⁻²⁰ that all of them are the same. */
#define N_DRAWS 20

static void
assert_delay (const ConicBackoff *backoff, guint middle)
{
  guint least = G_MAXUINT, most = 0;

  for (guint i = 0; i < N_DRAWS; i++) {
    guint delay = conic_backoff_draw (backoff);

    least = MIN (least, delay);
    most = MAX (most, delay);
  }
  g_assert_cmpuint (least, >=, middle * 70 / 100);
  g_assert_cmpuint (most, <=, middle * 130 / 100);
  g_assert_cmpuint (least, <, most);
}

static void
test_growth (void)
{
  ConicBackoff backoff;

  conic_backoff_init (&backoff, 1000, 5000);
  assert_delay (&backoff, 1000);
  conic_backoff_grow (&backoff);
  assert_delay (&backoff, 2000);
  conic_backoff_grow (&backoff);
  assert_delay (&backoff, 4000);
  conic_backoff_grow (&backoff);
  assert_delay (&backoff, 5000);
  for (guint i = 0; i < 100; i++)
    conic_backoff_grow (&backoff);
  assert_delay (&backoff, 5000);
}

static void
test_reset (void)
{
  ConicBackoff backoff;

  conic_backoff_init (&backoff, 500, 15000);
  conic_backoff_grow (&backoff);
  conic_backoff_grow (&backoff);
  assert_delay (&backoff, 2000);
  conic_backoff_reset (&backoff);
  assert_delay (&backoff, 500);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backoff/growth", test_growth);
  g_test_add_func ("/backoff/reset", test_reset);
  return g_test_run ();
}
