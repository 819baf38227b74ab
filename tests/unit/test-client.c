/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a client registers at a real hub and stays registered: the id it asks for or is given,
 * messages there and back, which troubles are final and which are tried again, a hub that is killed
 * and comes back, and that stopping is quick and loses nothing that was sent. */

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "conic-client.h"
#include "conic-limits.h"

/* Seconds after which a case that waits in vain fails. */
#define WATCHDOG 40

/* Microseconds that stopping may take: a fifth of a second is promised, the machine may be busy. */
#define STOP_MAX (2 * G_USEC_PER_SEC)

#define MANY_MESSAGES 200

/* Nothing listens on the discard port of the loopback address. */
#define NO_HUB "ws://127.0.0.1:9/ws"

/* --- a hub --- */

typedef struct {
  GSubprocess *process;
  guint port;
  char *uri;
} Hub;

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* A hub on @port, 0 for a free one; returns when it listens. */
static void
hub_start (Hub *hub, guint port)
{
  g_autofree char *path =
      g_build_filename (g_getenv ("CONIC_TEST_BUILD"), "daemon", "conicd", NULL);
  g_autofree char *listen = g_strdup_printf ("127.0.0.1:%u", port);
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  const char *address;

  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  hub->process = g_subprocess_launcher_spawn (launcher, &error, path, "--listen", listen, NULL);
  g_assert_no_error (error);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (hub->process));
  line = g_data_input_stream_read_line (output, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (line);
  address = strstr (line, "ws://127.0.0.1:");
  g_assert_nonnull (address);
  hub->port = (guint) g_ascii_strtoull (address + strlen ("ws://127.0.0.1:"), NULL, 10);
  hub->uri = g_strdup (address);
}

static void
hub_stop (Hub *hub)
{
  g_subprocess_force_exit (hub->process);
  g_subprocess_wait (hub->process, NULL, NULL);
  g_clear_object (&hub->process);
  g_clear_pointer (&hub->uri, g_free);
}

/* --- a client and what it told --- */

typedef struct {
  ConicClient *client;
  guint n_registered;
  guint n_lost;
  guint delay;
  GError *lost;
  GError *failed;
  GPtrArray *messages; /* (element-type ConicMessage) */
  gboolean stopped;
} Peer;

static gboolean
on_watchdog (gpointer user_data)
{
  g_error ("waited %d s in vain", WATCHDOG);
  return G_SOURCE_REMOVE;
}

/* Runs the main context until @condition, which events of it make true. */
#define wait_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint watchdog = g_timeout_add_seconds (WATCHDOG, on_watchdog, NULL);                          \
                                                                                                   \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (watchdog);                                                                    \
  }                                                                                                \
  G_STMT_END

static void
on_registered (ConicClient *client, const char *id, Peer *peer)
{
  g_assert_cmpstr (id, ==, conic_client_get_id (client));
  g_assert_true (conic_client_is_registered (client));
  peer->n_registered++;
}

static void
on_message (ConicClient *client, const ConicMessage *message, Peer *peer)
{
  g_ptr_array_add (peer->messages, conic_message_copy (message));
}

static void
on_lost (ConicClient *client, const GError *error, guint delay, Peer *peer)
{
  g_assert_nonnull (error);
  g_assert_false (conic_client_is_registered (client));
  g_clear_error (&peer->lost);
  peer->lost = g_error_copy (error);
  peer->delay = delay;
  peer->n_lost++;
}

static void
on_failed (ConicClient *client, const GError *error, Peer *peer)
{
  g_assert_nonnull (error);
  g_assert_null (peer->failed);
  peer->failed = g_error_copy (error);
}

static void
on_stopped (gpointer user_data)
{
  Peer *peer = user_data;

  g_assert_false (peer->stopped);
  peer->stopped = TRUE;
}

static void
peer_init (Peer *peer, const char *uri, const char *id)
{
  *peer = (Peer){.client = conic_client_new ()};
  peer->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) conic_message_free);
  g_signal_connect (peer->client, "registered", G_CALLBACK (on_registered), peer);
  g_signal_connect (peer->client, "message", G_CALLBACK (on_message), peer);
  g_signal_connect (peer->client, "lost", G_CALLBACK (on_lost), peer);
  g_signal_connect (peer->client, "failed", G_CALLBACK (on_failed), peer);
  conic_client_start (peer->client, uri, id);
  /* Nothing is told before the call returns. */
  g_assert_cmpuint (peer->n_registered + peer->n_lost, ==, 0);
  g_assert_null (peer->failed);
}

