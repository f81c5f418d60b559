#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gate.py BUILD: instructions a datagram takes in each workload, beside those on record. Times nothing.

gate.py BUILD --record        puts what it counted on record, in instructions.json
gate.py BUILD --profile WORKLOAD FILE    leaves callgrind's profile, for callgrind_annotate

Each workload is a check: it fails when a datagram takes over 10% more instructions than on record. Fewer are a gain that
wants to be recorded, so that it can't be lost again unseen; they fail nothing.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
WORKLOADS = ["etd1", "etd84", "influx3x15"]
SLACK = 0.10
TOLD = 0.01  # a gain of less is not worth a word


def count(build, workload, profile):
    """Instructions a datagram and a record, and the compiler; what gate-bench runs outside gate_run is not in it."""
    command = ["valgrind", "--tool=callgrind", "--toggle-collect=gate_run*", f"--callgrind-out-file={profile}",
               os.path.join(build, "gate-bench"), workload]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected or int(collected.group(1)) == 0:
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr[-2000:]}")
    told = json.loads(run.stdout)
    datagram = int(collected.group(1)) / told["datagrams"]
    return {"datagram": round(datagram, 1), "record": round(datagram / told["records"], 1)}, told["compiler"]


def judge(workload, now, before, compilers):
    """True unless it got worse than the slack allows."""
    change = now["datagram"] / before["datagram"] - 1
    print(f"{workload:12} {now['datagram']:10.1f} {now['record']:10.1f} {before['datagram']:12.1f} {change:+8.1%}")
    if change > SLACK:
        print(f"FAILED: {workload}: a datagram takes {now['datagram']} instructions, {change:.1%} more than the "
              f"{before['datagram']} on record (allowed: {SLACK:.0%}). Find what made it dearer (--profile), or, where "
              "it is worth that, record it with --record and say why.")
        if compilers[0] != compilers[1]:
            print(f"This is by compiler {compilers[0]}, the record by {compilers[1]}.")
    elif change < -TOLD:
        print(f"{workload}: a gain. Record it with --record, so that it stays.")
    return change <= SLACK


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--profile", nargs=2, metavar=("WORKLOAD", "FILE"))
    options = parser.parse_args()
    if options.profile:
        print(count(options.build, *options.profile)[0])
        return 0
    counted = {}
    with tempfile.TemporaryDirectory() as folder:
        for workload in WORKLOADS:
            counted[workload], compiler = count(options.build, workload, os.path.join(folder, workload))
    if options.record:
        with open(RECORD, "w", encoding="utf-8") as file:
            json.dump({"compiler": compiler, "instructions": counted}, file, indent=2)
            file.write("\n")
    with open(RECORD, encoding="utf-8") as file:
        record = json.load(file)
    print(f"{'workload':12} {'a datagram':>10} {'a record':>10} {'on record':>12} {'change':>8}")
    compilers = compiler, record["compiler"]
    good = sum(judge(name, counted[name], record["instructions"][name], compilers) for name in WORKLOADS)
    print(f"{good} passed, {len(WORKLOADS) - good} failed")
    return 0 if good == len(WORKLOADS) else 1


if __name__ == "__main__":
    sys.exit(main())
