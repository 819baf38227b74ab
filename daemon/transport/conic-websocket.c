/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection's way through its states:
 *
 *      OPEN ──(close by the owner)──► CLOSING ──(close frame from the client)──┐
 *        │                                                                     ▼
 *        ├──(close frame from the client)────────────────────────────────► LEAVING
 *        └──(broken frame, bad text, too big)────► LINGERING                   │
 *                                                      │        (all written)  │
 *      any ──(end of file, error, close deadline)──────┴───────► DEAD ◄────────┘
 *
 * When it leaves OPEN its owner is told, so that the client's id is free at once; the rest is
 * between the client and the transport. LINGERING reads on and throws away, for a socket that is
 * closed with unread bytes resets the connection and may take the close frame with it.
 *
 * Nothing is freed, and no owner is told, from within a function that an owner may have called: it
 * is noted, and done by conic_websocket_settle() when the transport has the stage for itself. The
 * same goes for writing, so that all frames that one read brought for a client leave in one
 * system call. */

#include "conic-outbox.h"
#include "conic-patience.h"
#include "conic-reader.h"
#include "conic-stream.h"
#include "conic-transport-private.h"

#include <errno.h>
#include <unistd.h>

typedef enum {
  STATE_OPEN,
  STATE_CLOSING,
  STATE_LEAVING,
  STATE_LINGERING,
  STATE_DEAD,
} State;

struct _ConicWebsocket {
  ConicWatch watch;
  ConicDeadline deadline; /* of its patience while it is OPEN, then close_by */
  ConicTransport *transport;
  const ConicWebsocketHandler *handler;
  gpointer user_data;
  ConicStream stream;

  GList link;
  GList unsettled_link;
  GList again_link;

  ConicReader reader;
  GByteArray *carry; /* (nullable): bytes read for which there was no time in their turn */
  ConicOutbox outbox;

  ConicBucket messages; /* that the client may send, control frames included */
  ConicBucket bytes;

  /* Monotonic times. */
  ConicPatience patience;
  gint64 close_by;
  gint64 noticed_at; /* when it was told that it sends too much; 0 if never */

  const char *end_reason;
  guint16 end_status;
  guint8 state;
  guint unsettled : 1; /* in the transport's list */
  guint reading_again : 1;
  guint ended : 1; /* the owner is to be told */
  guint told : 1;  /* the owner was told */
  guint shut : 1;  /* nothing more will be written */
};

static void resume_reading (ConicWebsocket *self, gint64 now);

static void
unsettle (ConicWebsocket *self)
{
  ConicTransport *transport = self->transport;

  if (self->unsettled)
    return;
  self->unsettled = TRUE;
  g_queue_push_tail_link (&transport->unsettled, &self->unsettled_link);
  if (!conic_epoll_source_is_dispatching (transport->epoll_source))
    conic_epoll_source_wake (transport->epoll_source);
}

static void
update_deadline (ConicWebsocket *self)
{
  gint64 at = -1;

  if (self->state == STATE_OPEN)
    at = conic_patience_get_deadline (&self->patience, self->transport->limits.ping_interval);
  else if (self->state != STATE_DEAD)
    at = self->close_by;
  conic_epoll_source_set_deadline (self->transport->epoll_source, &self->deadline, at);
}

/* The only place where the state changes. */
static void
set_state (ConicWebsocket *self, State state, ConicStatus status, const char *reason)
{
  if (self->state == STATE_OPEN) {
    conic_transport_count_close (self->transport, status);
    self->ended = TRUE;
    self->end_status = status;
    self->end_reason = reason;
    self->close_by = g_get_monotonic_time () + self->transport->limits.close_timeout;
  }
  self->state = state;
  if (self->patience.rests_until != 0 && state != STATE_DEAD)
    /* Its close frame is behind what it sent too fast. */
    resume_reading (self, self->patience.heard_at);
  update_deadline (self);
  unsettle (self);
}

static void
die (ConicWebsocket *self, const char *reason)
{
  set_state (self, STATE_DEAD, CONIC_STATUS_ABNORMAL, reason);
}

static void
fail (ConicWebsocket *self, ConicStatus status, const char *reason)
{
  if (self->state == STATE_OPEN)
    conic_outbox_push_close (&self->outbox, status, reason);
  conic_reader_clear (&self->reader);
  set_state (self, STATE_LINGERING, status, reason);
}

