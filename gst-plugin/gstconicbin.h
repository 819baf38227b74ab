/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicbasebin.h"

G_BEGIN_DECLS

#define GST_TYPE_CONIC_BIN (gst_conic_bin_get_type ())
G_DECLARE_FINAL_TYPE (GstConicBin, gst_conic_bin, GST, CONIC_BIN, GstConicBaseBin)

GST_ELEMENT_REGISTER_DECLARE (conicbin)

G_END_DECLS
