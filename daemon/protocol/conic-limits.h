/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* Every limit of the wire contract, with its unit and the reason for it. */

/* Where a hub listens unless told otherwise, as conic's did. */
#define CONIC_DEFAULT_PORT 3000
#define CONIC_DEFAULT_PATH "/ws"

/* Bytes of one message. conic's own limit; the largest SDP seen in the field is a tenth of it. */
#define CONIC_MESSAGE_MAX_BYTES (512 * 1024)

/* Characters of a client id. conic's own ids have 20. */
#define CONIC_ID_MAX_LENGTH 128

/* Nested arrays and objects in a message. The contract needs five; extensions get room, stacks
 * don't. */
#define CONIC_JSON_MAX_DEPTH 32
