/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CONIC_SIGNALLER (gst_conic_signaller_get_type ())
G_DECLARE_FINAL_TYPE (GstConicSignaller, gst_conic_signaller, GST, CONIC_SIGNALLER, GstElement)

GST_ELEMENT_REGISTER_DECLARE (conicsignaller)

G_END_DECLS
