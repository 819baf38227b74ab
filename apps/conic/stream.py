# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program around one pipeline with a Conic element: runs it, and tells what happens.

    options = parser.parse_args()           # with add_arguments() of this module
    text = f"audiotestsrc is-live=true ! conicsink {pipeline.peer_properties(options, 'bob')}"
    return stream.run(options, text, sends=True)
"""

import argparse
import signal
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402  pylint: disable=wrong-import-position

# pylint: disable=wrong-import-position
from . import files, hub, pipeline, recording  # noqa: E402
from .exits import Exit, Failed, HubTrouble, Missing, Trouble  # noqa: E402
from .figures import Figures  # noqa: E402
from .live import Live  # noqa: E402
from .plain import clean  # noqa: E402

# pylint: enable=wrong-import-position

# The elements refresh their figures as often.
FIGURES_MS = 1000
# What was sent last is on its way still, or in the other side's buffer of 200 ms, when we see the
# end; and the figures that count it are refreshed once a second.
TAIL_MS = 1200
# A call's streams are there by then, as far as a muxer waits for them.
STREAMS_MS = 3000
# A file that is recorded gets this long to be brought to its end.
CLOSE_SECONDS = 5


def positive(text: str) -> float:
    """A number of seconds; raises what argparse reports."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What all programs of this kind take."""
    parser.add_argument("--id", metavar="NAME", help="our own id (default: the hub assigns one)")
    parser.add_argument(
        "--seconds", metavar="N", type=positive, help="end when the call has lasted N seconds"
    )
    parser.add_argument(
        "--timeout", metavar="N", type=positive, help="give up when there is no call in N seconds"
    )
    parser.add_argument(
        "--retry", action="store_true", help="try a hub that isn't there again instead of failing"
    )
    parser.add_argument(
        "--print",
        action="store_true",
        help="only print the pipeline, as a command for gst-launch-1.0",
    )


def run(options: argparse.Namespace, text: str, **what) -> int:
    """Runs the pipeline `text`, or prints it if that is all that is wanted; returns the exit code."""
    line = pipeline.shell_line(text, options.token)
    if options.print:
        print(line)
        return Exit.DONE
    stream = Stream(options, text, **what)
    if not options.retry:
        # The elements would try again for ever; but at first it is most likely a mistake.
        hub.Client(options.hub, options.token, options.tls_ca, options.id).close()
    return stream.run(line)


