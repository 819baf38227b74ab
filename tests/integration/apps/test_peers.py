#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic peers, and how any of conic's programs says what is wrong with a hub.

Shows that the others are listed, that who comes and goes is followed, both also as JSON; and that a
hub which can't be reached, isn't one, isn't trusted, wants a token or goes away is told in words,
with exit code 3. A hub that answers nonsense does no harm.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402  pylint: disable=wrong-import-position

from conictest import peers, tap
from conictest.programs import CONIC, Conic, environment
from conictest.screen import Screen

sys.path.append(os.path.join(peers.ROOT, "tests", "integration", "daemon"))
from certificates import Certificate  # noqa: E402  pylint: disable=wrong-import-position


class PeersTest(tap.TestCase):
    limit = 60

    def peers(self, *arguments, hub=None, **kwargs):
        return Conic(self, "peers", "peers", *arguments, hub=hub, **kwargs)

    def member(self, hub, name):
        """Somebody on the hub."""
        program = Conic(self, name, "datachannel", "--id", name, hub=hub.uri, stdin=subprocess.PIPE)
        program.wait_line(f"“{name}” at")
        return program

    def check_refused(self, words, *arguments, code=3, **kwargs):
        program = self.peers(*arguments, **kwargs)
        self.assertEqual(program.wait_exit(), code, words)
        self.assertIn(words, program.printed("err"))
        self.assertEqual(len(program.lines), 1, "it said more than what was wrong")


class Lists(PeersTest):
    def test_list(self):
        """The others are listed, sorted, one a line"""
        hub = peers.Conicd(self)
        self.assertEqual(self.peers(hub=hub.uri).wait_exit(), 0)
        self.member(hub, "ben"), self.member(hub, "anna")
        # The address of the hub's page will do, too.
        listed = self.peers("--hub", f"http://127.0.0.1:{hub.port}")
        self.assertEqual(listed.wait_exit(), 0)
        self.assertEqual(listed.printed(), "anna\nben")
        listed = self.peers("--json", hub=hub.uri)
        self.assertEqual(listed.wait_exit(), 0)
        self.assertEqual(
            listed.events, [{"event": "peer", "peer": "anna"}, {"event": "peer", "peer": "ben"}]
        )

    def test_watch(self):
        """Who comes and goes is followed until Ctrl-C, or until the hub goes"""
        hub = peers.Conicd(self)
        anna = self.member(hub, "anna")
        watch, watch_json = self.peers("--watch", hub=hub.uri), self.peers(
            "--watch", "--json", hub=hub.uri
        )
        watch.wait_line("^  anna$")
        ben = self.member(hub, "ben")
        watch.wait_line(r"^\+ ben$")
        watch_json.wait_event("arrived", peer="ben")
        anna.stdin.close()
        watch.wait_line("^- anna$")
        watch_json.wait_event("left", peer="anna")
        self.assertEqual(watch_json.stop(), 0)
        ben.kill()
        hub.stop()
        self.assertEqual(watch.wait_exit(), 3)
        self.assertIn("the hub ended the connection", watch.printed("err"))

    def test_watch_until(self):
        """Ctrl-C ends the watch, and the line; so does a reader who has seen enough"""
        hub = peers.Conicd(self)
        self.member(hub, "anna")
        screen = Screen(self, "watch", [CONIC, "peers", "--watch"], env=environment(hub.uri))
        screen.wait_line("  anna")
        screen.type("\x03")
        self.assertEqual(screen.wait_exit(), 0)
        self.assertEqual(screen.line, "")
        done = subprocess.run(
            f"{CONIC} peers --watch --hub {hub.uri} | grep -m1 ' anna$'",
            shell=True, capture_output=True, text=True, check=True, timeout=tap.seconds(20),
            env={**os.environ, **peers.gst_environment()},
        )  # fmt: skip
        self.assertEqual((done.stdout, done.stderr), ("  anna\n", ""))


class Impostor:
    """Something that speaks WebSocket, and answers what it likes: texts with `NUMBER` for a request's."""

    def __init__(self, case, *answers):
        self._answers, self._clients = list(answers), []
        self._loop = GLib.MainLoop.new(GLib.MainContext.new(), False)
        listening = threading.Event()
        thread = threading.Thread(target=self._run, args=(listening,))
        thread.start()
        case.addCleanup(thread.join)
        case.addCleanup(self._loop.quit)
        listening.wait()

    def _run(self, listening):
        self._loop.get_context().push_thread_default()
        server = Soup.Server()
        server.add_websocket_handler("/ws", None, None, self._on_client)
        server.listen_local(0, Soup.ServerListenOptions.IPV4_ONLY)
        self.uri = f"ws://127.0.0.1:{server.get_uris()[0].get_port()}/ws"
        listening.set()
        self._loop.run()
        server.disconnect()

    def _on_client(self, _server, _message, _path, client):
        self._clients.append(client)
        client.connect("message", self._on_message)

    def _on_message(self, client, _kind, data):
        number = json.dumps(json.loads(data.get_data())["id"])
        if self._answers:
            client.send_text(self._answers.pop(0).replace("NUMBER", number))


def answer(kind, **data):
    return json.dumps({"type": kind, "data": data})[:-1] + ', "reply_to": NUMBER}'


