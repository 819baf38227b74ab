#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an application does to an element that it has in a pipeline of its own.

Shows that after a stop another list of codecs counts, and something else may come in; that a bit rate
set while it runs is that of later pads, too; that a pipeline can be sought in; that a conicsrc can be
stopped and started again while what is behind it plays on, and that EOS can be sent to one that is
paused; that a data pad can be asked for after the other side's channel is there, given back and asked
for again; and that an application can open and close any number of channels.
"""

import queue
import threading

import gi

from conictest import peers, tap
from test_channels import Peer, get

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

CAMERA = "videotestsrc is-live=true ! conicsink name=peer client-id=camera"
FRAMES = 5
# More than may be open at a time.
CHANNELS = 66


class Changes(peers.HubTest):
    def camera(self, pipeline=CAMERA):
        camera = Peer(self, pipeline)
        camera.wait("conic-registered")
        return camera

    def buffers(self, peer, sink="out"):
        """What comes into a sink from now on."""
        found = queue.Queue()
        pad = peer.pipeline.get_by_name(sink).get_static_pad("sink")

        def on_buffer(pad, info):
            buffer = info.get_buffer()
            text = buffer.extract_dup(0, min(buffer.get_size(), 100))
            found.put((pad.get_current_caps().to_string(), text))
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER, on_buffer)
        return found

    def check_codec(self, name):
        viewer = Peer(self, "conicsrc name=peer output=rtp target-id=camera ! fakesink name=out")
        caps, _ = get(self.buffers(viewer), "a picture")
        self.assertIn(f"encoding-name=(string){name}", caps)
        viewer.pipeline.set_state(Gst.State.NULL)

    def test_next_time(self):
        """After a stop another codec is used, and encoded video may come in place of raw"""
        camera = self.camera(
            "videotestsrc is-live=true name=raw ! conicsink name=peer client-id=camera"
            " video-codecs=<VP8>  videotestsrc is-live=true ! vp8enc deadline=1 ! identity name=encoded"
            " ! fakesink name=aside"
        )
        self.check_codec("VP8")
        camera.pipeline.set_state(Gst.State.NULL)
        Gst.util_set_object_arg(camera.element, "video-codecs", "<VP9>")
        camera.pipeline.set_state(Gst.State.PLAYING)
        camera.wait("conic-registered")
        self.check_codec("VP9")

        camera.pipeline.set_state(Gst.State.NULL)
        raw, encoded = (camera.pipeline.get_by_name(name) for name in ("raw", "encoded"))
        pad = raw.get_static_pad("src").get_peer()
        raw.get_static_pad("src").unlink(pad)
        camera.pipeline.remove(raw)
        encoded.unlink(camera.pipeline.get_by_name("aside"))
        camera.pipeline.remove(camera.pipeline.get_by_name("aside"))
        encoded.get_static_pad("src").link(pad)
        camera.pipeline.set_state(Gst.State.PLAYING)
        camera.wait("conic-registered")
        self.check_codec("VP8")

    def test_bitrate(self):
        """A bit rate set while it runs is that of a pad which comes later"""
        camera = self.camera()
        encoders = queue.Queue()
        camera.element.connect("encoder-setup", lambda _e, _pad, encoder: encoders.put(encoder))
        camera.element.set_property("bitrate", 500000)
        second = Gst.ElementFactory.make("videotestsrc")
        second.set_property("is-live", True)
        camera.pipeline.add(second)
        second.link(camera.element)
        second.sync_state_with_parent()
        Peer(self, "conicsrc name=peer target-id=camera ! fakesink")
        for _ in range(2):
            self.assertEqual(get(encoders, "an encoder").get_property("target-bitrate"), 500000)

    def test_restart(self):
        """A conicsrc is stopped and started again while what is behind it plays on"""
        self.camera()
        viewer = Peer(
            self, "conicsrc name=peer target-id=camera  queue name=queue ! fakesink name=out"
        )
        sink = viewer.pipeline.get_by_name("queue").get_static_pad("sink")
        viewer.element.connect(
            "pad-added", lambda _e, pad: pad.get_name().startswith("video") and pad.link(sink)
        )
        for _ in range(2):
            pictures = self.buffers(viewer)
            for _ in range(FRAMES):
                get(pictures, "a picture")
            viewer.element.set_locked_state(True)
            viewer.element.set_state(Gst.State.NULL)
            viewer.element.set_locked_state(False)
            viewer.element.sync_state_with_parent()
        get(self.buffers(viewer), "a picture after the last start")

    def test_eos_in_pause(self):
        """EOS can be sent to a conicsrc that is paused, and comes out when it plays again"""
        self.camera()
        viewer = Peer(self, "conicsrc name=peer target-id=camera ! fakesink name=out sync=true")
        pictures = self.buffers(viewer)
        for _ in range(FRAMES):
            get(pictures, "a picture")
        viewer.pipeline.set_state(Gst.State.PAUSED)
        sent = threading.Event()

        def send():
            viewer.pipeline.send_event(Gst.Event.new_eos())
            sent.set()

        threading.Thread(target=send, daemon=True).start()
        self.assertTrue(sent.wait(tap.seconds(10)), "it is still being sent")
        viewer.pipeline.set_state(Gst.State.PLAYING)
        end = viewer.bus.timed_pop_filtered(tap.seconds(10) * Gst.SECOND, Gst.MessageType.EOS)
        self.assertIsNotNone(end, "no EOS came")

    def test_seek(self):
        """A pipeline that ends in a conicsink says where it is, can be sought in, and those who watch go on"""
        camera = self.camera(
            "videotestsrc num-buffers=9000 ! video/x-raw,framerate=30/1 !"
            " conicsink name=peer client-id=camera"
        )
        viewer = Peer(self, "conicsrc name=peer target-id=camera ! fakesink name=out")
        get(self.buffers(viewer), "a picture")
        self.assertEqual(
            camera.pipeline.query_duration(Gst.Format.TIME), (True, 300 * Gst.SECOND)
        )
        known, position = camera.pipeline.query_position(Gst.Format.TIME)
        self.assertTrue(known)
        self.assertGreater(position, 0)
        self.assertTrue(camera.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0))
        pictures = self.buffers(viewer)
        for _ in range(2 * FRAMES):
            get(pictures, "a picture after the seek")

    def say(self, peer, text):
        """Says it on a data pad that is asked for now; returns a function that gives the pad back."""
        source = Gst.ElementFactory.make("appsrc")
        source.set_property("caps", Gst.Caps.from_string("text/x-raw,format=utf8"))
        source.set_property("format", Gst.Format.TIME)
        pad = peer.element.request_pad_simple("data_chat")
        peer.pipeline.add(source)
        source.get_static_pad("src").link(pad)
        source.sync_state_with_parent()
        source.emit("push-buffer", Gst.Buffer.new_wrapped(text))

        def give_back():
            peer.element.release_request_pad(pad)
            source.set_state(Gst.State.NULL)
            peer.pipeline.remove(source)

        return give_back

    def test_late_pad(self):
        """Data pads asked for when the other side's channel is there already, and once more, send"""
        called = Peer(
            self, "videotestsrc is-live=true ! conicbin name=peer client-id=called", take=False
        )
        called.wait("conic-registered")
        pads = queue.Queue()
        called.element.connect("pad-added", lambda _e, pad: pads.put(pad.get_name()))
        caller = Peer(
            self,
            "conicbin name=peer target-id=called peer.data_src_chat ! fakesink name=out"
            "  appsrc name=in caps=text/x-raw,format=utf8 format=time ! peer.data_chat",
            take=False,
        )
        caller.pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(b"hello"))
        while get(pads, "the channel") != "data_src_chat":
            pass
        heard = self.buffers(caller)
        for text in (b"first", b"second"):
            give_back = self.say(called, text)
            self.assertEqual(get(heard, "the answer")[1], text)
            give_back()

    def test_many_channels(self):
        """Any number of channels can be opened in a session, one after the other"""
        camera = self.camera()
        viewer = Peer(
            self, "conicsrc name=peer client-id=viewer target-id=camera ! fakesink", take=False
        )
        camera.wait("conic-session-started")
        for number in range(CHANNELS):
            ours = camera.open("viewer", f"channel {number % 3}")
            _, _, theirs = get(viewer.offered, f"channel number {number}")
            closed = queue.Queue()
            for channel in (ours, theirs):
                channel.connect("on-close", lambda _c, closed=closed: closed.put(True))
            ours.close()
            try:
                for _ in range(2):
                    closed.get(timeout=1)
            except queue.Empty:
                # webrtcbin 1.22 loses an end now and then; one more that is open does no harm.
                pass


if __name__ == "__main__":
    peers.main_with_elements(Gst)
