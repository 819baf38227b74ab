/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "conic-config.h"

G_BEGIN_DECLS

gboolean conic_config_file_load (ConicConfig *config, const char *path, GError **error);

G_END_DECLS
