# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium without a window, driven by the DevTools protocol over a pair of pipes."""

import functools
import http.server
import json
import os
import re
import signal
import threading

from . import tap
from .process import Line, Process

# No network but what the test gives it, no profile but an empty one, and a camera and a microphone
# that every machine has: a picture that moves, and a beep.
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
]

# What it says of services that a machine without a desktop doesn't have.
CHATTER = re.compile(r"dbus|ALSA lib|alsa_util|unexpected operator")

# With these, a page learns the addresses of its machine and tells them in its candidates.
REAL_ADDRESSES = ["--disable-features=WebRtcHideLocalIpsWithMdns"]


class Browser(Process):
    """A browser with one page, which it opens at once.

    What the page writes on its console, and what goes wrong in it, is part of the output.
    """

    def __init__(self, case, url, arguments=(), name="chromium", **kwargs):
        self._replies = {}
        self._last = 0
        self._session = None
        self._loads = 0
        self._answered = threading.Condition()
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        argv = ["chromium", f"--user-data-dir={case.path(name)}", *ARGUMENTS, *arguments]
        # The protocol is spoken on the descriptors 3 and 4.
        script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        super().__init__(
            case,
            name,
            ["bash", "-c", script, "browser", *argv, "about:blank"],
            env={"HOME": case.directory},
            pass_fds=(theirs_in, theirs_out),
            stop_signal=signal.SIGTERM,
            **kwargs,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        threading.Thread(target=self._listen, daemon=True).start()
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.command("Runtime.enable")
        self.command("Page.enable")
        self.command("Log.enable")
        self.load(url)

    def _listen(self):
        unread = b""
        while piece := os.read(self._in, 1 << 20):
            *messages, unread = (unread + piece).split(b"\0")
            for message in messages:
                self._take(json.loads(message))
        os.close(self._in)
        with self._answered:
            self._replies = None
            self._answered.notify_all()

    def _take(self, message):
        with self._answered:
            if "id" in message:
                self._replies[message["id"]] = message
            self._loads += message.get("method") == "Page.loadEventFired"
            self._answered.notify_all()
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            words = [str(a.get("value", a.get("description"))) for a in params["args"]]
            self.note(" ".join(words))
        elif method == "Log.entryAdded":
            self.note(f"{params['entry']['level']}: {params['entry']['text']}")
        elif method == "Browser.downloadProgress":
            self.note(f"download {params['state']}")
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            problem = details.get("exception", {}).get("description") or details["text"]
            self.note(problem)
            self.problems.append(f"in the page: {problem}")

    def note(self, text):
        """Adds a line to what the process printed."""
        with self._changed:
            self.lines.append(Line("page", text))
            self._changed.notify_all()

    def command(self, method, timeout=30, **params):
        """Gives a command of the DevTools protocol; returns its result."""
        with self._answered:
            self._last += 1
            number = self._last
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        with self._answered:
            done = self._answered.wait_for(
                lambda: self._replies is None or number in self._replies, tap.seconds(timeout)
            )
            if self._replies is None:
                raise AssertionError(f"{self.name} ended during {method}")
            if not done:
                what = params.get("expression", "")
                raise AssertionError(
                    f"{self.name}: no answer to {method} {what} in {tap.seconds(timeout):.0f} s"
                )
            reply = self._replies.pop(number)
        if "error" in reply:
            raise AssertionError(f"{self.name}: {method}: {reply['error']}")
        return reply["result"]

    def load(self, url):
        """Goes to a page and waits until its scripts have run."""
        before = self._loads
        self.command("Page.navigate", url=url)
        with self._answered:
            if not self._answered.wait_for(lambda: self._loads > before, tap.seconds(30)):
                raise AssertionError(f"{self.name}: {url} was not loaded")

    def evaluate(self, expression, timeout=30):
        """What an expression of JavaScript gives; a promise is waited for."""
        result = self.command(
            "Runtime.evaluate",
            timeout,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise AssertionError(
                f"{self.name}: {expression}: "
                + (details.get("exception", {}).get("description") or details["text"])
            )
        return result["result"].get("value")

    def call(self, function, *arguments, timeout=30):
        """Calls a function of the page."""
        return self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})", timeout)

    def transcript(self):
        self.lines = [line for line in self.lines if not CHATTER.search(line.text)]
        return super().transcript()

    def end(self):
        super().end()
        os.close(self._out)

    def complaints(self):
        # A browser prints a good deal about itself, which is not ours to judge.
        found = [f"{self.name}: {problem}" for problem in self.problems]
        if not self.ended_by_us and not self.killed:
            found.append(f"{self.name} ended by itself (status {self.returncode})")
        return found


class Pages:
    """A web server for the files of a folder; `url` is where they are."""

    def __init__(self, case, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
        )
        self.origin = f"http://127.0.0.1:{server.server_port}"
        self.url = f"{self.origin}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)
