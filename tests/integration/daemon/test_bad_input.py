#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of message that a running conicd must not act on, in both dialects.

Each is answered with the error code that says what was wrong with it, in the sender's own dialect; the
connection is kept and works; nobody else hears of it. A body is tried in every form that it can come in: as
the envelope's `data`, and as the readme dialect's `raw` text, base64 of it, and object.
"""

import base64
import json

from conictest import tap
from conictest.peers import Conicd
from rawsocket import BINARY, Client

# What is no JSON, or not the JSON of a message; the whole text.
TEXTS = {
    "empty": "", "blank": " ", "blank lines": "\r\n\t \n", "120 KB of [": "[" * 120_000, "120 KB of {": '{"a":' * 24_000,
    "balanced, and as deep": "[" * 60_000 + "]" * 60_000, "word": "hello", "null": "null", "number": "1", "string": '"x"',
    "array": "[]", "array of a message": '[{"type":"list_request"}]', "single quotes": "{'type':'list_request'}",
    "bare names": '{type:"list_request"}', "assignment": 'var x = {"type":"list_request"}', "comment": '{"type":"list_request"}//',
    "trailing word": '{"type":"list_request"} x', "trailing brace": '{"type":"list_request"}}',
    "trailing comma": '{"type":"list_request"},', "two messages": '{"type":"list_request"}{"type":"list_request"}',
    "trailing NUL": '{"type":"list_request"}\0', "comma before the brace": '{"type":"list_request",}',
    "no comma": '{"type":"list_request" "id":"a"}', "no colon": '{"type" "list_request"}', "unfinished": '{"type":"list_request"',
    "unfinished string": '{"type":"list_requ', "byte order mark": '\ufeff{"type":"list_request"}', "NUL": '{"type":"list_request"\0}',
    "no type": "{}", "type is a number": '{"type":1}', "type is null": '{"type":null}', "type is an array": '{"type":["sdp"]}',
    "type twice": '{"type":"list_request","type":"list_request"}',
    "type twice, once escaped": '{"type":"list_request","t\\u0079pe":"sdp"}', "Type": '{"Type":"list_request"}',
    "id is a number": '{"type":"list_request","id":1}', "id is null": '{"type":"list_request","id":null}',
    "id twice": '{"id":"a","type":"list_request","id":"b"}',
    "timestamp is a number": '{"type":"list_request","timestamp":1}',
}

# What no string may hold, and what is no number, wherever it stands.
STRINGS = (r"\ud800", r"\udc00", r"\ud800\ud800", r"\udc00\ud800", r"\ud800x", r"\ud800\n", r"\x41", r"\u12", r"\u12g4", r"\U0041",
           "\\", "\n", "\t", "\x00", "\x1f")
NUMBERS = ("01", "+1", ".5", "1.", "1e", "1e+", "0x1", "--1", "-", "NaN", "Infinity", "-Infinity", "1_000", "True", "nul")

SDP = '"session_description":{"type":"offer","sdp":"v=0"}'
CANDIDATE = '"candidate":{"candidate":"c","sdpMLineIndex":%s}'
TO = '"to_id":"bob"'

# type, body, code. The names are the envelope's.
BODIES = {
    # ids
    "to_id with U+0000": ("sdp", r'{"to_id":"bob\u0000",%s}' % SDP, "invalid_id"),
    "to_id is U+0000": ("sdp", r'{"to_id":"\u0000",%s}' % SDP, "invalid_id"),
    "from_id with U+0000": ("sdp", r'{"from_id":"me\u0000",%s,%s}' % (TO, SDP), "invalid_id"),
    "to_id of 129": ("sdp", '{"to_id":"%s",%s}' % ("x" * 129, SDP), "invalid_id"),
    "to_id of 100 KB": ("sdp", '{"to_id":"%s",%s}' % ("x" * 100_000, SDP), "invalid_id"),
    "to_id of 128": ("sdp", '{"to_id":"%s",%s}' % ("x" * 128, SDP), "peer_not_found"),
    "from_id of 129": ("sdp", '{"from_id":"%s",%s,%s}' % ("x" * 129, TO, SDP), "invalid_id"),
    "from_id is empty": ("sdp", '{"from_id":"",%s,%s}' % (TO, SDP), "invalid_id"),
    "to_id with a space": ("sdp", '{"to_id":"b ob",%s}' % SDP, "invalid_id"),
    "to_id with an umlaut": ("sdp", '{"to_id":"böb",%s}' % SDP, "invalid_id"),
    "to_id with a slash": ("sdp", '{"to_id":"../bob",%s}' % SDP, "invalid_id"),
    "to_id is empty": ("sdp", '{"to_id":"",%s}' % SDP, "peer_not_found"),
    "no to_id": ("sdp", "{%s}" % SDP, "peer_not_found"),
    "to_id in another case": ("sdp", '{"to_id":"BOB",%s}' % SDP, "peer_not_found"),
    # who speaks for somebody else
    "from_id of somebody": ("sdp", '{"from_id":"bob",%s,%s}' % (TO, SDP), "from_mismatch"),
    "from_id of nobody": ("candidate", '{"from_id":"eve",%s,%s}' % (TO, CANDIDATE % 0), "from_mismatch"),
    "from_id in another case": ("bye", '{"from_id":"ME",%s}' % TO, "from_mismatch"),
    "somebody else's, to nobody": ("bye", '{"from_id":"bob","to_id":"nobody"}', "from_mismatch"),
    # what routing reads, twice
    "to_id twice": ("sdp", "{%s,%s,%s}" % (TO, TO, SDP), "bad_message"),
    "to_id twice, once escaped": ("sdp", r'{%s,"to\u005fid":"me",%s}' % (TO, SDP), "bad_message"),
    "from_id twice": ("sdp", '{"from_id":"me","from_id":"bob",%s,%s}' % (TO, SDP), "bad_message"),
    "from_id in two cases": ("sdp", '{"from_id":"me","From_ID":"bob",%s,%s}' % (TO, SDP), "bad_message"),
    "To_Id alone": ("sdp", '{"To_Id":"bob",%s}' % SDP, "bad_message"),
    "description twice": ("sdp", "{%s,%s,%s}" % (TO, SDP, SDP), "bad_message"),
    "sdp twice": ("sdp", '{%s,"session_description":{"type":"offer","sdp":"","sdp":""}}' % TO, "bad_message"),
    # wrong and missing types
    "to_id is a number": ("sdp", '{"to_id":7,%s}' % SDP, "bad_message"),
    "to_id is null": ("sdp", '{"to_id":null,%s}' % SDP, "bad_message"),
    "to_id is an object": ("sdp", '{"to_id":{},%s}' % SDP, "bad_message"),
    "from_id is true": ("sdp", '{"from_id":true,%s,%s}' % (TO, SDP), "bad_message"),
    "no description": ("sdp", "{%s}" % TO, "bad_message"),
    "description is a string": ("sdp", '{%s,"session_description":"v=0"}' % TO, "bad_message"),
    "description is null": ("sdp", '{%s,"session_description":null}' % TO, "bad_message"),
    "description is empty": ("sdp", '{%s,"session_description":{}}' % TO, "bad_message"),
    "description without sdp": ("sdp", '{%s,"session_description":{"type":"offer"}}' % TO, "bad_message"),
    "description without type": ("sdp", '{%s,"session_description":{"sdp":""}}' % TO, "bad_message"),
    "description of no type": ("sdp", '{%s,"session_description":{"type":"wish","sdp":""}}' % TO, "bad_message"),
    "sdp is a number": ("sdp", '{%s,"session_description":{"type":"offer","sdp":1}}' % TO, "bad_message"),
    "no candidate": ("candidate", "{%s}" % TO, "bad_message"),
    "candidate is a number": ("candidate", '{%s,"candidate":1}' % TO, "bad_message"),
    "candidate is empty": ("candidate", '{%s,"candidate":{}}' % TO, "bad_message"),
    "sdpMid is a number": ("candidate", '{%s,"candidate":{"candidate":"","sdpMid":0}}' % TO, "bad_message"),
    "sdpMLineIndex is a string": ("candidate", "{%s,%s}" % (TO, CANDIDATE % '"0"'), "bad_message"),
    "no label": ("data_channel", '{%s,"payload":""}' % TO, "bad_message"),
    "no payload": ("data_channel", '{%s,"label":"chat"}' % TO, "bad_message"),
    "payload is not base64": ("data_channel", '{%s,"label":"chat","payload":"***"}' % TO, "bad_message"),
    "reason is a number": ("bye", '{%s,"reason":1}' % TO, "bad_message"),
    "body is an array": ("sdp", "[]", "bad_message"),
    "body is a number": ("sdp", "1", "bad_message"),
    # numbers
    **{f"sdpMLineIndex is {number}": ("candidate", "{%s,%s}" % (TO, CANDIDATE % number), "bad_message")
       for number in ("-1", "65536", "4294967296", "1e999", "1.5", "1e0", "9" * 400)},
    **{f"the number {number}": ("sdp", '{%s,%s,"x":%s}' % (TO, SDP, number), "bad_message") for number in NUMBERS},
    # strings
    **{f"the string {text!r} in sdp": ("sdp", '{%s,"session_description":{"type":"offer","sdp":"%s"}}' % (TO, text), "bad_message")
       for text in STRINGS},
    **{f"the string {text!r} in a member that nobody knows": ("sdp", '{%s,%s,"x":["%s"]}' % (TO, SDP, text), "bad_message")
       for text in STRINGS},
    **{f"the string {text!r} as a name": ("sdp", '{%s,%s,"%s":1}' % (TO, SDP, text), "bad_message") for text in STRINGS},
    "U+0000 in a description": ("sdp", r'{%s,"session_description":{"type":"offer","sdp":"\u0000"}}' % TO, "bad_message"),
    # shape
    "deep": ("sdp", '{%s,%s,"x":%s}' % (TO, SDP, "[" * 40 + "]" * 40), "bad_message"),
    "very deep": ("sdp", '{%s,%s,"x":%s}' % (TO, SDP, "[" * 120_000), "bad_message"),
    "trailing garbage": ("sdp", "{%s,%s} x" % (TO, SDP), "bad_message"),
    "trailing comma": ("sdp", "{%s,%s,}" % (TO, SDP), "bad_message"),
    # types that nobody may send
    "a type that isn't there": ("sing", "{}", "unknown_type"),
    "a type in another case": ("SDP", "{%s,%s}" % (TO, SDP), "unknown_type"),
    "an error": ("error", '{"code":"bad_message"}', "unknown_type"),
    "a list_response": ("list_response", '{"clients":[]}', "unknown_type"),
    "a second registration": ("register_request", '{"client_id":"more"}', "already_registered"),
    "somebody else's end": ("unregister_request", '{"client_id":"bob"}', "from_mismatch"),
}

# The names that the readme dialect has for them, as documented and as conic's first code wrote them.
DOCUMENTED = {"from_id": "ID", "client_id": "ID", "to_id": "TargetID", "session_description": "SessionDescription",
              "label": "Label", "payload": "Data", "reason": "Reason", "code": "Code", "clients": "Clients",
              r"to\u005fid": r"Target\u0049D", r"client\u005fid": r"\u0049D", "From_ID": "Id", "Client_ID": "Id", "To_Id": "TargetId"}
FIRST = {"from_id": "id", "client_id": "id", "to_id": "target_id", "payload": "data",
         r"to\u005fid": r"target\u005fid", r"client\u005fid": r"\u0069d", "From_ID": "iD", "Client_ID": "iD", "To_Id": "Target_Id"}
README_TYPES = {"register_request": "register", "unregister_request": "unregister"}


def renamed(body, names):
    """The body in the readme dialect's words."""
    for name, other in names.items():
        body = body.replace(f'"{name}":', f'"{other}":')
    return body


