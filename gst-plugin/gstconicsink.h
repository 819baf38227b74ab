/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicbasebin.h"

G_BEGIN_DECLS

#define GST_TYPE_CONIC_SINK (gst_conic_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstConicSink, gst_conic_sink, GST, CONIC_SINK, GstConicBaseBin)

GST_ELEMENT_REGISTER_DECLARE (conicsink)

G_END_DECLS
