/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* `conicd token …`: prints a token for a client. @argv begins with “token”. Returns an exit code. */
int conic_token_command (int argc, char **argv);
