/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-frame.h"

#include <sys/uio.h>

G_BEGIN_DECLS

typedef struct _ConicOutboxFrame ConicOutboxFrame;

/**
 * ConicOutbox:
 * @n_bytes: not yet written, headers included
 * @n_frames: not yet written, one that has begun included
 *
 * The frames that wait to be written to a client. All zeros is an empty one, which holds no
 * memory.
 */
typedef struct {
  gsize n_bytes;
  guint n_frames;

  /*< private >*/
  ConicOutboxFrame *first;
  ConicOutboxFrame *last;
  gsize first_written;
} ConicOutbox;

void conic_outbox_push (ConicOutbox *outbox, ConicOpcode opcode, gconstpointer data, gsize length);
void conic_outbox_push_close (ConicOutbox *outbox, ConicStatus status, const char *reason);
guint conic_outbox_peek (const ConicOutbox *outbox, struct iovec *vectors, guint n_vectors);
void conic_outbox_advance (ConicOutbox *outbox, gsize n_bytes);
void conic_outbox_cut (ConicOutbox *outbox, gsize n_bytes);
void conic_outbox_clear (ConicOutbox *outbox);

G_END_DECLS
