/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3) say. Built without libsystemd,
 * nobody listens, and there are no sockets. */

#include "conic-service.h"

#include "conic-log.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* Time that the service manager has to wait beyond what was asked for: the end of the process itself. */
#define STOP_MARGIN (2 * G_TIME_SPAN_SECOND)

struct _ConicService {
  GArray *sockets;   /* of int, the daemon's to close */
  GSource *watchdog; /* (nullable) */
};

static void
notify (const char *state)
{
#ifdef HAVE_SYSTEMD
  sd_notify (0, state);
#endif
}

static void
find_sockets (ConicService *self)
{
#ifdef HAVE_SYSTEMD
  int n = sd_listen_fds (TRUE);

  for (int i = 0; i < n; i++) {
    int fd = SD_LISTEN_FDS_START + i;

    g_array_append_val (self->sockets, fd);
  }
#endif
}

#ifdef HAVE_SYSTEMD
/* From the main loop: a daemon that hangs there is one that has to be started again. */
static gboolean
on_watchdog (gpointer user_data)
{
  notify ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}
#endif

static void
start_watchdog (ConicService *self)
{
#ifdef HAVE_SYSTEMD
  guint64 interval;

  if (sd_watchdog_enabled (FALSE, &interval) <= 0)
    return;
  self->watchdog = g_timeout_source_new (MAX (interval / 2 / G_TIME_SPAN_MILLISECOND, 1));
  g_source_set_name (self->watchdog, "conic watchdog");
  g_source_set_callback (self->watchdog, on_watchdog, NULL, NULL);
  g_source_attach (self->watchdog, g_main_context_get_thread_default ());
#endif
}

/**
 * conic_service_new:
 *
 * Takes what the service manager passed on, and begins to show it that the main loop runs.
 *
 * Returns: (transfer full): the service
 */
ConicService *
conic_service_new (void)
{
  ConicService *self = g_new0 (ConicService, 1);

  self->sockets = g_array_new (FALSE, FALSE, sizeof (int));
  find_sockets (self);
  start_watchdog (self);
  return self;
}

void
conic_service_free (ConicService *self)
{
  if (self->watchdog != NULL) {
    g_source_destroy (self->watchdog);
    g_source_unref (self->watchdog);
  }
  g_array_unref (self->sockets);
  g_free (self);
}

/* (transfer none) (element-type int): sockets that listen already, to be used instead of addresses.
 * They are closed by whoever uses them. */
const GArray *
conic_service_get_sockets (ConicService *self)
{
  return self->sockets;
}

/* Says that it serves, after its start or a reload; @status is for a person to read. */
void
conic_service_ready (ConicService *self, const char *status)
{
  /* A line of its own would be another word to the service manager. */
  g_autofree char *line = conic_log_escape (status);
  g_autofree char *state = g_strdup_printf ("READY=1\nSTATUS=%s", line);

  notify (state);
}

/* Says that it reads its configuration, until it is ready again. */
void
conic_service_reloading (ConicService *self)
{
  g_autofree char *state =
      g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());

  notify (state);
}

/* Says that it stops, and that this may take @timeout microseconds. */
void
conic_service_stopping (ConicService *self, gint64 timeout)
{
  g_autofree char *state = g_strdup_printf (
      "STOPPING=1\nSTATUS=Waiting for the clients to leave\nEXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT,
      timeout + STOP_MARGIN);

  notify (state);
}
