# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the elements' statistics say, in words and for programs."""

import sys

from gi.repository import Gst

from .live import quantity

# Sound below this is as good as none: Opus codes digital silence as less than -80 dB.
SILENCE_DB = -90.0
# What a line does without where not all fits, in that order.
_SPARED = ("packets", "bytes", "frames", "round trip")


def plain(value):
    """A value of a GstStructure as JSON can carry it."""
    if isinstance(value, Gst.Structure):
        names = (value.nth_field_name(i) for i in range(value.n_fields()))
        return {name: plain(value.get_value(name)) for name in names}
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("ValueArray", "ValueList"):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _in_words(name: str, value) -> str:
    """A figure of a call."""
    if name == "round-trip-time" and value < 0:
        return "not known yet"
    # Zero may be negative.
    return f"{value + 0.0:.4f}" if isinstance(value, float) else str(value)


class Figures:
    """What has come and gone in all calls of a program, as far as it was told.

    The elements tell of a call once a second, and only as long as it goes on; so the last that was
    told of each is kept.
    """

    def __init__(self, sends: bool, receives: bool):
        self.sends = sends
        self.receives = receives
        self.levels: dict[str, float] = {}
        self._sessions: dict[str, dict] = {}
        self._current: list[dict] = []

    def read(self, stats: Gst.Structure) -> None:
        """Takes an element's `stats`."""
        self._current = plain(stats).get("sessions", [])
        for session in self._current:
            self._sessions[session["session-id"] or session["peer-id"]] = session

    def hear(self, name: str, decibels: list[float]) -> None:
        """Takes what a level element called `name` tells: a figure for each channel."""
        self.levels[name] = round(max(max(decibels), SILENCE_DB), 1)

    def total(self, field: str) -> int:
        """A count, over all calls."""
        return sum(session[field] for session in self._sessions.values())

    def as_fields(self) -> dict:
        """All of it, for a program."""
        return {"sessions": self._current, "levels": self.levels}

    def line(self, columns: int = sys.maxsize) -> str:
        """What fits a line that wide: all, or what tells the most."""
        text = ""
        if any(self.total(f"packets-{way}") for way in ("in", "out")):
            for count in range(len(_SPARED) + 1):
                text = self._line_without(_SPARED[:count])
                if len(text) <= columns:
                    break
        return text

    def _line_without(self, spared: tuple[str, ...]) -> str:
        parts = []
        if self.sends:
            parts.append(f"sent {self._direction('out', spared)}")
        if self.receives:
            parts.append(f"received {self._direction('in', spared)}")
        for name, level in self.levels.items():
            parts.append(f"{name} {level:.0f} dB" if level > SILENCE_DB else f"{name} silent")
        known = [one["round-trip-time"] for one in self._current if one["round-trip-time"] >= 0]
        if known and "round trip" not in spared:
            parts.append(f"round trip {known[0] * 1000:.1f} ms")
        return " | ".join(parts)

    def _direction(self, way: str, spared: tuple[str, ...]) -> str:
        rate = sum(session[f"bitrate-{way}"] for session in self._current)
        frames = self.total(f"frames-{way}")
        told = {
            "packets": f"{self.total(f'packets-{way}')} packets",
            "bytes": quantity(self.total(f"bytes-{way}"), "B"),
            "frames": f"{frames} frames" if frames else "",
            "rate": quantity(rate, "bit/s"),
        }
        return ", ".join(text for name, text in told.items() if text and name not in spared)

    def details(self) -> list[str]:
        """All of it, in lines."""
        if not self._current:
            return ["No call at the moment."]
        lines = []
        for session in self._current:
            lines.append(f"Call with “{session['peer-id']}”:")
            for name, value in session.items():
                if name not in ("peer-id", "session-id") and value != "":
                    lines.append(f"  {name.replace('-', ' '):20} {_in_words(name, value)}")
        return lines + [f"  {name:20} {level:.1f} dB" for name, level in self.levels.items()]