class Impostors(PeersTest):
    def test_nonsense(self):
        """Answers that make no sense are called that, at once"""
        registered = answer("register_response", success=True, client_id="a")
        for answers in (
            ["[" * 100000],
            [registered.replace("NUMBER", "[]")],
            [answer("register_response", success=True)],
            [answer("register_response", success=True, client_id="\x1b[31m")],
            [registered, answer("list_response", clients=[5])],
            [registered, answer("list_response")],
        ):
            self.check_refused("what answers there is no hub", hub=Impostor(self, *answers).uri)

    def test_escapes(self):
        """Nothing that a terminal would obey is shown, and no id that can't be one"""
        hub = Impostor(self, answer("error", code="x", message="\x1b[31mred"))
        self.check_refused("the hub says: \\x1b[31mred", hub=hub.uri)
        ids = [{"client_id": name} for name in ("ben", "\x1b[31mred", "$(id)", "a b", 5)]
        hub = Impostor(
            self,
            answer("register_response", success=True, client_id="a"),
            answer("list_response", clients=ids),
        )
        listed = self.peers(hub=hub.uri)
        self.assertEqual(listed.wait_exit(), 0)
        self.assertEqual(listed.printed(), "ben")


class Refusals(PeersTest):
    def test_nobody(self):
        """What isn't there, or is no hub, is told apart"""
        hub = peers.Conicd(self)
        self.check_refused("nobody listens there (is the hub running?)", hub="ws://127.0.0.1:1/ws")
        self.check_refused(
            "no hub at this path; a hub's ends in /ws", hub=f"ws://127.0.0.1:{hub.port}/x"
        )
        self.check_refused("TLS failed", hub=f"wss://127.0.0.1:{self.mute()}/ws")
        self.check_refused("Name or service not known", hub="ws://no.invalid:3000/ws")
        self.check_refused("is not the URI of a hub", hub="hub.example.org", code=2)
        self.check_refused("is not the URI of a hub", "--hub", "ftp://x/", code=2)
        self.check_refused("No such file", "--tls-ca", self.path("none"), hub=hub.uri, code=2)
        self.check_refused("has no certificates", "--tls-ca", __file__, hub=hub.uri, code=2)
        self.check_refused("--hub: expected one argument", "--hub", code=2)

    def mute(self):
        """The port of somebody who hangs up at once."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        return listener.getsockname()[1]

    def test_tls(self):
        """A certificate is trusted when its authority is named, and what is wrong with one is said"""
        ours, other = Certificate(self), Certificate(self, "other")
        hub = peers.Conicd(self, arguments=ours.options)
        uri = f"wss://localhost:{hub.port}/ws"
        trusted = self.peers("--tls-ca", ours.certificate, hub=uri)
        self.assertEqual(trusted.wait_exit(), 0, trusted.printed("err"))
        self.check_refused("who signed it is not trusted here (see --tls-ca)", hub=uri)
        self.check_refused(
            "who signed it is not trusted here", "--tls-ca", other.certificate, hub=uri
        )
        self.check_refused("does the hub want TLS, wss://?", hub=uri.replace("wss:", "ws:"))

    def test_token(self):
        """A token is wanted, and what is wrong with one is said; an id of one's own is kept"""
        with open(self.path("key"), "w", encoding="ascii") as file:
            file.write("0123456789" * 5)
        hub = peers.Conicd(self, arguments=("--auth-key", self.path("key")))

        def token(name, expires="600"):
            done = subprocess.run(
                [peers.CONICD, "token", "--key", self.path("key"), "--sub", name, "--expires", expires],
                capture_output=True, text=True, check=True, env={**os.environ, **peers.gst_environment()},
            )  # fmt: skip
            return done.stdout.strip()

        self.check_refused("the hub wants a token (see --token)", hub=hub.uri)
        self.check_refused(
            "the hub wants a token, and doesn't take this one: ", "--token", "x.y.z", hub=hub.uri
        )
        self.check_refused("characters that no token has", "--token", "a b\n", hub=hub.uri, code=2)
        one = token("anna")
        good = self.peers(hub=hub.uri, env={"CONIC_TOKEN": one})
        self.assertEqual(good.wait_exit(), 0, good.printed("err"))
        anna = Conic(
            self,
            "anna",
            "datachannel",
            hub=hub.uri,
            env={"CONIC_TOKEN": one},
            stdin=subprocess.PIPE,
        )
        anna.wait_line("“anna” at")
        self.check_refused("the hub says: ", "--token", one, hub=hub.uri)
        anna.stdin.write(b"peers\n")
        anna.stdin.flush()
        anna.wait_line("only to a token that is good for a second id")
        refused = Conic(self, "refused", "datachannel", "--id", "ben", "--token", one, hub=hub.uri)
        self.assertEqual(refused.wait_exit(), 3)
        self.assertIn("could not register “ben”", refused.printed("err"))
        refused = Conic(self, "refused", "datachannel", "--token", "x.y.z", hub=hub.uri)
        self.assertEqual(refused.wait_exit(), 3)
        self.assertIn("token", refused.printed("err"))


if __name__ == "__main__":
    tap.main()
