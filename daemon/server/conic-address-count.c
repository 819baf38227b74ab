/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-address-count.h"

#include "conic-siphash.h"

#include <netinet/in.h>
#include <string.h>

/* Bytes of an IPv6 address that are the network's: whoever has one address of a /64 has them all. */
#define NETWORK_BYTES 8

struct _ConicAddress {
  ConicAddressCount *owner;
  guint8 bytes[16]; /* as IPv6; beyond the network all zeros */
  guint hash;
  guint n_connections;
};

struct _ConicAddressCount {
  GHashTable *addresses; /* set of ConicAddress */
  ConicSiphashKey key;   /* a network of its own is enough to choose many addresses from */
};

static guint
address_hash (gconstpointer data)
{
  return ((const ConicAddress *) data)->hash;
}

static gboolean
address_equal (gconstpointer a, gconstpointer b)
{
  const ConicAddress *one = a, *other = b;

  return memcmp (one->bytes, other->bytes, sizeof one->bytes) == 0;
}

ConicAddressCount *
conic_address_count_new (void)
{
  ConicAddressCount *self = g_new0 (ConicAddressCount, 1);

  self->addresses = g_hash_table_new_full (address_hash, address_equal, g_free, NULL);
  conic_siphash_make_key (&self->key);
  return self;
}

/**
 * conic_address_count_free:
 * @self: (transfer full): the count
 *
 * Forgets everything; no address may be released any more.
 */
void
conic_address_count_free (ConicAddressCount *self)
{
  g_hash_table_unref (self->addresses);
  g_free (self);
}

static gboolean
read_address (guint8 *bytes, const struct sockaddr *from)
{
  static const guint8 mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

  memset (bytes, 0, 16);
  if (from->sa_family == AF_INET) {
    memcpy (bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy (bytes + sizeof mapped_prefix, &((const struct sockaddr_in *) from)->sin_addr, 4);
    return TRUE;
  }
  if (from->sa_family == AF_INET6) {
    const struct in6_addr *address = &((const struct sockaddr_in6 *) from)->sin6_addr;

    memcpy (bytes, address, IN6_IS_ADDR_V4MAPPED (address) ? sizeof *address : NETWORK_BYTES);
    return TRUE;
  }
  return FALSE;
}

/**
 * conic_address_count_add:
 * @self: the count
 * @from: where a connection comes from
 *
 * Counts one more connection from there.
 *
 * Returns: (transfer full) (nullable): its address, to be given back with conic_address_release()
 *   when the connection is gone; %NULL if that is none of IPv4 or IPv6
 */
ConicAddress *
conic_address_count_add (ConicAddressCount *self, const struct sockaddr *from)
{
  ConicAddress wanted, *address;

  if (!read_address (wanted.bytes, from))
    return NULL;
  wanted.hash = conic_siphash (&self->key, (const char *) wanted.bytes, sizeof wanted.bytes);
  address = g_hash_table_lookup (self->addresses, &wanted);
  if (address == NULL) {
    wanted.owner = self;
    wanted.n_connections = 0;
    address = g_memdup2 (&wanted, sizeof wanted);
    g_hash_table_add (self->addresses, address);
  }
  address->n_connections++;
  return address;
}

/* How many connections there are from the address. */
guint
conic_address_get_n_connections (const ConicAddress *address)
{
  return address->n_connections;
}

/**
 * conic_address_release:
 * @address: (transfer full) (nullable): the address
 *
 * One of its connections is gone.
 */
void
conic_address_release (ConicAddress *address)
{
  if (address != NULL && --address->n_connections == 0)
    g_hash_table_remove (address->owner->addresses, address);
}
