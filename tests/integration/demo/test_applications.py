#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The applications of docs/applications.md compile without a warning and do what the page says.

The driver gets pictures, and an answer to the order that it gives over its data channel; the robot tells who is
there and what they get; the driver ends when the robot says goodbye; and a second robot ends with an error.
"""

import os
import re
import signal

from conictest import netns, peers, tap
from conictest.process import Process

PAGE = os.path.join(peers.ROOT, "docs", "applications.md")


class Applications(tap.TestCase):
    limit = 60

    def start(self, name, command):
        """A command as a shell runs it in the directory of the programs, until Ctrl-C."""
        environment = {**peers.gst_environment(), "PATH": f"/usr/bin:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
        command = f"cd {self.directory} && exec {command}"
        return Process(self, name, ["bash", "-c", command], env=environment, stop_signal=signal.SIGINT)

    def test_page(self):
        """The robot in C and its driver in Python, built and started as the page says"""
        peers.Conicd(self, 3000)
        with open(PAGE, encoding="utf-8") as file:
            page = file.read()
        for program in re.findall(r"```(?:c|python)\n(.*?)```", page, re.S):
            name = re.search(r"\w+\.(?:c|py)(?=:)", program)[0]
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(program)
        compile_robot, run_robot, run_driver = re.search(r"```sh\n(.*?)```", page, re.S)[1].splitlines()

        compiler = self.start("compiler", compile_robot)
        self.assertEqual(compiler.wait_exit(30), 0)
        self.assertEqual([line.text for line in compiler.lines], [])

        robot = self.start("robot", run_robot)
        robot.wait_line("On the hub as robot")
        driver = self.start("driver", run_driver)
        driver.wait_line("Answer: done: forward")
        robot.wait_line("Order: forward")
        robot.wait_line(r"\w+ gets [1-9]\d* kbit/s")

        second = self.start("second", run_robot)
        second.wait_line("Error: Could not register .*robot")
        self.assertEqual(second.wait_exit(), 1)

        self.assertEqual(robot.stop(), 0)
        self.assertEqual(driver.wait_exit(), 0)
        self.assertRegex(driver.transcript(), r"[1-9]\d* pictures")


if __name__ == "__main__":
    netns.main()
