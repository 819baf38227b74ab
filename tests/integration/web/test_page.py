#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page that conicd serves, in a real Chromium, used as people use it.

Shows that two pages call each other with picture, chat, files and a shared screen; that a page and a pipeline see and
hear each other; that everything goes by keyboard, in Japanese and on a phone; that what goes wrong is said in words;
that it comes back when the hub was away; that a rude peer can't take it over; and that nothing of it offends against
its own security policy. conic.js is tried by itself as well, in the cases that a page of two people seldom gets into.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess

import numpy as np

from conictest import browser, media, netns, peers, tap
from conictest.peers import CONICD, ROOT

ADDRESS = "10.99.0.1"
TONE_HZ = 440
BARS = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1"
TONE = f"audiotestsrc is-live=true freq={TONE_HZ} volume=0.5"

# Encoded, a colour is a little off, and the first pictures are coarse; a wrong bar is off by 255.
COLOUR_TOLERANCE = 60

# Chromium's own camera: a disk with a mouth that opens, before green.
BACKGROUND = (0, 128, 0)

# What Japanese is written with, and what may stand in Latin letters all the same.
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

FILE_BYTES = 2_000_017

# The roles of what people use.
USED = ("button", "textbox", "combobox", "link", "searchbox", "progressbar", "dialog", "log", "list")

# Functions for the page under test: the pixels of a video, what it sounds like, what it was told to save.
HELPERS = """
globalThis.until = (look, what) => new Promise((resolve) => {
  const again = () => { const found = look(); if (found) resolve(found); else requestAnimationFrame(again); };
  again();
});
globalThis.shown = (id) => { const e = document.getElementById(id); return e.checkVisibility() && e.textContent; };
globalThis.picture = async (id) => {
  const video = document.getElementById(id);
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, 320, 240);
  const { data } = context.getImageData(0, 0, 320, 240);
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return btoa(text);
};
globalThis.loudest = async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(document.getElementById("remote").srcObject).connect(analyser);
  const levels = new Float32Array(analyser.frequencyBinCount);
  return until(() => {
    analyser.getFloatFrequencyData(levels);
    const most = levels.indexOf(Math.max(...levels));
    return levels[most] > -40 && most * context.sampleRate / analyser.fftSize;
  });
};
"""


