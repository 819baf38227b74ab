/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-process-stats.h"

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Which of the words after the process's name tell its start and the sizes of its memory, counted
 * from 0: proc(5), /proc/pid/stat. */
#define STAT_START_TIME 19
#define STAT_VIRTUAL    20
#define STAT_RESIDENT   21

static double
to_seconds (const struct timeval *time)
{
  return time->tv_sec + time->tv_usec / 1e6;
}

/* When something began that was @ticks of the kernel's clock after the machine's start. */
static double
ticks_to_time (guint64 ticks)
{
  struct timespec since_boot;

  clock_gettime (CLOCK_BOOTTIME, &since_boot);
  return g_get_real_time () / 1e6 - (since_boot.tv_sec + since_boot.tv_nsec / 1e9) +
         (double) ticks / sysconf (_SC_CLK_TCK);
}

static void
read_stat (ConicProcessStats *self)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  char *name_end;

  if (!g_file_get_contents ("/proc/self/stat", &text, NULL, NULL) ||
      (name_end = strrchr (text, ')')) == NULL)
    return;
  words = g_strsplit (name_end + 2, " ", -1);
  if (g_strv_length (words) <= STAT_RESIDENT)
    return;
  self->start_time = ticks_to_time (g_ascii_strtoull (words[STAT_START_TIME], NULL, 10));
  self->virtual_bytes = g_ascii_strtoll (words[STAT_VIRTUAL], NULL, 10);
  self->resident_bytes = g_ascii_strtoll (words[STAT_RESIDENT], NULL, 10) * sysconf (_SC_PAGESIZE);
}

/* Since Linux 6.2 the directory's size is the answer; before, it has to be read. */
static gint64
count_fds (void)
{
  struct stat status;
  DIR *directory;
  gint64 n = 0;

  if (stat ("/proc/self/fd", &status) == 0 && status.st_size > 0)
    return status.st_size;
  directory = opendir ("/proc/self/fd");
  if (directory == NULL)
    return -1;
  while (readdir (directory) != NULL)
    n++;
  closedir (directory);
  return n - 3; /* without ".", ".." and the directory itself */
}

/**
 * conic_process_stats_read:
 * @self: (out caller-allocates): what the kernel says
 *
 * Asks the kernel, with a handful of system calls, and on kernels before 6.2 one for each thousand
 * descriptors.
 */
void
conic_process_stats_read (ConicProcessStats *self)
{
  struct rusage usage;
  struct rlimit limit;

  *self = (ConicProcessStats){-1, -1, -1, -1, -1, -1};
  if (getrusage (RUSAGE_SELF, &usage) == 0)
    self->cpu_time = to_seconds (&usage.ru_utime) + to_seconds (&usage.ru_stime);
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    self->max_fds = limit.rlim_cur;
  read_stat (self);
  self->open_fds = count_fds ();
}
