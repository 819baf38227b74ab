#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a pipeline, reports what it sees as JSON lines on standard output, takes commands on standard
input.

Usage: probe.py [--paused] [--dump SINK=FILE]… PIPELINE

Events (`ev`): message (name and fields of element messages), warning, error, eos, sample (of each
appsink: sink, n, pts and duration in ns, size, media, format, its text if that is short and UTF-8, the
mean colour of a small RGB picture, the frequency of the tone in 16-bit mono), pad-added and
pad-removed (of Conic's elements: element, pad), channel and channel-message (of a plain webrtcbin),
encoder-setup (of whose encoder, the distance of keyframes becomes 77), notify (of client-id and
connected),
and one for each command:

  state   state=NULL|READY|PAUSED|PLAYING      how long set_state took
  get     element, property                    its value
  set     element, property, value
  factories                                    the factory of each element, however deep
  add     element, pad, pipeline               a source that begins now, on a pad of the element
  caps    element, caps                        of a capsfilter
  take    pad                                  ends such a source, and gives the pad back
  show    element, video, audio                source pads that come from now on get an appsink of their name,
                                               behind that conversion
  channel webrtc, label                        makes a data channel on a plain webrtcbin
  say     label, text                          sends a text message on a data channel of a plain webrtcbin
  eos                                          sends EOS into the pipeline
  quit
"""

import argparse
import array
import importlib
import json
import os
import signal
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, GObject, Gst  # noqa: E402  pylint: disable=wrong-import-position

# Objects of theirs have their methods only once these are loaded.
for library in ("GstApp", "GstWebRTC"):
    gi.require_version(library, "1.0")
    importlib.import_module(f"gi.repository.{library}")

SHORT_BYTES = 65536
# 64 by 48 pixels.
SMALL_PICTURE_BYTES = 9216


SAYING = threading.Lock()


def say(kind, **fields):
    """Writes one event in one piece, from whichever thread."""
    with SAYING:
        sys.stdout.write(json.dumps({"ev": kind, **fields}) + "\n")
        sys.stdout.flush()


def plain(value):
    """A value as JSON can carry it."""
    if isinstance(value, Gst.Structure):
        found = {"structure": value.get_name()}
        for i in range(value.n_fields()):
            name = value.nth_field_name(i)
            found[name] = plain(value.get_value(name))
        return found
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("ValueArray", "ValueList"):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def content(structure, buffer):
    """What there is to see in a small picture, or to hear in a sound."""
    form = structure.get_value("format") if structure and structure.has_field("format") else None
    if form == "RGB" and buffer.get_size() <= SMALL_PICTURE_BYTES:
        data = buffer.extract_dup(0, buffer.get_size())
        return {"colour": [sum(data[i::3]) / (len(data) // 3) for i in range(3)]}
    if form == "S16LE" and structure.get_value("channels") == 1:
        samples = array.array("h", buffer.extract_dup(0, buffer.get_size()))
        crossings = sum(a < 0 <= b for a, b in zip(samples, samples[1:]))
        return {"tone": crossings * structure.get_value("rate") / max(len(samples), 1)}
    return {}


class Probe:
    def __init__(self, arguments):
        self.loop = GLib.MainLoop()
        self.dumps = {}
        for item in arguments.dump:
            sink, path = item.split("=", 1)
            self.dumps[sink] = open(path, "wb")  # pylint: disable=consider-using-with
        self.counts = {}
        self.channels = {}
        self.sources = {}
        self.unread = b""
        self.pipeline = Gst.parse_launch(arguments.pipeline)
        if not isinstance(self.pipeline, Gst.Pipeline):
            element, self.pipeline = self.pipeline, Gst.Pipeline()
            self.pipeline.add(element)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        for element in self.elements():
            factory = element.get_factory().get_name()
            if factory == "appsink":
                element.set_property("emit-signals", True)
                element.connect("new-sample", self.on_sample)
            elif factory == "webrtcbin":
                element.connect(
                    "on-data-channel", lambda _rtc, channel: self.watch_channel(channel)
                )
            elif factory.startswith("conic"):
                element.connect("pad-added", self.on_pad, "pad-added")
                element.connect("pad-removed", self.on_pad, "pad-removed")
                for name in ("client-id", "connected"):
                    element.connect(f"notify::{name}", self.on_notify)
                if GObject.signal_lookup("encoder-setup", element):
                    element.connect("encoder-setup", self.on_encoder)
        GLib.io_add_watch(
            GLib.IOChannel.unix_new(0),
            GLib.PRIORITY_DEFAULT,
            GLib.IOCondition.IN | GLib.IOCondition.HUP,
            self.on_input,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, self.loop.quit)
        say("ready")
        self.set_state("PAUSED" if arguments.paused else "PLAYING")

    def elements(self, inside=None):
        found = []
        iterator = (inside or self.pipeline).iterate_elements()
        while True:
            result, element = iterator.next()
            if result == Gst.IteratorResult.OK:
                found.append(element)
            elif result == Gst.IteratorResult.RESYNC:
                found.clear()
                iterator.resync()
            else:
                return found

    def deep(self, inside=None):
        found = []
        for element in self.elements(inside):
            found.append(element)
            if isinstance(element, Gst.Bin):
                found += self.deep(element)
        return found

    def on_message(self, _bus, message):
        source = message.src.get_name() if message.src else ""
        if message.type == Gst.MessageType.ELEMENT:
            structure = plain(message.get_structure())
            say("message", name=structure.pop("structure"), source=source, fields=structure)
        elif message.type in (Gst.MessageType.WARNING, Gst.MessageType.ERROR):
            warning = message.type == Gst.MessageType.WARNING
            error, debug = message.parse_warning() if warning else message.parse_error()
            say(
                "warning" if warning else "error",
                source=source,
                domain=error.domain,
                code=error.code,
                text=error.message,
                debug=debug,
            )
        elif message.type == Gst.MessageType.EOS:
            say("eos")
        elif message.type == Gst.MessageType.STATE_CHANGED and message.src == self.pipeline:
            say("reached", state=message.parse_state_changed()[1].value_nick.upper())

    def on_notify(self, element, pspec):
        say(
            "notify",
            source=element.get_name(),
            property=pspec.name,
            value=plain(element.get_property(pspec.name)),
        )

    def on_pad(self, element, pad, what):
        peer = pad.get_property("peer-id") if pad.find_property("peer-id") else None
        say(what, element=element.get_name(), pad=pad.get_name(), peer=peer)

    def show(self, element, pad, conversions):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        name = pad.get_name()
        kind = "audio" if name.startswith("audio") else "video"
        # A caught pad goes with its branch: what is removed and added again has the same name. A sink that
        # waits for its first buffer would take a pipeline that plays back to PAUSED.
        branch = Gst.parse_bin_from_description(
            f"{conversions[kind]} ! appsink name={name} sync=false async=false", True
        )
        sink = branch.get_by_name(name)
        sink.set_property("emit-signals", True)
        sink.connect("new-sample", self.on_sample)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def add(self, element, pad_name, description):
        source = Gst.parse_bin_from_description(description, True)
        pad = element.request_pad_simple(pad_name)
        self.pipeline.add(source)
        source.get_static_pad("src").link(pad)
        source.sync_state_with_parent()
        self.sources[pad_name] = (source, element, pad)

    def take(self, pad_name):
        source, element, pad = self.sources.pop(pad_name)
        source.set_state(Gst.State.NULL)
        source.get_static_pad("src").unlink(pad)
        self.pipeline.remove(source)
        element.release_request_pad(pad)

    def on_encoder(self, _element, pad, encoder):
        if encoder.find_property("keyframe-max-dist"):
            encoder.set_property("keyframe-max-dist", 77)
        say("encoder-setup", pad=pad, encoder=encoder.get_factory().get_name())

    def on_sample(self, sink):
        sample = sink.emit("pull-sample")
        name = sink.get_name()
        buffer = sample.get_buffer()
        size = buffer.get_size()
        structure = sample.get_caps().get_structure(0) if sample.get_caps() else None
        event = {
            "sink": name,
            "n": self.counts.get(name, 0),
            "pts": buffer.pts,
            "duration": buffer.duration,
            "size": size,
            "media": structure.get_name() if structure else None,
            "format": plain(structure.get_value("format"))
            if structure and structure.has_field("format")
            else None,
        }
        self.counts[name] = event["n"] + 1
        if name in self.dumps:
            self.dumps[name].write(buffer.extract_dup(0, size))
            self.dumps[name].flush()
        elif size <= SHORT_BYTES and event["media"] not in ("video/x-raw", "audio/x-raw"):
            try:
                event["text"] = bytes(buffer.extract_dup(0, size)).decode()
            except UnicodeDecodeError:
                event["text"] = None
        event.update(content(structure, buffer))
        if structure and structure.has_field("width"):
            event["width"], event["height"] = structure.get_value("width"), structure.get_value(
                "height"
            )
        say("sample", **event)
        return Gst.FlowReturn.OK

    def watch_channel(self, channel):
        label = channel.get_property("label")
        self.channels[label] = channel
        say("channel-made", label=label)
        channel.connect("on-open", lambda _c: say("channel-open", label=label))
        channel.connect("on-close", lambda _c: say("channel-closed", label=label))
        channel.connect(
            "on-message-string",
            lambda _c, text: say("channel-message", label=label, form="text", text=text),
        )
        channel.connect(
            "on-message-data",
            lambda _c, data: say(
                "channel-message", label=label, form="binary", size=data.get_size() if data else 0
            ),
        )

    def set_state(self, name):
        started = time.monotonic()
        result = self.pipeline.set_state(getattr(Gst.State, name))
        say("state", state=name, seconds=time.monotonic() - started, result=result.value_nick)

    def on_input(self, _channel, _condition):
        piece = os.read(0, 65536)
        if not piece:
            self.loop.quit()
            return False
        *lines, self.unread = (self.unread + piece).split(b"\n")
        for line in lines:
            self.obey(json.loads(line))
        return True

    def obey(self, command):
        kind = command["cmd"]
        element = self.pipeline.get_by_name(command["element"]) if "element" in command else None
        if kind == "state":
            self.set_state(command["state"])
        elif kind == "get":
            say("get", value=plain(element.get_property(command["property"])))
        elif kind == "set":
            element.set_property(command["property"], command["value"])
            say("set")
        elif kind == "factories":
            say(
                "factories",
                names=sorted(e.get_factory().get_name() for e in self.deep() if e.get_factory()),
            )
        elif kind == "add":
            self.add(element, command["pad"], command["pipeline"])
            say("add")
        elif kind == "caps":
            element.set_property("caps", Gst.Caps.from_string(command["caps"]))
            say("caps")
        elif kind == "take":
            self.take(command["pad"])
            say("take")
        elif kind == "show":
            element.connect("pad-added", self.show, command)
            say("show")
        elif kind == "channel":
            rtc = self.pipeline.get_by_name(command["webrtc"])
            self.watch_channel(rtc.emit("create-data-channel", command["label"], None))
            say("channel")
        elif kind == "say":
            self.channels[command["label"]].send_string(command["text"])
            say("say")
        elif kind == "eos":
            say("sent-eos", result=self.pipeline.send_event(Gst.Event.new_eos()))
        elif kind == "quit":
            self.loop.quit()

    def run(self):
        self.loop.run()
        self.set_state("NULL")
        for file in self.dumps.values():
            file.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--paused", action="store_true")
    parser.add_argument("--dump", action="append", default=[])
    parser.add_argument("pipeline")
    arguments = parser.parse_args()
    Gst.init(None)
    Probe(arguments).run()


if __name__ == "__main__":
    main()
