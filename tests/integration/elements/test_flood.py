#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer that means ill, in a session that it has come into.

Shows that what it sends under ever new names (SSRCs), media and reports alike, each of which would cost
threads and memory, is let in only up to a bound; and that none is while webrtcbin would warn of it.
"""

import queue

import gi

from conictest import peers
from test_channels import Peer, deep, get

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

# What is let in, and what is sent.
SOURCES_MAX, SOURCES = 192, 300


def find_pad(pipeline, factory, name):
    for element in deep(pipeline):
        if element.get_factory() and element.get_factory().get_name() == factory:
            for pad in element.pads:
                if pad.get_name().startswith(name):
                    return pad
    raise AssertionError(f"there is no {name} of a {factory}")


class Flood(peers.HubTest):
    def session(self):
        """A viewer that plays, for a paused one lets nothing in, and its camera."""
        viewer = Peer(self, "conicsrc name=peer client-id=viewer ! fakesink name=out")
        viewer.wait("conic-registered")
        pictures = queue.Queue()
        viewer.pipeline.get_by_name("out").get_static_pad("sink").add_probe(
            Gst.PadProbeType.BUFFER, lambda _pad, _info: pictures.put(True) or Gst.PadProbeReturn.OK
        )
        camera = Peer(self, "videotestsrc is-live=true ! conicsink name=peer target-id=viewer")
        camera.wait("conic-session-started")
        get(pictures, "a picture")
        return viewer, camera

    def test_sources(self):
        """Packets of ever new sources come in from the first of them only"""
        viewer, camera = self.session()
        seen, came, sent = set(), queue.Queue(), []

        def on_received(_pad, info):
            source = info.get_buffer().extract_dup(8, 4)
            if source not in seen:
                seen.add(source)
                came.put(len(seen))
            return Gst.PadProbeReturn.OK

        def on_sent(pad, _info):
            """With each packet of its own goes one of another source."""
            if len(sent) < 2 * SOURCES and len(sent) % 2 == 0:
                sent.append(True)
                packet = bytes([0x80, 96, 0, 1]) + bytes(4) + (len(sent) << 8).to_bytes(4, "big")
                pad.chain(Gst.Buffer.new_wrapped(packet + bytes(20)))
                sent.append(True)
                if len(sent) == 2 * SOURCES:
                    came.put(None)
            return Gst.PadProbeReturn.OK

        find_pad(viewer.pipeline, "dtlssrtpdec", "rtp_src").add_probe(
            Gst.PadProbeType.BUFFER, on_received
        )
        find_pad(camera.pipeline, "dtlssrtpenc", "rtp_sink").add_probe(
            Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, on_sent
        )
        camera.element.set_property("bitrate", 8000000)
        while get(came, "the last packet") is not None:
            pass
        self.assertGreater(len(seen), SOURCES_MAX / 2)
        self.assertLessEqual(len(seen), SOURCES_MAX)

    def test_reports(self):
        """Reports of ever new sources come in from the first of them only"""
        viewer, _ = self.session()
        pad = find_pad(viewer.pipeline, "dtlssrtpdec", "rtcp_src")
        for number in range(1, SOURCES + 1):
            source = (number << 8).to_bytes(4, "big")
            # A sender's report, and a description of one more source.
            report = bytes([0x80, 200, 0, 6]) + source + bytes(20)
            name = bytes([0x81, 202, 0, 3]) + source[:3] + b"\1" + b"\1\4name" + bytes(2)
            pad.push(Gst.Buffer.new_wrapped(report + name))
        demuxes = [
            element
            for element in deep(viewer.pipeline)
            if element.get_factory() and element.get_factory().get_name() == "rtpssrcdemux"
        ]
        # Two pads for each: RTP and RTCP.
        made = sum(len(demux.srcpads) for demux in demuxes) / 2
        self.assertGreater(made, 10)
        self.assertLessEqual(made, SOURCES_MAX)

    def test_untimely_source(self):
        """A source that nobody knows, while an offer is being answered, isn't let in"""
        viewer, camera = self.session()
        pad = find_pad(viewer.pipeline, "dtlssrtpdec", "rtp_src")
        states, source = queue.Queue(), 0x01020304

        def on_state(webrtcbin, _pspec):
            """In webrtcbin's own thread, which has just learned of a section."""
            state = webrtcbin.get_property("signaling-state").value_nick
            if state == "have-remote-offer":
                for number in range(5):
                    packet = bytes([0x80, 96, 0, number]) + bytes(4) + source.to_bytes(4, "big")
                    pad.push(Gst.Buffer.new_wrapped(packet + bytes(20)))
            states.put(state)

        webrtcbin = next(e for e in deep(viewer.pipeline) if e.get_name().startswith("webrtcbin"))
        webrtcbin.connect("notify::signaling-state", on_state)
        more = Gst.parse_bin_from_description("audiotestsrc is-live=true", True)
        camera.pipeline.add(more)
        more.link_pads("src", camera.element, "audio_0")
        more.sync_state_with_parent()
        self.assertEqual(get(states, "an offer"), "have-remote-offer")
        self.assertEqual(get(states, "an answer"), "stable")
        for element in deep(viewer.pipeline):
            if element.get_factory() and element.get_factory().get_name() == "rtpssrcdemux":
                self.assertIsNone(element.get_static_pad(f"src_{source}"))


if __name__ == "__main__":
    peers.main_with_elements(Gst)