# Two hubs of one page, and what becomes of what they do with each other.
MODULE = """
(async () => {
  const { Hub } = await import("/conic.js");
  const [a, b] = ["a", "b"].map((id) => new Hub(undefined, { id }));
  const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
  const inState = async (target, state) => { while (target.state !== state) await next(target, "state"); };
  const found = {};
  let rings = 0;

  /* What b is told can be held back. */
  const held = [];
  let sockets = 0;
  let holds = false;
  let last;
  globalThis.WebSocket = class extends WebSocket {
    number = sockets++;
    constructor(...all) {
      super(...all);
      last = this;
    }
    set onmessage(listener) {
      super.onmessage = (event) => {
        if (holds && this.number === 1) held.push(() => listener(event));
        else listener(event);
      };
    }
  };
  for (const hub of [a, b]) {
    hub.addEventListener("session", () => { rings += 1; });
    hub.connect();
    await inState(hub, "registered");
  }
  found.peers = (await a.peers()).includes("b") && !(await a.peers()).includes("a");

  /* A peer whose messages say that they are answers, and come before those. */
  const register = async (id) => {
    const socket = new WebSocket(a.uri, ["conic"]);
    await next(socket, "open");
    socket.send(JSON.stringify({ type: "register_request", data: { client_id: id } }));
    await next(socket, "message");
    return socket;
  };
  const liar = await register("liar");
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function lie(text) {
    const { id, type } = JSON.parse(text);
    if (type === "list_request") send.call(liar, JSON.stringify({ type: "bye", reply_to: id, data: { to_id: "a" } }));
    send.call(this, text);
  };
  for (let n = 0; n < 5; n++) found.liar = (await a.peers()).includes("liar");
  WebSocket.prototype.send = send;
  liar.close();

  /* Both call at once, and the one that has to take its offer back has not found a candidate by then: it waits for
   * that, or Chromium would find none at all every other time. */
  holds = true;
  const both = [a.call("b")];
  await until(() => held.length > 0);
  both.push(b.call("a"));
  const { pc } = both[1];
  let gathered = false;
  pc.addEventListener("icecandidate", () => { gathered = true; });
  pc.setRemoteDescription = (description) => {
    found.back ??= [pc.signalingState, description.type, gathered];
    return RTCPeerConnection.prototype.setRemoteDescription.call(pc, description);
  };
  await next(pc, "signalingstatechange");
  holds = false;
  for (const tell of held.splice(0)) tell();
  for (const session of both) await inState(session, "connected");
  both[0].hangUp();
  for (const session of both) await inState(session, "ended");
  const ours = a.call("b", { channels: ["x"] });
  const theirs = b.call("a", { channels: ["y"] });
  const labels = new Set();
  await Promise.all([ours, theirs].map((session) => new Promise((resolve) => {
    session.addEventListener("channel", ({ channel, remote }) => { if (remote) resolve(labels.add(channel.label)); });
  })));
  for (const session of [ours, theirs]) await inState(session, "connected");
  found.glare = [rings, ours.id === theirs.id, a.sessions.size, b.sessions.size, [...labels].sort().join("")];

  /* Both add something at once, and one of them takes it away again. */
  const arrived = [ours, theirs].map((session) => next(session, "track"));
  const sent = [ours, theirs].map((session) => {
    const [track] = document.createElement("canvas").captureStream(10).getTracks();
    return session.pc.addTrack(track, new MediaStream([track]));
  });
  found.tracks = (await Promise.all(arrived)).map(({ track }) => track.kind).join();
  ours.pc.removeTrack(sent[0]);
  await until(() => theirs.stream.getTracks().length === 0);
  found.removed = ours.stream.getTracks().length;

  /* Messages, and more of them than a channel holds. */
  const big = ours.createChannel("big");
  const other = (await next(theirs, "channel")).channel;
  let received = 0;
  const all = new Promise((resolve) => {
    other.onmessage = ({ data }) => { if ((received += data.byteLength) === 2 << 20) resolve(); };
  });
  for (let sentBytes = 0; sentBytes < 2 << 20; sentBytes += 65536)
    if (await ours.ready(big)) big.send(new Uint8Array(65536));
  await all;
  ours.hangUp();
  await inState(theirs, "ended");
  found.ended = [theirs.ended.by, theirs.ended.reason, ours.ended.by, await ours.ready(big)];

  /* Refused, not there, taken. */
  const asking = b.call("a");
  const { session } = await next(a, "session");
  found.offer = session.offer;
  session.decline("not now");
  await inState(asking, "ended");
  const many = Array.from({ length: 5 }, () => b.call("a"));
  const refused = await Promise.any(many.map(async (one) => { await inState(one, "ended"); return one; }));
  found.many = [a.sessions.size, many.filter(({ ended }) => ended).length, refused.ended.reason];
  for (const one of many) one.hangUp();
  found.declined = [asking.ended.by, asking.ended.reason];
  const lonely = b.call("nobody");
  await inState(lonely, "ended");
  found.nobody = [lonely.ended.by, lonely.ended.code];
  const third = new Hub(undefined, { id: "a" });
  third.connect();
  await inState(third, "closed");
  found.taken = third.error.code;
  third.id = "not an id";
  third.connect();
  await inState(third, "closed");
  found.invalid = third.error.code;

  /* An id that was its own is waited for: the answer with the newer resume token may have been lost. */
  const fourth = new Hub(undefined, { id: "d" });
  fourth.connect();
  await inState(fourth, "registered");
  last.close(3000);
  await inState(fourth, "waiting");
  const rival = await register("d");
  fourth.retry();
  await inState(fourth, "connecting");
  await next(fourth, "state");
  found.held = [fourth.state, fourth.error.code];
  rival.close();
  await next(rival, "close");
  fourth.retry();
  await inState(fourth, "registered");

  /* An answer that never comes; ten seconds are shorter here. */
  const wait = setTimeout;
  globalThis.setTimeout = (act, time) => wait(act, Math.min(time, 100));
  holds = true;
  found.unanswered = await b.peers().catch(({ code }) => code);
  return found;
})()
"""


# Statistics that come when release() is called.
LATE_FIGURES = """
const { getStats } = RTCPeerConnection.prototype;
RTCPeerConnection.prototype.getStats = async function () {
  const figures = await getStats.call(this);
  return new Promise((resolve) => { globalThis.release = async () => resolve(figures); });
};
"""