static void
peer_stop (Peer *peer)
{
  gint64 begun = g_get_monotonic_time ();

  conic_client_stop (peer->client, on_stopped, peer);
  wait_until (peer->stopped);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, STOP_MAX);
  g_assert_false (conic_client_is_registered (peer->client));
}

static void
peer_clear (Peer *peer)
{
  if (!peer->stopped)
    peer_stop (peer);
  g_signal_handlers_disconnect_by_data (peer->client, peer);
  /* A connection that was being made lets go of the client when it has been given up. */
  g_object_add_weak_pointer (G_OBJECT (peer->client), (gpointer *) &peer->client);
  g_object_unref (peer->client);
  wait_until (peer->client == NULL);
  g_ptr_array_unref (peer->messages);
  g_clear_error (&peer->lost);
  g_clear_error (&peer->failed);
}

/* --- cases with a hub --- */

static void
test_asked_id (void)
{
  Hub hub;
  Peer peer;

  hub_start (&hub, 0);
  peer_init (&peer, hub.uri, "alice");
  g_assert_false (conic_client_is_registered (peer.client));
  wait_until (peer.n_registered == 1);
  g_assert_cmpstr (conic_client_get_id (peer.client), ==, "alice");
  peer_clear (&peer);
  hub_stop (&hub);
}

static void
test_assigned_ids (void)
{
  Hub hub;
  Peer peers[2];

  hub_start (&hub, 0);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    peer_init (&peers[i], hub.uri, NULL);
    g_assert_null (conic_client_get_id (peers[i].client));
  }
  wait_until (peers[0].n_registered == 1 && peers[1].n_registered == 1);
  g_assert_true (conic_id_is_valid (conic_client_get_id (peers[0].client)));
  g_assert_true (conic_id_is_valid (conic_client_get_id (peers[1].client)));
  g_assert_cmpstr (conic_client_get_id (peers[0].client), !=,
                   conic_client_get_id (peers[1].client));
  peer_clear (&peers[0]);
  peer_clear (&peers[1]);
  hub_stop (&hub);
}

static void
test_messages (void)
{
  g_autoptr (ConicMessage) sdp = conic_message_new (CONIC_MESSAGE_SDP);
  g_autoptr (ConicMessage) bye = conic_message_new (CONIC_MESSAGE_BYE);
  const ConicMessage *came;
  Hub hub;
  Peer alice, bob;

  hub_start (&hub, 0);
  peer_init (&alice, hub.uri, "alice");
  peer_init (&bob, hub.uri, "bob");
  wait_until (alice.n_registered == 1 && bob.n_registered == 1);

  sdp->to_id = g_strdup ("bob");
  sdp->session_id = g_strdup ("s1");
  sdp->sdp_type = CONIC_SDP_OFFER;
  sdp->sdp = g_strdup ("v=0\r\ns=\"\xe2\x82\xac\"\r\n");
  g_assert_true (conic_client_send (alice.client, sdp));
  wait_until (bob.messages->len == 1);
  came = g_ptr_array_index (bob.messages, 0);
  g_assert_cmpint (came->type, ==, CONIC_MESSAGE_SDP);
  g_assert_cmpint (came->sdp_type, ==, CONIC_SDP_OFFER);
  g_assert_cmpstr (came->from_id, ==, "alice");
  g_assert_cmpstr (came->to_id, ==, "bob");
  g_assert_cmpstr (came->session_id, ==, "s1");
  g_assert_cmpstr (came->sdp, ==, sdp->sdp);
  g_assert_nonnull (came->id);
  g_assert_nonnull (came->timestamp);

  bye->to_id = g_strdup ("alice");
  bye->reason = g_strdup ("done");
  g_assert_true (conic_client_send (bob.client, bye));
  wait_until (alice.messages->len == 1);
  came = g_ptr_array_index (alice.messages, 0);
  g_assert_cmpint (came->type, ==, CONIC_MESSAGE_BYE);
  g_assert_cmpstr (came->from_id, ==, "bob");
  g_assert_cmpstr (came->reason, ==, "done");

  peer_clear (&alice);
  peer_clear (&bob);
  hub_stop (&hub);
}

/* A message to nobody comes back as an error that says whom it was for. */
static void
test_unknown_peer (void)
{
  g_autoptr (ConicMessage) bye = conic_message_new (CONIC_MESSAGE_BYE);
  const ConicMessage *came;
  Hub hub;
  Peer peer;

  bye->to_id = g_strdup ("nobody");
  hub_start (&hub, 0);
  peer_init (&peer, hub.uri, "alice");
  g_assert_false (conic_client_send (peer.client, bye));
  wait_until (peer.n_registered == 1);
  g_assert_true (conic_client_send (peer.client, bye));
  wait_until (peer.messages->len == 1);
  came = g_ptr_array_index (peer.messages, 0);
  g_assert_cmpint (came->type, ==, CONIC_MESSAGE_ERROR);
  g_assert_cmpint (came->code, ==, CONIC_ERROR_PEER_NOT_FOUND);
  g_assert_cmpstr (came->to_id, ==, "nobody");
  g_assert_true (conic_client_is_registered (peer.client));

  peer_stop (&peer);
  g_assert_false (conic_client_send (peer.client, bye));
  peer_clear (&peer);
  hub_stop (&hub);
}

