#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clients.py BUILD: clients that others wrote (hot-shots), and the plainest ones, against the appliance on a DPDK port.
Everything they send must be in the ledger under its verdict, and in the window it was sent in. Needs root.

clients.py --send HOST PORT AT: sends the datagrams (a JSON list of texts on standard input) at a Unix time."""
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from appliance import NO_HUGE, ROOT, Appliance, Link, Sender, balances
from checks import Checks

WINDOW_S = 2
FLEETGEN_SITES = 10
HOT_SHOTS_VALUES = 2000
PAYLOAD_MAX = 1400
PORTS = {"statsd": 8125, "influx": 8089}
GAUGES = ("thermal_margin", "tank_level", "cycle_ms")
SITES = {"hot-shots": ("hot-1", "hot-2", "hot-3"), "statsd": ("py-1", "py-2"), "influx": ("line-1", "line-2")}
SOURCE_SITE = "by-address"      # of whom lines are that name no site
NOT_REFUSALS = ("received", "accepted", "neighbour", "extension_header", "not_ours")

CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24, "fd00:9::2/64"]}
listeners:
  - {udp: 8089, format: influx}
  - {udp: 8125, format: statsd}
rollup: {window: %ds, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
normalise:
  - {match: "^starts$", kpi: starts, type: counter}
  - {match: "(^|[.])tank_level$", kpi: tank_level}
  - {match: "(^|[.])cycle_ms$", kpi: cycle_ms}
kpis:
  - {name: starts, unit: 1/s, weight: 0}
  - {name: tank_level, unit: m, weight: 0}
  - {name: cycle_ms, unit: ms, weight: 0}
sites:
%s
"""


def config():
    names = [name for group in SITES.values() for name in group]
    names += ["site-%03d" % i for i in range(1, FLEETGEN_SITES + 1)]
    rows = ["  - {id: %d, name: %s}" % item for item in enumerate(names, 1)]
    rows.append("  - {id: 900, name: %s, addresses: [10.9.0.1]}" % SOURCE_SITE)
    return CONFIG % (WINDOW_S, "\n".join(rows))


class Book:
    """What a client sent, by site: verdicts, the samples of gauges, the increases of counters, the levels of gauges."""

    def __init__(self):
        self.verdicts, self.samples, self.increases, self.levels = {}, {}, {}, {}

    def refuse(self, site, verdict):
        of_site = self.verdicts.setdefault(site, {})
        of_site[verdict] = of_site.get(verdict, 0) + 1

    def sample(self, site, kpi, value):
        self.refuse(site, "accepted")
        self.samples.setdefault((site, kpi), []).append(value)

    def level(self, site, kpi, value, change=False):
        value += self.levels.get((site, kpi), 0.0) if change else 0.0
        self.levels[site, kpi] = value
        self.sample(site, kpi, value)

    def increase(self, site, kpi, value):
        self.refuse(site, "accepted")
        self.increases[site, kpi] = self.increases.get((site, kpi), 0.0) + value

    def total(self):
        whole = {}
        for of_site in self.verdicts.values():
            for verdict, count in of_site.items():
                whole[verdict] = whole.get(verdict, 0) + count
        return whole


def hot_shots_calls(book, rng):
    calls = []
    for i in range(HOT_SHOTS_VALUES):
        site = SITES["hot-shots"][i % 3]
        kind = i // 3 % 8
        value = rng.randrange(1, 10 ** 6) / 10 ** rng.randrange(7)
        if kind == 0:
            calls.append(("gauge", "tank_level", value, site))
            book.level(site, "tank_level", value)
        elif kind == 1:
            change = value if i % 2 else -value
            calls.append(("gaugeDelta", "tank_level", change, site))
            book.level(site, "tank_level", change, change=True)
        elif kind in (2, 3):
            calls.append(("increment" if kind == 2 else "decrement", "starts", i % 7 + 1, site))
            book.increase(site, "starts", (i % 7 + 1) * (1 if kind == 2 else -1))
        elif kind in (4, 5):
            calls.append((("timing", "histogram", "distribution")[i % 3], "cycle_ms", value, site))
            book.sample(site, "cycle_ms", value)
        elif kind == 6:
            calls.append(("set", "cycle_ms", "member-%d" % i, site))
            book.refuse(site, "not_numeric")
        else:
            calls.append(("gauge", "nobody.knows", value, site))
            book.refuse(site, "unmapped")
    return calls


def statsd_lines(book, rng):
    lines = []
    for i in range(400):
        site = SITES["statsd"][i % 2]
        value = rng.randrange(10 ** 5) / 1000
        for line in ("thermal_margin:%s|g|#env:test,site:%s" % (value, site), "starts:3|c|@0.25|#site:%s" % site,
                     "cycle_ms:%s:%s:7|ms|#site:%s" % (value, value + 1, site), "tank_level:%s|g" % value,
                     "tank_level:-0.5|g", "nobody.knows:1|c|#site:%s" % site, "thermal_margin:nan|g|#site:%s" % site,
                     "cycle_ms:anna|s|#site:%s" % site):
            lines.append(line)
        book.level(site, "thermal_margin", value)
        book.increase(site, "starts", 3 / 0.25)
        for timing in (value, value + 1, 7.0):
            book.sample(site, "cycle_ms", timing)
        book.level(SOURCE_SITE, "tank_level", value)
        book.level(SOURCE_SITE, "tank_level", -0.5, change=True)
        for verdict in ("unmapped", "not_finite", "not_numeric"):
            book.refuse(site, verdict)
    return lines


