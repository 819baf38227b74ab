/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-shape.h"

G_BEGIN_DECLS

/* What the dialects differ in: how they spell the members and how they wrap the body. Each of
 * the tables ends with an empty entry. */

extern const ConicName conic_outer_names[];
extern const ConicName conic_envelope_names[];
extern const ConicName conic_readme_names[];

/* The members of the W3C's dictionaries, which are the same in both dialects. */
extern const ConicName conic_description_names[];
extern const ConicName conic_candidate_names[];

/**
 * conic_readme_open:
 * @shape: a message whose `raw` was seen
 * @body: (out): the JSON text in it, in @shape's memory or in that of the message
 * @error: return location for a #CONIC_ERROR
 *
 * Takes the body out of `raw`, which is a JSON text in a string, base64 of one, or an object.
 * @body is empty when `raw` is null or an empty string.
 */
gboolean conic_readme_open (ConicShape *shape, ConicSlice *body, GError **error);

/* How @dialect spells @member of the body. */
const char *conic_dialect_name (ConicDialect dialect, ConicMember member);

/* Appends @text as a JSON string, with its quotes. */
void conic_dialect_append_string (GString *out, const char *text, gsize length);

/* (transfer full): @message written in one of the dialects */
GString *conic_envelope_write (const ConicMessage *message);
GString *conic_readme_write (const ConicMessage *message);

G_END_DECLS