# Ten who call the page at once: why each was refused.
CALLERS = """
(async () => {
  const { Hub } = await import("/conic.js");
  const calls = [];
  for (let n = 0; n < 10; n++) {
    const hub = new Hub(undefined, { id: `caller${n}` });
    hub.connect();
    await until(() => hub.state === "registered");
    calls.push(hub.call("web", { receive: ["video"] }));
  }
  await until(() => calls.some(({ ended }) => ended));
  return calls.map(({ ended }) => ended?.reason ?? "").sort();
})()
"""

# A browser that keeps nothing for pages.
FORGETFUL = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(globalThis, name, { get() { throw new DOMException("denied", "SecurityError"); } });
"""

# Another client of the page's hub, beside the page, and a camera whose owner takes so long to allow it that the call
# is over by then.
RUDE = """
(async (id) => {
  const { Hub } = await import("/conic.js");
  globalThis.rude = new Hub(undefined, { id });
  rude.connect();
  await until(() => rude.state === "registered");
  globalThis.call = (options) => { globalThis.session = rude.call("web", options); };
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    const stream = globalThis.opened = await ask(wish);
    session.hangUp();
    await rude.peers();
    return stream;
  };
  globalThis.flood = async (count, long) => {
    const channels = [];
    call({ channels: ["chat", "y".repeat(1000)] });
    session.addEventListener("channel", ({ channel }) => channels.push(channel));
    await until(() => session.state === "connected");
    const say = async (channel, text) => { if (await session.ready(channel)) channel.send(text); };
    for (let n = 0; n < count; n++) await say(channels[0], `message ${n}`);
    await say(channels[1], "x".repeat(long));
    await say(channels[0], "the last one");
  };
})
"""


def disk(pixels):
    """How far a picture is from the fake camera's background, and how much of the disk it shows."""
    height, width, _ = pixels.shape
    ground = pixels[height * 6 // 10 : height * 7 // 10, width // 20 : width // 4].mean(axis=(0, 1))
    middle = pixels[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    return media.colour_error([ground], [BACKGROUND]), float((middle[:, :, 1] > 190).mean())


class Page(browser.Browser):
    """A browser with the page of a hub."""

    def load(self, url):
        # Another fragment alone would not be loaded.
        super().load("about:blank")
        super().load(url)
        self.evaluate(HELPERS)

    def until(self, expression, timeout=20):
        """Waits until an expression is true there, and returns what it is."""
        return self.evaluate(f"until(() => {expression})", timeout)

    def until_text(self, element, text, timeout=20):
        """Waits until an element is there to be seen and has that text in it."""
        self.until(f"(shown({json.dumps(element)}) || '').includes({json.dumps(text)})", timeout)

    def registered(self):
        """Waits until the page is on the hub; returns its id."""
        self.until("document.getElementById('hub-state').dataset.state === 'registered'")
        return self.evaluate("document.getElementById('me-id').value")

    def click(self, selector):
        """Clicks on what is there to be seen."""
        chosen = json.dumps(selector)
        self.until(f"(e => e?.checkVisibility() && !e.disabled)(document.querySelector({chosen}))")
        self.command(
            "Runtime.evaluate", expression=f"document.querySelector({chosen}).click()", userGesture=True
        )

    def act(self, action, peer):
        """Clicks on what to do with a peer of the list."""
        self.click(f'[data-peer="{peer}"] [data-action="{action}"]')

    def press(self, key, text=""):
        """Presses a key."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0)
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = "\r" if key == "Enter" else text
        self.command("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
        self.command("Input.dispatchKeyEvent", type="keyUp", **event)

    def write(self, words):
        """Types into what has the focus."""
        for letter in words:
            self.press(letter, letter)

    def tab_to(self, selector):
        """Presses Tab until that has the focus, which has to be seen."""
        for _ in range(40):
            self.press("Tab")
            if self.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                self.evaluate(
                    "if (getComputedStyle(document.activeElement).outlineStyle === 'none') throw Error('no focus ring')"
                )
                return
        raise AssertionError(f"{selector} isn't reached by Tab")

    def picture(self, element="remote"):
        """What a video shows now."""
        data = base64.b64decode(self.call("picture", element))
        return np.frombuffer(data, np.uint8).reshape(240, 320, 4)[:, :, :3]

    def nameless(self):
        """What can be used but has no name for those who don't see it, and how much has one."""
        tree = self.command("Accessibility.getFullAXTree")["nodes"]
        used = [node for node in tree if node.get("role", {}).get("value") in USED and not node["ignored"]]
        return [node for node in used if not node.get("name", {}).get("value")], len(used)

    def resize(self, width, height=740):
        """Makes it a phone's screen of that size."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True
        )


class PageTest(tap.TestCase):
    limit = 60

    def setUp(self):
        super().setUp()
        netns.lone_interface(self, ADDRESS)

    def hub(self, *arguments, **kwargs):
        """A hub; `url` is its page."""
        hub = peers.Conicd(self, arguments=arguments, **kwargs)
        hub.url = hub.uri.replace("ws:", "http:").removesuffix("ws")
        return hub

    def page(self, hub, link="", name="page", arguments=()):
        """A browser with the hub's page."""
        return Page(self, hub.url + link, (*browser.REAL_ADDRESSES, *arguments), name=name)

    def launch(self, hub, name, pipeline, element="conicsink"):
        """A pipeline that is registered."""
        process = peers.Launch(self, name, f"{element} name=c client-id={name} uri={hub.uri} {pipeline}")
        process.wait_message("conic-registered")
        return process

    def check_bars(self, page):
        """The page shows the bars in their colours, and the noise in their corner changes."""
        page.until("shown('cover') === false")
        errors = []
        while not errors or (errors[-1] >= COLOUR_TOLERANCE and len(errors) < 60):
            picture = page.picture()
            errors.append(media.smpte_error(picture))
        self.assertLess(errors[-1], COLOUR_TOLERANCE, f"not the bars: {errors}")
        corner = np.s_[192:, 256:]
        change = np.abs(picture[corner].astype(float) - page.picture()[corner]).mean()
        self.assertGreater(change, 5, "the picture stands still")

    def check_camera(self, page, element="remote"):
        """A video of the page shows the fake camera, and it moves."""
        seen = []
        while len(seen) < 60 and len({round(size, 2) for error, size in seen if error < COLOUR_TOLERANCE}) < 3:
            seen.append(disk(page.picture(element)))
        self.assertLess(len(seen), 60, f"not the camera, or it stands still: {seen[-5:]}")

    def check_policy(self, page):
        """Nothing was refused by the page's own policy; and it would have been noticed."""
        refused = r"Content Security Policy|violates|TrustedHTML|TrustedScript"
        self.assertFalse(page.has_line(refused), [line.text for line in page.lines])
        start = len(page.lines)
        page.evaluate("document.head.append(Object.assign(document.createElement('style'), { textContent: 'a {}' }))")
        page.wait_line(refused, start=start)


class Calls(PageTest):
    def test_call(self):
        """Two pages call each other: both pictures, chat both ways, a shared screen, hanging up"""
        hub = self.hub()
        alice, bob = self.page(hub, "#id=alice", "alice"), self.page(hub, "#id=bob", "bob")
        self.assertEqual((alice.registered(), bob.registered()), ("alice", "bob"))
        alice.act("call", "bob")
        bob.until_text("ring-title", "alice is calling")
        bob.click("#ring-camera")
        for page in (alice, bob):
            self.check_camera(page)
        self.check_camera(alice, "self")

        for page, words in ((alice, "Hello, can you see me?"), (bob, "はい、見えます 🎈")):
            page.evaluate(f"document.getElementById('say-text').value = {json.dumps(words)}")
            page.click("#say-send")
            for other in (alice, bob):
                other.until_text("log", words)

        bob.click("#microphone")
        bob.until("document.getElementById('microphone').ariaPressed === 'false'")
        bob.click("#camera")
        alice.until_text("cover-words", "sound only")
        bob.click("#camera")
        self.check_camera(alice)

        size = "(v => `${v.videoWidth}×${v.videoHeight}`)(document.getElementById('remote'))"
        before = bob.evaluate(size)
        alice.click("#share")
        alice.until("document.getElementById('share').ariaPressed === 'true'")
        bob.until(f"{size} !== {json.dumps(before)}")
        alice.until_text("share", "Stop sharing")
        alice.click("#share")
        self.check_camera(bob)

        alice.click("#hang-up")
        alice.until_text("idle", "Nothing on screen yet")
        bob.until_text("cover-words", "alice hung up.")
        bob.click("#leave")
        bob.until_text("idle", "Nothing on screen yet")
        for page in (alice, bob):
            self.check_policy(page)

    def test_file(self):
        """A file goes from one page to another when it is accepted, as it was; declined, it doesn't"""
        hub = self.hub()
        alice, bob = self.page(hub, "#id=alice", "alice"), self.page(hub, "#id=bob", "bob")
        alice.registered(), bob.registered()
        bob.act("chat", "alice")
        alice.until_text("ring-words", "messages and files")
        alice.click("#ring-plain")
        data = np.random.default_rng(7).bytes(FILE_BYTES)
        os.mkdir(self.path("downloads"))
        for name, content in (("plan.bin", data), ("empty", b"")):
            with open(self.path(name), "wb") as file:
                file.write(content)
        bob.until("document.getElementById('talk').checkVisibility()")
        bob.until_text("cover-words", "Connected")
        alice.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.path("downloads"), eventsEnabled=True)
        bob.command("DOM.enable")
        root = bob.command("DOM.getDocument")["root"]["nodeId"]
        chooser = bob.command("DOM.querySelector", nodeId=root, selector="#say-file")["nodeId"]
        bob.command(
            "DOM.setFileInputFiles", nodeId=chooser, files=[self.path("plan.bin"), self.path("empty"), self.path("plan.bin")]
        )
        alice.until("document.querySelectorAll('[data-action=accept]').length === 3")
        self.assertIn("bob sends you plan.bin (2.0 MB)", alice.evaluate("shown('log')"))
        alice.click("li:nth-child(3) [data-action=decline]")
        bob.until_text("log", "Not transferred: declined")
        alice.click("li:nth-child(2) [data-action=accept]")
        alice.click("li:nth-child(1) [data-action=accept]")
        alice.until("document.querySelectorAll('a[download]').length === 2")
        bob.until("document.querySelectorAll('[data-state=done]').length === 2")
        alice.click("li:nth-child(1) a[download]")
        path = os.path.join(self.path("downloads"), "plan.bin")
        alice.wait_line("download completed")
        with open(path, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).digest(), hashlib.sha256(data).digest())


