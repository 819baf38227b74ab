/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a client's bytes to its messages: RFC 6455 sections 5.4 to 5.6. Pure: a fuzzer can drive it.
 *
 * A message that lies whole in the bytes at hand is unmasked where it is and given out without a
 * copy or an allocation. Only what is cut, by the network or into fragments, gets a
 * ConicReaderState, and that goes away with the last byte of it: ten thousand idle clients have
 * none. Its buffer grows with what has arrived, never with what a header announces. */

#include "conic-reader.h"

#include <string.h>

/* Bytes that the buffer of a cut message starts with: most SDP fits. */
#define BUFFER_START_BYTES 2048

struct _ConicReaderState {
  guint8 head[CONIC_FRAME_CLIENT_HEADER_MAX];
  guint head_length;

  gboolean in_frame;
  ConicFrame frame;
  gsize frame_received;

  gboolean in_message;
  gboolean delivered; /* the buffer was lent with the last result */
  ConicOpcode opcode; /* of the message's first frame */
  guint8 *buffer;
  gsize buffer_length;
  gsize buffer_size;
  gsize checked; /* bytes of a text's buffer that are UTF-8 */

  guint8 control[CONIC_FRAME_CONTROL_MAX];
};

static ConicReaderResult
break_off (ConicReaderItem *item, ConicStatus status, const char *reason)
{
  item->status = status;
  item->reason = reason;
  return CONIC_READER_BROKEN;
}

static ConicReaderResult
break_off_text (ConicReaderItem *item)
{
  return break_off (item, CONIC_STATUS_BAD_DATA, "text is not UTF-8");
}

static ConicReaderResult
give_out (ConicReaderItem *item, ConicOpcode opcode, const guint8 *data, gsize length)
{
  item->opcode = opcode;
  item->data = data != NULL ? data : (const guint8 *) "";
  item->length = length;
  return conic_frame_is_control (opcode) ? CONIC_READER_CONTROL : CONIC_READER_MESSAGE;
}

/* Whether the frame may come now, and whether its message stays within the limit. */
static gboolean
check_frame (const ConicReaderState *state,
             const ConicFrame *frame,
             gsize max_bytes,
             ConicReaderItem *item)
{
  gsize so_far = state != NULL && state->in_message ? state->buffer_length : 0;
  gboolean in_message = state != NULL && state->in_message;

  if (conic_frame_is_control (frame->opcode))
    return TRUE;
  if (in_message != (frame->opcode == CONIC_OPCODE_CONTINUATION)) {
    break_off (item, CONIC_STATUS_PROTOCOL_ERROR,
               in_message ? "message inside a fragmented one" : "continuation of no message");
    return FALSE;
  }
  /* A reload may have lowered the limit below what is here already. */
  if (so_far > max_bytes || frame->length > max_bytes - so_far) {
    break_off (item, CONIC_STATUS_TOO_BIG, "message too big");
    return FALSE;
  }
  return TRUE;
}

static void
drop_buffer (ConicReaderState *state)
{
  g_clear_pointer (&state->buffer, g_free);
  state->buffer_length = 0;
  state->buffer_size = 0;
  state->checked = 0;
}

static guint8 *
grow_buffer (ConicReaderState *state, gsize n)
{
  gsize needed = state->buffer_length + n;
  guint8 *end;

  if (needed > state->buffer_size) {
    state->buffer_size = MAX (MAX (needed, 2 * state->buffer_size), BUFFER_START_BYTES);
    state->buffer = g_realloc (state->buffer, state->buffer_size);
  }
  end = state->buffer + state->buffer_length;
  state->buffer_length = needed;
  return end;
}

/* Takes the bytes of a header. MORE: there aren't enough, all are taken. */
static ConicFrameResult
take_header (ConicReaderState *state, guint8 **data, gsize *length, const char **reason)
{
  guint before = state->head_length;
  gsize n = MIN (*length, sizeof state->head - before);
  ConicFrameResult result;

  memcpy (state->head + before, *data, n);
  result = conic_frame_parse (&state->frame, state->head, before + n, reason);
  if (result == CONIC_FRAME_COMPLETE) {
    n = state->frame.header_length - before;
    state->head_length = 0;
    state->in_frame = TRUE;
    state->frame_received = 0;
  } else {
    state->head_length = before + n;
  }
  *data += n;
  *length -= n;
  return result;
}

/* Takes what is there of the frame's payload. Returns %FALSE if it is of a text that can't become
 * UTF-8 any more. */
