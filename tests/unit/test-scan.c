/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that the scanner accepts exactly RFC 8259 (less lone surrogates and deep nesting), by cases
 * in the categories of JSONTestSuite: `y_` must be accepted, `n_` refused. Everything accepted is
 * read by json-glib too, and has to mean the same there. */

#include <glib.h>
#include <string.h>

#include "conic-limits.h"
#include "conic-scan.h"
#include "json-compare.h"

typedef struct {
  const char *name;
  const char *text;
  gsize length;
} Case;

#define CASE(name_, text_)                                                                         \
  {                                                                                                \
    name_, text_, sizeof text_ - 1                                                                 \
  }

static const Case cases[] = {
    CASE ("y_array_arraysWithSpaces", "[[]   ]"),
    CASE ("y_array_empty-string", "[\"\"]"),
    CASE ("y_array_empty", "[]"),
    CASE ("y_array_ending_with_newline", "[\"a\"]\n"),
    CASE ("y_array_false", "[false]"),
    CASE ("y_array_heterogeneous", "[null, 1, \"1\", {}]"),
    CASE ("y_array_null", "[null]"),
    CASE ("y_array_with_1_and_newline", "[1\n]"),
    CASE ("y_array_with_leading_space", " [1]"),
    CASE ("y_array_with_several_null", "[1,null,null,null,2]"),
    CASE ("y_array_with_trailing_space", "[2] "),
    CASE ("y_number", "[123e65]"),
    CASE ("y_number_0e+1", "[0e+1]"),
    CASE ("y_number_0e1", "[0e1]"),
    CASE ("y_number_after_space", "[ 4]"),
    CASE ("y_number_double_close_to_zero", "[-0.00000000000000000000000000000000000000000001]"),
    CASE ("y_number_int_with_exp", "[20e1]"),
    CASE ("y_number_minus_zero", "[-0]"),
    CASE ("y_number_negative_int", "[-123]"),
    CASE ("y_number_negative_one", "[-1]"),
    CASE ("y_number_negative_zero", "[-0.0]"),
    CASE ("y_number_real_capital_e", "[1E22]"),
    CASE ("y_number_real_capital_e_neg_exp", "[1E-2]"),
    CASE ("y_number_real_capital_e_pos_exp", "[1E+2]"),
    CASE ("y_number_real_exponent", "[123e45]"),
    CASE ("y_number_real_fraction_exponent", "[123.456e78]"),
    CASE ("y_number_real_neg_exp", "[1e-2]"),
    CASE ("y_number_real_pos_exponent", "[1e+2]"),
    CASE ("y_number_simple_int", "[123]"),
    CASE ("y_number_simple_real", "[123.456789]"),
    CASE ("y_number_big_int", "[100000000000000000000]"),
    CASE ("y_number_huge_exp", "[0.4e00669999999999999999999999999999999999999969999999006]"),
    CASE ("y_object", "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
    CASE ("y_object_basic", "{\"asd\":\"sdf\"}"),
    CASE ("y_object_duplicated_key", "{\"a\":\"b\",\"a\":\"c\"}"),
    CASE ("y_object_duplicated_key_and_value", "{\"a\":\"b\",\"a\":\"b\"}"),
    CASE ("y_object_empty", "{}"),
    CASE ("y_object_empty_key", "{\"\":0}"),
    CASE ("y_object_escaped_null_in_key", "{\"foo\\u0000bar\": 42}"),
    CASE ("y_object_extreme_numbers", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
    CASE (
        "y_object_long_strings",
        "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxxxx\"}"),
    CASE ("y_object_simple", "{\"a\":[]}"),
    CASE ("y_object_string_unicode",
          "{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430\" }"),
    CASE ("y_object_with_newlines", "{\n\"a\": \"b\"\n}"),
    CASE ("y_object_with_all_white_space", "{\t\"a\"\r\n : \t\"b\" \r,\n\"c\"\t:1\r}"),
    CASE ("y_string_1_2_3_bytes_UTF-8_sequences", "[\"\\u0060\\u012a\\u12AB\"]"),
    CASE ("y_string_accepted_surrogate_pair", "[\"\\uD801\\udc37\"]"),
    CASE ("y_string_accepted_surrogate_pairs", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    CASE ("y_string_allowed_escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    CASE ("y_string_backslash_and_u_escaped_zero", "[\"\\\\u0000\"]"),
    CASE ("y_string_backslash_doublequotes", "[\"\\\"\"]"),
    CASE ("y_string_comments", "[\"a/*b*/c/*d//e\"]"),
    CASE ("y_string_double_escape_a", "[\"\\\\a\"]"),
    CASE ("y_string_double_escape_n", "[\"\\\\n\"]"),
    CASE ("y_string_escaped_control_character", "[\"\\u0012\"]"),
    CASE ("y_string_escaped_noncharacter", "[\"\\uFFFF\"]"),
    CASE ("y_string_in_array", "[\"asd\"]"),
    CASE ("y_string_in_array_with_leading_space", "[ \"asd\"]"),
    CASE ("y_string_last_surrogates_1_and_2", "[\"\\uDBFF\\uDFFF\"]"),
    CASE ("y_string_nbsp_uescaped", "[\"new\\u00A0line\"]"),
    CASE ("y_string_nonCharacterInUTF-8_U+10FFFF", "[\"\xf4\x8f\xbf\xbf\"]"),
    CASE ("y_string_nonCharacterInUTF-8_U+FFFF", "[\"\xef\xbf\xbf\"]"),
    CASE ("y_string_null_escape", "[\"\\u0000\"]"),
    CASE ("y_string_one-byte-utf-8", "[\"\\u002c\"]"),
    CASE ("y_string_pi", "[\"\xcf\x80\"]"),
    CASE ("y_string_simple_ascii", "[\"asd \"]"),
    CASE ("y_string_space", "\" \""),
    CASE ("y_string_surrogates_U+1D11E", "[\"\\uD834\\uDd1e\"]"),
    CASE ("y_string_three-byte-utf-8", "[\"\\u0821\"]"),
    CASE ("y_string_two-byte-utf-8", "[\"\\u0123\"]"),
    CASE ("y_string_u+2028_line_sep", "[\"\xe2\x80\xa8\"]"),
    CASE ("y_string_u+2029_par_sep", "[\"\xe2\x80\xa9\"]"),
    CASE ("y_string_uEscape", "[\"\\u0061\\u30af\\u30EA\\u30b9\"]"),
    CASE ("y_string_unescaped_char_delete", "[\"\x7f\"]"),
    CASE ("y_string_unicode_2", "[\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\"]"),
    CASE ("y_string_unicodeEscapedBackslash", "[\"\\u005C\"]"),
    CASE ("y_string_unicode_U+200B", "[\"\\u200B\"]"),
    CASE ("y_string_unicode_escaped_double_quote", "[\"\\u0022\"]"),
    CASE ("y_string_utf8", "[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]"),
    CASE ("y_string_eight_plain", "[\"abcdefgh\"]"),
    CASE ("y_string_stop_in_each_place",
          "[\"a\\n\",\"ab\\n\",\"abc\\n\",\"abcd\\n\",\"abcdefg\\n\"]"),
    CASE ("y_structure_lonely_false", "false"),
    CASE ("y_structure_lonely_int", "42"),
    CASE ("y_structure_lonely_negative_real", "-0.1"),
    CASE ("y_structure_lonely_null", "null"),
    CASE ("y_structure_lonely_string", "\"asd\""),
    CASE ("y_structure_lonely_true", "true"),
    CASE ("y_structure_string_empty", "\"\""),
    CASE ("y_structure_trailing_newline", "[\"a\"]\n"),
    CASE ("y_structure_true_in_array", "[true]"),
    CASE ("y_structure_whitespace_array", " [] "),

    CASE ("n_array_1_true_without_comma", "[1 true]"),
    CASE ("n_array_a_invalid_utf8", "[a\xe5]"),
    CASE ("n_array_colon_instead_of_comma", "[\"\": 1]"),
    CASE ("n_array_comma_after_close", "[\"\"],"),
    CASE ("n_array_comma_and_number", "[,1]"),
    CASE ("n_array_double_comma", "[1,,2]"),
    CASE ("n_array_double_extra_comma", "[\"x\",,]"),
    CASE ("n_array_extra_close", "[\"x\"]]"),
    CASE ("n_array_extra_comma", "[\"\",]"),
    CASE ("n_array_incomplete", "[\"x\""),
    CASE ("n_array_incomplete_invalid_value", "[x"),
    CASE ("n_array_inner_array_no_comma", "[3[4]]"),
    CASE ("n_array_invalid_utf8", "[\xff]"),
    CASE ("n_array_items_separated_by_semicolon", "[1:2]"),
    CASE ("n_array_just_comma", "[,]"),
    CASE ("n_array_just_minus", "[-]"),
    CASE ("n_array_missing_value", "[   , \"\"]"),
    CASE ("n_array_newlines_unclosed", "[\"a\",\n4\n,1,"),
    CASE ("n_array_number_and_comma", "[1,]"),
    CASE ("n_array_number_and_several_commas", "[1,,]"),
    CASE ("n_array_spaces_vertical_tab_formfeed", "[\"\x0b\"\"a\"\\f]"),
    CASE ("n_array_star_inside", "[*]"),
    CASE ("n_array_unclosed", "[\"\""),
    CASE ("n_array_unclosed_trailing_comma", "[1,"),
    CASE ("n_array_unclosed_with_object_inside", "[{}"),
    CASE ("n_incomplete_false", "[fals]"),
    CASE ("n_incomplete_null", "[nul]"),
    CASE ("n_incomplete_true", "[tru]"),
    CASE ("n_multidigit_number_then_00", "123\0"),
    CASE ("n_number_++", "[++1234]"),
    CASE ("n_number_+1", "[+1]"),
    CASE ("n_number_+Inf", "[+Inf]"),
    CASE ("n_number_-01", "[-01]"),
    CASE ("n_number_-1.0.", "[-1.0.]"),
    CASE ("n_number_-2.", "[-2.]"),
    CASE ("n_number_-NaN", "[-NaN]"),
    CASE ("n_number_.-1", "[.-1]"),
    CASE ("n_number_.2e-3", "[.2e-3]"),
    CASE ("n_number_0.1.2", "[0.1.2]"),
    CASE ("n_number_0.3e+", "[0.3e+]"),
    CASE ("n_number_0.3e", "[0.3e]"),
    CASE ("n_number_0.e1", "[0.e1]"),
    CASE ("n_number_0_capital_E+", "[0E+]"),
    CASE ("n_number_0_capital_E", "[0E]"),
    CASE ("n_number_0e+", "[0e+]"),
    CASE ("n_number_0e", "[0e]"),
    CASE ("n_number_1.0e+", "[1.0e+]"),
    CASE ("n_number_1.0e-", "[1.0e-]"),
    CASE ("n_number_1.0e", "[1.0e]"),
    CASE ("n_number_1_000", "[1 000.0]"),
    CASE ("n_number_1eE2", "[1eE2]"),
    CASE ("n_number_2.e+3", "[2.e+3]"),
    CASE ("n_number_2.e-3", "[2.e-3]"),
    CASE ("n_number_2.e3", "[2.e3]"),
    CASE ("n_number_9.e+", "[9.e+]"),
    CASE ("n_number_Inf", "[Inf]"),
    CASE ("n_number_NaN", "[NaN]"),
    CASE ("n_number_U+FF11_fullwidth_digit_one", "[\xef\xbc\x91]"),
    CASE ("n_number_expression", "[1+2]"),
    CASE ("n_number_hex_1_digit", "[0x1]"),
    CASE ("n_number_hex_2_digits", "[0x42]"),
    CASE ("n_number_infinity", "[Infinity]"),
    CASE ("n_number_invalid+-", "[0e+-1]"),
    CASE ("n_number_invalid-negative-real", "[-123.123foo]"),
    CASE ("n_number_invalid-utf-8-in-bigger-int", "[123\xe5]"),
    CASE ("n_number_minus_infinity", "[-Infinity]"),
    CASE ("n_number_minus_sign_with_trailing_garbage", "[-foo]"),
    CASE ("n_number_minus_space_1", "[- 1]"),
    CASE ("n_number_neg_int_starting_with_zero", "[-012]"),
    CASE ("n_number_neg_real_without_int_part", "[-.123]"),
    CASE ("n_number_neg_with_garbage_at_end", "[-1x]"),
    CASE ("n_number_real_garbage_after_e", "[1ea]"),
    CASE ("n_number_real_with_invalid_utf8_after_e", "[1e\xe5]"),
    CASE ("n_number_real_without_fractional_part", "[1.]"),
    CASE ("n_number_starting_with_dot", "[.123]"),
    CASE ("n_number_with_alpha", "[1.2a-3]"),
    CASE ("n_number_with_leading_zero", "[012]"),
    CASE ("n_object_bad_value", "[\"x\", truth]"),
    CASE ("n_object_bracket_key", "{[: \"x\"}"),
    CASE ("n_object_comma_instead_of_colon", "{\"x\", null}"),
    CASE ("n_object_double_colon", "{\"x\"::\"b\"}"),
    CASE ("n_object_emoji", "{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"),
    CASE ("n_object_garbage_at_end", "{\"a\":\"a\" 123}"),
    CASE ("n_object_key_with_single_quotes", "{key: 'value'}"),
    CASE ("n_object_lone_continuation_byte_in_key", "{\"\xb9\":\"0\",}"),
    CASE ("n_object_missing_colon", "{\"a\" b}"),
    CASE ("n_object_missing_key", "{:\"b\"}"),
    CASE ("n_object_missing_semicolon", "{\"a\" \"b\"}"),
    CASE ("n_object_missing_value", "{\"a\":"),
    CASE ("n_object_no-colon", "{\"a\""),
    CASE ("n_object_non_string_key", "{1:1}"),
    CASE ("n_object_repeated_null_null", "{null:null,null:null}"),
    CASE ("n_object_several_trailing_commas", "{\"id\":0,,,,,}"),
    CASE ("n_object_single_quote", "{'a':0}"),
    CASE ("n_object_trailing_comma", "{\"id\":0,}"),
    CASE ("n_object_trailing_comment", "{\"a\":\"b\"}/**/"),
    CASE ("n_object_trailing_comment_slash_open", "{\"a\":\"b\"}//"),
    CASE ("n_object_two_commas_in_a_row", "{\"a\":\"b\",,\"c\":\"d\"}"),
    CASE ("n_object_unquoted_key", "{a: \"b\"}"),
    CASE ("n_object_unterminated-value", "{\"a\":\"a"),
    CASE ("n_object_with_single_string", "{ \"foo\" : \"bar\", \"a\" }"),
    CASE ("n_object_with_trailing_garbage", "{\"a\":\"b\"}#"),
    CASE ("n_object_leading_comma", "{,\"a\":1}"),
    CASE ("n_single_space", " "),
    CASE ("n_string_1_surrogate_then_escape", "[\"\\uD800\\\"]"),
    CASE ("n_string_1_surrogate_then_escape_u", "[\"\\uD800\\u\"]"),
    CASE ("n_string_1_surrogate_then_escape_u1", "[\"\\uD800\\u1\"]"),
    CASE ("n_string_1_surrogate_then_escape_u1x", "[\"\\uD800\\u1x\"]"),
    CASE ("n_string_1st_surrogate_but_2nd_missing", "[\"\\uDADA\"]"),
    CASE ("n_string_1st_valid_surrogate_2nd_invalid", "[\"\\uD888\\u1234\"]"),
    CASE ("n_string_inverted_surrogates", "[\"\\uDd1e\\uD834\"]"),
    CASE ("n_string_lone_second_surrogate", "[\"\\uDFAA\"]"),
    CASE ("n_string_accentuated_char_no_quotes", "[\xc3\xa9]"),
    CASE ("n_string_backslash_00", "[\"\\\0\"]"),
    CASE ("n_string_escape_x", "[\"\\x00\"]"),
    CASE ("n_string_escaped_backslash_bad", "[\"\\\\\\\"]"),
    CASE ("n_string_escaped_ctrl_char_tab", "[\"\\\t\"]"),
    CASE ("n_string_escaped_emoji", "[\"\\\xf0\x9f\x8c\x80\"]"),
    CASE ("n_string_incomplete_escape", "[\"\\\"]"),
    CASE ("n_string_incomplete_escaped_character", "[\"\\u00A\"]"),
    CASE ("n_string_incomplete_surrogate", "[\"\\uD834\\uDd\"]"),
    CASE ("n_string_incomplete_surrogate_escape_invalid", "[\"\\uD800\\uD800\\x\"]"),
    CASE ("n_string_invalid-utf-8-in-escape", "[\"\\u\xe5\"]"),
    CASE ("n_string_invalid_backslash_esc", "[\"\\a\"]"),
    CASE ("n_string_invalid_unicode_escape", "[\"\\uqqqq\"]"),
    CASE ("n_string_capital_U_escape", "[\"\\U0041\"]"),
    CASE ("n_string_invalid_utf8_after_escape", "[\"\\\xe5\"]"),
    CASE ("n_string_leading_uescaped_thinspace", "[\\u0020\"asd\"]"),
    CASE ("n_string_no_quotes_with_bad_escape", "[\\n]"),
    CASE ("n_string_single_doublequote", "\""),
    CASE ("n_string_single_quote", "['single quote']"),
    CASE ("n_string_single_string_no_double_quotes", "abc"),
    CASE ("n_string_start_escape_unclosed", "[\"\\"),
    CASE ("n_string_unescaped_ctrl_char", "[\"a\0a\"]"),
    CASE ("n_string_unescaped_newline", "[\"new\nline\"]"),
    CASE ("n_string_unescaped_tab", "[\"\t\"]"),
    CASE ("n_string_unescaped_unit_separator", "[\"\x1f\"]"),
    CASE ("n_string_with_trailing_garbage", "\"\"x"),
    CASE ("n_string_UTF-8_invalid_sequence", "[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    CASE ("n_string_UTF8_surrogate_U+D800", "[\"\xed\xa0\x80\"]"),
    CASE ("n_string_invalid_utf-8", "[\"\xff\"]"),
    CASE ("n_string_iso_latin_1", "[\"\xe9\"]"),
    CASE ("n_string_lone_utf8_continuation_byte", "[\"\x81\"]"),
    CASE ("n_string_not_in_unicode_range", "[\"\xf4\xbf\xbf\xbf\"]"),
    CASE ("n_string_overlong_sequence_2_bytes", "[\"\xc0\xaf\"]"),
    CASE ("n_string_overlong_sequence_6_bytes", "[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    CASE ("n_string_overlong_sequence_6_bytes_null", "[\"\xfc\x80\x80\x80\x80\x80\"]"),
    CASE ("n_string_truncated-utf-8", "[\"\xe0\xff\"]"),
    CASE ("n_string_truncated_by_quote", "[\"\xe2\x82\"]"),
    CASE ("n_structure_UTF8_BOM_no_data", "\xef\xbb\xbf"),
    CASE ("n_structure_UTF8_BOM_empty_object", "\xef\xbb\xbf{}"),
    CASE ("n_structure_angle_bracket_.", "<.>"),
    CASE ("n_structure_angle_bracket_null", "[<null>]"),
    CASE ("n_structure_array_trailing_garbage", "[1]x"),
    CASE ("n_structure_array_with_extra_array_close", "[1]]"),
    CASE ("n_structure_array_with_unclosed_string", "[\"asd]"),
    CASE ("n_structure_ascii-unicode-identifier", "a\xc3\xa5"),
    CASE ("n_structure_capitalized_True", "[True]"),
    CASE ("n_structure_close_unopened_array", "1]"),
    CASE ("n_structure_comma_instead_of_closing_brace", "{\"x\": true,"),
    CASE ("n_structure_double_array", "[][]"),
    CASE ("n_structure_end_array", "]"),
    CASE ("n_structure_incomplete_UTF8_BOM", "\xef\xbb{}"),
    CASE ("n_structure_lone-invalid-utf-8", "\xe5"),
    CASE ("n_structure_lone-open-bracket", "["),
    CASE ("n_structure_no_data", ""),
    CASE ("n_structure_null-byte-outside-string", "[\0]"),
    CASE ("n_structure_number_with_trailing_garbage", "2@"),
    CASE ("n_structure_object_followed_by_closing_object", "{}}"),
    CASE ("n_structure_object_unclosed_no_value", "{\"\":"),
    CASE ("n_structure_object_with_comment", "{\"a\":/*comment*/\"b\"}"),
    CASE ("n_structure_object_with_trailing_garbage", "{\"a\": true} \"x\""),
    CASE ("n_structure_open_array_apostrophe", "['"),
    CASE ("n_structure_open_array_comma", "[,"),
    CASE ("n_structure_open_array_open_object", "[{"),
    CASE ("n_structure_open_array_open_string", "[\"a"),
    CASE ("n_structure_open_array_string", "[\"a\""),
    CASE ("n_structure_open_object", "{"),
    CASE ("n_structure_open_object_close_array", "{]"),
    CASE ("n_structure_open_object_comma", "{,"),
    CASE ("n_structure_open_object_open_array", "{["),
    CASE ("n_structure_open_object_open_string", "{\"a"),
    CASE ("n_structure_open_open", "[\"\\{[\"\\{[\"\\{[\"\\{"),
    CASE ("n_structure_single_eacute", "\xe9"),
    CASE ("n_structure_single_star", "*"),
    CASE ("n_structure_trailing_#", "{\"a\":\"b\"}#{}"),
    CASE ("n_structure_U+2060_word_joined", "[\xe2\x81\xa0]"),
    CASE ("n_structure_uescaped_LF_before_string", "[\\u000A\"\"]"),
    CASE ("n_structure_unclosed_array", "[1"),
    CASE ("n_structure_unclosed_array_partial_null", "[ false, nul"),
    CASE ("n_structure_unclosed_array_unfinished_false", "[ true, fals"),
    CASE ("n_structure_unclosed_array_unfinished_true", "[ false, tru"),
    CASE ("n_structure_unclosed_object", "{\"asd\":\"asd\""),
    CASE ("n_structure_unicode-identifier", "\xc3\xa5"),
    CASE ("n_structure_whitespace_U+2060_word_joiner", "\xe2\x81\xa0"),
    CASE ("n_structure_whitespace_formfeed", "[\x0c]"),
    CASE ("n_structure_whitespace_nbsp", "[\xc2\xa0]"),
    CASE ("n_structure_json_glib_var", "var x = {}"),
    CASE ("n_structure_json_glib_single_quotes", "{'id':'1'}"),
};

static void
test_case (gconstpointer data)
{
  const Case *one = data;
  /* In a block of its exact size, so that a sanitizer sees a read past its end. */
  g_autofree char *text = g_memdup2 (one->text, one->length);
  gboolean accepted = conic_scan_is_json (text, one->length);

  g_assert_cmpint (accepted, ==, one->name[0] == 'y');
  if (accepted)
    g_assert_cmpint (json_compare (text, one->length), ==, JSON_COMPARE_SAME);
}

static void
test_prefixes (void)
{
  /* No case that was cut short is read past its end. */
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (gsize length = 0; length < cases[i].length; length++) {
      g_autofree char *text = g_memdup2 (cases[i].text, length);

      if (conic_scan_is_json (text, length))
        g_assert_cmpint (json_compare (text, length), ==, JSON_COMPARE_SAME);
    }
  }
}

static void
test_depth (void)
{
  for (guint depth = 1; depth <= CONIC_JSON_MAX_DEPTH + 1; depth++) {
    g_autoptr (GString) arrays = g_string_new (NULL);
    g_autoptr (GString) objects = g_string_new (NULL);

    for (guint i = 0; i < depth; i++) {
      g_string_append_c (arrays, '[');
      g_string_append (objects, i + 1 == depth ? "{" : "{\"a\":");
    }
    for (guint i = 0; i < depth; i++) {
      g_string_append_c (arrays, ']');
      g_string_append_c (objects, '}');
    }
    g_assert_cmpint (conic_scan_is_json (arrays->str, arrays->len), ==,
                     depth <= CONIC_JSON_MAX_DEPTH);
    g_assert_cmpint (conic_scan_is_json (objects->str, objects->len), ==,
                     depth <= CONIC_JSON_MAX_DEPTH);
  }
}

/* What crashes json-glib 1.6. */
static void
test_many_brackets (void)
{
  const gsize length = 120 * 1024;
  g_autofree char *text = g_malloc (length);

  memset (text, '[', length);
  g_assert_false (conic_scan_is_json (text, length));
}

static void
test_stops_at_each_place (void)
{
  /* The bytes read at once must stop at the right one, wherever it is. */
  static const char stops[] = {'"', '\\', '\x1f', '\x00', '\x80'};

  for (gsize before = 0; before < 24; before++) {
    for (gsize i = 0; i < G_N_ELEMENTS (stops); i++) {
      char text[40];
      ConicScan scan;
      ConicJsonValue value;

      memset (text, '~', sizeof text);
      text[0] = '"';
      text[1 + before] = stops[i];
      conic_scan_init (&scan, text, sizeof text);
      if (stops[i] == '"') {
        g_assert_true (conic_scan_value (&scan, &value));
        g_assert_cmpuint (value.text.length, ==, before);
      } else {
        g_assert_false (conic_scan_value (&scan, &value));
        g_assert_cmpint (scan.at - text, ==, 1 + (gssize) before);
      }
    }
  }
}

/* What a string that begins with an escape comes to: @n backslashes and a character, wherever they
 * lie in the blocks that are read at once. */
static void
check_escapes (gsize before, gsize n, char c)
{
  const gboolean escaped = n % 2 == 1;
  const gsize at = 3 + before + n; /* of the character */
  char text[320];
  ConicScan scan;
  ConicJsonValue value;

  memset (text, 'n', sizeof text);
  memcpy (text, "\"\\n", 3);
  memset (text + 3 + before, '\\', n);
  text[at] = c;
  text[sizeof text - 1] = '"';

  conic_scan_init (&scan, text, sizeof text);
  if (escaped ? strchr ("\"\\/bfnrt", c) == NULL || c == '\0'
              : (guint8) c < ' ' || (guint8) c >= 0x80) {
    g_assert_false (conic_scan_value (&scan, &value));
    g_assert_cmpint (scan.at - text, ==, escaped ? at - 1 : at);
  } else {
    g_assert_true (conic_scan_value (&scan, &value));
    g_assert_true (value.escaped);
    g_assert_cmpuint (value.text.length, ==, !escaped && c == '"' ? at - 1 : sizeof text - 2);
  }
}

static void
test_escapes_at_each_place (void)
{
  static const char characters[] = {'"', 'n', 'r', 'b', '/', 'u', 'x', '\x1f', '\x00', '\x80'};

  for (gsize before = 0; before < 150; before++) {
    for (gsize n = 0; n < 70; n++) {
      for (gsize i = 0; i < G_N_ELEMENTS (characters); i++)
        check_escapes (before, n, characters[i]);
    }
  }
}

static void
test_unescape (void)
{
  const char text[] = "a\\n\\u00e9\\ud83d\\ude00\\/\\\"\\u0000z";
  const char expected[] = "a\n\xc3\xa9\xf0\x9f\x98\x80/\"\0z";
  char out[sizeof text];
  gsize length = conic_scan_unescape ((ConicSlice){text, sizeof text - 1}, out);

  g_assert_cmpmem (out, length, expected, sizeof expected - 1);
}

static void
test_members (void)
{
  const char text[] = " { \"a\" : [1,{}] , \"b\":\"\\u0000\" } ";
  ConicScan scan;
  ConicJsonValue name, value;

  conic_scan_init (&scan, text, sizeof text - 1);
  g_assert_true (conic_scan_open (&scan));
  g_assert_true (conic_scan_next_member (&scan, &name));
  g_assert_cmpmem (name.text.data, name.text.length, "a", 1);
  g_assert_true (conic_scan_value (&scan, &value));
  g_assert_cmpint (value.kind, ==, CONIC_JSON_ARRAY);
  g_assert_cmpmem (value.text.data, value.text.length, "[1,{}]", 6);
  g_assert_true (conic_scan_next_member (&scan, &name));
  g_assert_true (conic_scan_value (&scan, &value));
  g_assert_true (value.has_nul);
  g_assert_true (value.escaped);
  g_assert_false (conic_scan_next_member (&scan, &name));
  g_assert_null (scan.problem);
  g_assert_true (conic_scan_finish (&scan));
  g_assert_cmpuint (scan.depth, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/scan/case/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/scan/prefixes", test_prefixes);
  g_test_add_func ("/scan/depth", test_depth);
  g_test_add_func ("/scan/many-brackets", test_many_brackets);
  g_test_add_func ("/scan/stops-at-each-place", test_stops_at_each_place);
  g_test_add_func ("/scan/escapes-at-each-place", test_escapes_at_each_place);
  g_test_add_func ("/scan/unescape", test_unescape);
  g_test_add_func ("/scan/members", test_members);

  return g_test_run ();
}
