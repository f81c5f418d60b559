#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pressure.py BUILD: full rings, full queues and an empty mempool. Each is counted where it happens, to the unit; the
poll loops go on; every mbuf comes home. Needs root: it halts single lcores (ptrace) and makes links of its own."""
import ctypes
import os
import struct
import subprocess
import sys
import tempfile

from appliance import NO_HUGE, Appliance, Link, balances
from checks import Checks

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000       # __WALL: a thread's halt is reported, too
CONFIG = """\
profile: small
domain: energy
ports:
%s
listeners:
  - {udp: 47700, format: etd}
%s
rollup: {window: 1s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
sites:
  - {id: 1, name: one}
"""
PORT = "  - {port: 0, addresses: [10.9.0.2/24]}"
# Sends what it is told to, from the far end: ETD datagrams of one site without records.
SEND = """\
import socket, struct, sys
first, count, size = (int(word) for word in sys.argv[1:])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for seq in range(first, first + count):
    out.sendto(struct.pack("<4sBBHIHHIIQ", b"ETD1", 2, 0, 0, 1, 0, 0, 1700000000, seq, 0).ljust(size, b"\\0"),
               ("10.9.0.2", 47700))
"""


class Halted:
    """An lcore's thread stands still, and nothing else of the process does."""

    def __init__(self, appliance, lcore):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.thread = next(int(task) for task in os.listdir("/proc/%d/task" % appliance.process.pid)
                           if self.name(appliance, task).endswith("worker-%d" % lcore))

    @staticmethod
    def name(appliance, task):
        with open("/proc/%d/task/%s/comm" % (appliance.process.pid, task)) as comm:
            return comm.read().strip()

    def __enter__(self):
        if self.libc.ptrace(PTRACE_SEIZE, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        self.libc.ptrace(PTRACE_INTERRUPT, self.thread, None, None)
        os.waitpid(self.thread, WALL)

    def __exit__(self, *_):
        self.libc.ptrace(PTRACE_DETACH, self.thread, None, None)


def send(link, first, count, size=32):
    done = link.run("python3", "-c", SEND, str(first), str(count), str(size))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def eal(link, ring, lcores):
    return ["--no-pci", "--vdev=net_af_packet0,iface=%s,%s" % (link.near, ring), *NO_HUGE, "--lcores", lcores]


def etd(ledger):
    """Datagrams for the listener: all but what a link has of its own."""
    return sum(ledger["datagrams"][name] for name in ("accepted", "ring_full", "malformed", "duplicate", "stale"))


def queue(ledger, port=0):
    return ledger["nic"]["ports"][port]["queues"][0]


def check_stop(checks, what, appliance):
    code, last = appliance.stop()
    checks.equal("%s: exit code" % what, code, 0)
    checks.that("%s: the ledger balances at the end" % what, "ledger balanced" in last, last)
    checks.that("%s: every mbuf is back" % what, ", 0 of " in last and last.endswith(" mbufs out"), last)


def check_shown(checks, what, build, appliance, wanted):
    done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "ledger"], text=True,
                          capture_output=True, timeout=30, check=False)
    checks.that("%s: fleetctl ledger says so" % what, wanted in done.stdout, done.stdout + done.stderr)
    checks.that("%s: in 100 columns" % what, all(len(line) <= 100 for line in done.stdout.splitlines()), done.stdout)


def fill_a_ring(checks, build):
    """Lcore 1 receives, 2 owns and is halted: of more datagrams than its inbox holds, the rest is refused by the giver."""
    more = 'lcores: "1-2"\nreceive_only: [1]'
    with Link() as link:
        with Appliance(build, CONFIG % (PORT, more), eal(link, "framecnt=4096,blocksz=65536", "(0-2)@(0,1)")) as appliance:
            ring = appliance.get("ledger")["rings"]
            checks.equal("rings: only what an owner may get", [(r["from"], r["to"]) for r in ring], [(1, 2)])
            capacity = ring[0]["capacity"]
            beyond = 1000
            with Halted(appliance, 2):
                for first in range(1, capacity + beyond + 1, 500):     # each fills a cell, its head included
                    send(link, first, min(500, capacity + beyond + 1 - first))
                ledger = appliance.ledger_when(lambda now: now["rings"][0]["refused"] >= beyond, 10)
                checks.equal("ring: refused, by the giver", ledger["rings"],
                             [{"from": 1, "to": 2, "capacity": capacity, "high_water": capacity, "refused": beyond}])
                checks.equal("ring: the verdict", ledger["datagrams"]["ring_full"], beyond)
                checks.equal("ring: the rest is in flight", ledger["in_flight"], capacity)
                checks.that("ring: the ledger balances meanwhile", balances(ledger), ledger)
                polls = queue(ledger)["polls"]
                send(link, capacity + beyond + 1, 1)
                ledger = appliance.ledger_when(lambda now: now["rings"][0]["refused"] > beyond, 5)
                checks.equal("ring: the giver goes on and counts", ledger["rings"][0]["refused"], beyond + 1)
                checks.that("ring: it polls on", queue(ledger)["polls"] > polls, ledger)
                check_shown(checks, "ring", build, appliance, "ring lcore 1 to 2: 1,001 refused")
                metrics = appliance.text("/metrics")
                checks.that("ring: the metric", 'estream_ring_refused_total{from="1",to="2"} 1001\n' in metrics)
            ledger = appliance.ledger_when(lambda now: now["in_flight"] == 0, 5)
            checks.equal("ring: taken once the owner goes on", ledger["datagrams"]["accepted"], capacity)
            checks.equal("ring: nothing before us was lost", ledger["nic"]["missed"], 0)
            checks.that("ring: the ledger balances", balances(ledger), ledger)
            check_stop(checks, "ring", appliance)