def envelope(kind, body):
    return '{"id":"m1","type":"%s","data":%s}' % (kind, body)


def as_text(kind, body):
    return json.dumps({"type": README_TYPES.get(kind, kind), "raw": renamed(body, DOCUMENTED)})


def as_base64(kind, body):
    raw = base64.b64encode(renamed(body, FIRST).encode()).decode()
    return json.dumps({"type": README_TYPES.get(kind, kind), "raw": raw})


def as_object(kind, body):
    return '{"type":"%s","raw":%s}' % (README_TYPES.get(kind, kind), renamed(body, DOCUMENTED))


class BadInputTest(tap.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)
        self.bob = Client(self, self.hub.port)
        self.bob.register("bob")

    def join(self, dialect, client_id="me"):
        client = Client(self, self.hub.port)
        (client.register if dialect == "envelope" else client.register_readme)(client_id)
        return client

    def refused(self, client, text, *codes):
        """The error has one of these codes, says something, and came in the right dialect."""
        client.send(text)
        code, answer = client.error()
        self.assertIn(code, codes, answer)
        return answer

    def works(self, client, dialect):
        """The client still reaches bob, who has heard nothing else since."""
        if dialect == "envelope":
            client.send({"type": "bye", "data": {"from_id": "me", "to_id": "bob", "reason": "proof"}})
        else:
            client.send({"type": "bye", "raw": json.dumps({"ID": "me", "TargetID": "bob", "Reason": "proof"})})
        self.assertEqual(self.bob.receive_json()["data"]["reason"], "proof")

    def try_texts(self, dialect):
        client = self.join(dialect)
        for name, text in TEXTS.items():
            with self.subTest(name):
                answer = self.refused(client, text, "bad_message")
                self.assertEqual("raw" in answer, dialect == "readme")
                self.works(client, dialect)
        with self.subTest("binary"):
            client.send_frame(BINARY, b'{"type":"list_request"}')
            self.assertEqual(client.error()[0], "bad_message")
            self.works(client, dialect)

    def try_bodies(self, dialect, write):
        client = self.join(dialect)
        for name, (kind, body, code) in BODIES.items():
            with self.subTest(name):
                self.refused(client, write(kind, body), code)
                self.works(client, dialect)

    def test_texts_envelope(self):
        """What is no message, from an envelope client"""
        self.try_texts("envelope")

    def test_texts_readme(self):
        """What is no message, from a readme client"""
        self.try_texts("readme")

    def test_texts_unregistered(self):
        """What is no message, from somebody who hasn't registered and still can"""
        for name, text in TEXTS.items():
            with self.subTest(name):
                client = Client(self, self.hub.port)
                self.refused(client, text, "bad_message")
                self.assertTrue(client.register("me")["data"]["success"])
                self.works(client, "envelope")
                client.close()
                client.socket.close()

    def test_bodies_envelope(self):
        """Bodies with something wrong in them: as data"""
        self.try_bodies("envelope", envelope)

    def test_bodies_readme_text(self):
        """The same as raw, a string"""
        self.try_bodies("readme", as_text)

    def test_bodies_readme_base64(self):
        """The same as raw, in base64, in the words of conic's first code"""
        self.try_bodies("readme", as_base64)

    def test_bodies_readme_object(self):
        """The same as raw, an object"""
        self.try_bodies("readme", as_object)

    def test_raw(self):
        """raw that is neither a text, nor base64, nor an object"""
        client = self.join("readme")
        for raw in ("1", "true", "[]", '["{}"]', '"{"', '"{}x"', '"***"', '"eyJ9"', r'"\ud800"', r'"{\u0000}"',
                    '{},"raw":{}', '"{}","r\\u0061w":"{}"', '"' + "[" * 100_000 + '"', '"{\\"ID\\":\\"me\\""'):
            with self.subTest(raw[:40]):
                self.refused(client, '{"type":"sdp","raw":%s}' % raw, "bad_message")
                self.works(client, "readme")

    def test_registrations(self):
        """Registrations with something wrong in them, in both dialects; a good one is taken afterwards"""
        ids = ((r'"a\u0000"', "invalid_id"), (r'"\u0000"', "invalid_id"), ('"%s"' % ("x" * 129), "invalid_id"),
               ('"x y"', "invalid_id"), ('"ä"', "invalid_id"), ('"bob"', "id_taken"), (r'"b\u006fb"', "id_taken"),
               ("7", "bad_message"), ("{}", "bad_message"), ('"a","client_id":"b"', "bad_message"),
               (r'"a","client\u005fid":"b"', "bad_message"), ('"a","Client_ID":"b"', "bad_message"),
               (r'"\ud800"', "bad_message"), ('"a" x', "bad_message"))
        for write, dialect in ((envelope, "envelope"), (as_text, "readme"), (as_base64, "readme"), (as_object, "readme")):
            client = Client(self, self.hub.port)
            for text, code in ids:
                body = '{"client_id":%s}' % text
                with self.subTest(f"{write.__name__} {text[:30]}"):
                    self.refused(client, write("register_request", body), code)
            (client.register if dialect == "envelope" else client.register_readme)("me")
            self.works(client, dialect)
            client.close()
            client.socket.close()

    def test_unusual_but_good(self):
        """What is only unusual is taken: depth, numbers, escapes and members that nobody knows"""
        client = self.join("envelope")
        for x in ("[" * 29 + "]" * 29, "1e400", "-0", "9" * 1000, r'"\ud83d\ude00\u0000"', '""', "{}", '{"a":1,"a":2}', "[[],{}]",
                  '"%s"' % ("x" * 200_000)):
            with self.subTest(x[:30]):
                text = ' {"type" :\n"b\\u0079e","x":%s, "data":{"to_id":"bob","x":%s,"from_id":"me"}}\t' % (x, x)
                client.send(text)
                self.assertEqual(self.bob.receive(), text.encode())


if __name__ == "__main__":
    tap.main()
