# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager's end of sd_notify(3)."""

import select
import socket
import time

from conictest import tap


class Manager:
    """Hears what a daemon says of itself, if it is started with `env`."""

    def __init__(self, case):
        self._address = case.path("notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        case.addCleanup(self._socket.close)
        self.env = {"NOTIFY_SOCKET": self._address}

    def hear(self, timeout=10):
        """The next message, as a dictionary."""
        if not select.select([self._socket], [], [], tap.seconds(timeout))[0]:
            raise AssertionError("the daemon said nothing to its service manager")
        text = self._socket.recv(65536).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def wait(self, key, timeout=10):
        """The next message with that key; others are passed over."""
        deadline = time.monotonic() + tap.seconds(timeout)
        while True:
            message = self.hear(max(deadline - time.monotonic(), 0))
            if key in message:
                return message
