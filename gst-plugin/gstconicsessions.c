/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicsessions.h"

void
gst_conic_sessions_init (GstConicSessions *self)
{
  g_mutex_init (&self->lock);
  self->all = g_ptr_array_new_with_free_func (g_object_unref);
}

void
gst_conic_sessions_clear (GstConicSessions *self)
{
  g_ptr_array_unref (self->all);
  g_mutex_clear (&self->lock);
}

void
gst_conic_sessions_add (GstConicSessions *self, GstConicSession *session)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->all, session);
  g_mutex_unlock (&self->lock);
}

gboolean
gst_conic_sessions_remove (GstConicSessions *self, GstConicSession *session)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = g_ptr_array_remove (self->all, session);
  g_mutex_unlock (&self->lock);
  return found;
}

GstConicSession *
gst_conic_sessions_find (GstConicSessions *self, const char *peer_id, const char *session_id)
{
  for (guint i = 0; peer_id != NULL && i < self->all->len; i++) {
    GstConicSession *session = g_ptr_array_index (self->all, i);
    const char *own = gst_conic_session_get_session_id (session);

    /* A peer that knows nothing of session ids has one session. */
    if (g_str_equal (gst_conic_session_get_peer_id (session), peer_id) &&
        (session_id == NULL || own == NULL || g_str_equal (own, session_id)))
      return session;
  }
  return NULL;
}

guint
gst_conic_sessions_count (GstConicSessions *self, const char *peer_id)
{
  guint n = 0;

  for (guint i = 0; i < self->all->len; i++)
    if (g_str_equal (gst_conic_session_get_peer_id (g_ptr_array_index (self->all, i)), peer_id))
      n++;
  return n;
}

GstStructure *
gst_conic_sessions_get_stats (GstConicSessions *self)
{
  GstStructure *stats = gst_structure_new_empty ("conic-stats");
  GValue sessions = G_VALUE_INIT;

  g_value_init (&sessions, GST_TYPE_ARRAY);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->all->len; i++) {
    GstStructure *one = gst_conic_session_get_stats (g_ptr_array_index (self->all, i));
    GValue item = G_VALUE_INIT;

    if (one == NULL)
      continue;
    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&item, one);
    gst_value_array_append_and_take_value (&sessions, &item);
  }
  g_mutex_unlock (&self->lock);
  gst_structure_take_value (stats, "sessions", &sessions);
  return stats;
}
