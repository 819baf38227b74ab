/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_conic_objects_copy:
 * @objects: (element-type GObject): guarded by a lock that the caller holds
 *
 * Returns: (transfer full) (element-type GObject): the same objects, to be used without the lock
 */
GPtrArray *gst_conic_objects_copy (GPtrArray *objects);

G_END_DECLS
