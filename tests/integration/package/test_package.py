#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages, as people install them.

Shows that data/debian/build makes them and that lintian finds no fault; that what they install works
without a variable of the environment; that systemd starts, reloads, watches over and stops the daemon
from its unit; and that nothing is left when they are purged. Of the Containerfile it shows what can be
seen without a registry to get the image from that it begins with.
"""

import functools
import glob
import json
import os
import re
import shutil
import tempfile

from conictest import peers, tap, testroot
from conictest.testroot import run

# Where the packages are put in the root.
HERE = "/srv/packages"
PACKAGES = ("conicd", "conic-tools", "gstreamer1.0-conic")
BUILD_SECONDS = 400

# Compilers would hold up the tests beside this one that measure time: they get what those leave. Where
# the kernel groups processes by session, their niceness counts only within the group, which has its own.
IN_THE_GAPS = ("sh", "-c", 'echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 "$0" "$@"')

# What stays when packages are purged, by Debian's rules: the daemon's user, whose id isn't to become
# somebody else's, and what dpkg and apt themselves keep.
KEPT = re.compile(
    r"/etc/(passwd|shadow|group|gshadow)-?|/etc/\.pwd\.lock|/etc/ld\.so\.cache"
    r"|/var/lib/(apt|dpkg)/.*|/var/log/.*|/var/cache/(apt|man|ldconfig|debconf)/.*"
)


@functools.cache
def packages():
    """Builds the packages; returns their paths, and that of the file with their checksums."""
    directory = tempfile.mkdtemp(prefix="conic-packages-")
    run(
        *IN_THE_GAPS,
        os.path.join(peers.ROOT, "data", "debian", "build"),
        directory,
        timeout=BUILD_SECONDS,
        start_new_session=True,
    )
    (changes,) = glob.glob(directory + "/*.changes")
    return sorted(glob.glob(directory + "/*.deb")), changes


def man_pages():
    """The man pages that there are in the sources."""
    pages = os.listdir(os.path.join(peers.ROOT, "data", "man"))
    return sorted(page for page in pages if page[-1].isdigit())


def tearDownModule():
    if packages.cache_info().currsize:
        shutil.rmtree(os.path.dirname(packages()[1]))


class Case(tap.TestCase):
    limit = BUILD_SECONDS + 60

    def install(self, root):
        """Installs the packages there, with man pages even where dpkg is told to leave them out."""
        files = root.put(HERE, *packages()[0])
        root.run("dpkg", "--path-include=*", "--install", *files)

    def properties(self, root, *names, unit="conicd.service"):
        """What systemd says of a unit."""
        shown = root.run("systemctl", "show", unit, *(f"--property={name}" for name in names))
        found = dict(line.split("=", 1) for line in shown.splitlines())
        return tuple(found[name] for name in names)


class Built(Case):
    def test_lintian(self):
        """data/debian/build makes the packages, and lintian has neither an error nor a warning for them"""
        files, changes = packages()
        names = [os.path.basename(file).split("_")[0] for file in files]
        self.assertEqual(sorted(names), sorted(PACKAGES))
        found = run("lintian", "--allow-root", "--fail-on", "error,warning", changes)
        self.assertNotRegex(found, r"(?m)^[EW]:")

    def test_depends(self):
        """debian/control asks for every library and tool that apps/packages.txt builds with"""
        with open(os.path.join(peers.ROOT, "apps", "packages.txt"), encoding="utf-8") as file:
            listed = re.findall(r"(?m)^([a-z]\S+)\s+(?:module|header|command):", file.read())
        with open(os.path.join(peers.ROOT, "data", "debian", "control"), encoding="utf-8") as file:
            control = file.read()
        # What build-essential has, meson brings along, or only those need who run the elements.
        others = {"gcc", "libc6-dev", "ninja-build", "gstreamer1.0-tools"}
        asked = set(re.findall(r"(?m)^ ([a-z0-9.+-]+)", control.split("\n\n", 1)[0]))
        self.assertEqual(set(listed) - others - asked, set())

    def test_wrong_option(self):
        """data/debian/build says how it is used"""
        build = os.path.join(peers.ROOT, "data", "debian", "build")
        self.assertIn("Usage: data/debian/build", run(build, "--help"))
        self.assertIn("Usage: data/debian/build", run(build, "--frobnicate", ok=(2,)))


class Installed(Case):
    def test_programs(self):
        """Programs, elements, configuration and man pages are found, and purging leaves nothing behind"""
        root = testroot.Root(self)
        root.run(
            *("apt-get", "install", "--yes", "--no-install-recommends"),
            *("--option", "Dpkg::Options::=--path-include=*", *root.put(HERE, *packages()[0])),
        )
        self.assertIn("conicsink", root.run("gst-inspect-1.0", "conicsink"))
        configuration = "/etc/conic/conicd.conf"
        self.assertIn("in order", root.run("conicd", "--check-config", "--config", configuration))
        version = root.run("conicd", "--version").split()[-1]
        self.assertIn(version, root.run("conic", "--version"))
        for page in man_pages():
            name, section = page.rsplit(".", 1)
            self.assertIn("/usr/share/man/", root.run("man", "-w", section, name))
        self.assertIn("conicd:", root.read("/etc/passwd"))
        verified = root.run("systemd-analyze", "verify", "conicd.service", "conicd.socket")
        self.assertNotRegex(verified, "(?i)conic")

        root.run("dpkg", "--remove", *PACKAGES)
        self.assertTrue(os.path.exists(root.root + configuration))
        root.run("dpkg", "--purge", *PACKAGES)
        left = [path for path in root.changes() if not path.startswith(HERE + "/")]
        self.assertEqual([path for path in left if not KEPT.fullmatch(path)], [])
        for directory in ("/etc/conic", "/usr/share/conic", "/usr/share/doc/conicd"):
            self.assertFalse(os.path.exists(root.root + directory), directory)

    def test_without_systemd(self):
        """What the unit starts runs as its user where there is no systemd"""
        root = testroot.Root(self)
        self.install(root)
        unit = root.read(root.run("pkg-config", "--variable=systemdsystemunitdir", "systemd").strip()
                         + "/conicd.service")
        command, user = (re.search(rf"(?m)^{key}=(.*)$", unit).group(1) for key in ("ExecStart", "User"))
        daemon = root.process("conicd", ["setpriv", f"--reuid={user}", f"--regid={user}",
                                         "--clear-groups", "--no-new-privs", *command.split()])
        daemon.wait_line(r"ws://127\.0\.0\.1:3000/ws")
        root.run("curl", "--fail", "--silent", "http://127.0.0.1:3000/healthz")
        # Two pipelines talk, by elements that nobody told GStreamer of.
        address = 'local-addresses="<(string)127.0.0.1>"'
        receiver = root.process("receiver", ["sh", "-c", "exec gst-launch-1.0 -q --no-position"
                                f" conicsrc {address} name=r target-id=alice  r.data_chat ! fdsink"])
        sender = root.process("sender", ["sh", "-c", "echo hello | gst-launch-1.0 -q --no-position"
                              f" conicsink {address} name=s client-id=alice data_chat::lines=true"
                              "  fdsrc ! s.data_chat"])
        receiver.wait_line("^hello$", 30)
        self.assertEqual((sender.wait_exit(), receiver.wait_exit()), (0, 0))


class Booted(Case):
    limit = BUILD_SECONDS + 180

    def setUp(self):
        super().setUp()
        packages()
        self.root = testroot.Root(self)
        self.root.boot()
        self.install(self.root)

    def systemctl(self, *arguments):
        return self.root.run("systemctl", *arguments)

    def healthy(self):
        """Whether the daemon answers."""
        return self.root.run("curl", "--fail", "--silent", "http://127.0.0.1:3000/healthz") != ""

    def main_pid(self):
        return int(self.properties(self.root, "MainPID")[0])

    def test_unit(self):
        """systemd starts the daemon, reloads, restarts and watches over it, listens for it, and stops it at removal"""
        root = self.root
        state = self.properties(root, "ActiveState", "SubState", "UnitFileState", "User")
        self.assertEqual(state, ("active", "running", "enabled", "conicd"))
        self.assertEqual(self.properties(root, "UnitFileState", unit="conicd.socket"), ("disabled",))
        self.healthy()
        root.run("conic", "peers")
        first = self.main_pid()

        with self.subTest("the README's commands"):
            with open(os.path.join(peers.ROOT, "README.md"), encoding="utf-8") as file:
                blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", file.read())
            (block,) = [block for block in blocks if "systemctl" in block]
            said = [root.run("sh", "-c", re.sub("^sudo ", "", line)) for line in block.splitlines()]
            self.assertIn("active (running)", said[0])
            self.assertIn("The configuration was reloaded", said[-1])

        with self.subTest("reload"):
            root.write("/etc/conic/conicd.conf", "[limits]\nclients=7\n")
            self.systemctl("reload", "conicd")
            self.assertEqual(self.main_pid(), first)
            self.assertIn("conicd_connections_max 7", root.run("curl", "--silent", "http://127.0.0.1:3000/metrics"))

        with self.subTest("restart"):
            self.systemctl("restart", "conicd")
            self.assertNotEqual(self.main_pid(), first)
            self.healthy()

        with self.subTest("upgrade"):
            second = self.main_pid()
            self.install(root)
            self.assertNotEqual(self.main_pid(), second)
            self.assertIn("clients=7", root.read("/etc/conic/conicd.conf"))
            self.healthy()

        with self.subTest("watchdog"):
            root.write("/etc/systemd/system/conicd.service.d/test.conf",
                       "[Service]\nWatchdogSec=1\nTimeoutAbortSec=1\n")
            self.systemctl("daemon-reload")
            self.systemctl("restart", "conicd")
            # It is a child of what enters the root, which doesn't pass on that it is to stop.
            journal = root.process("journal", ["setpriv", "--pdeathsig=TERM", "journalctl",
                                               "--follow", "--lines=0", "--unit=conicd"])
            hung = self.main_pid()
            root.run("kill", "-STOP", str(hung))
            journal.wait_line("Watchdog timeout")
            journal.wait_line("Started conicd.service")
            journal.stop()
            self.assertNotEqual(self.main_pid(), hung)
            self.healthy()
            root.run("rm", "-r", "/etc/systemd/system/conicd.service.d")

        with self.subTest("conicd.socket"):
            self.systemctl("disable", "--now", "conicd.service")
            self.systemctl("start", "conicd.socket")
            self.assertEqual(self.main_pid(), 0)
            self.healthy()
            self.assertNotEqual(self.main_pid(), 0)

        root.run("dpkg", "--remove", *PACKAGES)
        self.assertEqual(self.properties(root, "ActiveState"), ("inactive",))
        root.run("curl", "--silent", "http://127.0.0.1:3000/healthz", ok=(7,))
        root.run("dpkg", "--purge", *PACKAGES)
        found = root.run("find", "/etc", "/var/lib", "/usr", "/lib/systemd", "-xdev", "-name", "*conic*")
        self.assertEqual(found, "")


class Container(Case):
    """data/Containerfile, instruction by instruction."""

    USER = 850

    def setUp(self):
        super().setUp()
        with open(os.path.join(peers.ROOT, "data", "Containerfile"), encoding="utf-8") as file:
            text = re.sub(r"(?m)^#.*\n", "", file.read()).replace("\\\n", " ")
        self.instructions = [line.split(None, 1) for line in text.splitlines() if line.strip()]

    def of(self, name):
        """What the instructions of that name say."""
        return [rest for instruction, rest in self.instructions if instruction == name]

    def test_sources(self):
        """What is copied is all that the build needs to be configured"""
        root = testroot.Root(self)
        sources = [rest.split() for rest in self.of("COPY") if not rest.startswith("--from")]
        for *names, target in sources:
            for name in names:
                path = os.path.join(peers.ROOT, name)
                if os.path.isdir(path):
                    shutil.copytree(path, os.path.join(root.root, "srv/src", target))
                else:
                    root.put("/srv/src", path)
        (build,) = [rest for rest in self.of("RUN") if rest.startswith("meson")]
        setup, install = build.split(" && ")
        self.assertTrue(install.strip().startswith("meson install"))
        root.run("sh", "-c", f"cd /srv/src && {setup.replace('/build', '/srv/build')}")

    def test_libraries(self):
        """The image has the libraries that the daemon is linked with"""
        (package,) = [file for file in packages()[0] if "/conicd_" in file]
        linked = re.findall(r"\b(lib[a-z0-9.+-]+) \(", run("dpkg-deb", "--field", package, "Depends"))
        # All others depend on the first two; the image is built without systemd's.
        others = {"libc6", "libglib2.0-0", "libsystemd0"}
        (install,) = [rest for rest in self.of("RUN") if "useradd" in rest]
        self.assertEqual(set(linked) - others, set(re.findall(r" (lib\S+)", install)))

    def test_command(self):
        """The command serves as a user who isn't root, and the health check sees whether it does"""
        root = testroot.Root(self)
        self.install(root)
        self.assertEqual(self.of("USER"), [str(self.USER)])
        argv = json.loads(self.of("ENTRYPOINT")[-1]) + json.loads(self.of("CMD")[-1])
        check = json.loads(self.of("HEALTHCHECK")[-1].split(" CMD ", 1)[1])
        user = ["setpriv", f"--reuid={self.USER}", f"--regid={self.USER}", "--clear-groups"]
        daemon = root.process("conicd", [*user, *argv])
        daemon.wait_line(r"ws://0\.0\.0\.0:3000/ws")
        root.run(*user, *check)
        root.run("curl", "--fail", "--silent", "http://127.0.0.1:3000/")
        self.assertEqual(daemon.stop(), 0)
        root.run(*user, *check, ok=(1,))


if __name__ == "__main__":
    testroot.main()
