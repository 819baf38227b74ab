/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicdatasrc.h"

G_BEGIN_DECLS

/**
 * GstConicOutputs:
 *
 * The source pads of an element, as its class's pad templates describe them: one for each stream of
 * decoded media, and one for each label of data channels. All functions may be called from any
 * thread but where it says otherwise.
 */
typedef struct _GstConicOutputs GstConicOutputs;

/* (transfer full): @element: owns it and outlives it */
GstConicOutputs *gst_conic_outputs_new (GstElement *element);
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

/* (transfer full) (nullable): the pad for @label, made if need be; %NULL if elements of this class
 * have none, or if there are too many. A new pad has to be added with gst_conic_outputs_show_data(): *@is_new. */
GstConicDataSrc *
gst_conic_outputs_ensure_data (GstConicOutputs *self, const char *label, gboolean *is_new);

/* Adds the pad to the element and starts it; in the endpoint's thread. */
void gst_conic_outputs_show_data (GstConicOutputs *self, GstConicDataSrc *src);

/* Nothing comes on any data pad any more. */
void gst_conic_outputs_end_data (GstConicOutputs *self);

/* Nothing downstream holds up what comes any more; the pads are about to go. */
void gst_conic_outputs_flush (GstConicOutputs *self);

void gst_conic_outputs_remove_data (GstConicOutputs *self);

G_END_DECLS
