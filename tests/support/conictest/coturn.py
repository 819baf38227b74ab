# SPDX-License-Identifier: LGPL-2.1-or-later
"""coturn, a TURN server, and what it says of its allocations."""

import re
import socket

from .process import Process

USER, PASSWORD = "user", "password"
_BEGUN = re.compile(r"session (\d+): new, realm")
_RELEASED = re.compile(r"session (\d+): refreshed, .*lifetime=0$")
_GONE = re.compile(r"session (\d+): delete: realm")


class Coturn(Process):
    """A TURN server on the loopback address, at a port of its own, with one user."""

    def __init__(self, case):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            self.port = holder.getsockname()[1]
        # fmt: off
        argv = [
            "stdbuf", "-oL", "turnserver", "-n", "--log-file=stdout", "--simple-log", "--verbose",
            "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "--lt-cred-mech",
            "--realm=conic", f"--user={USER}:{PASSWORD}", f"--listening-port={self.port}",
            "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1",
            f"--pidfile={case.path('coturn.pid')}", f"--userdb={case.path('coturn.db')}",
        ]
        # fmt: on
        super().__init__(case, "coturn", argv)
        self.wait_line(rf"UDP listener opened on\s*:\s*127\.0\.0\.1:{self.port}", 10)
        self.uri = f"turn://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def _sessions(self, pattern):
        """The sessions that such a line is about, and when it came."""
        found = {}
        for line in list(self.lines):
            match = pattern.search(line.text)
            if match:
                found.setdefault(match.group(1), line.time)
        return found

    def live(self):
        """The sessions with an allocation that nobody has given back."""
        return set(self._sessions(_BEGUN)) - set(self._sessions(_RELEASED)) - set(self._sessions(_GONE))

    def wait_live(self, count, timeout=20):
        """Waits until so many allocations are left."""
        self.wait_until(
            lambda: len(self.live()) == count, timeout, f"that {count} allocations are left"
        )

    def wait_gone(self, timeout=20):
        """Waits until coturn itself has deleted all that it ever allocated."""
        self.wait_until(
            lambda: set(self._sessions(_BEGUN)) == set(self._sessions(_GONE)),
            timeout,
            "that it deletes every allocation",
        )

    def released_at(self):
        """When the last allocation was given back (monotonic seconds)."""
        return max(self._sessions(_RELEASED).values())
