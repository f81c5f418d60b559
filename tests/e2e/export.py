#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""export.py BUILD [INFLUXD VICTORIA VMAUTH]: what is pushed to a real InfluxDB and a real VictoriaMetrics is what the API says
of each window, to the last digit; through outages, kills, overflows, refusals and wrong tokens every point is accounted for. Needs root."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from appliance import NO_HUGE, Appliance, Link, Sender, balances
from checks import Checks
from export_servers import Influxd, Victoria, Vmauth
from live import RING, check_metrics, check_stop, eal_on

SITES = 6
KPI, SCOPE = "estream_window_kpi", "estream_window_scope"
TOKEN = "a-token-of-test"
STATUSES = ("good", "degraded", "bad", "unknown")
# Names with all that the line protocol escapes, and backslashes where servers differ: they become slashes.
NAMES = ["north-1", "south-1", "n,or=th\\-2", "south-2\\", "north-\\,3", "süd-3"]
SCENARIO = """\
seed: 7
sites: {count: %d, name: "{region}-{n}", regions: [north, south]}
kpis:
  - {name: thermal_margin, base: 60, unit: degC, noise: 5}
  - {name: efficiency, base: 0.9, unit: x, noise: 0.02}
  - {name: availability, base: 0.97, unit: x, noise: 0.01}
""" % SITES
CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 47700, format: etd}
rollup: {window: 1s, windows_open: 2, epoch: 200ms}
compare: {min_peers: 3}
http: {listen: "HTTP"}
regions:
  - {name: north, match: "n*"}
  - {name: south, match: "s*"}
