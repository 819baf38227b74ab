# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file with pictures, sound or both: what it has that can be sent."""

import os

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
from gi.repository import GLib, Gst, GstPbutils  # noqa: E402  pylint: disable=wrong-import-position

# pylint: disable=wrong-import-position
from . import files  # noqa: E402
from .exits import Missing, WrongUsage  # noqa: E402

# pylint: enable=wrong-import-position

KINDS = {"video": "pictures", "audio": "sound"}
# Enough for a large file on a slow disk.
LOOK_SECONDS = 20


class Film:
    """What there is in a file.

    kinds    of KINDS, those that it has and that can be decoded here
    missing  words for each decoder that there would have to be for the rest
    """

    def __init__(self, path: str):
        """Looks. Raises WrongUsage if that is no film, Missing if nothing of it can be decoded."""
        files.read_head(path, 1)
        if not os.path.isfile(path):
            # A pipe would be empty when it is to be sent.
            raise WrongUsage(f"{path} is not a regular file")
        Gst.init(None)
        try:
            uri = Gst.filename_to_uri(os.path.abspath(path))
            found = GstPbutils.Discoverer.new(LOOK_SECONDS * Gst.SECOND).discover_uri(uri)
        except GLib.Error as error:
            if error.matches(Gst.CoreError.quark(), Gst.CoreError.MISSING_PLUGIN):
                raise Missing(f"GStreamer has no decoder for {path}") from None
            raise WrongUsage(f"{path} can't be played: {error.message.rstrip('.')}") from None
        # “gstreamer|1.0|PROGRAM|H.264 decoder|decoder-video/x-h264, …”
        details = [text.split("|")[3:5] for text in found.get_missing_elements_installer_details()]
        self.missing = [words for words, _ in details]
        present = {
            # What is a still image is a cover.
            "video": any(not stream.is_image() for stream in found.get_video_streams()),
            "audio": bool(found.get_audio_streams()),
        }
        self.kinds = [
            kind
            for kind, there in present.items()
            if there and not any(what.startswith(f"decoder-{kind}/") for _, what in details)
        ]
        if not self.kinds:
            raise WrongUsage(f"{path} has neither pictures nor sound")

    def __str__(self) -> str:
        """What is sent of it, in words."""
        text = " and ".join(KINDS[kind] for kind in self.kinds)
        if self.missing:
            text += f", and not the rest: GStreamer has no {', no '.join(self.missing)}"
        elif len(self.kinds) < len(KINDS):
            text += f"; it has no {' and no '.join(KINDS[k] for k in KINDS if k not in self.kinds)}"
        return text
