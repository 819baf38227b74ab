#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures conicd against the floor, and prints a table of ratios, and JSON.

    ninja -C BUILD bench-hub
    tests/bench/bench.py [--build DIR] [--rounds N] [--seconds S] [--json FILE] [--only NAME]

The floor (floor.c) is what epoll and system calls cost: it looks for the target and forwards, without a copy, and
validates nothing. Targets are for the floor that a relay is in its plainest form: read, scan the header, forward, so
one system call for each message that it writes. That is also what the table was measured with that the targets
come from. conicd does better than that where messages come in bunches, for it writes what one read
brought for a client with one system call; so it may well have ratios above 1, and these say little of its
own work. Below them, without a target, stands the same against a floor that gathers as conicd does. There the
kernel costs both the same, about a microsecond for a message of 1.5 KB, and what differs is what it takes to look at
every byte of it: to see that it is UTF-8 and JSON and says what it has to, to count it, and to queue it for somebody
who may not read.

The hub under test has the first core to itself, the load (load.c) the second. Each round measures the
floors and conicd one right after the other, each figure with a hub that has seen nothing before; figures are
medians over the rounds, and what counts are ratios. Status 1 if a target is missed.

How each is measured, and why so:

- Rates are for a second of the hub's own processor time. What is relayed in a second of the clock is the same
  only if the hub has no pause, and nobody else is on its core; that rate, and how busy hub and load were, stand
  beside it in the JSON. A rate by the clock says little of a hub that isn't busy, for then it is the load's.
- The load never sleeps, or the hub would be charged for waking it (an interrupt on another core, a third of a
  microsecond a message), and the more often the slower it is itself.
- Relaying, alone and beside idle clients, and translating: 100 clients in pairs, ten messages of 1.5 KB on their
  way between each two. These come to the hub in bunches, and leave it in bunches.
- The round trip: single messages, at half the rate that this hub can do with one message on its way between
  each two. (At half of what it does in bunches, a hub that gets single messages has no time left, and it is the
  length of a queue that is measured.) Messages are sent when they are due, whatever has become of those before,
  and the round trip counts from when it was due; so what is held up is counted with all that waits behind it.
- Memory: what the daemon has grown by for 10,000 clients that are registered and say nothing.
- Connecting: 3,000 clients, 50 at a time, connect, upgrade and register, and are gone.

Round trips want a machine without other business: else they are those of its scheduler, though hub and load get
precedence if the user may give it.
Build with --buildtype=debugoptimized or release.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAIRS, WINDOW, IDLE = 50, 10, 10_000
CONNECTIONS, CONCURRENCY = 3000, 50

# Of a hundred clients each sends a hundredth of all that a hub can do, which is more than a client is
# allowed to by default. The limits are there and are looked at, but are out of reach.
LIMITS = {"messages-per-second": 1_000_000, "messages-burst": 1_000_000,
          "bytes-per-second": 1_000_000_000, "bytes-burst": 1_000_000_000}


def take_precedence():
    """For a child: a session of its own, for the kernel gives each session its share, and the largest share of all."""
    os.setsid()
    try:
        os.nice(-20)
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-20")
    except OSError:
        pass


