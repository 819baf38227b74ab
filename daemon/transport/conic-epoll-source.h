/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

/**
 * ConicEpollSource:
 *
 * Any number of file descriptors and deadlines that are one GSource together.
 */
typedef struct _ConicEpollSource ConicEpollSource;

typedef struct _ConicWatch ConicWatch;
typedef struct _ConicDeadline ConicDeadline;

/* A file descriptor to watch. Embed it; the owner sets @ready and keeps the memory until it has
 * called conic_epoll_source_remove(). */
struct _ConicWatch {
  void (*ready) (ConicWatch *watch, guint32 events, gint64 now);
  int fd;
  guint32 events; /* EPOLL*, what is waited for */
};

/* A time at which something is to be done. Embed it; the owner sets @expired and keeps the memory
 * until it has called conic_epoll_source_set_deadline() with -1, or until @expired was called. */
struct _ConicDeadline {
  void (*expired) (ConicDeadline *deadline, gint64 now);
  gint64 at;          /* monotonic time, microseconds; only valid while it is set */
  GSequenceIter *set; /*< private >*/
};

/**
 * ConicEpollHooks:
 * @settle: called after each callback of a watch or a deadline, with whatever it did done: the
 *   place for what must not happen inside of it
 * @woken: called once in the first turn after a conic_epoll_source_wake()
 */
typedef struct {
  void (*settle) (gint64 now, gpointer user_data);
  void (*woken) (gint64 now, gpointer user_data);
} ConicEpollHooks;

ConicEpollSource *conic_epoll_source_new (GMainContext *context,
                                          const ConicEpollHooks *hooks,
                                          gpointer user_data,
                                          GError **error);
void conic_epoll_source_free (ConicEpollSource *source);

gboolean conic_epoll_source_add (ConicEpollSource *source, ConicWatch *watch, GError **error);
void conic_epoll_source_modify (ConicEpollSource *source, ConicWatch *watch, guint32 events);
void conic_epoll_source_remove (ConicEpollSource *source, ConicWatch *watch);

void conic_epoll_source_set_deadline (ConicEpollSource *source, ConicDeadline *deadline, gint64 at);

void conic_epoll_source_wake (ConicEpollSource *source);

/* Whether this is called from within a callback, so that the settle hook will be called. */
gboolean conic_epoll_source_is_dispatching (ConicEpollSource *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicEpollSource, conic_epoll_source_free)

G_END_DECLS
