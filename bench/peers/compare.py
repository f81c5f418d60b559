#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same lines over the same veth pair to the appliance and to its peers: see bench/README.md. bench/peers.sh calls it."""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import receivers
import statsd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
from appliance import Link  # noqa: E402

SCENARIO = """\
seed: 5
sites: {count: %d, name: "s-{n}", regions: [all]}
kpis:
  - {name: availability, base: 0.995, noise: 0.001}
  - {name: thermal_margin, base: 60, noise: 0.5}
  - {name: output_ratio, base: 0.98, noise: 0.004}
"""
STATSD_SCENARIO = """\
seed: 5
sites: {count: 1, name: "s-{n}", regions: [all]}
kpis:
"""
ALL = {**receivers.ALL, **statsd.ALL}
LINES = 15
SETTLES_S = 30
LOSS_MAX = 0.1  # beyond it no higher rate is tried
HEADER = (f"{'receiver':16} {'datagrams/s':>11} {'reached':>8} {'lines offered':>13} {'delivered':>10} {'lost':>9} "
          f"{'lost %':>6} {'CPU s':>7} {'CPU s/M lines':>13} {'busy s/M lines':>14}")


def spoken(arguments, kind, rate):
    """The scenario, the port and fleetgen's options. StatsD's counters rise by 1 at each turn of the one site."""
    if kind.format == "influx":
        return SCENARIO % arguments.sites, 8089, ["--format", "influx", "--lines", str(LINES)]
    kpis = "".join(f"  - {{name: {name}, type: counter, base: {rate}, noise: 0, spread: 0}}\n" for name in statsd.NAMES)
    return STATSD_SCENARIO + kpis, statsd.PORT, ["--format", "statsd", "--no-tags"]


def send(arguments, link, folder, kind, rate):
    path = os.path.join(folder, "scenario.yaml")
    scenario, port, options = spoken(arguments, kind, rate)
    with open(path, "w", encoding="ascii") as out:
        out.write(scenario)
    cpu = str(min(os.sched_getaffinity(0)))
    command = ["taskset", "-c", cpu, os.path.join(arguments.build, "fleetgen"), "send", "--to", f"10.9.0.2:{port}",
               *options, "--scenario", path, "--rate", str(rate),
               "--count", str(int(rate * arguments.seconds)), "--json"]
    done = subprocess.run(link.inside(command), stdout=subprocess.PIPE, text=True, check=False,
                          timeout=60 + 20 * arguments.seconds)
    if done.returncode != 0:
        raise RuntimeError(f"fleetgen ended with {done.returncode}")
    return json.loads(done.stdout)


def settled(receiver):
    """CPU time, and our lcores' busy time, when its count of lines last changed."""
    last, spent, since = receiver.lines(), (receiver.cpu_s(), receiver.busy_s()), time.monotonic()
    end = since + SETTLES_S
    while time.monotonic() < min(since + receiver.still_s, end):
        time.sleep(0.1)
        now, lines = (receiver.cpu_s(), receiver.busy_s()), receiver.lines()
        if lines != last:
            last, spent, since = lines, now, time.monotonic()
    return spent


def step(arguments, kind, rate):
    """One receiver, new, at one rate."""
    with tempfile.TemporaryDirectory(prefix="esf-peers-") as folder, Link() as link:
        if kind.kernel_address:
            subprocess.run(["ip", "address", "add", "10.9.0.2/24", "dev", link.near], check=True)
        with kind(arguments, folder, link) as receiver:
            time.sleep(1)
            # So that the sender knows the receiver's hardware address: what it sends before is not the receiver's to lose.
            link.run("ping", "-n", "-c", "1", "-W", "2", "10.9.0.2")
            before, cpu_before, busy_before = receiver.lines(), receiver.cpu_s(), receiver.busy_s()
            summary = send(arguments, link, folder, kind, rate)
            cpu_s, busy_s = settled(receiver)
            delivered = receiver.stored() - before
            wrong = receiver.finish()
    offered = summary["records"] // kind.fields
    cpu_s -= cpu_before
    each = {"cpu_s": cpu_s, "cpu_s_per_million": cpu_s / delivered * 1e6 if delivered else None,
            "busy_s_per_million": (busy_s - busy_before) / delivered * 1e6 if delivered and busy_s is not None else None}
    return {"receiver": kind.name, "rate": rate, "reached": summary["datagrams"] / summary["seconds"],
            "offered": offered, "delivered": delivered, "lost": offered - delivered, **each,
            "wrong": wrong}


