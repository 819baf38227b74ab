/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A run of bytes in somebody else's memory; not terminated. data is NULL when there is none. */
typedef struct {
  const char *data;
  gsize length;
} ConicSlice;

/* Whether @slice has the bytes of @text and no others. */
gboolean conic_slice_is (ConicSlice slice, const char *text);

/* Whether @slice is base64 as RFC 4648 section 4 has it: with its padding, without line breaks.
 */
gboolean conic_slice_is_base64 (ConicSlice slice);

G_END_DECLS
