# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Conic's integration tests are written with.

tap      test cases with a watchdog, reported as TAP
process  child processes whose output is waited for, and which are judged when they end
peers    conicd, gst-launch-1.0 and the probe as such processes, and cases with a hub of their own
media    what is in a picture, in a sound, in a stream of numbered frames
screen   a program in a terminal, and what is to be seen there
browser  Chromium with a page of ours
netns    machines, cables and routers in network namespaces
gopeer   a peer in Go, as conic's own programs are
wire     a peer that is nothing but a WebSocket, and a hub in between that rewrites what passes

Tests wait for events with a deadline and never sleep. Everything happens on loopback.
"""
