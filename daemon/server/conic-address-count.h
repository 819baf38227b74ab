/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/**
 * ConicAddressCount:
 *
 * How many connections each address has. An IPv6 address stands for its /64, for that is what one
 * household or one machine is given; an IPv4 address that came as IPv6 (::ffff:0:0/96) is itself.
 */
typedef struct _ConicAddressCount ConicAddressCount;

/**
 * ConicAddress:
 *
 * An address, as long as it has a connection. Each of its connections holds it once.
 */
typedef struct _ConicAddress ConicAddress;

ConicAddressCount *conic_address_count_new (void);
void conic_address_count_free (ConicAddressCount *count);

ConicAddress *conic_address_count_add (ConicAddressCount *count, const struct sockaddr *from);

guint conic_address_get_n_connections (const ConicAddress *address);
void conic_address_release (ConicAddress *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicAddressCount, conic_address_count_free)

G_END_DECLS
