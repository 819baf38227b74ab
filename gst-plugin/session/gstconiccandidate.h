/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GstConicCandidate:
 *
 * An ICE candidate (RFC 8839), and the media section that it belongs to.
 */
typedef struct {
  int mline_index; /* -1: only @mid says */
  char *mid;       /* (nullable) */
  char *text;
} GstConicCandidate;

/* (transfer full) */
GstConicCandidate *gst_conic_candidate_new (int mline_index, const char *mid, const char *text);
void gst_conic_candidate_free (GstConicCandidate *candidate);

G_END_DECLS
