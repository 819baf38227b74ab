/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-outbox.h"

#include <string.h>

struct _ConicOutboxFrame {
  ConicOutboxFrame *next;
  gsize length; /* of bytes */
  guint8 bytes[];
};

/**
 * conic_outbox_push:
 * @self: the outbox
 * @opcode: what the frame is
 * @data: (array length=length): its payload
 * @length: bytes of @data
 *
 * Appends a frame, copied.
 */
void
conic_outbox_push (ConicOutbox *self, ConicOpcode opcode, gconstpointer data, gsize length)
{
  guint8 header[CONIC_FRAME_SERVER_HEADER_MAX];
  gsize header_length = conic_frame_write_header (header, opcode, length);
  ConicOutboxFrame *frame = g_malloc (sizeof *frame + header_length + length);

  frame->next = NULL;
  frame->length = header_length + length;
  memcpy (frame->bytes, header, header_length);
  if (length > 0)
    memcpy (frame->bytes + header_length, data, length);

  if (self->last != NULL)
    self->last->next = frame;
  else
    self->first = frame;
  self->last = frame;
  self->n_bytes += frame->length;
  self->n_frames++;
}

/**
 * conic_outbox_push_close:
 * @self: the outbox
 * @status: RFC 6455 section 7.4; %CONIC_STATUS_NONE for a frame without one
 * @reason: for a person to read; at most 122 bytes of it are sent
 *
 * Appends a close frame: RFC 6455 section 5.5.1.
 */
void
conic_outbox_push_close (ConicOutbox *self, ConicStatus status, const char *reason)
{
  guint8 payload[CONIC_FRAME_CONTROL_MAX];
  gsize length = 0;

  if (status != CONIC_STATUS_NONE) {
    payload[0] = status >> 8;
    payload[1] = status & 0xff;
    length = 2 + g_strlcpy ((char *) payload + 2, reason, sizeof payload - 2);
    length = MIN (length, sizeof payload - 1);
  }
  conic_outbox_push (self, CONIC_OPCODE_CLOSE, payload, length);
}

/**
 * conic_outbox_peek:
 * @self: the outbox
 * @vectors: (out caller-allocates) (array length=n_vectors): what to write next
 * @n_vectors: room in @vectors
 *
 * Returns: how many of @vectors were set
 */
guint
conic_outbox_peek (const ConicOutbox *self, struct iovec *vectors, guint n_vectors)
{
  gsize skip = self->first_written;
  guint n = 0;

  for (ConicOutboxFrame *frame = self->first; frame != NULL && n < n_vectors; frame = frame->next) {
    vectors[n].iov_base = frame->bytes + skip;
    vectors[n].iov_len = frame->length - skip;
    skip = 0;
    n++;
  }
  return n;
}

static void
drop_first (ConicOutbox *self)
{
  ConicOutboxFrame *frame = self->first;

  self->n_bytes -= frame->length - self->first_written;
  self->n_frames--;
  self->first_written = 0;
  self->first = frame->next;
  if (self->first == NULL)
    self->last = NULL;
  g_free (frame);
}

/**
 * conic_outbox_advance:
 * @self: the outbox
 * @n_bytes: how many of its bytes were written
 */
void
conic_outbox_advance (ConicOutbox *self, gsize n_bytes)
{
  while (n_bytes > 0) {
    gsize left = self->first->length - self->first_written;

    if (n_bytes < left) {
      self->first_written += n_bytes;
      self->n_bytes -= n_bytes;
      return;
    }
    n_bytes -= left;
    drop_first (self);
  }
}

/**
 * conic_outbox_cut:
 * @self: the outbox
 * @n_bytes: how many of its bytes were promised to somebody, and have to stay
 *
 * Drops what hasn't begun to be written.
 */
void
conic_outbox_cut (ConicOutbox *self, gsize n_bytes)
{
  ConicOutbox rest = *self;
  ConicOutbox kept = {0};

  /* The first frame stays if a part of it is gone. */
  for (gsize skip = self->first_written; rest.first != NULL && (skip > 0 || kept.n_bytes < n_bytes);
       skip = 0) {
    gsize length = rest.first->length - skip;

    kept.n_bytes += length;
    kept.n_frames++;
    kept.last = rest.first;
    rest.n_bytes -= length;
    rest.n_frames--;
    rest.first = rest.first->next;
  }
  if (kept.n_frames > 0) {
    kept.first = self->first;
    kept.first_written = self->first_written;
    kept.last->next = NULL;
  }
  rest.first_written = 0;
  conic_outbox_clear (&rest);
  *self = kept;
}

/**
 * conic_outbox_clear:
 * @self: the outbox
 *
 * Drops everything.
 */
void
conic_outbox_clear (ConicOutbox *self)
{
  while (self->first != NULL)
    drop_first (self);
}
