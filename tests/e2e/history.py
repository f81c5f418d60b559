#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""history.py BUILD [NAME]...: what the history keeps is what the API said of each window, added up here; a full disk, a locked
and a corrupt file cost history and nothing else. Needs root."""
import glob
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from appliance import NO_HUGE, Appliance, Link, Sender, balances
from checks import Checks
from live import RING, check_metrics, check_stop, eal_on

S = 10 ** 9
SITES = 6
INTERVAL = 5 * S
KPIS = ("thermal_margin", "efficiency", "health")
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
  - {udp: 5514, format: syslog}
  - {udp: 8089, format: influx}
rollup: {window: 1s, windows_open: 2, epoch: 200ms, intervals: [5s, 1h]}
http: {listen: "HTTP"}
history: {file: "%s", keep: 1h}
regions:
  - {name: north, match: "north-*"}
  - {name: south, match: "south-*"}
sites:
""" + "\n".join("  - {id: %d, name: %s-%d%s}" % (i, ("north", "south")[(i - 1) % 2], (i + 1) // 2,
                                                         ", addresses: [10.9.0.1]" if i == 1 else "")
                for i in range(1, SITES + 1))


def sender(build, link, folder, seconds):
    path = os.path.join(folder, "scenario.yaml")
    with open(path, "w") as out:
        out.write(SCENARIO)
    return Sender(build, link, folder, "etd", ["--to", "10.9.0.2:47700", "--format", "etd", "--scenario", path,
                                               "--count", str(60 * seconds), "--rate", "60"])


def watch(appliance, seconds):
    """{scope: {window's start: its KPIs}} as the API shows them, for so many seconds."""
    seen, until = {}, time.time() + seconds
    while time.time() < until:
        fleet = sites = None
        try:
            fleet, sites = appliance.get("fleet"), appliance.get("sites")
        except OSError:     # 503: none has closed yet
            time.sleep(0.1)
            continue
        for scope, document in [("fleet", fleet["fleet"])] + [("region:" + r["name"], r) for r in fleet["regions"]]:
            seen.setdefault(scope, {})[fleet["window"]["start"]] = values_of(document)
        for site in sites["sites"]:
            seen.setdefault("site:" + site["name"], {})[sites["window"]["start"]] = values_of(site)
        time.sleep(0.2)
    return seen


def values_of(document):
    kpis = {name: document["kpis"][name] for name in KPIS if name != "health"}
    kpis["health"] = {"mean": document["health"], "min": document["health"], "max": document["health"], "stddev": None,
                      "samples": 0}
    return kpis


def expected(windows, kpi):
    """One interval's value from its windows': equal weight for those with data."""
    rows = [w[kpi] for w in windows if w[kpi]["mean"] is not None]
    if not rows:
        return None
    mean = statistics.fmean(r["mean"] for r in rows)
    variance = statistics.fmean((r["stddev"] or 0) ** 2 + (r["mean"] - mean) ** 2 for r in rows)
    return {"mean": mean, "stddev": variance ** 0.5, "min": min(r["min"] for r in rows),
            "max": max(r["max"] for r in rows), "samples": sum(r["samples"] for r in rows), "windows": len(rows)}


def history(appliance, scope, kpi, interval="5s"):
    return appliance.get("history?scope=%s&kpi=%s&interval=%s" % (scope, kpi, interval))


