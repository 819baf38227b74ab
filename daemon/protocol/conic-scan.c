/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-scan.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "conic-limits.h"

#define EVERY_BYTE(c) (G_GUINT64_CONSTANT (0x0101010101010101) * (guint8) (c))

void
conic_scan_init (ConicScan *scan, const char *text, gsize length)
{
  *scan = (ConicScan){
      .start = text,
      .at = text,
      .end = length > 0 ? text + length : text, /* which may be NULL then */
  };
}

gboolean
conic_scan_fail (ConicScan *scan, const char *subject, const char *problem)
{
  scan->subject = subject;
  scan->problem = problem;

  return FALSE;
}

static gboolean
fail_at (ConicScan *scan, const char *at, const char *problem)
{
  scan->at = at;

  return conic_scan_fail (scan, NULL, problem);
}

char
conic_scan_peek (ConicScan *scan)
{
  while (scan->at < scan->end &&
         (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
    scan->at++;

  return scan->at < scan->end ? *scan->at : '\0';
}

#ifdef __SSE2__
/* The first of sixteen bytes that needs a look, or 16. Compared as signed numbers, control
 * characters and all that is beyond ASCII are less than a space. */
static inline int
find_stop_16 (const char *at)
{
  __m128i bytes = _mm_loadu_si128 ((const __m128i *) at);
  __m128i stop = _mm_or_si128 (_mm_cmplt_epi8 (bytes, _mm_set1_epi8 (' ')),
                               _mm_or_si128 (_mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('"')),
                                             _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('\\'))));

  return __builtin_ctz ((guint) _mm_movemask_epi8 (stop) | 1u << 16);
}
#endif

/* The same for eight bytes on any machine. The highest bit of each byte of `stop` says whether that
 * byte is one; subtraction can carry into bytes after the first, never before it. */
static inline int
find_stop_8 (const char *at)
{
  guint64 word, quote, backslash, stop;

  memcpy (&word, at, 8);
  word = GUINT64_FROM_LE (word);
  quote = word ^ EVERY_BYTE ('"');
  backslash = word ^ EVERY_BYTE ('\\');
  stop = ((quote - EVERY_BYTE (1)) & ~quote) | ((backslash - EVERY_BYTE (1)) & ~backslash) |
         (word - EVERY_BYTE (' ')) | word;
  stop &= EVERY_BYTE (0x80);

  return stop != 0 ? __builtin_ctzll (stop) / 8 : 8;
}

/* The first byte of a string's body that needs a look: a quote, a backslash, a control character
 * or part of a character beyond ASCII. Most of a message is none of them. */
static inline const char *
skip_plain (const char *at, const char *end)
{
  int stop;

#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    stop = find_stop_16 (at);
    if (stop < 16)
      return at + stop;
  }
#endif

  for (; end - at >= 8; at += 8) {
    stop = find_stop_8 (at);
    if (stop < 8)
      return at + stop;
  }

  while (at < end && *at != '"' && *at != '\\' && (guint8) *at >= ' ' && (guint8) *at < 0x80)
    at++;

  return at;
}

/* The value of the four hexadecimal digits at @at, or -1. */
static int
read_hex4 (const char *at, const char *end)
{
  int value = 0;

  if (end - at < 4)
    return -1;

  for (int i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value (at[i]);

    if (digit < 0)
      return -1;
    value = value << 4 | digit;
  }

  return value;
}

/* Reads the `\uXXXX`, or pair of them, that begins at @at. Returns what follows it, or NULL. */
static const char *
read_unicode_escape (const char *at, const char *end, gunichar *character)
{
  int high = read_hex4 (at + 2, end);
  int low;

  if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
    return NULL;
  *character = (gunichar) high;
  at += 6;
  if (high < 0xd800 || high > 0xdfff)
    return at;

  if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return NULL;
  low = read_hex4 (at + 2, end);
  if (low < 0xdc00 || low > 0xdfff)
    return NULL;
  *character = 0x10000 + (gunichar) ((high - 0xd800) << 10 | (low - 0xdc00));

  return at + 6;
}

