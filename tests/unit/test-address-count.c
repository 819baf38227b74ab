/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shows which connections count as of one address, and that an address is forgotten with its last
 * connection. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "conic-address-count.h"

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} Address;

static Address
parse (const char *text)
{
  Address address;

  memset (&address, 0, sizeof address);
  if (inet_pton (AF_INET, text, &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    return address;
  }
  g_assert_cmpint (inet_pton (AF_INET6, text, &address.v6.sin6_addr), ==, 1);
  address.v6.sin6_family = AF_INET6;
  return address;
}

static ConicAddress *
add (ConicAddressCount *count, const char *text)
{
  Address address = parse (text);
  ConicAddress *added;

  /* A port is not part of it. */
  address.v4.sin_port = g_test_rand_int () & 0xffff;
  added = conic_address_count_add (count, &address.any);
  g_assert_nonnull (added);
  return added;
}

static void
test_networks (void)
{
  const struct {
    const char *one, *other;
    gboolean same;
  } pairs[] = {
      {"192.0.2.1", "192.0.2.1", TRUE},
      {"192.0.2.1", "192.0.2.2", FALSE},
      {"192.0.2.1", "::ffff:192.0.2.1", TRUE},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.2", FALSE},
      {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", TRUE},
      {"2001:db8::1", "2001:db8:0:1::1", FALSE},
      {"::1", "192.0.2.1", FALSE},
      {"::1", "0.0.0.0", FALSE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autoptr (ConicAddressCount) count = conic_address_count_new ();
    ConicAddress *one = add (count, pairs[i].one);
    ConicAddress *other = add (count, pairs[i].other);

    g_test_message ("%s and %s", pairs[i].one, pairs[i].other);
    g_assert_true ((one == other) == pairs[i].same);
    g_assert_cmpuint (conic_address_get_n_connections (one), ==, pairs[i].same ? 2 : 1);
    conic_address_release (one);
    g_assert_cmpuint (conic_address_get_n_connections (other), ==, 1);
    conic_address_release (other);
  }
}

static void
test_many (void)
{
  g_autoptr (ConicAddressCount) count = conic_address_count_new ();
  ConicAddress *held[3][256];

  for (guint n = 0; n < 3; n++) {
    for (guint i = 0; i < 256; i++) {
      g_autofree char *text = g_strdup_printf (i % 2 == 0 ? "10.0.0.%u" : "2001:db8:%x::", i);

      held[n][i] = add (count, text);
      g_assert_cmpuint (conic_address_get_n_connections (held[n][i]), ==, n + 1);
    }
  }
  for (guint n = 0; n < 3; n++)
    for (guint i = 0; i < 256; i++)
      conic_address_release (held[n][i]);
  for (guint i = 0; i < 256; i++) {
    g_autofree char *text = g_strdup_printf ("10.0.0.%u", i);

    held[0][i] = add (count, text);
    g_assert_cmpuint (conic_address_get_n_connections (held[0][i]), ==, 1);
    conic_address_release (held[0][i]);
  }
}

static void
test_no_address (void)
{
  g_autoptr (ConicAddressCount) count = conic_address_count_new ();
  const struct sockaddr local = {.sa_family = AF_UNIX};

  g_assert_null (conic_address_count_add (count, &local));
  conic_address_release (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address-count/networks", test_networks);
  g_test_add_func ("/address-count/many", test_many);
  g_test_add_func ("/address-count/no-address", test_no_address);
  return g_test_run ();
}