def fill_a_queue(checks, build):
    """The only data lcore is halted: what the port's ring has no room for is missed; missed and received are what was sent."""
    sent = 3000
    with Link() as link:
        with Appliance(build, CONFIG % (PORT, ""), eal(link, "framecnt=512,blocksz=65536", "(0-1)@(0,1)")) as appliance:
            send(link, 1, 1)
            appliance.ledger_when(lambda now: now["datagrams"]["accepted"] == 1, 5)
            with Halted(appliance, 1):
                send(link, 2, sent)
                ledger = appliance.get("ledger")
                checks.that("queue: missed while it is full", ledger["nic"]["missed"] >= sent - 512, ledger["nic"])
                checks.equal("queue: nobody looked", ledger["datagrams"]["accepted"], 1)
            ledger = appliance.ledger_when(lambda now: etd(now) + now["nic"]["missed"] >= 1 + sent, 5)
            missed = ledger["nic"]["missed"]
            checks.that("queue: received and missed are what was sent, but for what the link has of its own",
                        1 + sent <= ledger["datagrams"]["received"] + missed and etd(ledger) >= 512 - 20 and
                        ledger["nic"]["ports"][0]["missed"] == missed, ledger)
            checks.that("queue: emptied in full bursts", queue(ledger)["full_bursts"] >= 512 // 64 - 1, queue(ledger))
            checks.equal("queue: its packets", queue(ledger)["packets"], ledger["datagrams"]["received"])
            checks.that("queue: the ledger balances", balances(ledger), ledger)
            check_shown(checks, "queue", build, appliance, "port 0 (net_af_packet0): ")
            metrics = appliance.text("/metrics")
            checks.that("queue: the metric", 'estream_nic_missed_total{port="0"} %d\n' % missed in metrics, missed)
            check_stop(checks, "queue", appliance)


def write_capture(path, packets):
    frame = b"\xff" * 6 + b"\x02" * 6 + b"\x08\x00" + b"\0" * 46
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        out.write((struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame) * packets)


def exhaust_a_pool(checks, build):
    """A capture that is played without end holds all mbufs but one: a frame can be received, and no answer be made."""
    ports = PORT + "\n  - {port: 1}"
    with tempfile.TemporaryDirectory() as folder, Link() as link:
        path = os.path.join(folder, "held.pcap")
        arguments = eal(link, "framecnt=512,blocksz=65536", "(0-1)@(0,1)")
        arguments += ["--vdev=net_pcap0,rx_pcap=%s,infinite_rx=1" % path]
        arguments[arguments.index("-m") + 1] = "400"
        write_capture(path, 1)
        with Appliance(build, CONFIG % (ports, ""), arguments) as appliance:
            size = appliance.get("ledger")["mempools"][0]["size"]
            appliance.stop()
        write_capture(path, size - 1)
        with Appliance(build, CONFIG % (ports, ""), arguments) as appliance:
            before = appliance.get("ledger")
            checks.that("pool: all but one are held", before["mempools"][0]["free"] <= 1, before["mempools"])
            done = link.run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "10.9.0.2")
            checks.that("pool: no answer comes", done.returncode != 0, done.stdout)
            ledger = appliance.ledger_when(lambda now: now["mempools"][0]["failed"] > 0, 5)
            pool, one = ledger["mempools"][0], ledger["nic"]["ports"][0]["queues"][0]
            checks.that("pool: answers failed", pool["failed"] >= 1, ledger)
            checks.equal("pool: where they failed", pool["failed"], one["unbuffered"])
            checks.equal("pool: as often as neighbours asked", one["unbuffered"], ledger["datagrams"]["neighbour"])
            checks.that("pool: its low water mark", pool["low_water"] <= 1, pool)
            checks.that("pool: polling goes on", one["polls"] > before["nic"]["ports"][0]["queues"][0]["polls"], one)
            checks.that("pool: the ledger balances", balances(ledger), ledger)
            check_shown(checks, "pool", build, appliance, "mempool esf-mbufs-0: ")
            check_stop(checks, "pool", appliance)


TESTS = (fill_a_ring, fill_a_queue, exhaust_a_pool)


def main(build, *names):
    checks = Checks()
    for test in TESTS:
        if os.geteuid() != 0:
            checks.skip(test.__name__, "not root")
        elif not names or test.__name__ in names:
            print("pressure: %s" % test.__name__, flush=True)
            test(checks, build)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