class Pipelines(PageTest):
    def test_watch(self):
        """A link watches a camera as soon as it is there, with sound and figures, and again when it was away"""
        hub = self.hub()
        page = self.page(hub, "#watch=camera&lang=en", arguments=("--autoplay-policy=document-user-activation-required",))
        page.until_text("cover-words", "camera isn't here. Waiting for it")
        camera = self.launch(hub, "camera", f"{BARS} ! c.video_0 {TONE} ! c.audio_0")
        self.check_bars(page)
        # Nobody has touched the page yet, so the browser plays no sound.
        self.assertTrue(page.evaluate("document.getElementById('remote').muted"))
        page.click("#unmute")
        page.until("!document.getElementById('remote').muted")
        self.assertAlmostEqual(page.call("loudest"), TONE_HZ, delta=10)
        self.assertFalse(page.evaluate("shown('unmute')"))
        for plot in ("rateIn", "frames", "trip", "jitter", "loss"):
            chosen = f"document.querySelector('[data-plot={plot}]')"
            page.until(f"{chosen}?.checkVisibility() && /[0-9]/.test({chosen}.querySelector('.plot-value').textContent)")
            page.until(f"{chosen}.querySelector('.plot-line').getAttribute('d').includes('L')")
        page.until("Number(document.querySelector('[data-plot=frames] .plot-value').textContent) > 5")
        page.until_text("stats-path", "320×240")
        self.check_policy(page)
        page.evaluate(LATE_FIGURES)
        page.until("globalThis.release")
        camera.stop()
        page.until_text("cover-words", "camera is gone")
        # They are of what is gone.
        page.evaluate("release().then(() => new Promise(requestAnimationFrame))")
        self.assertFalse(page.evaluate("shown('stats')"))
        self.launch(hub, "camera", f"{BARS} ! c.video_0")
        self.check_bars(page)
        page.click("#hang-up")
        page.until_text("idle", "Nothing on screen yet")
        self.assertEqual(page.evaluate("location.hash"), "#lang=en")

    def test_call(self):
        """A page calls a pipeline; each sees the other"""
        hub = self.hub()
        page = self.page(hub)
        viewer, pipe = peers.watch_video(
            self,
            "viewer",
            f"conicbin name=c client-id=viewer uri={hub.uri} {BARS} ! c.video_0 c.video_src_0 ! videoconvert ! videoscale"
            " ! video/x-raw,format=RGB,width=320,height=240 ! fdsink fd={fd}",
            320 * 240 * 3,
            lambda frame: disk(media.rgb(frame, 320, 240)),
        )
        viewer.wait_message("conic-registered")
        page.registered()
        page.act("call", "viewer")
        self.check_bars(page)
        pipe.wait(lambda frames: len({round(s, 2) for _, (e, s) in frames if e < COLOUR_TOLERANCE}) > 3, 20, "the camera")
        page.click("#hang-up")
        viewer.wait_message("conic-session-ended")

    def test_called(self):
        """A camera that calls the page rings; declined, it isn't heard again, and watched, it is shown"""
        hub = self.hub()
        page = self.page(hub, "#id=web")
        page.registered()
        start = f"target-id=web {BARS} ! c.video_0"
        first = peers.Launch(self, "first", f"conicsink name=c client-id=first uri={hub.uri} {start}")
        page.until_text("ring-words", "show you something")
        page.press("Escape")
        page.until("!shown('ring')")
        first.wait_line(r"(\(warning\)|WARNING).*declined|declined")
        peers.Launch(self, "second", f"conicsink name=c client-id=second uri={hub.uri} {start}")
        page.until_text("ring-title", "second is calling")
        page.click("#ring-plain")
        self.check_bars(page)
        self.assertFalse(page.evaluate("shown('microphone')"))

    def test_told(self):
        """A pipeline that has said everything ends, when the page has confirmed that it heard it"""
        hub = self.hub()
        page = self.page(hub, "#id=web")
        page.registered()
        with open(self.path("lines"), "w", encoding="utf-8") as file:
            file.writelines(f"line {n} は日本語\n" for n in range(200))
        teller = peers.Launch(
            self, "teller", f"conicsink client-id=teller name=c uri={hub.uri} target-id=web data_chat::lines=true"
            f" filesrc location={self.path('lines')} ! text/x-raw,format=utf8 ! c.data_chat"
        )
        page.until_text("ring-words", "messages and files")
        page.click("#ring-plain")
        page.until_text("log", "line 199 は日本語")
        self.assertEqual(teller.wait_exit(), 0)
        page.until_text("cover-words", "teller left.")


