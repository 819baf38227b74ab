/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstConicSession GstConicSession;

/* What happens in the session's context; @data is what was posted, or promised by webrtcbin. */
typedef void (*GstConicEventFunc) (GstConicSession *session, gpointer data);

/**
 * GstConicEvents:
 *
 * Takes what webrtcbin tells in threads of its own to the context that a session lives in.
 */
typedef struct {
  GstConicSession *session; /* borrowed: it has this */
  GMainContext *context;
  gboolean is_over; /* the context's: nothing is told any more */
} GstConicEvents;

void gst_conic_events_init (GstConicEvents *self, GstConicSession *session, GMainContext *context);
void gst_conic_events_clear (GstConicEvents *self);

/**
 * gst_conic_events_post:
 * @data: (transfer full) (nullable): for @func
 * @free_data: (nullable): for @data
 *
 * From any thread: has @func called, unless it is over by then.
 */
void gst_conic_events_post (GstConicEvents *self,
                            GstConicEventFunc func,
                            gpointer data,
                            GDestroyNotify free_data);

/**
 * gst_conic_events_ask:
 * @signal: one of @webrtcbin's that takes @argument and a promise
 * @func: gets what is promised as a #GstStructure, %NULL if that is empty
 *
 * The promise is webrtcbin's alone, which may drop it unanswered.
 */
void gst_conic_events_ask (GstConicEvents *self,
                           GstElement *webrtcbin,
                           const char *signal,
                           gpointer argument,
                           GstConicEventFunc func);

G_END_DECLS
