/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

/**
 * GstConicIceSettings:
 *
 * How a webrtcbin looks for paths to its peers: the user's settings, and what the hub recommends.
 */
typedef struct {
  char *stun_server;      /* (nullable) */
  GStrv turn_servers;     /* (nullable) */
  GPtrArray *hub_servers; /* (element-type utf8) (nullable): URIs as webrtcbin takes them */
  GStrv local_addresses;  /* (nullable) */
  GstWebRTCICETransportPolicy policy;
  guint min_port;
  guint max_port;
} GstConicIceSettings;

void gst_conic_ice_settings_init (GstConicIceSettings *self);
void gst_conic_ice_settings_clear (GstConicIceSettings *self);

/* @servers: (element-type ConicIceServer) (nullable): the W3C's RTCIceServer, from the hub */
void gst_conic_ice_settings_set_hub_servers (GstConicIceSettings *self, GPtrArray *servers);

/* Sets up @webrtcbin; warns on @element's bus of what can't be used, without what is secret in it. */
void gst_conic_ice_settings_apply (const GstConicIceSettings *self,
                                   GstElement *element,
                                   GstElement *webrtcbin);

G_END_DECLS
