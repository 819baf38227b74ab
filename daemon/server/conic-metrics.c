/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prometheus' text format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */

#include "conic-metrics.h"

#include "conic-process-stats.h"

/* Bytes that the text begins with: what it has in all, and some. */
#define TEXT_BYTES (16 * 1024)

/* Enough for any number below. */
#define NUMBER_BYTES G_ASCII_DTOSTR_BUF_SIZE

/* What a client's message can be, and what can become of it: a request is answered or refused, a
 * message for somebody else is never answered. */
static const struct {
  ConicMessageType type;
  const char *label;
  gboolean relayed;
} types[] = {
    {CONIC_MESSAGE_REGISTER_REQUEST, "register", FALSE},
    {CONIC_MESSAGE_UNREGISTER_REQUEST, "unregister", FALSE},
    {CONIC_MESSAGE_LIST_REQUEST, "list", FALSE},
    {CONIC_MESSAGE_SDP, "sdp", TRUE},
    {CONIC_MESSAGE_CANDIDATE, "candidate", TRUE},
    {CONIC_MESSAGE_DATA_CHANNEL, "data_channel", TRUE},
    {CONIC_MESSAGE_BYE, "bye", TRUE},
};

static const char *const outcomes[CONIC_HUB_N_OUTCOMES] = {
    [CONIC_HUB_ANSWERED] = "answered",
    [CONIC_HUB_RELAYED] = "relayed",
    [CONIC_HUB_TRANSLATED] = "translated",
    [CONIC_HUB_NOT_FOUND] = "not_found",
    [CONIC_HUB_SLOW] = "slow",
    [CONIC_HUB_REFUSED] = "refused",
};

static const char *const results[CONIC_HANDSHAKE_N_RESULTS] = {
    [CONIC_HANDSHAKE_UPGRADED] = "upgraded",
    [CONIC_HANDSHAKE_HTTP] = "http",
    [CONIC_HANDSHAKE_INVALID] = "invalid",
    [CONIC_HANDSHAKE_TLS_FAILED] = "tls_failed",
    [CONIC_HANDSHAKE_FORBIDDEN] = "forbidden",
    [CONIC_HANDSHAKE_UNAUTHORIZED] = "unauthorized",
    [CONIC_HANDSHAKE_TIMEOUT] = "timeout",
    [CONIC_HANDSHAKE_LOST] = "lost",
    [CONIC_HANDSHAKE_NO_ROOM] = "no_room",
    [CONIC_HANDSHAKE_ADDRESS_LIMIT] = "address_limit",
    [CONIC_HANDSHAKE_NO_DESCRIPTORS] = "no_descriptors",
};

