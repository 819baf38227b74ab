/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-token-command.h"

#include "conic-server-error.h"
#include "conic-token.h"

#include <stdio.h>
#include <stdlib.h>

/* As in main.c: 1 is a failure, 2 a command line that makes no sense. */
#define EXIT_USAGE 2

/* Seconds: an hour is enough to connect, and little enough to lose. */
#define EXPIRES 3600

/* Ten years, for what is built into something. */
#define EXPIRES_MAX (10 * 366 * 24 * 60 * 60LL)

typedef struct {
  char *key;
  char *sub;
  char *targets;
  char *audience;
  gint64 expires;
} Options;

static void
clear_options (Options *options)
{
  g_free (options->key);
  g_free (options->sub);
  g_free (options->targets);
  g_free (options->audience);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* Returns what is wrong with the options, or %NULL. */
static const char *
find_fault (const Options *options)
{
  if (options->key == NULL)
    return "--key is needed: the file with the key to sign with";
  if (options->sub == NULL)
    return "--sub is needed: the client id, or what it begins with followed by *";
  if (options->expires < 1 || options->expires > EXPIRES_MAX)
    return "--expires has to be a number of seconds from 1 to ten years";
  if (options->audience != NULL &&
      (options->audience[0] == '\0' || !g_utf8_validate (options->audience, -1, NULL)))
    return "--audience has to be a name, in UTF-8";
  return NULL;
}

static gboolean
parse (int argc, char **argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &options->key,
       "Secret or RSA private key (PEM) to sign with", "FILE"},
      {"sub", 0, 0, G_OPTION_ARG_STRING, &options->sub,
       "The client id, or what it begins with followed by *", "ID"},
      {"targets", 0, 0, G_OPTION_ARG_STRING, &options->targets,
       "Whom it may reach, likewise (everyone)", "ID,ID…"},
      {"expires", 0, 0, G_OPTION_ARG_INT64, &options->expires, "How long it is good (3600)",
       "SECONDS"},
      {"audience", 0, 0, G_OPTION_ARG_STRING, &options->audience,
       "Who it is meant for (" CONIC_TOKEN_AUDIENCE ")", "NAME"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  const char *fault;

  g_option_context_set_summary (context, "Prints a token with which a client may connect to a hub "
                                         "that asks for one");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  fault = argc > 1 ? "There is an argument too many" : find_fault (options);
  if (fault != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, fault);
  return fault == NULL;
}

/* A faulty option is an error of the domain of ids, a faulty file one of the server's. */
static char *
make_token (const Options *options, GError **error)
{
  g_autoptr (ConicTokenKey) key = conic_token_key_load_for_signing (options->key, error);
  g_auto (GStrv) targets = options->targets != NULL ? g_strsplit (options->targets, ",", -1) : NULL;
  gint64 now = g_get_real_time () / G_TIME_SPAN_SECOND;
  const ConicTokenClaims claims = {
      .subject = options->sub,
      .targets = (const char *const *) targets,
      .audience = options->audience != NULL ? options->audience : CONIC_TOKEN_AUDIENCE,
      .issued = now,
      .expires = now + options->expires,
  };

  return key != NULL ? conic_token_sign (key, &claims, error) : NULL;
}

int
conic_token_command (int argc, char **argv)
{
  g_auto (Options) options = {.expires = EXPIRES};
  g_autoptr (GError) error = NULL;
  g_autofree char *token = NULL;

  g_set_prgname ("conicd token");
  if (!parse (argc, argv, &options, &error)) {
    g_printerr ("conicd token: %s\nTry “conicd token --help”.\n", error->message);
    return EXIT_USAGE;
  }
  token = make_token (&options, &error);
  if (token == NULL) {
    g_printerr ("conicd token: %s\n", error->message);
    return error->domain == CONIC_SERVER_ERROR ? EXIT_FAILURE : EXIT_USAGE;
  }
  puts (token);
  return EXIT_SUCCESS;
}
