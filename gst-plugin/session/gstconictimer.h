/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * gst_conic_timer_start:
 * @context: (nullable): where @func is called; %NULL for the thread's default
 * @name: (transfer none): for who debugs; static
 * @milliseconds: until the first call, and between calls as long as @func returns
 *   %G_SOURCE_CONTINUE
 * @destroy: (nullable): for @data, when the timer is over
 *
 * Returns: (transfer full): the timer, to be stopped with gst_conic_timer_stop()
 */
GSource *gst_conic_timer_start (GMainContext *context,
                                const char *name,
                                guint milliseconds,
                                GSourceFunc func,
                                gpointer data,
                                GDestroyNotify destroy);

/* Stops *@timer, if there is one, and forgets it; also for a timer that is over. */
void gst_conic_timer_stop (GSource **timer);

G_END_DECLS
