#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plain webrtcbin driven by conicsignaller.

Shows that it calls another such pipeline, that it calls a conicsrc and is called by one, and that
pictures and messages pass whichever of the two sides is the plain one; and that a webrtcbin has one
session, whatever else it is offered, and however often it is stopped.
"""

from conictest import peers, tap, wire
from conictest.media import COLOUR_TOLERANCE, RGB

# As many pictures as show that it isn't only the first that gets through.
ENOUGH = 45
SETTLED = 20

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=mid:0\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 AA:BB\r\n"
    "a=setup:actpass\r\na=recvonly\r\n"
)


class Signaller(peers.HubTest):
    def plain_camera(self, properties):
        return self.launch(
            "camera",
            "webrtcbin name=rtc bundle-policy=max-bundle "
            f" conicsignaller webrtc=rtc {properties} "
            " videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! rtc.",
        )

    def plain_viewer(self, properties):
        return self.watch(
            "viewer",
            "webrtcbin name=rtc bundle-policy=max-bundle "
            f" conicsignaller webrtc=rtc {properties} "
            f" rtc. ! rtpvp8depay ! vp8dec ! {RGB}",
        )

    def check(self, pipe):
        pipe.wait_frames(ENOUGH, 30)
        self.assertLess(
            max(pipe.values()[SETTLED:]), COLOUR_TOLERANCE, "a picture is not the test bars"
        )

    def test_calls_its_like(self):
        """A plain webrtcbin with conicsignaller calls another such pipeline"""
        viewer, pipe = self.plain_viewer("client-id=bob")
        viewer.wait_message("conic-registered")
        camera = self.plain_camera("target-id=bob")
        camera.wait_message("conic-session-started", **{"peer-id": "bob"})
        self.check(pipe)

    def test_calls_conicsrc(self):
        """A plain webrtcbin with conicsignaller calls a conicsrc"""
        viewer, pipe = self.watch("viewer", f"conicsrc client-id=bob ! {RGB}")
        viewer.wait_message("conic-registered")
        camera = self.plain_camera("target-id=bob client-id=alice")
        camera.wait_message("conic-session-started", **{"peer-id": "bob"})
        viewer.wait_message("conic-session-started", **{"peer-id": "alice"})
        self.check(pipe)

    def test_called_by_conicsrc(self):
        """A conicsrc calls a plain webrtcbin with conicsignaller"""
        camera = self.plain_camera("client-id=camera")
        camera.wait_message("conic-registered")
        _, pipe = self.watch("viewer", f"conicsrc target-id=camera ! {RGB}")
        self.check(pipe)

    def test_called_by_conicsink(self):
        """A conicsink calls a plain webrtcbin with conicsignaller"""
        viewer, pipe = self.plain_viewer("client-id=bob")
        viewer.wait_message("conic-registered")
        self.launch("camera", "videotestsrc is-live=true ! conicsink target-id=bob")
        self.check(pipe)

    def test_channel(self):
        """Messages pass between two plain webrtcbins, both ways"""
        called = self.probe(
            "called",
            "webrtcbin name=rtc bundle-policy=max-bundle "
            " conicsignaller webrtc=rtc client-id=bob",
        )
        caller = self.probe(
            "caller",
            "webrtcbin name=rtc bundle-policy=max-bundle "
            " conicsignaller name=sig webrtc=rtc client-id=alice",
            paused=True,
        )
        caller.ask("channel", webrtc="rtc", label="chat")
        caller.ask("set", element="sig", property="target-id", value="bob")
        caller.ask("state", state="PLAYING")
        caller.wait_event("channel-open", label="chat")
        called.wait_event("channel-open", label="chat")
        caller.ask("say", label="chat", text="grüße")
        called.wait_event("channel-message", form="text", text="grüße")
        called.ask("say", label="chat", text="zurück")
        caller.wait_event("channel-message", form="text", text="zurück")

    def test_two_at_once(self):
        """An offer good for nothing costs it nothing; of two that come at once it takes one"""
        camera = self.plain_camera("client-id=camera")
        camera.wait_message("conic-registered")
        bare = wire.BarePeer(self, self.hub.uri, "bare")
        for session, text in (("bad", "nonsense"), ("first", OFFER), ("second", OFFER)):
            bare.send(
                "sdp",
                to_id="camera",
                session_id=session,
                session_description={"type": "offer", "sdp": text},
            )
        refused = {}
        for _ in range(2):
            data = bare.wait("bye")["data"]
            refused[data["session_id"]] = data["reason"]
        self.assertIn("can't be used", refused["bad"])
        self.assertIn("busy", refused["second"])
        answer = bare.wait("sdp")["data"]
        self.assertEqual(answer["session_id"], "first")

    def test_second_life(self):
        """A webrtcbin that has had its session takes no other after it was stopped, and says so"""
        camera = self.probe(
            "camera",
            "webrtcbin name=rtc bundle-policy=max-bundle  conicsignaller webrtc=rtc client-id=camera",
        )
        camera.wait_event("message", name="conic-registered")
        bare = wire.BarePeer(self, self.hub.uri, "bare")
        offer = {"type": "offer", "sdp": OFFER}
        bare.send("sdp", to_id="camera", session_id="first", session_description=offer)
        self.assertEqual(bare.wait("sdp")["data"]["session_id"], "first")
        for state in ("NULL", "PLAYING"):
            start = len(camera.events)
            camera.ask("state", state=state)
        self.assertEqual(bare.wait("bye")["data"]["session_id"], "first")
        camera.wait_event("message", 30, start, name="conic-registered")
        bare.send("sdp", to_id="camera", session_id="second", session_description=offer)
        refusal = bare.wait("bye")["data"]
        self.assertEqual(refusal["session_id"], "second")
        self.assertIn("busy", refusal["reason"])


if __name__ == "__main__":
    tap.main()
