#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of `conic`: what all subcommands have in common.

Shows that help lists every subcommand, that each has its own and its man page, and that these are
without a fault; that what isn't known is named, and exit codes are those of conic(1); that it says
which package is missing; that bash and zsh complete subcommands, options, files and peers; and that it
works where it was installed.
"""

import glob
import json
import os
import re
import shutil
import subprocess

from conictest import peers, tap
from conictest.programs import CONIC, Conic, environment
from conictest.screen import Screen

MAN = os.path.join(peers.ROOT, "data", "man")
# What conic(1) has for all of them.
COMMON = {"--hub", "--token", "--tls-ca", "--json", "--help"}
COMPLETIONS = os.path.join(peers.ROOT, "data", "completions")


def subcommands():
    """All of them, by the files that have them."""
    folder = os.path.join(peers.ROOT, "apps", "conic", "commands")
    files = [os.path.basename(path) for path in glob.glob(os.path.join(folder, "*.py"))]
    return sorted(name[:-3].replace("_", "-") for name in files if name != "__init__.py")


class CliTest(tap.TestCase):
    limit = 60

    def run_conic(self, *arguments, program=CONIC, env=None):
        """Runs it to its end; returns (exit code, output, errors)."""
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **peers.gst_environment(), "GST_DEBUG": "", **(env or {})},
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=tap.seconds(20),
        )
        self.assertNotIn("Traceback", done.stderr)
        return done.returncode, done.stdout, done.stderr


class Help(CliTest):
    def test_overview(self):
        """conic help names all subcommands with what they do; conic --version the version"""
        code, text, _ = self.run_conic("help")
        self.assertEqual(code, 0)
        listed = re.findall(r"^  (\S+)  +(\S.*)$", text, re.M)
        self.assertEqual([name for name, _ in listed], [*subcommands(), "help"])
        self.assertEqual(self.run_conic("--help")[1], text)
        self.assertRegex(self.run_conic("--version")[1], r"^conic \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_conic()[0], 2)

    def test_each(self):
        """Each subcommand has its help with the common options, and a man page that names its own"""
        for name in subcommands():
            code, text, errors = self.run_conic(name, "--help")
            self.assertEqual((code, errors), (0, ""), name)
            for option in COMMON:
                self.assertIn(option, text, name)
            with open(os.path.join(MAN, f"conic-{name}.1"), encoding="utf-8") as page:
                source = page.read().replace("\\-", "-")
            own = set(re.findall(r"^  (--[a-z][a-z-]+)", text, re.M))
            named = set("--" + option for option in re.findall(r"Fl Fl ([a-z][a-z-]+)", source))
            self.assertFalse(own - named - COMMON, f"conic-{name}.1 lacks options")
            self.assertIn(
                f"conic-{name} 1", open(os.path.join(MAN, "conic.1"), encoding="utf-8").read()
            )

    def test_man_pages(self):
        """The man pages are without a fault to mandoc"""
        pages = glob.glob(os.path.join(MAN, "conic*.1"))
        self.assertEqual(len(pages), len(subcommands()) + 1, pages)
        for page in pages:
            done = subprocess.run(
                ["mandoc", "-T", "lint", "-W", "warning", page],
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.stdout, "")

    def test_wrong_usage(self):
        """What isn't known is named, with exit code 2; as JSON the error is a line as well"""
        for arguments, words in (
            (["sing"], "there is no subcommand “sing”; see conic help"),
            (["vidio-ofer"], "there is no subcommand “vidio-ofer” (but video-offer); see"),
            (["--sing"], "there is no option “--sing”"),
            (["help", "sing"], "there is no subcommand “sing”"),
            (["peers", "--sing"], "unrecognized arguments: --sing; see conic peers --help"),
            (["peers", "--hub", "x"], "“x” is not the URI of a hub"),
            (["datachannel", "--token", "a b"], "--token: it has characters that no token has"),
            (["datachannel", "--tls-ca", "/none"], "the certificates can't be read: "),
        ):
            code, output, errors = self.run_conic(*arguments)
            self.assertEqual((code, output), (2, ""), arguments)
            self.assertIn(words, errors)
            self.assertEqual(errors.count("\n"), 1, errors)
        code, _, errors = self.run_conic("peers", env={"CONIC_HUB": "nonsense"})
        self.assertEqual(code, 2)
        code, output, _ = self.run_conic("peers", "--json", "--hub", "ws://127.0.0.1:1/ws")
        self.assertEqual(code, 3)
        error = json.loads(output)
        self.assertEqual((error["event"], error["code"]), ("error", 3))

    def test_missing(self):
        """Without a module or a plugin it says which package has it, with exit code 4"""
        os.mkdir(self.path("broken"))
        for module in ("gi", "prompt_toolkit"):
            with open(self.path(f"broken/{module}.py"), "w", encoding="ascii") as file:
                file.write(f"raise ModuleNotFoundError('it is not there', name='{module}')\n")
        broken = {"PYTHONPATH": self.path("broken")}
        code, _, errors = self.run_conic("peers", env=broken)
        self.assertEqual(code, 4)
        self.assertIn("python3-gi", errors)
        code, output, _ = self.run_conic("help", env=broken)
        self.assertEqual(code, 0)
        self.assertIn("python3-gi", output)
        os.unlink(self.path("broken/gi.py"))
        terminal = Screen(
            self, "terminal", [CONIC, "datachannel"], env={**peers.gst_environment(), **broken}
        )
        self.assertEqual(terminal.wait_exit(), 4)
        terminal.wait_line("conic datachannel: a Python module is missing: .*python3-prompt.*")
        bare = {"GST_PLUGIN_SYSTEM_PATH_1_0": self.directory, "GST_REGISTRY": self.path("registry")}
        code, _, errors = self.run_conic("datachannel", env=bare)
        self.assertEqual(code, 4)
        self.assertIn("webrtcbin (Debian has it in gstreamer1.0-plugins-bad)", errors)

    def test_output(self):
        """An output that is full ends it with a line and 1; one that nobody reads without a word"""
        hub = peers.Conicd(self)
        full = "the output can't be written: No space left on device\n"
        for arguments, redirection, code, words in (
            ("audio-answer --discard", "| true", 1, ""),
            ("help", ">/dev/full", 1, f"conic: {full}"),
            ("audio-answer --discard", ">/dev/full", 1, f"conic: {full}"),
            ("datachannel", ">/dev/full", 1, f"conic: {full}"),
            ("datachannel", "<&- >&-", 0, ""),
        ):
            done = subprocess.run(
                ["bash", "-c", f"{CONIC} {arguments} {redirection}; exit $PIPESTATUS"],
                env={**environment(hub.uri), "GST_DEBUG": ""},
                capture_output=True,
                text=True,
                timeout=tap.seconds(20),
                check=False,
            )
            self.assertEqual((done.returncode, done.stderr), (code, words), arguments + redirection)


