/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-message.h"
#include "gstconicsession.h"

G_BEGIN_DECLS

/* What an element says on the bus. Whatever time can mend is a warning, with the delay until the
 * next try in milliseconds (0: there's none); what only the user can mend is an error. */
void gst_conic_messages_warning (GstElement *element, const GError *error, guint delay);
void gst_conic_messages_error (GstElement *element, const GError *error);

/* (transfer full): @error with the hub's URI in its text, and the @client_id asked for, if any */
GError *gst_conic_messages_at_hub (const GError *error, const char *uri, const char *client_id);

/* (transfer full): the other side said goodbye to an offer */
GError *gst_conic_messages_new_refusal (const char *peer_id, const char *reason);

/* (transfer full): the other side said goodbye because the session broke */
GError *gst_conic_messages_new_loss (const char *peer_id, const char *reason);

/* A warning: nothing comes of a section of @kind in @session, for want of a codec. @theirs (nullable) and
 * @ours are the names of those that each side has. */
void gst_conic_messages_no_codec (GstElement *element,
                                  GstConicSession *session,
                                  GstWebRTCKind kind,
                                  const char *theirs,
                                  const char *ours);

/* Element messages: `conic-registered` (client-id), and of a session (peer-id, session-id)
 * `conic-session-started`, `conic-session-ended` (reason), `conic-session-failed` (reason). */
void gst_conic_messages_registered (GstElement *element, const char *client_id);
void gst_conic_messages_session_started (GstElement *element, GstConicSession *session);
void gst_conic_messages_session_ended (GstElement *element,
                                       GstConicSession *session,
                                       const char *reason);
void gst_conic_messages_session_failed (GstElement *element,
                                        GstConicSession *session,
                                        const char *reason);

/* What goes to another peer or comes from one, for the log: of a description no more than its sections,
 * for it has passwords. */
void gst_conic_messages_log (GstElement *element, const ConicMessage *message);

G_END_DECLS
