/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-peer.h"

G_BEGIN_DECLS

/**
 * ConicRegistry:
 *
 * Who has which id. Looking one up takes constant time whoever chose the ids, and allocates
 * nothing.
 */
typedef struct _ConicRegistry ConicRegistry;

/**
 * ConicRegistration:
 * @hash: of @id, with the registry's key
 * @id: the client's id
 * @resume_token: what whoever takes the id over has to bring
 * @peer: (nullable): the connection; NULL while the id is held for one that was lost
 * @held_until: the monotonic time in microseconds at which a held id is let go
 *
 * An id and who has it. The registry owns it.
 */
typedef struct {
  guint hash;
  char *id;
  char *resume_token;
  ConicPeer *peer;
  gint64 held_until;
  GList held_link;
} ConicRegistration;

ConicRegistry *conic_registry_new (void);
void conic_registry_free (ConicRegistry *registry);

/* (nullable): who has @id, or had it and it is held */
ConicRegistration *conic_registry_lookup (ConicRegistry *registry, const char *id);

/* Gives @id, which nobody may have, to @peer. */
ConicRegistration *conic_registry_add (ConicRegistry *registry, const char *id, ConicPeer *peer);

/* Gives the id of @registration, held or not, to another connection, with a new resume token. */
void conic_registry_hand_over (ConicRegistry *registry,
                               ConicRegistration *registration,
                               ConicPeer *peer);

/* Keeps the id of a lost connection until @until, which may not be before that of an id held
 * earlier. */
void conic_registry_hold (ConicRegistry *registry, ConicRegistration *registration, gint64 until);

/* Keeps no id beyond @until. */
void conic_registry_shorten (ConicRegistry *registry, gint64 until);

/* The id is free; @registration is freed. */
void conic_registry_remove (ConicRegistry *registry, ConicRegistration *registration);

/* (nullable): of the held ids the one that is let go first */
ConicRegistration *conic_registry_get_first_held (ConicRegistry *registry);

/* How many ids have a connection, and how many are held. */
guint conic_registry_get_n_connected (ConicRegistry *registry);
guint conic_registry_get_n_held (ConicRegistry *registry);

/* (transfer full): the ids that have a connection and that @grant (nullable) may reach, in no order;
 * at most as many as take @max_bytes if each takes @entry_bytes more than its characters */
GStrv conic_registry_list (ConicRegistry *registry,
                           const ConicGrant *grant,
                           gsize max_bytes,
                           gsize entry_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicRegistry, conic_registry_free)

G_END_DECLS
