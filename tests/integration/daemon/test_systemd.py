#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conicd as systemd has it: what it says of itself, sockets that it is passed, the units, the installation.

The service manager is played by the test: it has a real NOTIFY_SOCKET, and it holds real sockets that listen.
systemd's own systemd-socket-activate passes one as well, and systemd-analyze judges the units as they are
installed. No unit is started here, for that takes a systemd that runs the machine.
"""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from conictest import tap
from conictest.peers import BUILD, CONICD, Conicd
from conictest.process import Process
from manager import Manager
from rawsocket import Client, Closed

# What `systemd-analyze security` may find at most: 0 is no exposure, 10 is all.
EXPOSURE = 1.5

# A program that becomes the daemon with a socket as descriptor 3, as systemd does it.
ACTIVATE = """
import os, socket, sys
fd = int(sys.argv[1])
if fd == 3:
    os.set_inheritable(3, True)
else:
    os.dup2(fd, 3)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class SystemdTest(tap.TestCase):
    limit = 90

    def activated(self, holder, *arguments, name="conicd", **kwargs):
        """conicd with a socket that this test listens on."""
        return Process(self, name, ["/usr/bin/python3", "-c", ACTIVATE, str(holder.fileno()), CONICD, *arguments],
                       pass_fds=(holder.fileno(),), **kwargs)

    def test_notify(self):
        """It says READY, WATCHDOG while it runs, RELOADING and READY around a reload, STOPPING and for how long"""
        manager = Manager(self)
        path = self.path("conicd.conf")

        def configure(text):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        configure("[timeouts]\ndrain-seconds=7\n")
        # What is set is what the manager wants to hear within, in microseconds.
        hub = Process(self, "conicd", [CONICD, "--listen", "127.0.0.1:0", "--config", path],
                      env={**manager.env, "WATCHDOG_USEC": "200000"})
        ready = manager.hear()
        self.assertEqual(ready["READY"], "1")
        self.assertRegex(ready["STATUS"], r"^Listening on ws://127\.0\.0\.1:\d+/ws$")
        port = int(ready["STATUS"].split(":")[-1].split("/")[0])
        self.assertEqual(manager.hear(), {"WATCHDOG": "1"})
        begun = time.monotonic()
        for _ in range(5):
            self.assertEqual(manager.hear(), {"WATCHDOG": "1"})
        # Every half of that.
        self.assertGreater(time.monotonic() - begun, 0.4)
        self.assertLess(time.monotonic() - begun, tap.seconds(1))

        before = time.monotonic_ns() // 1000
        os.kill(hub.pid, signal.SIGHUP)
        reloading = manager.wait("RELOADING")
        self.assertEqual(reloading["RELOADING"], "1")
        self.assertTrue(before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000)
        self.assertEqual(manager.wait("READY")["STATUS"], "The configuration was reloaded")
        # What is in a file can't say more than that to the manager.
        configure("[limits]\nclients=0\\nMAINPID=1\\nFDSTORE=1\n")
        os.kill(hub.pid, signal.SIGHUP)
        manager.wait("RELOADING")
        ready = manager.wait("READY")
        self.assertEqual(set(ready), {"READY", "STATUS"})
        self.assertRegex(ready["STATUS"], r"stays as it was: .*conicd.conf:2: .*clients.*0\\u000aMAINPID=1")

        client = Client(self, port)
        client.register("late")
        os.kill(hub.pid, signal.SIGTERM)
        stopping = manager.wait("STOPPING")
        self.assertEqual(stopping["STOPPING"], "1")
        self.assertRegex(stopping["STATUS"], "leave")
        self.assertEqual(int(stopping["EXTEND_TIMEOUT_USEC"]), 9_000_000)
        self.assertEqual(client.error()[0], "shutting_down")
        self.assertEqual(client.closed(), 1001)
        self.assertEqual(hub.wait_exit(), 0)

    def test_no_watchdog(self):
        """Without a watchdog, and without a service manager, it says no more than it has to"""
        manager = Manager(self)
        hub = Process(self, "conicd", [CONICD, "--listen", "127.0.0.1:0"], env=manager.env)
        self.assertIn("READY", manager.hear())
        hub.stop()
        self.assertIn("STOPPING", manager.hear())

    def test_activation(self):
        """systemd-socket-activate's socket is used instead of the addresses"""
        # Which port is free is known once somebody had it.
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
        activator = Process(self, "activate", ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", CONICD,
                                               "--listen", "127.0.0.1:1"])
        activator.wait_line("Listening on")
        # The first client starts the daemon, and is the first that it serves.
        client = Client(self, port)
        self.assertTrue(client.register("first")["data"]["success"])
        activator.wait_line(rf"listening on ws://127\.0\.0\.1:{port}/ws$")
        client.close()

    def test_bad_sockets(self):
        """A descriptor that is no TCP socket, or doesn't listen, is refused and named"""
        here, there = socket.socketpair()
        self.addCleanup(there.close)
        idle = socket.socket()
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with here, idle, datagrams, open("/dev/null", "rb") as file:
            for bad, why in ((here, "not a TCP socket"), (idle, "doesn't listen"), (datagrams, "not a TCP socket"),
                             (file, "descriptor 3")):
                process = self.activated(bad, name="refused")
                self.assertEqual(process.wait_exit(), 1)
                self.assertRegex("\n".join(line.text for line in process.lines), f"descriptor 3.*: .*{why}"
                                 if why != "descriptor 3" else why)

    def test_restart(self):
        """While the socket is held, a restart refuses nobody: who comes meanwhile is served by the next one"""
        with socket.create_server(("127.0.0.1", 0), backlog=512) as holder:
            port = holder.getsockname()[1]
            hub = self.activated(holder)
            hub.wait_line("listening")
            served, troubles = threading.Semaphore(0), []
            done = threading.Event()

            def come():
                number = 0
                while not done.is_set():
                    try:
                        client = Client(self, port, timeout=20)
                        client.register(f"c{number}")
                        served.release()
                        client.close()
                        client.socket.close()
                    except ConnectionRefusedError as error:
                        troubles.append(error)
                    except (Closed, ConnectionError, AssertionError):
                        pass  # it was connected when the daemon stopped, and comes again
                    number += 1

            thread = threading.Thread(target=come)
            thread.start()
            try:
                for number in range(3):
                    for _ in range(20):
                        self.assertTrue(served.acquire(timeout=tap.seconds(10)))
                    self.assertEqual(hub.stop(), 0)
                    # Nobody serves, and yet this one gets through.
                    patient = socket.create_connection(("127.0.0.1", port), timeout=tap.seconds(10))
                    self.addCleanup(patient.close)
                    patient.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    hub = self.activated(holder, name=f"next-{number}")
                    self.assertTrue(patient.recv(4096).startswith(b"HTTP/1.1 200"))
            finally:
                done.set()
                thread.join()
            self.assertEqual(troubles, [])

    def install(self):
        """Installs what is built into a directory of the case; returns that."""
        directory = self.path("root")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", directory],
                       check=True, capture_output=True, timeout=tap.seconds(60))
        return directory

    def find(self, directory, pattern):
        found = glob.glob(os.path.join(directory, "**", pattern), recursive=True)
        self.assertEqual(len(found), 1, f"{pattern}: {found}")
        return found[0]

    def test_installation(self):
        """meson install puts the daemon, its units, its user and its configuration where they are looked for"""
        root = self.install()
        service = self.find(root, "systemd/system/conicd.service")
        self.find(root, "systemd/system/conicd.socket")
        self.find(root, "sysusers.d/conicd.conf")
        os.makedirs(os.path.join(root, "etc"), exist_ok=True)
        subprocess.run(["systemd-sysusers", f"--root={root}"], check=True, capture_output=True, timeout=tap.seconds(30))
        for name in ("passwd", "group"):
            with open(os.path.join(root, "etc", name), encoding="utf-8") as file:
                self.assertRegex(file.read(), r"(?m)^conicd:")
        with open(service, encoding="utf-8") as file:
            unit = file.read()
        self.assertNotIn("@", re.sub("(?m)^SystemCallFilter=.*", "", unit))
        program, configuration = re.search(r"(?m)^ExecStart=(\S+) --config (\S+)$", unit).groups()
        # What the unit starts is what was installed, and that is in order.
        done = subprocess.run([root + program, "--config", root + configuration, "--check-config"],
                              capture_output=True, check=True, text=True, timeout=tap.seconds(30))
        self.assertIn("in order", done.stdout)
        for key in ("User", "Group"):
            self.assertRegex(unit, f"(?m)^{key}=conicd$")

    def test_units(self):
        """systemd-analyze finds no fault in the units, and rates the service's exposure at 1.5 or less"""
        root = self.install()
        service = self.find(root, "systemd/system/conicd.service")
        shutil.copy(self.find(root, "systemd/system/conicd.socket"), self.path("conicd.socket"))
        with open(service, encoding="utf-8") as file:
            unit = file.read()
        # What it is to start isn't installed on this machine, but in the directory of the case.
        program = re.search(r"(?m)^ExecStart=(\S+)", unit).group(1)
        with open(self.path("conicd.service"), "w", encoding="utf-8") as file:
            file.write(unit.replace(program, root + program))
        environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "notice"}
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.path("conicd.service"),
                               self.path("conicd.socket")], capture_output=True, check=False, text=True, env=environment,
                              timeout=tap.seconds(30))
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short",
                               self.path("conicd.service")], capture_output=True, check=True, text=True, timeout=tap.seconds(30))
        self.assertTrue(json.loads(done.stdout))
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", self.path("conicd.service")],
                              capture_output=True, check=True, text=True, timeout=tap.seconds(30))
        exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout).group(1))
        print(f"# exposure {exposure}")
        self.assertLessEqual(exposure, EXPOSURE)

    def test_drain(self):
        """Stopping takes drain-seconds at most, however the clients behave; a second signal ends it at once"""
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[timeouts]\nclose-seconds=60\ndrain-seconds=1\n")
        for again in (False, True):
            with self.subTest(again=again):
                drain = ("--drain-seconds", "60") if again else ()
                hub = Conicd(self, arguments=("--config", path, *drain), name=f"hub-{again}")
                good, readme = Client(self, hub.port), Client(self, hub.port)
                good.register("good")
                readme.register_readme("readme")
                Client(self, hub.port).register("deaf")  # never answers its close frame
                silent = Client(self, hub.port)  # never registers
                half = socket.create_connection(("127.0.0.1", hub.port))
                self.addCleanup(half.close)
                half.sendall(b"GET /ws HT")
                full = Client(self, hub.port, receive_buffer=4096)  # has more to read than fits
                full.register("full")
                for _ in range(20):
                    good.send({"type": "sdp", "data": {"to_id": "full", "session_description": {
                        "type": "offer", "sdp": "x" * 200_000}}})
                good.send({"type": "list_request"})
                while good.receive_json()["type"] != "list_response":
                    pass
                begun = time.monotonic()
                os.kill(hub.pid, signal.SIGTERM)
                for client in (good, readme):
                    self.assertEqual(client.error()[0], "shutting_down")
                    self.assertEqual(client.closed(), 1001)
                self.assertEqual(silent.closed(), 1001)
                if again:
                    os.kill(hub.pid, signal.SIGTERM)
                    hub.wait_line("Stopping at once")
                self.assertEqual(hub.wait_exit(), 0)
                self.assertLess(time.monotonic() - begun, tap.seconds(3))


if __name__ == "__main__":
    tap.main()
