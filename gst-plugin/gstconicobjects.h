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

/**
 * gst_conic_objects_is_a:
 * @object: (nullable): of any kind
 * @factory: the name that elements are made by
 *
 * Returns: whether @object is an element that was made by that name
 */
gboolean gst_conic_objects_is_a (gpointer object, const char *factory);

G_END_DECLS
