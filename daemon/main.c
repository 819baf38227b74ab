/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* conicd: reads the command line, starts the server, waits for a signal. */

#include "conic-log.h"
#include "conic-server.h"

#include "conic-limits.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* Exit codes, as in most programs: 1 is a failure, 2 a command line that makes no sense. */
#define EXIT_USAGE 2

typedef struct {
  GMainLoop *loop;
  ConicServer *server;
} Daemon;

typedef struct {
  GStrv listen;
  char *config;
  char *log_level;
  gboolean version;
} Options;

static void
clear_options (Options *options)
{
  g_strfreev (options->listen);
  g_free (options->config);
  g_free (options->log_level);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* Tells the service manager, if there is one. */
static void
notify (const char *state)
{
#ifdef HAVE_SYSTEMD
  sd_notify (0, state);
#endif
}

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
      {"listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &options->listen,
       "Where to listen (127.0.0.1:3000); can be given more than once", "ADDR:PORT"},
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config, "Configuration file", "FILE"},
      {"log-level", 0, 0, G_OPTION_ARG_STRING, &options->log_level,
       "What to log: error, warning, message, info or debug (message)", "LEVEL"},
      {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Conic's signaling daemon: lets WebRTC peers find each "
                                         "other over a WebSocket at ws://ADDR:PORT/ws");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "Unexpected argument “%s”",
                 (*argv)[1]);
    return FALSE;
  }
  return TRUE;
}

/* The command line overrides the file, which overrides the defaults. */
static gboolean
configure (ConicConfig *config, const Options *options, GError **error)
{
  if (options->config != NULL && !conic_config_load (config, options->config, error))
    return FALSE;
  if (options->listen != NULL &&
      !conic_config_set_listen (config, (const char *const *) options->listen, error))
    return FALSE;
  return options->log_level == NULL ||
         conic_config_set_log_level (config, options->log_level, error);
}

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

  g_message ("Stopping");
  notify ("STOPPING=1");
  conic_server_stop (daemon->server, on_stopped, daemon);
  return G_SOURCE_CONTINUE;
}

static void
announce (ConicServer *server)
{
  g_autoptr (GString) line = g_string_new ("conicd " CONIC_VERSION " listening on");

  for (const char *const *address = conic_server_get_addresses (server); *address != NULL;
       address++)
    g_string_append_printf (line, " ws://%s" CONIC_DEFAULT_PATH, *address);
  puts (line->str);
  fflush (stdout);
  notify ("READY=1");
}

static int
run (const ConicConfig *config)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicServer) server = conic_server_new (config, &error);
  Daemon daemon = {.loop = loop, .server = server};
  guint on_term, on_int;

  if (server == NULL) {
    g_printerr ("conicd: %s\n", error->message);
    return EXIT_FAILURE;
  }
  on_term = g_unix_signal_add (SIGTERM, on_signal, &daemon);
  on_int = g_unix_signal_add (SIGINT, on_signal, &daemon);
  announce (server);
  g_main_loop_run (loop);
  g_source_remove (on_term);
  g_source_remove (on_int);
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = {0};
  g_autoptr (ConicConfig) config = conic_config_new ();
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (!parse_options (&options, &argc, &argv, &error)) {
    g_printerr ("conicd: %s\nTry “conicd --help”.\n", error->message);
    return EXIT_USAGE;
  }
  if (options.version) {
    puts ("conicd " CONIC_VERSION);
    return EXIT_SUCCESS;
  }
  if (!configure (config, &options, &error)) {
    g_printerr ("conicd: %s\n", error->message);
    return EXIT_USAGE;
  }

  g_log_set_writer_func (conic_log_write, &config->log_level, NULL);
  raise_descriptor_limit ();
  return run (config);
}
