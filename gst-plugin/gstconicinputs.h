/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicdatasink.h"
#include "gstconicinput.h"
#include "gstconicmediasettings.h"

G_BEGIN_DECLS

/**
 * GstConicInputsHandlers:
 * @known: it has become known what a media pad brings
 * @left: a media pad was released
 * @opened: there is a new data pad for @label
 * @eos: all pads have come to their end
 * @encoder: an encoder was made for the pad of that name, to be set up
 *
 * What the sink pads of an element tell it, from whichever thread.
 */
typedef struct {
  void (*known) (GstElement *element);
  void (*left) (GstElement *element);
  void (*opened) (GstElement *element, const char *label);
  void (*eos) (GstElement *element);
  void (*encoder) (GstElement *element, const char *pad_name, GstElement *encoder);
} GstConicInputsHandlers;

/**
 * GstConicInputs:
 *
 * The sink pads of an element, which are requested: one for each stream of media (#GstConicInput), and
 * one for each label of data channels (#GstConicDataSink). All functions may be called from any thread.
 */
typedef struct _GstConicInputs GstConicInputs;

/* (transfer full): @element: owns it and outlives it; @settings: what inputs are set up by, lives as long */
GstConicInputs *gst_conic_inputs_new (GstElement *element,
                                      const GstConicMediaSettings *settings,
                                      const GstConicInputsHandlers *handlers);
void gst_conic_inputs_free (GstConicInputs *self);

/* (transfer full) (element-type GstConicInput) */
GPtrArray *gst_conic_inputs_get_media (GstConicInputs *self);

/* Whether it is known what every media pad brings. */
gboolean gst_conic_inputs_are_known (GstConicInputs *self);

/* (transfer full): the labels of the data pads that haven't ended */
GStrv gst_conic_inputs_get_labels (GstConicInputs *self);

/* (transfer full) (nullable): the data pad for @label */
GstConicDataSink *gst_conic_inputs_find_data (GstConicInputs *self, const char *label);

/* The settings have changed: all of them, before the element runs. */
void gst_conic_inputs_set_up (GstConicInputs *self);

/* The same for the bit rates, at any time. */
void gst_conic_inputs_set_bitrates (GstConicInputs *self, const GstConicMediaSettings *settings);

/* (transfer none) (nullable): a new pad of the element, for @name or, if that is none, the first that is
 * free; %NULL if it's taken */
GstPad *gst_conic_inputs_request (GstConicInputs *self, GstPadTemplate *template, const char *name);

void gst_conic_inputs_release (GstConicInputs *self, GstPad *pad);

G_END_DECLS
