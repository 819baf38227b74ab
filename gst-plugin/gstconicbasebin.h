/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicconnections.h"
#include "gstconicdatasink.h"
#include "gstconicendpoint.h"
#include "gstconicinput.h"
#include "gstconicmediasettings.h"
#include "gstconicoutputs.h"

G_BEGIN_DECLS

/**
 * GstConicBaseBin:
 *
 * What conicbin, conicsink and conicsrc share: pads, and a connection for each session. Which pads
 * there are is the pad templates' matter: request sink pads `audio_%u`, `video_%u`, `data_%s`;
 * sometimes source pads of whatever names start with `audio_`, `video_`, `data_`.
 */
#define GST_TYPE_CONIC_BASE_BIN (gst_conic_base_bin_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstConicBaseBin, gst_conic_base_bin, GST, CONIC_BASE_BIN, GstBin)

struct _GstConicBaseBinClass {
  GstBinClass parent_class;
};

/* For a subclass's class_init. */
void gst_conic_base_bin_class_add_sink_templates (GstElementClass *klass);
void gst_conic_base_bin_class_add_src_templates (GstElementClass *klass,
                                                 const char *audio,
                                                 const char *video,
                                                 const char *data);

/* --- for the connections --- */

/* Whether the element has source pads. */
gboolean gst_conic_base_bin_receives (GstConicBaseBin *self);

/* What the properties were when the element started; valid as long as it runs. */
const GstConicMediaSettings *gst_conic_base_bin_get_media_settings (GstConicBaseBin *self);

/* (transfer full) (element-type GstConicInput) */
GPtrArray *gst_conic_base_bin_get_inputs (GstConicBaseBin *self);

/* (transfer full): the labels of the data sink pads that haven't ended */
GStrv gst_conic_base_bin_get_data_labels (GstConicBaseBin *self);

/* (transfer full) (nullable) */
GstConicDataSink *gst_conic_base_bin_find_data_sink (GstConicBaseBin *self, const char *label);

/* From any thread: the other side has opened @channel. Whether the application takes it, so that it
 * is none of the data pads'. */
gboolean gst_conic_base_bin_offer_channel (GstConicBaseBin *self,
                                           GstConicSession *session,
                                           GstWebRTCDataChannel *channel);

GstConicOutputs *gst_conic_base_bin_get_outputs (GstConicBaseBin *self);
GstConicConnections *gst_conic_base_bin_get_connections (GstConicBaseBin *self);

void gst_conic_base_bin_invoke (GstConicBaseBin *self,
                                GstConicEndpointFunc func,
                                gpointer data,
                                GDestroyNotify free_data);

G_END_DECLS
