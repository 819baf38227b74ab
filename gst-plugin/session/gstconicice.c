/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicice.h"

#include <agent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

/* How often a relay is told that it isn't needed any more, and how long it has for its first answer, in
 * milliseconds: libnice doubles that once and halves it for the last, so 0.8 s with a dead relay. */
#define RELEASE_TRIES      3
#define RELEASE_FIRST_TIME 200

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

/* (transfer full) (nullable): *@ice, which it needs to live, is (transfer full) (nullable), too */
static GObject *
get_agent (GstElement *webrtcbin, GObject **ice)
{
  GObject *agent = NULL;

  g_object_get (webrtcbin, "ice-agent", ice, NULL);
  if (*ice != NULL && g_object_class_find_property (G_OBJECT_GET_CLASS (*ice), "agent") != NULL)
    g_object_get (*ice, "agent", &agent, NULL);
  return agent;
}

void
gst_conic_ice_configure (GstElement *webrtcbin)
{
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GObject) agent = get_agent (webrtcbin, &ice);

  if (ice == NULL)
    return;

  /* Checks in place of one-way keepalives: RFC 7675 in spirit. libnice's own consent freshness
   * can't be asked for through webrtcbin 1.22. */
  if (agent != NULL)
    /* UPnP would shout into every network that the machine is in, for each session anew. */
    g_object_set (agent, "keepalive-conncheck", TRUE, "upnp", FALSE, NULL);

  /* The loopback is no candidate unless it is named, and then nothing else is. */
  if (!has_network ()) {
    gboolean added;

    g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &added);
  }
}

/* --- the end --- */

typedef struct {
  NiceAgent *agent;
  GMainContext *context;
} Reception;

static void
ignore_packet (NiceAgent *agent,
               guint stream_id,
               guint component_id,
               guint length,
               char *packet,
               gpointer user_data)
{
}

/* The relays' answers come in by a nicesrc's thread. That of one that was stopped has ended. */
static void
receive_for (const GValue *item, gpointer user_data)
{
  GstElement *nicesrc = g_value_get_object (item);
  const Reception *reception = user_data;
  guint stream_id, component_id;

  if (GST_STATE (nicesrc) > GST_STATE_READY)
    return;
  g_object_get (nicesrc, "stream", &stream_id, "component", &component_id, NULL);
  nice_agent_attach_recv (reception->agent, stream_id, component_id, reception->context,
                          ignore_packet, NULL);
}

static void
on_closed (GObject *agent, GAsyncResult *result, gpointer user_data)
{
  gboolean *closed = user_data;

  *closed = TRUE;
}

void
gst_conic_ice_release (GstElement *webrtcbin)
{
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GObject) agent = get_agent (webrtcbin, &ice);
  g_autoptr (GstIterator) nicesrcs = NULL;
  g_autoptr (GMainContext) context = NULL;
  Reception reception;
  gboolean closed = FALSE;

  if (agent == NULL)
    return;
  context = g_main_context_new ();
  reception = (Reception){.agent = NICE_AGENT (agent), .context = context};
  nicesrcs = gst_bin_iterate_all_by_element_factory_name (GST_BIN (webrtcbin), "nicesrc");
  while (gst_iterator_foreach (nicesrcs, receive_for, &reception) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (nicesrcs);
  g_object_set (agent, "stun-initial-timeout", RELEASE_FIRST_TIME, "stun-max-retransmissions",
                RELEASE_TRIES, NULL);
  g_main_context_push_thread_default (context);
  nice_agent_close_async (NICE_AGENT (agent), on_closed, &closed);
  while (!closed)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
}
