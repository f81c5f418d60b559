#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paths.py BUILD: the same datagrams over two redundant paths, each a DPDK port of its own, with losses of its own: what came
on either is accepted, what came on both is a duplicate once, to the unit. Needs root.

paths.py --send HOST AT: sends what standard input has, JSON lists of [place, UDP port, hexadecimal], each in its place's time."""
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time

import oracle
import seal_interop
from appliance import NO_HUGE, Appliance, Link, Watch, balances
from checks import Checks
from live import RING, check_stop, nothing_else

S = 10 ** 9
SITES = 8           # the first half seals
DATAGRAMS = 900     # of each site and format: fewer than the sequence window holds
RATE = 4000         # places a second
LOSSES = (0.2, 0.35)
HOSTS = ("10.9.0.2", "10.9.0.3")
FORMATS = {"etd": 47700, "influx": 8089}
NOT_TELEMETRY = ("received", "neighbour", "extension_header", "not_ours")

CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
  - {port: 1, addresses: [10.9.0.3/24]}
listeners:
  - {udp: 47700, format: etd}
  - {udp: 8089, format: influx}
rollup: {window: 30s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
sites:
%s
"""


def key_of(site):
    return random.Random(site).randbytes(16)


def config(folder):
    rows = []
    for site in range(1, SITES + 1):
        seals = ""
        if site <= SITES // 2:
            path = os.path.join(folder, "%d.key" % site)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
                out.write(key_of(site).hex() + "\n")
            seals = ", require_seal: true, keys: [{id: 1, file: %s}]" % path
        rows.append("  - {id: %d, name: site-%d%s}" % (site, site, seals))
    return CONFIG % "\n".join(rows)


def etd_of(site, boot, seq, now):
    if seq == 1:
        plain = oracle.Etd(site, boot, seq, now, kind=oracle.BIRTH, body=[oracle.Birth(0, "thermal_margin")]).encode()
    else:
        plain = oracle.Etd(site, boot, seq, now, body=[oracle.Data(0, i, seq / 16) for i in range(3)]).encode()
    if site > SITES // 2:
        return plain
    header = bytearray(plain[:32])
    header[5] |= seal_interop.SEALED
    struct.pack_into("<H", header, 14, 1)
    return seal_interop.Python.seal([(key_of(site), bytes(header) + plain[32:])])[0]


def datagrams(now):
    """[(site, format, payload)] in the order in which they leave; each site's birth comes first."""
    made = []
    for seq in range(1, DATAGRAMS + 1):
        for site in range(1, SITES + 1):
            made.append((site, "etd", etd_of(site, now // S, seq, now)))
            line = "plant,site=site-%d thermal_margin=%s %d" % (site, seq / 8, now + seq * 1000)
            made.append((site, "influx", line.encode()))
    return made


def arrivals(made, loss, rng):
    """Which of them one path carries; each site's first ones always."""
    return {i for i in range(len(made)) if i < 2 * SITES or rng.random() >= loss}


def send(host, at):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for place, port, payload in json.load(sys.stdin):
            wait = float(at) + place / RATE - time.time()
            if wait > 0.001:
                time.sleep(wait)
            sender.sendto(bytes.fromhex(payload), (host, port))


def start_sender(link, host, at, made, carried):
    """It keeps to one CPU: a veth pair queues by the sender's CPU, and data that overtake their birth are refused."""
    command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), sys.executable, os.path.abspath(__file__), "--send", host, at]
    process = subprocess.Popen(link.inside(command), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    json.dump([[i, FORMATS[made[i][1]], made[i][2].hex()] for i in sorted(carried)], process.stdin)
    process.stdin.close()
    process.stdin = None
    return process


def finish(checks, process):
    try:
        said, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    checks.equal("a sender's exit code", (process.returncode, said), (0, ""))


def expected(made, carried, site=None):
    """Verdicts of datagrams and of records, of one site or of all. Births have no records, nor have refused datagrams."""
    either, both = carried[0] | carried[1], carried[0] & carried[1]
    mine = [i for i in range(len(made)) if site in (None, made[i][0])]
    records = [0 if i < 2 * SITES and made[i][1] == "etd" else 3 if made[i][1] == "etd" else 1 for i in mine]
    return {"datagrams": {"accepted": sum(i in either for i in mine), "duplicate": sum(i in both for i in mine)},
            "records": {"accepted": sum(count for i, count in zip(mine, records) if i in either)}}


def check_counts(checks, what, ledger, want):
    for kind, counts in want.items():
        checks.equal("%s: %s" % (what, kind), nothing_else(ledger[kind], NOT_TELEMETRY), counts)


def two_paths(checks, build, what, lcores, seed):
    with tempfile.TemporaryDirectory(prefix="esf-paths-") as folder, Link() as first, Link() as second:
        links, rng = (first, second), random.Random(seed)
        eal = ["--no-pci", "--lcores", lcores] + NO_HUGE
        eal += ["--vdev=net_af_packet%d,iface=%s,%s" % (i, link.near, RING) for i, link in enumerate(links)]
        with Appliance(build, config(folder), eal) as appliance:
            for link, host in zip(links, HOSTS):
                checks.equal("%s answers" % host, link.run("ping", "-c", "1", "-W", "2", host).returncode, 0)
            made = datagrams(time.time_ns())
            carried = [arrivals(made, loss, rng) for loss in LOSSES]
            want = expected(made, carried)
            at = str(time.time() + 1)
            with Watch(appliance) as watch:
                senders = [start_sender(link, host, at, made, some)
                           for link, host, some in zip(links, HOSTS, carried)]
                for sender in senders:
                    finish(checks, sender)
            total = sum(want["datagrams"].values())
            ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] + now["datagrams"]["duplicate"] >=
                                           total, 5)
            checks.equal("%s: sent" % what, sum(map(len, carried)), total)
            check_counts(checks, what, ledger, want)
            checks.that("%s: the ledger balances" % what, balances(ledger), ledger)
            checks.equal("%s: ledgers under load that did not balance" % what, watch.unbalanced, [])
            time.sleep(1)       # until the sites have published
            for site in range(1, SITES + 1):
                check_counts(checks, "%s: site %d" % (what, site), appliance.get("ledger?site=site-%d" % site),
                             expected(made, carried, site))
            check_stop(checks, what, appliance)


def main(build):
    checks = Checks()
    if os.geteuid() != 0 or seal_interop.AESGCM is None:
        checks.skip("redundant paths", "not root, or no Python cryptography")
        checks.finish()
    for what, lcores, seed in (("1 data lcore", "(0-1)@(0,1)", 1), ("2 data lcores", "(0-2)@(0,1)", 2)):
        print("paths: %s" % what, flush=True)
        two_paths(checks, build, what, lcores, seed)
    checks.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        send(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
