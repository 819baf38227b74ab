# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `conic`."""

import json
import os
import signal

from . import peers
from .peers import BUILD, gst_environment
from .process import Process

CONIC = os.path.join(BUILD, "apps", "conic")
# Devices of the machine that runs the tests stay out of them.
NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


def environment(hub=None):
    """The environment of a `conic`, whose hub that is."""
    return {**gst_environment(), **NO_DISPLAY, "CONIC_HUB": hub or "", "CONIC_TOKEN": ""}


class Conic(Process):
    """`conic` with these arguments; with --json among them, its lines become `events`."""

    def __init__(self, case, name, *arguments, hub=None, env=None, **kwargs):
        self.events = []
        options = {"stop_signal": signal.SIGINT, **kwargs}
        super().__init__(
            case, name, [CONIC, *arguments], env={**environment(hub), **(env or {})}, **options
        )

    def on_line(self, stream, text):
        if stream == "out" and text.startswith("{"):
            self.events.append(json.loads(text))

    def wait_event(self, kind, timeout=20, start=0, **fields):
        """Waits for an event of that kind; a field is compared, or asked if it is a function."""

        def look():
            for event in self.events[start:]:
                if event["event"] == kind and all(
                    value(event.get(key)) if callable(value) else event.get(key) == value
                    for key, value in fields.items()
                ):
                    return event
            return None

        return self.wait_until(look, timeout, f"the event {kind} {fields or ''}")

    def printed(self, stream="out"):
        """All that it has printed there so far."""
        return "\n".join(line.text for line in self.lines if line.stream == stream)


class HubTest(peers.HubTest):
    """A case with a hub, and programs that know where it is."""

    def conic(self, name, *arguments, **kwargs):
        return Conic(self, name, *arguments, **{"hub": self.hub.uri, **kwargs})
