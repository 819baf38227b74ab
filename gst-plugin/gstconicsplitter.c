/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconicsplitter.h"

#include <string.h>

/* Bytes of the longest character of UTF-8. */
#define CHARACTER_MAX 4

void
gst_conic_splitter_init (GstConicSplitter *self)
{
  *self = (GstConicSplitter){.pending = g_byte_array_sized_new (64)};
}

void
gst_conic_splitter_clear (GstConicSplitter *self)
{
  g_clear_pointer (&self->pending, g_byte_array_unref);
}

void
gst_conic_splitter_push (GstConicSplitter *self, gconstpointer data, gsize length)
{
  if (self->taken > 0)
    g_byte_array_remove_range (self->pending, 0, (guint) self->taken);
  self->taken = 0;
  g_byte_array_append (self->pending, data, (guint) length);
}

static GBytes *
take (GstConicSplitter *self, gsize length)
{
  char *copy = g_malloc (length + 1);

  memcpy (copy, self->pending->data + self->taken, length);
  copy[length] = '\0';
  self->taken += length;
  return g_bytes_new_take (copy, length);
}

/* Whether the @length bytes at @text can be the beginning of a character that isn't whole yet. */
static gboolean
is_partial_character (const char *text, gsize length)
{
  return length < CHARACTER_MAX && *text != '\0' &&
         g_utf8_get_char_validated (text, (gssize) length) == (gunichar) -2;
}

static GBytes *
pop_binary (GstConicSplitter *self, gboolean *is_text)
{
  gsize left = self->pending->len - self->taken;

  *is_text = FALSE;
  return left > 0 ? take (self, MIN (left, GST_CONIC_MESSAGE_MAX)) : NULL;
}

GBytes *
gst_conic_splitter_pop (GstConicSplitter *self, gboolean final, gboolean *is_text)
{
  const char *text = (const char *) self->pending->data + self->taken;
  gsize left = self->pending->len - self->taken;
  gsize length = MIN (left, GST_CONIC_MESSAGE_MAX);
  const char *newline, *end;
  gboolean cut = left > length;

  if (self->mode == GST_CONIC_SPLIT_BINARY || length == 0)
    return pop_binary (self, is_text);

  if (self->lines) {
    newline = memchr (text, '\n', length);
    if (newline != NULL)
      length = (gsize) (newline - text) + 1;
    else if (!final && !cut)
      return NULL;
  }
  if (!g_utf8_validate_len (text, length, &end)) {
    gsize valid = (gsize) (end - text);
    gboolean partial = is_partial_character (end, length - valid) && (!final || cut);

    if (!partial) {
      self->not_text = TRUE;
      if (self->mode == GST_CONIC_SPLIT_AUTO)
        self->mode = GST_CONIC_SPLIT_BINARY;
      *is_text = FALSE;
      return take (self, length);
    }
    if (valid == 0)
      return NULL;
    length = valid;
  }
  *is_text = TRUE;
  return take (self, length);
}
