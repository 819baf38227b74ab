# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `conic`: small tools on top of the elements and the hub.

cli        options, subcommands, and how failures are told
exits      exit codes, and the exceptions that end in them
hub        a registered client of the hub
commands/  a module for each subcommand
"""
