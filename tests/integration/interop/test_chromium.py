#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium and the elements.

Shows that a browser and a pipeline understand each other, whoever calls and whether or not the
browser tells its addresses: what the one shows and plays is what the other sees and hears after
decoding, messages arrive as they were, and in the middle of a call a browser may turn its camera on and
off, hang up, be loaded again or die.
"""

import base64
import os

import numpy as np

from conictest import browser, media, netns, peers, tap

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
ADDRESS = "10.99.0.1"

WIDTH, HEIGHT, TONE_HZ = 320, 240, 440
BARS = f"videotestsrc is-live=true ! video/x-raw,width={WIDTH},height={HEIGHT},framerate=30/1"
TONE = f"audiotestsrc is-live=true freq={TONE_HZ} volume=0.5"
SMALL = "videoconvert ! videoscale ! video/x-raw,format=RGB,width=64,height=48"
H264 = "openh264enc complexity=low gop-size=300 ! video/x-h264,profile=constrained-baseline"
# Encoded, a colour is a little off, and the first pictures are coarse; a wrong bar is off by 255.
COLOUR_TOLERANCE = 60

# The browser's own camera: a disk with a mouth that opens, and its microphone: a beep now and then.
FAKE_WIDTH, FAKE_HEIGHT, FAKE_FRAMES = 640, 480, 40
BACKGROUND, DISK = (0, 128, 0), (78, 255, 24)
BEEP_HZ, BEEP_INTERVAL, BEEP_SECONDS = 400, 0.5, 0.05
RATE = 48000
# A browser begins with 300 kbit/s, and stays there while nobody tells it what arrived.
MORE_THAN_AT_FIRST = 600_000

LINES = ["plain", "grüße", "日本語の行", "🎈🎊", "x" * 20000]


def look_at_disk(frame):
    """How far an RGB frame of the fake camera is from its colours, and how much of the disk it shows."""
    picture = media.rgb(frame, FAKE_WIDTH, FAKE_HEIGHT)
    background = picture[400:440, 100:500].mean(axis=(0, 1))
    square = picture[120:360, 200:440]
    disk = square[square[:, :, 1] > 190]
    colours = [(background, BACKGROUND)] + ([(disk.mean(axis=0), DISK)] if len(disk) > 100 else [])
    return max(media.colour_error([a], [b]) for a, b in colours), len(disk) / square[:, :, 1].size


def find_beeps(samples):
    """When each sound in a channel begins (seconds), and the frequency of the loudest of them."""
    window = RATE // 100
    blocks = samples[: len(samples) // window * window].reshape(-1, window)
    loud = np.concatenate(([False], np.sqrt((blocks**2).mean(axis=1)) > 0.05, [False]))
    edges = np.flatnonzero(np.diff(loud.astype(np.int8))).reshape(-1, 2)
    longest = max(edges, key=lambda edge: edge[1] - edge[0])
    frequency, _ = media.loudest(samples[longest[0] * window : longest[1] * window], RATE)
    return edges[:, 0] * window / RATE, frequency


class Chromium(tap.TestCase):
    limit = 60
    addresses = browser.REAL_ADDRESSES

    def setUp(self):
        super().setUp()
        netns.lone_interface(self, ADDRESS)
        self.pages = browser.Pages(self, PAGE)
        self.hub = peers.Conicd(self, arguments=("--origin", self.pages.origin))

    def browser(self, wants, client_id="browser"):
        chromium = browser.Browser(self, self.pages.url, self.addresses)
        chromium.call("join", self.hub.uri, client_id, wants)
        return chromium

    def launch(self, name, element, pipeline, **kwargs):
        """A pipeline with that element in it, called `c` and registered under the pipeline's name."""
        return peers.Launch(
            self, name, f"{element} name=c client-id={name} uri={self.hub.uri} {pipeline}", **kwargs
        )

    def probe(self, name, element, pipeline, **kwargs):
        """The same as a pipeline that reports what it sees."""
        return peers.Probe(
            self, name, f"{element} name=c client-id={name} uri={self.hub.uri} {pipeline}", **kwargs
        )

    # --- what the browser sees and hears ---

    def picture(self, chromium):
        found = chromium.call("picture")
        pixels = np.frombuffer(base64.b64decode(found["rgba"]), np.uint8)
        return pixels.reshape(found["height"], found["width"], 4)[:, :, :3]

    def check_bars(self, chromium):
        """The browser shows the bars in their colours, and the noise in their corner changes."""
        errors = []
        while not errors or (errors[-1] >= COLOUR_TOLERANCE and len(errors) < 100):
            picture = self.picture(chromium)
            errors.append(media.smpte_error(picture))
        self.assertLess(errors[-1], COLOUR_TOLERANCE, f"not the test bars: {errors}")
        self.assertEqual(picture.shape, (HEIGHT, WIDTH, 3))
        corner = np.s_[HEIGHT * 4 // 5 :, WIDTH * 4 // 5 :]
        later = self.picture(chromium)
        change = np.abs(picture[corner].astype(float) - later[corner]).mean()
        self.assertGreater(change, 5, "the picture stands still")

    def check_tone(self, chromium):
        """The browser plays the tone and nothing else."""
        for _ in range(10):
            found = chromium.call("sound")
            samples = np.frombuffer(base64.b64decode(found["samples"]), np.float32)
            frequency, share = media.loudest(samples, found["rate"])
            if abs(frequency - TONE_HZ) < 5 and share > 0.8:
                return
        self.fail(f"not the tone: {share:.2f} of it is at {frequency:.0f} Hz")

    def check_codec(self, chromium, mime_type, kind="inbound-rtp"):
        """The video goes in that codec, says the browser."""
        stream = chromium.call("stats", kind, "video")[0]
        codecs = {codec["id"]: codec["mimeType"] for codec in chromium.call("stats", "codec")}
        self.assertEqual(codecs[stream["codecId"]], mime_type)

    def check_feedback(self, chromium, pipe):
        """The browser learns from transport-cc that there is room, and sends more than at first."""
        rates = []
        while not rates or (rates[-1] < MORE_THAN_AT_FIRST and len(rates) < 400):
            pipe.wait_frames(len(pipe.frames) + 1, 20)
            pair = next(p for p in chromium.call("stats", "candidate-pair") if p["nominated"])
            rates.append(pair.get("availableOutgoingBitrate", 0))
        self.assertGreaterEqual(rates[-1], MORE_THAN_AT_FIRST, f"no feedback: {rates[::20]}")

    # --- what the pipeline sees and hears ---

    def watch_fakes(self, element, pipeline="", prefix=""):
        """A pipeline that takes the browser's video and audio, and what it sees of them."""
        self.heard = self.path("heard.raw")
        viewer, pipe = peers.watch_video(
            self,
            "viewer",
            f"{element} name=c client-id=viewer uri={self.hub.uri} {pipeline}"
            f" c.video_{prefix}0 ! videoconvert ! video/x-raw,format=RGB ! fdsink fd={{fd}}"
            f" c.audio_{prefix}0 ! audioconvert ! audioresample !"
            f" audio/x-raw,format=S16LE,rate={RATE},channels=1 ! filesink location={self.heard}",
            FAKE_WIDTH * FAKE_HEIGHT * 3,
            look_at_disk,
        )
        return viewer, pipe

    def check_fakes(self, viewer, pipe):
        """The pipeline sees the disk in its colours with a mouth that moves, and hears the beeps."""
        pipe.wait_frames(FAKE_FRAMES, 20)
        viewer.stop()
        errors, sizes = zip(*pipe.values()[FAKE_FRAMES // 2 : FAKE_FRAMES])
        self.assertLess(max(errors), COLOUR_TOLERANCE, "not the browser's camera")
        moved = sum(abs(a - b) > 0.001 for a, b in zip(sizes, sizes[1:]))
        self.assertGreater(moved, len(sizes) * 0.8, "the picture stands still")
        samples = np.fromfile(self.heard, "<i2") / 32768
        starts, frequency = find_beeps(samples)
        self.assertGreater(
            len(starts), len(samples) / RATE / BEEP_INTERVAL / 2, "beeps are missing"
        )
        self.assertAlmostEqual(frequency, BEEP_HZ, delta=40)
        # A machine that is busy makes the browser miss one now and then.
        interval = np.median(np.diff(starts))
        self.assertAlmostEqual(interval, BEEP_INTERVAL, delta=0.2, msg=f"beeps at {starts}")


class Media(Chromium):
    def test_watch(self):
        """A browser calls a camera, sees it and hears it"""
        camera = self.launch("camera", "conicsink", f"{BARS} ! c.video_0 {TONE} ! c.audio_0")
        camera.wait_message("conic-registered")
        chromium = self.browser({"receive": ["audio", "video"]})
        chromium.call("dial", "camera")
        self.check_bars(chromium)
        self.check_tone(chromium)
        self.check_codec(chromium, "video/VP8")

    def test_pushed(self):
        """A camera calls a browser, which sees it and hears it"""
        chromium = self.browser({})
        self.launch(
            "camera", "conicsink target-id=browser", f"{BARS} ! c.video_0 {TONE} ! c.audio_0"
        )
        self.check_bars(chromium)
        self.check_tone(chromium)

    def test_show(self):
        """A browser calls a viewer, which sees its camera and hears its microphone"""
        viewer, pipe = self.watch_fakes("conicsrc")
        viewer.wait_message("conic-registered")
        chromium = self.browser({"send": ["audio", "video"]})
        chromium.call("dial", "viewer")
        self.check_feedback(chromium, pipe)
        self.check_fakes(viewer, pipe)

    def test_pulled(self):
        """A viewer calls a browser, sees its camera and hears its microphone"""
        self.browser({"send": ["audio", "video"]})
        viewer, pipe = self.watch_fakes("conicsrc target-id=browser")
        self.check_fakes(viewer, pipe)

    def test_call(self):
        """A browser calls a pipeline, and each sees and hears the other"""
        viewer, pipe = self.watch_fakes(
            "conicbin", f"{BARS} ! c.video_0 {TONE} ! c.audio_0", prefix="src_"
        )
        viewer.wait_message("conic-registered")
        chromium = self.browser({"send": ["audio", "video"]})
        chromium.call("dial", "viewer")
        self.check_bars(chromium)
        self.check_tone(chromium)
        self.check_fakes(viewer, pipe)

    def test_called(self):
        """A pipeline calls a browser, and each sees and hears the other"""
        chromium = self.browser({"send": ["audio", "video"]})
        viewer, pipe = self.watch_fakes(
            "conicbin target-id=browser", f"{BARS} ! c.video_0 {TONE} ! c.audio_0", prefix="src_"
        )
        self.check_bars(chromium)
        self.check_tone(chromium)
        self.check_fakes(viewer, pipe)

    def test_h264(self):
        """A browser that prefers H.264 sends and gets it"""
        viewer, pipe = self.watch_fakes(
            "conicbin", f"{BARS} ! {H264} ! c.video_0 {TONE} ! c.audio_0", prefix="src_"
        )
        viewer.wait_message("conic-registered")
        chromium = self.browser({"send": ["audio", "video"], "codec": "video/H264"})
        chromium.call("dial", "viewer")
        self.check_bars(chromium)
        self.check_codec(chromium, "video/H264")
        self.check_codec(chromium, "video/H264", "outbound-rtp")
        self.check_fakes(viewer, pipe)

    def test_h264_called(self):
        """A camera with H.264 calls a browser, which sees it"""
        chromium = self.browser({})
        self.launch("camera", "conicsink target-id=browser", f"{BARS} ! {H264} ! c.video_0")
        self.check_bars(chromium)
        self.check_codec(chromium, "video/H264")

    def test_camera_later(self):
        """A browser that watches turns its camera on, and then on it is seen, too"""
        viewer, pipe = self.watch_fakes(
            "conicbin", f"{BARS} ! c.video_0 {TONE} ! c.audio_0", prefix="src_"
        )
        viewer.wait_message("conic-registered")
        chromium = self.browser({"receive": ["audio", "video"]})
        chromium.call("dial", "viewer")
        self.check_bars(chromium)
        chromium.call("change", {"send": ["audio", "video"]})
        self.check_fakes(viewer, pipe)

    def test_camera_off(self):
        """A browser turns its camera off and on again, then stops and goes on with everything"""
        camera = self.probe("camera", "conicbin", f"{BARS} ! c.video_0", paused=True)
        camera.ask("show", element="c", video=SMALL, audio="identity")
        camera.ask("state", state="PLAYING")
        camera.wait_event("message", name="conic-registered")
        chromium = self.browser({"send": ["video"]})
        chromium.call("dial", "camera")
        for n, off in enumerate(("recvonly", "recvonly", "inactive")):
            camera.wait_event("sample", sink=f"video_src_{n}")
            self.check_bars(chromium)
            chromium.call("turn", off)
            camera.wait_event("pad-removed", pad=f"video_src_{n}")
            if off == "recvonly":
                self.check_bars(chromium)
            chromium.call("turn", "sendrecv")
        camera.wait_event("sample", sink="video_src_3")
        self.check_bars(chromium)


class Hidden(Chromium):
    # Where a page may not use the camera, a browser hides its addresses behind mDNS names.
    addresses = ()

    def test_watch(self):
        """A browser that hides its addresses calls a camera and sees it"""
        camera = self.launch("camera", "conicsink", f"{BARS} ! c.video_0")
        camera.wait_message("conic-registered")
        chromium = self.browser({"receive": ["video"]})
        chromium.call("dial", "camera")
        self.check_bars(chromium)

    def test_pushed(self):
        """A camera calls a browser that hides its addresses"""
        chromium = self.browser({})
        self.launch("camera", "conicsink target-id=browser", f"{BARS} ! c.video_0")
        self.check_bars(chromium)


class Messages(Chromium):
    def write_lines(self):
        path = self.path("lines")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in LINES)
        return path

    def chat(self, chromium, probe):
        """Text and bytes from the one to the other, which says the same."""
        for line in LINES:
            chromium.call("say", "chat", line)
        for n, line in enumerate(LINES):
            event = probe.wait_event("sample", sink="text", n=n)
            self.assertEqual((event["text"], event["media"]), (line, "text/x-raw"))
        said = chromium.call("messages", "chat", len(LINES))
        self.assertEqual([message.get("text") for message in said], [f"{l}\n" for l in LINES])

        noise = np.random.default_rng(1).bytes(50000)
        chromium.call("sendBytes", "bytes", base64.b64encode(noise).decode())
        event = probe.wait_event("sample", sink="bytes")
        self.assertEqual((event["size"], event["media"]), (50000, "application/octet-stream"))
        with open(self.path("got"), "rb") as file:
            self.assertEqual(file.read(), noise)
        with open(self.path("noise"), "rb") as file:
            wanted = file.read()
        got = b""
        for count in range(1, 100):
            messages = chromium.call("messages", "bytes", count)
            got = b"".join(base64.b64decode(message["binary"]) for message in messages)
            if len(got) >= len(wanted):
                break
        self.assertEqual(got, wanted)

    def talker(self, element):
        with open(self.path("noise"), "wb") as file:
            file.write(np.random.default_rng(2).bytes(100000))
        return self.probe(
            "talker",
            element,
            f"data_chat::lines=true filesrc location={self.write_lines()} !"
            f" text/x-raw,format=utf8 ! c.data_chat filesrc location={self.path('noise')} !"
            " application/octet-stream ! c.data_bytes c.data_src_chat ! appsink name=text"
            " c.data_src_bytes ! appsink name=bytes",
            dump={"bytes": self.path("got")},
        )

    def test_chat(self):
        """A browser calls a pipeline; text and bytes arrive as they were, both ways"""
        probe = self.talker("conicbin")
        probe.wait_event("message", name="conic-registered")
        chromium = self.browser({"channels": ["chat", "bytes"]})
        chromium.call("dial", "talker")
        self.chat(chromium, probe)

    def test_chat_called(self):
        """A pipeline calls a browser; text and bytes arrive as they were, both ways"""
        chromium = self.browser({})
        probe = self.talker("conicbin target-id=browser")
        self.chat(chromium, probe)

    def test_end(self):
        """What a pipeline sent before it ended reaches the browser"""
        chromium = self.browser({})
        sender = self.launch(
            "sender",
            "conicsink target-id=browser",
            f"data_chat::lines=true filesrc location={self.write_lines()} ! c.data_chat",
        )
        self.assertEqual(sender.wait_exit(), 0)
        said = chromium.call("messages", "chat", len(LINES))
        self.assertEqual([message.get("text") for message in said], [f"{l}\n" for l in LINES])
        chromium.evaluate("until(() => call.ended)")

    def test_unanswered_ping(self):
        """A ping of conic.flow that a browser leaves unanswered is followed by another, which counts"""
        probe = self.probe("talker", "conicbin", "c.data_src_chat ! appsink name=text")
        probe.wait_event("message", name="conic-registered")
        chromium = self.browser({"channels": ["chat"]})
        chromium.call("dial", "talker")
        chromium.evaluate(
            "connected().then(() => watchChannel(call.pc.createDataChannel('flow', {protocol: 'conic.flow'})))"
        )
        chromium.call("say", "flow", "hello")
        first, second = chromium.evaluate(
            """until(() => {
              const said = call.channels.flow.received.map(({ text }) => text);
              const pings = said.filter((text) => text.startsWith("ping "));
              return pings.length > 1 && pings;
            })"""
        )[:2]
        self.assertNotEqual(first, second)
        chromium.call("say", "flow", second.replace("ping", "pong"))
        session = probe.wait_stats("c", lambda session: session["round-trip-time"] >= 0)
        self.assertLess(session["round-trip-time"], 10)


class Ends(Chromium):
    def setUp(self):
        super().setUp()
        self.camera = self.launch("camera", "conicsink session-timeout=10", f"{BARS} ! c.video_0")
        self.camera.wait_message("conic-registered")

    def test_hang_up(self):
        """A browser hangs up, and calls again"""
        chromium = self.browser({"receive": ["video"]})
        for _ in range(2):
            start = len(self.camera.lines)
            chromium.call("dial", "camera")
            self.check_bars(chromium)
            chromium.call("hangUp")
            ended = self.camera.wait_message("conic-session-ended", start=start)
            self.assertIn("hung up", ended.replace("\\", ""))

    def test_loaded_again(self):
        """A page that is loaded again, and has said nothing of that, gets a new call"""
        chromium = self.browser({"receive": ["video"]})
        chromium.call("dial", "camera")
        self.check_bars(chromium)
        start = len(self.camera.lines)
        chromium.load(self.pages.url)
        chromium.call("join", self.hub.uri, "browser", {"receive": ["video"]})
        chromium.call("dial", "camera")
        self.check_bars(chromium)
        self.camera.wait_line(r"conic-session-(ended|failed)", start=start)

    def test_killed(self):
        """The session of a browser that is killed ends by itself"""
        chromium = self.browser({"receive": ["video"]})
        chromium.call("dial", "camera")
        self.check_bars(chromium)
        start = len(self.camera.lines)
        chromium.kill()
        self.camera.wait_line(r"conic-session-(ended|failed)", start=start)


if __name__ == "__main__":
    netns.main()
