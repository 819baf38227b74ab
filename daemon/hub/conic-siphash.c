/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-siphash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

void
conic_siphash_make_key (ConicSiphashKey *key)
{
  while (getrandom (key, sizeof *key, 0) != sizeof *key)
    g_assert (errno == EINTR);
}

static inline guint64
rotate (guint64 word, guint bits)
{
  return word << bits | word >> (64 - bits);
}

static inline void
mix (guint64 v[4])
{
  v[0] += v[1];
  v[1] = rotate (v[1], 13) ^ v[0];
  v[0] = rotate (v[0], 32);
  v[2] += v[3];
  v[3] = rotate (v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotate (v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotate (v[1], 17) ^ v[2];
  v[2] = rotate (v[2], 32);
}

static inline void
absorb (guint64 v[4], guint64 word)
{
  v[3] ^= word;
  mix (v);
  mix (v);
  v[0] ^= word;
}

guint64
conic_siphash (const ConicSiphashKey *key, const char *data, gsize length)
{
  guint64 v[4] = {
      key->low ^ G_GUINT64_CONSTANT (0x736f6d6570736575),
      key->high ^ G_GUINT64_CONSTANT (0x646f72616e646f6d),
      key->low ^ G_GUINT64_CONSTANT (0x6c7967656e657261),
      key->high ^ G_GUINT64_CONSTANT (0x7465646279746573),
  };
  const char *end = data + length / 8 * 8;
  guint64 word;

  for (; data < end; data += 8) {
    memcpy (&word, data, 8);
    absorb (v, GUINT64_FROM_LE (word));
  }

  word = 0;
  memcpy (&word, data, length % 8);
  absorb (v, GUINT64_FROM_LE (word) | (guint64)length << 56);

  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++)
    mix (v);

  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
