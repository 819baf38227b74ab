/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-handshake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Seconds of silence before the kernel asks the other end whether the connection still is, seconds between
 * such questions, how many may go unanswered, and milliseconds that what is sent, questions included, may
 * go unacknowledged: a connection that was cut is noticed within 25 s, mostly 13. */
#define PROBE_IDLE     10
#define PROBE_INTERVAL 3
#define PROBES_MAX     3
#define UNACKNOWLEDGED 10000

/* (transfer full) (nullable): NULL when @text isn't the URI of a WebSocket */
static SoupMessage *
new_request (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0' ||
      (strcmp (g_uri_get_scheme (uri), "ws") != 0 && strcmp (g_uri_get_scheme (uri), "wss") != 0))
    return NULL;
  return soup_message_new_from_uri (SOUP_METHOD_GET, uri);
}

/* A cable that is pulled closes nothing: without these it is the pings that tell, a minute later. */
static void
on_network_event (SoupMessage *request,
                  GSocketClientEvent event,
                  GIOStream *stream,
                  gpointer user_data)
{
  GSocket *socket;

  if (event != G_SOCKET_CLIENT_CONNECTED || !G_IS_TCP_CONNECTION (stream))
    return;
  socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_IDLE, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_INTERVAL, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, PROBES_MAX, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED, NULL);
}

SoupMessage *
conic_handshake_new (const char *uri, const char *token)
{
  SoupMessage *handshake = new_request (uri);

  if (handshake == NULL)
    return NULL;
  /* No hub sends its clients elsewhere, and a token is for this one. */
  soup_message_add_flags (handshake, SOUP_MESSAGE_NO_REDIRECT);
  if (token != NULL) {
    g_autofree char *bearer = g_strconcat ("Bearer ", token, NULL);

    soup_message_headers_replace (soup_message_get_request_headers (handshake), "Authorization",
                                  bearer);
  }
  g_signal_connect (handshake, "network-event", G_CALLBACK (on_network_event), NULL);
  return handshake;
}

char *
conic_handshake_get_challenge (SoupMessage *handshake)
{
  const char *header = soup_message_headers_get_list (soup_message_get_response_headers (handshake),
                                                      "WWW-Authenticate");
  g_autoptr (GHashTable) values = NULL;
  const char *text = NULL;

  if (soup_message_get_status (handshake) != SOUP_STATUS_UNAUTHORIZED)
    return NULL;
  if (header != NULL && g_ascii_strncasecmp (header, "Bearer ", strlen ("Bearer ")) == 0) {
    values = soup_header_parse_param_list (header + strlen ("Bearer "));
    text = g_hash_table_lookup (values, "error_description");
  }
  return g_strdup (text != NULL ? text : "it wants a token");
}
