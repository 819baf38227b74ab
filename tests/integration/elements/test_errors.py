#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong, and what the bus says about it.

Shows that what time can mend is a warning that says what to do, and is mended by itself once that
is done: a hub that can't be reached, a target that isn't there, an offer that is refused, a hub
that goes away; that what only the user can mend is an error: an id that is taken, an id or a URI
that can't be one; that garbage from a peer harms nobody; and that an element that never connected
goes to NULL at once, whatever it was waiting for.
"""

import json
import os
import subprocess
import threading

from conictest import peers, tap, wire

# "At once", for a state change that has nothing to wait for.
AT_ONCE_SECONDS = 2.0
# The thread that makes the element's key, for as long as a processor takes; its name as the kernel cuts it.
KEY_THREAD, LOOK_SECONDS = "conic-certificate"[:15], 0.02
VIDEO = "videotestsrc is-live=true"


class Errors(peers.HubTest):
    def sink(self, properties, name="sink", source=VIDEO, **kwargs):
        pipeline = f"{source} ! conicsink name=s {properties}"
        return peers.Probe(self, name, self.at_hub(pipeline), **kwargs)

    def source(self, properties, name="source", **kwargs):
        pipeline = f"conicsrc name=r {properties} ! fakesink"
        return peers.Probe(self, name, self.at_hub(pipeline), **kwargs)

    def assert_null_at_once(self, probe):
        while KEY_THREAD in dict(probe.threads()):
            threading.Event().wait(LOOK_SECONDS)
        answer = probe.ask("state", 10, state="NULL")
        self.assertEqual(answer["result"], "success")
        self.assertLess(answer["seconds"], tap.PATIENCE * AT_ONCE_SECONDS)

    def assert_no_error(self, probe):
        self.assertEqual(probe.of_kind("error"), [])

    def test_unreachable(self):
        """An unreachable hub is a warning with its address and what to do; once it is there all goes well"""
        holder, port = wire.unused_port()
        probe = self.sink(f"client-id=camera uri=ws://127.0.0.1:{port}/ws")
        said = probe.wait_event("warning")
        self.assertIn(f"127.0.0.1:{port}", said["text"])
        self.assertRegex(said["text"], "(?i)start conicd|set uri")
        holder.close()
        peers.Conicd(self, port)
        probe.wait_message("conic-registered", 40)
        self.assert_no_error(probe)

    def test_unreachable_tried_again(self):
        """An unreachable hub is tried again and again, more slowly each time"""
        holder, port = wire.unused_port()
        self.addCleanup(holder.close)
        probe = self.source(f"target-id=camera uri=ws://127.0.0.1:{port}/ws")
        probe.wait_until(lambda: len(probe.of_kind("warning")) >= 4, 40, "the fourth warning")
        times = [event["time"] for event in probe.of_kind("warning")]
        self.assertGreater(times[3] - times[2], times[1] - times[0])
        self.assert_no_error(probe)

    def test_unknown_target(self):
        """An unknown target is a warning with its name; once it is there it is called"""
        viewer = self.source("target-id=camera")
        said = viewer.wait_event("warning")
        self.assertIn("camera", said["text"])
        self.assertRegex(said["text"], "(?i)start|target-id")
        self.sink("client-id=camera")
        viewer.wait_message("conic-session-started", 40)
        self.assert_no_error(viewer)

    def test_taken_id(self):
        """A taken id is an error that names it; the peer that has it doesn't notice"""
        first = self.sink("client-id=camera", "first")
        first.wait_message("conic-registered")
        second = self.sink("client-id=camera", "second")
        said = second.wait_event("error")
        self.assertIn("camera", said["text"])
        self.assertRegex(said["text"], "(?i)choose|another|client-id")
        self.assert_null_at_once(second)
        viewer = self.source("target-id=camera")
        viewer.wait_message("conic-session-started", 30)
        self.assertEqual(first.of_kind("error") + first.of_kind("warning"), [])

    def test_taken_id_ends_gst_launch(self):
        """A taken id ends gst-launch-1.0 with a message and a status"""
        first = self.sink("client-id=camera", "first")
        first.wait_message("conic-registered")
        second = peers.Launch(self, "second", self.at_hub(f"{VIDEO} ! conicsink client-id=camera"))
        self.assertEqual(second.wait_exit(20), 1)
        self.assertTrue(second.has_line("ERROR: from element .*camera"))

    def test_invalid_id(self):
        """An id that can't be one is an error that names it"""
        probe = self.sink('client-id="no spaces, please"')
        said = probe.wait_event("error")
        self.assertIn("client-id", said["text"])
        self.assert_null_at_once(probe)

    def test_invalid_uri(self):
        """A URI that can't be one is an error that names it"""
        for uri in ("http://127.0.0.1:1/ws", "nonsense", "ws://", "ws://127.0.0.1:99999/ws"):
            with self.subTest(uri=uri):
                probe = self.sink(f"uri={uri}")
                said = probe.wait_event("error", what=f"an error about {uri}")
                self.assertIn(uri, said["text"])
                self.assert_null_at_once(probe)
        for uri in ("http://me:secret@127.0.0.1:1/ws?token=secret", "ws://me:secret@127.0.0.1:99999/ws?token=secret"):
            with self.subTest(uri=uri):
                probe = self.sink(f"uri={uri}")
                said = probe.wait_event("error", what=f"an error about {uri}")
                self.assertIn("127.0.0.1", said["text"])
                self.assertNotIn("secret", said["text"] + said["debug"])

    def test_refused(self):
        """A refused offer is a warning with the reason; it is offered again"""
        bob = wire.BarePeer(self, self.hub.uri, "bob")
        viewer = self.source("client-id=alice target-id=bob")
        for _ in range(2):
            start = len(viewer.events)
            offer = bob.wait("sdp", 40)
            self.assertEqual(offer["data"]["session_description"]["type"], "offer")
            bob.send(
                "bye",
                to_id="alice",
                reason="busy right now",
                **{key: offer["data"][key] for key in ("session_id",) if key in offer["data"]},
            )
            said = viewer.wait_event("warning", start=start)
            self.assertIn("bob", said["text"])
            self.assertIn("busy right now", said["text"])
        self.assert_no_error(viewer)
        self.assert_null_at_once(viewer)

    def test_no_room(self):
        """Beyond max-sessions a call is refused with the reason; when there is room again it comes about"""
        camera = self.sink("client-id=camera max-sessions=1")
        camera.wait_message("conic-registered")
        first = self.source("client-id=first target-id=camera", "first")
        first.wait_message("conic-session-started", 30)
        second = self.source("client-id=second target-id=camera", "second")
        said = second.wait_event("warning")
        self.assertIn("camera", said["text"])
        self.assertIn("no room for another session", said["text"])
        self.assertEqual(second.of_kind("message", name="conic-session-started"), [])
        self.assertEqual(first.stop(), 0)
        second.wait_message("conic-session-started", 40)
        self.assert_no_error(second)
        self.assert_no_error(camera)

    def test_no_answer(self):
        """A peer that never answers is a failed session after session-timeout"""
        wire.BarePeer(self, self.hub.uri, "bob")
        viewer = self.source("target-id=bob session-timeout=2")
        failed = viewer.wait_message("conic-session-failed", 20)
        self.assertEqual(failed["fields"]["peer-id"], "bob")
        self.assertTrue(failed["fields"]["reason"])
        viewer.wait_event("warning", text=lambda text: text is not None and "bob" in text)
        self.assert_no_error(viewer)

    def test_hub_lost(self):
        """A hub that goes away is a warning; the call goes on, and a hub that comes back has us again"""
        camera = self.sink("client-id=camera", "camera")
        camera.wait_message("conic-registered")
        viewer = self.probe("viewer", "conicsrc target-id=camera ! appsink name=video sync=false")
        viewer.wait_event("sample", 30, sink="video", n=30)
        before = len(camera.events)
        port = self.hub.port
        self.hub.stop()
        camera.wait_event("warning", start=before)
        seen = len(viewer.of_kind("sample"))
        viewer.wait_event("sample", 20, sink="video", n=seen + 60)
        peers.Conicd(self, port, name="conicd again")
        camera.wait_event("message", 40, start=before, name="conic-registered")
        seen = len(viewer.of_kind("sample"))
        viewer.wait_event("sample", 20, sink="video", n=seen + 30)
        for probe in (camera, viewer):
            self.assert_no_error(probe)
            self.assertEqual(probe.of_kind("message", name="conic-session-ended"), [])

    def test_garbage(self):
        """Garbage from a peer ends at most the session with that peer"""
        camera = self.sink("client-id=camera session-timeout=3", "camera")
        camera.wait_message("conic-registered")
        mallory = wire.BarePeer(self, self.hub.uri, "mallory")
        media = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        offers = [
            "",
            "nonsense",
            media,
            media + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
            media
            + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
            "a=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n",
            media
            + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
            "a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 zz:zz\r\na=setup:actpass\r\n"
            "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n",
            media + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n" * 20,
        ]
        for number, sdp in enumerate(offers):
            for kind in ("offer", "answer"):
                mallory.send(
                    "sdp",
                    to_id="camera",
                    session_id=f"s{number}{kind}",
                    session_description={"type": kind, "sdp": sdp},
                )
        for candidate in (
            "",
            "nonsense",
            "candidate:1 1 UDP 1 999.999.999.999 99999 typ host",
            "a" * 10_000,
        ):
            for index in (0, 99, None):
                mallory.send(
                    "candidate",
                    to_id="camera",
                    session_id="s4offer",
                    candidate={"candidate": candidate, "sdpMid": "0", "sdpMLineIndex": index},
                )
        mallory.send("bye", to_id="camera", session_id="never heard of", reason="x\u0001y")
        viewer = self.source("target-id=camera", "viewer")
        viewer.wait_message("conic-session-started", 30)
        self.assert_no_error(camera)
        self.assertTrue(camera.running)

    def test_null_unreachable(self):
        """An element that never reached a hub goes to NULL at once"""
        holder, port = wire.unused_port()
        self.addCleanup(holder.close)
        for make in (self.sink, self.source):
            probe = make(f"target-id=x uri=ws://127.0.0.1:{port}/ws")
            probe.wait_event("warning")
            self.assert_null_at_once(probe)

    def test_null_silent_hub(self):
        """An element whose hub never says a word goes to NULL at once"""
        hole = wire.BlackHole(self)
        for make in (self.sink, self.source):
            probe = make(f"target-id=x uri={hole.uri}")
            probe.wait_event("reached", state="PAUSED")
            self.assert_null_at_once(probe)

    def test_null_unanswered(self):
        """An element whose offer nobody answers goes to NULL at once"""
        bob = wire.BarePeer(self, self.hub.uri, "bob")
        for make in (self.sink, self.source):
            probe = make("target-id=bob")
            bob.wait("sdp", 20)
            self.assert_null_at_once(probe)

    def test_null_blocked(self):
        """A data pad that waits for a session lets its element go to NULL at once"""
        text = self.path("text")
        with open(text, "w", encoding="utf-8") as file:
            file.write("hello\n" * 100_000)
        probe = self.probe("sender", f"filesrc location={text} ! s.data_chat  conicsink name=s")
        self.assert_null_at_once(probe)

    def test_ids(self):
        """Without client-id the hub assigns one, which can be read; connected says whether we are registered"""
        probe = self.sink("")
        given = probe.wait_message("conic-registered")["fields"]["client-id"]
        self.assertTrue(given)
        probe.wait_event("notify", property="client-id", value=given)
        probe.wait_event("notify", property="connected", value=True)
        self.assertEqual(probe.ask("get", element="s", property="client-id")["value"], given)
        before = len(probe.events)
        self.hub.stop()
        probe.wait_event("notify", start=before, property="connected", value=False)

    def test_stats(self):
        """The statistics name the peer and the path and are not made up"""
        camera = self.sink("client-id=camera", "camera")
        camera.wait_message("conic-registered")
        viewer = self.source("client-id=viewer target-id=camera", "viewer")
        viewer.wait_message("conic-session-started", 30)

        for probe, element, peer, rate in (
            (camera, "s", "viewer", "bitrate-out"),
            (viewer, "r", "camera", "bitrate-in"),
        ):
            probe.wait_stats(element, lambda s, rate=rate: s[rate] > 0 and s["path"] != "unknown")
            found = probe.sessions(element)
            self.assertEqual(len(found), 1, json.dumps(found))
            self.assertEqual(found[0]["peer-id"], peer)
            self.assertEqual(found[0]["path"], "host")
            self.assertLess(found[0][rate], 20_000_000)
            self.assertLess(found[0]["round-trip-time"], 1.0)

    def test_missing_plugin(self):
        """Without a plugin that every session needs there is an error that names its package"""
        plugins = subprocess.check_output(
            ["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"], text=True
        ).strip()
        some = self.path("plugins")
        os.mkdir(some)
        for plugin in ("coreelements", "videotestsrc", "webrtc"):
            os.symlink(f"{plugins}/libgst{plugin}.so", f"{some}/libgst{plugin}.so")
        launch = peers.Launch(
            self,
            "launch",
            self.at_hub(f"{VIDEO} ! conicsink"),
            env={"GST_PLUGIN_SYSTEM_PATH": some, "GST_REGISTRY": self.path("registry.bin")},
        )
        self.assertNotEqual(launch.wait_exit(20), 0)
        self.assertTrue(launch.has_line("ERROR: .*nicesink.*gstreamer1.0-nice"))

    def test_gst_inspect_survives(self):
        """The plugin loads in gst-inspect-1.0 without a word on standard error"""
        done = subprocess.run(
            ["gst-inspect-1.0", "conic"],
            env={**os.environ, **peers.gst_environment(), "GST_DEBUG": "0"},
            capture_output=True,
            text=True,
            timeout=tap.seconds(30),
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    tap.main()
