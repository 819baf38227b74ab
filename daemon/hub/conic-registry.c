/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-registry.h"

#include <string.h>

#include "conic-siphash.h"

struct _ConicRegistry {
  GHashTable *registrations; /* ConicRegistration as key and value, by hash and id */
  GQueue held;               /* those without a connection, the one to let go first at the head */
  ConicSiphashKey key;
};

static guint
registration_hash (gconstpointer data)
{
  const ConicRegistration *registration = data;

  return registration->hash;
}

static gboolean
registration_equal (gconstpointer a, gconstpointer b)
{
  const ConicRegistration *one = a, *other = b;

  return one->hash == other->hash && strcmp (one->id, other->id) == 0;
}

static void
registration_free (ConicRegistration *registration)
{
  g_free (registration->id);
  g_free (registration->resume_token);
  g_free (registration);
}

ConicRegistry *
conic_registry_new (void)
{
  ConicRegistry *registry = g_new0 (ConicRegistry, 1);

  registry->registrations = g_hash_table_new_full (registration_hash, registration_equal, NULL,
                                                   (GDestroyNotify) registration_free);
  g_queue_init (&registry->held);
  conic_siphash_make_key (&registry->key);

  return registry;
}

void
conic_registry_free (ConicRegistry *registry)
{
  g_hash_table_unref (registry->registrations);
  g_free (registry);
}

static guint
hash_id (ConicRegistry *registry, const char *id)
{
  return (guint) conic_siphash (&registry->key, id, strlen (id));
}

ConicRegistration *
conic_registry_lookup (ConicRegistry *registry, const char *id)
{
  const ConicRegistration wanted = {.hash = hash_id (registry, id), .id = (char *) id};

  return g_hash_table_lookup (registry->registrations, &wanted);
}

static void
connect_peer (ConicRegistration *registration, ConicPeer *peer)
{
  registration->peer = peer;
  peer->id = registration->id;

  g_free (registration->resume_token);
  registration->resume_token = conic_id_new ();
}

static void
disconnect_peer (ConicRegistration *registration)
{
  if (registration->peer != NULL)
    registration->peer->id = NULL;
  registration->peer = NULL;
}

static gboolean
is_held (const ConicRegistration *registration)
{
  return registration->peer == NULL;
}

ConicRegistration *
conic_registry_add (ConicRegistry *registry, const char *id, ConicPeer *peer)
{
  ConicRegistration *registration = g_new0 (ConicRegistration, 1);

  registration->hash = hash_id (registry, id);
  registration->id = g_strdup (id);
  registration->held_link.data = registration;
  connect_peer (registration, peer);
  g_hash_table_add (registry->registrations, registration);

  return registration;
}

void
conic_registry_hand_over (ConicRegistry *registry, ConicRegistration *registration, ConicPeer *peer)
{
  if (is_held (registration))
    g_queue_unlink (&registry->held, &registration->held_link);
  disconnect_peer (registration);
  connect_peer (registration, peer);
}

void
conic_registry_hold (ConicRegistry *registry, ConicRegistration *registration, gint64 until)
{
  disconnect_peer (registration);
  registration->held_until = until;
  g_queue_push_tail_link (&registry->held, &registration->held_link);
}

void
conic_registry_shorten (ConicRegistry *registry, gint64 until)
{
  for (GList *link = registry->held.tail; link != NULL; link = link->prev) {
    ConicRegistration *registration = link->data;

    if (registration->held_until <= until)
      break;
    registration->held_until = until;
  }
}

void
conic_registry_remove (ConicRegistry *registry, ConicRegistration *registration)
{
  if (is_held (registration))
    g_queue_unlink (&registry->held, &registration->held_link);
  disconnect_peer (registration);
  g_hash_table_remove (registry->registrations, registration);
}

ConicRegistration *
conic_registry_get_first_held (ConicRegistry *registry)
{
  return g_queue_peek_head (&registry->held);
}

guint
conic_registry_get_n_connected (ConicRegistry *registry)
{
  return g_hash_table_size (registry->registrations) - registry->held.length;
}

guint
conic_registry_get_n_held (ConicRegistry *registry)
{
  return registry->held.length;
}

GStrv
conic_registry_list (ConicRegistry *registry,
                     const ConicGrant *grant,
                     gsize max_bytes,
                     gsize entry_bytes)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  GHashTableIter iter;
  gpointer key;
  gsize bytes = 0;

  g_hash_table_iter_init (&iter, registry->registrations);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    const ConicRegistration *registration = key;

    if (is_held (registration) || !conic_grant_may_reach (grant, registration->id))
      continue;
    bytes += strlen (registration->id) + entry_bytes;
    if (bytes > max_bytes)
      break;
    g_strv_builder_add (ids, registration->id);
  }

  return g_strv_builder_end (ids);
}
