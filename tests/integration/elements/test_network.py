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

WIDTH, HEIGHT = 320, 240
ENOUGH = 30
INSIDE = "CONIC_TEST_IN_NAMESPACE"


class NoNetwork(tap.TestCase):
    limit = 60

    def test_pull(self):
        """Pictures pass where there is only the loopback"""
        peers.require_tools()
        addresses = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True, check=True)
        self.assertEqual({line.split()[1] for line in addresses.stdout.splitlines()}, {"lo"})
        hub = peers.Conicd(self)
        camera = peers.Launch(
            self,
            "camera",
            f"videotestsrc is-live=true ! conicsink client-id=camera uri={hub.uri}",
        )
        camera.wait_message("conic-registered")
        _, pipe = peers.watch_video(
            self,
            "viewer",
            f"conicsrc target-id=camera uri={hub.uri} ! videoconvert !"
            f" video/x-raw,format=RGB,width={WIDTH},height={HEIGHT} ! fdsink fd={{fd}}",
            WIDTH * HEIGHT * 3,
            lambda frame: media.smpte_error(media.rgb(frame, WIDTH, HEIGHT)),
        )
        pipe.wait_frames(ENOUGH, 40)


if __name__ == "__main__":
    if INSIDE in os.environ:
        tap.main()
    else:
        os.environ[INSIDE] = "1"
        script = 'ip link set lo up && exec "$0" "$@"'
        os.execvp("unshare", ["unshare", "-rn", "sh", "-c", script, sys.executable, *sys.argv])