static void
test_taken_id (void)
{
  Hub hub;
  Peer first, second, third;

  hub_start (&hub, 0);
  peer_init (&first, hub.uri, "alice");
  wait_until (first.n_registered == 1);
  peer_init (&second, hub.uri, "alice");
  wait_until (second.failed != NULL);
  g_assert_error (second.failed, CONIC_ERROR, CONIC_ERROR_ID_TAKEN);
  g_assert_cmpuint (second.n_lost, ==, 0);
  g_assert_true (conic_client_is_registered (first.client));

  /* It's free as soon as its owner has left. */
  peer_stop (&first);
  peer_init (&third, hub.uri, "alice");
  wait_until (third.n_registered == 1);
  peer_clear (&first);
  peer_clear (&second);
  peer_clear (&third);
  hub_stop (&hub);
}

static void
test_invalid_id (void)
{
  Hub hub;
  Peer peer;

  hub_start (&hub, 0);
  peer_init (&peer, hub.uri, "not an id");
  wait_until (peer.failed != NULL);
  g_assert_error (peer.failed, CONIC_ERROR, CONIC_ERROR_INVALID_ID);
  g_assert_cmpuint (peer.n_registered + peer.n_lost, ==, 0);
  peer_clear (&peer);
  hub_stop (&hub);
}

/* An id that was given is kept when the hub comes back, and messages flow again. */
static void
test_hub_restarted (void)
{
  g_autoptr (ConicMessage) bye = conic_message_new (CONIC_MESSAGE_BYE);
  g_autofree char *id = NULL;
  Hub hub;
  Peer alice, given;

  hub_start (&hub, 0);
  peer_init (&alice, hub.uri, "alice");
  peer_init (&given, hub.uri, NULL);
  wait_until (alice.n_registered == 1 && given.n_registered == 1);
  id = g_strdup (conic_client_get_id (given.client));
  bye->to_id = g_strdup (id);

  hub_stop (&hub);
  wait_until (alice.n_lost == 1 && given.n_lost == 1);
  g_assert_error (alice.lost, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_LOST);
  g_assert_error (given.lost, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_LOST);
  g_assert_cmpuint (alice.delay, >, 0);
  g_assert_false (conic_client_send (alice.client, bye));

  hub_start (&hub, hub.port);
  wait_until (alice.n_registered == 2 && given.n_registered == 2);
  g_assert_cmpstr (conic_client_get_id (alice.client), ==, "alice");
  g_assert_cmpstr (conic_client_get_id (given.client), ==, id);
  g_assert_true (conic_client_send (alice.client, bye));
  wait_until (given.messages->len == 1);
  g_assert_null (alice.failed);
  g_assert_null (given.failed);

  peer_clear (&alice);
  peer_clear (&given);
  hub_stop (&hub);
}

/* What was sent before the stop arrives. */
static void
test_stop_loses_nothing (void)
{
  Hub hub;
  Peer alice, bob;

  hub_start (&hub, 0);
  peer_init (&alice, hub.uri, "alice");
  peer_init (&bob, hub.uri, "bob");
  wait_until (alice.n_registered == 1 && bob.n_registered == 1);
  for (guint i = 0; i < MANY_MESSAGES; i++) {
    g_autoptr (ConicMessage) bye = conic_message_new (CONIC_MESSAGE_BYE);

    bye->to_id = g_strdup ("bob");
    bye->reason = g_strdup_printf ("%u", i);
    g_assert_true (conic_client_send (alice.client, bye));
  }
  peer_stop (&alice);
  wait_until (bob.messages->len == MANY_MESSAGES);
  for (guint i = 0; i < MANY_MESSAGES; i++) {
    g_autofree char *reason = g_strdup_printf ("%u", i);

    g_assert_cmpstr (((ConicMessage *) g_ptr_array_index (bob.messages, i))->reason, ==, reason);
  }
  peer_clear (&alice);
  peer_clear (&bob);
  hub_stop (&hub);
}

/* --- cases without a hub --- */

static void
test_invalid_uri (gconstpointer uri)
{
  Peer peer;

  peer_init (&peer, uri, NULL);
  wait_until (peer.failed != NULL);
  g_assert_error (peer.failed, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_URI);
  g_assert_cmpuint (peer.n_registered + peer.n_lost, ==, 0);
  peer_clear (&peer);
}