/* The character that a backslash and another character stand for, or 0. */
static const char simple_escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static inline char
simple_escape (char c)
{
  return simple_escapes[(guint8) c];
}

/* Reads the escape at @at that is not a simple one. */
static gboolean
scan_unicode_escape (ConicScan *scan, const char **at, ConicJsonValue *value)
{
  gunichar character = 0;
  const char *next;

  if (scan->end - *at < 2)
    return fail_at (scan, *at, "the string doesn't end");
  if ((*at)[1] != 'u')
    return fail_at (scan, *at, "JSON has no such escape");

  next = read_unicode_escape (*at, scan->end, &character);
  if (next == NULL)
    return fail_at (scan, *at, "\\u without four digits, or half of a surrogate pair");

  if (character == 0)
    value->has_nul = TRUE;
  *at = next;

  return TRUE;
}

#ifdef __SSE2__
#define BLOCK_BYTES 64

/* Which bytes of a block are what, the first one in the lowest bit. */
typedef struct {
  guint64 backslash;
  guint64 common; /* what mostly follows a backslash */
  guint64 stop;   /* what doesn't go on unless it does: quotes, and what is no string's */
} Block;

static inline guint64
to_bits (__m128i bytes)
{
  return (guint) _mm_movemask_epi8 (bytes);
}

static inline Block
read_16 (const char *at)
{
  __m128i bytes = _mm_loadu_si128 ((const __m128i *) at);
  __m128i quote = _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('"'));
  __m128i backslash = _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('\\'));
  __m128i line_end = _mm_or_si128 (_mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('r')),
                                   _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('n')));

  return (Block){
      .backslash = to_bits (backslash),
      .common = to_bits (_mm_or_si128 (_mm_or_si128 (quote, backslash), line_end)),
      .stop = to_bits (_mm_or_si128 (_mm_cmplt_epi8 (bytes, _mm_set1_epi8 (' ')), quote)),
  };
}

static inline Block
read_block (const char *at)
{
  const Block part[] = {read_16 (at), read_16 (at + 16), read_16 (at + 32), read_16 (at + 48)};

#define JOIN(what) (part[0].what | part[1].what << 16 | part[2].what << 32 | part[3].what << 48)
  return (Block){JOIN (backslash), JOIN (common), JOIN (stop)};
#undef JOIN
}

/* Which bytes have a backslash before them that isn't itself escaped. @carry: whether the first one
 * has; set for the block that follows.
 *
 * A run of backslashes escapes every second byte from its second one on, up to the byte that
 * follows it. Adding the runs that begin at odd bits to all backslashes carries through them and
 * leaves each where it ends, so that by the evenness of begin and end all are done at once: Langdale
 * and Lemire, "Parsing Gigabytes of JSON per Second", section 3.1.1. */
static inline guint64
find_escaped (guint64 backslash, guint64 *carry)
{
  const guint64 even = G_GUINT64_CONSTANT (0x5555555555555555);
  guint64 follows, sum;

  backslash &= ~*carry;
  follows = backslash << 1 | *carry;
  *carry = __builtin_add_overflow (backslash & ~even & ~follows, backslash, &sum);

  return (even ^ (sum << 1)) & follows;
}

/* The first of the bytes in @escaped that is no simple escape's, as a bit. */
static inline guint64
find_unknown_escape (const char *at, guint64 escaped)
{
  while (escaped != 0 && simple_escape (at[__builtin_ctzll (escaped)]) != '\0')
    escaped &= escaped - 1;

  return escaped & -escaped;
}

/* Reads over plain bytes and simple escapes, as long as there are blocks, and without a branch for
 * each escape. Not inline: strings without any would have to make room for its registers. */
static G_GNUC_NO_INLINE const char *
skip_blocks (const char *at, const char *end)
{
  guint64 carry = 0;

  for (; end - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
    Block block = read_block (at);
    guint64 escaped = find_escaped (block.backslash, &carry);
    guint64 stop = (block.stop & ~escaped) | find_unknown_escape (at, escaped & ~block.common);

    if (stop != 0) {
      guint n = (guint) __builtin_ctzll (stop);

      return at + n - (escaped >> n & 1);
    }
  }

  return at - carry;
}
#endif

