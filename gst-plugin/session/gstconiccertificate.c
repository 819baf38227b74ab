/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconiccertificate.h"

/* It comes with the first of these, and stays. */
static gpointer
prepare (gpointer data)
{
  GstElement *decoder = gst_element_factory_make ("dtlsdec", NULL);

  if (decoder != NULL)
    gst_object_unref (gst_object_ref_sink (decoder));
  return NULL;
}

GThread *
gst_conic_certificate_prepare (void)
{
  return g_thread_new ("conic-certificate", prepare, NULL);
}
