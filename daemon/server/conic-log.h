/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ConicLogClient:
 * @id: (nullable): the client's id
 * @remote: (nullable): the address and port that it came from
 * @close_code: what its connection ended with; 0 if it didn't
 *
 * Whom a message is about. In the journal these are the fields CONIC_CLIENT_ID, CONIC_REMOTE and
 * CONIC_CLOSE_CODE.
 */
typedef struct {
  const char *id;
  const char *remote;
  guint close_code;
} ConicLogClient;

/* (transfer full): the address and port of the other end of the socket @fd */
char *conic_log_describe_remote (int fd);

/* Logs a message about @client, who is named in it as well if that is how it is written. */
void conic_log_client (GLogLevelFlags level, const ConicLogClient *client, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/**
 * ConicLogLimit:
 *
 * Lets something that can happen a thousand times a second be logged once a minute. All zeros is a
 * new one.
 */
typedef struct {
  gint64 next; /*< private >*/
  guint n_kept_back;
} ConicLogLimit;

/* Whether to log now. Sets @n_kept_back to how often that was refused since it was last granted. */
gboolean conic_log_limit_pass (ConicLogLimit *limit, gint64 now, guint *n_kept_back);

/* (transfer full): @text, UTF-8 and without a control character: what a client sends may be logged
 * in no other way. The writer does it with every message. */
char *conic_log_escape (const char *text);

/* Whether @name is "error", "warning", "message", "info" or "debug"; sets @level to the least
 * important one that is to be logged. */
gboolean conic_log_level_from_name (const char *name, GLogLevelFlags *level);

/* The reverse; static. */
const char *conic_log_level_to_name (GLogLevelFlags level);

/* For g_log_set_writer_func(): to the journal if that is where standard error goes, else lines on
 * standard error. @user_data is a pointer to the GLogLevelFlags above. */
GLogWriterOutput
conic_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data);

G_END_DECLS
