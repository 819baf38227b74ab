/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a stream of buffers is cut into data channel messages without losing or changing a
 * byte, whatever the mode; that text is cut only between characters, or at line ends; and that what
 * a text message can't hold goes out as binary. */

#include <string.h>

#include "gstconicsplitter.h"

#define LIMIT GST_CONIC_MESSAGE_MAX

/* Streams of random bytes, and the most bytes of one. */
#define RANDOM_STREAMS    120
#define RANDOM_LENGTH_MAX (3 * LIMIT)

typedef struct {
  GByteArray *all;     /* the messages one after the other */
  GPtrArray *messages; /* (element-type GBytes) */
  GByteArray *texts;   /* for each message, whether it was text */
} Output;

static void
output_init (Output *output)
{
  output->all = g_byte_array_new ();
  output->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  output->texts = g_byte_array_new ();
}

static void
output_clear (Output *output)
{
  g_byte_array_unref (output->all);
  g_ptr_array_unref (output->messages);
  g_byte_array_unref (output->texts);
}

static void
pop_all (GstConicSplitter *splitter, gboolean final, Output *output)
{
  GBytes *message;
  gboolean is_text = FALSE;

  while ((message = gst_conic_splitter_pop (splitter, final, &is_text)) != NULL) {
    gsize length;
    const char *data = g_bytes_get_data (message, &length);
    guint8 text = (guint8) is_text;

    /* Every message has something in it, fits, ends in a NUL beyond its end, and is what it says. */
    g_assert_cmpuint (length, >, 0);
    g_assert_cmpuint (length, <=, LIMIT);
    g_assert_cmpint (data[length], ==, '\0');
    if (is_text)
      g_assert_true (g_utf8_validate_len (data, length, NULL));
    g_byte_array_append (output->all, (const guint8 *) data, (guint) length);
    g_byte_array_append (output->texts, &text, 1);
    g_ptr_array_add (output->messages, message);
  }
}

static void
push (GstConicSplitter *splitter, const char *data, gsize length, Output *output)
{
  /* In a block of its exact size, so that a sanitizer sees a read past its end. */
  g_autofree char *exact = g_memdup2 (data, length);

  gst_conic_splitter_push (splitter, exact, length);
  pop_all (splitter, FALSE, output);
}

/* --- small streams --- */

typedef struct {
  const char *name;
  GstConicSplitMode mode;
  gboolean lines;
  const char *buffers;  /* '|' between two of them; "\\0" stands for a NUL */
  const char *messages; /* likewise; text in '…', binary in <…> */
  gboolean not_text;
} Case;

static const Case cases[] = {
    {"text", GST_CONIC_SPLIT_TEXT, FALSE, "ab|c", "'ab'|'c'", FALSE},
    {"nothing", GST_CONIC_SPLIT_TEXT, FALSE, "", "", FALSE},
    {"empty-buffers", GST_CONIC_SPLIT_AUTO, FALSE, "|a||", "'a'", FALSE},
    {"binary", GST_CONIC_SPLIT_BINARY, FALSE, "ab|\xff", "<ab>|<\xff>", FALSE},
    {"binary-lines", GST_CONIC_SPLIT_BINARY, TRUE, "a\nb|c", "<a\nb>|<c>", FALSE},
    {"character-2", GST_CONIC_SPLIT_TEXT, FALSE, "a\xc3|\xa9z", "'a'|'\xc3\xa9z'", FALSE},
    {"character-3", GST_CONIC_SPLIT_TEXT, FALSE, "\xe2|\x82|\xac", "'\xe2\x82\xac'", FALSE},
    {"character-4", GST_CONIC_SPLIT_AUTO, FALSE, "x\xf0\x9f|\x98|\x80y", "'x'|'\xf0\x9f\x98\x80y'",
     FALSE},
    {"half-at-the-end", GST_CONIC_SPLIT_AUTO, FALSE, "a\xc3", "'a'|<\xc3>", TRUE},
    {"half-at-the-end-text", GST_CONIC_SPLIT_TEXT, FALSE, "a|\xe2\x82", "'a'|<\xe2\x82>", TRUE},
    {"auto-stays-binary", GST_CONIC_SPLIT_AUTO, FALSE, "a|\xff|b", "'a'|<\xff>|<b>", TRUE},
    {"text-goes-back", GST_CONIC_SPLIT_TEXT, FALSE, "a|\xff|b", "'a'|<\xff>|'b'", TRUE},
    {"nul", GST_CONIC_SPLIT_TEXT, FALSE, "a\\0b|c", "<a\\0b>|'c'", TRUE},
    {"nul-auto", GST_CONIC_SPLIT_AUTO, FALSE, "\\0|c", "<\\0>|<c>", TRUE},
    {"overlong", GST_CONIC_SPLIT_TEXT, FALSE, "\xc0\x80", "<\xc0\x80>", TRUE},
    {"surrogate", GST_CONIC_SPLIT_TEXT, FALSE, "\xed\xa0\x80", "<\xed\xa0\x80>", TRUE},
    {"lines", GST_CONIC_SPLIT_TEXT, TRUE, "a\nb\n\nc", "'a\n'|'b\n'|'\n'|'c'", FALSE},
    {"lines-joined", GST_CONIC_SPLIT_AUTO, TRUE, "a|b|\nc|d\n", "'ab\n'|'cd\n'", FALSE},
    {"lines-crlf", GST_CONIC_SPLIT_TEXT, TRUE, "a\r|\nb\r\n", "'a\r\n'|'b\r\n'", FALSE},
    {"lines-character", GST_CONIC_SPLIT_TEXT, TRUE, "\xc3|\xa9\n", "'\xc3\xa9\n'", FALSE},
    {"lines-not-text", GST_CONIC_SPLIT_TEXT, TRUE, "a\xff\nb\n", "<a\xff\n>|'b\n'", TRUE},
    {"lines-nul", GST_CONIC_SPLIT_TEXT, TRUE, "\\0\nb", "<\\0\n>|'b'", TRUE},
};

