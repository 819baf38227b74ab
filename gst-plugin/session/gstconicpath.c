/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicpath.h"

#include <agent.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

typedef struct {
  guint64 mark;
  guint n_paths;
  gboolean is_hidden; /* a path is by a socket that libnice doesn't show */
} Look;

/* When the last packet came, or how much has come; 0 for nothing yet. */
static guint64
read_socket (GSocket *socket)
{
  int fd = g_socket_get_fd (socket);
  struct timeval last = {0};
  struct tcp_info info = {0};
  socklen_t size = sizeof info;

  if (g_socket_get_socket_type (socket) == G_SOCKET_TYPE_DATAGRAM)
    return ioctl (fd, SIOCGSTAMP, &last) == 0
               ? (guint64) last.tv_sec * G_USEC_PER_SEC + (guint64) last.tv_usec
               : 0;
  return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

/* Whether one of @sockets is the one at @address; that to a TURN server over TCP is none of them. */
static gboolean
has_socket (GPtrArray *sockets, const NiceAddress *address)
{
  for (guint i = 0; i < sockets->len; i++) {
    g_autoptr (GSocketAddress) bound =
        g_socket_get_local_address (g_ptr_array_index (sockets, i), NULL);

    if (G_IS_INET_SOCKET_ADDRESS (bound) && g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (
                                                bound)) == nice_address_get_port (address))
      return TRUE;
  }
  return FALSE;
}

static void
look_at (const GValue *item, gpointer user_data)
{
  GstElement *nicesrc = g_value_get_object (item);
  Look *look = user_data;
  g_autoptr (GObject) agent = NULL;
  g_autoptr (GPtrArray) sockets = NULL;
  NiceCandidate *local, *remote;
  guint stream_id, component_id;

  g_object_get (nicesrc, "agent", &agent, "stream", &stream_id, "component", &component_id, NULL);
  if (agent == NULL ||
      !nice_agent_get_selected_pair (NICE_AGENT (agent), stream_id, component_id, &local, &remote))
    return;
  sockets = nice_agent_get_sockets (NICE_AGENT (agent), stream_id, component_id);
  if (sockets == NULL)
    return;
  look->n_paths++;
  if (local->type == NICE_CANDIDATE_TYPE_RELAYED && !has_socket (sockets, &local->base_addr))
    look->is_hidden = TRUE;
  for (guint i = 0; i < sockets->len; i++)
    look->mark += read_socket (g_ptr_array_index (sockets, i));
}

gboolean
gst_conic_path_read_mark (GstElement *webrtcbin, guint64 *mark)
{
  g_autoptr (GstIterator) nicesrcs =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (webrtcbin), "nicesrc");
  Look look = {0};

  while (gst_iterator_foreach (nicesrcs, look_at, &look) == GST_ITERATOR_RESYNC) {
    gst_iterator_resync (nicesrcs);
    look = (Look){0};
  }
  *mark = look.mark;
  return look.n_paths > 0 && !look.is_hidden;
}

/* --- the kind --- */

/* The worse, the greater. */
static guint
rank (const NiceCandidate *candidate)
{
  switch (candidate->type) {
  case NICE_CANDIDATE_TYPE_RELAYED:
    return 4;
  case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
    return 3;
  case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
    return 2;
  case NICE_CANDIDATE_TYPE_HOST:
  default:
    return 1;
  }
}

static void
rank_path (const GValue *item, gpointer user_data)
{
  GstElement *nicesrc = g_value_get_object (item);
  guint *worst = user_data;
  g_autoptr (GObject) agent = NULL;
  NiceCandidate *local, *remote;
  guint stream_id, component_id;

  g_object_get (nicesrc, "agent", &agent, "stream", &stream_id, "component", &component_id, NULL);
  if (agent != NULL &&
      nice_agent_get_selected_pair (NICE_AGENT (agent), stream_id, component_id, &local, &remote))
    *worst = MAX (*worst, MAX (rank (local), rank (remote)));
}

const char *
gst_conic_path_get_kind (GstElement *webrtcbin)
{
  static const char *const kinds[] = {"unknown", "host", "prflx", "srflx", "relay"};
  g_autoptr (GstIterator) nicesrcs =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (webrtcbin), "nicesrc");
  guint worst = 0;

  while (gst_iterator_foreach (nicesrcs, rank_path, &worst) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (nicesrcs);
  return kinds[worst];
}
