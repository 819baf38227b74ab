#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What gst-inspect-1.0 says of the elements.

Shows that each element can be looked up with a description, pads and properties that explain
themselves: every property of ours has a blurb that says more than its name, a default and, for a
number, a range; and that each element's source has example pipelines, all of which gst-launch-1.0
would take.
"""

import os
import re
import shlex
import subprocess

from conictest import peers, tap

ELEMENTS = ("conicsignaller", "conicbin", "conicsink", "conicsrc")
COMMON = {
    "uri",
    "client-id",
    "target-id",
    "token",
    "tls-ca",
    "stun-server",
    "turn-servers",
    "ice-transport-policy",
    "min-port",
    "max-port",
    "local-addresses",
    "session-timeout",
    "max-sessions",
    "connected",
    "stats",
}
MEDIA = COMMON | {"video-codecs", "audio-codecs", "do-nack", "fec-percentage"}
SEND = {"bitrate", "audio-bitrate"}
RECEIVE = {"latency", "do-lost", "output", "receive"}
OWN = {
    "conicsignaller": COMMON | {"webrtc"},
    "conicbin": MEDIA | SEND | RECEIVE,
    "conicsink": MEDIA | SEND,
    "conicsrc": MEDIA | RECEIVE,
}
# What can be set and not read.
SECRET = {"token"}
# The unit that the blurb of a number names; the others have none.
UNITS = {
    "latency": "Milliseconds",
    "session-timeout": "Seconds",
    "bitrate": "Bits per second",
    "audio-bitrate": "Bits per second",
    "fec-percentage": "percent",
    "min-port": "port",
    "max-port": "port",
    "max-sessions": "Sessions",
}
PADS = {
    "conicsignaller": set(),
    "conicbin": {
        ("SINK", "audio_%u", "On request"),
        ("SINK", "video_%u", "On request"),
        ("SINK", "data_%s", "On request"),
        ("SRC", "audio_src_%u", "Sometimes"),
        ("SRC", "video_src_%u", "Sometimes"),
        ("SRC", "data_src_%s", "Sometimes"),
    },
    "conicsink": {
        ("SINK", "audio_%u", "On request"),
        ("SINK", "video_%u", "On request"),
        ("SINK", "data_%s", "On request"),
    },
    "conicsrc": {
        ("SRC", "audio_%u", "Sometimes"),
        ("SRC", "video_%u", "Sometimes"),
        ("SRC", "data_%s", "Sometimes"),
    },
}
NUMBER = re.compile(r"(Unsigned )?Integer(64)?\. Range: \d+ - \d+ +Default: \d+")


def gst_environment():
    return {**os.environ, **peers.gst_environment(), "GST_DEBUG": "0"}


def inspect(name):
    done = subprocess.run(
        ["gst-inspect-1.0", name],
        env=gst_environment(),
        capture_output=True,
        text=True,
        timeout=tap.seconds(60),
        check=False,
    )
    if done.returncode or done.stderr:
        raise AssertionError(f"gst-inspect-1.0 {name}: status {done.returncode}, {done.stderr}")
    return done.stdout


def properties(text):
    """The properties in what gst-inspect-1.0 prints: name → (blurb, all the rest)."""
    part = text.split("Element Properties:", 1)[1].split("\nElement Signals:", 1)[0]
    found = {}
    for match in re.finditer(r"^  (\S+) *: (.*)\n((?:(?:    .*)?\n)*)", part, re.M):
        found[match.group(1)] = (match.group(2).strip(), match.group(3))
    return found


def examples(element):
    """The pipelines of the `gst-launch-1.0` lines in an element's source."""
    path = os.path.join(peers.ROOT, "gst-plugin", f"gst{element}.c")
    with open(path, encoding="utf-8") as file:
        lines = [re.sub(r"^ \* ?", "", line) for line in file.read().splitlines()]
    comment = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(found.split()) for found in re.findall(r"gst-launch-1\.0 ([^\n`|]*)", comment)]


class Inspect(tap.TestCase):
    limit = 60

    def test_plugin(self):
        """The plugin says what it is"""
        text = inspect("conic")
        self.assertIn("LGPL", text)
        for element in ELEMENTS:
            self.assertRegex(text, rf"{element}: \S+")

    def check(self, element):
        text = inspect(element)
        for field in ("Long-name", "Klass", "Description", "Author"):
            self.assertRegex(text, rf"{field} +\S.*\S")
        klass = re.search(r"Klass +(\S+)", text).group(1)
        self.assertRegex(klass, "Network|Sink|Source|Filter|WebRTC")

        pads = set(re.findall(r"(SINK|SRC) template: '(\S+)'\n +Availability: (.*)", text))
        self.assertEqual(pads, PADS[element])

        found = properties(text)
        self.assertLessEqual(OWN[element], set(found))
        for other in set().union(*OWN.values()) - OWN[element]:
            self.assertNotIn(other, found, f"{other} is another element's")
        for name in OWN[element]:
            blurb, rest = found[name]
            self.assertGreater(
                len(blurb.split()), 3, f"{name}: a blurb says what the property is for: {blurb}"
            )
            if name in SECRET:
                self.assertRegex(rest, "flags: writable")
            else:
                self.assertRegex(rest, "flags: .*readable")
            if name in UNITS:
                self.assertRegex(rest, NUMBER)
                self.assertIn(UNITS[name], blurb, f"{name}: what is the unit?")
            elif name in ("uri", "client-id", "target-id", "stun-server"):
                self.assertIn("Default: ", rest)

    def test_conicsignaller(self):
        """conicsignaller explains itself"""
        self.check("conicsignaller")

    def test_conicbin(self):
        """conicbin explains itself"""
        self.check("conicbin")

    def test_conicsink(self):
        """conicsink explains itself"""
        self.check("conicsink")

    def test_conicsrc(self):
        """conicsrc explains itself"""
        self.check("conicsrc")

    def test_examples(self):
        """Each element's documentation has example pipelines, and they can be built"""
        code = (
            "import sys, gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None)\n"
            "Gst.parse_launchv(sys.argv[1:])"
        )
        for element in ELEMENTS:
            found = examples(element)
            self.assertTrue(found, f"{element}: no example pipeline in its source")
            self.assertTrue(
                any(element in example for example in found), f"{element}: no example of its own"
            )
            for example in found:
                done = subprocess.run(
                    ["/usr/bin/python3", "-c", code, *shlex.split(example)],
                    env=gst_environment(),
                    capture_output=True,
                    text=True,
                    timeout=tap.seconds(60),
                    check=False,
                )
                self.assertEqual(
                    (done.returncode, done.stderr), (0, ""), f"gst-launch-1.0 {example}"
                )


if __name__ == "__main__":
    tap.main()
