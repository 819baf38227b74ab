/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An iteration of a GMainContext costs time for each of its sources, so ten thousand clients must
 * not be ten thousand sources. Here they are one: the main loop polls a single epoll descriptor,
 * and wakes at the nearest of all deadlines.
 *
 * Descriptors are watched level-triggered unless they ask for EPOLLET: who has used up its share
 * of a turn just returns, and is called again in the next one, after everybody else. */

#include "conic-epoll-source.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <unistd.h>

/* Descriptors served in one call of epoll_wait. More would make the turns of a busy daemon longer,
 * fewer would make it ask more often. */
#define EVENTS_PER_WAIT 128

/* Calls of epoll_wait in a row before the rest of the main loop gets its turn. The main loop's own
 * polling costs as much as a relay does. */
#define WAITS_PER_TURN 4

typedef struct {
  GSource source;
  ConicEpollSource *owner;
} Source;

struct _ConicEpollSource {
  Source *source;
  int epoll_fd;
  GSequence *deadlines; /* of ConicDeadline, borrowed, soonest first */

  const ConicEpollHooks *hooks;
  gpointer user_data;

  gboolean dispatching;
  gboolean woken;
  struct epoll_event events[EVENTS_PER_WAIT];
  guint n_events;
};

static int
compare_deadlines (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const ConicDeadline *x = a, *y = b;

  return x->at < y->at ? -1 : x->at > y->at;
}

static ConicDeadline *
first_deadline (ConicEpollSource *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

static void
update_ready_time (ConicEpollSource *self)
{
  const ConicDeadline *first = first_deadline (self);

  if (self->dispatching)
    return;
  g_source_set_ready_time ((GSource *) self->source, self->woken     ? 0
                                                     : first != NULL ? first->at
                                                                     : -1);
}

static void
expire_deadlines (ConicEpollSource *self, gint64 now)
{
  ConicDeadline *deadline;

  while ((deadline = first_deadline (self)) != NULL && deadline->at <= now) {
    g_clear_pointer (&deadline->set, g_sequence_remove);
    deadline->expired (deadline, now);
    self->hooks->settle (now, self->user_data);
  }
}

/* Serves what is ready. Returns whether there may be more. */
static gboolean
serve_ready (ConicEpollSource *self)
{
  int n = epoll_wait (self->epoll_fd, self->events, EVENTS_PER_WAIT, 0);
  gint64 now;

  if (n <= 0)
    return FALSE;
  now = g_get_monotonic_time ();
  self->n_events = n;
  for (guint i = 0; i < self->n_events; i++) {
    ConicWatch *watch = self->events[i].data.ptr;

    /* An earlier one of this turn may have removed it. */
    if (watch == NULL)
      continue;
    watch->ready (watch, self->events[i].events, now);
    self->hooks->settle (now, self->user_data);
  }
  self->n_events = 0;
  return TRUE;
}

static gboolean
on_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ConicEpollSource *self = ((Source *) source)->owner;

  self->dispatching = TRUE;
  if (self->woken) {
    self->woken = FALSE;
    self->hooks->woken (g_get_monotonic_time (), self->user_data);
  }
  for (guint i = 0; i < WAITS_PER_TURN && serve_ready (self); i++)
    ;
  expire_deadlines (self, g_get_monotonic_time ());
  self->dispatching = FALSE;
  update_ready_time (self);
  return G_SOURCE_CONTINUE;
}

/**
 * conic_epoll_source_new:
 * @context: the main context that serves the descriptors
 * @hooks: static
 * @user_data: for @hooks
 * @error: return location for a #GIOError
 *
 * Returns: (transfer full) (nullable): a source on @context, or %NULL if the kernel has no room
 */