class Completion(CliTest):
    def setUp(self):
        super().setUp()
        self.hub = peers.Conicd(self)
        somebody = Conic(
            self, "anna", "datachannel", "--id", "anna", hub=self.hub.uri, stdin=subprocess.PIPE
        )
        somebody.wait_line("“anna” at")
        with open(self.path("letter.wav"), "w", encoding="ascii") as file:
            file.write("dear")

    def check(self, shell, *setup):
        """Types at the shell, and looks at what Tab makes of it."""
        environment = {
            **peers.gst_environment(),
            "PATH": os.pathsep.join([os.path.dirname(CONIC), os.environ["PATH"]]),
            "PS1": "> ",
            "CONIC_HUB": self.hub.uri,
        }
        screen = Screen(self, shell[0], shell, env=environment)
        screen.wait_input(">")
        for line in (*setup, "PS1='ready> '"):
            screen.type(f"{line}\r")
        screen.wait_input("ready>")
        for typed, completed in (
            ("conic pee\t", "conic peers"),
            ("conic datachannel --do\t", "conic datachannel --downloads"),
            ("conic datachannel --role an\t", "conic datachannel --role answer"),
            ("conic audio-offer --wav let\t", "conic audio-offer --wav letter.wav"),
            ("conic call an\t", "conic call anna"),
        ):
            screen.type(typed)
            screen.wait_input(f"ready> {completed}")
            screen.type("\x15")
            screen.wait_input("ready>")
        screen.type("exit\r")
        screen.wait_exit()

    def test_bash(self):
        """bash completes subcommands, options, their values, files and peers"""
        self.check(["bash", "--norc"], f"source {COMPLETIONS}/conic.bash")

    def test_bash_runs_nothing(self):
        """What is proposed is never run, whoever made it up"""
        with open(self.path("conic"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho '$(touch proof)'\n")
        os.chmod(self.path("conic"), 0o755)
        done = subprocess.run(
            ["bash", "-c", f"source {COMPLETIONS}/conic.bash; COMP_LINE='./conic call ' COMP_POINT=13; "
             "_conic; printf '%s\\n' \"${COMPREPLY[@]}\""],
            cwd=self.directory, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.assertEqual(done.stdout, "$(touch proof)\n")
        self.assertFalse(os.path.exists(self.path("proof")))

    def test_zsh(self):
        """zsh does as well"""
        self.check(
            ["zsh", "-f"],
            f"fpath=({COMPLETIONS} $fpath)",
            "autoload -Uz compinit; compinit -u -D; unsetopt prompt_sp",
        )


class Installed(CliTest):
    def test_installed(self):
        """Installed elsewhere it finds its modules and the plugin"""
        subprocess.run(
            ["meson", "install", "-C", peers.BUILD, "--no-rebuild", "--quiet", "--destdir", self.path("root")],
            check=True, capture_output=True, timeout=tap.seconds(30),
        )  # fmt: skip
        found = [
            os.path.join(folder, "conic")
            for folder, _, names in os.walk(self.path("root"))
            if "conic" in names and folder.endswith("/bin")
        ]
        self.assertEqual(len(found), 1, found)
        code, text, _ = self.run_conic("help", program=found[0])
        self.assertEqual((code, text), self.run_conic("help")[:2])
        hub = peers.Conicd(self)
        # All but our own plugin is known already, which saves seconds.
        shutil.copy(peers.gst_environment()["GST_REGISTRY"], self.path("registry"))
        environment = {
            "GST_PLUGIN_PATH": "",
            "GST_REGISTRY": self.path("registry"),
            "CONIC_HUB": hub.uri,
        }
        code, text, errors = self.run_conic(
            "datachannel", "--id", "anna", program=found[0], env=environment
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("“anna”", text)


if __name__ == "__main__":
    tap.main()
