#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is asked for again when packets are lost.

Shows that who receives sound and pictures asks for the lost packets of the pictures only, in whichever
order the other side offers the two, and of nothing with `do-nack=false`.
"""

import queue

import gi

from conictest import peers
from test_channels import Peer, deep, get

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position


class Retransmission(peers.HubTest):
    def asked(self, first, second, properties=""):
        """Of which media a viewer asks again for what is lost."""
        viewer = Peer(
            self,
            f"conicsrc name=peer client-id=viewer {properties}"
            "  peer.video_0 ! fakesink name=video  peer.audio_0 ! fakesink name=audio",
        )
        viewer.wait("conic-registered")
        came = {}
        for name in ("video", "audio"):
            came[name] = queue.Queue()
            viewer.pipeline.get_by_name(name).get_static_pad("sink").add_probe(
                Gst.PadProbeType.BUFFER,
                lambda _pad, _info, name=name: came[name].put(True) or Gst.PadProbeReturn.OK,
            )
        sources = {"video": "videotestsrc is-live=true", "audio": "audiotestsrc is-live=true"}
        camera = Peer(
            self,
            f"conicsink name=peer target-id=viewer  {sources[first]} ! peer.{first}_0"
            f"  {sources[second]} ! peer.{second}_0",
        )
        for name, arrivals in came.items():
            get(arrivals, name)
        found = {}
        for element in deep(viewer.pipeline):
            if element.get_factory() and element.get_factory().get_name() == "rtpjitterbuffer":
                demux = element.get_static_pad("src").get_peer().get_parent()
                caps = demux.srcpads[0].get_current_caps().get_structure(0)
                found[caps["media"]] = element.get_property("do-retransmission")
        for peer in (camera, viewer):
            peer.pipeline.set_state(Gst.State.NULL)
        return found

    def test_media(self):
        """Lost packets of pictures are asked for, and none of sound"""
        for order in (("video", "audio"), ("audio", "video")):
            with self.subTest(order):
                self.assertEqual(self.asked(*order), {"video": True, "audio": False})

    def test_none(self):
        """do-nack=false: nothing is asked for"""
        self.assertEqual(
            self.asked("audio", "video", "do-nack=false"), {"video": False, "audio": False}
        )


if __name__ == "__main__":
    peers.main_with_elements(Gst)
