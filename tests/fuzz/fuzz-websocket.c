/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a client sends over a socket reaches the owner of the connection as the very messages that
 * are in it, however it is cut; what the client gets back, byte for byte, is what has to be said to
 * it; and the connection ends once. The first byte of the input says where to cut, and what the
 * owner does: answer each message with the same, and close after some. */

#include "conic-fuzz.h"

#include "conic-reader.h"
#include "conic-websocket.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small, so that what is too big is found as well. */
#define MESSAGE_BYTES 1000

#define CLOSE_STATUS 4001
#define CLOSE_REASON "replaced"

/* What the first byte of the input says. More pieces take more time than they find; how bytes can be
 * cut is what fuzz-frames looks for. */
#define GET_PIECES(byte)      (1 + ((byte) &7))
#define GET_ECHOES(byte)      (((byte) &8) != 0)
#define GET_CLOSE_AFTER(byte) ((byte) >> 4)

typedef struct {
  ConicWebsocket *websocket;
  gboolean echoes;
  guint close_after; /* messages; 0 is never */

  GString *messages;
  guint n_messages;
  guint n_ended;
  guint n_gone;
} Owner;

static void
note_message (GString *messages, gboolean is_text, const void *data, gsize length)
{
  g_string_append_printf (messages, "%d %" G_GSIZE_FORMAT " ", is_text, length);
  g_string_append_len (messages, data, (gssize) length);
}

static void
on_message (gboolean is_text, const char *data, gsize length, gint64 now, gpointer user_data)
{
  Owner *owner = user_data;

  g_assert_cmpuint (owner->n_ended, ==, 0);
  note_message (owner->messages, is_text, data, length);
  if (owner->echoes)
    g_assert_true (conic_websocket_send (owner->websocket, data, length));
  if (++owner->n_messages == owner->close_after)
    conic_websocket_close (owner->websocket, CLOSE_STATUS, CLOSE_REASON);
}

static void
on_throttled (gpointer user_data)
{
  g_assert_not_reached ();
}

static void
on_ended (ConicStatus status, const char *reason, gint64 now, gpointer user_data)
{
  Owner *owner = user_data;

  g_assert_nonnull (reason);
  owner->n_ended++;
}

static void
on_gone (gpointer user_data)
{
  Owner *owner = user_data;

  owner->n_gone++;
}

static void
on_emptied (gpointer user_data)
{
}

static const ConicWebsocketHandler handler = {
    .message = on_message,
    .throttled = on_throttled,
    .ended = on_ended,
    .gone = on_gone,
};

static ConicTransport *
make_transport (GMainContext *context)
{
  const ConicTransportLimits limits = {
      .message_bytes = MESSAGE_BYTES,
      .queue_bytes = G_MAXINT,
      .queue_messages = G_MAXINT,
      .confirm_timeout = G_TIME_SPAN_DAY,
      .slow_timeout = G_TIME_SPAN_DAY,
      .ping_interval = G_TIME_SPAN_DAY,
      .pong_timeout = G_TIME_SPAN_DAY,
      .close_timeout = G_TIME_SPAN_DAY,
  };
  g_autoptr (GError) error = NULL;
  ConicTransport *transport = conic_transport_new (context, &limits, on_emptied, NULL, &error);

  g_assert_no_error (error);
  return transport;
}

/* Lets the daemon's side do what it has to, and takes what it sends. */
static void
settle (GMainContext *context, int fd, GByteArray *answers)
{
  guint8 bytes[4096];
  gssize n;

  do {
    while (g_main_context_iteration (context, FALSE))
      ;
    n = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
      g_byte_array_append (answers, bytes, n);
  } while (n > 0);
}

