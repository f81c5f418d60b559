#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""influx_peer.py BUILD [INFLUXD]: the line protocol as a real InfluxDB 1.6 reads it, beside `replay`: what is refused, which
site, fields, types, values and times are read. Each datagram of influx_lines.py is written into a database of its own, asked
back, and replayed with rules for the names that InfluxDB read: any other name is `unmapped`, and the ledger tells."""
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import influx_lines
import oracle
from appliance import free_tcp_port
from checks import Checks

S = 10 ** 9
ARRIVAL = influx_lines.AT_S * S + S // 2
SKEW_S = 2
GENERATED = 400
SOURCE = "10.9.0.77"
SENDER = "sender"       # the site of that address
# Where a backslash stands before an escaped separator in a measurement, InfluxDB looks for what it took under another name.
HIDDEN = "taken, but not to be found again"

INFLUXD_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
logging-enabled = false
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{http}"
log-enabled = false
[ifql]
enabled = false
[logging]
level = "error"
"""

CONFIG = """\
profile: small
domain: custom
ports: [{port: 0, addresses: [10.9.0.2/24]}]
listeners: [{udp: 8089, format: influx, precision: %s}]
rollup: {window: 1s, windows_open: 2, intervals: [60s]}
clock: {max_skew: %ds}
normalise:
  - {match: "^$", kpi: k0}
%s
kpis:
%s
sites:
  - {id: 1, name: %s, addresses: [%s]}
%s
"""


