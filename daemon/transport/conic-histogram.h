/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many bounds there are; see conic_histogram_bounds. */
#define CONIC_HISTOGRAM_N_BOUNDS 17

/**
 * ConicHistogram:
 * @counts: how many took at most the bound of the same index and more than the one before it; the
 *   last one, how many took longer than every bound
 * @sum: of all, in microseconds
 *
 * How long something took. All zeros is an empty one.
 */
typedef struct {
  guint64 counts[CONIC_HISTOGRAM_N_BOUNDS + 1];
  guint64 sum;
} ConicHistogram;

/* Microseconds, ascending. */
extern const gint64 conic_histogram_bounds[CONIC_HISTOGRAM_N_BOUNDS];

void conic_histogram_observe (ConicHistogram *histogram, gint64 duration, guint n);

G_END_DECLS