/* Reads over the escapes that begin at @at, and perhaps over plain text between them and behind
 * them, up to anything else: SDP ends its short lines with two. */
static const char *
skip_escapes (const char *at, const char *end)
{
#ifdef __SSE2__
  at = skip_blocks (at, end);
#endif
  while (end - at >= 2 && *at == '\\' && simple_escape (at[1]) != '\0')
    at += 2;

  return at;
}

static gboolean
scan_string (ConicScan *scan, ConicJsonValue *value)
{
  const char *at = scan->at + 1;

  value->kind = CONIC_JSON_STRING;
  value->escaped = value->has_nul = FALSE;
  value->text.data = at;

  for (;;) {
    at = skip_plain (at, scan->end);
    if (at == scan->end)
      return fail_at (scan, at, "the string doesn't end");

    if (*at == '"')
      break;
    if (*at == '\\') {
      const char *next = skip_escapes (at, scan->end);

      value->escaped = TRUE;
      if (next == at && !scan_unicode_escape (scan, &next, value))
        return FALSE;
      at = next;
    } else if ((guint8) *at < ' ') {
      return fail_at (scan, at, "control character in a string");
    } else {
      const char *run = at;

      while (at < scan->end && (guint8) *at >= 0x80)
        at++;
      if (!g_utf8_validate_len (run, (gsize) (at - run), NULL))
        return fail_at (scan, run, "not UTF-8");
    }
  }

  value->text.length = (gsize) (at - value->text.data);
  scan->at = at + 1;

  return TRUE;
}

static const char *
skip_digits (const char *at, const char *end)
{
  while (at < end && g_ascii_isdigit (*at))
    at++;

  return at;
}

static gboolean
scan_number (ConicScan *scan, ConicJsonValue *value)
{
  const char *at = scan->at, *end = scan->end;
  const char *digits;

  if (*at == '-')
    at++;
  digits = at;
  at = skip_digits (at, end);
  if (at == digits)
    return fail_at (scan, at, "not a value");
  if (*digits == '0' && at - digits > 1)
    return fail_at (scan, digits, "a number with a leading zero");

  if (at < end && *at == '.') {
    digits = ++at;
    at = skip_digits (at, end);
    if (at == digits)
      return fail_at (scan, at, "a number without digits after its point");
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    digits = at;
    at = skip_digits (at, end);
    if (at == digits)
      return fail_at (scan, at, "a number without digits in its exponent");
  }

  value->kind = CONIC_JSON_NUMBER;
  value->text = (ConicSlice){scan->at, (gsize) (at - scan->at)};
  scan->at = at;

  return TRUE;
}

static gboolean
scan_literal (ConicScan *scan, ConicJsonValue *value, const char *literal, ConicJsonKind kind)
{
  gsize length = strlen (literal);

  if ((gsize) (scan->end - scan->at) < length || memcmp (scan->at, literal, length) != 0)
    return conic_scan_fail (scan, NULL, "not a value");

  value->kind = kind;
  value->text = (ConicSlice){scan->at, length};
  scan->at += length;

  return TRUE;
}

static gboolean
scan_deeper (ConicScan *scan)
{
  if (scan->depth == CONIC_JSON_MAX_DEPTH)
    return conic_scan_fail (scan, NULL, "nested too deeply");

  scan->depth++;
  scan->at++;
  scan->first = TRUE;

  return TRUE;
}

static void
scan_leave (ConicScan *scan)
{
  scan->depth--;
  scan->at++;
  scan->first = FALSE;
}

static gboolean
scan_array (ConicScan *scan)
{
  if (!conic_scan_open_array (scan))
    return FALSE;
  while (conic_scan_next_element (scan)) {
    if (!conic_scan_value (scan, NULL))
      return FALSE;
  }

  return scan->problem == NULL;
}

