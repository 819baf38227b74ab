/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-slice.h"

G_BEGIN_DECLS

/* Kinds of JSON values; a set of them is their sum. */
typedef enum {
  CONIC_JSON_OBJECT = 1 << 0,
  CONIC_JSON_ARRAY = 1 << 1,
  CONIC_JSON_STRING = 1 << 2,
  CONIC_JSON_NUMBER = 1 << 3,
  CONIC_JSON_BOOLEAN = 1 << 4,
  CONIC_JSON_NULL = 1 << 5,
} ConicJsonKind;

/**
 * ConicJsonValue:
 * @text: the value as written; a string without its quotes
 * @escaped: a string with at least one backslash
 * @has_nul: a string with the character U+0000, which no C string can hold
 *
 * A value that was found in a text and borrows from it.
 */
typedef struct {
  ConicJsonKind kind;
  gboolean escaped;
  gboolean has_nul;
  ConicSlice text;
} ConicJsonValue;

/**
 * ConicScan:
 * @start: where the text begins
 * @at: how far it was read; where the problem is if there is one
 * @problem: (nullable): a static string that says what is wrong, once something is
 * @subject: (nullable): a static string that names the member that @problem is about
 *
 * A strict reader of one JSON text (RFC 8259): one pass, no allocation, at most
 * %CONIC_JSON_MAX_DEPTH nested arrays and objects. Beyond the RFC it refuses lone surrogates,
 * and UTF-8 that RFC 3629 does.
 */
typedef struct {
  const char *start;
  const char *at;
  const char *end;
  const char *problem;
  const char *subject;
  guint depth;
  gboolean first; /* nothing in the innermost array or object was read yet */
} ConicScan;

void conic_scan_init (ConicScan *scan, const char *text, gsize length);

/* The next byte that is not white space, or '\0' at the end; doesn't consume it. */
char conic_scan_peek (ConicScan *scan);

/* Reads any value whole. FALSE: see scan->problem. @value may be NULL. */
gboolean conic_scan_value (ConicScan *scan, ConicJsonValue *value);

/* Enters the object that begins here. */
gboolean conic_scan_open (ConicScan *scan);

/* Enters the array that begins here. */
gboolean conic_scan_open_array (ConicScan *scan);

/* Whether there is a next element, which has to be read next. FALSE when the array has ended, or at a
 * problem. */
gboolean conic_scan_next_element (ConicScan *scan);

/* Reads the next member's name and colon; its value has to be read next. FALSE when the object
 * has ended, or at a problem. */
gboolean conic_scan_next_member (ConicScan *scan, ConicJsonValue *name);

/* Whether nothing but white space is left. */
gboolean conic_scan_finish (ConicScan *scan);

/* Marks a problem of the caller's finding at the current place; returns FALSE. */
gboolean conic_scan_fail (ConicScan *scan, const char *subject, const char *problem);

/* Whether @text is one JSON value and nothing else. */
gboolean conic_scan_is_json (const char *text, gsize length);

/**
 * conic_scan_unescape:
 * @string: a string's text that a scan has accepted
 * @out: (out caller-allocates): room for string.length bytes; not terminated
 *
 * Returns: bytes written to @out, never more than string.length
 */
gsize conic_scan_unescape (ConicSlice string, char *out);

G_END_DECLS
