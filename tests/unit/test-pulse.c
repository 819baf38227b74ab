/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a peer that says nothing is taken for gone. */

#include "gstconicpulse.h"

#define TIMEOUT 20

typedef struct {
  GstConicPulse pulse;
  GstConicPulseCounts counts;
} Patient;

/* How many beats it takes until the peer is gone; 0 if it isn't within the limit. */
static guint
beats_until_gone (Patient *patient, gboolean is_asked, guint timeout, guint limit)
{
  for (guint i = 1; i <= limit; i++)
    if (!gst_conic_pulse_beat (&patient->pulse, &patient->counts, is_asked, timeout))
      return i;
  return 0;
}

static void
hear (Patient *patient, gboolean is_asked, guint timeout)
{
  patient->counts.packets++;
  g_assert_true (gst_conic_pulse_beat (&patient->pulse, &patient->counts, is_asked, timeout));
}

static void
test_asked (void)
{
  Patient patient = {0};

  hear (&patient, TRUE, TIMEOUT);
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, TIMEOUT, 100), ==, TIMEOUT);
}

static void
test_asked_in_haste (void)
{
  Patient patient = {0};

  hear (&patient, TRUE, 1);
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, 1, 100), ==, 3);
}

static void
test_asked_not_heard (void)
{
  Patient patient = {.counts.has_mark = TRUE};

  /* Somebody else can make the path look alive. */
  hear (&patient, TRUE, 3);
  patient.counts.mark++;
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, 3, 100), ==, 3);
}

static void
test_checked (void)
{
  Patient patient = {.counts.has_mark = TRUE};

  for (guint i = 0; i < 10; i++) {
    g_assert_cmpuint (beats_until_gone (&patient, FALSE, TIMEOUT, TIMEOUT - 1), ==, 0);
    patient.counts.mark += 1000;
    g_assert_true (gst_conic_pulse_beat (&patient.pulse, &patient.counts, FALSE, TIMEOUT));
  }
  g_assert_cmpuint (beats_until_gone (&patient, FALSE, TIMEOUT, 100), ==, TIMEOUT);
}

static void
test_checked_in_haste (void)
{
  Patient patient = {.counts.has_mark = TRUE};

  /* Between two checks there are up to 6 s, and one may be lost. */
  hear (&patient, FALSE, 1);
  g_assert_cmpuint (beats_until_gone (&patient, FALSE, 1, 100), >=, 13);
}

static void
test_unknown (void)
{
  Patient patient = {0};

  hear (&patient, FALSE, 1);
  g_assert_cmpuint (beats_until_gone (&patient, FALSE, 1, 1000), ==, 0);
}

static void
test_talking (void)
{
  Patient patient = {0};

  hear (&patient, TRUE, TIMEOUT);
  for (guint i = 0; i < 10; i++) {
    g_assert_cmpuint (beats_until_gone (&patient, TRUE, TIMEOUT, TIMEOUT - 1), ==, 0);
    hear (&patient, TRUE, TIMEOUT);
  }
}

static void
test_wrapped (void)
{
  Patient patient = {0};

  patient.counts.packets = G_MAXUINT;
  g_assert_true (gst_conic_pulse_beat (&patient.pulse, &patient.counts, TRUE, 3));
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, 3, 2), ==, 0);
  hear (&patient, TRUE, 3);
  g_assert_cmpuint (patient.counts.packets, ==, 0);
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, 3, 2), ==, 0);
}

static void
test_reset (void)
{
  Patient patient = {0};

  hear (&patient, TRUE, TIMEOUT);
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, TIMEOUT, TIMEOUT - 1), ==, 0);
  gst_conic_pulse_reset (&patient.pulse);
  g_assert_cmpuint (beats_until_gone (&patient, TRUE, TIMEOUT, 100), ==, TIMEOUT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pulse/asked", test_asked);
  g_test_add_func ("/pulse/asked-in-haste", test_asked_in_haste);
  g_test_add_func ("/pulse/asked-not-heard", test_asked_not_heard);
  g_test_add_func ("/pulse/checked", test_checked);
  g_test_add_func ("/pulse/checked-in-haste", test_checked_in_haste);
  g_test_add_func ("/pulse/unknown", test_unknown);
  g_test_add_func ("/pulse/talking", test_talking);
  g_test_add_func ("/pulse/wrapped", test_wrapped);
  g_test_add_func ("/pulse/reset", test_reset);
  return g_test_run ();
}
