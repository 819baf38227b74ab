/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-grant.h"

#include <string.h>

#include "conic-error.h"
#include "conic-id.h"
#include "conic-limits.h"
#include "conic-pattern.h"

struct _ConicGrant {
  char *id;
  GStrv targets; /* (nullable) */
};

ConicGrant *
conic_grant_new (const char *id, const char *const *targets, GError **error)
{
  ConicGrant *grant;

  /* The hub may have to put an id of its own making behind the prefix. */
  if (!conic_pattern_is_valid (id, CONIC_ID_MAX_LENGTH - CONIC_ID_NEW_LENGTH)) {
    g_set_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID,
                 "sub is neither a client id nor the beginning of one with * at its end");
    return NULL;
  }
  for (gsize i = 0; targets != NULL && targets[i] != NULL; i++) {
    if (!conic_pattern_is_valid (targets[i], CONIC_ID_MAX_LENGTH - 1)) {
      g_set_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID,
                   "one of the targets is neither a client id nor the beginning of one with * at "
                   "its end");
      return NULL;
    }
  }

  grant = g_new0 (ConicGrant, 1);
  grant->id = g_strdup (id);
  grant->targets = g_strdupv ((GStrv) targets);

  return grant;
}

void
conic_grant_free (ConicGrant *grant)
{
  g_free (grant->id);
  g_strfreev (grant->targets);
  g_free (grant);
}

gboolean
conic_grant_may_be (const ConicGrant *grant, const char *id)
{
  return grant == NULL || conic_pattern_matches (grant->id, id);
}

gboolean
conic_grant_may_reach (const ConicGrant *grant, const char *id)
{
  return grant == NULL || grant->targets == NULL ||
         conic_pattern_any_matches ((const char *const *) grant->targets, id);
}

const char *
conic_grant_get_id (const ConicGrant *grant)
{
  return grant != NULL && strchr (grant->id, '*') == NULL ? grant->id : NULL;
}

char *
conic_grant_make_id (const ConicGrant *grant)
{
  g_autofree char *made = conic_id_new ();

  if (grant == NULL)
    return g_steal_pointer (&made);

  return g_strdup_printf ("%.*s%s", (int) conic_pattern_get_prefix_length (grant->id), grant->id,
                          made);
}
