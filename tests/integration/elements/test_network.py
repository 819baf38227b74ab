#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two peers on a machine that has no network but its loopback.

Shows that they still reach each other: the program starts itself again in a network namespace of
its own, where nothing but the loopback is up.
"""

import os
import subprocess
import sys

from conictest import media, peers, tap

ENOUGH = 30
INSIDE = "CONIC_TEST_IN_NAMESPACE"


class NoNetwork(peers.HubTest):
    def test_pull(self):
        """Pictures pass where there is only the loopback"""
        addresses = subprocess.run(
            ["ip", "-o", "address"], capture_output=True, text=True, check=True
        )
        self.assertEqual({line.split()[1] for line in addresses.stdout.splitlines()}, {"lo"})
        self.launch("camera", "videotestsrc is-live=true ! conicsink client-id=camera")
        _, pipe = self.watch("viewer", f"conicsrc target-id=camera ! {media.RGB}")
        pipe.wait_frames(ENOUGH, 40)


if __name__ == "__main__":
    if INSIDE in os.environ:
        tap.main()
    else:
        os.environ[INSIDE] = "1"
        script = 'ip link set lo up && exec "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "sh", "-c", script, sys.executable, *sys.argv])
