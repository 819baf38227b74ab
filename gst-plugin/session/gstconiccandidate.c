/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconiccandidate.h"

GstConicCandidate *
gst_conic_candidate_new (int mline_index, const char *mid, const char *text)
{
  GstConicCandidate *candidate = g_new0 (GstConicCandidate, 1);

  candidate->mline_index = mline_index;
  candidate->mid = g_strdup (mid);
  candidate->text = g_strdup (text);
  return candidate;
}

void
gst_conic_candidate_free (GstConicCandidate *candidate)
{
  g_free (candidate->mid);
  g_free (candidate->text);
  g_free (candidate);
}