static gboolean
scan_object (ConicScan *scan)
{
  ConicJsonValue name;

  if (!conic_scan_open (scan))
    return FALSE;
  while (conic_scan_next_member (scan, &name)) {
    if (!conic_scan_value (scan, NULL))
      return FALSE;
  }

  return scan->problem == NULL;
}

gboolean
conic_scan_value (ConicScan *scan, ConicJsonValue *value)
{
  ConicJsonValue ignored;
  const char *begin;

  if (value == NULL)
    value = &ignored;

  switch (conic_scan_peek (scan)) {
  case '{':
  case '[':
    begin = scan->at;
    value->kind = *begin == '{' ? CONIC_JSON_OBJECT : CONIC_JSON_ARRAY;
    if (!(*begin == '{' ? scan_object (scan) : scan_array (scan)))
      return FALSE;
    value->text = (ConicSlice){begin, (gsize) (scan->at - begin)};
    return TRUE;
  case '"':
    return scan_string (scan, value);
  case 't':
    return scan_literal (scan, value, "true", CONIC_JSON_BOOLEAN);
  case 'f':
    return scan_literal (scan, value, "false", CONIC_JSON_BOOLEAN);
  case 'n':
    return scan_literal (scan, value, "null", CONIC_JSON_NULL);
  case '\0':
    return conic_scan_fail (scan, NULL, "a value is missing");
  default:
    return scan_number (scan, value);
  }
}

gboolean
conic_scan_open (ConicScan *scan)
{
  if (conic_scan_peek (scan) != '{')
    return conic_scan_fail (scan, NULL, "not an object");

  return scan_deeper (scan);
}

gboolean
conic_scan_open_array (ConicScan *scan)
{
  if (conic_scan_peek (scan) != '[')
    return conic_scan_fail (scan, NULL, "not an array");

  return scan_deeper (scan);
}

gboolean
conic_scan_next_element (ConicScan *scan)
{
  char c = conic_scan_peek (scan);

  if (c == ']') {
    scan_leave (scan);
    return FALSE;
  }

  if (!scan->first) {
    if (c != ',')
      return conic_scan_fail (scan, NULL, "neither a comma nor the end of the array");
    scan->at++;
  }
  scan->first = FALSE;

  return TRUE;
}

gboolean
conic_scan_next_member (ConicScan *scan, ConicJsonValue *name)
{
  char c = conic_scan_peek (scan);

  if (c == '}') {
    scan_leave (scan);
    return FALSE;
  }

  if (!scan->first) {
    if (c != ',')
      return conic_scan_fail (scan, NULL, "neither a comma nor the end of the object");
    scan->at++;
    c = conic_scan_peek (scan);
  }
  scan->first = FALSE;

  if (c != '"')
    return conic_scan_fail (scan, NULL, "a member's name is missing");
  if (!scan_string (scan, name))
    return FALSE;
  if (conic_scan_peek (scan) != ':')
    return conic_scan_fail (scan, NULL, "a colon is missing");
  scan->at++;

  return TRUE;
}

gboolean
conic_scan_finish (ConicScan *scan)
{
  conic_scan_peek (scan);
  if (scan->at != scan->end)
    return conic_scan_fail (scan, NULL, "something follows the JSON value");

  return TRUE;
}

gboolean
conic_scan_is_json (const char *text, gsize length)
{
  ConicScan scan;

  conic_scan_init (&scan, text, length);

  return conic_scan_value (&scan, NULL) && conic_scan_finish (&scan);
}

gsize
conic_scan_unescape (ConicSlice string, char *out)
{
  const char *at = string.data, *end = string.data + string.length;
  char *to = out;

  while (at < end) {
    const char *backslash = memchr (at, '\\', (gsize) (end - at));
    gsize run = (gsize) ((backslash != NULL ? backslash : end) - at);
    gunichar character;

    memcpy (to, at, run);
    to += run;
    at += run;
    if (backslash == NULL)
      break;

    if (at[1] != 'u') {
      *to++ = simple_escape (at[1]);
      at += 2;
      continue;
    }
    at = read_unicode_escape (at, end, &character);
    to += g_unichar_to_utf8 (character, to);
  }

  return (gsize) (to - out);
}
