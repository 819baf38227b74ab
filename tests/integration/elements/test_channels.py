#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data channels of applications.

Shows that an application opens channels with `open-data-channel` in a session of elements that have
media pads only, with the options it wants; that the other side's
application is offered them in `data-channel` and may leave them to the data pads; that messages pass
both ways; that who asks for a session there isn't gets nothing; and that a channel says when it is
full and when it has room again, so that a sender who heeds that loses nothing and needs little memory.
"""

import ctypes
import os
import queue

import gi

from conictest import peers, tap

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import (  # noqa: E402,F401  pylint: disable=wrong-import-position
    GLib,
    Gst,
    GstWebRTC,
)

MESSAGES, MESSAGE_BYTES = tap.scaled(1500, 300), 16384
# What a sender lets wait, and when it goes on.
HIGH, LOW = 1 << 20, 1 << 18


class Peer:
    """A pipeline in this process, and what its element called `peer` says."""

    def __init__(self, case, pipeline, take=True):
        self.pipeline = Gst.parse_launch(case.at_hub(pipeline))
        if not isinstance(self.pipeline, Gst.Pipeline):
            alone, self.pipeline = self.pipeline, Gst.Pipeline()
            self.pipeline.add(alone)
        self.element = self.pipeline.get_by_name("peer")
        self.offered = queue.Queue()
        self.texts = queue.Queue()
        self.data = queue.Queue()
        self.take = take
        self.element.connect("data-channel", self.on_channel)
        self.bus = self.pipeline.get_bus()
        case.addCleanup(self.pipeline.set_state, Gst.State.NULL)
        self.pipeline.set_state(Gst.State.PLAYING)

    def on_channel(self, _element, peer_id, session_id, channel):
        if self.take:
            self.watch(channel)
        self.offered.put((peer_id, session_id, channel))
        return self.take

    def watch(self, channel):
        channel.connect("on-message-string", lambda _c, text: self.texts.put(text))
        channel.connect("on-message-data", lambda _c, data: self.data.put(data.get_size()))

    def wait(self, name):
        """The next element message of that name."""
        while True:
            message = self.bus.timed_pop_filtered(
                tap.seconds(20) * Gst.SECOND, Gst.MessageType.ELEMENT | Gst.MessageType.ERROR
            )
            if message is None or message.type == Gst.MessageType.ERROR:
                raise AssertionError(f"no {name}: {message and message.parse_error()}")
            if message.get_structure().get_name() == name:
                return message.get_structure()

    def open(self, peer, label, options="options", session=None):
        structure = Gst.Structure.from_string(options)[0]
        return self.element.emit("open-data-channel", peer, session, label, structure)


def deep(pipeline):
    """Its elements, however deep."""
    iterator = pipeline.iterate_recurse()
    while True:
        result, element = iterator.next()
        if result != Gst.IteratorResult.OK:
            return
        yield element


def pointer(thing):
    """The C object: some things can't be said in Python."""
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return ctypes.c_void_p(address(thing.__gpointer__, None))


def get(things, what="something"):
    try:
        return things.get(timeout=tap.seconds(20))
    except queue.Empty:
        raise AssertionError(f"{what} didn't come") from None


