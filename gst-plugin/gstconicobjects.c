/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicobjects.h"

GPtrArray *
gst_conic_objects_copy (GPtrArray *objects)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (objects, i)));
  return copy;
}

gboolean
gst_conic_objects_is_a (gpointer object, const char *factory)
{
  GstElementFactory *made_by = GST_IS_ELEMENT (object) ? gst_element_get_factory (object) : NULL;

  return made_by != NULL && g_str_equal (GST_OBJECT_NAME (made_by), factory);
}
