/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconictrickle.h"

#include "gstconiccandidate.h"
#include "gstconicsdp.h"
#include "gstconicsession.h"

GST_DEBUG_CATEGORY_EXTERN (gst_conic_session_debug);
#define GST_CAT_DEFAULT gst_conic_session_debug

/* Early candidates that are kept. A host with many addresses gathers a few dozen. */
#define EARLY_CANDIDATES_MAX 256

/* --- this side's --- */

static void
send_candidate (GstConicTrickle *self, const GstConicCandidate *candidate)
{
  self->send (self->events->session, (guint) candidate->mline_index, candidate->text);
}

static void
local_candidate_event (GstConicSession *session, gpointer data)
{
  GstConicTrickle *self = gst_conic_session_get_trickle (session);
  GstConicCandidate *candidate = data;

  if (g_queue_is_empty (&self->local))
    GST_INFO_OBJECT (session, "“%s”: first candidate of ours",
                     gst_conic_session_get_peer_id (session));
  g_queue_push_tail (&self->local,
                     gst_conic_candidate_new (candidate->mline_index, NULL, candidate->text));
  if (self->local_sent)
    send_candidate (self, candidate);
}

static void
on_ice_candidate (GstElement *webrtcbin, guint mline, const char *text, GstConicSession *session)
{
  GstConicTrickle *self = gst_conic_session_get_trickle (session);

  gst_conic_events_post (self->events, local_candidate_event,
                         gst_conic_candidate_new ((int) mline, NULL, text),
                         (GDestroyNotify) gst_conic_candidate_free);
}

void
gst_conic_trickle_resend (GstConicTrickle *self)
{
  for (GList *l = self->local.head; l != NULL; l = l->next)
    send_candidate (self, l->data);
}

void
gst_conic_trickle_start (GstConicTrickle *self)
{
  if (self->local_sent)
    return;
  self->local_sent = TRUE;
  gst_conic_trickle_resend (self);
}

/* --- the other side's --- */

static void
apply (GstConicTrickle *self, const GstSDPMessage *remote, const GstConicCandidate *candidate)
{
  int index = -1;

  if (candidate->mid != NULL)
    index = gst_conic_sdp_find_mid (remote, candidate->mid);
  if (index < 0)
    index = candidate->mline_index;
  if (index < 0 || (guint) index >= gst_sdp_message_medias_len (remote)) {
    GST_INFO_OBJECT (self->events->session,
                     "candidate for a media section that the other side doesn't have");
    return;
  }
  g_signal_emit_by_name (self->webrtcbin, "add-ice-candidate", (guint) index, candidate->text);
}

void
gst_conic_trickle_receive (GstConicTrickle *self,
                           const GstSDPMessage *remote,
                           const char *mid,
                           int mline_index,
                           const char *text)
{
  GstConicCandidate *candidate;

  /* webrtcbin 1.22 has no end of candidates, which is an empty one; it goes on checking until it
   * has a pair. */
  if (!gst_conic_sdp_is_candidate (text)) {
    GST_INFO_OBJECT (self->events->session, "not a candidate for us: %.40s", text);
    return;
  }
  candidate = gst_conic_candidate_new (mline_index, mid, text);
  if (self->remote_applied) {
    apply (self, remote, candidate);
    gst_conic_candidate_free (candidate);
  } else if (g_queue_get_length (&self->remote) < EARLY_CANDIDATES_MAX) {
    g_queue_push_tail (&self->remote, candidate);
  } else {
    gst_conic_candidate_free (candidate);
  }
}

void
gst_conic_trickle_apply (GstConicTrickle *self, const GstSDPMessage *remote)
{
  GstConicCandidate *candidate;

  self->remote_applied = TRUE;
  while ((candidate = g_queue_pop_head (&self->remote)) != NULL) {
    apply (self, remote, candidate);
    gst_conic_candidate_free (candidate);
  }
}

/* --- the whole --- */

void
gst_conic_trickle_open (GstConicTrickle *self, GstElement *webrtcbin)
{
  self->webrtcbin = gst_object_ref (webrtcbin);
  self->handler = g_signal_connect_object (webrtcbin, "on-ice-candidate",
                                           G_CALLBACK (on_ice_candidate), self->events->session, 0);
}

void
gst_conic_trickle_close (GstConicTrickle *self)
{
  if (self->webrtcbin != NULL)
    g_clear_signal_handler (&self->handler, self->webrtcbin);
  gst_clear_object (&self->webrtcbin);
}

void
gst_conic_trickle_init (GstConicTrickle *self, GstConicEvents *events, GstConicTrickleFunc send)
{
  self->events = events;
  self->send = send;
  g_queue_init (&self->local);
  g_queue_init (&self->remote);
}

void
gst_conic_trickle_clear (GstConicTrickle *self)
{
  g_queue_clear_full (&self->local, (GDestroyNotify) gst_conic_candidate_free);
  g_queue_clear_full (&self->remote, (GDestroyNotify) gst_conic_candidate_free);
}
