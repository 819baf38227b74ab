/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-server-error.h"

G_DEFINE_QUARK (conic - server - error - quark, conic_server_error)
