#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a million learned sites cost in memory.

Writes a capture of N sites (a birth of 6 KPIs, then a datagram of 6 records in each of 3 windows, all of which stay open), runs it
through estream-fleetd on a net_pcap port with `unknown_sites: learn`, and prints resident memory every 5 s and its peak. Needs
about 0.7 GB of disk for a million sites, no hugepages and no NIC.

usage: bench/million.py [BUILD_DIR] [--sites N] [--seconds S]
"""
import argparse
import json
import os
import struct
import subprocess
import tempfile
import time
import urllib.request

KPIS = 6
WINDOWS = 3
URL = "http://127.0.0.1:18099/api/v1/ledger"
CONFIG = """profile: xlarge
domain: custom
ingestion: full
unknown_sites: learn
kpis: [{kpis}]
eal: ["--no-pci", "--no-huge", "-m", "1200", "--file-prefix=million", "-l", "0,1", "--vdev=net_pcap0,rx_pcap={capture}"]
ports: [{{port: 0}}]
listeners: [{{udp: 47700, format: etd}}]
http: {{listen: "127.0.0.1:18099"}}
"""


def packet(time_ns, payload):
    udp = struct.pack(">HHHH", 5555, 47700, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, b"\x0a\x09\0\x01", b"\x0a\x09\0\x02")
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + ip[12:]
    frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + udp
    return struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9, len(frame), len(frame)) + frame


def write_capture(path, sites, start):
    names = [b"k%d" % i for i in range(KPIS)]
    births = b"".join(struct.pack("<HBBBB", i, 0, len(n), 0, 0) + n for i, n in enumerate(names))
    data = b"".join(struct.pack("<HBBid", i, 0, 0, 0, 0.9 + i) for i in range(KPIS))
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for turn in range(WINDOWS + 1):
            when = (start + max(0, turn - 1) * 10) * 10**9
            for site in range(1, sites + 1):
                head = b"ETD1" + struct.pack("<BBHIHHIIq", 1 if turn == 0 else 2, 0, KPIS, site, 0, 0,
                                             start - 1000, turn + 1, when + site)
                out.write(packet(when, head + (births if turn == 0 else data)))


def memory_mib(process):
    with open(f"/proc/{process.pid}/status") as lines:
        return {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}


def accepted():
    try:
        with urllib.request.urlopen(URL, timeout=4) as answer:
            return json.load(answer)["records"]["accepted"]
    except OSError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--sites", type=int, default=1000000)
    parser.add_argument("--seconds", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture, config = os.path.join(folder, "sites.pcap"), os.path.join(folder, "million.yaml")
        start = (int(time.time()) + 60) // 10 * 10
        write_capture(capture, arguments.sites, start)
        kpis = ", ".join("{name: k%d, good: [0.5, null], warn: [0.2, null], crit: [0.1, null], weight: 0.2}" % i
                         for i in range(KPIS))
        with open(config, "w") as out:
            out.write(CONFIG.format(kpis=kpis, capture=capture))
        process = subprocess.Popen([os.path.join(arguments.build, "estream-fleetd"), "run", "--config", config])
        try:
            for second in range(5, arguments.seconds + 1, 5):
                time.sleep(5)
                if process.poll() is not None:
                    break
                print(second, "s:", memory_mib(process), "MiB, records accepted:", accepted(), flush=True)
        finally:
            process.terminate()
            process.wait(60)
    return process.returncode


if __name__ == "__main__":
    raise SystemExit(main())