/* (transfer full): @text with "\\0" made NULs */
static GBytes *
unescape (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  for (const char *p = text; *p != '\0'; p++) {
    gboolean nul = strncmp (p, "\\0", 2) == 0;

    g_byte_array_append (bytes, (const guint8 *) (nul ? "" : p), 1);
    p += nul;
  }
  return g_byte_array_free_to_bytes (bytes);
}

static char *
describe (const Output *output)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < output->messages->len; i++) {
    gboolean is_text = output->texts->data[i];
    gsize length;
    const char *data = g_bytes_get_data (g_ptr_array_index (output->messages, i), &length);

    g_string_append_printf (text, "%s%c", i > 0 ? "|" : "", is_text ? '\'' : '<');
    for (gsize j = 0; j < length; j++) {
      if (data[j] == '\0')
        g_string_append (text, "\\0");
      else
        g_string_append_c (text, data[j]);
    }
    g_string_append_c (text, is_text ? '\'' : '>');
  }
  return g_string_free (text, FALSE);
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_auto (GStrv) buffers = g_strsplit (c->buffers, "|", -1);
  g_autofree char *found = NULL;
  GstConicSplitter splitter;
  Output output;

  gst_conic_splitter_init (&splitter);
  splitter.mode = c->mode;
  splitter.lines = c->lines;
  output_init (&output);
  for (guint i = 0; buffers[i] != NULL; i++) {
    g_autoptr (GBytes) bytes = unescape (buffers[i]);
    gsize length;
    const char *start = g_bytes_get_data (bytes, &length);

    push (&splitter, start, length, &output);
  }
  pop_all (&splitter, TRUE, &output);

  found = describe (&output);
  g_assert_cmpstr (found, ==, c->messages);
  g_assert_cmpint (splitter.not_text, ==, c->not_text);
  output_clear (&output);
  gst_conic_splitter_clear (&splitter);
}

/* --- at the size of a message --- */

static void
check_lengths (GstConicSplitMode mode, gboolean lines, const GString *stream, const gsize *lengths)
{
  GstConicSplitter splitter;
  Output output;

  gst_conic_splitter_init (&splitter);
  splitter.mode = mode;
  splitter.lines = lines;
  output_init (&output);
  push (&splitter, stream->str, stream->len, &output);
  pop_all (&splitter, TRUE, &output);
  g_assert_cmpmem (output.all->data, output.all->len, stream->str, stream->len);
  for (guint i = 0; i < output.messages->len; i++)
    g_assert_cmpuint (g_bytes_get_size (g_ptr_array_index (output.messages, i)), ==, lengths[i]);
  g_assert_cmpuint (lengths[output.messages->len], ==, 0);
  output_clear (&output);
  gst_conic_splitter_clear (&splitter);
}

