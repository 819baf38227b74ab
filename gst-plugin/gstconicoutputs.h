/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicdatasrc.h"
#include "gstconicendpoint.h"

G_BEGIN_DECLS

/**
 * GstConicOutputs:
 *
 * The source pads of an element, as its class's pad templates describe them: one for each stream of
 * decoded media, and one for each label of data channels. All functions may be called from any
 * thread but where it says otherwise.
 */
typedef struct _GstConicOutputs GstConicOutputs;

/* (transfer full): @element: a GstConicBaseBin, owns it and outlives it; @endpoint: the element's */
GstConicOutputs *gst_conic_outputs_new (GstElement *element, GstConicEndpoint *endpoint);
void gst_conic_outputs_free (GstConicOutputs *self);

/* Whether elements of this class have source pads at all. */
gboolean gst_conic_outputs_are_possible (GstElement *element);

/* Whether the element has a source pad now. */
gboolean gst_conic_outputs_are_there (GstElement *element);

/* Whether @name is one that a source pad of the element may get. */
gboolean gst_conic_outputs_are_named (GstElement *element, const char *name);

/**
 * gst_conic_outputs_add_media:
 * @owner: the connection that @pad is of
 * @pad: gives decoded media of @kind
 *
 * Shows @pad on a source pad of the element: on one that was kept, else on a new one.
 */
void gst_conic_outputs_add_media (GstConicOutputs *self,
                                  gpointer owner,
                                  GstWebRTCKind kind,
                                  GstPad *pad);

/**
 * gst_conic_outputs_remove_media:
 * @owner: (nullable): the connection whose pads go, or %NULL for all; it pushes no more
 * @keep: leave the element's pads for the next connection
 */
void gst_conic_outputs_remove_media (GstConicOutputs *self, gpointer owner, gboolean keep);

/* Removes the element's pad that shows @pad: EOS has passed it. What is downstream may block this. */
void gst_conic_outputs_remove_pad (GstConicOutputs *self, GstPad *pad);

/* There is a channel with @label, so messages may come: the element has a pad for it, or is about to. */
void gst_conic_outputs_announce_data (GstConicOutputs *self, const char *label);

/* A message came on @channel. */
void gst_conic_outputs_receive_data (GstConicOutputs *self,
                                     GstConicChannel *channel,
                                     GBytes *data,
                                     gboolean is_text);

/* All messages with @label that a session ever brings have been handed on: the pad for it ends, unless
 * others may still come. */
void gst_conic_outputs_finish_data (GstConicOutputs *self, const char *label);

/* A session has all the pads that it is going to have: so does the element, unless others may still
 * come. */
void gst_conic_outputs_complete (GstConicOutputs *self);

/* Nothing comes on any data pad any more. */
void gst_conic_outputs_end_data (GstConicOutputs *self);

/* Nothing downstream holds up what comes any more; the pads are about to go. */
void gst_conic_outputs_flush_data (GstConicOutputs *self);
void gst_conic_outputs_flush_media (GstConicOutputs *self);

void gst_conic_outputs_remove_data (GstConicOutputs *self);

G_END_DECLS
