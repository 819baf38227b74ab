/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* However a client's bytes are cut on their way, the same messages come out of them, and the same
 * failure ends them. The first byte of the input says where to cut. */

#include "conic-fuzz.h"

#include "conic-reader.h"

/* Small, so that what is too big is found as well. */
#define MESSAGE_BYTES 1000

/* Reads pieces of up to @most bytes; returns (transfer full) all that was found, as text. */
static GString *
read_in_pieces (const uint8_t *data, size_t size, size_t most)
{
  GString *found = g_string_new (NULL);
  ConicReader reader = {0};
  ConicReaderResult result = CONIC_READER_MORE;

  while (size > 0 && result != CONIC_READER_BROKEN) {
    gsize n = MIN (size, most);
    /* A copy of its own each, so that reading beyond it is seen. */
    g_autofree guint8 *piece = g_memdup2 (data, n);
    guint8 *rest = piece;
    ConicReaderItem item;

    data += n;
    size -= n;
    while ((result = conic_reader_next (&reader, MESSAGE_BYTES, &rest, &n, &item)) !=
           CONIC_READER_MORE) {
      if (result == CONIC_READER_BROKEN) {
        g_string_append_printf (found, "broken %d", item.status);
        break;
      }
      g_assert_cmpuint (item.length, <=, MESSAGE_BYTES);
      g_string_append_printf (found, "%d %d %" G_GSIZE_FORMAT " ", result, item.opcode,
                              item.length);
      g_string_append_len (found, (const char *) item.data, (gssize) item.length);
    }
  }
  conic_reader_clear (&reader);

  return found;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GString *whole, *cut;

  if (size < 2)
    return 0;
  whole = read_in_pieces (data + 1, size - 1, size);
  cut = read_in_pieces (data + 1, size - 1, 1 + data[0]);
  g_assert_true (g_string_equal (whole, cut));
  g_string_free (whole, TRUE);
  g_string_free (cut, TRUE);

  return 0;
}
