/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-conicsrc
 * @title: conicsrc
 * @short_description: a WebRTC peer that receives
 *
 * Brings in the audio, video and data messages of another peer: it calls the one named by
 * #conicsrc:target-id, or waits for peers that push to it. Pads appear as streams do; what they
 * give is decoded, unless #conicsrc:output says otherwise. A stream that isn't linked is dropped and
 * harms nobody.
 *
 * Players find it by the URI of a peer: `conic://HOST:PORT/PEER` is PEER at the hub
 * `ws://HOST:PORT/ws`, and `conics://…` the same over TLS.
 *
 * A pad `data_X` gives the messages of the data channel labelled X, a buffer each.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 conicsrc target-id=camera ! videoconvert ! autovideosink
 * gst-launch-1.0 conicsrc name=r target-id=alice r.data_chat ! fdsink
 * gst-launch-1.0 playbin uri=conic://localhost:3000/camera
 * ]|
 */

#include "gstconicsrc.h"

#include "gstconicuri.h"

struct _GstConicSrc {
  GstConicBaseBin parent_instance;
};

static void uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstConicSrc,
                               gst_conic_src,
                               GST_TYPE_CONIC_BASE_BIN,
                               G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (conicsrc, "conicsrc", GST_RANK_PRIMARY, GST_TYPE_CONIC_SRC)

/* --- URIs --- */

static GstURIType
get_uri_type (GType type)
{
  return GST_URI_SRC;
}

static const char *const *
get_protocols (GType type)
{
  static const char *const protocols[] = {GST_CONIC_URI_SCHEME, GST_CONIC_URI_SCHEME_TLS, NULL};

  return protocols;
}

static char *
get_uri (GstURIHandler *handler)
{
  g_autofree char *hub = NULL;
  g_autofree char *peer_id = NULL;

  g_object_get (handler, "uri", &hub, "target-id", &peer_id, NULL);
  return gst_conic_uri_build (hub, peer_id);
}

static gboolean
set_uri (GstURIHandler *handler, const char *uri, GError **error)
{
  g_autofree char *hub = NULL;
  g_autofree char *peer_id = NULL;

  if (GST_STATE (handler) > GST_STATE_READY) {
    g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                         "the URI can't be changed while it is played");
    return FALSE;
  }
  if (!gst_conic_uri_parse (uri, &hub, &peer_id, error))
    return FALSE;
  g_object_set (handler, "uri", hub, "target-id", peer_id, NULL);
  return TRUE;
}

static void
uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = get_uri_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}

/* --- the element --- */

static void
gst_conic_src_class_init (GstConicSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_conic_base_bin_class_add_src_templates (element_class, "audio_%u", "video_%u", "data_%s");
  gst_element_class_set_static_metadata (element_class, "Conic source", "Source/Network/WebRTC",
                                         "Receives audio, video and data messages from WebRTC "
                                         "peers that it meets on a Conic hub",
                                         "The Conic developers");
}

static void
gst_conic_src_init (GstConicSrc *self)
{
}