def compare(checks, appliance, seen):
    """Every final point of which all five windows were seen."""
    compared = 0
    site_means = {}
    for scope in sorted(seen, key=lambda s: not s.startswith("site:")):
        for kpi in KPIS:
            for point in history(appliance, scope, kpi)["points"]:
                starts = [point["start"] + i * S for i in range(5)]
                if not point["final"] or any(start not in seen[scope] for start in starts):
                    continue
                want = expected([seen[scope][start] for start in starts], kpi)
                got = {key: point[key] for key in want}
                what = "%s %s" % (scope, kpi)
                for key, value in want.items():
                    checks.near("%s: %s" % (what, key), got[key], value, 1e-9)
                compared += 1
                if scope.startswith("site:"):
                    site_means[scope, kpi, point["start"]] = point["mean"]
                    continue
                means = sorted(mean for (site, k, start), mean in site_means.items() if k == kpi and
                               start == point["start"] and (scope == "fleet" or site[5:].startswith(scope[7:])))
                checks.equal("%s: sites" % what, point["sites"], len(means))
                checks.near("%s: p50" % what, point["p50"], means[(len(means) + 1) // 2 - 1])
                checks.near("%s: p95" % what, point["p95"], means[-1])
    checks.that("points were compared", compared >= 2 * 3 * (SITES + 3), compared)


def check_fleetctl(checks, build, appliance):
    for words in (["history", "fleet", "health"], ["history", "site:north-1", "thermal_margin", "--interval", "5s"],
                  ["history", "region:south", "efficiency", "--last", "10m", "--limit", "2"],
                  ["--json", "history", "fleet", "health"]):
        done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, *words], text=True,
                              capture_output=True, timeout=30, check=False)
        wide = [line for line in done.stdout.splitlines() if len(line) > 100]
        checks.that("fleetctl %s" % " ".join(words), done.returncode == 0 and not wide and "nothing" not in done.stdout,
                    (done.returncode, done.stdout[-300:], done.stderr, wide))
        if "--json" not in words:
            checks.that("it has a line of bars", any(c in done.stdout for c in "▁▄█"), done.stdout)


def refused(checks, appliance):
    for query, status, what in (
            ("scope=fleet", 400, "kpi: want"), ("scope=fleet&kpi=helth", 404, 'did you mean "health"'),
            ("scope=fleets&kpi=health", 400, "want fleet, region:NAME or site:NAME"),
            ("scope=site:north-9&kpi=health", 404, "north-9"),
            ("scope=fleet&kpi=health&interval=2s", 404, "want one of: 5s, 1h"),
            ("scope=fleet&kpi=health&from=x", 400, "Unix nanoseconds"),
            ("scope=fleet&kpi=health&from=0", 400, "want at most 10000"),
            ("scope=fleet&kpi=health&from=5&to=4", 400, "want a time before")):
        done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", appliance.url + "/api/v1/history?" + query], text=True,
                              capture_output=True, timeout=10, check=False).stdout.rsplit("\n", 1)
        checks.that("history?" + query, done[1] == str(status) and what in done[0].replace('\\"', '"'), done)


def keep(checks, build, folder):
    """Windows added up, a restart in between, events, and the metrics."""
    path = os.path.join(folder, "kept.db")
    with Link() as link:
        with Appliance(build, CONFIG % path, eal_on(link, NO_HUGE, RING)) as appliance:
            sent = sender(build, link, folder, 18)
            link.run("logger", "-n", "10.9.0.2", "-P", "5514", "-d", "--rfc5424=nohost", "-p", "user.err", "fuse blown")
            seen = watch(appliance, 19)
            sent.finish(30)
            compare(checks, appliance, seen)
            check_fleetctl(checks, build, appliance)
            refused(checks, appliance)
            running = appliance.get("intervals?interval=1h")["intervals"][0]
            checks.that("the hour runs", not running["final"] and running["revision"] == running["windows"] > 10, running)
            told = appliance.get("history/events?scope=fleet")["events"]
            checks.equal("events are kept", [(e["site"], e["severity"], e["text"], e["state"]) for e in told],
                         [("north-1", 3, "fuse blown", "message")])
            check_metrics(checks, appliance)
            checks.that("the history is well", "\nestream_history_well 1" in appliance.text("/metrics"), None)
            check_stop(checks, "kept", appliance)
        with Appliance(build, CONFIG % path, eal_on(link, NO_HUGE, RING)) as appliance:
            first = history(appliance, "fleet", "thermal_margin", "1h")["points"]
            sender(build, link, folder, 4).finish(30)
            time.sleep(4)
            second = appliance.get("intervals?interval=1h")["intervals"][0]["kpis"]["thermal_margin"]
            check_stop(checks, "kept, again", appliance)
        with Appliance(build, CONFIG % path, eal_on(link, NO_HUGE, RING)) as appliance:
            joined = history(appliance, "fleet", "thermal_margin", "1h")["points"]
            check_stop(checks, "kept, the third time", appliance)
    if len(first) != 1 or len(joined) != 1:
        checks.skip("a restart's parts put together", "the hour ended meanwhile")
        return
    first, joined = first[0], joined[0]
    windows = first["windows"] + joined["windows"] - first["windows"]
    both = joined["windows"] - first["windows"]
    checks.that("the restart's windows are added", both >= second["windows"] > 0, (first, second, joined))
    if both == second["windows"]:
        mean = (first["mean"] * first["windows"] + second["mean"] * both) / windows
        checks.near("both parts' mean, by windows", joined["mean"], mean, 1e-9)
        checks.equal("samples", joined["samples"], first["samples"] + second["samples"])
        square = (first["windows"] * (first["stddev"] ** 2 + (first["mean"] - mean) ** 2) +
                  both * (second["stddev"] ** 2 + (second["mean"] - mean) ** 2)) / windows
        checks.near("stddev", joined["stddev"], square ** 0.5, 1e-9)
    checks.equal("it was written twice, and is not final", (joined["revision"], joined["final"]), (2, False))


