#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration of conicd, key by key: what there is, what is refused and how it is named.

The keys are those of the example configuration, the options those of --help. Each key has its option, in the
file a wrong value is refused with its line, on the command line by the option; --check-config reads the files
that are named, too, and says which is at fault.
"""

import configparser
import os
import re
import subprocess

from certificates import Certificate
from conictest import tap
from conictest.peers import CONICD, ROOT, Conicd
from conictest.process import FORBIDDEN
from rawsocket import Client

# What is no key of the file.
OTHER_OPTIONS = {"help", "config", "check-config", "version"}

# By what stands for the value in --help.
WRONG = {"ADDR:PORT": "nowhere", "LEVEL": "loud", "N": "-1", "SECONDS": "soon"}
RIGHT = {"ADDR:PORT": "127.0.0.1:0", "LEVEL": "debug", "N": "2000", "SECONDS": "60.5", "ORIGIN": "https://example.org",
         "NAME": "name", "URI": "stun:127.0.0.1:3478"}


class ConfigurationTest(tap.TestCase):
    limit = 90

    def run_conicd(self, *arguments):
        """Runs conicd to its end; returns its status and what it printed."""
        done = subprocess.run([CONICD, *arguments], capture_output=True, check=False, text=True, cwd=self.directory,
                              stdin=subprocess.DEVNULL, timeout=tap.seconds(20))
        text = done.stdout + done.stderr
        self.assertIsNone(FORBIDDEN.search(text), text)
        return done.returncode, text

    def check(self, expected, pattern, *arguments):
        """--check-config with these arguments ends with that status, and says that."""
        code, text = self.run_conicd("--check-config", *arguments)
        self.assertEqual(code, expected, text)
        self.assertRegex(text, pattern)
        # It is said once, in a line.
        self.assertEqual(len(text.splitlines()), 1 if "--help" not in text else 2, text)

    def file(self, text):
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def keys(self):
        """(group, key) of each key in the example configuration."""
        with open(os.path.join(ROOT, "data", "conicd.conf"), encoding="utf-8") as file:
            text = re.sub(r"(?m)^#([a-z-]+ *=)", r"\1", file.read())
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(text)
        return [(group, key) for group in parser.sections() for key in parser[group]]

    def options(self):
        """What stands for the value of each option in --help that is a key's."""
        code, text = self.run_conicd("--help")
        self.assertEqual(code, 0)
        found = dict(re.findall(r"(?m)^  (?:-\w, )?--([a-z-]+)(?:=(\S+))?", text))
        self.assertTrue(OTHER_OPTIONS <= set(found))
        return {name: placeholder for name, placeholder in found.items() if name not in OTHER_OPTIONS}

    def pairs(self):
        """(group, key, option, placeholder) of each."""
        options = self.options()
        pairs = []
        for group, key in self.keys():
            # A list is named for all of its values in the file, and for one on the command line.
            names = {name for word in (key, key.removesuffix("s")) for name in (word, f"{group}-{word}") if name in options}
            self.assertEqual(len(names), 1, f"[{group}] {key}: {names}")
            name = names.pop()
            pairs.append((group, key, name, options[name]))
        self.assertEqual(sorted(pair[2] for pair in pairs), sorted(options))
        return pairs

    def test_keys(self):
        """Each key is an option as well; a wrong value is named with its line in the one, by its name in the other"""
        pairs = self.pairs()
        self.assertGreater(len(pairs), 25)
        # Each is a handful of processes, which are slow to start under sanitizers.
        for group, key, option, placeholder in pairs[:: tap.scaled(1, 4)]:
            with self.subTest(option):
                if placeholder in WRONG:
                    wrong = WRONG[placeholder]
                    path = self.file(f"# A comment\n\n[{group}]\n\n{key}={wrong}\n")
                    self.check(2, rf"^conicd: {path}:5: .*{wrong}", "--config", path)
                    self.check(2, rf"^conicd: --{option}: .*{wrong}", f"--{option}={wrong}")
                    if placeholder in ("N", "SECONDS"):
                        self.check(2, rf"“{key}” has to be a .*number", f"--{option}=")
                path = self.file(f"[{group}]\n{key}x=1\n")
                self.check(2, rf"^conicd: {path}:2: there is no key “{key}x” in the group “{group}”$", "--config", path)
                code, text = self.run_conicd(f"--{option}x", "1")
                self.assertEqual(code, 2)
                self.assertIn(f"--{option}x", text)
                if placeholder in RIGHT and option != "turn-uri":
                    path = self.file(f"[{group}]\n{key}={RIGHT[placeholder]}\n")
                    self.check(0, "in order", "--config", path)
                    self.check(0, "in order", f"--{option}", RIGHT[placeholder])

    def test_defaults(self):
        """What the example configuration shows and what --help says in parentheses is the same"""
        code, text = self.run_conicd("--help")
        self.assertEqual(code, 0)
        told = dict(re.findall(r"(?m)^  (?:-\w, )?--([a-z-]+)=\S+ .*\(([^()]+)\)", text))
        with open(os.path.join(ROOT, "data", "conicd.conf"), encoding="utf-8") as file:
            shown = dict(re.findall(r"(?m)^#([a-z-]+)=(\S+)$", file.read()))
        compared = 0
        for _, key, option, _ in self.pairs():
            if option in told and key in shown:
                self.assertEqual(told[option], shown[key], key)
                compared += 1
        self.assertGreater(compared, 15)

    def test_precedence(self):
        """The command line overrides the file, which has to be in order all the same"""
        path = self.file("[daemon]\nlisten=127.0.0.1:1\nlog-level=error\n[limits]\nmessage-bytes=1024\nclients=1\n")
        # Port 1 would not be had without the option: a list replaces the whole list.
        hub = Conicd(self, arguments=("--config", path, "--message-bytes", "4096", "--log-level", "info"))
        self.assertNotEqual(hub.port, 1)
        client = Client(self, hub.port)
        client.register("client")
        hub.wait_line("info: Client “client”")
        client.send("x" * 4000)
        self.assertEqual(client.error()[0], "bad_message")
        with self.assertRaisesRegex(AssertionError, "503"):
            Client(self, hub.port)
        client.send("x" * 5000)
        self.assertEqual(client.closed(), 1009)
        path = self.file("[limits]\nclients=none\n")
        self.check(2, "conicd.conf:2: .*clients", "--config", path, "--clients", "5")
        # The last of several.
        self.check(2, "--clients: .*none", "--clients", "5", "--clients", "none")

    def test_shapes(self):
        """A file that is no configuration, or isn't there, is named; nothing of it is taken"""
        for text, pattern in (("listen=1\n", "conicd.conf"), ("[daemon\n", "conicd.conf"), ("[daemon]\nlisten\n", "conicd.conf"),
                              ("\x00\x01", "conicd.conf: .*text"), ("[limits]\nclients=5\n\x00", "conicd.conf: .*text"), ("[demon]\n", r"conicd.conf:1: .*demon"),
                              ("[limits]\nclients=5\n\n[tls]\n[nonsense]\nx=1\n", r"conicd.conf:5: .*nonsense"),
                              ("[daemon]\nlisten=127.0.0.1:0\n# two\nlisten = [::1]:0\n", r"conicd.conf:4: “listen” stands in line 2 already; .* ;"),
                              ("[limits]\nclients=5\n[daemon]\n[limits]\nclients=6\n", r"conicd.conf:5: “clients” stands in line 2 already$"),
                              ("[daemon]\nlisten=\n", "“listen” needs an address"),
                              ("[daemon]\nclients=5\n", r"conicd.conf:2: there is no key “clients” in the group “daemon”, but in “limits”$"),
                              ("[limits]\nclients=1e9\n", r"conicd.conf:2: .*clients"),
                              ("[limits]\nclients=5 # five\n", r"conicd.conf:2: .*clients"),
                              ("[timeouts]\nping-seconds=inf\n", r"conicd.conf:2: .*ping-seconds")):
            with self.subTest(text):
                path = self.file(text)
                self.check(2, pattern, "--config", path)
                code, message = self.run_conicd("--config", path)
                self.assertEqual(code, 2)
                self.assertRegex(message, pattern)
        self.check(2, "nowhere.conf: ", "--config", self.path("nowhere.conf"))
        self.check(2, f"{self.directory}: ", "--config", self.directory)
        self.check(0, "in order", "--config", self.file("[daemon]\norigins = https://a.example ; https://b.example;\n"))
        self.check(0, "in order", "--config", self.file(""))
        self.check(0, "in order")

    def test_files(self):
        """Files that the configuration names are read by --check-config; one that is missing is named"""
        good = Certificate(self)
        nowhere = self.path("nowhere")
        for text in (f"[tls]\ncertificate={nowhere}\nkey={good.key}\n", f"[tls]\ncertificate={good.certificate}\nkey={nowhere}\n",
                     f"[auth]\nkeys={nowhere}\n", f"[ice]\nturn-uris=turn:127.0.0.1:3478\nturn-secret={nowhere}\n"):
            with self.subTest(text):
                path = self.file(text)
                self.check(2, f"{nowhere}.*: .*No such file", "--config", path)
                code, message = self.run_conicd("--config", path, "--listen", "127.0.0.1:0")
                self.assertEqual(code, 1)
                self.assertRegex(message, f"{nowhere}.*: .*No such file")
        self.check(2, "turn-secret", "--turn-uri", "turn:127.0.0.1:3478")
        self.check(2, "TLS needs a certificate and its key; there is only the key", "--tls-key", good.key)
        self.check(0, "in order", "--config", self.file(f"[tls]\ncertificate={good.certificate}\nkey={good.key}\n"))


if __name__ == "__main__":
    tap.main()
