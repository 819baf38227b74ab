/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-conicsignaller
 * @title: conicsignaller
 * @short_description: lets a plain webrtcbin call and be called
 *
 * An element without pads that does the signaling of a webrtcbin in the same bin: it registers at a
 * hub, calls the peer named by #conicsignaller:target-id or waits for one, and checks that the
 * certificate of the other side is the one in its session description. The webrtcbin's pads,
 * transceivers and data channels stay the application's.
 *
 * A webrtcbin has one session in its life. A second caller is told that this peer is busy.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 webrtcbin name=rtc bundle-policy=max-bundle \
 *     conicsignaller webrtc=rtc client-id=bob \
 *     videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! rtc.
 * gst-launch-1.0 webrtcbin name=rtc bundle-policy=max-bundle \
 *     conicsignaller webrtc=rtc target-id=bob \
 *     videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! rtc.
 * ]|
 */

#include "gstconicsignaller.h"

#include "gstconicendpoint.h"
#include "gstconicice.h"

GST_DEBUG_CATEGORY_STATIC (gst_conic_signaller_debug);
#define GST_CAT_DEFAULT gst_conic_signaller_debug

/* What a webrtcbin has that has had its session: it keeps it in whichever state, and is closed for good. */
#define USED_KEY "conic-used"

enum { PROP_WEBRTC = GST_CONIC_PROP_LAST };

struct _GstConicSignaller {
  GstElement parent_instance;

  GstConicEndpoint *endpoint;
  char *webrtc; /* OBJECT_LOCK */

  GstElement *webrtcbin;
  int needs_negotiation;    /* atomic: webrtcbin has said so */
  GstConicSession *session; /* borrowed: the endpoint's; its thread only */
  GThread *release;         /* likewise, and stop()'s: gives back what that has used */
};

G_DEFINE_FINAL_TYPE (GstConicSignaller, gst_conic_signaller, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (conicsignaller,
                             "conicsignaller",
                             GST_RANK_NONE,
                             GST_TYPE_CONIC_SIGNALLER)

static gboolean
is_used (GstConicSignaller *self)
{
  return g_object_get_data (G_OBJECT (self->webrtcbin), USED_KEY) != NULL;
}

static gboolean
session_new (GstElement *element, GstConicSession *session, GError **error)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (element);

  if (is_used (self) || self->session != NULL) {
    g_set_error (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_REFUSED,
                 "busy: the webrtcbin “%s” has its session, or has had it",
                 GST_OBJECT_NAME (self->webrtcbin));
    return FALSE;
  }
  self->session = session;
  gst_conic_session_open (session, self->webrtcbin,
                          gst_conic_endpoint_get_session_timeout (self->endpoint));
  return TRUE;
}

static void
session_negotiate (GstElement *element, GstConicSession *session)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (element);

  g_object_set_data (G_OBJECT (self->webrtcbin), USED_KEY, self->webrtcbin);
  if (gst_conic_session_is_offerer (session))
    gst_conic_session_offer (session);
  else
    gst_conic_session_answer (session);
}

static void
ignore_session (GstElement *element, GstConicSession *session)
{
}

static gpointer
release (gpointer data)
{
  g_autoptr (GstElement) webrtcbin = data;

  gst_conic_ice_release (webrtcbin);
  return NULL;
}

static void
session_closed (GstElement *element, GstConicSession *session, gboolean by_peer)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (element);

  if (self->session != session)
    return;
  self->session = NULL;
  /* An offer that was good for nothing has left it as it was. */
  if (!is_used (self))
    return;
  self->release = g_thread_new ("conic-release", release, gst_object_ref (self->webrtcbin));
}

/* The webrtcbin has had its session. */
static gboolean
calls_again (GstElement *element, gboolean by_peer)
{
  return FALSE;
}

static void
stopping (GstElement *element)
{
}

static const GstConicCallsHandlers handlers = {
    .session_new = session_new,
    .session_negotiate = session_negotiate,
    .session_stable = ignore_session,
    .session_connected = ignore_session,
    .session_closed = session_closed,
    .calls_again = calls_again,
    .stopping = stopping,
};

/* webrtcbin asks for a negotiation once it knows its media: that is when we can call and be called.
 * For data channels that may be before we are started. */
static void
on_negotiation_needed (GstElement *webrtcbin, GstConicSignaller *self)
{
  g_atomic_int_set (&self->needs_negotiation, TRUE);
  gst_conic_endpoint_set_ready (self->endpoint);
}

static GstPadProbeReturn
drop_unlinked (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return gst_pad_is_linked (pad) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

/* What the other side sends and nobody here wants would end the pipeline as “not-linked”. */
static void
on_pad_added (GstElement *webrtcbin, GstPad *pad, GstConicSignaller *self)
{
  if (gst_pad_get_direction (pad) == GST_PAD_SRC)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
                       drop_unlinked, NULL, NULL);
}

