/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A token bucket that is filled steadily needs no count of tokens and no timer, only the time at
 * which it will be full again: each token that is taken is one period more until then. (The generic
 * cell rate algorithm, ITU-T I.371, says the same of a theoretical arrival time.) Pure: the caller
 * knows what time it is. */

#include "conic-bucket.h"

/* Inside, times are in nanoseconds: a byte is less than a microsecond's worth. */
#define NANOSECONDS(microseconds) ((microseconds) *1000)

/* Microseconds that somebody whose bucket is empty has to rest: to be looked at again for each single
 * token would be more work than what the tokens are for. */
#define REST (20 * G_TIME_SPAN_MILLISECOND)

/**
 * conic_bucket_rate:
 * @per_second: tokens that come in a second; 0 is no limit
 * @burst: tokens that a bucket holds
 *
 * Returns: the rate
 */
ConicBucketRate
conic_bucket_rate (double per_second, double burst)
{
  double period;

  if (per_second <= 0)
    return (ConicBucketRate){0};
  period = NANOSECONDS (G_TIME_SPAN_SECOND) / per_second;
  return (ConicBucketRate){
      .period = period,
      .slack = (gint64) ((burst - 1) * period),
      /* A small bucket must not be full before that is over: what runs over is lost. */
      .rest = (gint64) MIN (REST, (burst - 1) * period / NANOSECONDS (2)),
  };
}

/**
 * conic_bucket_take:
 * @bucket: the bucket
 * @rate: how it fills
 * @now: monotonic time in microseconds
 * @n: tokens
 *
 * Takes tokens, also if there are less: then the bucket owes them.
 */
void
conic_bucket_take (ConicBucket *bucket, const ConicBucketRate *rate, gint64 now, gsize n)
{
  bucket->full_at =
      MAX (bucket->full_at, NANOSECONDS (now)) + (gint64) ((double) n * rate->period + 0.5);
}

/* When there is a whole token again. */
static gint64
get_refilled_at (const ConicBucket *bucket, const ConicBucketRate *rate)
{
  return (bucket->full_at - rate->slack) / NANOSECONDS (1);
}

/* Whether there is less than one token left. */
gboolean
conic_bucket_is_empty (const ConicBucket *bucket, const ConicBucketRate *rate, gint64 now)
{
  return get_refilled_at (bucket, rate) > now;
}

/**
 * conic_bucket_get_rest:
 * @bucket: the bucket
 * @rate: how it fills
 * @now: monotonic time in microseconds
 *
 * Returns: microseconds until it is worth while to come back; 0 if there is a token
 */
gint64
conic_bucket_get_rest (const ConicBucket *bucket, const ConicBucketRate *rate, gint64 now)
{
  if (!conic_bucket_is_empty (bucket, rate, now))
    return 0;
  return get_refilled_at (bucket, rate) - now + rate->rest;
}
