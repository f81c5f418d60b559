#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The highest offered rate without loss: see bench/ndr/README.md. bench/ndr.sh calls it."""
import argparse
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipeline"))
import workloads  # noqa: E402

TRIALS_MAX = 16         # of the search
FINALS_MAX = 8          # of the last, long trial, each 3% below the one before
CLOSE = 1.02            # the search ends where loss and no loss are so near
PRIME_PPS = 5000        # for the births
SETTLE_S = 5            # for what is under way, at most
NAMES = ("etd1", "etd8", "etd84")
NOTE = ("not a real NIC: shared memory (net_memif) between two processes; the generator on one CPU, which the appliance's\n"
        "control threads share, the appliance's lcore on another. offered, refused by the port, received, accepted:")


def free_tcp_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Appliance:
    """The real estream-fleetd on a memif port, and its ledger."""

    def __init__(self, arguments, material, memif, http):
        self.url = f"http://127.0.0.1:{http}/api/v1/ledger"
        self.said = material.path("said")
        cpus = sorted(os.sched_getaffinity(0))
        memory = ["--in-memory"] if arguments.huge else ["--no-huge", "-m", "768"]
        config = material.write_config([*memory, "--no-pci", "--lcores", f"0@{cpus[0]},1@{cpus[-1]}", "--main-lcore", "0",
                                        f"--vdev=net_memif0,role=server,{memif}"])
        with open(self.said, "wb") as out:
            self.process = subprocess.Popen([f"{arguments.build}/estream-fleetd", "run", "--config", config],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.config = config

    def output(self):
        with open(self.said, encoding="utf-8", errors="replace") as text:
            return text.read()

    def wait(self):
        for _ in range(300):
            if "\nready: " in "\n" + self.output():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit("the appliance did not start:\n" + self.output())

    def ledger(self):
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            ledger = json.load(answer)
        counts = dict(ledger["datagrams"])
        if not ledger["balanced"] or counts.pop("received") != sum(counts.values()) + ledger["in_flight"]:
            sys.exit(f"the ledger does not balance: {ledger}")
        return ledger

    def settled(self, received):
        """The ledger, once so many were received and nothing is under way, or no more come."""
        end = time.monotonic() + SETTLE_S
        while True:
            ledger = self.ledger()
            if ledger["datagrams"]["received"] >= received and ledger["in_flight"] == 0 or time.monotonic() > end:
                return ledger
            time.sleep(0.1)

    def stop(self):
        """What was wrong with its end, or nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "the appliance had to be killed"
        last = (self.output().splitlines() or [""])[-1]
        return "" if code == 0 and "ledger balanced" in last else f"the appliance ended with {code}: {last}"


class Generator:
    def __init__(self, arguments, material, memif, config):
        cpu = sorted(os.sched_getaffinity(0))[0]
        command = [f"{arguments.build}/ndr-generator", "--no-huge", "--no-shconf", "-m", "256", "--no-pci", "--no-telemetry",
                   "--log-level=error", "--lcores", f"0@{cpu}", f"--vdev=net_memif0,role=client,{memif}", "--",
                   "--config", config, "--capture", material.capture, "--births", material.births]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait(self):
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        sys.exit("the generator did not start")

    def send(self, pps, count):
        self.process.stdin.write(f"{pps} {count}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the generator ended before its time")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        try:
            return "" if self.process.wait(timeout=10) == 0 else "the generator failed"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "the generator had to be killed"


def trial(appliance, generator, pps, seconds):
    before = appliance.ledger()["datagrams"]
    row = generator.send(pps, max(int(pps * seconds), 1))
    after = appliance.settled(before["received"] + row["sent"])["datagrams"]
    row.update(pps=pps, offered_pps=row["offered"] / row["seconds"])
    for name in ("received", "accepted"):
        row[name] = after[name] - before[name]
    row["lossless"] = row["offered"] == row["sent"] == row["received"] == row["accepted"]
    row["held"] = row["offered_pps"] > 0.99 * pps
    return row


def good(row):
    """Nothing lost, and offered as fast as asked."""
    return row["lossless"] and row["held"]


def show(arguments, what, row):
    if not arguments.json:
        print(f"{what:8} {row['pps']:>9} {row['offered_pps']:>11.0f} {row['seconds']:>8.2f} {row['offered']:>11} {row['refused']:>9} "
              f"{row['received']:>11} {row['accepted']:>11}  "
              f"{'no loss' if good(row) else 'loss' if not row['lossless'] else 'too slow'}", flush=True)


def search(arguments, run):
    """The rows; the last is the result."""
    low, high, pps, rows = 0, None, arguments.max_pps, []
    while len(rows) < TRIALS_MAX and (high is None or high > CLOSE * max(low, 1)):
        rows.append(run("search", pps, arguments.trial_seconds))
        if good(rows[-1]):
            low = pps
            if pps == arguments.max_pps:
                break
        else:
            high = pps
        pps = (low + high) // 2
    if low == 0:
        return rows
    for _ in range(FINALS_MAX):
        rows.append(run("final", low, arguments.seconds))
        if good(rows[-1]):
            break
        low = int(low * 0.97)
    return rows


def measure(arguments, folder):
    http = free_tcp_port()
    workload = next(each for each in workloads.WORKLOADS if each.name == arguments.workload)
    workload = dataclasses.replace(workload, config={**workload.config, "http": {"listen": f"127.0.0.1:{http}"}})
    material = workloads.Material(workload, arguments.build, folder)
    memif = f"id=0,socket={folder}/memif.sock,socket-abstract=no,bsize=2048,rsize=11"
    appliance, generator, faults = Appliance(arguments, material, memif, http), None, []
    try:
        appliance.wait()
        generator = Generator(arguments, material, memif, appliance.config)
        generator.wait()

        def run(what, pps, seconds):
            row = trial(appliance, generator, pps, seconds)
            show(arguments, what, row)
            return {"trial": what, **row}

        primed = run("births", PRIME_PPS, max(1, 4 * workload.sites / PRIME_PPS))
        if not primed["lossless"]:
            sys.exit(f"lost at {PRIME_PPS} a second already: {primed}")
        rows = search(arguments, run)
    finally:
        faults += [generator.stop()] if generator else []
        faults += [appliance.stop()]
    return rows, [fault for fault in faults if fault]


def parse():
    parser = argparse.ArgumentParser(prog="bench/ndr.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="folder of the binaries")
    parser.add_argument("--workload", default="etd8", choices=NAMES)
    parser.add_argument("--trial-seconds", type=float, default=3, help="of each trial of the search")
    parser.add_argument("--seconds", type=float, default=60, help="of the final trial")
    parser.add_argument("--max-pps", type=int, default=8000000, help="where the search begins")
    parser.add_argument("--no-huge", dest="huge", action="store_false", help="the appliance on ordinary pages")
    parser.add_argument("--json", action="store_true", help="the trials as a JSON list, the result last")
    return parser.parse_args()


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not arguments.json:
        print(NOTE)
        print(f"{'trial':8} {'asked pps':>9} {'offered pps':>11} {'seconds':>8} {'offered':>11} {'refused':>9} {'received':>11} "
              f"{'accepted':>11}")
    with tempfile.TemporaryDirectory(prefix="ndr-") as folder:
        rows, faults = measure(arguments, folder)
    found = rows[-1]["trial"] == "final" and good(rows[-1])
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif found:
        print(f"NDR {arguments.workload}: {rows[-1]['pps']} datagrams a second for {rows[-1]['seconds']:.1f} s, none lost")
    for fault in faults + ([] if found else ["no rate without loss was found"]):
        print(f"FAILED: {fault}", file=sys.stderr)
    return 0 if found and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
