/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#include "gstconicevents.h"
#include "gstconicgate.h"
#include "gstconicpulse.h"
#include "gstconicstats.h"

G_BEGIN_DECLS

/**
 * GstConicTransportHandlers:
 * @connected: there is a path, and the certificate of the other side is the right one
 * @failed: there is none, or no longer
 *
 * What a transport tells its session, in the context of that.
 */
typedef struct {
  void (*connected) (GstConicSession *session);
  void (*failed) (GstConicSession *session, const GError *error);
} GstConicTransportHandlers;

/**
 * GstConicTransport:
 *
 * What carries a session: whether it is up, to whom it leads, whether they are still there, and how it
 * does. All in the session's context, but where it says otherwise.
 */
typedef struct {
  GstConicEvents *events; /* borrowed, as the next two */
  const GstConicTransportHandlers *handlers;
  const char *peer_id;
  const char *session_id; /* (nullable): likewise */

  guint timeout;
  GstElement *webrtcbin; /* (nullable) */
  int association;       /* its number, or -1 */
  GstConicGate *gate;    /* (nullable) */
  GSource *goodbye_timer;
  GSource *pulse_timer;
  GstConicPulse pulse;
  GstWebRTCPeerConnectionState logged_state;
  GstWebRTCICEConnectionState logged_ice_state;
  GstWebRTCICEGatheringState logged_gathering;
  gboolean verified;
  gboolean is_up;
  gboolean connected;

  GMutex stats_lock; /* innermost */
  GstStructure *stats;
  GstConicStats stats_state;
  double round_trip_time;
  GstStructure *measures; /* (nullable) */
} GstConicTransport;

/* (transfer none): the transport of @session */
GstConicTransport *gst_conic_session_get_transport (GstConicSession *session);

void gst_conic_transport_init (GstConicTransport *self,
                               GstConicEvents *events,
                               const GstConicTransportHandlers *handlers,
                               const char *peer_id,
                               const char *session_id);
void gst_conic_transport_clear (GstConicTransport *self);

/* @timeout: seconds that the other side may be silent */
void gst_conic_transport_open (GstConicTransport *self, GstElement *webrtcbin, guint timeout);
void gst_conic_transport_close (GstConicTransport *self);

/* @fingerprints: the `a=fingerprint` values of the other side's description */
void gst_conic_transport_expect (GstConicTransport *self, const char *const *fingerprints);

/* From any thread. (transfer full) (nullable): the last `conic-session-stats` */
GstStructure *gst_conic_transport_get_stats (GstConicTransport *self);

G_END_DECLS