/* A character that starts 1 to 3 bytes before the limit is kept whole. */
static void
test_limit (void)
{
  static const char *const characters[] = {"", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

  for (guint i = 0; i < G_N_ELEMENTS (characters); i++) {
    gsize length = strlen (characters[i]);

    for (gsize before = 0; before <= length; before++) {
      g_autoptr (GString) stream = g_string_new (NULL);
      gsize fits = before == length ? LIMIT : LIMIT - before;
      const gsize text_lengths[] = {fits, LIMIT - before + length + 10 - fits, 0};
      const gsize binary_lengths[] = {LIMIT, length - before + 10, 0};

      for (gsize j = 0; j < LIMIT - before; j++)
        g_string_append_c (stream, 'a');
      g_string_append (stream, characters[i]);
      g_string_append (stream, "0123456789");
      check_lengths (GST_CONIC_SPLIT_TEXT, FALSE, stream, text_lengths);
      check_lengths (GST_CONIC_SPLIT_AUTO, FALSE, stream, text_lengths);
      /* A line too long for a message is cut like any text. */
      check_lengths (GST_CONIC_SPLIT_TEXT, TRUE, stream, text_lengths);
      check_lengths (GST_CONIC_SPLIT_BINARY, FALSE, stream, binary_lengths);
    }
  }
}

static void
test_limit_of_lines (void)
{
  g_autoptr (GString) stream = g_string_new (NULL);
  const gsize lengths[] = {LIMIT, LIMIT, 1, 3, 0};

  for (gsize i = 0; i < LIMIT - 1; i++)
    g_string_append_c (stream, 'a');
  g_string_append_c (stream, '\n');
  for (gsize i = 0; i < LIMIT; i++)
    g_string_append_c (stream, 'b');
  g_string_append (stream, "\nccc");
  check_lengths (GST_CONIC_SPLIT_TEXT, TRUE, stream, lengths);
}

/* --- random streams --- */

/* Characters of all lengths, line ends, and now and then what isn't text. */
static void
append_random (GString *stream, gboolean clean)
{
  static const char *const pieces[] = {
      "a", "\n", "\r\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "word ",
  };
  static const char odd[] = {'\0', '\x80', '\xc3', '\xe2', '\xf0', '\xff'};

  if (!clean && g_test_rand_int_range (0, 2000) == 0)
    g_string_append_c (stream, odd[g_test_rand_int_range (0, G_N_ELEMENTS (odd))]);
  else
    g_string_append (stream, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
}

/* What is a message of its own has to be a line and no more than one. */
static void
check_lines (const Output *output)
{
  for (guint i = 0; i < output->messages->len; i++) {
    gsize length;
    const char *data = g_bytes_get_data (g_ptr_array_index (output->messages, i), &length);
    const char *newline = memchr (data, '\n', length);

    g_assert_true (newline == NULL || newline == data + length - 1);
    if (newline == NULL && i + 1 < output->messages->len)
      g_assert_cmpuint (length, >, LIMIT - 4);
  }
}

static void
run_random (GstConicSplitMode mode, gboolean lines)
{
  gboolean clean = g_test_rand_int_range (0, 2) == 0;
  gsize wanted = (gsize) g_test_rand_int_range (0, RANDOM_LENGTH_MAX);
  int buffer_max = g_test_rand_int_range (0, 2) == 0 ? 16 : 2 * LIMIT;
  g_autoptr (GString) stream = g_string_new (NULL);
  GstConicSplitter splitter;
  Output output;

  /* Small buffers make many messages; enough of them need no long stream. */
  if (buffer_max == 16)
    wanted /= 64;
  while (stream->len < wanted)
    append_random (stream, clean);
  gst_conic_splitter_init (&splitter);
  splitter.mode = mode;
  splitter.lines = lines;
  output_init (&output);
  for (gsize at = 0; at < stream->len;) {
    gsize size = (gsize) g_test_rand_int_range (0, buffer_max);
    gsize length = MIN (size, stream->len - at);

    push (&splitter, stream->str + at, length, &output);
    at += length;
  }
  pop_all (&splitter, TRUE, &output);

  g_assert_cmpmem (output.all->data, output.all->len, stream->str, stream->len);
  g_assert_cmpint (splitter.not_text, ==,
                   mode != GST_CONIC_SPLIT_BINARY &&
                       !g_utf8_validate_len (stream->str, stream->len, NULL));
  if (mode != GST_CONIC_SPLIT_BINARY && clean) {
    for (guint i = 0; i < output.texts->len; i++)
      g_assert_true (output.texts->data[i]);
    if (lines)
      check_lines (&output);
  }
  output_clear (&output);
  gst_conic_splitter_clear (&splitter);
}

static void
test_random (void)
{
  for (guint i = 0; i < RANDOM_STREAMS; i++)
    run_random ((GstConicSplitMode) (i % 3), i / 3 % 2 == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/splitter/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/splitter/limit", test_limit);
  g_test_add_func ("/splitter/limit-of-lines", test_limit_of_lines);
  g_test_add_func ("/splitter/random", test_random);

  return g_test_run ();
}
