# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network namespaces: machines of their own, cables between them, routers that translate addresses.

A test program whose `__main__` calls `main()` runs in a user, mount and network namespace of its
own. What it builds there is gone with its last process, however that ended, and nothing of it can
reach a network that exists.
"""

import os
import subprocess
import sys
import threading

from . import tap

_INSIDE = "CONIC_TEST_IN_NAMESPACE"
# What is set up before the program proper: the loopback, and a place for `ip netns`.
_SETUP = 'mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up && exec "$0" "$@"'
# How often it is looked whether a cable is ready.
LOOK_SECONDS = 0.02
_UNSHARE = ["unshare", "--map-root-user", "--net", "--mount"]


def main():
    """Runs the cases of the program's own file where it may build networks; skips it where it may not."""
    if _INSIDE in os.environ:
        tap.main()
        return
    allowed = subprocess.run(
        [*_UNSHARE, "sh", "-c", _SETUP, "true"], capture_output=True, text=True, check=False
    )
    if allowed.returncode != 0:
        tap.skip_all(f"no network namespaces may be made here: {allowed.stderr.strip()}")
        return
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", [*_UNSHARE, "sh", "-c", _SETUP, sys.executable, *sys.argv])


def run(*argv, text=None):
    """Runs a command to its end; what it complains of fails the test."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Machine:
    """A namespace with a name; `enter` goes before a command that is to run in it."""

    def __init__(self, name):
        self.name = name
        self.enter = ("nsenter", f"--net=/run/netns/{name}")
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        """Runs `ip` there."""
        return run("ip", "-n", self.name, *arguments)

    def nft(self, rules):
        """Adds nftables rules there."""
        run(*self.enter, "nft", "-f", "-", text=rules)

    def tc(self, *arguments):
        """Runs `tc` there."""
        return run("tc", "-n", self.name, *arguments)

    def forward(self):
        """Makes a router of it."""
        run(*self.enter, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")


class Bed:
    """The machines and cables of one case; taken down at its end."""

    def __init__(self, case):
        self._machines = []
        case.addCleanup(self._remove)

    def machine(self, name):
        """A machine without a cable yet."""
        machine = Machine(name)
        self._machines.append(machine)
        return machine

    @staticmethod
    def cable(left, right, subnet):
        """Connects two machines; `left` is .1 and `right` is .2 of the subnet (its first three bytes).

        The interface of each is named after the other.
        """
        # fmt: off
        run("ip", "link", "add", right.name, "netns", left.name, "type", "veth",
            "peer", "name", left.name, "netns", right.name)
        # fmt: on
        for machine, other, host in ((left, right, 1), (right, left, 2)):
            machine.ip("address", "add", f"{subnet}.{host}/24", "dev", other.name)
            machine.ip("link", "set", other.name, "up")
        # Until an end is known to run, which the kernel takes up to a second for, it has no address for libnice.
        for machine, other in ((left, right), (right, left)):
            while "state UP" not in machine.ip("link", "show", other.name):
                threading.Event().wait(LOOK_SECONDS)

    def _remove(self):
        for machine in self._machines:
            run("ip", "netns", "delete", machine.name)


def lone_interface(case, address):
    """Gives the program's own namespace an interface with that address and a default route; nobody is there."""
    case.addCleanup(run, "ip", "link", "delete", "wire")
    run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "nobody")
    run("ip", "address", "add", f"{address}/24", "dev", "wire")
    for name in ("wire", "nobody"):
        # An IPv6 address that is ready only seconds later is a changed network to a browser that loads.
        run("ip", "link", "set", name, "addrgenmode", "none")
        run("ip", "link", "set", name, "up")
    run("ip", "route", "add", "default", "dev", "wire")
