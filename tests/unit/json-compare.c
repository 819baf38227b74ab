/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "json-compare.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "conic-scan.h"

static gboolean compare_value (ConicScan *scan, JsonNode *node);

static char *
dup_string (const ConicJsonValue *value)
{
  char *text = g_malloc (value->text.length + 1);

  text[conic_scan_unescape (value->text, text)] = '\0';

  return text;
}

static gboolean
compare_object (ConicScan *scan, JsonNode *node)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ConicScan again = *scan;
  ConicJsonValue name;
  gboolean comparable = TRUE;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  object = json_node_get_object (node);

  conic_scan_open (&again);
  while (conic_scan_next_member (&again, &name)) {
    comparable = comparable && !name.has_nul && g_hash_table_add (names, dup_string (&name));
    conic_scan_value (&again, NULL);
  }
  if (!comparable)
    return conic_scan_value (scan, NULL);
  if (g_hash_table_size (names) != json_object_get_size (object))
    return FALSE;

  conic_scan_open (scan);
  while (conic_scan_next_member (scan, &name)) {
    g_autofree char *text = dup_string (&name);
    JsonNode *member = json_object_get_member (object, text);

    if (member == NULL || !compare_value (scan, member))
      return FALSE;
  }

  return TRUE;
}

static gboolean
compare_array (ConicScan *scan, JsonNode *node)
{
  JsonArray *array;
  guint i = 0;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);

  scan->at++;
  scan->depth++;
  while (conic_scan_peek (scan) != ']') {
    if (i == json_array_get_length (array) ||
        !compare_value (scan, json_array_get_element (array, i++)))
      return FALSE;
    if (conic_scan_peek (scan) == ',')
      scan->at++;
  }
  scan->at++;
  scan->depth--;

  return i == json_array_get_length (array);
}

static gboolean
compare_number (const ConicJsonValue *value, JsonNode *node)
{
  g_autofree char *text = g_strndup (value->text.data, value->text.length);
  guint64 magnitude;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  if (strpbrk (text, ".eE") != NULL)
    return json_node_get_double (node) == g_ascii_strtod (text, NULL);
  if (!g_ascii_string_to_unsigned (text + (*text == '-'), 10, 0, G_MAXINT64, &magnitude, NULL))
    return TRUE;

  return json_node_get_int (node) == (*text == '-' ? -(gint64)magnitude : (gint64)magnitude);
}

static gboolean
compare_value (ConicScan *scan, JsonNode *node)
{
  ConicJsonValue value;
  g_autofree char *text = NULL;

  switch (conic_scan_peek (scan)) {
  case '{':
    return compare_object (scan, node);
  case '[':
    return compare_array (scan, node);
  default:
    break;
  }

  if (!conic_scan_value (scan, &value))
    return FALSE;
  switch (value.kind) {
  case CONIC_JSON_STRING:
    text = dup_string (&value);
    return json_node_get_value_type (node) == G_TYPE_STRING &&
           (value.has_nul || strcmp (json_node_get_string (node), text) == 0);
  case CONIC_JSON_NUMBER:
    return compare_number (&value, node);
  case CONIC_JSON_BOOLEAN:
    return json_node_get_value_type (node) == G_TYPE_BOOLEAN &&
           json_node_get_boolean (node) == (*value.text.data == 't');
  case CONIC_JSON_NULL:
    return JSON_NODE_HOLDS_NULL (node);
  case CONIC_JSON_OBJECT:
  case CONIC_JSON_ARRAY:
    break;
  }

  g_return_val_if_reached (FALSE);
}

JsonCompare
json_compare (const char *text, gsize length)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *terminated = NULL;
  ConicScan scan;

  /* Only what the scanner accepts may reach json-glib: the rest can crash it. */
  if (!conic_scan_is_json (text, length))
    return JSON_COMPARE_SCANNER_REFUSES;

  terminated = g_strndup (text, length);
  if (!json_parser_load_from_data (parser, terminated, -1, NULL) ||
      json_parser_get_root (parser) == NULL)
    return JSON_COMPARE_JSON_GLIB_REFUSES;

  conic_scan_init (&scan, text, length);

  return compare_value (&scan, json_parser_get_root (parser)) ? JSON_COMPARE_SAME
                                                              : JSON_COMPARE_DIFFERENT;
}
