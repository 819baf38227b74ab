#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What operators are given beside the program says what the program does.

The man pages name every option, key and default; the alerts and the dashboard name only metrics that a running
conicd exports, and the alerts fire when they should; docs/operating.md names every metric, close code and line of the
log. Each is compared with the program itself or with its sources.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import urllib.request

from conictest import tap
from conictest.peers import CONICD, ROOT, Conicd
from conictest.process import Process

DATA = os.path.join(ROOT, "data")

# What Prometheus adds by itself.
OWN_METRICS = {"up"}

# Words of PromQL and labels in its expressions that look like names of metrics.
METRIC = re.compile(r"\b(?:conicd|process)_[a-z_]+\b")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def run(*argv, **kwargs):
    """The output of a command that has to succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def exported(case):
    """The names of all samples that a running conicd exports."""
    hub = Conicd(case)
    with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/metrics", timeout=tap.seconds(10)) as response:
        text = response.read().decode()
    return set(re.findall(r"(?m)^([a-z_]+)", re.sub(r"(?m)^#.*$", "", text)))


class DocsTest(tap.TestCase):
    def test_lint(self):
        """The man pages are without a fault to mandoc and to man"""
        for page in ("conicd.8", "conicd.conf.5"):
            path = os.path.join(DATA, "man", page)
            found = subprocess.run(["mandoc", "-T", "lint", path], capture_output=True, text=True, check=False).stdout
            # They are not installed where this runs.
            faults = [line for line in found.splitlines() if "referenced manual not found" not in line]
            self.assertEqual(faults, [])

    def test_options(self):
        """conicd(8) has exactly the options that --help prints, of conicd and of conicd token"""
        told = set()
        for command in ([CONICD], [CONICD, "token"]):
            told |= set(re.findall(r"(?m)^  (?:-\w, )?--([a-z-]+)", run(*command, "--help")))
        page = read("data", "man", "conicd.8").split(".Sh SIGNALS")[0]
        documented = {flag for line in page.splitlines() if line.startswith(".It ")
                      for flag in re.findall(r"Fl Fl ([a-z-]+)", line)}
        self.assertEqual(documented, told)

    def test_keys(self):
        """conicd.conf(5) has exactly the keys of the example configuration, in its groups, with its defaults"""
        wanted, group = {}, None
        for line in read("data", "conicd.conf").splitlines():
            if line.startswith("["):
                group = line[1:-1]
            elif match := re.match(r"#([a-z-]+)=(.*)", line):
                wanted[group, match[1]] = match[2]
        documented = {}
        for line in read("data", "man", "conicd.conf.5").splitlines():
            if match := re.match(r"\.Ss Group (\w+)", line):
                group = match[1]
            elif match := re.match(r"\.It Ic ([a-z-]+) Ns =(?: Ns Ar (\S+))?$", line):
                documented[group, match[1]] = match[2] or ""
        self.assertEqual(documented, wanted)

    def test_named_metrics(self):
        """Alerts, dashboard and operating.md name no metric that isn't exported, and operating.md names them all"""
        there = exported(self)
        self.assertGreater(len(there), 20)
        dashboard = json.loads(read("data", "grafana", "conicd.json"))
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(expressions), 20)
        for name, text in (("dashboard", "\n".join(expressions)),
                           ("alerts", re.sub(r"(?m)^\s*(#|rule_files).*$", "", read("data", "prometheus", "conicd.rules.yml")))):
            with self.subTest(name):
                self.assertEqual(set(METRIC.findall(text)) - there, set())
        families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in there}
        self.assertEqual(set(METRIC.findall(read("docs", "operating.md"))) - families - there, set())
        self.assertEqual(families - set(METRIC.findall(read("docs", "operating.md"))), set())

    def test_alerts(self):
        """promtool takes the rules, and the alerts fire when they should and not before"""
        run("promtool", "check", "rules", os.path.join(DATA, "prometheus", "conicd.rules.yml"))
        run("promtool", "test", "rules", os.path.join(ROOT, "tests", "integration", "daemon", "alerts.test.yml"))

    def test_expressions(self):
        """Every expression of the dashboard is PromQL to promtool"""
        dashboard = json.loads(read("data", "grafana", "conicd.json"))
        rules = []
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
                rules.append({"record": f"panel:{panel['id']}:{target['refId']}".lower(), "expr": expression})
        path = self.path("rules.yml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        run("promtool", "check", "rules", path)

    def test_commands(self):
        """The commands of operating.md's sh blocks do what they say, in their order, on a machine without the hub's files"""
        os.mkdir(self.path("etc"))
        shutil.copy(os.path.join(DATA, "conicd.conf"), self.path("etc"))
        environment = {**os.environ, "PATH": f"{os.path.dirname(CONICD)}:{os.environ['PATH']}"}
        hub, ports, ran = None, {}, 0
        for block in re.findall(r"(?m)^```sh\n(.*?)^```$", read("docs", "operating.md"), re.M | re.S):
            for command in block.splitlines():
                command = command.replace("/etc/conic/", self.path("etc/"))
                for port, found in ports.items():
                    command = command.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{found}/")
                ran += 1
                if not re.match(r"conicd(?! token| --version| --check-config)", command):
                    run("bash", "-c", command, env=environment, cwd=self.directory)
                    continue
                if hub:
                    hub.stop()
                # Its own choice of ports, for the documented ones may be taken.
                command = command.replace("127.0.0.1:9180", "127.0.0.1:0") + " --listen 127.0.0.1:0"
                hub = Process(self, f"hub-{ran}", ["bash", "-c", f"exec {command}"], env=environment)
                ports["3000"] = hub.wait_line(r"ws://127\.0\.0\.1:(\d+)").group(1)
                if "--metrics-listen" in command:
                    ports["9180"] = hub.wait_line(r"http://127\.0\.0\.1:(\d+)").group(1)
        self.assertGreater(ran, 8)

    def test_log_lines(self):
        """operating.md explains every line that the daemon's sources can log"""
        guide = re.sub(r"\s+", " ", read("docs", "operating.md"))
        calls = re.compile(r"(?:g_(?:message|warning|info|debug)|conic_log_client)\s*\((?:[^\"();]|\([^()]*\))*?((?:\"[^\"]*\"\s*)+)")
        found = 0
        for path in glob.glob(os.path.join(ROOT, "daemon", "**", "*.c"), recursive=True):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
            for match in calls.finditer(text):
                line = "".join(re.findall(r"\"([^\"]*)\"", match[1]))
                # Its parts between what is put in when it is logged; “%s” alone says nothing.
                parts = [part.strip() for part in re.split(r"%[a-z]+", line)]
                for part in [part for part in parts if len(part) > 3]:
                    found += 1
                    with self.subTest(os.path.relpath(path, ROOT)):
                        self.assertTrue(part in guide, f"operating.md lacks “{part}”")
        self.assertGreater(found, 10)

    def test_close_codes(self):
        """operating.md and protocol.md explain every close code that is counted, protocol.md every error code"""
        codes = re.findall(r"\d{4}", re.search(r"conic_transport_closes\[.*?\{(.*?)\}", read("daemon", "transport",
                           "conic-transport.c"), re.S)[1])
        self.assertGreater(len(codes), 8)
        for page in ("operating.md", "protocol.md"):
            for code in codes:
                self.assertTrue(re.search(rf"(?m)^\|[^|]*\b{code}\b", read("docs", page)), f"{page} lacks {code}")
        errors = re.findall(r"= \"([a-z_]+)\",", read("daemon", "protocol", "conic-error.c"))
        self.assertGreater(len(errors), 10)
        for code in errors:
            self.assertTrue(f"| `{code}` |" in read("docs", "protocol.md"), f"protocol.md lacks {code}")


if __name__ == "__main__":
    tap.main()