static gboolean
take_payload (ConicReaderState *state, guint8 **data, gsize *length)
{
  const ConicFrame *frame = &state->frame;
  gsize n = MIN (*length, frame->length - state->frame_received);
  guint8 *to;

  if (n == 0)
    return TRUE;
  if (conic_frame_is_control (frame->opcode))
    to = state->control + state->frame_received;
  else
    to = grow_buffer (state, n);
  conic_frame_unmask (to, *data, n, frame->mask, state->frame_received);
  state->frame_received += n;
  *data += n;
  *length -= n;
  return conic_frame_is_control (frame->opcode) || state->opcode != CONIC_OPCODE_TEXT ||
         conic_frame_check_utf8 (state->buffer, state->buffer_length, &state->checked);
}

/* Goes on with what is cut, until something is complete or the bytes are used up. */
static ConicReaderResult
next_cut (ConicReader *reader, gsize max_bytes, guint8 **data, gsize *length, ConicReaderItem *item)
{
  ConicReaderState *state = reader->state;
  const char *reason = NULL;

  for (;;) {
    if (!state->in_frame) {
      ConicFrameResult result = take_header (state, data, length, &reason);

      if (result == CONIC_FRAME_MORE)
        return CONIC_READER_MORE;
      if (result == CONIC_FRAME_BROKEN)
        return break_off (item, CONIC_STATUS_PROTOCOL_ERROR, reason);
      if (!check_frame (state, &state->frame, max_bytes, item))
        return CONIC_READER_BROKEN;
      if (!conic_frame_is_control (state->frame.opcode) && !state->in_message) {
        state->in_message = TRUE;
        state->opcode = state->frame.opcode;
      }
    }

    if (!take_payload (state, data, length))
      return break_off_text (item);
    if (state->frame_received < state->frame.length)
      return CONIC_READER_MORE;

    state->in_frame = FALSE;
    if (conic_frame_is_control (state->frame.opcode))
      return give_out (item, state->frame.opcode, state->control, state->frame_received);
    if (state->frame.fin) {
      state->in_message = FALSE;
      state->delivered = TRUE;
      if (state->opcode == CONIC_OPCODE_TEXT && state->checked < state->buffer_length)
        return break_off_text (item);
      return give_out (item, state->opcode, state->buffer, state->buffer_length);
    }
  }
}

/**
 * conic_reader_next:
 * @reader: the reader
 * @max_bytes: bytes that a message may have
 * @data: (inout): the bytes that came; moves past what was taken. They are written to.
 * @length: (inout): bytes left at @data
 * @item: (out caller-allocates): what was found
 *
 * Call it until it answers %CONIC_READER_MORE or %CONIC_READER_BROKEN. Control frames are given out
 * as they come, also between the fragments of a message. A message that its headers make longer
 * than @max_bytes is refused before a byte of it is kept.
 *
 * Returns: what @item is
 */
ConicReaderResult
conic_reader_next (ConicReader *reader,
                   gsize max_bytes,
                   guint8 **data,
                   gsize *length,
                   ConicReaderItem *item)
{
  ConicReaderState *state = reader->state;

  if (state != NULL && state->delivered) {
    state->delivered = FALSE;
    drop_buffer (state);
  }
  if (state != NULL && !state->in_frame && !state->in_message && state->head_length == 0) {
    conic_reader_clear (reader);
    state = NULL;
  }
  if (*length == 0 && (state == NULL || !state->in_frame))
    return CONIC_READER_MORE;

  if (state == NULL || (!state->in_frame && state->head_length == 0)) {
    ConicFrame frame;
    const char *reason = NULL;
    ConicFrameResult result = conic_frame_parse (&frame, *data, *length, &reason);

    if (result == CONIC_FRAME_BROKEN)
      return break_off (item, CONIC_STATUS_PROTOCOL_ERROR, reason);
    if (result == CONIC_FRAME_COMPLETE) {
      gboolean whole = frame.length <= *length - frame.header_length;

      if (!check_frame (state, &frame, max_bytes, item))
        return CONIC_READER_BROKEN;
      if (whole && (conic_frame_is_control (frame.opcode) ||
                    (frame.fin && frame.opcode != CONIC_OPCODE_CONTINUATION))) {
        guint8 *payload = *data + frame.header_length;
        gboolean is_ascii = conic_frame_unmask (payload, payload, frame.length, frame.mask, 0);

        *data = payload + frame.length;
        *length -= frame.header_length + frame.length;
        if (frame.opcode == CONIC_OPCODE_TEXT && !is_ascii &&
            !conic_frame_is_utf8 (payload, frame.length))
          return break_off_text (item);
        return give_out (item, frame.opcode, payload, frame.length);
      }
    }
  }

  if (state == NULL)
    reader->state = g_new0 (ConicReaderState, 1);
  return next_cut (reader, max_bytes, data, length, item);
}

/**
 * conic_reader_clear:
 * @reader: the reader
 *
 * Forgets what is incomplete, and frees it.
 */
void
conic_reader_clear (ConicReader *reader)
{
  if (reader->state == NULL)
    return;
  drop_buffer (reader->state);
  g_clear_pointer (&reader->state, g_free);
}
