/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-message.h"

static ConicIceServer *
ice_server_copy (const ConicIceServer *server)
{
  ConicIceServer *copy = g_new0 (ConicIceServer, 1);

  copy->urls = g_strdupv (server->urls);
  copy->username = g_strdup (server->username);
  copy->credential = g_strdup (server->credential);

  return copy;
}

void
conic_ice_server_free (ConicIceServer *server)
{
  g_strfreev (server->urls);
  g_free (server->username);
  g_free (server->credential);
  g_free (server);
}

static gboolean
strv_equal (GStrv a, GStrv b)
{
  if (a == NULL || b == NULL)
    return a == b;

  return g_strv_equal ((const char *const *)a, (const char *const *)b);
}

static gboolean
ice_servers_equal (const GPtrArray *a, const GPtrArray *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  if (a->len != b->len)
    return FALSE;

  for (guint i = 0; i < a->len; i++) {
    const ConicIceServer *one = g_ptr_array_index (a, i);
    const ConicIceServer *other = g_ptr_array_index (b, i);

    if (!strv_equal (one->urls, other->urls) || g_strcmp0 (one->username, other->username) != 0 ||
        g_strcmp0 (one->credential, other->credential) != 0)
      return FALSE;
  }

  return TRUE;
}

ConicMessage *
conic_message_new (ConicMessageType type)
{
  ConicMessage *message = g_new0 (ConicMessage, 1);

  message->type = type;
  message->sdp_mline_index = -1;
  message->has_error = type == CONIC_MESSAGE_ERROR;

  return message;
}

ConicMessage *
conic_message_copy (const ConicMessage *message)
{
  ConicMessage *copy = g_memdup2 (message, sizeof *message);

  copy->id = g_strdup (message->id);
  copy->timestamp = g_strdup (message->timestamp);
  copy->reply_to = g_strdup (message->reply_to);
  copy->client_id = g_strdup (message->client_id);
  copy->resume_token = g_strdup (message->resume_token);
  copy->clients = g_strdupv (message->clients);
  copy->from_id = g_strdup (message->from_id);
  copy->to_id = g_strdup (message->to_id);
  copy->session_id = g_strdup (message->session_id);
  copy->sdp = g_strdup (message->sdp);
  copy->candidate = g_strdup (message->candidate);
  copy->sdp_mid = g_strdup (message->sdp_mid);
  copy->username_fragment = g_strdup (message->username_fragment);
  copy->label = g_strdup (message->label);
  copy->reason = g_strdup (message->reason);
  copy->error_message = g_strdup (message->error_message);

  if (message->payload != NULL)
    g_bytes_ref (copy->payload);
  if (message->ice_servers != NULL) {
    copy->ice_servers = g_ptr_array_new_with_free_func ((GDestroyNotify)conic_ice_server_free);
    for (guint i = 0; i < message->ice_servers->len; i++)
      g_ptr_array_add (copy->ice_servers, ice_server_copy (message->ice_servers->pdata[i]));
  }

  return copy;
}

void
conic_message_free (ConicMessage *message)
{
  g_free (message->id);
  g_free (message->timestamp);
  g_free (message->reply_to);
  g_free (message->client_id);
  g_free (message->resume_token);
  g_clear_pointer (&message->ice_servers, g_ptr_array_unref);
  g_strfreev (message->clients);
  g_free (message->from_id);
  g_free (message->to_id);
  g_free (message->session_id);
  g_free (message->sdp);
  g_free (message->candidate);
  g_free (message->sdp_mid);
  g_free (message->username_fragment);
  g_free (message->label);
  g_clear_pointer (&message->payload, g_bytes_unref);
  g_free (message->reason);
  g_free (message->error_message);
  g_free (message);
}

static gboolean
payload_equal (GBytes *a, GBytes *b)
{
  if (a == NULL || b == NULL)
    return a == b;

  return g_bytes_equal (a, b);
}

gboolean
conic_message_equal (const ConicMessage *a, const ConicMessage *b)
{
  return a->type == b->type && g_strcmp0 (a->id, b->id) == 0 &&
         g_strcmp0 (a->timestamp, b->timestamp) == 0 && g_strcmp0 (a->reply_to, b->reply_to) == 0 &&
         g_strcmp0 (a->client_id, b->client_id) == 0 && a->success == b->success &&
         g_strcmp0 (a->resume_token, b->resume_token) == 0 &&
         ice_servers_equal (a->ice_servers, b->ice_servers) &&
         strv_equal (a->clients, b->clients) && g_strcmp0 (a->from_id, b->from_id) == 0 &&
         g_strcmp0 (a->to_id, b->to_id) == 0 && g_strcmp0 (a->session_id, b->session_id) == 0 &&
         a->sdp_type == b->sdp_type && g_strcmp0 (a->sdp, b->sdp) == 0 &&
         g_strcmp0 (a->candidate, b->candidate) == 0 && g_strcmp0 (a->sdp_mid, b->sdp_mid) == 0 &&
         a->sdp_mline_index == b->sdp_mline_index &&
         g_strcmp0 (a->username_fragment, b->username_fragment) == 0 &&
         g_strcmp0 (a->label, b->label) == 0 && payload_equal (a->payload, b->payload) &&
         g_strcmp0 (a->reason, b->reason) == 0 && a->has_error == b->has_error &&
         a->code == b->code && g_strcmp0 (a->error_message, b->error_message) == 0;
}
