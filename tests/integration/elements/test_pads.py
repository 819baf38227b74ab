#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the pads of an element make of events and queries.

Shows that what is asked and told on a data source pad has nothing to do with what comes into the same
element; that a pad whose stream goes on after its end, by a seek or with another stream, is no more at
its end; and that an element without sink pads is no sink.
"""

import queue

import gi

from conictest import peers
from test_channels import Peer, get

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

# Nanoseconds that are more than the element lets pass between its pads' ends and its own.
LINGER = 500 * Gst.MSECOND


def begin(pad):
    pad.send_event(Gst.Event.new_stream_start(pad.get_name()))


def flush(pad):
    pad.send_event(Gst.Event.new_flush_start())
    pad.send_event(Gst.Event.new_flush_stop(True))


class Pads(peers.HubTest):
    def test_apart(self):
        """What is told and asked on a data pad doesn't reach what comes into the element"""
        pads, seen = queue.Queue(), []
        anna = Peer(
            self,
            "videotestsrc is-live=true ! identity name=in ! conicbin name=peer client-id=anna",
            take=False,
        )
        anna.element.connect("pad-added", lambda _element, pad: pads.put(pad))
        source = anna.pipeline.get_by_name("in").get_static_pad("src")
        source.add_probe(
            Gst.PadProbeType.EVENT_UPSTREAM | Gst.PadProbeType.QUERY_UPSTREAM,
            lambda _pad, info: seen.append(info.get_event() or info.get_query())
            or Gst.PadProbeReturn.OK,
        )
        anna.wait("conic-registered")
        Peer(self, "conicsink name=peer target-id=anna  fakesrc is-live=true ! peer.data_chat")
        pad = get(pads, "a data pad")
        self.assertEqual(pad.get_name(), "data_src_chat")
        seen.clear()
        pad.send_event(Gst.Event.new_qos(Gst.QOSType.UNDERFLOW, 0.5, 100, 0))
        query = Gst.Query.new_latency()
        self.assertTrue(pad.query(query))
        self.assertEqual(query.parse_latency(), (True, 0, Gst.CLOCK_TIME_NONE))
        told = [item for item in seen if item.type in (Gst.EventType.QOS, Gst.QueryType.LATENCY)]
        self.assertEqual(told, [])

    def check_end(self, name, go_on):
        """The element isn't at its end before a pad is that has gone on after its own."""
        peer = Peer(self, "conicsink name=peer")
        first = peer.element.request_pad_simple(name)
        last = peer.element.request_pad_simple("audio_1")
        for pad in (first, last):
            begin(pad)
        first.send_event(Gst.Event.new_eos())
        go_on(first)
        last.send_event(Gst.Event.new_eos())
        self.assertIsNone(peer.bus.timed_pop_filtered(LINGER, Gst.MessageType.EOS))
        first.send_event(Gst.Event.new_eos())
        self.assertIsNotNone(peer.bus.timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS))

    def test_seek(self):
        """A stream that is sought in after its end goes on"""
        self.check_end("audio_0", flush)

    def test_next_message_stream(self):
        """A stream of messages that follows another isn't at its end"""
        self.check_end("data_chat", begin)

    def test_no_sink(self):
        """An element is a sink as long as something can come into it"""
        peer = Peer(self, "conicbin name=peer")
        for name in ("data_chat", "video_0"):
            self.assertEqual(peer.element.flags & Gst.ElementFlags.SINK, 0)
            pad = peer.element.request_pad_simple(name)
            self.assertNotEqual(peer.element.flags & Gst.ElementFlags.SINK, 0)
            peer.element.release_request_pad(pad)
        self.assertEqual(peer.element.flags & Gst.ElementFlags.SINK, 0)


if __name__ == "__main__":
    peers.main_with_elements(Gst)
