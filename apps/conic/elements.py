# SPDX-License-Identifier: LGPL-2.1-or-later
"""The GStreamer elements that conic's programs use, and the Debian package that has each."""

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

from .exits import Missing  # noqa: E402  pylint: disable=wrong-import-position

CONIC = "gstreamer1.0-conic"
BASE = "gstreamer1.0-plugins-base"
GOOD = "gstreamer1.0-plugins-good"
BAD = "gstreamer1.0-plugins-bad"
UGLY = "gstreamer1.0-plugins-ugly"

# Without these nothing works.
NEEDED = {
    "conicsink": CONIC,
    "conicsrc": CONIC,
    "conicbin": CONIC,
    "conicsignaller": CONIC,
    "webrtcbin": BAD,
    "dtlssrtpenc": BAD,
    "srtpenc": BAD,
    "sctpenc": BAD,
    "nicesrc": "gstreamer1.0-nice",
    "rtpbin": GOOD,
    "decodebin": BASE,
    "parsebin": BASE,
    "audioconvert": BASE,
    "audioresample": BASE,
    "videoconvert": BASE,
    "opusenc": BASE,
    "opusdec": BASE,
    "rtpopuspay": GOOD,
    "vp8enc": GOOD,
    "vp8dec": GOOD,
    "rtpvp8pay": GOOD,
}
# Each of these is something that one can do without.
OPTIONAL = {
    "rtph264pay": GOOD,
    "h264parse": BAD,
    "x264enc": UGLY,
    "avdec_h264": "gstreamer1.0-libav",
    "vp9enc": GOOD,
    "vp9dec": GOOD,
    "alawenc": GOOD,
    "mulawenc": GOOD,
    "audiotestsrc": BASE,
    "videotestsrc": BASE,
    "audiorate": BASE,
    "videoscale": BASE,
    "level": GOOD,
    "wavparse": GOOD,
    "wavenc": GOOD,
    "webmmux": GOOD,
    "matroskamux": GOOD,
    "v4l2src": GOOD,
    "autoaudiosrc": GOOD,
    "autoaudiosink": GOOD,
    "autovideosrc": GOOD,
    "pulsesrc": "gstreamer1.0-pulseaudio",
    "pulsesink": "gstreamer1.0-pulseaudio",
    "alsasrc": "gstreamer1.0-alsa",
    "alsasink": "gstreamer1.0-alsa",
    "waylandsink": BAD,
    "ximagesink": "gstreamer1.0-x",
    "xvimagesink": "gstreamer1.0-x",
}


def is_there(name: str) -> bool:
    """Whether GStreamer has that element."""
    Gst.init(None)
    return Gst.ElementFactory.find(name) is not None


def package_of(name: str) -> str | None:
    """The Debian package with that element, or None if this table has no such element."""
    return NEEDED.get(name) or OPTIONAL.get(name)


def missing(names: list[str]) -> Missing:
    """The exception that says which elements are missing, and where they are."""
    told = []
    for name in names:
        package = package_of(name)
        told.append(f"{name} (Debian has it in {package})" if package else name)
    return Missing(f"GStreamer has no {', no '.join(told)}; conic doctor looks for all of them")
