/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-histogram.h"

/* From a relay on an idle machine to the longest that a handshake may take. */
const gint64 conic_histogram_bounds[CONIC_HISTOGRAM_N_BOUNDS] = {
    50,
    100,
    250,
    500,
    1000,
    2500,
    5000,
    10 * 1000,
    25 * 1000,
    50 * 1000,
    100 * 1000,
    250 * 1000,
    500 * 1000,
    1000 * 1000,
    2500 * 1000,
    5000 * 1000,
    10 * 1000 * 1000,
};

/**
 * conic_histogram_observe:
 * @self: the histogram
 * @duration: microseconds
 * @n: how many took that long
 *
 * Counts them.
 */
void
conic_histogram_observe (ConicHistogram *self, gint64 duration, guint n)
{
  guint i = 0;

  while (i < CONIC_HISTOGRAM_N_BOUNDS && duration > conic_histogram_bounds[i])
    i++;
  self->counts[i] += n;
  self->sum += n * MAX (duration, 0);
}