class Hub:
    """A hub on the first core, with what the load says of it."""

    def __init__(self, name, build):
        self.name = name
        argv = {"floor": [f"{build}/tests/bench/floor"],
                "gathering floor": [f"{build}/tests/bench/floor", "gather"],
                "conicd": [f"{build}/daemon/conicd", "--listen", "127.0.0.1:0", "--log-level", "warning",
                           *(f"--{name}={value}" for name, value in LIMITS.items())]}[name]
        self.load = f"{build}/tests/bench/load"
        self.process = subprocess.Popen(["taskset", "-c", "0", *argv], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=take_precedence)
        self.port = re.search(r":(\d+)/ws", self.process.stdout.readline()).group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def user_memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024

    def cpu(self):
        """Seconds of processor time that it has had."""
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def start(self, *arguments):
        return subprocess.Popen(["taskset", "-c", "1", self.load, *map(str, arguments)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                preexec_fn=take_precedence)

    def relay(self, seconds, window=WINDOW, idle=0, mixed=False, rate=0):
        """The load's figures, how many messages a second of the hub's time is good for, and the memory that its
        clients took before they began."""
        before = self.user_memory()
        with self.start("relay", self.port, PAIRS, window, seconds, idle, int(mixed), rate) as load:
            if load.stdout.readline() != "ready\n":
                raise SystemExit(f"bench: the load did not get ready at {self.name}")
            grown = self.user_memory() - before
            cpu = self.cpu()
            print(file=load.stdin, flush=True)
            figures = json.loads(load.stdout.readline())
            cpu = self.cpu() - cpu
        return {**figures, "by_cpu": figures["messages"] / cpu, "memory": grown,
                "hub_busy": cpu * figures["messages_per_second"] / figures["messages"]}

    def connect(self):
        cpu = self.cpu()
        with self.start("connect", self.port, CONNECTIONS, CONCURRENCY) as load:
            figures = json.loads(load.stdout.readline())
        cpu = self.cpu() - cpu
        return {**figures, "by_cpu": CONNECTIONS / cpu,
                "hub_busy": cpu * figures["clients_per_second"] / CONNECTIONS}


def measure_round(name, build, seconds, wanted):
    """Every figure of one hub."""
    figures = {}

    def run(part, function):
        if wanted and wanted not in part:
            return None
        with Hub(name, build) as hub:
            figures[part.split()[0]] = function(hub)
        return figures[part.split()[0]]

    run("relay idle mixed", lambda hub: hub.relay(seconds))
    if name == "gathering floor":  # by single messages it is like the other one
        return figures
    single = run("single p99", lambda hub: hub.relay(seconds, window=1))
    if single:
        run("p99", lambda hub: hub.relay(seconds, rate=single["by_cpu"] / 2))
    run("idle memory", lambda hub: hub.relay(seconds, idle=IDLE))
    if name == "conicd":
        run("mixed", lambda hub: hub.relay(seconds, mixed=True))
    run("connect", Hub.connect)
    return figures


def median(rounds, part, figure):
    values = [found[part][figure] for found in rounds if part in found]
    return statistics.median(values) if values else None


def make_table(rounds):
    """(name, conicd's figure, what it is compared with, whether the target is a least or a most, target if any)"""
    def get(name, part, figure="by_cpu"):
        return median(rounds[name], part, figure)

    memory = get("conicd", "idle", "memory")
    return (
        ("relayed messages/s", get("conicd", "relay"), get("floor", "relay"), "≥", 0.8),
        ("  the floor gathers, too", get("conicd", "relay"), get("gathering floor", "relay"), "", None),
        ("  one at a time", get("conicd", "single"), get("floor", "single"), "", None),
        (f"the same beside {IDLE} idle", get("conicd", "idle"), get("conicd", "relay"), "≥", 0.9),
        ("round trip p99, µs", get("conicd", "p99", "p99_us"), get("floor", "p99", "p99_us"), "≤", 1.5),
        ("bytes of memory an idle client", memory and memory / (IDLE + 2 * PAIRS), None, "≤", 2048),
        ("connect + register, clients/s", get("conicd", "connect"), get("floor", "connect"), "≥", 0.4),
        ("translated messages/s", get("conicd", "mixed"), get("floor", "relay"), "≥", 0.4),
        ("  the floor gathers, too", get("conicd", "mixed"), get("gathering floor", "relay"), "", None),
    )


def warn(rounds):
    """Says where it isn't the hub that was measured."""
    for name, found in rounds.items():
        for part in found[0]:
            if median(found, part, "load_busy") > 0.9 and median(found, part, "hub_busy") < 0.9:
                print(f"note: {name}, {part}: the load had no time left, the hub had; its rate by the clock would be higher")
        if median(found, "p99", "overloaded"):
            print(f"note: {name} did not keep up at half of its rate: the round trips are those of a queue")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(ROOT, "_build", "plain"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json")
    parser.add_argument("--only", help="relay, idle, memory, p99, mixed or connect")
    options = parser.parse_args()

    rounds = {"floor": [], "gathering floor": [], "conicd": []}
    for number in range(options.rounds):
        for name, found in rounds.items():
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            found.append(measure_round(name, options.build, options.seconds, options.only))

    missed, table = False, []
    print(f"{'':34}{'conicd':>10}{'against':>10}{'ratio':>8}  target")
    for name, figure, against, sign, target in make_table(rounds):
        if figure is None or (against is None and not name.startswith("bytes")):
            continue
        ratio = figure / against if against else figure
        good = target is None or (ratio >= target if sign == "≥" else ratio <= target)
        missed |= not good
        table.append({"what": name, "conicd": figure, "against": against, "ratio": ratio, "target": target, "met": good})
        print(f"{name:34}{figure:>10.0f}{f'{against:.0f}' if against else '':>10}"
              f"{f'{ratio:.2f}' if against else '':>8}  {sign} {target or ''}{'' if good else '   MISSED'}")
    warn(rounds)
    text = json.dumps({"table": table, "rounds": rounds}, indent=1)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    else:
        print(text)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
