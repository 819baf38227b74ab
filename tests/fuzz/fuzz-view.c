/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A message that a view was made of is one that the codec reads too, and is still the same message
 * to the same peer however it is passed on. */

#include "conic-fuzz.h"

#include <string.h>

#include "conic-codec.h"
#include "conic-view.h"

#define SENDER "sender"

static void
check_relayed (const ConicView *view, ConicDialect target)
{
  g_autoptr (GBytes) text = conic_view_relay (view, SENDER, target);
  g_autofree char *exact = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ConicView) again = {0};

  if (text == NULL) {
    g_assert_true (view->has_from);
    g_assert_cmpint (view->dialect, ==, target);
    return;
  }

  exact = g_memdup2 (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  conic_view_scan (&again, exact, g_bytes_get_size (text), target, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again.type, ==, view->type);
  g_assert_cmpstr (again.from_id, ==, SENDER);
  g_assert_cmpstr (again.to_id, ==, view->to_id);
}

/* Of a readme registration the codec, which doesn't know who sent it, may make an answer. */
static gboolean
is_ambiguous (const ConicView *view)
{
  return view->dialect == CONIC_DIALECT_README && (view->type == CONIC_MESSAGE_REGISTER_REQUEST ||
                                                   view->type == CONIC_MESSAGE_UNREGISTER_REQUEST);
}

static void
check_accepted (const ConicView *view)
{
  ConicDialect dialect = view->dialect;
  g_autoptr (GError) error = NULL;
  g_autoptr (ConicMessage) message =
      conic_codec_parse (view->text.data, view->text.length, &dialect, &error);
  g_autofree char *id = conic_view_dup_id (view);

  g_assert_no_error (error);
  g_assert_cmpstr (message->id, ==, id);
  g_assert_cmpstr (message->from_id != NULL ? message->from_id : "", ==, view->from_id);
  g_assert_cmpstr (message->to_id != NULL ? message->to_id : "", ==, view->to_id);
  g_assert_cmpstr (message->client_id != NULL ? message->client_id : "", ==, view->client_id);

  if (conic_kind_get (view->type)->relayed) {
    g_assert_cmpint (message->type, ==, view->type);
    check_relayed (view, CONIC_DIALECT_ENVELOPE);
    check_relayed (view, CONIC_DIALECT_README);
  }
}

/* What only hubs say is refused from a client; all else that the codec reads is not. */
static void
check_refused (const ConicView *view, ConicDialect dialect, const GError *error)
{
  g_autoptr (ConicMessage) message =
      conic_codec_parse (view->text.data, view->text.length, &dialect, NULL);

  g_assert_true (error->domain == CONIC_ERROR);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  if (message == NULL)
    return;

  g_assert_cmpint (error->code, ==, CONIC_ERROR_UNKNOWN_TYPE);
  g_assert_true (message->type == CONIC_MESSAGE_REGISTER_RESPONSE ||
                 message->type == CONIC_MESSAGE_UNREGISTER_RESPONSE ||
                 message->type == CONIC_MESSAGE_LIST_RESPONSE ||
                 message->type == CONIC_MESSAGE_ERROR);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  for (ConicDialect dialect = CONIC_DIALECT_NONE; dialect <= CONIC_DIALECT_README; dialect++) {
    g_autoptr (GError) error = NULL;
    g_auto (ConicView) view;

    if (conic_view_scan (&view, (const char *) data, size, dialect, &error)) {
      if (!is_ambiguous (&view))
        check_accepted (&view);
    } else {
      check_refused (&view, dialect, error);
    }
  }

  return 0;
}