def store_when(appliance, enough, seconds=20):
    for _ in range(int(seconds * 5)):
        store = history(appliance, "fleet", "health")["store"]
        if enough(store):
            break
        time.sleep(0.2)
    return store


def check_still_counting(checks, what, appliance, sent):
    sent.finish(60)
    ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= sent.summary["datagrams"], 5)
    checks.equal("%s: every datagram is accepted" % what, ledger["datagrams"]["accepted"], sent.summary["datagrams"])
    checks.that("%s: the ledger balances" % what, balances(ledger), ledger)


def locked(checks, build, folder):
    path = os.path.join(folder, "locked.db")
    with Link() as link, Appliance(build, CONFIG % path, eal_on(link, NO_HUGE, RING)) as appliance:
        sent = sender(build, link, folder, 16)
        store_when(appliance, lambda s: s["written"] > 0)
        other = sqlite3.connect(path, isolation_level=None, timeout=5)
        other.execute("BEGIN EXCLUSIVE")
        store = store_when(appliance, lambda s: not s["well"])
        checks.that("locked: it is said", "locked by another program" in (store["error"] or ""), store)
        checks.that("locked: what comes is queued", store["queued"] > 0 and store["dropped"] == 0, store)
        checks.that("locked: in the metrics", "\nestream_history_well 0" in appliance.text("/metrics"), None)
        other.execute("ROLLBACK")
        other.close()
        store = store_when(appliance, lambda s: s["well"] and s["queued"] == 0)
        checks.that("locked: then it is written", store["well"] and store["dropped"] == 0, store)
        check_still_counting(checks, "locked", appliance, sent)
        check_stop(checks, "locked", appliance)
        checks.that("locked: standard error says both", "locked by another" in appliance.output() and
                    "is written again" in appliance.output(), appliance.output())


def corrupt(checks, build, folder):
    path = os.path.join(folder, "corrupt.db")
    for damage in ("no SQLite file at all, but long enough to be one" * 100, None):
        if damage:
            with open(path, "w") as out:
                out.write(damage)
        else:   # the second page of a file that was good
            with open(path, "r+b") as out:
                out.seek(4096)
                out.write(b"\xff" * 8192)
        with Link() as link, Appliance(build, CONFIG % path, eal_on(link, NO_HUGE, RING)) as appliance:
            sent = sender(build, link, folder, 9)
            store = store_when(appliance, lambda s: s["written"] > 0)
            checks.that("corrupt: another file is written", store["well"] and store["set_aside"] == 1, store)
            check_still_counting(checks, "corrupt", appliance, sent)
            check_stop(checks, "corrupt", appliance)
            checks.that("corrupt: it is said", "the corrupt file is now" in appliance.output(), appliance.output())
        aside = [name for name in glob.glob(path + ".corrupt-*") if not name.endswith(("-wal", "-shm"))]
        checks.equal("corrupt: it is set aside", len(aside), 1 if damage else 2)
        with sqlite3.connect(path) as db:
            checks.equal("corrupt: the new file is sound", db.execute("PRAGMA integrity_check").fetchone()[0], "ok")


