/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicBucketRate:
 *
 * How fast a bucket fills, and how much it holds. All zeros is a bucket that is never empty.
 */
typedef struct {
  double period; /*< private >*/
  gint64 slack;  /*< private >*/
  gint64 rest;   /*< private >*/
} ConicBucketRate;

/**
 * ConicBucket:
 *
 * What somebody may still use of something that comes at a ConicBucketRate: a token bucket, as the
 * one number that it comes down to. All zeros is a full one.
 */
typedef struct {
  gint64 full_at; /*< private >*/
} ConicBucket;

ConicBucketRate conic_bucket_rate (double per_second, double burst);

void conic_bucket_take (ConicBucket *bucket, const ConicBucketRate *rate, gint64 now, gsize n);
gboolean conic_bucket_is_empty (const ConicBucket *bucket, const ConicBucketRate *rate, gint64 now);
gint64 conic_bucket_get_rest (const ConicBucket *bucket, const ConicBucketRate *rate, gint64 now);

G_END_DECLS
