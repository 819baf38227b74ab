#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts test cases over meson's logs and prints them as `N passed, N failed, N skipped`.

Usage: count.py LOG.json…           (what `meson test --logbase` leaves in meson-logs/)
       count.py --again LOG.json    names the programs of a log that are to have a second run

Integration tests are about time: pictures and sound that have to arrive as they are played. Beside
others on a small machine one may be late, so a program of theirs that failed runs once more by
itself. LOG-again.json holds those runs; they count instead of the first ones, and it is said which.
A crash, a critical or a sanitizer's finding is no matter of time and has no second run.

A test program that speaks TAP counts each of its cases, any other counts as one. A program that
crashed, timed out or ran fewer cases than it planned counts one failure more than the cases it
reported. What a fuzz target has been through is printed as well. The exit status is 1 when something
failed, when a log is missing, or when there was nothing to count.
"""

import json
import re
import sys

CASE = re.compile(
    r"^(not )?ok\b[ \t]*(?:\d+)?[ \t]*(?:- )?(.*?)(?:[ \t]+#[ \t]*(SKIP|TODO)\b(.*))?$", re.I
)
# What libFuzzer says at its end, on standard error.
EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.M)
# What no second run makes good.
FATAL = re.compile(
    r"Sanitizer|runtime error:|CRITICAL|core dumped|Segmentation fault|objects leaked"
    r"|\(status -(?!2\b|9\b|15\b)\d+\)"
)
INTEGRATION = ":integration / "
OUTCOMES = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def cases(record):
    """The (name, outcome) of each case of one record of the log."""
    found = []
    for line in record.get("stdout", "").splitlines():
        match = CASE.match(line)
        if not match:
            continue
        bad, name, directive, _ = match.groups()
        if directive and directive.upper() == "SKIP":
            outcome = "skipped"
        elif bad and not directive:
            outcome = "failed"
        else:
            outcome = "passed"
        found.append((name or "?", outcome))
    whole = OUTCOMES.get(record["result"], "failed")
    if not found:
        found.append(("", whole))
    elif whole == "failed" and not any(outcome == "failed" for _, outcome in found):
        found.append(
            (f"{record['result'].lower()} (exit status {record.get('returncode')})", "failed")
        )
    return found


def load(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log if line.strip()]


def may_run_again(record):
    """Whether it failed in a way that the machine may be to blame for."""
    text = record.get("stdout", "") + record.get("stderr", "")
    return (
        INTEGRATION in record["name"]
        and OUTCOMES.get(record["result"]) is None
        and not FATAL.search(text)
    )


def name_again(path):
    for record in load(path):
        if may_run_again(record):
            print(record["name"].rsplit(" / ", 1)[-1])


def with_second_runs(path, records, remarks):
    """The records of a log, with those of second runs in the place of the first."""
    try:
        again = {record["name"]: record for record in load(path.removesuffix(".json") + "-again.json")}
    except OSError:
        return records
    for name, record in again.items():
        remarks.append(f"again: {name} failed beside others; by itself: {record['result']}")
    return [again.get(record["name"], record) for record in records]


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    remarks = []
    if sys.argv[1:2] == ["--again"]:
        name_again(sys.argv[2])
        return
    for path in sys.argv[1:]:
        try:
            records = with_second_runs(path, load(path), remarks)
        except OSError as error:
            counts["failed"] += 1
            remarks.append(f"failed: no log of the run: {error}")
            continue
        label = path.rsplit("/", 1)[-1].removesuffix(".json")
        for record in records:
            fuzzed = EXECUTIONS.search(record.get("stderr", ""))
            if fuzzed:
                remarks.append(f"{record['name']}: {int(fuzzed[1]):,} inputs")
            for name, outcome in cases(record):
                counts[outcome] += 1
                if outcome != "passed":
                    remarks.append(
                        f"{outcome}: {label}: {record['name']}{': ' if name else ''}{name}"
                    )
    if not any(counts.values()):
        counts["failed"] = 1
        remarks.append("failed: no test ran")
    print("\n".join(remarks))
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
