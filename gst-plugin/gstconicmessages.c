/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one place that turns errors into bus messages, with words that say what to do. */

#include "gstconicmessages.h"

#include <string.h>

#include "conic-client.h"

GST_DEBUG_CATEGORY_EXTERN (gst_conic_calls_debug);
#define GST_CAT_DEFAULT gst_conic_calls_debug

/* Bytes of the list of sections that a line of the log has room for. */
#define SECTIONS_MAX_LENGTH 80

/* What the user can do about an error; NULL if it says so itself. */
static const char *
get_advice (const GError *error)
{
  if (error->domain == CONIC_CLIENT_ERROR) {
    switch (error->code) {
    case CONIC_CLIENT_ERROR_UNREACHABLE:
      return "Start conicd there, or set uri to where a hub is";
    case CONIC_CLIENT_ERROR_TLS:
      return "Set tls-ca to a file with the certificate that vouches for the hub's";
    default:
      return NULL;
    }
  }
  if (error->domain == CONIC_ERROR) {
    switch (error->code) {
    case CONIC_ERROR_ID_TAKEN:
      return "Another peer is registered under this client-id: choose another one, or stop that "
             "peer first";
    case CONIC_ERROR_INVALID_ID:
      return "A client-id has 1 to 128 letters, digits and ._~-";
    case CONIC_ERROR_PEER_NOT_FOUND:
      return "Nobody is registered under that target-id yet: start that peer, or correct the "
             "target-id";
    case CONIC_ERROR_UNAUTHORIZED:
      return "The hub wants a token that allows this client-id";
    default:
      return NULL;
    }
  }
  return NULL;
}

static char *
make_text (const GError *error, guint delay)
{
  const char *advice = get_advice (error);
  GString *text = g_string_new (error->message);

  text->str[0] = g_ascii_toupper (text->str[0]);
  /* Some libraries end their words with a full stop. */
  if (g_str_has_suffix (text->str, "."))
    g_string_truncate (text, text->len - 1);
  if (advice != NULL)
    g_string_append_printf (text, ". %s", advice);
  if (delay > 0)
    g_string_append_printf (text, ". Trying again in %.1f s", delay / 1000.0);
  return g_string_free (text, FALSE);
}

static int
get_client_code (const GError *error)
{
  switch (error->code) {
  case CONIC_CLIENT_ERROR_URI:
    return GST_RESOURCE_ERROR_SETTINGS;
  case CONIC_CLIENT_ERROR_TLS:
    return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
  default:
    return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
  }
}

static GError *
to_gst_error (const GError *error, guint delay)
{
  g_autofree char *text = make_text (error, delay);
  int code = GST_RESOURCE_ERROR_FAILED;

  if (error->domain == CONIC_CLIENT_ERROR)
    code = get_client_code (error);
  else if (g_error_matches (error, CONIC_ERROR, CONIC_ERROR_ID_TAKEN))
    code = GST_RESOURCE_ERROR_BUSY;
  else if (g_error_matches (error, CONIC_ERROR, CONIC_ERROR_INVALID_ID))
    code = GST_RESOURCE_ERROR_SETTINGS;
  else if (g_error_matches (error, CONIC_ERROR, CONIC_ERROR_PEER_NOT_FOUND))
    code = GST_RESOURCE_ERROR_NOT_FOUND;
  else if (g_error_matches (error, CONIC_ERROR, CONIC_ERROR_UNAUTHORIZED) ||
           g_error_matches (error, GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_CERTIFICATE))
    code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
  return g_error_new_literal (GST_RESOURCE_ERROR, code, text);
}

void
gst_conic_messages_warning (GstElement *element, const GError *error, guint delay)
{
  g_autoptr (GError) warning = to_gst_error (error, delay);

  GST_WARNING_OBJECT (element, "%s", warning->message);
  gst_element_post_message (element, gst_message_new_warning (GST_OBJECT (element), warning,
                                                              error->message));
}

void
gst_conic_messages_error (GstElement *element, const GError *error)
{
  g_autoptr (GError) failure = to_gst_error (error, 0);

  GST_ERROR_OBJECT (element, "%s", failure->message);
  gst_element_post_message (element,
                            gst_message_new_error (GST_OBJECT (element), failure, error->message));
}

/* (transfer full): without what may be a secret, also if it is no URI */
static char *
redact (const char *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  const char *host = strrchr (uri, '@');

  if (parsed == NULL) {
    host = host != NULL ? host + 1 : uri;
    return g_strndup (host, strcspn (host, "?#"));
  }
  return g_uri_to_string_partial (parsed,
                                  G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);
}

