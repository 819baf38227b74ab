/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fake-peer.h"

#include <string.h>

static void
on_send (ConicPeer *peer, const ConicMessage *message)
{
  FakePeer *fake = (FakePeer *)peer;

  g_assert_cmpuint (fake->close_status, ==, 0);
  g_ptr_array_add (fake->sent, conic_message_copy (message));
}

static gboolean
on_relay (ConicPeer *peer, const ConicView *view, const char *sender_id)
{
  FakePeer *fake = (FakePeer *)peer;
  g_autoptr (GBytes) rewritten = NULL;
  char *text;

  g_assert_cmpuint (fake->close_status, ==, 0);
  if (fake->full)
    return FALSE;

  rewritten = conic_view_relay (view, sender_id, peer->dialect);
  text = rewritten != NULL
             ? g_strndup (g_bytes_get_data (rewritten, NULL), g_bytes_get_size (rewritten))
             : g_strndup (view->text.data, view->text.length);
  g_ptr_array_add (fake->relayed, text);

  return TRUE;
}

static void
on_close (ConicPeer *peer, guint16 status, const char *reason)
{
  FakePeer *fake = (FakePeer *)peer;

  g_assert_cmpuint (fake->close_status, ==, 0);
  fake->close_status = status;
  fake->close_reason = g_strdup (reason);
}

static const ConicPeerInterface fake_interface = {
    .send = on_send,
    .relay = on_relay,
    .close = on_close,
};

FakePeer *
fake_peer_new (void)
{
  FakePeer *fake = g_new0 (FakePeer, 1);

  fake->peer.interface = &fake_interface;
  fake->sent = g_ptr_array_new_with_free_func ((GDestroyNotify)conic_message_free);
  fake->relayed = g_ptr_array_new_with_free_func (g_free);

  return fake;
}

void
fake_peer_free (FakePeer *fake)
{
  g_ptr_array_unref (fake->sent);
  g_ptr_array_unref (fake->relayed);
  g_free (fake->close_reason);
  g_free (fake);
}

void
fake_peer_say (FakePeer *fake, ConicHub *hub, gint64 now, const char *text)
{
  /* In a block of its exact size that is gone afterwards: the hub may keep nothing of it. */
  gsize length = strlen (text);
  g_autofree char *exact = g_memdup2 (text, length);
  g_autoptr (GError) error = NULL;
  g_auto (ConicView) view;

  if (conic_view_scan (&view, exact, length, fake->peer.dialect, &error))
    conic_hub_receive (hub, &fake->peer, &view, now);
  else
    conic_hub_refuse (hub, &fake->peer, &view, error);
}

ConicMessage *
fake_peer_take (FakePeer *fake)
{
  return fake->sent->len > 0 ? g_ptr_array_steal_index (fake->sent, 0) : NULL;
}

char *
fake_peer_take_relayed (FakePeer *fake)
{
  return fake->relayed->len > 0 ? g_ptr_array_steal_index (fake->relayed, 0) : NULL;
}