class Influxd:
    """A server on loopback with a scratch folder; both go when the block ends."""

    def __init__(self, program, folder):
        self.folder = folder
        ports = {"rpc": free_tcp_port(), "http": free_tcp_port()}
        self.url = "http://127.0.0.1:%d" % ports["http"]
        path = os.path.join(folder, "influxd.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(INFLUXD_CONFIG.format(folder=folder, **ports))
        self.said = open(os.path.join(folder, "said"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen([program, "-config", path], stdin=subprocess.DEVNULL, stdout=self.said,
                                        stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin", "HOME": folder})

    def __enter__(self):
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + "/ping", timeout=5).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        self.said.seek(0)
        said = self.said.read()[-2000:]
        self.__exit__()
        raise RuntimeError("influxd did not start: %s" % said)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.said.close()

    def _post(self, path, body, **arguments):
        url = "%s/%s?%s" % (self.url, path, urllib.parse.urlencode(arguments))
        request = urllib.request.Request(url, data=body, method="POST")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def _ask(self, query, database=""):
        result = json.loads(self._post("query", b"", q=query, db=database, epoch="ns"))["results"][0]
        if "error" in result:
            raise RuntimeError("influxd: %s: %s" % (query, result["error"]))
        return result.get("series", [])

    def read(self, database, precision, payload):
        """(points, lines refused, what it said or HIDDEN)"""
        self._ask('CREATE DATABASE "%s"' % database)
        try:
            said = self._post("write", payload, db=database, precision={"ns": "n", "us": "u"}.get(precision, precision))
        except urllib.error.HTTPError as error:
            said = json.loads(error.read().decode())["error"]
        names = [quoted(one["name"]) for one in self._ask("SHOW FIELD KEYS", database)]
        points = [point for name in (names if len(names) > 1 else ["/.*/"]) for point in points_of(
            self._ask('SELECT *::field FROM %s GROUP BY "site"' % name, database))]
        hidden = not points and not said and bool(self._ask("SHOW SERIES", database))
        self._ask('DROP DATABASE "%s"' % database)
        return points, said.count("unable to parse '"), HIDDEN if hidden else said


def quoted(name):
    return '"%s"' % name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def points_of(series):
    """(site or None, time or None where the server put its own, raw name, value); the value of a text is a str."""
    for one in series:
        site = one.get("tags", {}).get("site") or None
        for row in one["values"]:
            stamp = row[0] if not 1_750_000_000 * S < row[0] < 4_000_000_000 * S else None
            for name, value in zip(one["columns"][1:], row[1:]):
                if value is not None:
                    yield site, stamp, "%s.%s" % (one["name"], name), value if isinstance(value, str) else float(value)


class Payload(oracle.Influx):
    """A datagram as it is."""

    def __init__(self, data):
        super().__init__([])
        self.data = data

    def encode(self):
        return self.data


def is_site_name(text):
    """What the configuration takes for a site's name."""
    return 1 <= len(text.encode()) <= 63 and text not in (".", "..") and not any(c <= " " or c in "/\x7f" for c in text)


class Expected:
    """What a replay must say, out of the points that were read and the count of the lines that were refused."""

    def __init__(self, points, refused):
        self.sites = sorted({site for site, *_ in points if site is not None and is_site_name(site)})
        self.names = sorted({name for _, _, name, _ in points})
        self.records, self.values = {}, {}
        taken = [point for point in points if point[0] is None or point[0] in self.sites]
        for point in taken:
            self._count(*point)
        if taken:
            self.datagram = "accepted"
            self._add("malformed", refused)
        else:
            self.datagram = "unknown_site" if points else "malformed"

    def _add(self, verdict, count=1):
        if count:
            self.records[verdict] = self.records.get(verdict, 0) + count

    def _count(self, site, stamp, name, value):
        stamp = ARRIVAL if stamp is None else stamp
        if isinstance(value, str):
            self._add("not_numeric")
        elif stamp > ARRIVAL + SKEW_S * S:
            self._add("future")
        elif stamp // S < ARRIVAL // S - 1:
            self._add("late")
        else:
            self._add("accepted")
            self.values.setdefault((site or SENDER, stamp // S, "k%d" % self.names.index(name)), []).append(value)

    def config(self, precision):
        rules = ['  - {match: "^%s\\\\z", kpi: k%d}' % ("".join(map(escaped, name.encode())), i)
                 for i, name in enumerate(self.names)]
        kpis = ["  - {name: k%d, weight: 0}" % i for i in range(max(1, len(self.names)))]
        sites = ["  - {id: %d, name: %s}" % (i, json.dumps(site, ensure_ascii=False)) for i, site in enumerate(self.sites, 2)]
        return CONFIG % (precision, SKEW_S, "\n".join(rules), "\n".join(kpis), SENDER, SOURCE, "\n".join(sites))


def escaped(byte):
    return chr(byte) if chr(byte).isalnum() and byte < 128 else "\\\\x%02x" % byte


def replayed(program, folder, precision, payload, expected):
    """The documents of a replay of the one datagram, or what went wrong."""
    config, capture = os.path.join(folder, "fleet.yaml"), os.path.join(folder, "one.pcap")
    with open(config, "w", encoding="utf-8") as out:
        out.write(expected.config(precision))
    oracle.write_pcap(capture, [oracle.Packet(ARRIVAL, Payload(payload), source=SOURCE)], oracle.Config(sites=[], kpis=[]))
    done = subprocess.run([program, "replay", "--config", config, capture], capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def counted(verdicts):
    return {name: count for name, count in verdicts.items() if count and name != "received"}


def differing_value(windows, expected):
    found = {}
    for window in windows:
        for site in window["sites"]:
            for name, kpi in site["kpis"].items():
                if kpi["good"]:
                    found[site["name"], window["window"]["start"] // S, name] = kpi
    if sorted(found) != sorted(expected.values):
        return "values of %s, want %s" % (sorted(found), sorted(expected.values))
    for where, values in expected.values.items():
        kpi = found[where]
        got = (kpi["good"], kpi["min"], kpi["max"])
        mean = math.fsum(values) / len(values)
        if got != (len(values), min(values), max(values)) or not math.isclose(kpi["mean"], mean, rel_tol=1e-15):
            return "%s is %s with mean %s, want %s" % (where, got, kpi["mean"], values)
    return None


def difference(documents, expected, hidden):
    if isinstance(documents, str):
        return documents
    ledger = documents[-1]["ledger"]
    got = (counted(ledger["datagrams"]), counted(ledger["records"]))
    if hidden:
        return None if got[0] == {"accepted": 1} and "malformed" not in got[1] else "ledger %s" % (got,)
    want = ({expected.datagram: 1}, expected.records)
    if got != want or not ledger["balanced"]:
        return "ledger %s, want %s" % (got, want)
    return differing_value(documents[:-1], expected)


class Comparison:
    def __init__(self, program, peer, folder):
        self.program, self.peer, self.folder = program, peer, folder

    def alike(self, number, precision, payload, as_if=b""):
        """None, or how the two differ on the payload. as_if: as in influx_lines.DIFFERENCES."""
        here = os.path.join(self.folder, "case%d" % number)
        os.mkdir(here)
        said = ""
        if as_if is None:
            points, refused = [], 1
        elif isinstance(as_if, list):
            points, refused = [(None, None, name, value) for name, value in as_if], 0
        else:
            points, refused, said = self.peer.read("c%d" % number, precision, as_if or payload)
        expected = Expected(points, refused)
        found = difference(replayed(self.program, here, precision, payload, expected), expected, said == HIDDEN)
        shutil.rmtree(here)
        return found and "%r: %s (InfluxDB: %s %s)" % (payload, found, points, said)


def compare_all(checks, comparison):
    cases = list(dict.fromkeys(influx_lines.table() + influx_lines.generated(GENERATED, 1)))
    checks.that("at least 500 distinct lines", len(cases) >= 500, len(cases))
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda item: comparison.alike(item[0], *item[1]), enumerate(cases)):
            checks.that("read as InfluxDB reads it", found is None, found)
    return len(cases)


def compare_differences(checks, comparison, number):
    """Each is there, and is what it is said to be."""
    for why, pairs in influx_lines.DIFFERENCES.items():
        for payload, as_if in pairs:
            number += 2
            checks.that("%r differs from InfluxDB" % payload, comparison.alike(number, "ns", payload) is not None, why)
            found = comparison.alike(number + 1, "ns", payload, as_if)
            checks.that(why, found is None, found)


def main(build, influxd=None):
    checks = Checks()
    influxd = influxd or shutil.which("influxd")
    if not influxd:
        checks.skip("InfluxDB", "no influxd to be had")
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="esf-influx-") as folder, Influxd(influxd, folder) as peer:
        comparison = Comparison(os.path.join(os.path.abspath(build), "estream-fleetd"), peer, folder)
        count = compare_all(checks, comparison)
        compare_differences(checks, comparison, count)
        print("%d datagrams read by both" % count)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
