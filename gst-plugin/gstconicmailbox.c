/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicmailbox.h"

#include <string.h>

/* Messages kept for a session that isn't there yet: candidates that overtake their offer, and
 * offers that come before the media is known. */
#define EARLY_MESSAGES_MAX 128

/* Bytes of those: a few offers of the longest kind. */
#define EARLY_BYTES_MAX (2 * 1024 * 1024)

/* Messages kept while there is no hub: an offer or answer with its candidates, for a few sessions. */
#define UNSENT_MESSAGES_MAX 256

void
gst_conic_mailbox_init (GstConicMailbox *self)
{
  *self = (GstConicMailbox){0};
  g_queue_init (&self->early);
  g_queue_init (&self->unsent);
}

void
gst_conic_mailbox_clear (GstConicMailbox *self)
{
  g_queue_clear_full (&self->early, (GDestroyNotify) conic_message_free);
  g_queue_clear_full (&self->unsent, (GDestroyNotify) conic_message_free);
}

static gsize
get_size (const ConicMessage *message)
{
  const char *const texts[] = {
      message->id,  message->timestamp, message->from_id, message->session_id,
      message->sdp, message->candidate, message->sdp_mid, message->username_fragment,
  };
  gsize size = sizeof *message;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    size += texts[i] != NULL ? strlen (texts[i]) : 0;
  return size;
}

/* The oldest goes when there are too many. */
static void
push (GQueue *queue, guint max, const ConicMessage *message)
{
  if (g_queue_get_length (queue) >= max)
    conic_message_free (g_queue_pop_head (queue));
  g_queue_push_tail (queue, conic_message_copy (message));
}

void
gst_conic_mailbox_send (GstConicMailbox *self, const ConicMessage *message, gboolean waits)
{
  if (self->client != NULL && !conic_client_send (self->client, message) && waits)
    push (&self->unsent, UNSENT_MESSAGES_MAX, message);
}

void
gst_conic_mailbox_flush (GstConicMailbox *self, GstConicMailboxFilter wants, gpointer user_data)
{
  ConicMessage *message;

  while ((message = g_queue_pop_head (&self->unsent)) != NULL) {
    if (wants (message, user_data))
      conic_client_send (self->client, message);
    conic_message_free (message);
  }
}

void
gst_conic_mailbox_keep (GstConicMailbox *self, const ConicMessage *message)
{
  gsize bytes = get_size (message);

  for (GList *l = self->early.head; l != NULL; l = l->next)
    bytes += get_size (l->data);
  while (bytes > EARLY_BYTES_MAX && !g_queue_is_empty (&self->early)) {
    ConicMessage *oldest = g_queue_pop_head (&self->early);

    bytes -= get_size (oldest);
    conic_message_free (oldest);
  }
  push (&self->early, EARLY_MESSAGES_MAX, message);
}

ConicMessage *
gst_conic_mailbox_take_candidate (GstConicMailbox *self,
                                  const char *peer_id,
                                  const char *session_id)
{
  for (GList *l = self->early.head; l != NULL; l = l->next) {
    ConicMessage *message = l->data;

    if (message->type != CONIC_MESSAGE_CANDIDATE || g_strcmp0 (message->from_id, peer_id) != 0 ||
        g_strcmp0 (message->session_id, session_id) != 0)
      continue;
    g_queue_delete_link (&self->early, l);
    return message;
  }
  return NULL;
}

GQueue
gst_conic_mailbox_take_all (GstConicMailbox *self)
{
  GQueue all = self->early;

  g_queue_init (&self->early);
  return all;
}
