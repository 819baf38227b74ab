/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows that the registry's hash is SipHash-2-4, by the reference implementation's vectors. */

#include "conic-siphash.h"

static void
test_vectors (void)
{
  const ConicSiphashKey key = {
      .low = G_GUINT64_CONSTANT (0x0706050403020100),
      .high = G_GUINT64_CONSTANT (0x0f0e0d0c0b0a0908),
  };
  /* The input is 0, 1, 2, …; the vector's place is its length. */
  static const struct {
    gsize length;
    guint64 hash;
  } vectors[] = {
      {0, G_GUINT64_CONSTANT (0x726fdb47dd0e0e31)},  {1, G_GUINT64_CONSTANT (0x74f839c593dc67fd)},
      {7, G_GUINT64_CONSTANT (0xab0200f58b01d137)},  {8, G_GUINT64_CONSTANT (0x93f5f5799a932462)},
      {15, G_GUINT64_CONSTANT (0xa129ca6149be45e5)},
  };
  char input[16];

  for (gsize i = 0; i < sizeof input; i++)
    input[i] = (char)i;
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    g_assert_cmphex (conic_siphash (&key, input, vectors[i].length), ==, vectors[i].hash);
}

static void
test_keys_differ (void)
{
  ConicSiphashKey one, other;

  conic_siphash_make_key (&one);
  conic_siphash_make_key (&other);
  g_assert_cmphex (conic_siphash (&one, "id", 2), !=, conic_siphash (&other, "id", 2));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/siphash/vectors", test_vectors);
  g_test_add_func ("/siphash/keys-differ", test_keys_differ);

  return g_test_run ();
}
