/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicBackoff:
 *
 * The delays between tries of something that fails: each is twice the one before, up to a bound, and
 * drawn at random around that, so that those who failed together don't all come back at once.
 * Milliseconds. It has no thread or lock of its own.
 */
typedef struct {
  /*< private >*/
  guint min;
  guint max;
  guint delay;
} ConicBackoff;

void conic_backoff_init (ConicBackoff *self, guint min, guint max);

/* A delay for the next try. */
guint conic_backoff_draw (const ConicBackoff *self);

/* It failed once more: the delay after that is longer. */
void conic_backoff_grow (ConicBackoff *self);

/* It went well: the next delay is the shortest one. */
void conic_backoff_reset (ConicBackoff *self);

G_END_DECLS
