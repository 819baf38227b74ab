/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub answers any sequence of events as a naive model of it does. */

#include "conic-fuzz.h"

#include "hub-model.h"

/* Bytes of decisions of one run, which are 256 steps: more only makes it slow. */
#define MAX_BYTES 1025

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  hub_model_run (data, MIN (size, MAX_BYTES));

  return 0;
}
