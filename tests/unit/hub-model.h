/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/**
 * hub_model_run:
 * @data: (array length=length): decisions, four bytes each; any bytes are a valid sequence
 * @length: bytes of @data
 *
 * Plays a sequence of connections, messages, losses and waits to a hub and to a naive model of it,
 * and asserts after every step that both gave the same answers to everybody.
 */
void hub_model_run (const guint8 *data, gsize length);
