# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root to install things in: this machine's files, with all changes in memory.

What is installed on the machine is installed there, too; whatever is written there is gone at the end
of the case, and can be listed. It runs single commands, or is booted with systemd. Its network is a
loopback and nothing else.

Only a program whose `__main__` calls `main()` may have one: it needs namespaces of its own, and root.
"""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys

from . import tap
from .process import Process

_INSIDE = "CONIC_TEST_IN_NAMESPACE"
_UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
# How a root is made, to see whether that works here.
_TRY = (
    "mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root && ip link set lo up"
    " && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root"
)
# What commands there see of the environment.
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


def main():
    """Runs the cases of the program's own file where roots can be made; skips it where they can't."""
    if _INSIDE in os.environ:
        run("ip", "link", "set", "lo", "up")
        tap.main()
        return
    allowed = subprocess.run(
        [*_UNSHARE, "sh", "-c", _TRY], capture_output=True, text=True, check=False
    )
    if allowed.returncode != 0 or os.geteuid() != 0:
        tap.skip_all(f"nothing can be mounted here: {allowed.stderr.strip() or 'not root'}")
        return
    os.environ[_INSIDE] = "1"
    # The shell is there to wait for whatever has lost its parent: a first process has to.
    os.execvp("unshare", [*_UNSHARE, "sh", "-c", '"$0" "$@"; exit $?', sys.executable, *sys.argv])


def run(*argv, ok=(0,), timeout=60, **kwargs):
    """Runs a command to its end; returns what it printed, and fails if its status isn't in `ok`."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=tap.seconds(timeout),
        **kwargs,
    )
    if done.returncode not in ok:
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Root:
    """A root that is there until the end of the case. `lower` is what it begins with."""

    MOUNTED = {"proc": "proc", "run": "tmpfs", "tmp": "tmpfs", "dev": "tmpfs"}

    def __init__(self, case, lower="/"):
        self.case = case
        base = case.path("overlay")
        self.root, self.upper = os.path.join(base, "root"), os.path.join(base, "upper")
        os.mkdir(base)
        run("mount", "-t", "tmpfs", "none", base)
        case.addCleanup(run, "umount", "--lazy", base)
        for name in (self.root, self.upper, os.path.join(base, "work")):
            os.mkdir(name)
        options = f"lowerdir={lower},upperdir={self.upper},workdir={base}/work"
        run("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        case.addCleanup(run, "umount", "--lazy", self.root)
        self._enter = ("chroot", self.root)
        for target, kind in self.MOUNTED.items():
            run("mount", "-t", kind, kind, os.path.join(self.root, target))
        for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            path = os.path.join(self.root, "dev", name)
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            os.chmod(path, 0o666)

    def run(self, *argv, **kwargs):
        """Runs a command there; see run()."""
        return run(*self._enter, *argv, env=_ENVIRONMENT, **kwargs)

    def process(self, name, argv, **kwargs):
        """Starts a command there."""
        env = [f"{key}={value}" for key, value in _ENVIRONMENT.items()]
        return Process(self.case, name, [*self._enter, "env", "-i", *env, *argv], **kwargs)

    def put(self, path, *files):
        """Copies files of the machine into a directory there; returns where they are."""
        os.makedirs(self.root + path, exist_ok=True)
        return [path + "/" + os.path.basename(shutil.copy(file, self.root + path)) for file in files]

    def write(self, path, text):
        """Writes a file there."""
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        """The text of a file there."""
        with open(self.root + path, encoding="utf-8") as file:
            return file.read()

    def changes(self):
        """The files that were written there and still exist, and the links, as absolute paths."""
        found = []
        for directory, _, files in os.walk(self.upper):
            for name in files:
                path = os.path.join(directory, name)
                # A file that overlayfs hides is a character device there.
                if not stat.S_ISCHR(os.lstat(path).st_mode):
                    found.append(path[len(self.upper) :])
        return sorted(found)

    def boot(self):
        """Has systemd start there, up to basic.target: the machine's own services stay off."""
        for target in self.MOUNTED:
            run("umount", "--lazy", os.path.join(self.root, target))
        # It isn't to take itself for the machine, nor for a container where no service may start.
        self.write("/etc/machine-id", "")
        self.run("rm", "--force", "/usr/sbin/policy-rc.d")
        groups = _Groups(self.case)
        booted = _Booted(self.case, self.root, groups.enter)
        self.case.addCleanup(booted.end)
        self._enter = booted.enter


class _Groups:
    """A control group for what is booted, which vanishes with it; systemd-nspawn makes others in it."""

    HIERARCHIES = {"name=systemd": "/sys/fs/cgroup/systemd", "": "/sys/fs/cgroup/unified"}

    def __init__(self, case):
        self._paths = []
        with open("/proc/self/cgroup", encoding="ascii") as file:
            for _, hierarchy, path in (line.rstrip("\n").split(":", 2) for line in file):
                if hierarchy not in self.HIERARCHIES:
                    continue
                top = self.HIERARCHIES[hierarchy]
                if not os.path.isdir(top):
                    top = "/sys/fs/cgroup"
                self._paths.append(f"{top}{path.rstrip('/')}/conic-test-{os.getpid()}-{id(case)}")
        for path in self._paths:
            os.mkdir(path)
        case.addCleanup(self._remove)

    @property
    def enter(self):
        """What goes before a command that is to run in it."""
        moves = "".join(f"echo 0 >{path}/cgroup.procs && " for path in self._paths)
        return ("sh", "-c", moves + 'exec "$0" "$@"')

    def _remove(self):
        for path in self._paths:
            for directory, _, _ in os.walk(path, topdown=False):
                os.rmdir(directory)


class _Booted(Process):
    """systemd in a root, from when it is up. What is to stop in order there is stopped by the case."""

    def __init__(self, case, root, within):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        case.addCleanup(notify.close)
        notify.bind(case.path("notify"))
        notify.settimeout(tap.seconds(30))
        super().__init__(
            case,
            "systemd",
            [
                *("systemd-nspawn", "--quiet", "--boot", "--directory", root),
                *("--private-network", "--register=no", "--keep-unit", "--notify-ready=yes"),
                *("--console=read-only", "systemd.unit=basic.target"),
            ],
            env={"NOTIFY_SOCKET": notify.getsockname()},
            within=within,
        )
        said = ""
        try:
            while "READY=1" not in said.splitlines():
                said += notify.recv(4096).decode() + "\n"
        except TimeoutError:
            raise AssertionError("systemd doesn't start") from None
        leader = re.search(r"(?m)^X_NSPAWN_LEADER_PID=(\d+)$", said).group(1)
        self.enter = ("nsenter", "--all", "--target", leader)

    def stop(self, timeout=20):
        """Switches it off. An orderly end takes long, and nothing of it is kept."""
        if self.running:
            self.ended_by_us = True
            subprocess.run([*self.enter, "systemctl", "--force", "--force", "halt"], check=False)
        return self.wait_exit(timeout)
