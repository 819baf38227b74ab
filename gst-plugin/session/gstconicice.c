/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicice.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

/* Whether any interface but the loopback has an address. */
static gboolean
has_network (void)
{
  struct ifaddrs *addresses = NULL;
  gboolean found = FALSE;

  if (getifaddrs (&addresses) != 0)
    return TRUE;
  for (struct ifaddrs *a = addresses; a != NULL && !found; a = a->ifa_next)
    found = a->ifa_addr != NULL && (a->ifa_flags & IFF_UP) != 0 &&
            (a->ifa_flags & IFF_LOOPBACK) == 0 &&
            (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6);
  freeifaddrs (addresses);
  return found;
}

void
gst_conic_ice_configure (GstElement *webrtcbin)
{
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (ice == NULL)
    return;

  /* Checks in place of one-way keepalives: RFC 7675 in spirit. libnice's own consent freshness
   * can't be asked for through webrtcbin 1.22. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (ice), "agent") != NULL)
    g_object_get (ice, "agent", &agent, NULL);
  if (agent != NULL)
    /* UPnP would shout into every network that the machine is in, for each session anew. */
    g_object_set (agent, "keepalive-conncheck", TRUE, "upnp", FALSE, NULL);

  /* The loopback is no candidate unless it is named, and then nothing else is. */
  if (!has_network ()) {
    gboolean added;

    g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &added);
  }
}