static gboolean
is_blocked (ConicWebsocket *self)
{
  return (self->watch.events & EPOLLOUT) != 0;
}

static gboolean
outbox_is_full (ConicWebsocket *self, gsize length)
{
  const ConicTransportLimits *limits = &self->transport->limits;

  return self->outbox.n_frames >= limits->queue_messages ||
         (self->outbox.n_frames > 0 && self->outbox.n_bytes + length > limits->queue_bytes);
}

static void
update_events (ConicWebsocket *self)
{
  guint32 events = 0;

  if (self->outbox.n_frames > 0)
    events |= conic_stream_get_write_events (&self->stream);
  if (self->patience.rests_until != 0)
    events &= ~(guint32) EPOLLIN;
  else
    events |= conic_stream_get_read_events (&self->stream);
  conic_epoll_source_modify (self->transport->epoll_source, &self->watch, events);
}

static void
flush (ConicWebsocket *self)
{
  gboolean was_blocked = is_blocked (self);
  gsize before = self->outbox.n_bytes;

  if (!conic_stream_write_out (&self->stream, &self->outbox, &self->transport->stats.bytes_sent)) {
    die (self, "connection lost");
    return;
  }
  update_events (self);
  conic_patience_drain (&self->patience, before - self->outbox.n_bytes);
  /* There is room again, so it has read. */
  if (was_blocked && self->outbox.n_bytes < before)
    conic_patience_hear (&self->patience, self->transport->limits.pong_timeout,
                         g_get_monotonic_time ());
}

/* All that had to be said is written. */
static void
finish_writing (ConicWebsocket *self)
{
  if (self->state == STATE_LEAVING) {
    die (self, "closed");
  } else if (self->state == STATE_LINGERING && !self->shut) {
    self->shut = TRUE;
    conic_stream_shut (&self->stream);
    update_events (self);
  }
}

/* Does what was put off, see the head of this file. May free @self. */
void
conic_websocket_settle (ConicWebsocket *self, gint64 now)
{
  self->unsettled = FALSE;
  if (self->state != STATE_DEAD && self->outbox.n_frames > 0 && !is_blocked (self))
    flush (self);
  if (self->state != STATE_DEAD && self->outbox.n_frames == 0)
    finish_writing (self);
  if (self->ended && !self->told) {
    self->told = TRUE;
    self->handler->ended (self->end_status, self->end_reason, now, self->user_data);
  }
  if (self->state == STATE_DEAD) {
    ConicTransport *transport = self->transport;
    const ConicWebsocketHandler *handler = self->handler;
    gpointer user_data = self->user_data;

    conic_websocket_destroy (self);
    handler->gone (user_data);
    if (transport->connections.length == 0)
      transport->emptied (transport->user_data);
  }
}

static void
on_control (ConicWebsocket *self, const ConicReaderItem *item)
{
  const char *reason = "closed by the client";
  ConicStatus status;

  switch (item->opcode) {
  case CONIC_OPCODE_PING:
    /* A client that doesn't read its pongs gets none: RFC 6455 section 5.5.3 lets some out. */
    if (self->state == STATE_OPEN && !outbox_is_full (self, item->length)) {
      conic_outbox_push (&self->outbox, CONIC_OPCODE_PONG, item->data, item->length);
      unsettle (self);
    }
    break;
  case CONIC_OPCODE_CLOSE:
    if (!conic_frame_check_close (item->data, item->length, &status, &reason)) {
      fail (self, status, reason);
      break;
    }
    if (self->state == STATE_OPEN)
      conic_outbox_push_close (&self->outbox, status, "");
    conic_reader_clear (&self->reader);
    set_state (self, STATE_LEAVING, status, reason);
    break;
  default: /* A pong; that it came is all there is to it, and read_some() saw that. */
    break;
  }
}

static void
schedule_again (ConicWebsocket *self)
{
  ConicTransport *transport = self->transport;

  if (self->reading_again)
    return;
  self->reading_again = TRUE;
  g_queue_push_tail_link (&transport->again, &self->again_link);
  conic_epoll_source_wake (transport->epoll_source);
}

/* Whether the client has used up what it may send: then it isn't listened to until it may send
 * again. What it goes on sending waits in the kernel, and at last in the client. */
