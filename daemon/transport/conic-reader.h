/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-frame.h"

G_BEGIN_DECLS

typedef struct _ConicReaderState ConicReaderState;

/**
 * ConicReader:
 *
 * Puts a client's messages together from its bytes, however they are cut. All zeros is a reader
 * that has read nothing; it holds memory only between the parts of a frame or of a message.
 */
typedef struct {
  ConicReaderState *state; /*< private >*/
} ConicReader;

typedef enum {
  CONIC_READER_MORE,    /* all bytes were taken, nothing is complete */
  CONIC_READER_MESSAGE, /* a whole text or binary message */
  CONIC_READER_CONTROL, /* a close, ping or pong */
  CONIC_READER_BROKEN,  /* the connection has to be failed with @status */
} ConicReaderResult;

/* What conic_reader_next() found. */
typedef struct {
  ConicOpcode opcode;
  const guint8 *data; /* (array length=length): valid until the next call */
  gsize length;
  ConicStatus status; /* if it is broken */
  const char *reason; /* the same: static, for a person to read */
} ConicReaderItem;

ConicReaderResult conic_reader_next (ConicReader *reader,
                                     gsize max_bytes,
                                     guint8 **data,
                                     gsize *length,
                                     ConicReaderItem *item);

void conic_reader_clear (ConicReader *reader);

G_END_DECLS
