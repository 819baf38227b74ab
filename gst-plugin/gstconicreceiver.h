/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicconnection.h"

G_BEGIN_DECLS

/**
 * GstConicReceiver:
 *
 * What comes in on one connection: for each stream that webrtcbin shows an element that makes of it
 * what the application wants (GstConicOutputMode), and with it a source pad of the element.
 */
typedef struct _GstConicReceiver GstConicReceiver;

/* (transfer full): @element: a GstConicBaseBin; @connection: the bin that @webrtcbin is in, and
 * that the decoders go into. Both outlive this. */
GstConicReceiver *
gst_conic_receiver_new (GstElement *element, GstConicConnection *connection, GstElement *webrtcbin);

/* Says in which set of sections there are going to be streams: the element is told when all are there,
 * and the data too. */
void gst_conic_receiver_expect (GstConicReceiver *self, guint64 incoming);

/* All pads for data are there that there are going to be, or none is waited for any longer. */
void gst_conic_receiver_complete_data (GstConicReceiver *self);

/* The descriptions have changed: streams may come in this set of sections now, and in no others. One that
 * is over ends with EOS, and begins anew if its section comes back. */
void gst_conic_receiver_update (GstConicReceiver *self, guint64 incoming);

/* What is missing isn't waited for any longer. */
void gst_conic_receiver_give_up (GstConicReceiver *self);

/* Adds to @measures in which codecs what comes, how many pictures, and how often they stood still. */
void gst_conic_receiver_measure (GstConicReceiver *self, GstStructure *measures);

/* Ends the streams properly, with EOS; returns when that has passed, or after two seconds. */
void gst_conic_receiver_send_eos (GstConicReceiver *self);

/* Nothing comes in any more. */
void gst_conic_receiver_free (GstConicReceiver *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstConicReceiver, gst_conic_receiver_free)

G_END_DECLS
