/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any file is a configuration, or refused with a sentence that can be shown. */

#include "conic-fuzz.h"

#include "conic-config-file.h"
#include "conic-server-error.h"

#include <sys/mman.h>
#include <unistd.h>

static void
check_error (gboolean good, const GError *error)
{
  g_assert_true (good == (error == NULL));
  if (good)
    return;
  g_assert_true (error->domain == CONIC_SERVER_ERROR);
  g_assert_cmpint (error->code, ==, CONIC_SERVER_ERROR_CONFIG);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("config", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (ConicConfig) config = conic_config_new ();
  g_autoptr (GError) error = NULL;
  gboolean good;

  g_assert_cmpint (write (fd, data, size), ==, size);
  good = conic_config_file_load (config, path, &error);
  close (fd);
  check_error (good, error);
  if (good) {
    good = conic_config_check (config, &error);
    check_error (good, error);
  }

  return 0;
}
