/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconictimer.h"

GSource *
gst_conic_timer_start (GMainContext *context,
                       const char *name,
                       guint milliseconds,
                       GSourceFunc func,
                       gpointer data,
                       GDestroyNotify destroy)
{
  GSource *timer = g_timeout_source_new (milliseconds);

  g_source_set_static_name (timer, name);
  g_source_set_callback (timer, func, data, destroy);
  g_source_attach (timer, context != NULL ? context : g_main_context_get_thread_default ());
  return timer;
}

void
gst_conic_timer_stop (GSource **timer)
{
  if (*timer != NULL)
    g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}
