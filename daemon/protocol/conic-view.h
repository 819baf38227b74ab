/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-shape.h"

G_BEGIN_DECLS

/**
 * ConicView:
 *
 * What routing needs of a message, found in one pass over its bytes and without an allocation for
 * the messages that are relayed as they came. It borrows from the text that it was made of, and
 * is valid as long as that text is. It points into itself, so it can't be copied.
 */
typedef struct {
  ConicDialect dialect;
  ConicMessageType type;
  ConicSlice text; /* the whole message */
  ConicSlice id;   /* the envelope's, as written (with its escapes) */
  gboolean has_from;
  const char *client_id; /* these three are "" when absent or empty */
  const char *from_id;
  const char *to_id;
  ConicSlice resume_token; /* as written; envelope dialect only */
  /* Where a relay that has to add the sender's id puts it: an offset into text, or 0 if the body
   * is wrapped in a way that nothing can be put into. */
  gsize from_insert_at;
  ConicShape shape; /*< private >*/
} ConicView;

/**
 * conic_view_scan:
 * @view: (out caller-allocates): also set as far as it was read when the message is refused, so
 *   that the error can name the message by its id; conic_view_clear() it in any case
 * @text: (array length=length): one WebSocket text message
 * @length: bytes of @text
 * @dialect: the connection's dialect, %CONIC_DIALECT_NONE before its first valid message
 * @error: return location for a #CONIC_ERROR
 *
 * Validates the whole message as strict RFC 8259 JSON and as a message of the protocol that a
 * client may send: types of the members that its type needs, well-formed ids, no member that the
 * protocol knows twice or in the wrong case. What it accepts, conic_codec_parse() accepts too, but
 * that doesn't know who sent a message: a readme registration with an `ID` beside `raw` is an
 * answer to it.
 *
 * Returns: %FALSE with @error set to %CONIC_ERROR_BAD_MESSAGE, %CONIC_ERROR_UNKNOWN_TYPE or
 *   %CONIC_ERROR_INVALID_ID if the message must not be acted on
 */
gboolean conic_view_scan (ConicView *view,
                          const char *text,
                          gsize length,
                          ConicDialect dialect,
                          GError **error);

/**
 * conic_view_relay:
 * @view: a message of a type that is relayed
 * @sender_id: who sent it
 * @target: the dialect of who gets it
 *
 * The message as it goes out: the very bytes that came if sender and receiver speak the same
 * dialect and it names its sender, else rewritten or translated.
 *
 * Returns: (transfer full) (nullable): the rewritten text, or %NULL if view->text is to be sent
 *   as it is
 */
GBytes *conic_view_relay (const ConicView *view, const char *sender_id, ConicDialect target);

/* (transfer full) (nullable): the message's own id, for a reply's @reply_to */
char *conic_view_dup_id (const ConicView *view);

void conic_view_clear (ConicView *view);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ConicView, conic_view_clear)

G_END_DECLS
