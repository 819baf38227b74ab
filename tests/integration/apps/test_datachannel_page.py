#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel and the hub's page in a browser.

Shows that a terminal calls the page and that words and files pass both ways, as they were.
"""

import hashlib
import os
import subprocess
import sys

from conictest import netns, peers
from conictest.programs import Conic

sys.path.append(os.path.join(peers.ROOT, "tests", "integration", "web"))
import test_page  # noqa: E402  pylint: disable=wrong-import-position

FILE_BYTES = 1_000_001


class WithPage(test_page.PageTest):
    def test_talk(self):
        """A terminal calls the page; they chat, and send each other a file"""
        hub = self.hub()
        page = self.page(hub, "#id=alice", "alice")
        self.assertEqual(page.registered(), "alice")
        os.mkdir(self.path("got"))
        anna = Conic(
            self,
            "anna",
            *("datachannel", "--id", "anna", "--accept-files", "--downloads", self.path("got")),
            hub=hub.uri,
            stdin=subprocess.PIPE,
        )

        def type_line(text):
            anna.stdin.write(f"{text}\n".encode())
            anna.stdin.flush()

        type_line("offer alice")
        page.until_text("ring-words", "messages and files")
        page.click("#ring-plain")
        anna.wait_line("opened the channel “chat”")
        type_line("send chat こんにちは 🎈")
        page.until_text("log", "こんにちは 🎈")
        page.evaluate("document.getElementById('say-text').value = 'Hello, terminal'")
        page.click("#say-send")
        anna.wait_line("^alice/chat: Hello, terminal$")

        data = os.urandom(FILE_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        with open(self.path("plan.bin"), "wb") as file:
            file.write(data)
        type_line(f"file papers {self.path('plan.bin')}")
        page.click("li [data-action=accept]")
        anna.wait_line(f"^sent plan.bin to “alice”: {FILE_BYTES} bytes, sha256 {digest}$")
        page.until("document.querySelectorAll('a[download]').length === 1")

        page.command("DOM.enable")
        root = page.command("DOM.getDocument")["root"]["nodeId"]
        chooser = page.command("DOM.querySelector", nodeId=root, selector="#say-file")["nodeId"]
        page.command("DOM.setFileInputFiles", nodeId=chooser, files=[self.path("plan.bin")])
        anna.wait_line(f"^received plan.bin from “alice” .*: {FILE_BYTES} bytes, sha256 {digest}$")
        with open(os.path.join(self.path("got"), "plan.bin"), "rb") as file:
            self.assertEqual(file.read(), data)

        page.click("#hang-up")
        anna.wait_line("“alice” is gone: ")
        anna.stdin.close()
        self.assertEqual(anna.wait_exit(), 0)


if __name__ == "__main__":
    netns.main()
