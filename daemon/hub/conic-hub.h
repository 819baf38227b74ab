/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-peer.h"

G_BEGIN_DECLS

/**
 * ConicHub:
 *
 * Who is registered, where a message goes, and who may say what: section 3 of the wire contract.
 * It has no socket, no thread and no clock: whoever drives it passes the monotonic time in
 * microseconds, and asks for the next deadline.
 */
typedef struct _ConicHub ConicHub;

/**
 * ConicHubOptions:
 * @resume_window: microseconds for which the id of a lost connection is kept for its
 *   resume_token; 0 frees it at once
 * @max_held: ids that are kept at a time, for who comes and is lost over and over is no connection
 *   that a limit counts; the one held longest goes first. 0 is no limit
 */
typedef struct {
  gint64 resume_window;
  guint max_held;
} ConicHubOptions;

/**
 * ConicHubOutcome:
 * @CONIC_HUB_ANSWERED: a request that the hub did what was asked for
 * @CONIC_HUB_RELAYED: it was passed on as it came
 * @CONIC_HUB_TRANSLATED: it was passed on in the other dialect
 * @CONIC_HUB_NOT_FOUND: nobody has the id that it was for
 * @CONIC_HUB_SLOW: who it was for doesn't read
 * @CONIC_HUB_REFUSED: it was answered with any other error
 *
 * What became of a message.
 */
typedef enum {
  CONIC_HUB_ANSWERED,
  CONIC_HUB_RELAYED,
  CONIC_HUB_TRANSLATED,
  CONIC_HUB_NOT_FOUND,
  CONIC_HUB_SLOW,
  CONIC_HUB_REFUSED,
  CONIC_HUB_N_OUTCOMES,
} ConicHubOutcome;

/**
 * ConicHubStats:
 * @messages: from clients; %CONIC_MESSAGE_ERROR are those of which not even the type is known
 * @errors: told to clients
 *
 * What a hub has counted since it was made.
 */
typedef struct {
  guint64 messages[CONIC_N_MESSAGE_TYPES][CONIC_HUB_N_OUTCOMES];
  guint64 errors[CONIC_N_ERRORS];
} ConicHubStats;

ConicHub *conic_hub_new (const ConicHubOptions *options);
void conic_hub_free (ConicHub *hub);

/* Changes the options; what is held already is held no longer than the window from @now. */
void conic_hub_set_options (ConicHub *hub, const ConicHubOptions *options, gint64 now);

/* A connection came. The hub borrows @peer until conic_hub_remove(). */
void conic_hub_add (ConicHub *hub, ConicPeer *peer, gint64 now);

/* The connection ended. If it was @lost, its id is held for the resume window; if the client took its
 * leave, the id is free at once. */
void conic_hub_remove (ConicHub *hub, ConicPeer *peer, gboolean lost, gint64 now);

/* A valid message came from @peer. All that follows from it happens before this returns. */
void conic_hub_receive (ConicHub *hub, ConicPeer *peer, const ConicView *view, gint64 now);

/* A message came that conic_view_scan() refused with @error, a #CONIC_ERROR: the sender is told which
 * and why. A registration is answered with a `register_response`, everything else with an `error`. */
void conic_hub_refuse (ConicHub *hub, ConicPeer *peer, const ConicView *view, const GError *error);

/* @peer sends more than it may, and isn't listened to for a while: it is told `rate_limited`. */
void conic_hub_warn (ConicHub *hub, ConicPeer *peer);

/* The time of @peer's grant is over: its connection is closed with 4003. */
void conic_hub_expire (ConicHub *hub, ConicPeer *peer);

/* Sets the patterns (array zero-terminated=1) of the ids that nobody may have: see conic-pattern.h. Who
 * is registered with one is closed with 4004. Returns how many these are. */
guint conic_hub_set_denied (ConicHub *hub, const char *const *patterns);

/* Tells everyone `shutting_down` and closes every connection with 1001; the same for whoever is
 * added later. */
void conic_hub_shut_down (ConicHub *hub);

/* The monotonic time at which conic_hub_advance() has something to do, or -1. */
gint64 conic_hub_get_deadline (ConicHub *hub);

/* Does what is due at @now: lets held ids go. */
void conic_hub_advance (ConicHub *hub, gint64 now);

/* How many clients are connected, and how many of them are registered. */
guint conic_hub_get_n_peers (ConicHub *hub);
guint conic_hub_get_n_registered (ConicHub *hub);

/* (transfer none): valid as long as the hub is */
const ConicHubStats *conic_hub_get_stats (ConicHub *hub);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicHub, conic_hub_free)

G_END_DECLS
