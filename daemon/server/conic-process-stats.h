/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicProcessStats:
 * @start_time: seconds since 1970
 * @cpu_time: seconds of processor time, user's and system's
 * @resident_bytes: of memory
 * @virtual_bytes: of address space
 * @open_fds: open descriptors
 * @max_fds: how many it may have
 *
 * What the kernel says of this process now; -1 where it doesn't say it.
 */
typedef struct {
  double start_time;
  double cpu_time;
  gint64 resident_bytes;
  gint64 virtual_bytes;
  gint64 open_fds;
  gint64 max_fds;
} ConicProcessStats;

void conic_process_stats_read (ConicProcessStats *stats);

G_END_DECLS
