#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The codecs of raw media, and their encoders.

Shows that each video codec brings the right colours whoever calls, that `video-codecs` of either side
decides which it is, that each codec in use has one encoder however many watch and none when nobody
does, that both sides are told when they have none in common, that `bitrate` reaches the encoders while
they run, and that `encoder-setup` has the last word.
"""

from conictest import peers, tap
from conictest.media import RGB

DOMAIN = "gst-stream-error-quark"
# The encoders of each codec, of which one has to be installed.
ENCODERS = {"VP8": {"vp8enc"}, "VP9": {"vp9enc"}, "H264": {"openh264enc", "x264enc"}}


def encoders(names):
    every = set().union(*ENCODERS.values())
    return sorted(name for name in names if name in every)


class Codecs(peers.HubTest):
    def camera(self, properties="", element="conicsink"):
        return self.probe(
            "camera", f"videotestsrc is-live=true ! {element} name=c client-id=camera {properties}"
        )

    def viewer(self, name, properties="target-id=camera"):
        return self.watch(name, f"conicsrc client-id={name} {properties} ! {RGB}")

    def test_pulled(self):
        """One camera, three viewers that want three codecs and one that doesn't mind: three encoders"""
        camera = self.camera()
        self.assertEqual(encoders(camera.ask("factories")["names"]), [])
        viewers = {
            codec: self.viewer(codec, f"target-id=camera video-codecs=<{codec}>")
            for codec in ENCODERS
        }
        viewers["any"] = self.viewer("any")
        for _, pipe in viewers.values():
            self.check_bars(pipe)
        found = encoders(camera.ask("factories")["names"])
        self.assertEqual(len(found), 3, found)
        for codec, names in ENCODERS.items():
            self.assertTrue(names & set(found), f"no encoder of {codec}: {found}")
        for process, _ in viewers.values():
            self.assertEqual(process.stop(), 0)
        # It is taken apart on a thread of its own: asked until it is gone, or the watchdog bites.
        while encoders(camera.ask("factories")["names"]):
            pass

    def test_pushed(self):
        """A camera that calls offers its codecs in the order it likes; the viewer takes what it knows"""
        for number, (ours, theirs, expected) in enumerate(
            (("<H264,VP8>", "", "H264"), ("<H264,VP9>", "video-codecs=<VP8,VP9>", "VP9"))
        ):
            with self.subTest(camera=ours, viewer=theirs):
                name = f"viewer{number}"
                process, pipe = self.viewer(name, theirs)
                process.wait_message("conic-registered")
                camera = self.camera(f"target-id={name} video-codecs={ours}")
                self.check_bars(pipe)
                found = encoders(camera.ask("factories")["names"])
                self.assertEqual(len(found), 1, found)
                self.assertIn(found[0], ENCODERS[expected])
                camera.stop()
                process.stop()

    def test_unknown(self):
        """A codec that isn't known is named in a warning, and the others are used"""
        camera = self.camera('video-codecs="<THEORA, VP8>"')
        camera.wait_event("warning", text=lambda text: "THEORA" in text and "video-codecs" in text)
        self.check_bars(self.viewer("viewer")[1])

    def test_none_in_common(self):
        """Without a codec in common both sides are told once what each has, whoever calls"""
        for caller in ("viewer", "camera"):
            with self.subTest(caller=caller):
                ids = {name: f"{name}-of-{caller}" for name in ("viewer", "camera")}
                target = {caller: f"target-id={ids['viewer' if caller == 'camera' else 'camera']}"}
                pipelines = {
                    "viewer": "conicsrc name=v {} video-codecs=<VP9,VP8> ! fakesink",
                    "camera": "videotestsrc is-live=true ! conicsink {} video-codecs=<H264>",
                }
                probes = {}
                for name in sorted(pipelines, key=lambda name: name == caller):
                    properties = f"client-id={ids[name]} {target.get(name, '')}"
                    probes[name] = self.probe(name, pipelines[name].format(properties))
                for name, other, theirs, ours in (
                    ("viewer", "camera", "H264", "VP9, VP8"),
                    ("camera", "viewer", "VP9, VP8", "H264"),
                ):
                    probes[name].wait_event("message", name="conic-session-started")
                    said = probes[name].wait_event("warning", domain=DOMAIN)["text"]
                    self.assertIn(
                        f"No video codec is common with “{ids[other]}”: it has {theirs}, this"
                        f" element has {ours} (see video-codecs)",
                        said,
                    )
                for probe in probes.values():
                    probe.stop()
                    said = [w for w in probe.of_kind("warning") if w["domain"] == DOMAIN]
                    self.assertEqual(len(said), 1, said)

    def test_bitrate(self):
        """bitrate changes the encoders' while they run, and encoder-setup has the last word"""
        camera = self.camera("bitrate=500000")
        self.check_bars(self.viewer("viewer")[1])
        rate = {"element": "vp8enc0", "property": "target-bitrate"}
        self.assertEqual(camera.ask("get", **rate)["value"], 500000)
        camera.ask("set", element="c", property="bitrate", value=300000)
        self.assertEqual(camera.ask("get", **rate)["value"], 300000)
        setup = camera.wait_event("encoder-setup")
        self.assertEqual((setup["pad"], setup["encoder"]), ("video_0", "vp8enc"))
        # What the probe set there.
        self.assertEqual(
            camera.ask("get", element="vp8enc0", property="keyframe-max-dist")["value"], 77
        )


if __name__ == "__main__":
    tap.main()
