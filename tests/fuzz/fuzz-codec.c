/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the codec has read it can write, in both dialects, and reads again as the same. */

#include "conic-fuzz.h"

#include "conic-codec.h"
#include "conic-scan.h"

static ConicMessage *
read_back (GBytes *text, ConicDialect dialect)
{
  gsize length = g_bytes_get_size (text);
  g_autofree char *exact = g_memdup2 (g_bytes_get_data (text, NULL), length);
  g_autoptr (GError) error = NULL;
  ConicMessage *message = conic_codec_parse (exact, length, &dialect, &error);

  g_assert_no_error (error);

  return message;
}

static void
check_envelope (const ConicMessage *message)
{
  g_autoptr (GBytes) text = conic_codec_write (message, CONIC_DIALECT_ENVELOPE);
  g_autoptr (ConicMessage) again = read_back (text, CONIC_DIALECT_ENVELOPE);

  if (message->id == NULL)
    g_clear_pointer (&again->id, g_free);
  g_assert_true (conic_message_equal (message, again));
}

/* The readme dialect leaves things out, once. */
static void
check_readme (const ConicMessage *message)
{
  g_autoptr (GBytes) text = conic_codec_write (message, CONIC_DIALECT_README);
  g_autoptr (ConicMessage) again = read_back (text, CONIC_DIALECT_README);
  g_autoptr (GBytes) same = conic_codec_write (again, CONIC_DIALECT_README);

  g_assert_true (g_bytes_equal (text, same));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  for (ConicDialect dialect = CONIC_DIALECT_NONE; dialect <= CONIC_DIALECT_README; dialect++) {
    ConicDialect found = dialect;
    g_autoptr (GError) error = NULL;
    g_autoptr (ConicMessage) message = conic_codec_parse ((const char *)data, size, &found, &error);

    g_assert_true ((message == NULL) == (error != NULL));
    if (message == NULL)
      continue;

    g_assert_cmpint (found, !=, CONIC_DIALECT_NONE);
    g_assert_true (conic_scan_is_json ((const char *)data, size));
    check_envelope (message);
    check_readme (message);
  }

  return 0;
}
