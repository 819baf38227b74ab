/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "conic-message.h"

G_BEGIN_DECLS

/**
 * CONIC_CLIENT_ERROR:
 *
 * The error domain of #ConicClient. What the hub itself says is in the domain #CONIC_ERROR.
 */
#define CONIC_CLIENT_ERROR (conic_client_error_quark ())

/**
 * ConicClientError:
 * @CONIC_CLIENT_ERROR_URI: the URI isn't one of a hub; the user has to mend it
 * @CONIC_CLIENT_ERROR_UNREACHABLE: nobody answers there, or no hub does
 * @CONIC_CLIENT_ERROR_LOST: the connection to the hub ended
 * @CONIC_CLIENT_ERROR_TLS: the hub's certificate isn't one that is trusted, or what is trusted can't
 *   be read
 */
typedef enum {
  CONIC_CLIENT_ERROR_URI,
  CONIC_CLIENT_ERROR_UNREACHABLE,
  CONIC_CLIENT_ERROR_LOST,
  CONIC_CLIENT_ERROR_TLS,
} ConicClientError;

GQuark conic_client_error_quark (void);

/**
 * ConicClient:
 *
 * A client of a hub that stays registered: it connects, registers, and does both again with a
 * growing, jittered delay whenever the connection is lost, asking for the same id with its
 * resume_token. It speaks the envelope dialect.
 *
 * All of it, its signals too, happens on the main context that is the thread's default when
 * conic_client_start() is called; call it from that thread only.
 *
 * Signals:
 * - `registered (const char *client_id)`: now, or again
 * - `message (ConicMessage *message)`: an sdp, candidate, data_channel, bye or error message came;
 *   borrowed
 * - `lost (GError *error, guint delay)`: there's no connection; the next try is in @delay
 *   milliseconds
 * - `failed (GError *error)`: there won't be one: only a change by the user can help
 */
#define CONIC_TYPE_CLIENT (conic_client_get_type ())
G_DECLARE_FINAL_TYPE (ConicClient, conic_client, CONIC, CLIENT, GObject)

ConicClient *conic_client_new (void);

/**
 * conic_client_set_token:
 * @token: (nullable): shown to the hub with each connection (RFC 6750), and to nobody else
 *
 * At any time; it counts from the next connection on.
 */
void conic_client_set_token (ConicClient *self, const char *token);

/* @file: (nullable): certificates in PEM, one of which has to vouch for the hub's; %NULL for those
 * that the system trusts. Before the start. */
void conic_client_set_tls_ca (ConicClient *self, const char *file);

/* (nullable) (element-type ConicIceServer): what the hub gave with the last registration; borrowed */
GPtrArray *conic_client_get_ice_servers (ConicClient *self);

/**
 * conic_client_start:
 * @uri: `ws://` or `wss://` URI of a hub
 * @client_id: (nullable): the id to ask for, or %NULL to be given one
 *
 * Begins to connect. What becomes of it is told by signals, never before this returns.
 */
void conic_client_start (ConicClient *self, const char *uri, const char *client_id);

/**
 * conic_client_send:
 * @message: (transfer none): sent with this client's id as its sender, a new message id and the
 *   present time
 *
 * Returns: %FALSE if there's no registration to send it under; the message is then dropped
 */
gboolean conic_client_send (ConicClient *self, const ConicMessage *message);

/**
 * conic_client_stop:
 *
 * Ends the connection once all that was sent is written, and stops trying. `done` is called when
 * that has happened, at most after a fifth of a second.
 */
void conic_client_stop (ConicClient *self, GSourceOnceFunc done, gpointer user_data);

/* (nullable): the id registered last */
const char *conic_client_get_id (ConicClient *self);

gboolean conic_client_is_registered (ConicClient *self);

G_END_DECLS
