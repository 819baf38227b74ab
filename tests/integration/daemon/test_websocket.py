#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running conicd as a WebSocket endpoint, by the cases of the Autobahn testsuite.

The cases have Autobahn's numbers, so that one can look up what each of them is about; those that begin with
"x." are ours. A hub is no echo server: an echo is a message that a client sends to itself, which comes back
byte for byte, and what is no message of the protocol (a binary one, a text that isn't JSON) is "refused" with
an error reply, which proves as well that the frames were put together and the text was taken for UTF-8.

Each case has a connection of its own. It ends with the status that is expected, and with the end of the TCP
stream; a case that is expected to leave the connection usable has to echo once more, and closes with 1000.
"""

import itertools
import struct

from conictest import tap
from conictest.peers import Conicd
from rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Client, frame

LIMIT = 512 * 1024
REFUSED = "refused"
KOSME = "κόσμε".encode()


def message(reason=b"", size=None):
    """A message to oneself that is passed on byte for byte; `size` pads it to that many bytes."""
    head, tail = b'{"type":"bye","data":{"from_id":"me","to_id":"me","reason":"', b'"}}'
    if size is not None:
        reason += b"*" * (size - len(head) - len(reason) - len(tail))
    return head + reason + tail


HELLO = message(b"Hello, world!")


def chopped(data, size):
    """The same bytes in pieces of `size`."""
    return [data[i:i + size] for i in range(0, len(data), size)]


def fragments(opcode, *parts, between=b""):
    """A message in fragments, as a list of frames; `between` is put between each two."""
    last = len(parts) - 1
    frames = [frame(opcode if i == 0 else CONTINUATION, part, fin=i == last) for i, part in enumerate(parts)]
    return [data for pair in zip(frames, [between] * last + [b""]) for data in pair if data]


def pieces(payload, size):
    """The parts of a payload that go into fragments of `size`."""
    return [payload[i:i + size] for i in range(0, len(payload), size)]


class WebsocketTest(tap.TestCase):
    def setUp(self):
        super().setUp()
        # These cases are about frames: nobody is to be slowed down for sending many.
        self.hub = Conicd(self, arguments=("--messages-per-second=0", "--bytes-per-second=0"))
        self.played = 0
        self.addCleanup(lambda: print(f"# {self.played} cases"))

    def answer(self, client, expected):
        """What comes next has to be `expected`: an echo (bytes), REFUSED, or a pong (a tuple)."""
        fin, opcode, payload = client.receive_frame()
        self.assertTrue(fin)
        if expected == REFUSED:
            self.assertEqual(opcode, TEXT)
            self.assertIn(b'"bad_message"', payload)
        elif isinstance(expected, tuple):
            self.assertEqual((opcode, payload), expected)
        else:
            self.assertEqual((opcode, payload), (TEXT, expected))

    def play(self, case, sent, *expected, closed=None):
        """Sends bytes, or a list of bytes one after the other; these answers have to come, in this order.

        closed: the status that the hub has to end it with then; None: it has to go on.
        """
        self.played += 1
        with self.subTest(case):
            client = Client(self, self.hub.port)
            try:
                self.assertTrue(client.register("me")["data"]["success"], "the id is not free")
                for data in [sent] if isinstance(sent, bytes) else sent:
                    client.send_bytes(data)
                for answer in expected:
                    self.answer(client, answer)
                if closed is None:
                    client.send_frame(TEXT, HELLO)
                    self.answer(client, HELLO)
                    client.send_frame(CLOSE, struct.pack("!H", 1000))
                fin, opcode, payload = client.receive_frame()
                self.assertEqual((fin, opcode), (True, CLOSE))
                status = struct.unpack("!H", payload[:2])[0] if payload else 1005
                self.assertEqual(status, closed or 1000)
                payload[2:].decode()
                if closed in (1002, 1007, 1009):
                    client.send_frame(CLOSE, payload[:2])
                self.assertTrue(client.ended())
            finally:
                client.socket.close()

    def test_1_framing(self):
        """Autobahn 1: text and binary messages of every length form, whole and chopped"""
        sizes = (0, 125, 126, 127, 128, 65535, 65536)
        for number, size in enumerate(sizes, 1):
            text = message(size=size) if size else b""
            data = frame(TEXT, text)
            # No message of the protocol is empty.
            expected = text or REFUSED
            self.play(f"1.1.{number} text of {size}", data, expected)
            self.play(f"x.1.1.{number} text of {size}, its first 200 octets one by one",
                      chopped(data[:200], 1) + chopped(data[200:], 997), expected)
            data = frame(BINARY, b"\xfe" * size)
            self.play(f"1.2.{number} binary of {size}", data, REFUSED)
            self.play(f"x.1.2.{number} binary of {size}, its first 200 octets one by one",
                      chopped(data[:200], 1) + chopped(data[200:], 997), REFUSED)
        text = message(size=65536)
        self.play("1.1.8 text of 65536 in chops of 997", chopped(frame(TEXT, text), 997), text)
        self.play("1.2.8 binary of 65536 in chops of 997", chopped(frame(BINARY, b"\xfe" * 65536), 997), REFUSED)

    def test_1_length_forms(self):
        """Frames without a mask, and lengths that aren't in their shortest form, are refused (not in Autobahn)"""
        self.play("x.1.3.1 text without a mask", frame(TEXT, HELLO, mask=None), closed=1002)
        self.play("x.1.3.2 ping without a mask", frame(PING, b"", mask=None), closed=1002)
        self.play("x.1.3.3 mask of zeros", frame(TEXT, HELLO, mask=b"\0\0\0\0"), HELLO)
        for number, head in enumerate((
                b"\x81\xfe\x00\x05", b"\x81\xfe\x00\x7d", b"\x81\xff" + struct.pack("!Q", 5),
                b"\x81\xff" + struct.pack("!Q", 65535), b"\x81\xff" + struct.pack("!Q", 1 << 63),
                b"\x81\xff" + b"\xff" * 8), 4):
            self.play(f"x.1.3.{number} length {head[1:].hex()}", head + b"\0" * 9, closed=1002)
            self.play(f"x.1.3.{number} octet by octet", chopped(head, 1), closed=1002)

    def test_2_pings(self):
        """Autobahn 2: pings and pongs"""
        binary = bytes([0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF])
        full = b"\xfe" * 125
        pings = b"".join(frame(PING, b"payload-%d" % i) for i in range(10))
        pongs = [(PONG, b"payload-%d" % i) for i in range(10)]
        self.play("2.1 empty ping", frame(PING), (PONG, b""))
        self.play("2.2 ping with text", frame(PING, b"Hello, world!"), (PONG, b"Hello, world!"))
        self.play("2.3 ping with octets", frame(PING, binary), (PONG, binary))
        self.play("2.4 ping of 125", frame(PING, full), (PONG, full))
        self.play("2.5 ping of 126", frame(PING, full + b"\xfe"), closed=1002)
        self.play("2.6 ping of 125 octet by octet", chopped(frame(PING, full), 1), (PONG, full))
        self.play("2.7 unsolicited pong", frame(PONG))
        self.play("2.8 unsolicited pong with payload", frame(PONG, b"unsolicited pong payload"))
        self.play("2.9 unsolicited pong, then ping", frame(PONG, b"unsolicited") + frame(PING, b"ping"), (PONG, b"ping"))
        self.play("2.10 ten pings", pings, *pongs)
        self.play("2.11 ten pings octet by octet", chopped(pings, 1), *pongs)
        self.play("x.2.12 pong of 126", frame(PONG, full + b"\xfe"), closed=1002)

    def test_3_reserved_bits(self):
        """Autobahn 3: reserved bits"""
        then = frame(PING)
        self.play("3.1 text, RSV 1", frame(TEXT, HELLO, rsv=1), closed=1002)
        for number, chop in ((2, None), (3, 33), (4, 1)):
            data = frame(TEXT, HELLO) + frame(TEXT, HELLO, rsv=number) + then
            self.play(f"3.{number} good text, then RSV {number}, then ping",
                      chopped(data, chop) if chop else data, HELLO, closed=1002)
        self.play("3.5 binary, RSV 5", frame(BINARY, b"\0\xff\xfe", rsv=5), closed=1002)
        self.play("3.6 ping, RSV 6", frame(PING, b"Hello, world!", rsv=6), closed=1002)
        self.play("3.7 close, RSV 7", frame(CLOSE, rsv=7), closed=1002)
        for opcode, rsv in itertools.product((TEXT, BINARY, CLOSE, PING, PONG), range(1, 8)):
            self.play(f"x.3.8 opcode {opcode}, RSV {rsv}", frame(opcode, b"", rsv=rsv), closed=1002)
        for rsv in range(1, 8):
            data = frame(TEXT, HELLO[:9], fin=False) + frame(CONTINUATION, HELLO[9:], rsv=rsv)
            self.play(f"x.3.9 continuation, RSV {rsv}", data, closed=1002)

    def test_4_opcodes(self):
        """Autobahn 4: opcodes that nobody has defined"""
        for group, first in (("4.1", 3), ("4.2", 11)):
            self.play(f"{group}.1 opcode {first}", frame(first), closed=1002)
            self.play(f"{group}.2 opcode {first + 1} with payload", frame(first + 1, b"reserved opcode payload"),
                      closed=1002)
            for number in (3, 4, 5):
                opcode = first + number - 1
                data = frame(TEXT, HELLO) + frame(opcode, b"payload" if number == 4 else b"") + frame(PING)
                self.play(f"{group}.{number} text, opcode {opcode}, ping",
                          chopped(data, 1) if number == 5 else data, HELLO, closed=1002)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            self.play(f"x.4.3 nothing but the first octet of opcode {opcode}", bytes([0x80 | opcode]), closed=1002)

    def test_5_fragmentation(self):
        """Autobahn 5: fragments, and control frames between them"""
        first, second = HELLO[:30], HELLO[30:]
        text = fragments(TEXT, first, second)
        with_ping = fragments(TEXT, first, second, between=frame(PING, b"pongme"))
        pong = (PONG, b"pongme")

        self.play("5.1 ping in two fragments", b"".join(fragments(PING, b"frag", b"ment")), closed=1002)
        self.play("5.2 pong in two fragments", b"".join(fragments(PONG, b"frag", b"ment")), closed=1002)
        self.play("5.3 text in two fragments", b"".join(text), HELLO)
        self.play("5.4 frame by frame", text, HELLO)
        self.play("5.5 octet by octet", chopped(b"".join(text), 1), HELLO)
        self.play("5.6 text with a ping within", b"".join(with_ping), pong, HELLO)
        self.play("5.7 frame by frame", with_ping, pong, HELLO)
        self.play("5.8 octet by octet", chopped(b"".join(with_ping), 1), pong, HELLO)

        orphan, follows = frame(CONTINUATION, b"non-continuation payload"), frame(TEXT, HELLO)
        unfinished = frame(CONTINUATION, b"non-continuation payload", fin=False)
        for number, data in ((9, orphan + follows), (12, unfinished + follows)):
            self.play(f"5.{number} continuation of nothing, then text", data, closed=1002)
            self.play(f"5.{number + 1} in chops", chopped(data, 20), closed=1002)
            self.play(f"5.{number + 2} octet by octet", chopped(data, 1), closed=1002)
        self.play("5.15 text in fragments, then a continuation of nothing, then text",
                  b"".join(text) + unfinished + follows, HELLO, closed=1002)
        self.play("5.16 unfinished continuation of nothing, then text, twice",
                  (frame(CONTINUATION, b"fragment1", fin=False) + follows) * 2, closed=1002)
        self.play("5.17 continuation of nothing, then text, twice",
                  (frame(CONTINUATION, b"fragment1") + follows) * 2, closed=1002)
        self.play("5.18 a text inside of a fragmented one",
                  frame(TEXT, first, fin=False) + frame(TEXT, second), closed=1002)
        self.play("x.5.18 a binary message inside of a fragmented text",
                  frame(TEXT, first, fin=False) + frame(BINARY, second), closed=1002)

        parts = pieces(HELLO, 18)[:4] + [HELLO[72:]]
        frames = [frame(TEXT if i == 0 else CONTINUATION, part, fin=i == 4) for i, part in enumerate(parts)]
        frames[2:2] = [frame(PING, b"pongme 1")]
        frames[-1:-1] = [frame(PING, b"pongme 2")]
        pongs = (PONG, b"pongme 1"), (PONG, b"pongme 2")
        self.play("5.19 five fragments with pings between", b"".join(frames), *pongs, HELLO)
        self.play("5.20 frame by frame", frames, *pongs, HELLO)

        for cut in range(len(HELLO) + 1):
            self.play(f"x.5.21 cut at {cut}", b"".join(fragments(TEXT, HELLO[:cut], HELLO[cut:], between=frame(PING))),
                      (PONG, b""), HELLO)
        self.play("x.5.22 an octet each, among empty fragments",
                  b"".join(fragments(TEXT, b"", *itertools.chain(*((bytes([o]), b"") for o in HELLO)), b"")), HELLO)
        self.play("x.5.23 binary in fragments", b"".join(fragments(BINARY, b"\xff", b"\xfe")), REFUSED)
        mixed = b"".join(with_ping) + follows + frame(PING, b"p") + b"".join(text)
        self.play("x.5.24 a hundred messages and pings in one segment", mixed * 25,
                  *[pong, HELLO, HELLO, (PONG, b"p"), HELLO] * 25)

    def utf8(self, case, sequence, valid):
        """A text of just this sequence, in one frame and in frames of an octet; in a message if it can be in one."""
        if valid:
            self.play(case, frame(TEXT, sequence), REFUSED)
            self.play(f"{case}, octet by octet", fragments(TEXT, *pieces(sequence, 1), b""), REFUSED)
            if min(sequence, default=32) >= 0x20 and b'"' not in sequence:
                text = message(sequence)
                self.play(f"{case}, in a message", frame(TEXT, text), text)
            return
        self.play(case, frame(TEXT, sequence), closed=1007)
        self.play(f"{case}, octet by octet", fragments(TEXT, *pieces(sequence, 1), b""), closed=1007)
        self.play(f"{case}, in a message", frame(TEXT, message(sequence)), closed=1007)
        for cut in range(1, min(len(sequence), 8)):
            data = b"".join(fragments(TEXT, sequence[:cut], sequence[cut:], between=frame(PING)))
            pongs = [(PONG, b"")] if self.may_become_utf8(sequence[:cut]) else []
            self.play(f"{case}, fragments cut at {cut}, a ping between", data, *pongs, closed=1007)

    @staticmethod
    def may_become_utf8(data):
        """Whether it is UTF-8, or the beginning of some."""
        try:
            data.decode()
            return True
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data"

    def test_6_utf8_fragments(self):
        """Autobahn 6.1 to 6.4: UTF-8 across fragments, and what can't become UTF-8 any more ends it at once"""
        self.play("6.1.1 empty text", frame(TEXT), REFUSED)
        self.play("6.1.2 three empty fragments", b"".join(fragments(TEXT, b"", b"", b"")), REFUSED)
        self.play("6.1.3 the middle one isn't empty", b"".join(fragments(TEXT, b"", HELLO, b"")), HELLO)

        text = message("Hello-µ@ßöäüàá-UTF-8!!".encode())
        middle = text.index("ö".encode())
        self.play("6.2.1 valid", frame(TEXT, text), text)
        self.play("6.2.2 two fragments", b"".join(fragments(TEXT, text[:middle], text[middle:])), text)
        self.play("x.6.2.2 two fragments, within a sequence",
                  b"".join(fragments(TEXT, text[:middle + 1], text[middle + 1:])), text)
        self.play("6.2.3 an octet each", b"".join(fragments(TEXT, *pieces(text, 1))), text)
        self.play("6.2.4 an octet each, short", b"".join(fragments(TEXT, *pieces(KOSME, 1))), REFUSED)

        invalid = KOSME + b"\xed\xa0\x80" + b"edited"
        self.play("6.3.1 invalid", frame(TEXT, invalid), closed=1007)
        self.play("6.3.2 an octet each", fragments(TEXT, *pieces(invalid, 1)), closed=1007)

        # The rest never comes: it must not be waited for.
        def unfinished(*parts):
            return [frame(TEXT if i == 0 else CONTINUATION, part, fin=False) for i, part in enumerate(parts)]

        self.play("6.4.1 fail fast, by fragments", unfinished(KOSME, b"\xf4\x90\x80\x80"), closed=1007)
        self.play("6.4.2 at the octet", unfinished(KOSME + b"\xf4", b"\x90"), closed=1007)
        whole = frame(TEXT, KOSME + b"\xf4\x90\x80\x80" + b"edited")
        self.play("6.4.3 fail fast, within a frame", [whole[:-12], whole[-12:-6]], closed=1007)
        self.play("6.4.4 at the octet", [whole[:-9], whole[-9:-8]], closed=1007)
        self.play("x.6.4.5 in the header's segment", whole[:-8], closed=1007)
        long = frame(TEXT, message(b"x" * 60_000 + b"\xff", size=LIMIT))
        self.play("x.6.4.6 in the middle of half a megabyte", long[:70_000], closed=1007)
        self.play("x.6.4.7 binary is no text", b"".join(fragments(BINARY, KOSME + b"\xf4", b"\x90")), REFUSED)

    def test_6_utf8_valid(self):
        """Autobahn 6.5 to 6.11 and 6.22, 6.23: every valid UTF-8 family is taken"""
        families = {
            "6.5": (b"hello\x24world", b"hello\xc2\xa2world", b"hello\xe2\x82\xacworld", b"hello\xf0\xa4\xad\xa2world",
                    KOSME),
            "6.7": (b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"),
            "6.9": (b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"),
            "6.11": (b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"),
            "6.22": [chr(plane << 16 | last).encode() for plane in range(17) for last in (0xFFFE, 0xFFFF)],
            "6.23": [chr(point).encode() for point in range(0xFFF9, 0x10000)],
        }
        for family, sequences in families.items():
            for number, sequence in enumerate(sequences, 1):
                self.utf8(f"{family}.{number} {sequence.hex()}", sequence, True)
        for length in range(1, len(KOSME) + 1):
            self.utf8(f"6.6.{length} the first {length} octets of κόσμε", KOSME[:length],
                      not KOSME[length:] or KOSME[length] & 0xC0 != 0x80)

    def test_6_utf8_invalid(self):
        """Autobahn 6.8 to 6.21: every family of what isn't UTF-8 is refused, wherever it is cut"""
        starts = (range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8), range(0xF8, 0xFC), range(0xFC, 0xFE))
        missing = (b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
                   b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf")
        high = (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
        families = {
            "6.8": (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
            "6.10": (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
            "6.12": (b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", b"\x80\xbf\x80\xbf\x80",
                     b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0))),
            "6.13": [b"".join(bytes([lead]) + b" " for lead in leads) for leads in starts],
            "6.14": missing,
            "6.15": (b"".join(missing),),
            "6.16": (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
            "6.17": (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
                     b"\xfc\x80\x80\x80\x80\xaf"),
            "6.18": (b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf",
                     b"\xfc\x83\xbf\xbf\xbf\xbf"),
            "6.19": (b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80",
                     b"\xfc\x80\x80\x80\x80\x80"),
            "6.20": high + (b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"),
            "6.21": [a + b for a in high for b in (b"\xed\xb0\x80", b"\xed\xbf\xbf")],
        }
        for family, sequences in families.items():
            for number, sequence in enumerate(sequences, 1):
                self.utf8(f"{family}.{number} {sequence.hex()}", sequence, False)
        self.utf8("6.11.5 f4908080", b"\xf4\x90\x80\x80", False)

    def test_7_close(self):
        """Autobahn 7: the closing handshake, its statuses and reasons"""
        ok = frame(CLOSE, struct.pack("!H", 1000))
        self.play("7.1.1 message, then close", frame(TEXT, HELLO) + ok, HELLO, closed=1000)
        self.play("7.1.2 two closes", ok + ok, closed=1000)
        self.play("7.1.3 ping after close", ok + frame(PING), closed=1000)
        self.play("7.1.4 text after close", ok + frame(TEXT, HELLO), closed=1000)
        self.play("7.1.5 close within a fragmented text",
                  frame(TEXT, HELLO[:9], fin=False) + ok + frame(CONTINUATION, HELLO[9:]), closed=1000)
        big = message(size=256 * 1024)
        self.play("7.1.6 256 KiB, close, ping", frame(TEXT, big) + ok + frame(PING), big, closed=1000)
        self.play("x.7.1.7 broken frame after close", ok + frame(TEXT, b"\xff", rsv=7), closed=1000)
        self.play("7.3.1 without a payload", frame(CLOSE), closed=1005)
        self.play("7.3.2 payload of 1", frame(CLOSE, b"a"), closed=1002)
        self.play("7.3.3 payload of 2", ok, closed=1000)
        self.play("7.3.4 with a reason", frame(CLOSE, struct.pack("!H", 1000) + b"Hello World!"), closed=1000)
        self.play("7.3.5 reason of 123", frame(CLOSE, struct.pack("!H", 1000) + b"*" * 123), closed=1000)
        self.play("7.3.6 reason of 124", frame(CLOSE, struct.pack("!H", 1000) + b"*" * 124), closed=1002)
        self.play("x.7.3.7 with a reason, octet by octet",
                  chopped(frame(CLOSE, struct.pack("!H", 1000) + "ciao ☎".encode()), 1), closed=1000)
        self.play("x.7.3.8 in fragments", frame(CLOSE, b"\x03", fin=False) + frame(CONTINUATION, b"\xe8"), closed=1002)
        self.play("7.5.1 reason is not UTF-8",
                  frame(CLOSE, struct.pack("!H", 1000) + KOSME + b"\xed\xa0\x80edited"), closed=1007)
        self.play("x.7.5.2 reason ends within a sequence", frame(CLOSE, b"\x03\xe8\xe2\x98"), closed=1007)
        for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
            self.play(f"7.7.{number} status {code}", frame(CLOSE, struct.pack("!H", code)), closed=code)
        for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
            self.play(f"7.9.{number} status {code}", frame(CLOSE, struct.pack("!H", code)), closed=1002)
        self.play("x.7.9.10 status 1015", frame(CLOSE, struct.pack("!H", 1015)), closed=1002)
        self.play("7.13.1 status 5000", frame(CLOSE, struct.pack("!H", 5000)), closed=1002)
        self.play("7.13.2 status 65535", frame(CLOSE, struct.pack("!H", 65535)), closed=1002)

    def test_9_limits(self):
        """Autobahn 9: large messages, in few and in many pieces, up to the limit; beyond it 1009"""
        for kind, opcode in (("9.1", TEXT), ("9.2", BINARY)):
            for number, size in enumerate((64, 256, 512), 1):
                payload = message(size=size * 1024) if opcode == TEXT else b"\xfe" * size * 1024
                self.play(f"{kind}.{number} {size} KiB", frame(opcode, payload),
                          payload if opcode == TEXT else REFUSED)
            for number, size in enumerate((LIMIT + 1, 1 << 20, 16 << 20, (1 << 63) - 1), 4):
                self.play(f"{kind}.{number} the header of {size} octets", frame(opcode, b"", length=size), closed=1009)
        whole = message(size=LIMIT)
        sizes = (64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10)
        for number, size in list(enumerate(sizes, 1))[::tap.scaled(1, 3)]:
            for kind, opcode, answer in (("9.3", TEXT, whole), ("9.4", BINARY, REFUSED)):
                data = b"".join(fragments(opcode, *pieces(whole, size)))
                self.play(f"{kind}.{number} 512 KiB in fragments of {size}", data, answer)
                data = b"".join(fragments(opcode, *pieces(whole, size), b"*"))
                self.play(f"{kind}.{number} one octet more", data, closed=1009)
        for number, size in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            text = message(size=64 * 1024)
            self.play(f"9.5.{number} 64 KiB in chops of {size}", chopped(frame(TEXT, text), size), text)
            self.play(f"9.6.{number} binary", chopped(frame(BINARY, text), size), REFUSED)
        self.play("x.9.9 a fragment too many, by its header",
                  frame(TEXT, b"x" * 1000, fin=False) + frame(CONTINUATION, b"", length=LIMIT - 999), closed=1009)

    def test_9_many_messages(self):
        """Autobahn 9.7 and 9.8: a thousand messages there and back, of each size"""
        client = Client(self, self.hub.port)
        client.register("me")
        for number, size in enumerate((0, 80, 256, 1024, 4096), 1):
            with self.subTest(f"9.7.{number} {size} octets"):
                for _ in range(tap.scaled(1000, 200)):
                    text = message(size=size) if size else b""
                    client.send_frame(TEXT, text)
                    self.answer(client, text or REFUSED)
            with self.subTest(f"9.8.{number} binary, {size} octets"):
                for _ in range(tap.scaled(1000, 200)):
                    client.send_frame(BINARY, b"\xfe" * size)
                    self.answer(client, REFUSED)

    def test_12_compression(self):
        """Autobahn 12 and 13: no offer of compression is taken, and a compressed frame is refused"""
        offers = (
            "permessage-deflate", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=9", "permessage-deflate, x-webkit-deflate-frame",
            "permessage-bzip2, permessage-snappy; q=1",
        )
        compressed = b"\xaa\x56\x2a\xa9\x2c\x48\x55\xb2\x52\x4a\xaa\x4c\x55\xaa\x05\x00"
        for number, offer in enumerate(offers, 1):
            with self.subTest(f"12.{number} {offer}"):
                client = Client(self, self.hub.port, extra=f"Sec-WebSocket-Extensions: {offer}\r\n")
                self.assertNotIn("extensions", client.response.lower())
                client.register("me")
                client.send_frame(TEXT, HELLO)
                self.answer(client, HELLO)
                client.send_frame(TEXT, compressed, rsv=4)
                self.assertEqual(client.closed(), 1002)
                client.socket.close()


if __name__ == "__main__":
    tap.main()
