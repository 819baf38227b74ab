/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-listener.h"

#include "conic-server-error.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that the kernel may keep until they are accepted; it takes less if its own limit
 * (net.core.somaxconn) is lower. */
#define BACKLOG 4096

static GSocket *
open_socket (GSocketAddress *address, GError **error)
{
  GSocketFamily family = g_socket_address_get_family (address);
  g_autoptr (GSocket) socket =
      g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, BACKLOG);
  /* [::] is one address, and 0.0.0.0 another: who wants both asks for both. */
  if (family == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, NULL);
  if (!g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error))
    return NULL;
  return g_steal_pointer (&socket);
}

/**
 * conic_listener_open:
 * @address: where
 * @error: return location for a #CONIC_SERVER_ERROR, which names the address
 *
 * Returns: (transfer full) (nullable): a socket that listens and doesn't block, or %NULL
 */
GSocket *
conic_listener_open (GSocketAddress *address, GError **error)
{
  g_autoptr (GError) why = NULL;
  GSocket *socket = open_socket (address, &why);

  if (socket == NULL) {
    g_autofree char *name = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));

    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_LISTEN, "Can't listen on %s: %s",
                 name,
                 g_error_matches (why, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
                     ? "another program has the address"
                     : why->message);
  }
  return socket;
}

/* Says why a socket that somebody else opened can't be served, or %NULL. */
static const char *
find_fault (GSocket *socket)
{
  GSocketFamily family = g_socket_get_family (socket);
  int listens = 0;

  if (g_socket_get_socket_type (socket) != G_SOCKET_TYPE_STREAM ||
      (family != G_SOCKET_FAMILY_IPV4 && family != G_SOCKET_FAMILY_IPV6))
    return "it is not a TCP socket";
  if (!g_socket_get_option (socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, NULL) || !listens)
    return "it doesn't listen";
  return NULL;
}

/**
 * conic_listener_adopt:
 * @fd: (transfer full): a TCP socket that listens already
 * @error: return location for a #CONIC_SERVER_ERROR, which names the descriptor
 *
 * Takes over a socket that the service manager opened, and keeps open when the daemon has ended.
 *
 * Returns: (transfer full) (nullable): the socket, which doesn't block any more, or %NULL
 */
GSocket *
conic_listener_adopt (int fd, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &why);
  const char *fault = socket != NULL ? find_fault (socket) : why->message;

  if (socket == NULL)
    close (fd);
  if (fault != NULL) {
    g_set_error (error, CONIC_SERVER_ERROR, CONIC_SERVER_ERROR_LISTEN,
                 "Can't listen on descriptor %d, which was passed on: %s", fd, fault);
    return NULL;
  }
  g_socket_set_blocking (socket, FALSE);
  return g_steal_pointer (&socket);
}