GError *
gst_conic_messages_at_hub (const GError *error, const char *full_uri, const char *client_id)
{
  g_autofree char *uri = redact (full_uri);

  if (g_error_matches (error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_URI))
    return g_error_new (error->domain, error->code, "“%s” is %s", uri, error->message);
  if (g_error_matches (error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_UNREACHABLE) ||
      g_error_matches (error, CONIC_CLIENT_ERROR, CONIC_CLIENT_ERROR_TLS))
    return g_error_new (error->domain, error->code, "could not reach the hub at %s: %s", uri,
                        error->message);
  if (error->domain == CONIC_ERROR && client_id == NULL)
    return g_error_new (error->domain, error->code, "could not register at the hub %s: %s", uri,
                        error->message);
  if (error->domain == CONIC_ERROR)
    return g_error_new (error->domain, error->code, "could not register “%s” at the hub %s: %s",
                        client_id, uri, error->message);
  return g_error_new (error->domain, error->code, "the hub %s is lost: %s", uri, error->message);
}

GError *
gst_conic_messages_new_refusal (const char *peer_id, const char *reason)
{
  return g_error_new (GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_REFUSED,
                      "“%s” refused the call: %s", peer_id, reason);
}

GError *
gst_conic_messages_new_loss (const char *peer_id, const char *reason)
{
  return g_error_new (GST_CONIC_SESSION_ERROR, GST_CONIC_SESSION_ERROR_TRANSPORT,
                      "“%s” lost the session: %s", peer_id, reason);
}

void
gst_conic_messages_no_codec (GstElement *element,
                             GstConicSession *session,
                             GstWebRTCKind kind,
                             const char *theirs,
                             const char *ours)
{
  const char *name = kind == GST_WEBRTC_KIND_AUDIO ? "audio" : "video";
  g_autofree char *they =
      theirs != NULL ? g_strdup_printf ("has %s", theirs) : g_strdup ("took none");

  GST_ELEMENT_WARNING (element, STREAM, CODEC_NOT_FOUND,
                       ("No %s codec is common with “%s”: it %s, this element has %s (see "
                        "%s-codecs)",
                        name, gst_conic_session_get_peer_id (session), they, ours, name),
                       (NULL));
}

static void
post (GstElement *element, GstStructure *structure)
{
  GST_INFO_OBJECT (element, "%" GST_PTR_FORMAT, (gpointer) structure);
  gst_element_post_message (element, gst_message_new_element (GST_OBJECT (element), structure));
}

static void
post_session (GstElement *element, const char *name, GstConicSession *session, const char *reason)
{
  GstStructure *structure =
      gst_structure_new (name, "peer-id", G_TYPE_STRING, gst_conic_session_get_peer_id (session),
                         "session-id", G_TYPE_STRING, gst_conic_session_get_session_id (session),
                         NULL);

  if (reason != NULL)
    gst_structure_set (structure, "reason", G_TYPE_STRING, reason, NULL);
  post (element, structure);
}

void
gst_conic_messages_registered (GstElement *element, const char *client_id)
{
  post (element,
        gst_structure_new ("conic-registered", "client-id", G_TYPE_STRING, client_id, NULL));
}

void
gst_conic_messages_session_started (GstElement *element, GstConicSession *session)
{
  post_session (element, "conic-session-started", session, NULL);
}

void
gst_conic_messages_session_ended (GstElement *element, GstConicSession *session, const char *reason)
{
  post_session (element, "conic-session-ended", session, reason);
}

void
gst_conic_messages_session_failed (GstElement *element,
                                   GstConicSession *session,
                                   const char *reason)
{
  post_session (element, "conic-session-failed", session, reason);
}

/* (transfer full): the kinds of the media sections in @sdp, such as “audio video application” */
static char *
list_sections (const char *sdp)
{
  GString *kinds = g_string_new (NULL);

  while ((sdp = strstr (sdp, "\nm=")) != NULL && kinds->len < SECTIONS_MAX_LENGTH) {
    sdp += strlen ("\nm=");
    g_string_append_printf (kinds, "%s%.*s", kinds->len > 0 ? " " : "",
                            (int) MIN (strspn (sdp, G_CSET_a_2_z), SECTIONS_MAX_LENGTH), sdp);
  }
  return g_string_free (kinds, FALSE);
}

void
gst_conic_messages_log (GstElement *element, const ConicMessage *message)
{
  gboolean is_ours = message->from_id == NULL;
  const char *peer_id = is_ours ? message->to_id : message->from_id;
  const char *verb = is_ours ? "sent" : "received";
  g_autofree char *sections = NULL;

  if (gst_debug_category_get_threshold (GST_CAT_DEFAULT) < GST_LEVEL_INFO)
    return;
  switch (message->type) {
  case CONIC_MESSAGE_SDP:
    sections = list_sections (message->sdp);
    GST_INFO_OBJECT (element, "“%s”: %s %s: %s", peer_id,
                     message->sdp_type == CONIC_SDP_OFFER ? "offer" : "answer", verb, sections);
    break;
  case CONIC_MESSAGE_CANDIDATE:
    GST_LOG_OBJECT (element, "“%s”: candidate %s for section %d: %s", peer_id, verb,
                    message->sdp_mline_index, message->candidate);
    break;
  case CONIC_MESSAGE_BYE:
    GST_INFO_OBJECT (element, "“%s”: goodbye %s: %s", peer_id, verb,
                     message->reason != NULL ? message->reason : "no reason given");
    break;
  default:
    break;
  }
}
