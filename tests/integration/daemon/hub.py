# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running conicd with options, what it costs, and the messages that tell how it does."""

import json
import os
import time

from conictest.peers import Conicd
from rawsocket import Client

# What a client may send is no matter where something else is looked at.
UNLIMITED = {"messages_per_second": 0, "bytes_per_second": 0}


def start(case, name="conicd", **options):
    """conicd with these options of its command line, written with underscores."""
    return Conicd(case, name=name, arguments=[f"--{key.replace('_', '-')}={value}" for key, value in options.items()])


def join(case, hub, client_id, **kwargs):
    """A registered client."""
    client = Client(case, hub.port, **kwargs)
    answer = client.register(client_id)
    assert answer["data"]["success"], answer
    client.token = answer["data"]["resume_token"]
    return client


def sdp(target, text):
    """An offer as bytes of JSON."""
    return json.dumps({"id": "m", "type": "sdp", "data": {
        "to_id": target, "session_description": {"type": "offer", "sdp": text}}}).encode()


def sdp_text(message):
    """What sdp() was given."""
    return message["data"]["session_description"]["sdp"]


def round_trip(client, text="echo"):
    """Seconds for a message of the client to itself."""
    started = time.monotonic()
    client.send(sdp(client.id, text))
    answer = client.receive_json()
    assert sdp_text(answer) == text, answer
    return time.monotonic() - started


def cpu_seconds(hub):
    """The processor time that the daemon has taken so far."""
    with open(f"/proc/{hub.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