static gboolean
find_webrtcbin (GstConicSignaller *self)
{
  g_autoptr (GstObject) parent = gst_object_get_parent (GST_OBJECT (self));
  g_autofree char *name = NULL;

  GST_OBJECT_LOCK (self);
  name = g_strdup (self->webrtc);
  GST_OBJECT_UNLOCK (self);

  if (name != NULL && GST_IS_BIN (parent))
    self->webrtcbin = gst_bin_get_by_name (GST_BIN (parent), name);
  if (self->webrtcbin == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                       ("There is no webrtcbin named “%s” here: set webrtc to the name of one in "
                        "the same bin",
                        name != NULL ? name : ""),
                       (NULL));
    return FALSE;
  }
  if (g_signal_lookup ("create-offer", G_OBJECT_TYPE (self->webrtcbin)) == 0) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("“%s” is not a webrtcbin", name), (NULL));
    gst_clear_object (&self->webrtcbin);
    return FALSE;
  }
  return TRUE;
}

static gboolean
open_webrtcbin (GstConicSignaller *self)
{
  if (!find_webrtcbin (self))
    return FALSE;
  g_atomic_int_set (&self->needs_negotiation, FALSE);
  g_signal_connect (self->webrtcbin, "on-negotiation-needed", G_CALLBACK (on_negotiation_needed),
                    self);
  g_signal_connect (self->webrtcbin, "pad-added", G_CALLBACK (on_pad_added), self);
  return TRUE;
}

static void
start (GstConicSignaller *self)
{
  gst_conic_endpoint_configure (self->endpoint, self->webrtcbin);
  gst_conic_endpoint_start (self->endpoint);
  /* A webrtcbin without media of its own never asks for a negotiation, and can be called. */
  if (g_atomic_int_get (&self->needs_negotiation) ||
      (!gst_conic_endpoint_has_target (self->endpoint) && self->webrtcbin->numsinkpads == 0))
    gst_conic_endpoint_set_ready (self->endpoint);
}

static void
stop (GstConicSignaller *self)
{
  gst_conic_endpoint_stop (self->endpoint);
  if (self->release != NULL)
    g_thread_join (g_steal_pointer (&self->release));
}

static GstStateChangeReturn
gst_conic_signaller_change_state (GstElement *element, GstStateChange transition)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_webrtcbin (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    start (self);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING &&
           !gst_conic_endpoint_play (self->endpoint))
    return GST_STATE_CHANGE_FAILURE;

  ret = GST_ELEMENT_CLASS (gst_conic_signaller_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    stop (self);
  } else if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
    g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
    gst_clear_object (&self->webrtcbin);
  }
  return ret;
}

static void
gst_conic_signaller_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (object);

  if (gst_conic_endpoint_set_property (self->endpoint, id, value))
    return;
  switch (id) {
  case PROP_WEBRTC:
    GST_OBJECT_LOCK (self);
    g_free (self->webrtc);
    self->webrtc = g_value_dup_string (value);
    GST_OBJECT_UNLOCK (self);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
}

static void
gst_conic_signaller_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (object);

  if (gst_conic_endpoint_get_property (self->endpoint, id, value))
    return;
  switch (id) {
  case PROP_WEBRTC:
    GST_OBJECT_LOCK (self);
    g_value_set_string (value, self->webrtc);
    GST_OBJECT_UNLOCK (self);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
}

static void
gst_conic_signaller_finalize (GObject *object)
{
  GstConicSignaller *self = GST_CONIC_SIGNALLER (object);

  g_clear_object (&self->endpoint);
  g_free (self->webrtc);

  G_OBJECT_CLASS (gst_conic_signaller_parent_class)->finalize (object);
}

static void
gst_conic_signaller_class_init (GstConicSignallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_conic_signaller_debug, "conicsignaller", 0, "Conic signaller");

  object_class->set_property = gst_conic_signaller_set_property;
  object_class->get_property = gst_conic_signaller_get_property;
  object_class->finalize = gst_conic_signaller_finalize;
  element_class->change_state = gst_conic_signaller_change_state;

  gst_conic_settings_install_properties (object_class);
  g_object_class_install_property (
      object_class, PROP_WEBRTC,
      g_param_spec_string ("webrtc", "webrtcbin",
                           "Name of the webrtcbin, in the same bin, whose signaling this does",
                           NULL,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));

  gst_element_class_set_static_metadata (element_class, "Conic signaller", "Generic/Network/WebRTC",
                                         "Does the signaling of a webrtcbin through a Conic hub",
                                         "The Conic developers");
}

static void
gst_conic_signaller_init (GstConicSignaller *self)
{
  self->endpoint = gst_conic_endpoint_new (GST_ELEMENT (self), &handlers);
}
