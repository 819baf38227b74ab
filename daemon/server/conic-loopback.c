/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-loopback.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Whether @host, without a port, is an address or a name that every machine has for itself: RFC 6761
 * section 6.3. */
gboolean
conic_loopback_is_host (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address != NULL ? g_inet_address_get_is_loopback (address)
                         : g_ascii_strcasecmp (host, "localhost") == 0;
}

/* Whether the connection came to a loopback address, and so from this machine. */
gboolean
conic_loopback_is_socket (int fd)
{
  union {
    struct sockaddr any;
    struct sockaddr_storage storage;
  } local = {.any.sa_family = AF_UNSPEC};
  socklen_t length = sizeof local;
  g_autoptr (GSocketAddress) address = NULL;

  if (getsockname (fd, &local.any, &length) < 0)
    return FALSE;
  address = g_socket_address_new_from_native (&local, length);
  return G_IS_INET_SOCKET_ADDRESS (address) &&
         g_inet_address_get_is_loopback (
             g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* Whether a proxy says that it has passed the request on. A page can't. */
gboolean
conic_loopback_is_forwarded (SoupMessageHeaders *headers)
{
  static const char *const names[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (soup_message_headers_get_one (headers, names[i]) != NULL)
      return TRUE;
  return FALSE;
}
