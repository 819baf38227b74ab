/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CONIC_ERROR:
 *
 * The error domain of the protocol: what a hub answers to a message that it can't act on.
 */
#define CONIC_ERROR (conic_error_quark ())

/**
 * ConicError:
 * @CONIC_ERROR_BAD_MESSAGE: not JSON, not an object, or a member is missing or of the wrong type
 * @CONIC_ERROR_UNKNOWN_TYPE: well-formed, of a type that the protocol doesn't have
 * @CONIC_ERROR_NOT_REGISTERED: anything but a registration before the registration
 * @CONIC_ERROR_ALREADY_REGISTERED: a second registration on one connection
 * @CONIC_ERROR_ID_TAKEN: the id asked for is in use
 * @CONIC_ERROR_INVALID_ID: an id that doesn't match `[A-Za-z0-9._~-]{1,128}`
 * @CONIC_ERROR_FROM_MISMATCH: `from_id` is not the sender's own
 * @CONIC_ERROR_PEER_NOT_FOUND: nobody has the id `to_id`, or the sender may not reach them
 * @CONIC_ERROR_PEER_SLOW: the receiver doesn't read; the message was not delivered
 * @CONIC_ERROR_RATE_LIMITED: the sender sends too much, and is read more slowly
 * @CONIC_ERROR_UNAUTHORIZED: the sender's token doesn't allow it
 * @CONIC_ERROR_SHUTTING_DOWN: the hub is about to close the connection
 *
 * Codes of #CONIC_ERROR, in the order of section 3 of the wire contract.
 */
typedef enum {
  CONIC_ERROR_BAD_MESSAGE,
  CONIC_ERROR_UNKNOWN_TYPE,
  CONIC_ERROR_NOT_REGISTERED,
  CONIC_ERROR_ALREADY_REGISTERED,
  CONIC_ERROR_ID_TAKEN,
  CONIC_ERROR_INVALID_ID,
  CONIC_ERROR_FROM_MISMATCH,
  CONIC_ERROR_PEER_NOT_FOUND,
  CONIC_ERROR_PEER_SLOW,
  CONIC_ERROR_RATE_LIMITED,
  CONIC_ERROR_UNAUTHORIZED,
  CONIC_ERROR_SHUTTING_DOWN,
} ConicError;

#define CONIC_N_ERRORS (CONIC_ERROR_SHUTTING_DOWN + 1)

GQuark conic_error_quark (void);

/* The code's name on the wire ("bad_message", …); static. */
const char *conic_error_to_code (ConicError error);

/* The reverse. FALSE when @code names no error; @error is then left alone. */
gboolean conic_error_from_code (const char *code, ConicError *error);

G_END_DECLS
