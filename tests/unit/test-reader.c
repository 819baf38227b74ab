/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a message that lies whole in its bytes is unmasked and checked to its last byte, wherever
 * its text isn't ASCII. (What becomes of cut ones is compared with this by fuzz-frames.) And
 * that no limit that is lowered meanwhile is passed by. */

#include "conic-reader.h"

#include <string.h>

#define TEXT_MAX 100

/* Longer than any message here. */
#define MESSAGE_BYTES 1000

/* Reads @text out of a masked frame, and expects it or its refusal. */
static void
check_text (ConicOpcode opcode, const char *text, gsize length, gboolean accepted)
{
  const guint8 mask[4] = {0x01, 0xfe, 0x42, 0x80};
  guint8 frame[6 + TEXT_MAX] = {0x80 | opcode, 0x80 | length};
  guint8 *data = frame;
  gsize left = 6 + length;
  ConicReader reader = {0};
  ConicReaderItem item;

  memcpy (frame + 2, mask, sizeof mask);
  for (gsize i = 0; i < length; i++)
    frame[6 + i] = (guint8) text[i] ^ mask[i % 4];

  if (accepted) {
    g_assert_cmpint (conic_reader_next (&reader, MESSAGE_BYTES, &data, &left, &item), ==,
                     CONIC_READER_MESSAGE);
    g_assert_cmpmem (item.data, item.length, text, length);
    g_assert_cmpuint (left, ==, 0);
  } else {
    g_assert_cmpint (conic_reader_next (&reader, MESSAGE_BYTES, &data, &left, &item), ==,
                     CONIC_READER_BROKEN);
    g_assert_cmpint (item.status, ==, CONIC_STATUS_BAD_DATA);
  }
  conic_reader_clear (&reader);
}

static void
test_utf8_at_each_place (void)
{
  for (gsize length = 0; length <= TEXT_MAX; length++) {
    char text[TEXT_MAX] = {0};

    for (gsize i = 0; i < length; i++)
      text[i] = (char) (i % 0x80); /* U+0000 is one like others */
    check_text (CONIC_OPCODE_TEXT, text, length, TRUE);

    for (gsize i = 0; i < length; i++) {
      char kept = text[i];

      text[i] = (char) 0xff;
      check_text (CONIC_OPCODE_TEXT, text, length, FALSE);
      check_text (CONIC_OPCODE_BINARY, text, length, TRUE);
      text[i] = kept;
    }
    for (gsize i = 0; i + 1 < length; i++) {
      char kept[2] = {text[i], text[i + 1]};

      memcpy (text + i, "é", 2);
      check_text (CONIC_OPCODE_TEXT, text, length, TRUE);
      check_text (CONIC_OPCODE_TEXT, text, i + 1, FALSE);
      memcpy (text + i, kept, 2);
    }
  }
}

/* A message whose first half is here is held to a limit that has become less than that half. */
static void
test_lowered_limit (void)
{
  guint8 half[6 + TEXT_MAX] = {CONIC_OPCODE_BINARY, 0x80 | TEXT_MAX};
  guint8 rest[6 + 1] = {0x80 | CONIC_OPCODE_CONTINUATION, 0x80 | 1};
  guint8 *data = half;
  gsize left = sizeof half;
  ConicReader reader = {0};
  ConicReaderItem item;

  g_assert_cmpint (conic_reader_next (&reader, MESSAGE_BYTES, &data, &left, &item), ==,
                   CONIC_READER_MORE);
  data = rest;
  left = sizeof rest;
  g_assert_cmpint (conic_reader_next (&reader, TEXT_MAX / 2, &data, &left, &item), ==,
                   CONIC_READER_BROKEN);
  g_assert_cmpint (item.status, ==, CONIC_STATUS_TOO_BIG);
  conic_reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reader/utf8-at-each-place", test_utf8_at_each_place);
  g_test_add_func ("/reader/lowered-limit", test_lowered_limit);

  return g_test_run ();
}
