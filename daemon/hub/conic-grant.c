/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-grant.h"

#include <string.h>

#include "conic-error.h"
#include "conic-id.h"
#include "conic-limits.h"

struct _ConicGrant {
  char *id;
  GStrv targets; /* (nullable) */
};

/* The length of what a pattern's ids begin with; all of the pattern if it is an id. */
static gsize
fixed_length (const char *pattern)
{
  return strcspn (pattern, "*");
}

static gboolean
is_pattern (const char *text, gsize max_prefix)
{
  char id[CONIC_ID_MAX_LENGTH + 1];
  gsize length = fixed_length (text);

  if (text[length] == '\0')
    return conic_id_is_valid (text);

  return text[length + 1] == '\0' && length <= max_prefix &&
         (length == 0 || conic_id_copy (id, text, length));
}

static gboolean
matches (const char *pattern, const char *id)
{
  gsize length = fixed_length (pattern);

  return pattern[length] == '*' ? strncmp (pattern, id, length) == 0 : strcmp (pattern, id) == 0;
}

ConicGrant *
conic_grant_new (const char *id, const char *const *targets, GError **error)
{
  ConicGrant *grant;

  /* The hub may have to put an id of its own making behind the prefix. */
  if (!is_pattern (id, CONIC_ID_MAX_LENGTH - CONIC_ID_NEW_LENGTH)) {
    g_set_error (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID,
                 "sub is neither a client id nor the beginning of one with * at its end");
    return NULL;
  }
  for (gsize i = 0; targets != NULL && targets[i] != NULL; i++) {
    if (!is_pattern (targets[i], CONIC_ID_MAX_LENGTH - 1)) {
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
  return grant == NULL || matches (grant->id, id);
}

gboolean
conic_grant_may_reach (const ConicGrant *grant, const char *id)
{
  if (grant == NULL || grant->targets == NULL)
    return TRUE;

  for (gsize i = 0; grant->targets[i] != NULL; i++) {
    if (matches (grant->targets[i], id))
      return TRUE;
  }

  return FALSE;
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

  return g_strdup_printf ("%.*s%s", (int) fixed_length (grant->id), grant->id, made);
}