ConicEpollSource *
conic_epoll_source_new (GMainContext *context,
                        const ConicEpollHooks *hooks,
                        gpointer user_data,
                        GError **error)
{
  static GSourceFuncs functions = {.dispatch = on_dispatch};
  ConicEpollSource *self;
  int fd = epoll_create1 (EPOLL_CLOEXEC);

  if (fd < 0) {
    int code = errno;

    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "Can't make an epoll set: %s",
                 g_strerror (code));
    return NULL;
  }

  self = g_new0 (ConicEpollSource, 1);
  self->epoll_fd = fd;
  self->deadlines = g_sequence_new (NULL);
  self->hooks = hooks;
  self->user_data = user_data;
  self->source = (Source *) g_source_new (&functions, sizeof (Source));
  self->source->owner = self;
  g_source_set_name ((GSource *) self->source, "conic epoll");
  g_source_add_unix_fd ((GSource *) self->source, fd, G_IO_IN);
  g_source_attach ((GSource *) self->source, context);
  return self;
}

/**
 * conic_epoll_source_free:
 * @self: (transfer full): not from within one of its callbacks
 *
 * Takes the source from its context. Nothing may be watched any more.
 */
void
conic_epoll_source_free (ConicEpollSource *self)
{
  g_return_if_fail (!self->dispatching);

  g_source_destroy ((GSource *) self->source);
  g_source_unref ((GSource *) self->source);
  g_sequence_free (self->deadlines);
  close (self->epoll_fd);
  g_free (self);
}

/**
 * conic_epoll_source_add:
 * @self: the source
 * @watch: its fd, events and callback are set
 * @error: return location for a #GIOError
 *
 * Begins to watch.
 *
 * Returns: %FALSE if the kernel has no room
 */
gboolean
conic_epoll_source_add (ConicEpollSource *self, ConicWatch *watch, GError **error)
{
  struct epoll_event event = {.events = watch->events, .data.ptr = watch};

  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0) {
    int code = errno;

    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "Can't watch a descriptor: %s",
                 g_strerror (code));
    return FALSE;
  }
  return TRUE;
}

/**
 * conic_epoll_source_modify:
 * @self: the source
 * @watch: being watched
 * @events: what to wait for from now on
 *
 * Changes what is waited for; does nothing if that is no change.
 */
void
conic_epoll_source_modify (ConicEpollSource *self, ConicWatch *watch, guint32 events)
{
  struct epoll_event event = {.events = events, .data.ptr = watch};

  if (watch->events == events)
    return;
  watch->events = events;
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
    g_warning ("Can't change what is waited for: %s", g_strerror (errno));
}

/**
 * conic_epoll_source_remove:
 * @self: the source
 * @watch: being watched, its descriptor still open
 *
 * Stops watching: the callback isn't called again.
 */
void
conic_epoll_source_remove (ConicEpollSource *self, ConicWatch *watch)
{
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL) < 0)
    g_warning ("Can't stop watching: %s", g_strerror (errno));
  for (guint i = 0; i < self->n_events; i++)
    if (self->events[i].data.ptr == watch)
      self->events[i].data.ptr = NULL;
}

/**
 * conic_epoll_source_set_deadline:
 * @self: the source
 * @deadline: its callback is set
 * @at: monotonic time in microseconds, -1 for never
 *
 * Sets, moves or takes back a deadline.
 */
void
conic_epoll_source_set_deadline (ConicEpollSource *self, ConicDeadline *deadline, gint64 at)
{
  if (deadline->set == NULL ? at < 0 : at == deadline->at)
    return;
  g_clear_pointer (&deadline->set, g_sequence_remove);
  if (at >= 0) {
    deadline->at = at;
    deadline->set = g_sequence_insert_sorted (self->deadlines, deadline, compare_deadlines, NULL);
  }
  update_ready_time (self);
}

/**
 * conic_epoll_source_wake:
 * @self: the source
 *
 * Has the woken hook called in the next turn of the main loop.
 */
void
conic_epoll_source_wake (ConicEpollSource *self)
{
  self->woken = TRUE;
  update_ready_time (self);
}

/* Whether this is called from within a callback, so that the settle hook will be called. */
gboolean
conic_epoll_source_is_dispatching (ConicEpollSource *self)
{
  return self->dispatching;
}
