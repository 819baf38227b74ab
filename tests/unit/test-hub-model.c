/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that a hub gives everybody the same answers as a naive model of it, over long random
 * sequences of connections, messages, losses and waits. Run with --seed to see one again. */

#include "hub-model.h"

#define N_RUNS    200
#define RUN_BYTES (4 * 1000 + 1)

static void
test_random (void)
{
  g_autofree guint8 *data = g_malloc (RUN_BYTES);

  for (int run = 0; run < N_RUNS; run++) {
    for (gsize i = 0; i < RUN_BYTES; i++)
      data[i] = (guint8)g_test_rand_int_range (0, 256);
    /* Shutting down ends what is worth seeing: only every fourth run does it. */
    for (gsize i = 1; run % 4 != 0 && i < RUN_BYTES; i += 4)
      data[i] &= 0x7f;
    hub_model_run (data, RUN_BYTES);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/hub-model/random", test_random);

  return g_test_run ();
}
