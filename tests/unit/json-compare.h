/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* What reading one text with the scanner and with json-glib came to. */
typedef enum {
  JSON_COMPARE_SAME,      /* both accept it and see the same values */
  JSON_COMPARE_DIFFERENT, /* both accept it and see different ones: somebody is wrong */
  JSON_COMPARE_SCANNER_REFUSES,
  JSON_COMPARE_JSON_GLIB_REFUSES,
} JsonCompare;

/* Reads @text with both. What json-glib gets wrong is left out of the comparison: it cuts strings
 * at U+0000, of two members with one name it keeps one, and integers beyond 64 bits overflow. */
JsonCompare json_compare (const char *text, gsize length);