static gboolean
throttle (ConicWebsocket *self, gint64 now)
{
  ConicTransport *transport = self->transport;
  gint64 messages = conic_bucket_get_rest (&self->messages, &transport->message_rate, now);
  gint64 bytes = conic_bucket_get_rest (&self->bytes, &transport->byte_rate, now);

  if (self->state != STATE_OPEN || (messages == 0 && bytes == 0))
    return FALSE;
  transport->stats.throttled++;
  self->patience.rests_until = now + MAX (messages, bytes);
  update_events (self);
  update_deadline (self);
  if (self->noticed_at == 0 || now >= self->noticed_at + CONIC_TRANSPORT_NOTICE_INTERVAL) {
    self->noticed_at = now;
    self->handler->throttled (self->user_data);
  }
  return TRUE;
}

/* @now: when it was heard of last, as far as deadlines for that go */
static void
resume_reading (ConicWebsocket *self, gint64 now)
{
  self->patience.rests_until = 0;
  conic_patience_hear (&self->patience, self->transport->limits.pong_timeout, now);
  update_events (self);
  if (self->carry != NULL || conic_stream_is_readable (&self->stream))
    schedule_again (self);
}

/* No message more for now: bytes that are here are paid for already. */
static gboolean
is_spent (ConicWebsocket *self, gint64 now)
{
  return self->state == STATE_OPEN &&
         conic_bucket_is_empty (&self->messages, &self->transport->message_rate, now);
}

/* Returns what the message that was acted on costs beyond itself. */
static guint
pay_charge (ConicWebsocket *self, gint64 now)
{
  guint charge = self->transport->charge;

  self->transport->charge = 0;
  if (charge > 0)
    conic_bucket_take (&self->messages, &self->transport->message_rate, now, charge);
  return charge;
}

/* Acts on the client's bytes, as far as its turn and its rate go. */
static void
take (ConicWebsocket *self, guint8 *data, gsize length, gint64 now)
{
  for (guint n = 0; self->state == STATE_OPEN || self->state == STATE_CLOSING; n++) {
    ConicReaderItem item;

    if (length > 0 && (n >= CONIC_TRANSPORT_TURN_FRAMES || is_spent (self, now))) {
      self->carry = g_byte_array_append (g_byte_array_sized_new (length), data, length);
      schedule_again (self);
      return;
    }
    switch (conic_reader_next (&self->reader, self->transport->limits.message_bytes, &data, &length,
                               &item)) {
    case CONIC_READER_MORE:
      return;
    case CONIC_READER_MESSAGE:
      conic_bucket_take (&self->messages, &self->transport->message_rate, now, 1);
      if (self->state == STATE_OPEN) {
        self->transport->speaker = self;
        self->handler->message (item.opcode == CONIC_OPCODE_TEXT, (const char *) item.data,
                                item.length, now, self->user_data);
        self->transport->speaker = NULL;
        n += pay_charge (self, now);
      }
      break;
    case CONIC_READER_CONTROL:
      conic_bucket_take (&self->messages, &self->transport->message_rate, now, 1);
      on_control (self, &item);
      break;
    case CONIC_READER_BROKEN:
      fail (self, item.status, item.reason);
      break;
    }
  }
}

static void
look_for_more (ConicWebsocket *self)
{
  if (self->state != STATE_DEAD && conic_stream_is_readable (&self->stream))
    schedule_again (self);
}

/* Reads once, or goes on with what was read, so that a client that floods gets no more than its
 * share of the turn. */
static void
read_some (ConicWebsocket *self, gint64 now)
{
  ConicTransport *transport = self->transport;
  gboolean was_empty;
  gssize n;

  if (self->patience.rests_until != 0 || throttle (self, now))
    return;
  if (self->carry != NULL) {
    g_autoptr (GByteArray) carry = g_steal_pointer (&self->carry);

    take (self, carry->data, carry->len, now);
    look_for_more (self);
    return;
  }

  n = conic_stream_read (&self->stream, transport->buffer, sizeof transport->buffer);
  was_empty = n < 0 && errno == EAGAIN;
  update_events (self);
  if (was_empty) {
    /* It was all TLS's own business, such as new keys, and there is more of that. */
    if (conic_stream_is_readable (&self->stream))
      conic_bucket_take (&self->bytes, &transport->byte_rate, now, CONIC_TRANSPORT_TURN_BYTES);
    return;
  }
  if (n <= 0) {
    die (self, n == 0 ? "connection ended" : conic_stream_get_failure (&self->stream));
    return;
  }

  transport->stats.bytes_received += n;
  conic_bucket_take (&self->bytes, &transport->byte_rate, now, MAX (n, CONIC_TRANSPORT_READ_BYTES));
  self->patience.heard_at = now;
  self->patience.pong_by = 0;
  take (self, transport->buffer, n, now);
  look_for_more (self);
}

