#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the elements cost, and how quick they are.

    tests/bench/plugin.py [--build DIR] [--seconds N] [viewers] [start] [delay] [data]

viewers  CPU of a camera (640×480, 30 frames/s) with 1, 5, 10 and 20 viewers, and of one with an
         encoder for each
start    from a viewer's start to its first decoded frame; hub and camera are running
delay    from a picture going in to the same coming out, on the clock, with latency=0 and 50
data     bytes through a data pad, and through a data channel of two bare webrtcbins

Everything happens on loopback. Compare ratios: the figures are the machine's.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import threading
import time

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import (  # noqa: E402,F401  pylint: disable=wrong-import-position
    GLib,
    Gst,
    GstSdp,
    GstWebRTC,
)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

VIDEO = "video/x-raw,width=640,height=480,framerate=30/1"
VIEWERS = (1, 5, 10, 20)
STARTS = 15
MESSAGE_BYTES = 65536
# What waits for a channel: as much as a data pad allows itself.
HIGH_BYTES, LOW_BYTES = 1 << 20, 1 << 18
BITS = 16
WIDTH, HEIGHT, RATE = 320, 240, 30


class Hub:
    """conicd on a port of its own choice."""

    def __init__(self, build):
        self.process = subprocess.Popen(
            [os.path.join(build, "daemon", "conicd"), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in self.process.stdout:
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            if found:
                break
        self.uri = f"ws://127.0.0.1:{found.group(1)}/ws"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def launch(pipeline):
    """A pipeline in a process of its own."""
    return subprocess.Popen(
        ["gst-launch-1.0", "-q", *pipeline.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def play(pipeline, sink="out"):
    """A pipeline of this process that plays, and what counts the buffers of its sink."""
    made = Gst.parse_launch(pipeline)
    came = []
    lock = threading.Condition()

    def on_buffer(_pad, info):
        with lock:
            came.append((time.monotonic(), info.get_buffer()))
            lock.notify_all()
        return Gst.PadProbeReturn.OK

    element = made.get_by_name(sink)
    if element:
        element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, on_buffer)
    made.set_state(Gst.State.PLAYING)

    def wait(count, timeout=120):
        with lock:
            if not lock.wait_for(lambda: len(came) >= count, timeout):
                sys.exit(f"{len(came)} of {count} buffers came within {timeout} s: {pipeline}")
        return came

    return made, wait


def wait_for(pipeline, name):
    """Waits for an element message of that name."""
    while True:
        message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.ELEMENT)
        if message is None:
            sys.exit(f"no {name}")
        if message.get_structure().get_name() == name:
            return


def measure_viewers(hub, seconds, count, shared):
    names = ["camera"] * count if shared else [f"camera{i}" for i in range(count)]
    sinks = " ".join(
        f"t. ! queue leaky=downstream ! conicsink client-id={name} uri={hub.uri}"
        for name in sorted(set(names))
    )
    camera = launch(f"videotestsrc is-live=true pattern=ball ! {VIDEO} ! tee name=t {sinks}")
    viewers = [
        play(f"conicsrc target-id={name} output=rtp uri={hub.uri} ! fakesink name=out sync=false")
        for name in names
    ]
    for _, wait in viewers:
        wait(30)
    before = cpu_seconds(camera)
    time.sleep(seconds)
    used = (cpu_seconds(camera) - before) / seconds
    for made, _ in viewers:
        made.set_state(Gst.State.NULL)
    camera.terminate()
    camera.wait()
    return used


def bench_viewers(hub, options):
    print("viewers   CPU of one encoder   of one each   (cores)")
    alone = None
    for count in VIEWERS:
        shared, each = (measure_viewers(hub, options.seconds, count, one) for one in (True, False))
        alone = alone or shared
        print(
            f"{count:7}   {shared:8.3f} ({shared / alone:4.2f}×)   {each:8.3f} ({each / alone:5.2f}×)",
            flush=True,
        )


def bench_start(hub, _options):
    camera, _ = play(
        f"videotestsrc is-live=true ! {VIDEO} ! conicsink client-id=camera uri={hub.uri}", ""
    )
    wait_for(camera, "conic-registered")
    times = []
    for _ in range(STARTS):
        started = time.monotonic()
        viewer, wait = play(
            f"conicsrc target-id=camera uri={hub.uri} ! fakesink name=out sync=false"
        )
        times.append((wait(1)[0][0] - started) * 1000)
        viewer.set_state(Gst.State.NULL)
    camera.set_state(Gst.State.NULL)
    print(
        f"start to first frame: median {statistics.median(times):.0f} ms, "
        f"{min(times):.0f} to {max(times):.0f} ms, of {STARTS}"
    )


def draw(number):
    """An I420 frame with a number in black and white blocks."""
    bits = np.array([(number >> bit) & 1 for bit in range(BITS)], np.uint8).reshape(2, 8)
    luma = np.kron(bits, np.ones((HEIGHT // 2, WIDTH // 8), np.uint8)) * 219 + 16
    return luma.astype(np.uint8).tobytes() + b"\x80" * (WIDTH * HEIGHT // 2)


def read(buffer):
    """The number in a frame."""
    luma = np.frombuffer(buffer.extract_dup(0, WIDTH * HEIGHT), np.uint8).reshape(HEIGHT, WIDTH)
    middle = luma[HEIGHT // 4 :: HEIGHT // 2, WIDTH // 16 :: WIDTH // 8]
    return sum(int(value >= 128) << bit for bit, value in enumerate(middle.flatten()))


def measure_delay(hub, seconds, latency):
    caps = f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
    camera, _ = play(
        f"appsrc name=in is-live=true do-timestamp=true format=time caps={caps} ! c.video_0"
        f" conicsink name=c client-id=delay uri={hub.uri}",
        "",
    )
    source, sent, stop = camera.get_by_name("in"), {}, threading.Event()

    def feed():
        number, due = 0, time.monotonic()
        while not stop.is_set():
            frame = Gst.Buffer.new_wrapped(draw(number))
            sent[number] = time.monotonic()
            source.emit("push-buffer", frame)
            number, due = (number + 1) % (1 << BITS), due + 1 / RATE
            stop.wait(max(0, due - time.monotonic()))

    feeder = threading.Thread(target=feed)
    feeder.start()
    wait_for(camera, "conic-registered")
    viewer = Gst.parse_launch(
        f"conicsrc target-id=delay latency={latency} uri={hub.uri} ! videoconvert !"
        " video/x-raw,format=I420 ! fakesink name=out sync=true signal-handoffs=true qos=false"
    )
    came = []
    viewer.get_by_name("out").connect(
        "handoff", lambda _sink, buffer, _pad: came.append((time.monotonic(), read(buffer)))
    )
    viewer.set_state(Gst.State.PLAYING)
    deadline = time.monotonic() + 30
    # The encoder starts coarse.
    while len(came) < 2 * RATE and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(seconds)
    stop.set()
    feeder.join()
    delays = [(at - sent[number]) * 1000 for at, number in came[2 * RATE :] if number in sent]
    for made in (viewer, camera):
        made.set_state(Gst.State.NULL)
    return delays


def bench_delay(hub, options):
    for latency in (0, 50):
        delays = measure_delay(hub, options.seconds, latency)
        if len(delays) < 5:
            sys.exit(f"too few pictures came: {len(delays)}")
        print(
            f"delay with latency={latency}: median {statistics.median(delays):.0f} ms, "
            f"95 % below {statistics.quantiles(delays, n=20)[-1]:.0f} ms "
            f"(wanted: {latency} + {1000 / RATE:.0f} ms)"
        )


def rate_of(came, seconds):
    """Mbit/s of what comes from now on."""
    before, start = len(came), time.monotonic()
    time.sleep(seconds)
    after, stop = len(came), time.monotonic()
    return (after - before) * MESSAGE_BYTES * 8 / (stop - start) / 1e6


def measure_pad(hub, seconds):
    sender, _ = play(
        f"fakesrc sizetype=fixed sizemax={MESSAGE_BYTES} filltype=zero ! application/octet-stream !"
        f" s.data_bulk conicsink name=s client-id=bulk uri={hub.uri}",
        "",
    )
    wait_for(sender, "conic-registered")
    receiver, wait = play(
        f"conicsrc name=r target-id=bulk uri={hub.uri} r.data_bulk ! fakesink name=out sync=false"
    )
    rate = rate_of(wait(50), seconds)
    for made in (receiver, sender):
        made.set_state(Gst.State.NULL)
    return rate


def connect(one, other):
    """Lets two webrtcbins of this process meet."""
    for a, b in ((one, other), (other, one)):
        a.connect(
            "on-ice-candidate", lambda _a, line, text, b=b: b.emit("add-ice-candidate", line, text)
        )

    def describe(a, b, kind):
        promise = Gst.Promise.new()
        a.emit(f"create-{kind}", None, promise)
        promise.wait()
        reply = promise.get_reply()
        description = reply.get_value(kind)
        # As text, for a description belongs to the promise.
        text, types = description.sdp.as_text(), GstWebRTC.WebRTCSDPType
        for element, side in ((a, "local"), (b, "remote")):
            parsed = GstSdp.SDPMessage.new_from_text(text)[1]
            copy = GstWebRTC.WebRTCSessionDescription.new(getattr(types, kind.upper()), parsed)
            done = Gst.Promise.new()
            element.emit(f"set-{side}-description", copy, done)
            done.wait()

    describe(one, other, "offer")
    describe(other, one, "answer")


def run_bare(seconds):
    """Measures two bare webrtcbins, prints the rate in Mbit/s, and ends the process."""
    pipeline = Gst.parse_launch(
        "webrtcbin name=a bundle-policy=max-bundle webrtcbin name=b bundle-policy=max-bundle"
    )
    one, other = (pipeline.get_by_name(name) for name in "ab")
    came, opened, room = [], threading.Event(), threading.Event()

    def on_channel(_rtc, channel):
        channel.connect("on-message-data", lambda _c, data: came.append(None))
        opened.channel = channel
        opened.set()

    other.connect("on-data-channel", on_channel)
    pipeline.set_state(Gst.State.PLAYING)
    channel = one.emit("create-data-channel", "bulk", None)
    channel.set_property("buffered-amount-low-threshold", LOW_BYTES)
    channel.connect("on-buffered-amount-low", lambda _c: room.set())
    connect(one, other)
    if not opened.wait(30):
        sys.exit("the bare channel didn't open")
    stop, message = threading.Event(), GLib.Bytes.new(bytes(MESSAGE_BYTES))

    def feed():
        while not stop.is_set():
            if channel.get_property("buffered-amount") > HIGH_BYTES:
                room.clear()
                if channel.get_property("buffered-amount") > LOW_BYTES:
                    room.wait(1)
            channel.send_data(message)

    feeder = threading.Thread(target=feed)
    feeder.start()
    time.sleep(1)
    rate = rate_of(came, seconds)
    stop.set()
    print(rate, flush=True)
    # Two bare webrtcbins that still hold messages for each other don't stop.
    os._exit(0)


def measure_bare(options):
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            "--build",
            options.build,
            "--seconds",
            str(options.seconds),
            "--bare",
        ],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60 + options.seconds,
        check=True,
    )
    return float(done.stdout)


def bench_data(hub, options):
    rates = {name: [] for name in ("bare", "pad")}
    for _ in range(3):
        rates["pad"].append(measure_pad(hub, options.seconds))
        rates["bare"].append(measure_bare(options))
    bare, pad = (statistics.median(rates[name]) for name in ("bare", "pad"))
    print(f"data pad {pad:.0f} Mbit/s, bare webrtcbins {bare:.0f} Mbit/s: {pad / bare:.2f}×")


BENCHES = {"viewers": bench_viewers, "start": bench_start, "delay": bench_delay, "data": bench_data}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default=os.path.join(ROOT, "_build", "plain"))
    parser.add_argument("--seconds", type=float, default=10, help="how long each measurement takes")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("benches", nargs="*", choices=[[], *BENCHES], metavar="BENCH")
    options = parser.parse_args()
    os.environ["GST_PLUGIN_PATH"] = os.path.join(options.build, "gst-plugin")
    os.environ["GST_REGISTRY"] = os.path.join(options.build, "tests", "registry-bench.bin")
    Gst.init(None)
    if options.bare:
        run_bare(options.seconds)
    hub = Hub(options.build)
    try:
        for name in options.benches or BENCHES:
            BENCHES[name](hub, options)
    finally:
        hub.stop()


if __name__ == "__main__":
    main()
