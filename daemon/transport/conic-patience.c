/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pure: the caller knows what time it is. That something came of the client only moves a deadline
 * away, so the caller need not tell anybody: who wakes too early looks again. */

#include "conic-patience.h"

/* Ping intervals differ by up to a quarter, so that clients that came together (after a restart)
 * aren't all asked together. In 1/1024. */
#define PING_JITTER 256

/**
 * conic_patience_init:
 * @self: (out caller-allocates): waits for nothing but a sign of life
 * @now: monotonic time in microseconds
 */
void
conic_patience_init (ConicPatience *self, gint64 now)
{
  *self = (ConicPatience){
      .heard_at = now,
      .ping_jitter = g_random_int_range (0, PING_JITTER),
  };
}

/**
 * conic_patience_hear:
 * @self: how long it is waited
 * @pong_timeout: microseconds for the answer to a ping
 * @now: monotonic time in microseconds
 *
 * The client is there, but has said nothing: a ping is still to be answered.
 */
void
conic_patience_hear (ConicPatience *self, gint64 pong_timeout, gint64 now)
{
  self->heard_at = now;
  if (self->pong_by != 0)
    self->pong_by = now + pong_timeout;
}

/**
 * conic_patience_await_drain:
 * @self: how long it is waited
 * @n_bytes: that wait in the client's queue, which is full
 * @by: monotonic time in microseconds
 *
 * By then it has to have read half of them. That others fill the queue again meanwhile is no fault of
 * the client's: who reads at all isn't slow.
 */
void
conic_patience_await_drain (ConicPatience *self, gsize n_bytes, gint64 by)
{
  self->drain_by = by;
  self->n_to_drain = n_bytes / 2;
}

/* The client has read so many bytes of its queue. */
void
conic_patience_drain (ConicPatience *self, gsize n_bytes)
{
  if (n_bytes >= self->n_to_drain)
    self->drain_by = 0;
  self->n_to_drain -= MIN (n_bytes, self->n_to_drain);
}

static gint64
get_ping_at (const ConicPatience *self, gint64 interval)
{
  return self->heard_at + interval - interval * self->ping_jitter / 1024;
}

/* What it depends on whether the client is listened to: nobody is silent who isn't. */
static gint64
get_hearing_deadline (const ConicPatience *self, gint64 ping_interval)
{
  if (self->rests_until != 0)
    return self->rests_until;
  return self->pong_by != 0 ? self->pong_by : get_ping_at (self, ping_interval);
}

/**
 * conic_patience_get_deadline:
 * @self: how long it is waited
 * @ping_interval: microseconds that a client may be silent before it is asked
 *
 * Returns: the monotonic time of the next conic_patience_check()
 */
gint64
conic_patience_get_deadline (const ConicPatience *self, gint64 ping_interval)
{
  gint64 at = get_hearing_deadline (self, ping_interval);

  if (self->confirm_by != 0)
    at = MIN (at, self->confirm_by);
  if (self->drain_by != 0)
    at = MIN (at, self->drain_by);
  return at;
}

/**
 * conic_patience_check:
 * @self: how long it is waited
 * @ping_interval: microseconds that a client may be silent before it is asked
 * @now: monotonic time in microseconds
 *
 * Returns: what is due; the first if there are several
 */
ConicPatienceResult
conic_patience_check (const ConicPatience *self, gint64 ping_interval, gint64 now)
{
  if (self->confirm_by != 0 && now >= self->confirm_by)
    return CONIC_PATIENCE_UNCONFIRMED;
  if (self->drain_by != 0 && now >= self->drain_by)
    return CONIC_PATIENCE_SLOW;
  if (now < get_hearing_deadline (self, ping_interval))
    return CONIC_PATIENCE_WAIT;
  if (self->rests_until != 0)
    return CONIC_PATIENCE_RESTED;
  return self->pong_by != 0 ? CONIC_PATIENCE_GONE : CONIC_PATIENCE_SILENT;
}
