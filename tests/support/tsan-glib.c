/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lets ThreadSanitizer see what GLib orders. GLib's locks are futexes, and neither it nor GStreamer is
 * instrumented, so that without this everything that one of their locks guards would be reported.
 * Preloaded after the sanitizer, it stands before GLib's functions and tells: who takes a lock comes
 * after those who let go of it, who pops after who pushed, and a callback after who set it. */

#include <dlfcn.h>
#include <gst/gst.h>
#include <string.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name)                                                                                 \
  static __typeof__ (&name) real;                                                                  \
  if (real == NULL)                                                                                \
  real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name)

/* --- locks --- */

#define LOCK(type, lock, trylock, unlock)                                                          \
  void lock (type *self)                                                                           \
  {                                                                                                \
    REAL (lock);                                                                                   \
    real (self);                                                                                   \
    __tsan_acquire (self);                                                                         \
  }                                                                                                \
  gboolean trylock (type *self)                                                                    \
  {                                                                                                \
    REAL (trylock);                                                                                \
    if (!real (self))                                                                              \
      return FALSE;                                                                                \
    __tsan_acquire (self);                                                                         \
    return TRUE;                                                                                   \
  }                                                                                                \
  void unlock (type *self)                                                                         \
  {                                                                                                \
    REAL (unlock);                                                                                 \
    __tsan_release (self);                                                                         \
    real (self);                                                                                   \
  }

LOCK (GMutex, g_mutex_lock, g_mutex_trylock, g_mutex_unlock)
LOCK (GRecMutex, g_rec_mutex_lock, g_rec_mutex_trylock, g_rec_mutex_unlock)
LOCK (GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_trylock, g_rw_lock_writer_unlock)
LOCK (GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_trylock, g_rw_lock_reader_unlock)

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_release (mutex);
  real (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  REAL (g_cond_wait_until);
  __tsan_release (mutex);
  signalled = real (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

/* --- what is made once --- */

gboolean (g_once_init_enter) (volatile void *location)
{
  gboolean first;
  static gboolean (*real) (volatile void *);

  if (real == NULL)
    real = (gboolean (*) (volatile void *)) dlsym (RTLD_NEXT, "g_once_init_enter");
  first = real (location);
  __tsan_acquire ((void *) location);
  return first;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  static void (*real) (volatile void *, gsize);

  if (real == NULL)
    real = (void (*) (volatile void *, gsize)) dlsym (RTLD_NEXT, "g_once_init_leave");
  __tsan_release ((void *) location);
  real (location, result);
}

/* --- references: the last one comes after all others --- */

#define UNREF(type, unref)                                                                         \
  void (unref) (type self)                                                                         \
  {                                                                                                \
    static void (*real) (type);                                                                    \
                                                                                                   \
    if (real == NULL)                                                                              \
      real = (void (*) (type)) dlsym (RTLD_NEXT, #unref);                                          \
    __tsan_release ((void *) self);                                                                \
    __tsan_acquire ((void *) self);                                                                \
    real (self);                                                                                   \
  }

UNREF (gpointer, g_object_unref)
UNREF (gpointer, gst_object_unref)
UNREF (GstMiniObject *, gst_mini_object_unref)
UNREF (GPtrArray *, g_ptr_array_unref)
UNREF (GBytes *, g_bytes_unref)
UNREF (GSource *, g_source_unref)
UNREF (GHashTable *, g_hash_table_unref)

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  REAL (g_atomic_rc_box_release_full);
  __tsan_release (box);
  __tsan_acquire (box);
  real (box, clear);
}

/* --- callbacks: what was written before one was set is seen in it --- */

typedef struct {
  GSourceFunc func;
  gpointer data;
  GDestroyNotify destroy;
} Call;

static gboolean
on_call (gpointer user_data)
{
  Call *call = user_data;
  gboolean again;

  __tsan_acquire (call);
  again = call->func (call->data);
  __tsan_release (call);
  return again;
}

static void
destroy_call (gpointer user_data)
{
  Call *call = user_data;

  __tsan_acquire (call);
  if (call->destroy != NULL)
    call->destroy (call->data);
  g_free (call);
}

void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify destroy)
{
  Call *call;
  Dl_info caller;

  REAL (g_source_set_callback);
  /* Others set callbacks of other types, such as those of sockets. */
  if (dladdr (__builtin_return_address (0), &caller) == 0 ||
      strstr (caller.dli_fname, "libgstconic") == NULL) {
    real (source, func, data, destroy);
    return;
  }
  call = g_new0 (Call, 1);
  *call = (Call){func, data, destroy};
  __tsan_release (call);
  real (source, on_call, call, destroy_call);
}

typedef struct {
  GstElementCallAsyncFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AsyncCall;

static void
on_async_call (GstElement *element, gpointer user_data)
{
  AsyncCall *call = user_data;

  __tsan_acquire (call);
  call->func (element, call->data);
  __tsan_release (call);
}

void
gst_element_call_async (GstElement *element,
                        GstElementCallAsyncFunc func,
                        gpointer data,
                        GDestroyNotify destroy)
{
  AsyncCall *call = g_new0 (AsyncCall, 1);

  REAL (gst_element_call_async);
  *call = (AsyncCall){func, data, destroy};
  __tsan_release (call);
  real (element, on_async_call, call, destroy_call);
}