def influx_lines(book, rng, begin):
    """The window's times; every fifth line carries none."""
    lines = []
    for i in range(600):
        site = SITES["influx"][i % 2]
        margin, level = rng.randrange(10 ** 5) / 1000, rng.randrange(100)
        stamp = " %d" % ((begin + 0.1) * 10 ** 9 + i * 10 ** 6) if i % 5 else ""
        line = 'plant,site=%s,unit=a\\ b thermal_margin=%s,tank_level=%di,cycle_ms="slow",odd=1%s' % (
            site, margin, level, stamp)
        lines.append(line)
        book.sample(site, "thermal_margin", margin)
        book.sample(site, "tank_level", float(level))
        book.refuse(site, "not_numeric")
        book.refuse(site, "unmapped")
        if stamp and i % 3 == 0:
            lines.append(line)
            book.refuse(site, "duplicate")
    return lines


def packed(lines, bad, book, verdict):
    """Datagrams of these lines, as full as they get, each with a line that is refused whole."""
    datagrams, batch, size = [], [], 0
    for line in lines + [None]:
        if batch and (line is None or size + len(line) + 1 > PAYLOAD_MAX - len(bad)):
            datagrams.append("\n".join(batch + [bad]))
            book.refuse(None, verdict)
            batch, size = [], 0
        if line is not None:
            batch.append(line)
            size += len(line) + 1
    return datagrams


def send(host, port, at):
    datagrams = json.load(sys.stdin)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        time.sleep(max(0.0, float(at) - time.time()))
        for i, datagram in enumerate(datagrams):
            sender.sendto(datagram.encode(), (host, int(port)))
            if i % 16 == 15:
                time.sleep(0.002)