def show(row):
    each, busy = ("-" if row[key] is None else f"{row[key]:.2f}" for key in ("cpu_s_per_million", "busy_s_per_million"))
    print(f"{ALL[row['receiver']].title:16} {row['rate']:11} {row['reached']:8.0f} {row['offered']:13} "
          f"{row['delivered']:10} {row['lost']:9} {100 * row['lost'] / row['offered']:6.2f} {row['cpu_s']:7.2f} "
          f"{each:>13} {busy:>14}", flush=True)


def best(rows, name, of="cpu_s_per_million"):
    """The fewest seconds a line of all its rates that lost no more than LOSS_MAX."""
    return min((row[of] for row in rows if row["receiver"] == name and row[of] and
                row["lost"] <= LOSS_MAX * row["offered"]), default=None)


def ratios(rows):
    """Each peer's CPU seconds a line beside ours: {peer: {ours: times}}, each at its best; and beside our busy time."""
    found = {}
    for kinds in (receivers.ALL, statsd.ALL):
        own = {name: best(rows, name) for name, kind in kinds.items() if issubclass(kind, receivers.Ours)}
        busy = [best(rows, name, "busy_s_per_million") for name in own]
        own["busy"] = min((each for each in busy if each), default=None)
        for name in kinds.keys() - own.keys():
            theirs = best(rows, name)
            if theirs and any(own.values()):
                found[name] = {mine: theirs / each for mine, each in own.items() if each}
    return found


def measure(arguments):
    rows = []
    for name in arguments.peers:
        kind = ALL[name]
        if not issubclass(kind, receivers.Ours) and not kind.program():
            print(f"skipped: {kind.title}: not installed", file=sys.stderr)
            continue
        for rate in arguments.rates:
            rows.append(step(arguments, kind, rate))
            if not arguments.json:
                show(rows[-1])
            if rows[-1]["lost"] > LOSS_MAX * rows[-1]["offered"]:
                break
    return rows


def parsed():
    parser = argparse.ArgumentParser(prog="bench/peers.sh")
    parser.add_argument("--peers", default=",".join(ALL), type=lambda text: text.split(","),
                        help="of " + ", ".join(ALL))
    parser.add_argument("--rates", default="1000,5000,20000,50000,100000", help="datagrams a second, rising",
                        type=lambda text: [int(one) for one in text.split(",")])
    parser.add_argument("--seconds", default=4.0, type=float)
    parser.add_argument("--sites", default=40, type=int)
    parser.add_argument("--rmem", default=33554432, type=int, help="socket buffers, bytes (0: the machine's)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--build", default="build")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.peers if name not in ALL]
    if unknown:
        parser.error(f"--peers: got \"{unknown[0]}\", want some of {', '.join(ALL)}")
    return arguments


def main():
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if not arguments.json:
        print(HEADER)
    rows = measure(arguments)
    if arguments.json:
        print(json.dumps({"rows": rows, "ratios": ratios(rows)}))
    else:
        for name, times in ratios(rows).items():
            said = ", ".join(f"{each:.1f} x {ALL[mine].title if mine in ALL else 'our lcore in busy passes'}"
                             for mine, each in times.items())
            print(f"{ALL[name].title}: CPU seconds a line, each at its best: {said}")
    wrong = [f"{row['receiver']} at {row['rate']}: {row['wrong']}" for row in rows if row["wrong"]]
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