/* Nobody there is no reason to give up: the tries go on, further and further apart. */
static void
test_unreachable (void)
{
  guint first_delay;
  Peer peer;

  peer_init (&peer, NO_HUB, "alice");
  wait_until (peer.n_lost == 1);
  g_assert_error (peer.lost, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_UNREACHABLE);
  first_delay = peer.delay;
  wait_until (peer.n_lost == 3);
  g_assert_error (peer.lost, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_UNREACHABLE);
  g_assert_cmpuint (peer.delay, >, first_delay);
  g_assert_null (peer.failed);
  peer_clear (&peer);
}

/* Something answers that speaks no HTTP. */
static gboolean
on_incoming (GSocketService *service,
             GSocketConnection *connection,
             GObject *source,
             gpointer user_data)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write_all (output, "220 ready\r\n", 11, NULL, NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return TRUE;
}

static void
test_no_hub_but_something (void)
{
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *uri = NULL;
  Peer peer;

  g_socket_listener_add_address (G_SOCKET_LISTENER (service), any_port, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &address, NULL);
  g_assert_nonnull (address);
  uri = g_strdup_printf ("ws://127.0.0.1:%u/ws",
                         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_signal_connect (service, "incoming", G_CALLBACK (on_incoming), NULL);
  g_socket_service_start (service);

  peer_init (&peer, uri, NULL);
  wait_until (peer.n_lost == 1);
  g_assert_error (peer.lost, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_UNREACHABLE);
  g_assert_null (peer.failed);
  peer_clear (&peer);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
}

/* --- stopping --- */

/* At once after the start, while it waits for the next try, after it failed. */
static void
test_stop_early (void)
{
  Peer peer;

  peer_init (&peer, NO_HUB, NULL);
  peer_clear (&peer);

  peer_init (&peer, NO_HUB, NULL);
  wait_until (peer.n_lost == 1);
  peer_clear (&peer);

  peer_init (&peer, "nonsense", NULL);
  wait_until (peer.failed != NULL);
  peer_clear (&peer);
}

/* At every step of the way to the registration. */
static void
test_stop_at_any_time (void)
{
  gboolean registered = FALSE;
  Hub hub;

  hub_start (&hub, 0);
  for (guint steps = 1; !registered; steps++) {
    Peer peer;

    peer_init (&peer, hub.uri, NULL);
    for (guint i = 0; i < steps; i++)
      g_main_context_iteration (NULL, FALSE);
    registered = peer.n_registered > 0;
    peer_clear (&peer);
    g_assert_cmpuint (peer.n_lost, ==, 0);
  }
  hub_stop (&hub);
}

/* A hub that doesn't say goodbye is not waited for. */
static void
test_stop_without_answer (void)
{
  Hub hub;
  Peer peer;

  hub_start (&hub, 0);
  peer_init (&peer, hub.uri, NULL);
  wait_until (peer.n_registered == 1);
  g_subprocess_send_signal (hub.process, SIGSTOP);
  peer_clear (&peer);
  hub_stop (&hub);
}

int
main (int argc, char **argv)
{
  static const char *const invalid_uris[] = {
      "nonsense", "http://127.0.0.1:3000/ws", "ws://",  "ws:///ws",
      "://",      "127.0.0.1:3000",           "ws://[",
  };

  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/client/asked-id", test_asked_id);
  g_test_add_func ("/client/assigned-ids", test_assigned_ids);
  g_test_add_func ("/client/messages", test_messages);
  g_test_add_func ("/client/unknown-peer", test_unknown_peer);
  g_test_add_func ("/client/taken-id", test_taken_id);
  g_test_add_func ("/client/invalid-id", test_invalid_id);
  g_test_add_func ("/client/hub-restarted", test_hub_restarted);
  g_test_add_func ("/client/stop-loses-nothing", test_stop_loses_nothing);
  for (guint i = 0; i < G_N_ELEMENTS (invalid_uris); i++) {
    g_autofree char *path = g_strdup_printf ("/client/invalid-uri/%u", i);

    g_test_add_data_func (path, invalid_uris[i], test_invalid_uri);
  }
  g_test_add_func ("/client/unreachable", test_unreachable);
  g_test_add_func ("/client/no-hub-but-something", test_no_hub_but_something);
  g_test_add_func ("/client/stop-early", test_stop_early);
  g_test_add_func ("/client/stop-at-any-time", test_stop_at_any_time);
  g_test_add_func ("/client/stop-without-answer", test_stop_without_answer);

  return g_test_run ();
}