class Client:
    """A program on the link's far end that is given JSON. It keeps to one CPU: a veth pair queues by the sender's CPU, and
    one that moves overtakes itself, which a gauge's deltas show."""

    def __init__(self, link, name, command, given):
        self.name = name
        pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] + command
        self.process = subprocess.Popen(link.inside(pinned), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.process.stdin.write(json.dumps(given))
        self.process.stdin.close()
        self.process.stdin = None

    def finish(self, checks):
        try:
            said, _ = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
        checks.equal("%s: exit code" % self.name, (self.process.returncode, said), (0, ""))


def install_hot_shots(checks, folder):
    """Where its modules are, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        checks.skip("hot-shots", "no node or npm")
        return None
    try:
        done = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional",
                               "--prefix", folder, "hot-shots@17.1.1"], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        checks.skip("hot-shots", "npm took more than 60 s")
        return None
    if done.returncode != 0:
        checks.skip("hot-shots", "npm could not install it")
        return None
    return os.path.join(folder, "node_modules")


def sent_by_kernel(link):
    """UDP datagrams that the far end ever sent, over IPv4 and IPv6."""
    rows = [line.split() for line in link.run("cat", "/proc/net/snmp").stdout.splitlines()
            if line.startswith("Udp:")]
    count = int(dict(zip(*rows))["OutDatagrams"])
    for line in link.run("cat", "/proc/net/snmp6").stdout.splitlines():
        if line.startswith("Udp6OutDatagrams"):
            count += int(line.split()[1])
    return count


def window_ahead(seconds):
    """Begin of the first window that lies wholly so far ahead, Unix seconds."""
    return (int(time.time() + seconds) // WINDOW_S + 1) * WINDOW_S


def closed_sites(appliance, begin, names):
    """The site documents of the window that begins then, or None when it never was the latest closed one."""
    time.sleep(max(0.0, begin + 2 * WINDOW_S + 0.4 - time.time()))
    while time.time() < begin + 3 * WINDOW_S:
        if appliance.get("fleet")["window"]["start"] == begin * 10 ** 9:
            documents = {name: appliance.get("sites/" + name) for name in names}
            if appliance.get("fleet")["window"]["start"] == begin * 10 ** 9:
                return documents
        time.sleep(0.1)
    return None


def check_records(checks, appliance, book):
    """Every value under its verdict."""
    want = book.total()
    ledger = appliance.ledger_when(lambda now: now["records"]["received"] >= sum(want.values()), 5)
    got = {name: count for name, count in ledger["records"].items() if count and name != "received"}
    checks.equal("records received", ledger["records"]["received"], sum(want.values()))
    checks.equal("records by verdict", got, want)
    checks.that("the ledger balances", balances(ledger), ledger)
    return ledger


def check_site_records(checks, appliance, book):
    for site in sorted(site for site in book.verdicts if site):
        records = appliance.get("ledger?site=" + site)["records"]
        got = {name: count for name, count in records.items() if count and name != "received"}
        checks.equal("records of %s" % site, got, book.verdicts[site])


def check_datagrams(checks, ledger, link, before):
    refused = {name: count for name, count in ledger["datagrams"].items() if count and name not in NOT_REFUSALS}
    checks.equal("datagrams refused", refused, {})
    checks.equal("datagrams accepted are what the kernel sent", ledger["datagrams"]["accepted"],
                 sent_by_kernel(link) - before)


def check_values(checks, book, documents):
    for (site, kpi), values in sorted(book.samples.items()):
        got, what = documents[site]["kpis"][kpi], "%s of %s" % (kpi, site)
        checks.near("mean of %s" % what, got["mean"], statistics.fmean(values))
        checks.near("stddev of %s" % what, got["stddev"], statistics.stdev(values), 1e-6)
        checks.equal("min, max, samples of %s" % what, (got["min"], got["max"], got["samples"]),
                     (min(values), max(values), len(values)))
    for (site, kpi), increase in sorted(book.increases.items()):
        checks.near("rate of %s of %s" % (kpi, site), documents[site]["kpis"][kpi]["mean"], increase / WINDOW_S)
    for site in SITES["statsd"]:
        checks.equal("refused thermal_margin of %s" % site, documents[site]["kpis"]["thermal_margin"]["refused"],
                     book.verdicts[site]["not_finite"])


def clients_of_one_window(checks, appliance, link, modules):
    """All clients at once, all within one window."""
    book, rng = Book(), random.Random(7)
    begin = window_ahead(1.5)
    calls = hot_shots_calls(book, rng) if modules else []
    statsd = packed(statsd_lines(book, rng), "no line", book, "malformed")
    influx = packed(influx_lines(book, rng, begin), "plant,site=nobody x=1", book, "unknown_site")
    # Until the address is resolved datagrams wait in a queue that later ones pass by.
    for address in ("10.9.0.2", "fd00:9::2"):
        checks.equal("%s answers" % address, link.run("ping", "-c", "1", "-W", "2", address).returncode, 0)
    before = sent_by_kernel(link)
    here, at = os.path.abspath(__file__), str(begin + 0.2)
    clients = [Client(link, "Python's StatsD", [sys.executable, here, "--send", "10.9.0.2", "8125", at], statsd),
               Client(link, "Python's Influx", [sys.executable, here, "--send", "fd00:9::2", "8089", at], influx)]
    if modules:
        script = os.path.join(ROOT, "tests/e2e/statsd_client.js")
        clients.append(Client(link, "hot-shots", ["node", script, modules, "10.9.0.2", "8125",
                                                  str(begin * 1000 + 200)], calls))
    for client in clients:
        client.finish(checks)
    checks.that("all was sent within the window", time.time() < begin + WINDOW_S, time.time() - begin)
    ledger = check_records(checks, appliance, book)
    check_datagrams(checks, ledger, link, before)
    documents = closed_sites(appliance, begin, [site for site in book.verdicts if site])
    check_site_records(checks, appliance, book)
    if checks.that("the window was seen closed", documents is not None):
        check_values(checks, book, documents)


def fleetgen_statsd(checks, appliance, link, build, folder):
    """The simulated sites over several windows: the summary, the labels and the ledger agree."""
    earlier = appliance.get("ledger")
    sender = Sender(build, link, folder, "statsd", [
        "--to", "10.9.0.2:8125", "--format", "statsd", "--rate", "1000", "--count", "5000"])
    summary = sender.finish(30)
    ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >=
                                   earlier["datagrams"]["accepted"] + 5000, 5)
    for kind in ("datagrams", "records"):
        got = ledger[kind]["accepted"] - earlier[kind]["accepted"]
        checks.equal("fleetgen: %s accepted" % kind, got, summary[kind])
    checks.equal("fleetgen: datagrams sent", summary["datagrams"], 5000)
    time.sleep(1)     # until the sites have published
    for site in sender.labels["sites"]:
        records = appliance.get("ledger?site=" + site["name"])["records"]
        checks.equal("fleetgen: records of %s" % site["name"], records["accepted"], site["records"])


def main(build):
    checks = Checks()
    if os.geteuid() != 0:
        checks.skip("clients", "not root")
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="esf-clients-") as folder, Link() as link:
        modules = install_hot_shots(checks, folder)
        eal = ["--no-pci", "--vdev=net_af_packet0,iface=%s,framecnt=16384,blocksz=65536" % link.near] + NO_HUGE
        with Appliance(build, config(), eal) as appliance:
            print("clients: of one window", flush=True)
            clients_of_one_window(checks, appliance, link, modules)
            print("clients: fleetgen", flush=True)
            fleetgen_statsd(checks, appliance, link, build, folder)
            code, last = appliance.stop()
            checks.equal("exit code", code, 0)
            checks.that("says at the end that the ledger balances", "ledger balanced" in last, last)
    checks.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        send(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
