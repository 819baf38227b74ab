/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconiccalls.h"
#include "gstconicsettings.h"

G_BEGIN_DECLS

/**
 * GstConicEndpoint:
 *
 * What makes an element a peer: the properties that say which hub and whom to call, the thread
 * that all signaling happens in, the registration, and the calls. conicsignaller and conicbin own
 * one each.
 */
#define GST_TYPE_CONIC_ENDPOINT (gst_conic_endpoint_get_type ())
G_DECLARE_FINAL_TYPE (GstConicEndpoint, gst_conic_endpoint, GST, CONIC_ENDPOINT, GObject)

/* The properties of gst_conic_settings_install_properties(); FALSE if @id isn't one of them. */
gboolean gst_conic_endpoint_set_property (GstConicEndpoint *self, guint id, const GValue *value);
gboolean gst_conic_endpoint_get_property (GstConicEndpoint *self, guint id, GValue *value);

/* @element owns the endpoint and outlives it. */
GstConicEndpoint *gst_conic_endpoint_new (GstElement *element,
                                          const GstConicCallsHandlers *handlers);

/* READY to PAUSED: connects to the hub. */
void gst_conic_endpoint_start (GstConicEndpoint *self);

/* PAUSED to PLAYING: FALSE if the element has failed before, which is posted once more. An application may
 * have missed it: gst-launch-1.0 hears of no error until its first change of state is over. */
gboolean gst_conic_endpoint_play (GstConicEndpoint *self);

/* PAUSED to READY: ends all sessions and the registration; returns when the thread has ended. */
void gst_conic_endpoint_stop (GstConicEndpoint *self);

/* From any thread: the element's media is known, so sessions can begin. */
void gst_conic_endpoint_set_ready (GstConicEndpoint *self);

/**
 * gst_conic_endpoint_invoke:
 * @func: called with the element and @data in the endpoint's thread, if that still runs
 *
 * From any thread.
 */
typedef void (*GstConicEndpointFunc) (GstElement *element, gpointer data);
void gst_conic_endpoint_invoke (GstConicEndpoint *self,
                                GstConicEndpointFunc func,
                                gpointer data,
                                GDestroyNotify free_data);

/* Says goodbye to the peer and closes a session that broke, with the warning that goes with it; in
 * the endpoint's thread. */
void gst_conic_endpoint_fail_session (GstConicEndpoint *self,
                                      GstConicSession *session,
                                      const GError *error);

/* Sets up @webrtcbin as the properties say. */
void gst_conic_endpoint_configure (GstConicEndpoint *self, GstElement *webrtcbin);

/* Whether the element calls rather than waits. */
gboolean gst_conic_endpoint_has_target (GstConicEndpoint *self);

/* Whether a target that has said goodbye is called again. */
gboolean gst_conic_endpoint_reconnects (GstConicEndpoint *self);

guint gst_conic_endpoint_get_session_timeout (GstConicEndpoint *self);

G_END_DECLS