class Channels(peers.HubTest):
    def call(self, take=True):
        camera = Peer(self, "videotestsrc is-live=true ! conicsink name=peer client-id=camera")
        camera.wait("conic-registered")
        viewer = Peer(self, "conicsrc name=peer client-id=viewer target-id=camera ! fakesink", take)
        camera.wait("conic-session-started")
        started = viewer.wait("conic-session-started")
        return camera, viewer, started.get_string("session-id")

    def test_messages(self):
        """A channel with options arrives with them, and text passes both ways"""
        camera, viewer, session = self.call()
        options = "options, ordered=(boolean)false, max-retransmits=(int)3, protocol=(string)chat"
        ours = camera.open("viewer", "talk", options, session)
        camera.watch(ours)
        peer, offered_in, theirs = get(viewer.offered, "the channel")
        self.assertEqual((peer, offered_in), ("camera", session))
        found = [
            theirs.get_property(name)
            for name in ("label", "protocol", "ordered", "max-retransmits")
        ]
        self.assertEqual(found, ["talk", "chat", False, 3])
        theirs.send_string("grüße 🎈")
        self.assertEqual(get(camera.texts, "an answer"), "grüße 🎈")
        ours.send_string("ok")
        self.assertEqual(get(viewer.texts, "a message"), "ok")

    def test_left_to_pads(self):
        """What the application doesn't take comes out of a data pad"""
        camera, viewer, _ = self.call(take=False)
        pads = queue.Queue()
        viewer.element.connect("pad-added", lambda _element, pad: pads.put(pad.get_name()))
        channel = camera.open("viewer", "spare")
        get(viewer.offered, "the channel")
        self.assertEqual(channel.get_property("label"), "spare")
        while get(pads, "the data pad") != "data_spare":
            pass

    def test_nobody(self):
        """Without such a session, or with options that can't be, there is no channel"""
        camera, _, _ = self.call()
        for options in (
            "negotiated=(boolean)true",
            "negotiated=(boolean)true, id=(int)65534",
            "max-retransmits=(int)1, max-packet-lifetime=(int)1",
        ):
            self.assertIsNone(camera.open("viewer", "odd", f"options, {options}"), options)
        self.assertIsNone(camera.open("nobody", "talk"))
        self.assertIsNone(camera.open("viewer", "talk", session="0000"))

    def test_not_utf8(self):
        """Text that isn't UTF-8 comes out as bytes, and a channel that has no other label not at all"""
        camera, viewer, _ = self.call(take=False)
        pads, caps = queue.Queue(), queue.Queue()

        def on_pad(_element, pad):
            if not pad.get_name().startswith("data"):
                return
            pads.put(pad.get_name())
            pad.add_probe(
                Gst.PadProbeType.BUFFER,
                lambda pad, _info: caps.put(pad.get_current_caps().to_string())
                or Gst.PadProbeReturn.DROP,
            )

        viewer.element.connect("pad-added", on_pad)
        glib, webrtc = ctypes.CDLL("libgobject-2.0.so.0"), ctypes.CDLL("libgstwebrtc-1.0.so.0")
        webrtcbin = next(
            element
            for element in deep(camera.pipeline)
            if element.get_name().startswith("webrtcbin")
        )
        made = ctypes.c_void_p()
        glib.g_signal_emit_by_name(
            pointer(webrtcbin), b"create-data-channel", b"\xff\xfe", None, ctypes.byref(made)
        )
        spare, opened = camera.open("viewer", "spare"), queue.Queue()
        spare.connect("on-open", lambda _c: opened.put(True))
        if spare.get_property("ready-state") != GstWebRTC.WebRTCDataChannelState.OPEN:
            get(opened, "the other side's word that it is open")
        for text in (b"\xff\xfe", "grüße".encode()):
            webrtc.gst_webrtc_data_channel_send_string(pointer(spare), text)
        self.assertIn("application/octet-stream", get(caps, "a message"))
        self.assertIn("text/x-raw", get(caps, "a message"))
        self.assertEqual([get(pads)], ["data_spare"])
        self.assertEqual(viewer.offered.qsize(), 1)

    def test_pressure(self):
        """A sender that heeds the buffered amount is told when to go on, and nothing is lost"""
        camera, viewer, _ = self.call()
        channel = camera.open("viewer", "bulk")
        low, opened = queue.Queue(), queue.Queue()
        channel.connect("on-open", lambda _c: opened.put(True))
        channel.set_property("buffered-amount-low-threshold", LOW)
        channel.connect("on-buffered-amount-low", lambda _c: low.put(True))
        get(viewer.offered, "the channel")
        # Until the other side has confirmed it, what is sent is refused.
        if channel.get_property("ready-state") != GstWebRTC.WebRTCDataChannelState.OPEN:
            get(opened, "the other side's word that it is open")
        message = GLib.Bytes.new(os.urandom(MESSAGE_BYTES))
        highest = waits = 0
        for _ in range(MESSAGES):
            if channel.get_property("buffered-amount") > HIGH:
                waits += 1
                while channel.get_property("buffered-amount") > LOW:
                    get(low, "word that there is room")
            channel.send_data(message)
            highest = max(highest, channel.get_property("buffered-amount"))
        for _ in range(MESSAGES):
            self.assertEqual(get(viewer.data, "a message"), MESSAGE_BYTES)
        self.assertLess(highest, HIGH + 2 * MESSAGE_BYTES)
        print(
            f"# {MESSAGES} messages of {MESSAGE_BYTES} bytes, waited {waits} times, at most {highest} bytes"
        )


if __name__ == "__main__":
    peers.main_with_elements(Gst)