void
conic_websocket_read_again (ConicWebsocket *self, gint64 now)
{
  self->reading_again = FALSE;
  if (self->state != STATE_DEAD)
    read_some (self, now);
}

static void
on_ready (ConicWatch *watch, guint32 events, gint64 now)
{
  ConicWebsocket *self = (ConicWebsocket *) watch;
  gboolean read_on_write = conic_stream_get_read_events (&self->stream) == EPOLLOUT;

  if (self->patience.rests_until != 0 && (events & (EPOLLERR | EPOLLHUP)))
    die (self, "connection lost");
  if (self->state != STATE_DEAD && (read_on_write || (events & ~(guint32) EPOLLOUT)))
    read_some (self, now);
  if (self->state != STATE_DEAD && (events & EPOLLOUT)) {
    flush (self);
    unsettle (self);
  }
}

static void
end_patience (ConicWebsocket *self, gint64 now)
{
  const ConicTransportLimits *limits = &self->transport->limits;

  switch (conic_patience_check (&self->patience, limits->ping_interval, now)) {
  case CONIC_PATIENCE_WAIT:
    break;
  case CONIC_PATIENCE_UNCONFIRMED:
    conic_websocket_close (self, CONIC_STATUS_POLICY, "not registered in time");
    break;
  case CONIC_PATIENCE_SLOW:
    /* What it didn't read is lost to it anyway, and would keep it from reading why. */
    conic_outbox_cut (&self->outbox, conic_stream_get_n_promised (&self->stream));
    conic_websocket_close (self, CONIC_STATUS_SLOW, "slow");
    break;
  case CONIC_PATIENCE_RESTED:
    resume_reading (self, now);
    break;
  case CONIC_PATIENCE_SILENT:
    self->patience.pong_by = now + limits->pong_timeout;
    conic_outbox_push (&self->outbox, CONIC_OPCODE_PING, NULL, 0);
    unsettle (self);
    break;
  case CONIC_PATIENCE_GONE:
    self->transport->stats.pongs_missed++;
    die (self, "no answer to a ping");
    break;
  }
}

static void
on_expired (ConicDeadline *deadline, gint64 now)
{
  ConicWebsocket *self =
      (ConicWebsocket *) ((guint8 *) deadline - G_STRUCT_OFFSET (ConicWebsocket, deadline));

  if (self->state != STATE_OPEN)
    die (self, "closing took too long");
  else
    end_patience (self, now);
  update_deadline (self);
}

/**
 * conic_websocket_new:
 * @transport: what the connection belongs to
 * @fd: (transfer full): the connected, non-blocking socket; closed with the connection, and also
 *   if this fails
 * @tls: (transfer full) (nullable): the TLS session on @fd, or %NULL for a plain connection
 * @handler: static
 * @user_data: for @handler
 * @error: return location for a #GIOError
 *
 * Takes a socket over after the WebSocket handshake. If the owner doesn't confirm the connection in
 * time, it is closed.
 *
 * Returns: (transfer none) (nullable): the connection, valid until it was reported as ended
 */
ConicWebsocket *
conic_websocket_new (ConicTransport *transport,
                     int fd,
                     ConicTls *tls,
                     const ConicWebsocketHandler *handler,
                     gpointer user_data,
                     GError **error)
{
  ConicWebsocket *self = g_new0 (ConicWebsocket, 1);

  self->watch = (ConicWatch){.ready = on_ready, .fd = fd, .events = EPOLLIN};
  if (!conic_epoll_source_add (transport->epoll_source, &self->watch, error)) {
    g_clear_pointer (&tls, conic_tls_free);
    close (fd);
    g_free (self);
    return NULL;
  }

  self->deadline.expired = on_expired;
  self->transport = transport;
  self->handler = handler;
  self->user_data = user_data;
  self->stream = (ConicStream){.fd = fd, .tls = tls};
  self->link.data = self;
  self->unsettled_link.data = self;
  self->again_link.data = self;
  conic_patience_init (&self->patience, g_get_monotonic_time ());
  g_queue_push_tail_link (&transport->connections, &self->link);
  conic_websocket_confirm (self, FALSE);
  look_for_more (self);
  return self;
}

