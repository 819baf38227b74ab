/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CONIC_SERVER_ERROR:
 *
 * The error domain of the server layer: what keeps a daemon from running, or a client out.
 */
#define CONIC_SERVER_ERROR (conic_server_error_quark ())

/**
 * ConicServerError:
 * @CONIC_SERVER_ERROR_CONFIG: the configuration or the command line asks for something impossible
 * @CONIC_SERVER_ERROR_LISTEN: an address can't be listened on
 * @CONIC_SERVER_ERROR_TOKEN: a token is not good, or can't be made
 *
 * Codes of #CONIC_SERVER_ERROR.
 */
typedef enum {
  CONIC_SERVER_ERROR_CONFIG,
  CONIC_SERVER_ERROR_LISTEN,
  CONIC_SERVER_ERROR_TOKEN,
} ConicServerError;

GQuark conic_server_error_quark (void);

G_END_DECLS