static void
begin (GString *text, const char *name, const char *type, const char *help)
{
  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_double (GString *text, const char *name, const char *type, const char *help, double value)
{
  char number[NUMBER_BYTES];

  if (value < 0)
    return;
  begin (text, name, type, help);
  g_string_append_printf (text, "%s %s\n", name,
                          g_ascii_formatd (number, sizeof number, "%.15g", value));
}

static void
add_counter (GString *text, const char *name, const char *help, guint64 value)
{
  begin (text, name, "counter", help);
  g_string_append_printf (text, "%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void
add_labelled (GString *text, const char *name, const char *label, const char *value, guint64 n)
{
  g_string_append_printf (text, "%s{%s=\"%s\"} %" G_GUINT64_FORMAT "\n", name, label, value, n);
}

static void
add_histogram (GString *text, const char *name, const char *help, const ConicHistogram *histogram)
{
  char number[NUMBER_BYTES];
  guint64 n = 0;

  begin (text, name, "histogram", help);
  for (guint i = 0; i < CONIC_HISTOGRAM_N_BOUNDS; i++) {
    n += histogram->counts[i];
    g_ascii_formatd (number, sizeof number, "%.10g", conic_histogram_bounds[i] / 1e6);
    g_string_append_printf (text, "%s_bucket{le=\"%s\"} %" G_GUINT64_FORMAT "\n", name, number, n);
  }
  n += histogram->counts[CONIC_HISTOGRAM_N_BOUNDS];
  g_ascii_formatd (number, sizeof number, "%.15g", histogram->sum / 1e6);
  g_string_append_printf (text,
                          "%s_bucket{le=\"+Inf\"} %" G_GUINT64_FORMAT "\n%s_sum %s\n"
                          "%s_count %" G_GUINT64_FORMAT "\n",
                          name, n, name, number, name, n);
}

static void
add_connections (GString *text, const ConicMetrics *self)
{
  static const char name[] = "conicd_connections";

  begin (text, name, "gauge", "Connections, by how far they have come.");
  add_labelled (text, name, "state", "handshake", self->n_handshakes);
  add_labelled (text, name, "state", "unregistered", self->n_peers - self->n_registered);
  add_labelled (text, name, "state", "registered", self->n_registered);
  add_labelled (text, name, "state", "closing", self->n_connections - self->n_peers);
  add_double (text, "conicd_connections_max", "gauge", "Connections that there may be in all.",
              self->max_connections);
}

static void
add_server_stats (GString *text, const ConicServerStats *stats)
{
  static const char name[] = "conicd_handshakes_total";

  add_counter (text, "conicd_connections_accepted_total", "Connections accepted.", stats->accepted);
  begin (text, name, "counter", "How the handshakes of accepted connections ended.");
  for (guint i = 0; i < CONIC_HANDSHAKE_N_RESULTS; i++)
    add_labelled (text, name, "result", results[i], stats->handshakes[i]);
  add_histogram (text, "conicd_handshake_duration_seconds",
                 "From a connection's being accepted to its being a WebSocket.",
                 &stats->handshake_time);
}

static void
add_configuration (GString *text, const ConicServerStats *stats)
{
  add_double (text, "conicd_config_last_reload_successful", "gauge",
              "Whether the last reload of the configuration succeeded; 1 before the first.",
              !stats->reload_failed);
  add_double (text, "conicd_config_last_reload_success_timestamp_seconds", "gauge",
              "When the configuration in use was read, in seconds since unix epoch.",
              stats->configured_at / 1e6);
}

static void
add_transport_stats (GString *text, const ConicTransportStats *stats)
{
  static const char name[] = "conicd_closes_total";

  add_counter (text, "conicd_received_bytes_total", "Bytes of WebSocket frames from clients.",
               stats->bytes_received);
  add_counter (text, "conicd_sent_bytes_total", "Bytes of WebSocket frames to clients.",
               stats->bytes_sent);
  add_counter (text, "conicd_queue_full_total",
               "Messages that were not taken because their receiver's queue was full.",
               stats->queue_full);
  add_counter (text, "conicd_throttled_total",
               "How often a client was not listened to for a while because it sends too much.",
               stats->throttled);
  add_counter (text, "conicd_pongs_missed_total", "Clients that did not answer a ping.",
               stats->pongs_missed);
  begin (text, name, "counter", "WebSocket connections that ended, by close code.");
  for (guint i = 0; i < CONIC_TRANSPORT_N_CLOSES; i++) {
    char code[8];

    g_snprintf (code, sizeof code, "%u", conic_transport_closes[i]);
    add_labelled (text, name, "code", code, stats->closes[i]);
  }
  add_labelled (text, name, "code", "other", stats->closes[CONIC_TRANSPORT_N_CLOSES]);
  add_histogram (text, "conicd_relay_duration_seconds",
                 "From a message's being read to its being in its receiver's socket or queue.",
                 &stats->relay_time);
}

static void
add_message (GString *text, const char *type, ConicHubOutcome outcome, guint64 n)
{
  g_string_append_printf (text,
                          "conicd_messages_total{type=\"%s\",outcome=\"%s\"} %" G_GUINT64_FORMAT
                          "\n",
                          type, outcomes[outcome], n);
}

static void
add_hub_stats (GString *text, const ConicHubStats *stats)
{
  static const char errors[] = "conicd_errors_total";

  begin (text, "conicd_messages_total", "counter",
         "Messages from clients, by type and by what became of them.");
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++) {
    const guint64 *n = stats->messages[types[i].type];

    for (guint outcome = 0; outcome < CONIC_HUB_N_OUTCOMES; outcome++)
      if (outcome == CONIC_HUB_REFUSED || types[i].relayed == (outcome != CONIC_HUB_ANSWERED))
        add_message (text, types[i].label, outcome, n[outcome]);
  }
  /* Not even what it was meant to be is known of these. */
  add_message (text, "unknown", CONIC_HUB_REFUSED,
               stats->messages[CONIC_MESSAGE_ERROR][CONIC_HUB_REFUSED]);

  begin (text, errors, "counter", "Errors told to clients, by code.");
  for (guint i = 0; i < CONIC_N_ERRORS; i++)
    add_labelled (text, errors, "code", conic_error_to_code (i), stats->errors[i]);
}

static void
add_process_stats (GString *text)
{
  ConicProcessStats stats;

  conic_process_stats_read (&stats);
  add_double (text, "process_start_time_seconds", "gauge",
              "Start time of the process since unix epoch in seconds.", stats.start_time);
  add_double (text, "process_cpu_seconds_total", "counter",
              "Total user and system CPU time spent in seconds.", stats.cpu_time);
  add_double (text, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
              stats.resident_bytes);
  add_double (text, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
              stats.virtual_bytes);
  add_double (text, "process_open_fds", "gauge", "Number of open file descriptors.",
              stats.open_fds);
  add_double (text, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
              stats.max_fds);
}

/**
 * conic_metrics_write:
 * @self: the daemon at this moment
 *
 * Writes the metrics, and those of the process.
 *
 * Returns: (transfer full): the text. The sets of labels are fixed: nothing that a client sends is
 *   in it
 */
char *
conic_metrics_write (const ConicMetrics *self)
{
  GString *text = g_string_sized_new (TEXT_BYTES);

  begin (text, "conicd_build_info", "gauge", "Which conicd this is; always 1.");
  add_labelled (text, "conicd_build_info", "version", CONIC_VERSION, 1);
  add_configuration (text, self->server);
  add_connections (text, self);
  add_server_stats (text, self->server);
  add_transport_stats (text, self->transport);
  add_hub_stats (text, self->hub);
  add_process_stats (text);
  return g_string_free (text, FALSE);
}