/* Takes note of changed limits: what the client may send begins anew. */
void
conic_websocket_apply_limits (ConicWebsocket *self)
{
  self->messages = self->bytes = (ConicBucket){0};
  if (self->patience.rests_until != 0)
    resume_reading (self, g_get_monotonic_time ());
  update_deadline (self);
}

/* Frees the connection without a word to anybody. */
void
conic_websocket_destroy (ConicWebsocket *self)
{
  ConicTransport *transport = self->transport;

  conic_epoll_source_set_deadline (transport->epoll_source, &self->deadline, -1);
  conic_epoll_source_remove (transport->epoll_source, &self->watch);
  if (self->unsettled)
    g_queue_unlink (&transport->unsettled, &self->unsettled_link);
  if (self->reading_again)
    g_queue_unlink (&transport->again, &self->again_link);
  g_queue_unlink (&transport->connections, &self->link);
  conic_reader_clear (&self->reader);
  g_clear_pointer (&self->carry, g_byte_array_unref);
  conic_outbox_clear (&self->outbox);

  conic_stream_close (&self->stream);
  g_free (self);
}

/**
 * conic_websocket_feed:
 * @self: a new connection
 * @data: (array length=length): what the client sent right after its handshake; is written to
 * @length: bytes of @data
 *
 * Acts on bytes that somebody else has already read from the socket.
 */
void
conic_websocket_feed (ConicWebsocket *self, guint8 *data, gsize length)
{
  ConicTransport *transport = self->transport;
  gint64 now = g_get_monotonic_time ();

  transport->stats.bytes_received += length;
  conic_bucket_take (&self->bytes, &transport->byte_rate, now, length);
  take (self, data, length, now);
}

/**
 * conic_websocket_send:
 * @self: the connection
 * @data: (array length=length): a text, UTF-8; copied
 * @length: bytes of @data
 *
 * Sends a text message. It is written when the current callback is done, or as soon as the client
 * reads.
 *
 * Returns: %FALSE if the client has so much left to read that the message was not taken, or if
 *   the connection is being closed
 */
gboolean
conic_websocket_send (ConicWebsocket *self, const char *data, gsize length)
{
  if (self->state != STATE_OPEN)
    return FALSE;
  if (outbox_is_full (self, length) && !is_blocked (self))
    flush (self);
  if (self->state != STATE_OPEN)
    return FALSE;
  if (outbox_is_full (self, length)) {
    self->transport->stats.queue_full++;
    if (self->patience.drain_by == 0) {
      conic_patience_await_drain (&self->patience, self->outbox.n_bytes,
                                  g_get_monotonic_time () + self->transport->limits.slow_timeout);
      update_deadline (self);
    }
    return FALSE;
  }
  conic_outbox_push (&self->outbox, CONIC_OPCODE_TEXT, data, length);
  unsettle (self);
  if (self->transport->speaker != NULL && self->transport->speaker != self)
    self->transport->n_forwarded++;
  return TRUE;
}

/**
 * conic_websocket_charge:
 * @self: the connection whose message is being acted on
 * @messages: how many messages more that is as much work as
 *
 * Has the client pay for work that few bytes can ask for: by its rate, and by its turn.
 */
void
conic_websocket_charge (ConicWebsocket *self, guint messages)
{
  self->transport->charge += messages;
}

/**
 * conic_websocket_confirm:
 * @self: the connection
 * @confirmed: whether the client has said what it is here for
 *
 * Lifts the deadline that a new connection has to be confirmed in, or sets it anew.
 */
void
conic_websocket_confirm (ConicWebsocket *self, gboolean confirmed)
{
  self->patience.confirm_by =
      confirmed ? 0 : g_get_monotonic_time () + self->transport->limits.confirm_timeout;
  update_deadline (self);
}

/**
 * conic_websocket_close:
 * @self: the connection
 * @status: RFC 6455 section 7.4
 * @reason: static, for a person to read; at most 122 bytes of it are sent
 *
 * Begins the closing handshake, after what was sent before. Does nothing if the connection is being
 * closed already. The owner is told when the current callback is done.
 */
void
conic_websocket_close (ConicWebsocket *self, guint16 status, const char *reason)
{
  if (self->state != STATE_OPEN)
    return;
  conic_outbox_push_close (&self->outbox, status, reason);
  set_state (self, STATE_CLOSING, status, reason);
}
