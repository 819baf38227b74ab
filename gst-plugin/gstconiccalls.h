/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-client.h"
#include "gstconicsession.h"

G_BEGIN_DECLS

/**
 * GstConicCallsHandlers:
 * @session_new: give @session a webrtcbin with gst_conic_session_open(), or refuse with @error
 * @session_negotiate: the session is to offer, or has been offered something: set up media, then
 *   gst_conic_session_offer() or gst_conic_session_answer(), at once or later
 * @session_stable: an offer was answered, here or there
 * @session_connected: media and data may flow
 * @session_closed: put away what belongs to @session; @by_peer: the other side said goodbye, and
 *   isn't called again
 * @calls_again: whether the target is called again when it said goodbye (@by_peer), or was lost
 * @stopping: all sessions are closed, and the thread is about to end
 *
 * What the element does about sessions; always called in the endpoint's thread.
 */
typedef struct {
  gboolean (*session_new) (GstElement *element, GstConicSession *session, GError **error);
  void (*session_negotiate) (GstElement *element, GstConicSession *session);
  void (*session_stable) (GstElement *element, GstConicSession *session);
  void (*session_connected) (GstElement *element, GstConicSession *session);
  void (*session_closed) (GstElement *element, GstConicSession *session, gboolean by_peer);
  gboolean (*calls_again) (GstElement *element, gboolean by_peer);
  void (*stopping) (GstElement *element);
} GstConicCallsHandlers;

/**
 * GstConicCalls:
 *
 * The sessions of an element: who calls whom, which session a message is for, and what becomes of a
 * call that fails. All in the endpoint's thread, but where it says otherwise.
 */
typedef struct _GstConicCalls GstConicCalls;

/* (transfer full): @context: the endpoint's */
GstConicCalls *gst_conic_calls_new (GstElement *element,
                                    const GstConicCallsHandlers *handlers,
                                    GMainContext *context);
void gst_conic_calls_free (GstConicCalls *self);

/* Before the endpoint's thread runs: the element starts. @target_id: (nullable): whom to call */
void gst_conic_calls_start (GstConicCalls *self, const char *target_id, guint max_sessions);

/* @client: (nullable): what messages are sent by; borrowed */
void gst_conic_calls_set_client (GstConicCalls *self, ConicClient *client);

/* Ends all sessions; nothing begins any more. */
void gst_conic_calls_stop (GstConicCalls *self);

/* @target_id: (nullable): whom to call, as soon as that can be */
void gst_conic_calls_set_target (GstConicCalls *self, const char *target_id);

/* The element's media is known, so sessions can begin. */
void gst_conic_calls_set_ready (GstConicCalls *self);

/* The client is registered, or again: what could not be sent is. */
void gst_conic_calls_resume (GstConicCalls *self);

/* A message came from the hub. */
void gst_conic_calls_receive (GstConicCalls *self, const ConicMessage *message);

/* Says goodbye to the peer for @reason and closes the session. */
void gst_conic_calls_end (GstConicCalls *self, GstConicSession *session, const char *reason);

/* The same for a session that broke, with the warning that goes with it. */
void gst_conic_calls_fail (GstConicCalls *self, GstConicSession *session, const GError *error);

/* From any thread. (transfer full): `conic-stats` with the statistics of all sessions */
GstStructure *gst_conic_calls_get_stats (GstConicCalls *self);

G_END_DECLS