sites:
%s
export:
""" % "\n".join("  - {id: %d, name: '%s'}" % (i, name) for i, name in enumerate(NAMES, 1))


def sender(build, link, folder, seconds):
    path = os.path.join(folder, "scenario.yaml")
    with open(path, "w") as out:
        out.write(SCENARIO)
    return Sender(build, link, folder, "etd", ["--to", "10.9.0.2:47700", "--format", "etd", "--scenario", path,
                                               "--count", str(60 * seconds), "--rate", "60"])


def tag_of(name):
    return {"south-2\\": "south-2/", "north-\\,3": "north-/,3"}.get(name, name)


class Watcher:
    """The points of each closed window, as its documents in the API say them: as Influxd.points."""

    def __init__(self):
        self.kpis, self.scopes = {}, {}
        self.both = {}

    def look(self, appliance):
        try:
            fleet, sites = appliance.get("fleet"), appliance.get("sites")
        except OSError:     # 503: none has closed yet
            return
        start = fleet["window"]["start"]
        self.take_scope(("fleet", None, None), start, fleet["fleet"])
        for region in fleet["regions"]:
            self.take_scope(("region", region["name"], None), start, region)
        for site in sites["sites"]:
            self.take_site(("site", site["region"], tag_of(site["name"])), sites["window"]["start"], site)

    def take(self, owner, start, document, keys, scope):
        for name, kpi in document["kpis"].items():
            if kpi["mean"] is not None:
                self.kpis[(name,) + owner + (start,)] = {k: kpi[k] for k in keys if kpi[k] is not None}
        scope["status"] = STATUSES.index(document["status"])
        for key in ("health", "coverage"):
            if document[key] is not None:
                scope[key] = document[key]
        self.scopes[(None,) + owner + (start,)] = scope

    def take_scope(self, owner, start, document):
        counts = document["sites"]
        scope = {key: counts[key] for key in ("reporting",) + STATUSES}
        scope["sites"] = counts["total"]
        self.take(owner, start, document, ("mean", "min", "max", "stddev", "p50", "p95", "score", "samples", "sites"), scope)

    def take_site(self, owner, start, document):
        reporting = any(kpi["good"] for name, kpi in document["kpis"].items() if name != "comms_quality")
        self.take(owner, start, document, ("mean", "min", "max", "stddev", "score", "samples"), {"reporting": int(reporting)})

    def watch(self, appliance, seconds):
        until = time.time() + seconds
        while time.time() < until:
            self.look(appliance)
            time.sleep(0.2)


def compare(checks, what, watcher, kpis, scopes, levels=("fleet", "region", "site")):
    """All that the API showed is there and is the same; each window that is there has all its points."""
    compared = 0
    for shown, there in ((watcher.kpis, kpis), (watcher.scopes, scopes)):
        for key, want in shown.items():
            if key[1] in levels:
                compared += 1
                checks.equal("%s: %s" % (what, (key,)), there.get(key), want)
    checks.that("%s: points were compared" % what, compared >= 100, compared)


def exports(appliance):
    return {target["name"]: target for target in appliance.get("exports")["exports"]}


def adds_up(target):
    return target["produced"] + target["recovered"] == target["sent"] + target["queued"] + sum(target["dropped"].values())


def wait_for(appliance, name, enough, seconds=20):
    for _ in range(int(seconds * 10)):
        target = exports(appliance)[name]
        if enough(target):
            break
        time.sleep(0.1)
    return target


def steady_count(appliance, name, count):
    """(what was sent, what is there), with nothing sent while it was counted."""
    for _ in range(30):
        before = wait_for(appliance, name, lambda t: t["queued"] == 0)
        there = count()
        after = exports(appliance)[name]
        if before["queued"] == 0 and before["sent"] == after["sent"] and before["requests"] == after["requests"]:
            break
    return before["sent"], there


def check_fleetctl(checks, build, appliance, names):
    done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "exports"], text=True, capture_output=True,
                          timeout=30, check=False)
    lines = done.stdout.splitlines()
    checks.that("fleetctl exports", done.returncode == 0 and all(any(line.startswith(name) for line in lines) for name in names),
                done.stdout + done.stderr)
    checks.equal("fleetctl exports fits", [line for line in lines if len(line) > 100], [])


def write_token(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


class Peers:
    def __init__(self, programs, folder):
        influxd, victoria, vmauth = programs
        self.influx = Influxd(influxd, os.path.join(folder, "influx"))
        self.late = Influxd(influxd, os.path.join(folder, "late"), tls=True, body_max=3000)
        self.victoria = Victoria(victoria, os.path.join(folder, "victoria"))
        self.gate = Vmauth(vmauth, os.path.join(folder, "vmauth"), self.victoria.url, TOKEN)

    def __enter__(self):
        self.influx.start()
        self.victoria.start()
        self.gate.start()
        return self

    def __exit__(self, *_):
        for server in (self.influx, self.late, self.victoria, self.gate):
            server.kill()


def push(checks, build, folder, programs):
    """All at once, a target each: what arrives; an outage; an overflow; refusals; a wrong token; TLS."""
    token = os.path.join(folder, "token")
    write_token(token, "mistaken\n")
    with Peers(programs, folder) as peers, Link() as link:
        peers.influx.ask("CREATE DATABASE lake")
        peers.influx.ask("CREATE DATABASE typed")
        # From now on a mean of the fleet's is a text there: all others are refused, for good.
        peers.influx.open("/write?db=typed", b'%s,level=fleet mean="text" %d' % (KPI.encode(), time.time_ns()))
        config = CONFIG + "\n".join([
            '  - {name: lake, url: "%s/write?db=lake", levels: [fleet, region, site], gzip: true}' % peers.influx.url,
            '  - {name: typed, url: "%s/write?db=typed", batch: 7}' % peers.influx.url,
            '  - {name: later, url: "%s/write?db=later", levels: [fleet], kpis: [efficiency]}' % peers.influx.url,
            '  - {name: vm, url: "%s/write", levels: [fleet, region, site]}' % peers.victoria.url,
            '  - {name: gate, url: "%s/write?db=gate", token_file: "%s"}' % (peers.gate.url, token),
            '  - {name: small, url: "%s/write?db=small", levels: [site], spool: 64KiB, batch: 50, ca_file: "%s"}' %
            (peers.late.url, peers.late.ca), ""])
        with Appliance(build, config, eal_on(link, NO_HUGE, RING)) as appliance:
            sent = sender(build, link, folder, 26)
            watcher = Watcher()
            watcher.watch(appliance, 6)
            now = exports(appliance)
            checks.that("later: it fails, and says why", not now["later"]["well"] and
                        "database not found" in now["later"]["error"] and now["later"]["sent"] == 0, now["later"])
            checks.that("gate: it fails, and says why", not now["gate"]["well"] and "auth token \"Bearer *****" in now["gate"]["error"] and
                        now["gate"]["sent"] == 0 and now["gate"]["queued"] > 0, now["gate"])
            checks.that("small: it fails, and says why", not now["small"]["well"] and "onnect" in now["small"]["error"],
                        now["small"])
            checks.that("typed: some are refused, others are not", now["typed"]["well"] and now["typed"]["dropped"]["refused"] > 0 and
                        now["typed"]["sent"] > 0 and "type" in now["typed"]["refusal"], now["typed"])
            peers.influx.kill()
            watcher.watch(appliance, 4)
            down = wait_for(appliance, "lake", lambda t: not t["well"])
            checks.that("lake: the outage is seen, and nothing dropped", down["queued"] > 0 and not any(down["dropped"].values()),
                        down)
            check_fleetctl(checks, build, appliance, ["lake", "typed", "later", "vm", "gate", "small"])
            for _ in range(3):      # amid what it has to take
                peers.influx.start()
                time.sleep(0.3)
                peers.influx.kill()
            peers.influx.start()
            peers.influx.ask("CREATE DATABASE later")
            write_token(token, TOKEN + "\r\n")
            full = wait_for(appliance, "small", lambda t: t["dropped"]["no_room"] > 0)
            checks.that("small: the oldest are dropped", full["dropped"]["no_room"] > 0 and adds_up(full) and
                        full["spool"]["used"] <= 65536, full)
            peers.late.start()
            peers.late.ask("CREATE DATABASE small")
            watcher.watch(appliance, 4)
            for name in ("lake", "later", "vm", "gate", "small"):
                last = wait_for(appliance, name, lambda t: t["well"] and t["queued"] == 0, 40)
                checks.that("%s: then it is well, and all adds up" % name, last["well"] and adds_up(last), last)
            small = exports(appliance)["small"]
            checks.that("small: batches too large for the server are halved until they fit", small["dropped"]["refused"] == 0 and
                        small["refusal"] is None and small["requests"] > small["sent"] / 50, small)
            for name, count in (("lake", lambda: peers.influx.count("lake")), ("small", lambda: peers.late.count("small")),
                                ("later", lambda: peers.influx.count("later")),
                                ("typed", lambda: peers.influx.count("typed") - 1)):
                sent_points, there = steady_count(appliance, name, count)
                checks.equal("%s: what was sent is there" % name, there, sent_points)
            compare(checks, "InfluxDB", watcher, peers.influx.points("lake", KPI), peers.influx.points("lake", SCOPE))
            compare_victoria(checks, watcher, peers.victoria)
            gate = peers.victoria.points(KPI, "gate")
            checks.that("gate: what waited is there", {key[1] for key in gate} == {"fleet", "region"}, len(gate))
            lake = exports(appliance)["lake"]
            checks.that("lake: nothing was dropped", not any(lake["dropped"].values()) and lake["failures"] > 0, lake)
            check_metrics(checks, appliance)
            text = appliance.text("/metrics")
            checks.that("the metrics say the same", "estream_export_well{target=\"lake\"} 1\n" in text and
                        "estream_export_dropped_total{target=\"typed\",reason=\"refused\"}" in text, text[:200])
            sent.finish(60)
            ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= sent.summary["datagrams"], 5)
            checks.equal("every datagram is accepted", ledger["datagrams"]["accepted"], sent.summary["datagrams"])
            checks.that("the ledger balances", balances(ledger), ledger)
            check_stop(checks, "push", appliance)
            said = appliance.output()
            checks.that("standard error says the outage and its end", "export lake: goes on" in said and
                        "export gate: HTTP 400" in said and TOKEN not in said and "mistaken" not in said, said)


def compare_victoria(checks, watcher, victoria):
    """It keeps values as decimal numbers, of fractions 12 digits or more: InfluxDB, which keeps doubles, is the witness for the rest."""
    kpis, scopes = victoria.points(KPI), victoria.points(SCOPE)
    worst, exact, compared = 0.0, 0, 0
    for shown, there in ((watcher.kpis, kpis), (watcher.scopes, scopes)):
        for key, want in shown.items():
            got = there.get(key, {})
            checks.equal("VictoriaMetrics: fields of %s" % (key,), sorted(got), sorted(want))
            for field, value in want.items():
                error = abs(got.get(field, 1e300) - value) / max(abs(value), 1e-300) if value != got.get(field) else 0.0
                worst, exact, compared = max(worst, error), exact + (error == 0.0), compared + 1
    print("VictoriaMetrics: %d of %d values exact, the farthest off by %.1e of itself" % (exact, compared, worst))
    checks.that("VictoriaMetrics: values", compared > 500 and worst < 1e-11, worst)


def keep(checks, build, folder, programs):
    """A spool in a file: the appliance is killed while the server is down, and the next run sends what waited; other settings by reload."""
    spool = os.path.join(folder, "file.spool")
    with Influxd(programs[0], os.path.join(folder, "kept")) as influx, Link() as link:
        url = influx.url + "/write?db=kept"
        target = '  - {name: kept, url: "%s", levels: [fleet, region, site], spool: %%s, spool_file: "%s"}\n' % (url, spool)
        watcher = Watcher()
        with Appliance(build, CONFIG + target % "1MiB", eal_on(link, NO_HUGE, RING)) as appliance:
            sent = sender(build, link, folder, 6)
            watcher.watch(appliance, 7)
            sent.finish(30)
            waits = wait_for(appliance, "kept", lambda t: t["queued"] > 150)
            checks.that("kept: it waits in the file", waits["queued"] > 150 and waits["spool"]["file"] == spool and
                        waits["sent"] == 0, waits)
            appliance.process.send_signal(signal.SIGKILL)
            appliance.process.wait(timeout=10)
        with Appliance(build, CONFIG + target % "2MiB", eal_on(link, NO_HUGE, RING)) as appliance:
            found = wait_for(appliance, "kept", lambda t: t["recovered"] > 0)
            checks.that("kept: the next run finds it, also with more room", found["recovered"] >= waits["queued"] and
                        found["spool"]["size"] == 2 << 20 and adds_up(found), (waits, found))
            influx.start()
            influx.ask("CREATE DATABASE kept")
            last = wait_for(appliance, "kept", lambda t: t["well"] and t["queued"] == 0, 40)
            checks.that("kept: then it is sent", last["well"] and adds_up(last) and last["sent"] >= found["recovered"], last)
            compare(checks, "kept", watcher, influx.points("kept", KPI), influx.points("kept", SCOPE))
            reload(checks, build, appliance, influx)
            check_stop(checks, "kept", appliance)
        with open(spool, "r+b") as out:
            out.write(b"something else")
        with Appliance(build, CONFIG + target % "2MiB", eal_on(link, NO_HUGE, RING)) as appliance:
            damaged = wait_for(appliance, "kept", lambda t: not t["well"] and t["produced"] > 0)
            checks.that("a file that is no spool is said, and left alone", "want a spool" in (damaged["error"] or "") and
                        damaged["dropped"]["lost"] == damaged["produced"] and adds_up(damaged), damaged)
            check_stop(checks, "damaged", appliance)


def reload(checks, build, appliance, influx):
    """The one target goes, another comes; its url changes."""
    path = appliance.command[-1]
    with open(path, encoding="utf-8") as text:
        config = text.read()
    for change, names in ((lambda t: t.split("export:")[0] + "export: []\n", []),
                          (lambda t: t.replace("name: kept", "name: other").replace("file.spool", "other.spool"), ["other"]),
                          (lambda t: t.replace("name: kept", "name: other").replace("file.spool", "other.spool")
                           .replace("/write?", "/nowhere?"), ["other"])):
        with open(path, "w", encoding="utf-8") as out:
            out.write(change(config))
        done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "reload"], text=True,
                              capture_output=True, timeout=30, check=False)
        checks.that("reload: export is taken up", done.returncode == 0 and "changed: export" in done.stdout,
                    done.stdout + done.stderr)
        for _ in range(50):
            now = exports(appliance)
            if list(now) == names and (not names or now["other"]["sent"] > 0):
                break
            time.sleep(0.1)
        checks.equal("reload: the targets are those of the file", list(now), names)
    failing = wait_for(appliance, "other", lambda t: not t["well"])
    with open(path, encoding="utf-8") as text:
        config = text.read()
    with open(path, "w", encoding="utf-8") as out:
        out.write(config.replace("spool: 2MiB", "spool: 1MiB"))
    subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "reload"], capture_output=True, timeout=30, check=False)
    smaller = wait_for(appliance, "other", lambda t: t["spool"]["size"] == 1 << 20 and t["queued"] > 0)
    checks.that("reload: a spool of another size takes along what waits", smaller["spool"]["size"] == 1 << 20 and
                smaller["queued"] >= failing["queued"] > 0 and not any(smaller["dropped"].values()) and adds_up(smaller), smaller)
    checks.that("reload: a path that is not there is tried again, and nothing dropped", "HTTP 404" in (failing["error"] or "") and
                failing["sent"] > 0 and failing["dropped"]["refused"] == 0 and adds_up(failing), failing)


def main(build, *programs):
    checks = Checks()
    programs = programs or [shutil.which(name) for name in ("influxd", "victoria-metrics", "vmauth")]
    if len(programs) != 3 or not all(programs):
        checks.skip("export", "InfluxDB and VictoriaMetrics are not to be had")
    elif os.geteuid() != 0:
        checks.skip("export", "not root")
    else:
        for scenario in (push, keep):
            with tempfile.TemporaryDirectory(prefix="esf-export-") as folder:
                scenario(checks, os.path.abspath(build), folder, programs)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