class Stream:
    """One run of a pipeline.

    sends, receives  which figures are of interest, and what must have happened for success
    target           whom we call; None if we wait to be called
    held             whether what is sent has a beginning and shall not begin before the call does
    note             a sentence about what is done and why
    """

    def __init__(
        self,
        options: argparse.Namespace,
        text: str,
        sends: bool = False,
        receives: bool = False,
        target: str | None = None,
        held: bool = False,
        note: str | None = None,
    ):
        self.options = options
        self.target = target
        self.held = held
        self.note = note
        self.pipeline = pipeline.make(text, options.token)
        self.peer = self.pipeline.get_by_name(pipeline.PEER)
        self.file = self.pipeline.get_by_name(recording.FILE)
        self.figures = Figures(sends, receives)
        self.live = Live(options.json, self.on_details, lambda: self.end("stopped"))
        self.loop = GLib.MainLoop()
        self.calls: set[str] = set()
        self.flowed = False
        self.closed = False
        self.ending = False
        self.interrupted = False
        self.trouble: Trouble | None = None
        self.began = 0.0
        self._said = ""
        self._probes: dict[Gst.Pad, int] = {}

    # --- the run ---

    def run(self, line: str) -> int:
        """Runs it to its end; returns the exit code."""
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        self._watch_pads()
        # Else PyGObject's main loop would take Ctrl-C for itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.on_signal)
        GLib.timeout_add(FIGURES_MS, self.on_figures)
        if self.options.timeout:
            GLib.timeout_add(int(self.options.timeout * 1000), self.on_timeout)
        self.live.say("pipeline", line, pipeline=line)
        if self.note:
            self.live.say("note", self.note, message=self.note)
        self.live.start()
        try:
            if self.live.has_keys:
                self.live.say("keys", "Enter shows details, q ends.")
            # Nobody may have been there to read the first words.
            if not self.ending:
                self.pipeline.set_state(Gst.State.PLAYING)
                self.loop.run()
        finally:
            self.live.stop()
            self._close(bus)
            bus.remove_signal_watch()
        if self.file and not self.flowed:
            files.remove_empty(self.file.get_property("location"))
        return self._verdict()

    def _close(self, bus: Gst.Bus) -> None:
        """Leaves the hub, and closes the file: the last of it is written only now."""
        self.pipeline.set_state(Gst.State.READY)
        while message := bus.pop_filtered(Gst.MessageType.ERROR):
            if message.src is self.file:
                self.on_error(message)
        self.pipeline.set_state(Gst.State.NULL)

    def _verdict(self) -> int:
        """What it has come to."""
        if self.trouble:
            raise self.trouble
        figures = self.figures
        for done, verb, way in (
            (figures.sends, "Sent", "out"),
            (figures.receives, "Received", "in"),
        ):
            if done:
                packets, size = figures.total(f"packets-{way}"), figures.total(f"bytes-{way}")
                self.live.say(
                    "total",
                    f"{verb} {packets} packets, {size} bytes.",
                    direction=way,
                    packets=packets,
                    bytes=size,
                    frames=figures.total(f"frames-{way}"),
                )
        if self.flowed:
            return Exit.DONE
        if self.interrupted:
            return Exit.INTERRUPTED
        raise Failed("nothing arrived" if figures.receives else "nothing was sent")

    def end(self, reason: str, trouble: Trouble | None = None) -> None:
        """Ends, for that reason; a file is brought to its end first."""
        if self.ending:
            return
        self.ending = True
        self.trouble = trouble
        self.figures.read(self.peer.get_property("stats"))
        self.live.say("end", "" if trouble else f"The end: {reason}.", reason=reason)
        if not self.file or not self.flowed or self.closed:
            self.loop.quit()
            return
        GLib.timeout_add_seconds(CLOSE_SECONDS, self.loop.quit)
        # What has gone already has ended already. Each on a thread of its own, for a muxer takes
        # streams in turn.
        for pad in filter(Gst.Pad.is_linked, self.peer.srcpads):
            inlet = pad.get_peer()
            inlet.get_parent_element().call_async(
                lambda _element, inlet: inlet.send_event(Gst.Event.new_eos()), inlet
            )
        self._end_unlinked()

    # --- what flows ---

    def _watch_pads(self) -> None:
        """Notices the first buffer each way, and holds back what shall not begin yet."""
        if self.figures.receives:
            self.peer.connect("pad-added", lambda _peer, pad: self._watch_pad(pad))
        if self.file:
            pad = self.file.get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._on_file_event)
        size = self.pipeline.get_by_name(recording.SIZE)
        if size:
            pad = size.get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._on_size_event)
        if self.held:
            for pad in self.peer.sinkpads:
                source = pad.get_peer()
                kind = Gst.PadProbeType.BLOCK | Gst.PadProbeType.BUFFER
                self._probes[source] = source.add_probe(kind, lambda *_: Gst.PadProbeReturn.OK)

    def _watch_pad(self, pad: Gst.Pad) -> None:
        if pad.get_direction() == Gst.PadDirection.SRC:
            kind = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
            pad.add_probe(kind, self._on_first_buffer)

    def _on_first_buffer(self, _pad, _info) -> Gst.PadProbeReturn:
        self.flowed = True
        return Gst.PadProbeReturn.REMOVE

    def _release(self) -> None:
        """Lets what was held back begin now."""
        now = self.pipeline.get_clock().get_time() - self.pipeline.get_base_time()
        for pad, probe in self._probes.items():
            pad.set_offset(now)
            pad.remove_probe(probe)
        self._probes.clear()

    def _on_file_event(self, _pad, info) -> Gst.PadProbeReturn:
        """All of the file has been written when its end is seen: the sink closes it then."""
        if info.get_event().type == Gst.EventType.EOS:
            self.closed = True
            GLib.idle_add(self.on_closed)
        return Gst.PadProbeReturn.OK

    @staticmethod
    def _on_size_event(pad, info) -> Gst.PadProbeReturn:
        """The first picture's size is that of the file."""
        event = info.get_event()
        if event.type != Gst.EventType.CAPS:
            return Gst.PadProbeReturn.OK
        first = event.parse_caps().get_structure(0)
        size = f"video/x-raw,width={first['width']},height={first['height']}"
        pad.get_parent_element().set_property("caps", Gst.Caps.from_string(size))
        return Gst.PadProbeReturn.REMOVE

    def _end_unlinked(self) -> bool:
        """Tells a muxer not to wait for what the other side doesn't send."""
        mux = self.pipeline.get_by_name(recording.MUX)
        for pad in mux.sinkpads if mux else ():
            if not self._is_fed(pad):
                pad.send_event(Gst.Event.new_stream_start("none"))
                pad.send_event(Gst.Event.new_eos())
        return False

    def _is_fed(self, pad: Gst.Pad) -> bool:
        """Whether what goes into a pad comes from the other side, through whatever is in between."""
        source = pad.get_peer()
        while source is not None and source.get_parent_element() is not self.peer:
            source = source.get_parent_element().sinkpads[0].get_peer()
        return source is not None

    # --- what happens ---

    def on_message(self, _bus, message: Gst.Message) -> None:
        """Something on the bus."""
        structure = message.get_structure()
        if message.type == Gst.MessageType.EOS:
            self.on_eos()
        elif message.type == Gst.MessageType.ERROR:
            self.on_error(message)
        elif message.type == Gst.MessageType.WARNING:
            self.on_warning(message)
        elif message.type == Gst.MessageType.ELEMENT and structure.get_name() == "level":
            # At its end a stream gets one more, of no time at all.
            if structure.get_value("duration"):
                self.figures.hear(message.src.get_name(), list(structure.get_value("rms")))
        elif message.type == Gst.MessageType.ELEMENT and message.src is self.peer:
            name = structure.get_name()
            if name == "conic-registered":
                self.on_registered(structure.get_string("client-id"))
            elif name == "conic-session-started":
                self.on_started(structure)
            elif name in ("conic-session-ended", "conic-session-failed"):
                self.on_ended(structure, name == "conic-session-failed")

    def on_registered(self, own_id: str) -> None:
        """The hub knows us."""
        what = f"calling “{self.target}”" if self.target else "waiting to be called"
        self.live.say("registered", f"We are “{own_id}” on {self.options.hub}, {what}.", id=own_id)

    def on_started(self, structure: Gst.Structure) -> None:
        """A call has come about."""
        peer_id = structure.get_string("peer-id")
        first = not self.calls and not self.began
        self.calls.add(structure.get_string("session-id") or peer_id)
        self._said = ""
        self.live.say("call", f"A call with “{peer_id}” has begun.", peer=peer_id)
        if not first:
            return
        self.began = time.monotonic()
        self._release()
        GLib.timeout_add(STREAMS_MS, self._end_unlinked)
        if not self.figures.receives:
            for pad in self.peer.sinkpads:
                kind = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
                pad.add_probe(kind, self._on_first_buffer)
        if self.options.seconds:
            GLib.timeout_add(int(self.options.seconds * 1000), lambda: self.end("the time is over"))

    def on_ended(self, structure: Gst.Structure, failed: bool) -> None:
        """A call is over; one that we wanted and that broke, the element makes again."""
        peer_id, reason = structure.get_string("peer-id"), structure.get_string("reason")
        self.calls.discard(structure.get_string("session-id") or peer_id)
        if self.ending:
            return
        # The warning that follows one that failed has the same words.
        self._said = reason
        words = f"The call with “{peer_id}” has ended: {reason}."
        self.live.say("call-ended", words, peer=peer_id, reason=reason)
        if self.began and not self.calls and not (failed and self.target):
            self.end("the call is over")

    def on_closed(self) -> bool:
        """The file is whole."""
        if self.ending:
            self.loop.quit()
        return False

    def on_eos(self) -> None:
        """All that was to be sent is sent, or all streams that came have ended."""
        if self.figures.receives:
            self.end("the other side sends no more")
        else:
            GLib.timeout_add(TAIL_MS, lambda: self.end("everything is sent"))

    def on_warning(self, message: Gst.Message) -> None:
        """What time can mend; said once."""
        error, debug = message.parse_warning()
        if error.matches(Gst.ParseError.quark(), Gst.ParseError.DELAYED_LINK):
            # Nobody has to send both sound and pictures.
            return
        text = error.message
        if message.src is self.peer:
            text = debug or text
            if error.matches(Gst.ResourceError.quark(), Gst.ResourceError.NOT_FOUND):
                text = f"“{self.target}” is not on the hub yet; it is called again until it is"
        if text != self._said:
            self._said = text
            self.live.say("warning", f"{text[:1].upper()}{text[1:].rstrip('.')}.", message=text)

    def on_error(self, message: Gst.Message) -> None:
        """What nobody but the user can mend."""
        if "Output window was closed" in message.parse_error()[0].message:
            self.end("the window was closed")
            return
        trouble = self._trouble_of(message)
        if self.ending and message.src is self.file:
            self.trouble = self.trouble or trouble
        self.end("it can't go on", trouble)

    def _trouble_of(self, message: Gst.Message) -> Trouble:
        """What an error comes to."""
        error, debug = message.parse_error()
        words = error.message.rstrip(".")
        if message.src is self.peer:
            # A hub that we couldn't register at names itself; anything else is about a peer.
            return (Failed if self.began else HubTrouble)(clean(debug or words))
        if message.src is self.file:
            return Failed(f"{self.file.get_property('location')} can't be written: {words}")
        missing = error.domain == "gst-resource-error-quark" and not self.flowed
        return (Missing if missing else Failed)(f"{message.src.get_name()}: {words}")

    def on_figures(self) -> bool:
        """Time for new figures."""
        if not self.ending:
            self.figures.read(self.peer.get_property("stats"))
            self.live.show(self.figures.line(self.live.columns), **self.figures.as_fields())
        return True

    def on_details(self) -> None:
        """Enter was pressed."""
        self.figures.read(self.peer.get_property("stats"))
        self.live.say("details", "\n".join(self.figures.details()), **self.figures.as_fields())

    def on_timeout(self) -> bool:
        """Nobody has come, or somebody has."""
        if not self.began:
            who = f"“{self.target}” didn't come" if self.target else "nobody called"
            words = f"{who} within {self.options.timeout:g} s"
            self.end(words, Failed(words))
        return False

    def on_signal(self) -> bool:
        """Ctrl-C, or whoever else wants us to end; the second time at once."""
        if self.ending:
            self.loop.quit()
        self.interrupted = True
        self.end("stopped")
        return True
