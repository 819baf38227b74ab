#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a running conicd tells of itself: /healthz, /readyz, /metrics, where they are, and that the numbers are right.

The metrics are read by Prometheus' own Python parser and by promtool; what is counted is compared with
what the test itself sent and received.
"""

import http.client
import json
import os
import re
import socket
import struct
import subprocess
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from certificates import Certificate
from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process, status
from rawsocket import CLOSE, TEXT, Client, frame

SDP = {"type": "offer", "sdp": "v=0\r\n"}

# A machine of its own, with an address that is not a loopback one, until its standard input ends.
ELSEWHERE = "ip link set lo up && ip address add 192.0.2.1/32 dev lo && echo ready && cat"

# Prints the status of the answer to a request for the URL that it is given.
ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


class Namespace:
    """Another machine; `enter` goes before a command that is to run there."""

    def __init__(self, case):
        self._holder = subprocess.Popen(["unshare", "--map-root-user", "--net", "sh", "-c", ELSEWHERE],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.enter = ("nsenter", "--target", str(self._holder.pid), "--user", "--net", "--preserve-credentials")
        if self._holder.stdout.readline() != "ready\n":
            case.skipTest(f"no network namespaces may be made here: {self._holder.communicate()[1]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._holder.communicate()

    def ask(self, url):
        """The status of the answer to a request that is made there."""
        return subprocess.run([*self.enter, "/usr/bin/python3", "-c", ASK, url], capture_output=True, text=True,
                              check=True).stdout.strip()


def ask(port, path, host="127.0.0.1", headers=None, method="GET"):
    """(status, headers, text) of the answer to a request."""
    connection = http.client.HTTPConnection(host, port, timeout=tap.seconds(10))
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


class Metrics:
    """What /metrics says now."""

    def __init__(self, port, **kwargs):
        code, self.headers, self.text = ask(port, "/metrics", **kwargs)
        assert code == 200, code
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name, *labels):
        return self.samples[(name, *sorted(labels))]


class MetricsTest(tap.TestCase):
    def conicd(self, configuration="", arguments=(), name="conicd"):
        path = self.path(f"{name}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(configuration)
        return Conicd(self, arguments=("--config", path, "--close-seconds", "0.2", *arguments), name=name)

    def waits(self, port, condition, what, **kwargs):
        """Asks for the metrics until condition(metrics) holds: the daemon notices an end when it gets to it."""
        for _ in range(1000):
            metrics = Metrics(port, **kwargs)
            if condition(metrics):
                return metrics
        self.fail(f"{what} was not to be seen in 1000 answers:\n{metrics.text}")

    def test_format(self):
        """The text is Prometheus' format 0.0.4 to its parser and to promtool, with help and types for all"""
        hub = self.conicd()
        Client(self, hub.port).register("a")
        metrics = Metrics(hub.port)
        self.assertEqual(metrics.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        for family in metrics.families:
            self.assertTrue(family.documentation, family.name)
            self.assertNotEqual(family.type, "unknown", family.name)
            self.assertRegex(family.name, r"^(conicd|process)_")
        checked = subprocess.run(["promtool", "check", "metrics"], input=metrics.text, capture_output=True, text=True,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

        version = subprocess.run([CONICD, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        self.assertEqual(metrics("conicd_build_info", version), 1)
        said = status(hub.pid)
        # Those of the connection that asked, and of the directory, come and go.
        self.assertAlmostEqual(metrics("process_open_fds"), said["fds"], delta=2)
        self.assertAlmostEqual(metrics("process_resident_memory_bytes"), said["rss"], delta=said["rss"] / 4)
        with open("/proc/stat", encoding="ascii") as file:
            booted = int(re.search(r"(?m)^btime (\d+)", file.read()).group(1))
        with open(f"/proc/{hub.pid}/stat", encoding="ascii") as file:
            ticks = int(file.read().rsplit(")", 1)[1].split()[19])
        self.assertAlmostEqual(metrics("process_start_time_seconds"), booted + ticks / os.sysconf("SC_CLK_TCK"), delta=2)
        self.assertGreater(metrics("process_cpu_seconds_total"), 0)
        self.assertGreater(metrics("process_max_fds"), metrics("process_open_fds"))

    def test_messages(self):
        """Messages are counted by type and outcome, errors by code, bytes to the last one, relays in the histogram"""
        hub = self.conicd()
        a, b, r = (Client(self, hub.port) for _ in range(3))
        sent, received = [], []

        def say(client, message):
            text = message if isinstance(message, bytes) else json.dumps(message).encode()
            sent.append(len(frame(TEXT, text)))
            client.send(text)

        def hear(client):
            text = client.receive()
            received.append(len(frame(TEXT, text, mask=None)))
            return json.loads(text)

        def refused(client, code, message):
            say(client, message)
            self.assertIn(code, json.dumps(hear(client)))

        def sdp(**ids):
            return {"type": "sdp", "data": {**ids, "session_description": SDP}}

        refused(a, "not_registered", sdp(to_id="b"))
        for client, client_id in ((a, "a"), (b, "b")):
            say(client, {"type": "register_request", "data": {"client_id": client_id}})
            hear(client)
        say(r, {"type": "register", "raw": json.dumps({"ID": "r"})})
        hear(r)
        for target, n in ((b, 3), (r, 2)):
            for _ in range(n):
                say(a, sdp(to_id="b" if target is b else "r"))
                hear(target)
        candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
        say(a, {"type": "candidate", "data": {"to_id": "b", "candidate": candidate}})
        hear(b)
        say(a, {"type": "data_channel", "data": {"to_id": "b", "label": "l", "payload": "eA=="}})
        hear(b)
        say(a, {"type": "bye", "data": {"to_id": "b"}})
        hear(b)
        say(a, {"type": "list_request"})
        hear(a)
        refused(a, "peer_not_found", sdp(to_id="nobody"))
        refused(a, "from_mismatch", sdp(from_id="b", to_id="b"))
        refused(a, "bad_message", b"{")
        refused(a, "unknown_type", {"type": "sing"})
        refused(a, "already_registered", {"type": "register_request"})
        say(b, {"type": "unregister_request", "data": {"client_id": "b"}})
        hear(b)
        refused(b, "id_taken", {"type": "register_request", "data": {"client_id": "a"}})

        metrics = Metrics(hub.port)
        expected = {
            ("register", "answered"): 3, ("register", "refused"): 2, ("unregister", "answered"): 1,
            ("list", "answered"): 1, ("sdp", "relayed"): 3, ("sdp", "translated"): 2, ("sdp", "not_found"): 1,
            ("sdp", "refused"): 2, ("candidate", "relayed"): 1, ("data_channel", "relayed"): 1,
            ("bye", "relayed"): 1, ("unknown", "refused"): 2,
        }
        for family in metrics.families:
            if family.name == "conicd_messages":
                found = {(s.labels["type"], s.labels["outcome"]): s.value for s in family.samples if s.value}
        self.assertEqual(found, expected)
        codes = ("not_registered", "peer_not_found", "from_mismatch", "bad_message", "unknown_type",
                 "already_registered", "id_taken")
        for key, value in metrics.samples.items():
            if key[0] == "conicd_errors_total":
                self.assertEqual(value, key[1] in codes, key)
        self.assertEqual(metrics("conicd_received_bytes_total"), sum(sent))
        self.assertEqual(metrics("conicd_sent_bytes_total"), sum(received))
        self.assertEqual(metrics("conicd_relay_duration_seconds_count"), 8)
        self.assertEqual(metrics("conicd_relay_duration_seconds_bucket", "+Inf"), 8)
        self.assertGreater(metrics("conicd_relay_duration_seconds_sum"), 0)
        self.assertEqual(metrics("conicd_connections", "registered"), 2)
        self.assertEqual(metrics("conicd_connections", "unregistered"), 1)
        self.assertEqual(metrics("conicd_connections", "handshake"), 1)  # the one that asks

    def test_closes(self):
        """Connections that end are counted by their close code, in a set of codes that a client can't widen"""
        hub = self.conicd("[timeouts]\nregister-seconds=0.3\nping-seconds=60\n")

        def client():
            made = Client(self, hub.port)
            made.register()
            return made

        Client(self, hub.port).closed()  # 1008, not registered in time
        client().close()
        for code in (3000, 4242):
            odd = client()
            odd.send_frame(CLOSE, struct.pack("!H", code))
            odd.closed()
        silent = client()
        silent.send_frame(CLOSE)
        silent.closed()
        for bad in (frame(TEXT, b"\xff"), frame(TEXT, b"x", rsv=4), frame(TEXT, b"", length=1 << 30)):
            broken = client()
            broken.send_bytes(bad)
            broken.closed()
        lost = client()
        lost.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        lost.socket.close()
        old = Client(self, hub.port)
        token = old.register("same")["data"]["resume_token"]
        new = Client(self, hub.port)
        new.register("same", resume_token=token)
        self.assertEqual(old.closed(), 4001)

        expected = {"1008": 1, "1000": 1, "other": 2, "1005": 1, "1007": 1, "1002": 1, "1009": 1, "1006": 1, "4001": 1}

        def found(metrics):
            return {key[1]: value for key, value in metrics.samples.items() if key[0] == "conicd_closes_total" and value}

        self.waits(hub.port, lambda metrics: found(metrics) == expected, f"{expected}")

    def test_slow_and_dead(self):
        """A full queue, a client that is closed for it, one that answers no ping and one that sends too much are counted"""
        hub = self.conicd("[timeouts]\nslow-seconds=0.3\n[limits]\nqueue-messages=2\n")
        sender = Client(self, hub.port)
        sender.register("sender")
        deaf = Client(self, hub.port, receive_buffer=4096)
        deaf.register("deaf")
        big = {"type": "data_channel", "data": {"to_id": "deaf", "label": "l", "payload": "QUJD" * 50000}}
        told = None
        while told != "peer_slow":
            sender.send(big)
            sender.send({"type": "list_request"})
            answer = sender.receive_json()
            if answer["type"] == "error":
                told = answer["data"]["code"]
                sender.receive_json()

        def slow(metrics):
            return metrics("conicd_closes_total", "4008") == 1

        metrics = self.waits(hub.port, slow, "a close with 4008")
        self.assertEqual(metrics("conicd_queue_full_total"), 1)
        self.assertEqual(metrics("conicd_messages_total", "data_channel", "slow"), 1)
        self.assertEqual(metrics("conicd_errors_total", "peer_slow"), 1)

        hub = self.conicd("[timeouts]\nping-seconds=0.2\npong-seconds=0.2\n", name="impatient")
        Client(self, hub.port).register("dead")
        metrics = self.waits(hub.port, lambda metrics: metrics("conicd_pongs_missed_total") == 1, "a missed pong")
        self.assertEqual(metrics("conicd_closes_total", "1006"), 1)

        hub = self.conicd("[limits]\nmessages-per-second=10\nmessages-burst=1\n", name="strict")
        noisy = Client(self, hub.port)
        noisy.register("noisy")
        noisy.send_bytes(frame(TEXT, b'{"type":"list_request"}') * 3)
        answers = [json.loads(noisy.receive()) for _ in range(4)]
        self.assertEqual(sorted(answer["type"] for answer in answers), ["error"] + ["list_response"] * 3)
        metrics = Metrics(hub.port)
        self.assertGreater(metrics("conicd_throttled_total"), 0)
        self.assertEqual(metrics("conicd_errors_total", "rate_limited"), 1)

    def test_handshakes(self):
        """Every accepted connection ends in one result of its handshake; the log says once that there is no room"""
        hub = self.conicd("[limits]\nclients=3\n[timeouts]\nhandshake-seconds=0.3\n", ("--metrics-listen", "127.0.0.1:0"))
        port = int(hub.wait_line(r"http://127\.0\.0\.1:(\d+)/metrics").group(1))

        def settled(metrics):
            return metrics("conicd_connections", "handshake") == 1  # the connection that asks

        clients = [Client(self, hub.port) for _ in range(2)]
        with self.assertRaisesRegex(AssertionError, " 403 "):
            Client(self, hub.port, extra="Origin: https://elsewhere.example\r\n")
        self.waits(port, settled, "nobody in between")
        with socket.create_connection(("127.0.0.1", hub.port)) as half:
            half.sendall(b"GET /ws HT")
        self.waits(port, settled, "nobody in between")
        for request, code in ((b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", b" 404 "),
                              (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", b" 426 "),
                              (b"X" * 9000, b" 431 "), (b"G", b" 408 ")):
            with socket.create_connection(("127.0.0.1", hub.port)) as connection:
                connection.settimeout(tap.seconds(10))
                connection.sendall(request)
                self.assertIn(code, connection.recv(4096))
            self.waits(port, settled, "nobody in between")
        # By way of libsoup, for it is not at its simplest.
        clients.append(Client(self, hub.port, path=f"http://127.0.0.1:{hub.port}/ws"))
        for _ in range(3):
            with self.assertRaisesRegex(AssertionError, " 503 "):
                Client(self, hub.port)
        metrics = self.waits(port, settled, "nobody in between")
        found = {key[1]: value for key, value in metrics.samples.items() if key[0] == "conicd_handshakes_total"}
        self.assertGreater(found.pop("http"), 1)
        self.assertEqual({result: n for result, n in found.items() if n}, {
            "upgraded": 3, "forbidden": 1, "lost": 1, "invalid": 2, "timeout": 1, "no_room": 3})
        self.assertEqual(metrics("conicd_handshake_duration_seconds_count"), 3)
        for client in clients:
            client.register()
        hub.stop()
        self.assertEqual(len([line for line in hub.lines if "as many clients as there may be" in line.text]), 1)

    def test_address_limit(self):
        """Too many of one address are counted as such"""
        hub = self.conicd("[limits]\nclients-per-address=1\n", ("--metrics-listen", "[::1]:0"))
        port = int(hub.wait_line(r"http://\[::1\]:(\d+)/metrics").group(1))
        Client(self, hub.port).register("a")
        with self.assertRaisesRegex(AssertionError, " 429 "):
            Client(self, hub.port)
        self.assertEqual(Metrics(port, host="::1")("conicd_handshakes_total", "address_limit"), 1)

    def test_addresses(self):
        """With metrics-listen all of it is there and nowhere else, and there is no WebSocket"""
        hub = self.conicd(arguments=("--metrics-listen", "127.0.0.1:0", "--metrics-listen", "[::1]:0",
                                     "--clients", "1"))
        found = hub.wait_line(r"http://127\.0\.0\.1:(\d+)/metrics http://\[::1\]:(\d+)/metrics$")
        v4, v6 = (int(port) for port in found.groups())
        self.assertEqual(ask(v4, "/healthz")[::2], (200, "ok\n"))
        self.assertEqual(ask(v6, "/healthz", host="::1")[0], 200)
        self.assertEqual(ask(v4, "/readyz")[0], 200)
        self.assertEqual(ask(v4, "/metrics", method="POST")[0], 405)
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(ask(hub.port, path)[0], 404)
        with self.assertRaisesRegex(AssertionError, " 404 "):
            Client(self, v4)

        client = self.enters(hub)
        self.assertEqual(ask(v4, "/readyz")[0], 503)
        self.assertEqual(ask(v4, "/healthz")[0], 200)
        self.assertEqual(ask(v4, "/metrics")[0], 200)
        with self.assertRaisesRegex(AssertionError, " 503 "):
            Client(self, hub.port)
        metrics = Metrics(v4)
        self.assertEqual(metrics("conicd_handshakes_total", "no_room"), 1)
        self.assertEqual(metrics("conicd_handshakes_total", "upgraded"), 1)
        self.assertEqual(metrics("conicd_handshake_duration_seconds_count"), 1)
        done = sum(value for key, value in metrics.samples.items() if key[0] == "conicd_handshakes_total")
        self.assertEqual(metrics("conicd_connections_accepted_total"), done + metrics("conicd_connections", "handshake"))
        client.close()
        client.ended()
        self.waits(v4, lambda metrics: metrics("conicd_connections", "closing") == 0, "no connection")
        self.assertEqual(ask(v4, "/readyz")[0], 200)

    def enters(self, hub):
        """A client that comes in as soon as there is room: who has asked something may not be gone yet."""
        for _ in range(1000):
            try:
                client = Client(self, hub.port)
                client.register("only")
                return client
            except AssertionError as error:
                self.assertIn(" 503 ", str(error))
        return self.fail("there was no room for a client")

    def test_tls(self):
        """With TLS for clients, metrics-listen is plain HTTP; what is no TLS handshake is counted as such"""
        certificate = Certificate(self)
        hub = self.conicd(arguments=("--metrics-listen", "127.0.0.1:0", "--log-level", "info", *certificate.options))
        port = int(hub.wait_line(r"wss://\S+ http://127\.0\.0\.1:(\d+)/metrics$").group(1))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=tap.seconds(10)) as response:
            self.assertEqual(response.status, 200)
        with self.assertRaises((OSError, http.client.HTTPException)):
            ask(hub.port, "/healthz")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"https://127.0.0.1:{hub.port}/metrics", context=certificate.context(),
                                   timeout=tap.seconds(10))
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()
        client = Client(self, hub.port, tls=certificate.context())
        client.register("a")
        metrics = self.waits(port, lambda metrics: metrics("conicd_connections", "handshake") == 1, "nobody in between")
        self.assertEqual(metrics("conicd_handshakes_total", "tls_failed"), 1)
        self.assertEqual(metrics("conicd_handshakes_total", "upgraded"), 1)
        self.assertEqual(metrics("conicd_connections", "registered"), 1)
        self.assertTrue(hub.has_line(r"The TLS handshake with 127\.0\.0\.1:\d+ failed"))

    def test_draining(self):
        """While it stops, it is alive and not ready"""
        hub = self.conicd("[timeouts]\ndrain-seconds=5\n", ("--metrics-listen", "127.0.0.1:0", "--close-seconds", "5"))
        port = int(hub.wait_line(r"http://127\.0\.0\.1:(\d+)/metrics").group(1))
        client = Client(self, hub.port)
        client.register("stays")
        hub.ended_by_us = True
        os.kill(hub.pid, hub.stop_signal)
        self.assertEqual(client.error()[0], "shutting_down")
        self.assertEqual(client.receive_frame()[1], CLOSE)
        self.assertEqual(ask(port, "/readyz")[0], 503)
        self.assertEqual(ask(port, "/healthz")[0], 200)
        metrics = Metrics(port)
        self.assertEqual(metrics("conicd_closes_total", "1001"), 1)
        self.assertEqual(metrics("conicd_errors_total", "shutting_down"), 1)
        self.assertEqual(metrics("conicd_connections", "closing"), 1)
        client.send_frame(CLOSE, struct.pack("!H", 1001))
        self.assertEqual(hub.wait_exit(), 0)

    def test_methods(self):
        """What is no secret can be asked for by HEAD; other methods hear what is allowed"""
        hub = self.conicd()
        for path in ("/healthz", "/readyz", "/metrics"):
            code, headers, text = ask(hub.port, path, method="HEAD")
            self.assertEqual((code, text), (200, ""))
            self.assertGreater(int(headers["Content-Length"]), 0)
            code, headers, _ = ask(hub.port, path, method="DELETE")
            self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"))
        code, headers, _ = ask(hub.port, "/ws", method="HEAD")
        self.assertEqual((code, headers["Allow"]), (405, "GET"))

    def test_who_may_read(self):
        """On the clients' address /metrics is for this machine: not for others, not through a proxy"""
        hub = self.conicd()
        self.assertEqual(ask(hub.port, "/metrics")[0], 200)
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            self.assertEqual(ask(hub.port, "/metrics", headers={header: "192.0.2.7"})[0], 404)
            self.assertEqual(ask(hub.port, "/healthz", headers={header: "192.0.2.7"})[0], 200)

        # A page whose name leads to this machine asks by that name, and so does a proxy that keeps it.
        for name in ("hub.example.org", "127.0.0.1.example.org", "192.0.2.1"):
            self.assertEqual(ask(hub.port, "/metrics", headers={"Host": f"{name}:{hub.port}"})[0], 404, name)
        for name in ("localhost", "LocalHost:3000", "127.1.2.3", "[::1]:3000"):
            self.assertEqual(ask(hub.port, "/metrics", headers={"Host": name})[0], 200, name)

        with Namespace(self) as elsewhere:
            arguments = (CONICD, "--listen", "192.0.2.1:3000")
            Process(self, "elsewhere", [*elsewhere.enter, *arguments]).wait_line("listening")
            self.assertEqual(elsewhere.ask("http://192.0.2.1:3000/metrics"), "404")
            self.assertEqual(elsewhere.ask("http://192.0.2.1:3000/healthz"), "200")
            arguments = (CONICD, "--listen", "192.0.2.1:3001", "--metrics-listen", "192.0.2.1:3002")
            Process(self, "apart", [*elsewhere.enter, *arguments]).wait_line("listening")
            self.assertEqual(elsewhere.ask("http://192.0.2.1:3002/metrics"), "200")


if __name__ == "__main__":
    tap.main()
