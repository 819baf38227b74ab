/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The WebSocket handshake as nearly every client does it: bytes in, bytes out.
 *
 * A SoupServer takes four times as long for a connection as the rest of the daemon does with its
 * registration: it has a dozen objects and sources for each. So what is plainly a proper handshake
 * is answered from its headers, read by libsoup's parser; whatever is anything else, or not quite
 * right, is the SoupServer's, which knows what to say.
 *
 * But it is to wait for nothing: a request with a body that never comes would be one of the main
 * loop's sources until its deadline, and thousands of them slow everybody down. */

#include "conic-handshake.h"

#include "conic-limits.h"

#include <libsoup/soup.h>
#include <string.h>

/* What a key is followed by before it is hashed: RFC 6455 section 1.3. */
#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* Bytes of a key, and of the base64 that it comes as: RFC 6455 section 4.1. */
#define KEY_BYTES        16
#define KEY_BASE64_BYTES 24

static gboolean
is_key (const char *key)
{
  guchar bytes[KEY_BASE64_BYTES];
  int state = 0;
  guint save = 0;

  return key != NULL && strlen (key) == KEY_BASE64_BYTES &&
         g_base64_decode_step (key, KEY_BASE64_BYTES, bytes, &state, &save) == KEY_BYTES;
}

static gboolean
is_handshake (SoupMessageHeaders *headers)
{
  const char *version = soup_message_headers_get_one (headers, "Sec-WebSocket-Version");
  const char *upgrade = soup_message_headers_get_one (headers, "Upgrade");

  return upgrade != NULL && g_ascii_strcasecmp (upgrade, "websocket") == 0 &&
         soup_message_headers_header_contains (headers, "Connection", "Upgrade") &&
         version != NULL && g_str_equal (version, "13") &&
         soup_message_headers_get_one (headers, "Host") != NULL &&
         soup_message_headers_get_one (headers, "Content-Length") == NULL &&
         soup_message_headers_get_one (headers, "Transfer-Encoding") == NULL;
}

static gboolean
has_body (SoupMessageHeaders *headers)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);

  return encoding != SOUP_ENCODING_NONE && (encoding != SOUP_ENCODING_CONTENT_LENGTH ||
                                            soup_message_headers_get_content_length (headers) > 0);
}

static char *
make_acceptance (const char *key, const char *protocol)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  g_autofree char *accept = NULL;
  guint8 digest[20];
  gsize digest_length = sizeof digest;

  g_checksum_update (checksum, (const guchar *) key, KEY_BASE64_BYTES);
  g_checksum_update (checksum, (const guchar *) WEBSOCKET_GUID, strlen (WEBSOCKET_GUID));
  g_checksum_get_digest (checksum, digest, &digest_length);
  accept = g_base64_encode (digest, digest_length);
  return g_strconcat ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: ",
                      accept, protocol != NULL ? "\r\nSec-WebSocket-Protocol: " : "",
                      protocol != NULL ? protocol : "", "\r\n\r\n", NULL);
}

static char *
make_refusal (const ConicVerdict *verdict)
{
  const char *challenge = verdict->challenge;

  return g_strdup_printf ("HTTP/1.1 %u %s\r\n%s%s%sConnection: close\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s\n",
                          verdict->status, soup_status_get_phrase (verdict->status),
                          challenge != NULL ? "WWW-Authenticate: " : "",
                          challenge != NULL ? challenge : "", challenge != NULL ? "\r\n" : "",
                          strlen (verdict->text) + 1, verdict->text);
}

/**
 * conic_handshake_answer:
 * @admission: who may come in
 * @fd: the socket that the request came on
 * @head: (array length=length): the head of a request, with the empty line that ends it
 * @length: bytes of @head
 * @verdict: (out caller-allocates): what becomes of the request, if there is an answer
 *
 * Answers an opening handshake, RFC 6455 section 4.2, and whatever has a body. No extension is
 * negotiated.
 *
 * Returns: (transfer full) (nullable): the answer, or %NULL if the request is not plainly a
 *   handshake on the hub's path
 */
char *
conic_handshake_answer (const ConicAdmission *admission,
                        int fd,
                        const char *head,
                        gsize length,
                        ConicVerdict *verdict)
{
  g_autoptr (SoupMessageHeaders) headers = NULL;
  g_autofree char *method = NULL;
  g_autofree char *path = NULL;
  SoupHTTPVersion version;
  char *query;
  const char *key;

  headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  if (soup_headers_parse_request (head, length, headers, &method, &path, &version) !=
      SOUP_STATUS_OK)
    return NULL;
  if (has_body (headers)) {
    *verdict = (ConicVerdict){.status = SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
                              .text = g_strdup ("A request may have no body.")};
    return make_refusal (verdict);
  }
  if (version != SOUP_HTTP_1_1 || !g_str_equal (method, "GET"))
    return NULL;
  query = strchr (path, '?');
  if (query != NULL)
    *query++ = '\0';
  key = soup_message_headers_get_one (headers, "Sec-WebSocket-Key");
  if (!g_str_equal (path, CONIC_DEFAULT_PATH) || !is_handshake (headers) || !is_key (key))
    return NULL;

  conic_admission_judge (admission, &(ConicUpgrade){headers, query, fd}, verdict);
  if (verdict->status == SOUP_STATUS_SWITCHING_PROTOCOLS)
    return make_acceptance (key, verdict->protocol);
  return make_refusal (verdict);
}

/* How a request counts that was answered with the HTTP status @status. */
ConicHandshakeResult
conic_handshake_get_result (guint status)
{
  switch (status) {
  case SOUP_STATUS_SWITCHING_PROTOCOLS:
    return CONIC_HANDSHAKE_UPGRADED;
  case SOUP_STATUS_OK:
  case SOUP_STATUS_NOT_MODIFIED:
  case SOUP_STATUS_NOT_FOUND:
  case SOUP_STATUS_SERVICE_UNAVAILABLE:
    return CONIC_HANDSHAKE_HTTP;
  case SOUP_STATUS_UNAUTHORIZED:
    return CONIC_HANDSHAKE_UNAUTHORIZED;
  case SOUP_STATUS_FORBIDDEN:
    return CONIC_HANDSHAKE_FORBIDDEN;
  default:
    return CONIC_HANDSHAKE_INVALID;
  }
}
