/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-message.h"

G_BEGIN_DECLS

/**
 * conic_codec_parse:
 * @text: (array length=length): one WebSocket text message, not terminated
 * @length: bytes of @text
 * @dialect: (inout): the connection's dialect; if it is %CONIC_DIALECT_NONE, the one found is
 *   stored
 * @error: return location for a #CONIC_ERROR
 *
 * Reads a message of either dialect, as a client gets it or as it sends it. The text is first
 * held against RFC 8259 by the scanner, so nothing that json-glib reads laxly gets through.
 * Members that the protocol doesn't know are ignored. The readme dialect's `register` and
 * `unregister` are a hub's responses if they have an `ID` beside `raw`.
 *
 * Returns: (transfer full) (nullable): the message, or %NULL with @error set to
 *   %CONIC_ERROR_BAD_MESSAGE, %CONIC_ERROR_UNKNOWN_TYPE or %CONIC_ERROR_INVALID_ID
 */
ConicMessage *
conic_codec_parse (const char *text, gsize length, ConicDialect *dialect, GError **error);

/**
 * conic_codec_write:
 * @message: what to say
 * @dialect: how to say it; the envelope dialect if it is %CONIC_DIALECT_NONE
 *
 * Writes @message in @dialect. What the dialect has no place for is left out; a response that
 * says that a request failed is an `error` in the readme dialect. A message without an id gets
 * one.
 *
 * Returns: (transfer full): the text, UTF-8, not terminated
 */
GBytes *conic_codec_write (const ConicMessage *message, ConicDialect dialect);

G_END_DECLS
