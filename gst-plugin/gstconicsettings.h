/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gstconicicesettings.h"

G_BEGIN_DECLS

/* Property ids of the elements' common properties; an element's own start at LAST. */
typedef enum {
  GST_CONIC_PROP_URI = 1,
  GST_CONIC_PROP_CLIENT_ID,
  GST_CONIC_PROP_TARGET_ID,
  GST_CONIC_PROP_TOKEN,
  GST_CONIC_PROP_TLS_CA,
  GST_CONIC_PROP_STUN_SERVER,
  GST_CONIC_PROP_TURN_SERVERS,
  GST_CONIC_PROP_ICE_TRANSPORT_POLICY,
  GST_CONIC_PROP_MIN_PORT,
  GST_CONIC_PROP_MAX_PORT,
  GST_CONIC_PROP_LOCAL_ADDRESSES,
  GST_CONIC_PROP_SESSION_TIMEOUT,
  GST_CONIC_PROP_MAX_SESSIONS,
  GST_CONIC_PROP_RECONNECT,
  GST_CONIC_PROP_CONNECTED,
  GST_CONIC_PROP_STATS,
  GST_CONIC_PROP_LAST,
} GstConicProp;

/**
 * GstConicSettings:
 *
 * The values of the properties that all elements have. The application sets them from its threads
 * while the element is READY or less; later they are only read.
 */
typedef struct {
  GMutex lock; /* innermost */
  char *uri;
  char *client_id;     /* asked for (nullable) */
  char *registered_id; /* given by the hub (nullable) */
  char *target_id;     /* (nullable) */
  char *token;         /* (nullable) */
  char *tls_ca;        /* (nullable) */
  GstConicIceSettings ice;
  guint session_timeout;
  guint max_sessions;
  gboolean reconnect;
  gboolean connected;
} GstConicSettings;

void gst_conic_settings_init (GstConicSettings *self);
void gst_conic_settings_clear (GstConicSettings *self);

void gst_conic_settings_install_properties (GObjectClass *element_class);

/* FALSE if @id isn't one of the settings. */
gboolean gst_conic_settings_set (GstConicSettings *self, guint id, const GValue *value);
gboolean gst_conic_settings_get (GstConicSettings *self, guint id, GValue *value);

/* From and to a GST_TYPE_ARRAY of strings; *@strings is %NULL when that is empty. */
void gst_conic_settings_take_strings (GStrv *strings, const GValue *array);
void gst_conic_settings_give_strings (GStrv strings, GValue *array);

/* What the hub says; @id is %NULL when that hasn't changed. Notifies @element's properties. */
void gst_conic_settings_set_connected (GstConicSettings *self,
                                       GstElement *element,
                                       gboolean connected,
                                       const char *id);

/* (element-type ConicIceServer) (nullable): what the hub recommends to its clients */
void gst_conic_settings_set_hub_servers (GstConicSettings *self, GPtrArray *servers);

/* Sets up how @webrtcbin finds paths; warns on @element's bus of a setting that can't be used. */
void
gst_conic_settings_configure (GstConicSettings *self, GstElement *element, GstElement *webrtcbin);

G_END_DECLS
