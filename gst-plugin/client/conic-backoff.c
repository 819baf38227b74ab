/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-backoff.h"

/* Each delay is drawn from ± this many percent. */
#define JITTER 30

void
conic_backoff_init (ConicBackoff *self, guint min, guint max)
{
  *self = (ConicBackoff){.min = min, .max = max, .delay = min};
}

guint
conic_backoff_draw (const ConicBackoff *self)
{
  return self->delay * (100 - JITTER + g_random_int_range (0, 2 * JITTER + 1)) / 100;
}

void
conic_backoff_grow (ConicBackoff *self)
{
  self->delay = MIN (self->delay * 2, self->max);
}

void
conic_backoff_reset (ConicBackoff *self)
{
  self->delay = self->min;
}