static void
run (Owner *owner, const uint8_t *data, size_t size, size_t piece, GByteArray *answers)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  ConicTransport *transport = make_transport (context);
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  owner->websocket = conic_websocket_new (transport, fds[0], NULL, &handler, owner, &error);
  g_assert_no_error (error);
  conic_websocket_confirm (owner->websocket, TRUE);
  while (size > 0) {
    size_t n = MIN (size, piece);

    /* Who has left doesn't take it any more. */
    (void) !send (fds[1], data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    data += n;
    size -= n;
    settle (context, fds[1], answers);
  }
  shutdown (fds[1], SHUT_WR);
  settle (context, fds[1], answers);
  g_assert_cmpuint (owner->n_ended, ==, 1);
  g_assert_cmpuint (owner->n_gone, ==, 1);
  close (fds[1]);
  conic_transport_free (transport);
}

static void
say (GByteArray *answers, ConicOpcode opcode, const void *data, gsize length)
{
  guint8 header[CONIC_FRAME_SERVER_HEADER_MAX];

  g_byte_array_append (answers, header, conic_frame_write_header (header, opcode, length));
  g_byte_array_append (answers, data, length);
}

static void
say_close (GByteArray *answers, guint status, const char *reason)
{
  guint8 payload[CONIC_FRAME_CONTROL_MAX] = {status >> 8, status & 0xff};
  gsize length = strlen (reason);

  memcpy (payload + 2, reason, length);
  say (answers, CONIC_OPCODE_CLOSE, payload, status == CONIC_STATUS_NONE ? 0 : length + 2);
}

/* What has to come of the bytes. Returns whether the connection goes on. */
static gboolean
expect_item (Owner *owner, ConicReaderResult result, ConicReaderItem *item, GByteArray *answers)
{
  const char *reason = "";
  ConicStatus status;

  if (result == CONIC_READER_BROKEN) {
    say_close (answers, item->status, item->reason);
    return FALSE;
  }
  if (result == CONIC_READER_MESSAGE) {
    note_message (owner->messages, item->opcode == CONIC_OPCODE_TEXT, item->data, item->length);
    if (owner->echoes)
      say (answers, CONIC_OPCODE_TEXT, item->data, item->length);
    if (++owner->n_messages < owner->close_after || owner->close_after == 0)
      return TRUE;
    say_close (answers, CLOSE_STATUS, CLOSE_REASON);
    return FALSE;
  }
  if (item->opcode == CONIC_OPCODE_PING)
    say (answers, CONIC_OPCODE_PONG, item->data, item->length);
  if (item->opcode != CONIC_OPCODE_CLOSE)
    return TRUE;
  conic_frame_check_close (item->data, item->length, &status, &reason);
  say_close (answers, status, reason);
  return FALSE;
}

static void
expect (Owner *owner, const uint8_t *data, size_t size, GByteArray *answers)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  guint8 *rest = copy;
  gsize n = size;
  ConicReader reader = {0};
  ConicReaderResult result;
  ConicReaderItem item;

  do
    result = conic_reader_next (&reader, MESSAGE_BYTES, &rest, &n, &item);
  while (result != CONIC_READER_MORE && expect_item (owner, result, &item, answers));
  conic_reader_clear (&reader);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GByteArray) got = g_byte_array_new ();
  g_autoptr (GByteArray) wanted = g_byte_array_new ();
  g_autoptr (GString) got_messages = g_string_new (NULL);
  g_autoptr (GString) wanted_messages = g_string_new (NULL);
  Owner owner, model;

  if (size < 2)
    return 0;
  owner = model = (Owner){
      .echoes = GET_ECHOES (data[0]),
      .close_after = GET_CLOSE_AFTER (data[0]),
  };
  owner.messages = got_messages;
  model.messages = wanted_messages;
  run (&owner, data + 1, size - 1, size / GET_PIECES (data[0]) + 1, got);
  expect (&model, data + 1, size - 1, wanted);
  g_assert_true (g_string_equal (got_messages, wanted_messages));
  g_assert_cmpmem (got->data, got->len, wanted->data, wanted->len);

  return 0;
}
