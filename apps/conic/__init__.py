# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `conic`: small tools on top of the elements and the hub.

cli        options, subcommands, and how failures are told
completion what may come next on the command line, for the shells
exits      exit codes, and the exceptions that end in them
hub        a registered client of the hub
talk       what conic datachannel does
talk_commands  its commands, as they are typed
talk_files  its files, and whether they are taken
channels   data channels with any number of peers
transfer   files over data channels
plain      what others wrote, and what was typed, on a terminal
console    where lines come from and words go: a terminal, a pipe, or JSON
prompt     the line that is typed in a terminal
target     whom to call
pipeline   pipelines as text, for GStreamer and for a shell
elements   GStreamer's elements and the packages that have them
devices    microphone, camera, loudspeaker, window
recording  what comes, kept in a file
stream     a program around one pipeline
figures    what the elements' statistics say
live       the screen and the keys of a program that runs for a while
icepaths   which ways there are to another peer, by trying
files      what is wrong with a file, said before anything begins
checks/    what conic doctor looks at
commands/  a module for each subcommand
"""
