#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How near the appliance comes to its port's ceiling.

The same capture, on a net_pcap port with infinite_rx, through `dpdk-testpmd` rxonly and through
estream-fleetd, alternating, each on one lcore of its own. A capture that repeats is accepted once and is a
duplicate from then on: what is measured is frame, listener, decode, site lookup and dedup, not the
accumulation of values.

usage: bench/ceiling.py [BUILD_DIR] [--seconds S] [--repetitions N] [--no-huge]
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

URL = "http://127.0.0.1:18080/api/v1/ledger"
WORKLOADS = [  # name, fleetgen's arguments
    ("ETD, 1 record", ["--format", "etd", "--records", "1", "--count", "8192"]),
    ("ETD, 5 records", ["--format", "etd", "--count", "8192"]),
    ("ETD, 84 records", ["--format", "etd", "--records", "84", "--count", "2048"]),
    ("Influx, 1 line of 5 fields", ["--format", "influx", "--count", "8192"]),
]


def eal(capture, memory):
    return memory + ["--no-pci", "-l", "0,1", f"--vdev=net_pcap0,rx_pcap={capture},infinite_rx=1"]


def testpmd_mpps(capture, memory, seconds):
    process = subprocess.Popen(
        ["dpdk-testpmd", *eal(capture, memory), "--", "--forward-mode=rxonly", "--auto-start",
         "--stats-period=1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(seconds + 3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    rates = [int(rate) for rate in re.findall(r"Rx-pps:\s+(\d+)", output) if int(rate) > 0]
    return statistics.median(rates[1:]) / 1e6


def ledger():
    with urllib.request.urlopen(URL, timeout=5) as answer:
        return json.load(answer)


def wait_ready(process):
    for _ in range(100):
        try:
            return ledger()
        except OSError:
            if process.poll() is not None:
                sys.exit("estream-fleetd did not start:\n" + process.stdout.read())
            time.sleep(0.1)
    sys.exit("estream-fleetd was not ready within 10 s")


def fleetd_mpps(build, capture, memory, seconds, directory):
    path = os.path.join(directory, "config.yaml")
    with open(path, "w") as file:
        file.write(f"eal: {json.dumps(eal(capture, memory))}\nports: [{{port: 0}}]\n"
                   "listeners: [{udp: 47700, format: etd}, {udp: 8089, format: influx}]\n"
                   'http: {listen: "127.0.0.1:18080"}\nsites:\n')
        for i in range(1, 41):
            file.write(f"  - {{id: {i}, name: site-{i:03d}}}\n")
    process = subprocess.Popen([f"{build}/estream-fleetd", "run", "--config", path],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_ready(process)
        time.sleep(1)
        before, start = ledger(), time.monotonic()
        time.sleep(seconds)
        after, end = ledger(), time.monotonic()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    if not (before["balanced"] and after["balanced"]) or process.returncode != 0:
        sys.exit(f"the ledger did not balance or the stop was not clean: {after}")
    received = after["datagrams"]["received"] - before["datagrams"]["received"]
    return received / (end - start) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--no-huge", action="store_true")
    arguments = parser.parse_args()
    memory = ["--no-huge", "-m", "1024"] if arguments.no_huge else ["--in-memory"]
    print(f"{'workload':28} {'testpmd Mpps':>22} {'ours Mpps':>22} {'ratio':>6}")
    for name, options in WORKLOADS:
        with tempfile.TemporaryDirectory() as directory:
            capture = os.path.join(directory, "bench.pcap")
            subprocess.run([f"{arguments.build}/fleetgen", "pcap", "--out", capture, "--sites", "40",
                            "--start", str(int(time.time())), *options],
                           check=True, stdout=subprocess.DEVNULL)
            pairs = [(testpmd_mpps(capture, memory, arguments.seconds),
                      fleetd_mpps(arguments.build, capture, memory, arguments.seconds, directory))
                     for _ in range(arguments.repetitions)]
        columns = []
        for side in range(2):
            values = [pair[side] for pair in pairs]
            columns.append(f"{statistics.median(values):7.2f} ({min(values):.2f}-{max(values):.2f})")
        ratio = statistics.median(ours / theirs for theirs, ours in pairs)
        print(f"{name:28} {columns[0]:>22} {columns[1]:>22} {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
