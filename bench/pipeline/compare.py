#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline beside its ports' ceiling: see bench/README.md. bench/pipeline.sh calls it."""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile

import workloads

HEADER = (f"{'workload':41} {'capture':>9} {'testpmd':>7} {'stamped':>7} {'ours, Mpps':>19} {'ratio':>5} {'net':>5} "
          f"{'Mrec/s':>7} {'cyc/dg':>6} {'cyc/rec':>7} {'stamp':>5}  accepted of received")


def eal(material, huge):
    """Main lcore first, on a CPU of its own as far as CPUs go."""
    cpus = sorted(os.sched_getaffinity(0))
    lcores = range(material.workload.lcores + 1)
    places = ",".join(f"{lcore}@{cpus[lcore % len(cpus)]}" for lcore in lcores)
    device = f"net_pcap0,{','.join([f'rx_pcap={material.capture}'] * material.workload.queues)},infinite_rx=1"
    memory = ["--in-memory"] if huge else ["--no-huge", "-m", "768"]
    return [*memory, "--no-pci", "--lcores", places, "--main-lcore", "0", f"--vdev={device}"]


def testpmd_mpps(material, huge, seconds):
    queues = material.workload.queues
    command = ["dpdk-testpmd", *eal(material, huge), "--", "--forward-mode=rxonly", "--auto-start",
               "--stats-period=1", "--burst=64", f"--rxq={queues}", f"--txq={queues}", f"--nb-cores={queues}",
               f"--total-num-mbufs={16384 + queues * 16384}"]
    rates = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:
        try:
            for text in process.stdout:
                found = re.search(r"Rx-pps:\s+(\d+)", text)
                if found and int(found.group(1)) > 0:
                    rates.append(int(found.group(1)))
                if len(rates) > max(seconds, 1):
                    break
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    if len(rates) < 2:
        sys.exit("received nothing: " + " ".join(command))
    return statistics.median(rates[1:]) / 1e6