def full(checks, build, folder):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], check=False).returncode != 0:
        checks.skip("full", "no tmpfs can be mounted")
        return
    try:
        with Link() as link, Appliance(build, CONFIG % os.path.join(disk, "full.db"),
                                       eal_on(link, NO_HUGE, RING)) as appliance:
            sent = sender(build, link, folder, 18)
            store_when(appliance, lambda s: s["written"] > 0)
            ballast = os.path.join(disk, "ballast")
            subprocess.run(["dd", "if=/dev/zero", "of=" + ballast, "bs=1k"], stderr=subprocess.DEVNULL, check=False)
            store = store_when(appliance, lambda s: not s["well"], 15)
            checks.that("full: it is said", "the disk is full" in (store["error"] or ""), store)
            os.remove(ballast)
            store = store_when(appliance, lambda s: s["well"] and s["queued"] == 0)
            checks.that("full: with room it goes on", store["well"] and store["dropped"] == 0, store)
            check_still_counting(checks, "full", appliance, sent)
            check_stop(checks, "full", appliance)
    finally:
        subprocess.run(["umount", disk], check=False)


def late(checks, build, folder):
    """What comes late to an open window is in its interval at every level; later than that it is late and changes nothing."""
    def say(at, value):
        text = "plant,site=north-1 thermal_margin=%s %d" % (value, at)
        link.run("python3", "-c", "import socket,sys;socket.socket(socket.AF_INET,socket.SOCK_DGRAM)"
                 ".sendto(sys.argv[1].encode(),('10.9.0.2',8089))", text)

    def now():
        return int(time.time() * S)

    with Link() as link, Appliance(build, CONFIG % os.path.join(folder, "late.db"), eal_on(link, NO_HUGE, RING)) as appliance:
        time.sleep(5 - time.time() % 5 + 1.1)   # in an interval's second window
        at = now()
        say(at, 10)
        time.sleep(1 - time.time() % 1 + 0.1)   # in the next one
        say(at + 1, 30)
        time.sleep(5)
        start = at // INTERVAL * INTERVAL
        points = [history(appliance, scope, "thermal_margin")["points"] for scope in ("fleet", "region:north", "site:north-1")]
        want = {"start": start, "mean": 20.0, "windows": 1, "samples": 2, "sites": 1, "revision": 1, "final": True}
        for point in points:
            checks.equal("a late sample is in the interval", [{key: p[key] for key in want} for p in point], [want])
        say(at + 2, 90)
        ledger = appliance.ledger_when(lambda ledger: ledger["records"]["late"] == 1, 5)
        checks.equal("later it is late", ledger["records"]["late"], 1)
        checks.that("the ledger balances", balances(ledger), ledger)
        time.sleep(5)
        checks.equal("and changes nothing", history(appliance, "fleet", "thermal_margin")["points"], points[0])
        check_stop(checks, "late", appliance)


def reloaded(checks, build, folder):
    """A reload begins a history, moves it to another file, and ends it."""
    def without(text):
        return "\n".join(line for line in text.splitlines() if not line.startswith("history:")) + "\n"

    paths = [os.path.join(folder, name) for name in ("one.db", "two.db")]
    with Link() as link, Appliance(build, without(CONFIG % "x"), eal_on(link, NO_HUGE, RING)) as appliance:
        config = os.path.join(appliance.folder.name, "fleet.yaml")
        for path in paths + [None]:
            text = CONFIG % path if path else without(CONFIG % "x")
            with open(config, "w") as out:
                out.write(text.replace("HTTP", "127.0.0.1:%d" % appliance.port))
            done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "reload"], text=True,
                                  capture_output=True, timeout=30, check=False)
            checks.equal("reload to %s" % path, done.returncode, 0)
            sent = sender(build, link, folder, 6)
            sent.finish(30)
            time.sleep(4)
            answer = subprocess.run(["curl", "-s", appliance.url + "/api/v1/history?kpi=health"], text=True,
                                    capture_output=True, timeout=10, check=False).stdout
            checks.that("after the reload to %s" % path, '"points":[{' in answer if path else "no history is kept" in answer,
                        answer[:300])
        check_stop(checks, "reloaded", appliance)
    for path in paths:
        checks.that("%s is there" % path, os.path.exists(path))


TESTS = (keep, late, reloaded, locked, corrupt, full)


def main(build, *names):
    checks = Checks()
    for test in TESTS:
        if names and test.__name__ not in names:
            continue
        if os.geteuid() != 0:
            checks.skip(test.__name__, "not root")
            continue
        print("history: %s" % test.__name__, flush=True)
        with tempfile.TemporaryDirectory(prefix="esf-history-") as folder:
            test(checks, build, folder)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
