/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicbasebin.h"

G_BEGIN_DECLS

#define GST_TYPE_CONIC_SRC (gst_conic_src_get_type ())
G_DECLARE_FINAL_TYPE (GstConicSrc, gst_conic_src, GST, CONIC_SRC, GstConicBaseBin)

GST_ELEMENT_REGISTER_DECLARE (conicsrc)

G_END_DECLS
