/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GStreamer finds the SCTP associations of a process by a number of 16 bits. webrtcbin throws dice for
 * it: beside a hundred sessions, one new one in 655 would get the number of another, and no channels. */

#include "gstconicassociation.h"

#include <stdbool.h>

/* More than there can be sessions: each has a few threads. */
#define NUMBERS (G_MAXUINT16 + 1)

/* The process's, as the associations are. */
G_LOCK_DEFINE_STATIC (numbers);
static bool claimed[NUMBERS];
static guint last;

static void
on_element_added (GstBin *webrtcbin, GstElement *element, gpointer number)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const char *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";

  if (g_str_equal (name, "sctpdec") || g_str_equal (name, "sctpenc"))
    g_object_set (element, "sctp-association-id", GPOINTER_TO_UINT (number), NULL);
}

guint
gst_conic_association_claim (GstElement *webrtcbin)
{
  guint number;

  G_LOCK (numbers);
  do
    last = (last + 1) % NUMBERS;
  while (claimed[last]);
  claimed[last] = true;
  number = last;
  G_UNLOCK (numbers);

  g_signal_connect (webrtcbin, "element-added", G_CALLBACK (on_element_added),
                    GUINT_TO_POINTER (number));
  return number;
}

void
gst_conic_association_release (guint number)
{
  G_LOCK (numbers);
  claimed[number] = false;
  G_UNLOCK (numbers);
}