class Use(PageTest):
    def test_keyboard(self):
        """By keyboard alone: watching by id and from the list, stopping, the language, the colours"""
        hub = self.hub()
        self.launch(hub, "camera", f"{BARS} ! c.video_0")
        page = self.page(hub)
        page.registered()
        page.press("Tab")
        self.assertTrue(page.evaluate("document.activeElement.matches('.skip')"))
        page.tab_to("#other-id")
        page.write("camera")
        page.press("Enter")
        self.check_bars(page)
        page.tab_to("#hang-up")
        page.press("Enter")
        page.until_text("idle", "Nothing on screen yet")
        page.evaluate("document.activeElement.blur()")
        page.tab_to("#theme")
        page.press("Enter")
        self.assertEqual(page.evaluate("document.documentElement.dataset.theme"), "light")
        page.press("Enter")
        self.assertEqual(page.evaluate("getComputedStyle(document.documentElement).colorScheme"), "dark")
        page.tab_to('[data-peer="camera"] [data-action="watch"]')
        page.press("Enter")
        self.check_bars(page)

    def test_words(self):
        """In Japanese everything is, also on a phone, where nothing is wider than the screen; English is a click away"""
        hub = self.hub()
        self.launch(hub, "camera", f"{BARS} ! c.video_0")
        page = self.page(hub, arguments=("--accept-lang=ja",))
        page.registered()
        self.assertEqual(page.evaluate("document.documentElement.lang"), "ja")
        texts = page.evaluate(
            "[...document.querySelectorAll('[data-t], [aria-label], [placeholder]')]"
            ".map((e) => e.ariaLabel || (e.dataset.t ? e.textContent : e.placeholder))"
        )
        self.assertGreater(len(texts), 30)
        self.assertEqual([text for text in texts if not JAPANESE.search(text) and text != "camera"], [])
        width = "document.documentElement.scrollWidth"
        small = (
            "[...document.querySelectorAll('button, input, select, a')].filter((e) => e.checkVisibility() &&"
            " !e.matches('.visually-hidden, .skip') && e.getBoundingClientRect().height < 36).map((e) => e.outerHTML)"
        )
        page.resize(360)
        for watching in (False, True):
            if watching:
                page.act("watch", "camera")
                self.check_bars(page)
                page.until("shown('stats')")
            for language in ("ja", "en"):
                self.assertEqual(page.evaluate("document.documentElement.lang"), language)
                self.assertEqual(page.evaluate(width), 360)
                self.assertEqual(page.evaluate(small), [])
                nameless, count = page.nameless()
                self.assertEqual(nameless, [])
                self.assertGreater(count, 10)
                page.click("#language")
        missing = page.evaluate(
            "import('/words.js').then(({ t }) => [...document.querySelectorAll('[data-t]')].filter((e) => !t(e.dataset.t)))"
        )
        self.assertEqual(missing, [])

    def test_trouble(self):
        """What goes wrong is said in words: a token, an id, a page that isn't secure, a permission, a peer"""
        key = self.path("key")
        with open(key, "w", encoding="utf-8") as file:
            file.write("x" * 40)
        hub = self.hub("--auth-key", key)
        page = self.page(hub, arguments=("--use-fake-ui-for-media-stream=deny",))
        page.until_text("token-words", "A token is needed")

        def token(sub, seconds=60):
            argv = [CONICD, "token", "--key", key, "--sub", sub, "--expires", str(seconds)]
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

        page.evaluate("document.getElementById('token-text').value = 'a.b.c'; document.getElementById('token-form').requestSubmit()")
        page.until_text("token-words", "token")
        page.evaluate(f"document.getElementById('token-text').value = '{token('guest')}'")
        page.click("#token-form button")
        self.assertEqual(page.registered(), "guest")
        page.load(f"{hub.url}#token={token('other')}&watch=nobody")
        self.assertEqual(page.registered(), "other")
        self.assertNotIn("token", page.evaluate("location.href"))
        page.until_text("cover-words", "nobody isn't here")
        page.click("#hang-up")
        page.evaluate("document.getElementById('other-id').value = 'no body'")
        page.click("#other [value=call]")
        page.until_text("toasts", "An id has 1 to 128 of the characters")
        page.evaluate("document.getElementById('other-id').value = 'nobody'")
        page.click("#other [value=call]")
        page.until_text("toasts", "The browser doesn't allow this page to use it")

        config = self.path("conicd.conf")
        open(config, "w", encoding="utf-8").close()
        strict = self.hub("--config", config, name="strict")
        page.load(f"{strict.url}#id=web")
        page.registered()
        with open(config, "w", encoding="utf-8") as file:
            file.write("[auth]\ndeny=web\n")
        os.kill(strict.pid, signal.SIGHUP)
        page.until_text("banner", "doesn't allow the id “web”")
        page.click("#banner-action")
        page.until("document.getElementById('hub-state').dataset.state === 'closed'")
        page.until_text("banner", "doesn't allow the id “web”")
        self.assertFalse(page.evaluate("document.getElementById('token').open"))

        far = self.hub(address=ADDRESS, name="far")
        page.load(f"{far.url}#id=web")
        page.registered()
        page.evaluate("document.getElementById('other-id').value = 'nobody'")
        page.click("#other [value=call]")
        page.until_text("toasts", "only over https:// or from localhost")

    def test_rude(self):
        """A peer with an endless name that floods and rambles pushes nothing away, and doesn't keep a camera on"""
        page = self.page(self.hub())
        page.command("Page.addScriptToEvaluateOnNewDocument", source=FORGETFUL)
        page.load(page.evaluate("location.origin") + "/#id=web")
        self.assertEqual(page.registered(), "web")
        name = "x" * 128
        page.evaluate(f"{RUDE}({json.dumps(name)})")

        page.evaluate("call({ receive: ['video'] })")
        page.until_text("ring-title", name)
        # What is typed at that moment answers nothing.
        self.assertEqual(page.evaluate("document.activeElement.id"), "ring")
        inside = "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.getElementById('ring'))"
        self.assertTrue(page.evaluate(inside), "the name makes the buttons wider than the dialog")
        page.click("#ring-camera")
        page.until("globalThis.opened?.getTracks().every(({ readyState }) => readyState === 'ended')")

        for _ in range(5):
            page.evaluate("call({ receive: ['video'] })")
            page.until_text("ring-title", name)
            page.evaluate("session.hangUp()")
            page.until("!shown('ring')")
        self.assertEqual(page.evaluate("document.getElementById('toasts').children.length"), 1)

        page.evaluate("globalThis.flooded = flood(300, 20000); 0")
        page.click("#ring-plain")
        page.until_text("log", "the last one")
        self.assertEqual(page.evaluate("document.getElementById('log').children.length"), 200)
        longest = "Math.max(...[...document.querySelectorAll('#log span')].map((e) => e.textContent.length))"
        self.assertLess(page.evaluate(longest), 16100)
        page.evaluate("session.hangUp('because '.repeat(1000))")
        page.until_text("cover-words", "because")
        self.assertLess(page.evaluate("shown('cover-words').length"), 500)
        self.assertEqual(page.evaluate(CALLERS), [""] * 9 + ["busy"])

    def test_hub_away(self):
        """A page that is cut off from the hub, or whose hub is away, says so and comes back with its id; calls go on"""
        hub = self.hub("--resume-seconds", "60", "--log-level", "info")
        self.launch(hub, "camera", f"{BARS} ! c.video_0")
        page = self.page(hub, "#id=web")
        before = page.registered()
        # The hub keeps the id for whoever has the resume token.
        start = len(hub.lines)
        netns.run("ss", "-K", "state", "established", "sport", "=", f":{hub.port}")
        hub.wait_line("“web” at .* left: 1006", start=start)
        hub.wait_line("“web” at .* registered", start=start)
        self.assertEqual(page.registered(), before)
        page.act("watch", "camera")
        self.check_bars(page)
        hub.stop()
        page.until_text("banner", "The hub can't be reached")
        self.check_bars(page)
        hub = self.hub(port=hub.port, name="again")
        page.click("#banner-action")
        self.assertEqual(page.registered(), before)
        page.until("!shown('banner')")
        self.check_bars(page)
        page.click("#hang-up")
        page.act("watch", "camera")
        self.check_bars(page)


