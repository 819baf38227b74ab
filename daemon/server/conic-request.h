/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-address-count.h"
#include "conic-tls.h"

G_BEGIN_DECLS

/**
 * ConicRequest:
 * @fd: a connection, non-blocking, with a whole HTTP request to be read
 * @spare: a duplicate of @fd, made while the client can still be told that there are no descriptors
 *   left
 * @tls: (nullable): the TLS session on it; %NULL without TLS
 * @address: (nullable): what it is counted for
 * @since: the monotonic time at which it was accepted
 * @deadline: the monotonic time by which its request has to be answered
 *
 * A connection on its way to whoever answers it, who then has all that belongs to it.
 */
typedef struct {
  int fd;
  int spare;
  ConicTls *tls;
  ConicAddress *address;
  gint64 since;
  gint64 deadline;
} ConicRequest;

G_END_DECLS
