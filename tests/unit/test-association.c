/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers that sessions' SCTP associations get: both ends of one the same, no two of them. */

#include "gstconicassociation.h"

#define NUMBERS 65536

typedef struct {
  GstElement *bin;
  guint number;
} Session;

static void
open_session (Session *session)
{
  session->bin = gst_object_ref_sink (gst_bin_new (NULL));
  session->number = gst_conic_association_claim (session->bin);
}

static void
close_session (Session *session)
{
  gst_conic_association_release (session->number);
  gst_clear_object (&session->bin);
}

static guint
add_element (const Session *session, const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  guint number;

  g_assert_nonnull (element);
  gst_bin_add (GST_BIN (session->bin), element);
  g_object_get (element, "sctp-association-id", &number, NULL);
  return number;
}

static void
test_both_ends (void)
{
  Session one, other;

  open_session (&one);
  open_session (&other);
  g_assert_cmpuint (add_element (&one, "sctpdec"), ==, one.number);
  g_assert_cmpuint (add_element (&other, "sctpdec"), ==, other.number);
  g_assert_cmpuint (add_element (&one, "sctpenc"), ==, one.number);
  g_assert_cmpuint (add_element (&other, "sctpenc"), ==, other.number);
  g_assert_cmpuint (one.number, !=, other.number);
  close_session (&one);
  close_session (&other);
}

/* Also when the numbers have been gone through. */
static void
test_long_session (void)
{
  Session kept, brief;

  open_session (&kept);
  open_session (&brief);
  for (guint i = 0; i < NUMBERS; i++) {
    g_assert_cmpuint (brief.number, <, NUMBERS);
    g_assert_cmpuint (brief.number, !=, kept.number);
    gst_conic_association_release (brief.number);
    brief.number = gst_conic_association_claim (brief.bin);
  }
  close_session (&brief);
  close_session (&kept);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/association/both-ends", test_both_ends);
  g_test_add_func ("/association/long-session", test_long_session);
  return g_test_run ();
}
