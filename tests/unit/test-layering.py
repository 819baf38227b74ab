#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Shows that a layer sees no headers but those below it: a wrong include fails to compile.

    test-layering.py BUILD-DIRECTORY LAYER --may HEADER… --may-not HEADER…

For each header a file with nothing but its include is compiled with the very command that compiles
the layer's own sources. Headers under --may are the control: they must compile. Those under
--may-not must not be found, although they exist. Nor may a source of the layer reach for another
layer by a path with `..`. Prints TAP.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE_ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_command(build, layer):
    """The command that compiles one of the layer's sources, less what names its files."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if source.parent != SOURCE_ROOT / layer or source.suffix != ".c":
            continue
        words = shlex.split(entry["command"])
        kept = []
        while words:
            word = words.pop(0)
            if word in ("-o", "-MF", "-MQ"):
                words.pop(0)
            elif word not in ("-c", "-MD", entry["file"]):
                kept.append(word)
        return kept, entry["directory"]
    sys.exit(f"Bail out! no source of {layer} is compiled")


def try_include(command, directory, header):
    """Whether a file that includes the header compiles, and what the compiler says."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(f"#include <{header}>\n")
        source.flush()
        done = subprocess.run(
            command + ["-fsyntax-only", source.name],
            cwd=directory,
            env=os.environ | {"LC_ALL": "C"},
            capture_output=True,
            text=True,
        )
    return done.returncode == 0, done.stderr


def exists(header):
    """Whether there is such a header: that one which doesn't exist can't be included shows nothing."""
    system = pathlib.Path("/usr/include")
    places = list(SOURCE_ROOT.glob("daemon/*/")) + list(SOURCE_ROOT.glob("gst-plugin/*/"))
    places += [SOURCE_ROOT / "gst-plugin", system] + list(system.glob("*/"))
    return any((place / header).is_file() for place in places)


def find_climbers(layer):
    """Sources of the layer that include by a path that leaves it."""
    pattern = re.compile(r'^\s*#\s*include\s*["<][^">]*\.\./', re.MULTILINE)
    sources = (SOURCE_ROOT / layer).glob("*.[ch]")
    return [source.name for source in sources if pattern.search(source.read_text())]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("layer")
    parser.add_argument("--may", nargs="+", required=True)
    parser.add_argument("--may-not", nargs="+", required=True)
    options = parser.parse_args()

    command, directory = find_command(options.build, options.layer)
    results = []

    for header in options.may:
        compiled, said = try_include(command, directory, header)
        results.append((compiled, f"may include {header}", said))
    for header in options.may_not:
        compiled, said = try_include(command, directory, header)
        missing = "No such file or directory" in said or "file not found" in said
        there = exists(header)
        results.append((there, f"{header} exists", ""))
        results.append((not compiled and missing, f"cannot include {header}", said))
    climbers = find_climbers(options.layer)
    results.append((not climbers, "includes nothing by a path with ..", " ".join(climbers)))

    print(f"1..{len(results)}")
    for number, (passed, what, said) in enumerate(results, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {options.layer} {what}")
        if not passed:
            print("".join(f"# {line}\n" for line in said.splitlines()), end="")
    return 0 if all(passed for passed, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