def bench(arguments, material, config, drain=False):
    workload = material.workload
    command = [f"{arguments.build}/pipeline-bench", "--config", config, "--capture", material.capture,
               "--seconds", str(arguments.seconds)]
    if material.births:
        command += ["--births", material.births]
    if workload.duplicate_every:
        command += ["--duplicate-every", str(workload.duplicate_every)]
    command += ["--drain"] if drain else ["--warm-up", str(workload.warm_up_s)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{workload.name}: pipeline-bench ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def repetition(arguments, material, config, huge):
    ceiling = testpmd_mpps(material, huge, arguments.seconds)
    stamped = bench(arguments, material, config, drain=True)["window"]
    ours = bench(arguments, material, config)
    window = ours["window"]
    cycles = window["cycles"] * ours["lcores"] - window["stamp_cycles"]
    net = window["judged"] / (window["cycles"] - window["stamp_cycles"] / ours["lcores"]) * ours["tsc_hz"] / 1e6
    mpps = window["judged"] / window["seconds"] / 1e6
    return {
        "testpmd_mpps": ceiling,
        "stamped_mpps": stamped["stamped"] / stamped["seconds"] / 1e6,
        "mpps": mpps,
        "ratio": mpps / ceiling,
        "net_ratio": net / ceiling,
        "records_per_s": window["records"] / window["seconds"],
        "cycles_per_datagram": cycles / window["judged"],
        "cycles_per_record": cycles / max(window["records"], 1),
        "stamp_cycles": window["stamp_cycles"] / window["stamped"],
        "total": ours["total"],
    }


def add_up(counts):
    total = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def faults(row, repetitions, workload):
    """What makes the row worthless, whatever its speed."""
    found = []
    for name in row["refused"]:
        if name not in workload.refusals:
            found.append(f"datagrams refused: {name} {row['refused'][name]}")
    for name in row["refused_records"]:
        if name not in workload.refusals:
            found.append(f"records refused: {name} {row['refused_records'][name]}")
    if row["accepted"] + sum(row["refused"].values()) != row["received"]:
        found.append("received is not what became of it")
    for each in repetitions:
        if not each["total"]["balanced"]:
            found.append("the ledger does not balance")
        if each["total"]["mbufs_in_use"]:
            found.append(f"mbufs not given back: {each['total']['mbufs_in_use']}")
    return found


def summarise(arguments, workload, material, repetitions):
    row = {"workload": workload.name, "title": workload.title}
    for key in ("testpmd_mpps", "stamped_mpps", "mpps", "ratio", "net_ratio", "records_per_s", "cycles_per_datagram",
                "cycles_per_record", "stamp_cycles"):
        row[key] = statistics.median(each[key] for each in repetitions)
    totals = [each["total"] for each in repetitions]
    for key in ("mpps", "testpmd_mpps"):
        values = [each[key] for each in repetitions]
        row["spread" if key == "mpps" else "testpmd_spread"] = [min(values), max(values)]
    row["received"] = sum(total["received"] for total in totals)
    row["accepted"] = sum(total["accepted"] for total in totals)
    for key, name in (("datagrams", "refused"), ("records", "refused_records")):
        row[name] = add_up(total[key] for total in totals)
        row[name].pop("accepted", None)
    row["events_dropped"] = sum(total["events_dropped"] for total in totals)
    row.update(sites=workload.sites, lcores=workload.lcores, capture_datagrams=material.count,
               capture_bytes=material.payload_size, repetitions=len(repetitions), seconds=arguments.seconds,
               hugepages=arguments.huge)
    row["faults"] = faults(row, repetitions, workload)
    return row


def line(row):
    spread = f"{row['mpps']:.2f} ({row['spread'][0]:.2f}-{row['spread'][1]:.2f})"
    refused = ", ".join(f"{name} {100 * count / row['received']:.1f}%" for name, count in row["refused"].items())
    told = f"all {row['received']}" if row["accepted"] == row["received"] else \
        f"{row['accepted']} of {row['received']}: {refused}"
    capture = f"{row['capture_datagrams']}x{row['capture_bytes'] // row['capture_datagrams']}"
    return (f"{row['title']:41} {capture:>9} {row['testpmd_mpps']:7.2f} {row['stamped_mpps']:7.2f} {spread:>19} {row['ratio']:5.2f} "
            f"{row['net_ratio']:5.2f} {row['records_per_s'] / 1e6:7.2f} {row['cycles_per_datagram']:6.0f} "
            f"{row['cycles_per_record']:7.1f} {row['stamp_cycles']:5.0f}  {told}")


def run(arguments, workload):
    with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        material = workloads.Material(workload, arguments.build, folder)
        config = material.write_config(eal(material, arguments.huge))
        repetitions = [repetition(arguments, material, config, arguments.huge)
                       for _ in range(arguments.repetitions)]
    return summarise(arguments, workload, material, repetitions)


def parse():
    names = [workload.name for workload in workloads.WORKLOADS]
    parser = argparse.ArgumentParser(prog="bench/pipeline.sh", description=__doc__.splitlines()[0],
                                     epilog="workloads: " + " ".join(names))
    parser.add_argument("--build", default="build", help="folder of the binaries")
    parser.add_argument("--workloads", default=",".join(names), help="which of them, with commas between")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--no-huge", dest="huge", action="store_false", help="on ordinary pages")
    parser.add_argument("--json", action="store_true", help="the rows as a JSON list")
    arguments = parser.parse_args()
    chosen = arguments.workloads.split(",")
    for name in chosen:
        if name not in names:
            parser.error(f'--workloads: got "{name}", want some of {" ".join(names)}')
    arguments.chosen = [workload for workload in workloads.WORKLOADS if workload.name in chosen]
    return arguments


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    if not arguments.json:
        print(HEADER, flush=True)
    for workload in arguments.chosen:
        rows.append(run(arguments, workload))
        if not arguments.json:
            print(line(rows[-1]), flush=True)
        for fault in rows[-1]["faults"]:
            print(f"FAILED: {workload.name}: {fault}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    return 1 if any(row["faults"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