class Module(PageTest):
    def test_module(self):
        """conic.js alone: who is here, both calling and both changing at once, backpressure, what can't be had"""
        page = self.page(self.hub())
        self.assertEqual(
            page.evaluate(MODULE, timeout=50),
            {
                "peers": True,
                "liar": True,
                "back": ["have-local-offer", "offer", True],
                "glare": [0, True, 1, 1, "xy"],
                "tracks": "video,video",
                "removed": 1,
                "ended": ["peer", "hung up", "us", False],
                "offer": {"sends": [], "takes": [], "channels": True},
                "declined": ["peer", "not now"],
                "many": [4, 1, "this peer has no room for another session"],
                "nobody": ["hub", "peer_not_found"],
                "taken": "id_taken",
                "invalid": "invalid_id",
                "held": ["waiting", "id_taken"],
                "unanswered": "unreachable",
            },
        )

    def test_example(self):
        """The example of docs/web.md shows the camera that it watches, and writes to it"""
        with open(os.path.join(ROOT, "docs", "web.md"), encoding="utf-8") as file:
            example = re.search(r"```html\n(.*?)```", file.read(), re.S)[1]
        os.mkdir(self.path("site"))
        shutil.copy(os.path.join(ROOT, "apps", "web", "conic.js"), self.path("site"))
        pages = browser.Pages(self, self.path("site"))
        hub = self.hub("--origin", pages.origin)
        with open(os.path.join(self.path("site"), "index.html"), "w", encoding="utf-8") as file:
            file.write(example.replace("ws://localhost:3000/ws", hub.uri).replace("<video", '<video id="remote"'))
        camera = self.launch(hub, "camera", f"{BARS} ! c.video_0 c.data_src_chat ! fdsink sync=false", "conicbin")
        page = Page(self, pages.url, browser.REAL_ADDRESSES)
        errors = []
        while not errors or (errors[-1] >= COLOUR_TOLERANCE and len(errors) < 60):
            errors.append(media.smpte_error(page.picture()))
        self.assertLess(errors[-1], COLOUR_TOLERANCE, errors)
        camera.wait_line("Hello from a page")
        page.load("about:blank")
        camera.wait_message("conic-session-ended")


if __name__ == "__main__":
    netns.main()
