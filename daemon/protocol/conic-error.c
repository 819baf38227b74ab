/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-error.h"

#include <string.h>

G_DEFINE_QUARK (conic - error - quark, conic_error)

static const char *const codes[] = {
    [CONIC_ERROR_BAD_MESSAGE] = "bad_message",
    [CONIC_ERROR_UNKNOWN_TYPE] = "unknown_type",
    [CONIC_ERROR_NOT_REGISTERED] = "not_registered",
    [CONIC_ERROR_ALREADY_REGISTERED] = "already_registered",
    [CONIC_ERROR_ID_TAKEN] = "id_taken",
    [CONIC_ERROR_INVALID_ID] = "invalid_id",
    [CONIC_ERROR_FROM_MISMATCH] = "from_mismatch",
    [CONIC_ERROR_PEER_NOT_FOUND] = "peer_not_found",
    [CONIC_ERROR_PEER_SLOW] = "peer_slow",
    [CONIC_ERROR_RATE_LIMITED] = "rate_limited",
    [CONIC_ERROR_UNAUTHORIZED] = "unauthorized",
    [CONIC_ERROR_SHUTTING_DOWN] = "shutting_down",
};

const char *
conic_error_to_code (ConicError error)
{
  g_return_val_if_fail ((gsize)error < G_N_ELEMENTS (codes), NULL);

  return codes[error];
}

gboolean
conic_error_from_code (const char *code, ConicError *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    if (strcmp (code, codes[i]) == 0) {
      *error = (ConicError)i;
      return TRUE;
    }
  }

  return FALSE;
}
