/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicsession.h"

G_BEGIN_DECLS

/**
 * GstConicMedia:
 *
 * The media of one session as its descriptions have it: what is sent in which section, a branch of
 * an input each, and in which sections something may come. All in the endpoint's thread.
 */
typedef struct _GstConicMedia GstConicMedia;

/**
 * GstConicMediaFunc:
 *
 * The webrtcbin knows what it needs to make a description. In the endpoint's thread.
 */
typedef void (*GstConicMediaFunc) (gpointer user_data);

/* (transfer full): @connection: the GstConicConnection, of the GstConicBaseBin @element, that has
 * @session's @webrtcbin; they outlive this. @user_data: a GObject, for @described */
GstConicMedia *gst_conic_media_new (GstBin *connection,
                                    GstElement *element,
                                    GstConicSession *session,
                                    GstElement *webrtcbin,
                                    GstConicMediaFunc described,
                                    gpointer user_data);

/* Gives webrtcbin a section for all that the element sends and receives. */
void gst_conic_media_offer (GstConicMedia *self);

/* Fills the sections of the offer that came. */
void gst_conic_media_answer (GstConicMedia *self);

/* Whether webrtcbin knows what it needs to make a description. */
gboolean gst_conic_media_is_described (GstConicMedia *self);

/* Whether the element's inputs are others than those in the descriptions. */
gboolean gst_conic_media_is_stale (GstConicMedia *self);

/* Gives the inputs that are new a section in the next offer, and ends those of the ones that are gone. */
void gst_conic_media_update (GstConicMedia *self);

/* The session is connected, and both sides' descriptions are in force, perhaps new ones: lets flow what
 * they say, and nothing else. */
void gst_conic_media_open (GstConicMedia *self);

/* The set of sections in which the other side sends something, as the descriptions have it. */
guint64 gst_conic_media_get_incoming (GstConicMedia *self);

/* Adds to @measures in which codecs what is sent, and how many pictures. */
void gst_conic_media_measure (GstConicMedia *self, GstStructure *measures);

/* Gives the inputs' branches back, so that nothing more comes. From any thread, once. */
void gst_conic_media_release (GstConicMedia *self);

void gst_conic_media_free (GstConicMedia *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstConicMedia, gst_conic_media_free)

G_END_DECLS
