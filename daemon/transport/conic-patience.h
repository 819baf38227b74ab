/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicPatience:
 * @confirm_by: when its owner has to know what the client is here for
 * @drain_by: when it has to have read of its queue, which is full
 * @rests_until: until then it isn't listened to, for it has sent too much
 * @pong_by: when it has to have answered a ping
 * @heard_at: when it was last known to be there
 *
 * How long a client is waited for, and for what. Times are monotonic, in microseconds; all but the
 * last one are 0 when there is nothing to wait for.
 */
typedef struct {
  gint64 confirm_by;
  gint64 drain_by;
  gint64 rests_until;
  gint64 pong_by;
  gint64 heard_at;
  gsize n_to_drain;    /*< private >*/
  guint16 ping_jitter; /*< private >*/
} ConicPatience;

/* What there is to be done. */
typedef enum {
  CONIC_PATIENCE_WAIT,
  CONIC_PATIENCE_UNCONFIRMED, /* nobody has said in time what the client is here for */
  CONIC_PATIENCE_SLOW,        /* it doesn't read what waits for it */
  CONIC_PATIENCE_RESTED,      /* it may be listened to again */
  CONIC_PATIENCE_SILENT,      /* it has to be asked whether it is there */
  CONIC_PATIENCE_GONE,        /* it hasn't answered that */
} ConicPatienceResult;

void conic_patience_init (ConicPatience *patience, gint64 now);
void conic_patience_hear (ConicPatience *patience, gint64 pong_timeout, gint64 now);
void conic_patience_await_drain (ConicPatience *patience, gsize n_bytes, gint64 by);
void conic_patience_drain (ConicPatience *patience, gsize n_bytes);
gint64 conic_patience_get_deadline (const ConicPatience *patience, gint64 ping_interval);
ConicPatienceResult
conic_patience_check (const ConicPatience *patience, gint64 ping_interval, gint64 now);

G_END_DECLS
