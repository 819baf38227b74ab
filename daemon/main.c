/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* conicd: reads the command line, starts the server, waits for a signal. */

#include "conic-log.h"
#include "conic-options.h"
#include "conic-server.h"
#include "conic-service.h"
#include "conic-token-command.h"

#include "conic-limits.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Exit codes, as in most programs: 1 is a failure, 2 a command line that makes no sense. */
#define EXIT_USAGE 2

typedef struct {
  GMainLoop *loop;
  ConicServer *server;
  ConicService *service;
  const ConicOptions *options;
  GLogLevelFlags *log_level;
  gint64 drain_timeout;
  gboolean stopping;
} Daemon;

/* Every client is a descriptor, and the usual soft limit of 1024 is there for select() only. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) < 0)
    g_warning ("Can't raise the limit of open files");
}

static void
on_stopped (gpointer user_data)
{
  Daemon *daemon = user_data;

  g_main_loop_quit (daemon->loop);
}

static gboolean
on_signal (gpointer user_data)
{
  Daemon *daemon = user_data;

  if (daemon->stopping) {
    g_message ("Stopping at once");
    g_main_loop_quit (daemon->loop);
    return G_SOURCE_CONTINUE;
  }
  g_message ("Stopping");
  daemon->stopping = TRUE;
  conic_service_stopping (daemon->service, daemon->drain_timeout);
  conic_server_stop (daemon->server, on_stopped, daemon);
  return G_SOURCE_CONTINUE;
}

/* A configuration that is not in order leaves everything as it was. */
static gboolean
on_reload (gpointer user_data)
{
  Daemon *daemon = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicConfig) config = NULL;
  g_autofree char *status = NULL;
  gboolean success;

  if (daemon->stopping)
    return G_SOURCE_CONTINUE;
  conic_service_reloading (daemon->service);
  config = conic_options_load (daemon->options, &error);
  success = config != NULL && conic_server_reload (daemon->server, config, &error);
  conic_server_count_reload (daemon->server, success);
  if (success) {
    *daemon->log_level = config->log_level;
    daemon->drain_timeout = config->drain_timeout;
    status = g_strdup ("The configuration was reloaded");
    g_message ("%s", status);
  } else {
    status = g_strdup_printf ("The configuration stays as it was: %s", error->message);
    g_warning ("%s", status);
  }
  conic_service_ready (daemon->service, status);
  return G_SOURCE_CONTINUE;
}

static void
announce (Daemon *daemon, gboolean has_page)
{
  g_autoptr (GString) line = g_string_new ("listening on");

  for (const char *const *address = conic_server_get_addresses (daemon->server); *address != NULL;
       address++)
    g_string_append_printf (line, " %s://%s" CONIC_DEFAULT_PATH,
                            conic_server_has_tls (daemon->server) ? "wss" : "ws", *address);
  for (const char *const *address = conic_server_get_metrics_addresses (daemon->server);
       *address != NULL; address++)
    g_string_append_printf (line, " http://%s/metrics", *address);
  printf ("conicd " CONIC_VERSION " %s\n", line->str);
  if (has_page)
    printf ("The page for browsers is at %s://%s/\n",
            conic_server_has_tls (daemon->server) ? "https" : "http",
            conic_server_get_addresses (daemon->server)[0]);
  fflush (stdout);
  line->str[0] = g_ascii_toupper (line->str[0]);
  conic_service_ready (daemon->service, line->str);
}

static int
run (const ConicOptions *options, const ConicConfig *config, GLogLevelFlags *log_level)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicService) service = conic_service_new ();
  g_autoptr (ConicServer) server =
      conic_server_new (config, conic_service_get_sockets (service), &error);
  Daemon daemon = {
      .loop = loop,
      .server = server,
      .service = service,
      .options = options,
      .log_level = log_level,
      .drain_timeout = config->drain_timeout,
  };
  guint on_term, on_int, on_hup;

  if (server == NULL) {
    g_printerr ("conicd: %s\n", error->message);
    return EXIT_FAILURE;
  }
  on_term = g_unix_signal_add (SIGTERM, on_signal, &daemon);
  on_int = g_unix_signal_add (SIGINT, on_signal, &daemon);
  on_hup = g_unix_signal_add (SIGHUP, on_reload, &daemon);
  announce (&daemon, config->page);
  g_main_loop_run (loop);
  g_source_remove (on_term);
  g_source_remove (on_int);
  g_source_remove (on_hup);
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  g_autoptr (ConicOptions) options = NULL;
  g_autoptr (ConicConfig) config = NULL;
  g_autoptr (GError) error = NULL;
  GLogLevelFlags log_level;

  setlocale (LC_ALL, "");
  if (argc > 1 && g_str_equal (argv[1], "token"))
    return conic_token_command (argc - 1, argv + 1);
  options = conic_options_parse (&argc, &argv, &error);
  if (options == NULL) {
    g_printerr ("conicd: %s\nTry “conicd --help”.\n", error->message);
    return EXIT_USAGE;
  }
  if (options->version) {
    puts ("conicd " CONIC_VERSION);
    return EXIT_SUCCESS;
  }
  config = conic_options_load (options, &error);
  if (config == NULL) {
    g_printerr ("conicd: %s\n", error->message);
    return EXIT_USAGE;
  }
  log_level = config->log_level;
  g_log_set_writer_func (conic_log_write, &log_level, NULL);
  if (options->check_config) {
    if (!conic_server_check (config, &error)) {
      g_printerr ("conicd: %s\n", error->message);
      return EXIT_USAGE;
    }
    puts ("conicd: the configuration is in order");
    return EXIT_SUCCESS;
  }

  /* A client that is gone is an error of a write, with TLS as well. */
  signal (SIGPIPE, SIG_IGN);
  raise_descriptor_limit ();
  return run (options, config, &log_level);
}
