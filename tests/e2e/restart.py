#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""restart.py BUILD [--kills N] [--seed K] [NAME]...: kill -9 at random moments under load; what the history has, and the
gap that the ledger tells, are what was sent, to the unit, each time. Needs root.

A packet socket that is being opened may take some datagrams, miss those of the next milliseconds, and go on: these did not come
between the snapshot and the first one after the restart, but behind it, so they are lost, and said to be. Until it is bound it also
hears what goes over other links of this machine: so the port is this run's own."""
import argparse
import glob
import json
import os
import random
import sqlite3
import subprocess
import tempfile
import time

from appliance import NO_HUGE, ROOT, Appliance, Link
from checks import Checks
from live import RING, check_metrics, eal_on

S = 10 ** 9
SITES, STREAMS, RATE = 8, 2, 1600
PORT = 20000 + os.getpid() % 20000
WINDOW = 64         # of numbers: what is missing is lost once that many more have come
CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: %d, format: etd}
normalise:
  - {match: "^m$", kpi: thermal_margin, min: 0, max: 100}
rollup: {window: 1s, windows_open: 2, epoch: 100ms, intervals: [1s, 5s, 1m]}
http: {listen: "HTTP"}
history: {file: "%s/history.db", keep: 1h}
state: {file: "%s/state", every: 1s}
dedup: {sequence_window: %d}
storm: {site_rate: 100000, site_burst: 100000}
unknown_sites: learn
regions:
  - {name: north, match: "n-*"}
sites:
""" + "\n".join("  - {id: %d, name: n-%d}" % (i, i) for i in range(1, SITES)) + "\n"   # the last one is learned


class Stream:
    """etd_stream.py on the link's far end."""

    def __init__(self, link):
        command = ["python3", os.path.join(ROOT, "tests/e2e/etd_stream.py"), "10.9.0.2", str(PORT), str(SITES),
                   str(STREAMS), str(RATE)]
        self.process = subprocess.Popen(link.inside(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def pause(self):
        """By site: the numbers sent so far of each stream. What is missing before has left the window by then."""
        self.process.stdin.write("pause %d\n" % (WINDOW + 6))
        self.process.stdin.flush()
        sent = {}
        for key, seq in json.loads(self.process.stdout.readline()).items():
            sent.setdefault(int(key.split(":")[0]), []).append(seq)
        return sent


def samples(folder, site, interval):
    """What the history's file holds; of the site as such, whatever the API makes of it."""
    with sqlite3.connect("file:%s/history.db?mode=ro" % folder, uri=True, timeout=5) as db:
        row = db.execute("SELECT sum(samples) FROM points JOIN series ON series.id = series WHERE scope = ? AND "
                         "kpi = 'thermal_margin' AND interval = ?", ("site:%d" % site, interval * S)).fetchone()
    return row[0] or 0


def name_of(site):
    return "n-%d" % site if site < SITES else "site-%d" % site


def ledgers(appliance):
    """Each site's, with what it lost."""
    lost = {site["name"]: site["lost"] for site in appliance.get("sites?window=open")["sites"]}
    return {site: dict(appliance.get("ledger?site=" + name_of(site)), lost=lost[name_of(site)])
            for site in range(1, SITES + 1)}


def sum_of(ledger):
    return ledger["datagrams"]["accepted"] + ledger["gap"] + ledger["lost"]


def accounted(appliance, sent):
    """Waits until every datagram sent is accepted, in the gap, or lost; at most 5 s."""
    for _ in range(50):
        told = ledgers(appliance)
        if all(sum_of(told[s]) == sum(sent[s]) for s in sent):
            break
        time.sleep(0.1)
    return told


def compare(checks, what, folder, told, sent, interval):
    """sum(history) + late + gap = sent: each datagram but the births holds one record."""
    wrong = []
    for site, seqs in sent.items():
        kept, of = samples(folder, site, interval), told[site]
        want = sum(seqs) - STREAMS
        if kept + of["records"]["late"] + of["gap"] + of["lost"] != want:
            wrong.append((site, "history %d + late %d + gap %d + lost %d, sent %d" %
                          (kept, of["records"]["late"], of["gap"], of["lost"], want)))
    checks.that("%s: sum(history, %d s) + gap = sent" % (what, interval), not wrong, wrong[:3])


def check_cycle(checks, what, appliance, folder, sent, totals):
    told = accounted(appliance, sent)
    wrong = {s: (told[s], sent[s]) for s in sent if sum_of(told[s]) != sum(sent[s]) or not told[s]["balanced"]}
    checks.that("%s: accepted + gap = sent, of each site" % what, not wrong, list(wrong.items())[:1])
    refused = {name: sum(told[s]["records"][name] for s in told) for name in ("unborn", "unmapped", "future")}
    checks.that("%s: births are known" % what, not any(refused.values()), refused)
    whole, lost = appliance.get("ledger"), sum(told[s]["lost"] for s in told)
    checks.equal("%s: accepted + gap = sent, as a whole" % what,
                 whole["datagrams"]["accepted"] + whole["restart"]["gap"] + lost, sum(map(sum, sent.values())))
    checks.that("%s: the ledger balances" % what, whole["balanced"] and whole["in_flight"] == 0, whole["datagrams"])
    time.sleep(2.8)     # 2 windows of a second, an interval's end, and the history's file
    compare(checks, what, folder, told, sent, 1)
    totals["late"] = sum(told[s]["records"]["late"] for s in told)
    totals["lost"] = lost
    totals["gap"] = sum(told[s]["gap"] for s in told)
    totals["sent"] = sum(map(sum, sent.values()))


def killed(checks, build, folder, args, lcores=None):
    """kill -9 at random moments; then a clean stop, and a start after it."""
    dice, totals, kills = random.Random(args.seed), {}, args.kills
    config = CONFIG % (PORT, folder, folder, WINDOW)
    with Link() as link:
        eal = eal_on(link, NO_HUGE, RING, lcores)
        with Appliance(build, config, eal) as appliance, Stream(link) as stream:
            stream.go()
            await_snapshot(appliance)
            for kill in range(kills):
                what = "kill %d" % (kill + 1)
                stream.go()
                time.sleep(dice.uniform(0.2, 2.5))
                appliance.process.kill()
                appliance.process.wait()
                restart(appliance)
                said = [line for line in appliance.output().splitlines() if line.startswith("restored ")]
                checks.that("%s: restored" % what, len(said) == 1 and "%d sites" % SITES in said[0], appliance.output())
                time.sleep(dice.uniform(0.4, 1.2))
                check_cycle(checks, what, appliance, folder, stream.pause(), totals)
                if kill % 10 == 9 or kill + 1 == kills:
                    print("restart: %d kills: %s" % (kill + 1, totals), flush=True)
            check_metrics(checks, appliance)
            clean(checks, build, appliance, stream, folder, totals)
    checks.that("a kill forgot something, or nothing was proven", totals["gap"] > 0, totals)
    checks.equal("nothing is left half written", glob.glob(folder + "/state*"), [folder + "/state"])


def killed_on_lcores(checks, build, folder, args):
    """The same where one lcore receives and hands over what is another's."""
    killed(checks, build, folder, args, "(0-2)@(0,1)")


def await_snapshot(appliance):
    """One that has the births."""
    appliance.ledger_when(lambda ledger: ledger["datagrams"]["accepted"] > 10 * SITES * STREAMS, 10)
    now = time.time_ns()
    appliance.ledger_when(lambda ledger: (ledger["snapshot"]["time"] or 0) > now, 10)


def end(checks, what, appliance):
    """As live.py's, but for the time that it takes: the disk is waited for."""
    code, last = appliance.stop()
    checks.that("%s: a clean stop" % what, code == 0 and "ledger balanced, 0 of" in last, (code, last))


def restart(appliance):
    """The same command again, in the same folder."""
    with open(appliance.said, "wb") as out:
        appliance.process = subprocess.Popen(appliance.command, stdin=subprocess.DEVNULL, stdout=out,
                                             stderr=subprocess.STDOUT)
    for _ in range(300):
        if "\nready: " in "\n" + appliance.output() or appliance.process.poll() is not None:
            break
        time.sleep(0.1)
    if appliance.process.poll() is not None or "ready: " not in appliance.output():
        raise RuntimeError("the appliance did not start again: %s" % appliance.output())


def clean(checks, build, appliance, stream, folder, totals):
    """A stop while senders pause forgets nothing; running intervals are put together, once."""
    before = totals["gap"]
    stream.go()
    time.sleep(1)
    sent = stream.pause()
    accounted(appliance, sent)
    end(checks, "planned", appliance)
    restart(appliance)
    stream.go()
    time.sleep(1)
    sent = stream.pause()
    check_cycle(checks, "after a clean stop", appliance, folder, sent, totals)
    checks.equal("a clean stop forgets nothing", totals["gap"], before)
    done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, "ledger"], text=True,
                          capture_output=True, timeout=30, check=False)
    checks.that("fleetctl tells of the restart", "\nrestart     from a snapshot" in done.stdout and
                "gap: 0 datagrams" in done.stdout, done.stdout)
    told = ledgers(appliance)
    end(checks, "restarted", appliance)
    for interval in (1, 5, 60):
        compare(checks, "at the end", folder, told, sent, interval)


def refused(checks, build, folder, _):
    """What is no snapshot, or is damaged, is said, set aside, counted; and all begins with nothing."""
    config, path = CONFIG % (PORT, folder, folder, WINDOW), folder + "/state"
    with Link() as link:
        with Appliance(build, config, eal_on(link, NO_HUGE, RING)) as appliance:
            end(checks, "first", appliance)
        with open(path, "rb") as file:
            whole = bytearray(file.read())
        checks.equal("only its owner reads it", os.stat(path).st_mode & 0o777, 0o600)
        torn = bytes(whole[:len(whole) // 2])
        flipped = bytes(whole[:100]) + bytes([whole[100] ^ 4]) + bytes(whole[101:])
        foreign = bytes(whole[:12]) + b"\x63" + bytes(whole[13:])
        for content, why in ((b"hello", "not a snapshot"), (torn, "size: got"), (flipped, "checksum"), (b"", "not a snapshot"),
                             (foreign, "version: got 99, want 1")):
            with open(path, "wb") as file:
                file.write(content)
            with Appliance(build, config, eal_on(link, NO_HUGE, RING)) as appliance:
                line = "estream-fleetd: %s: snapshot refused: %s" % (path, why)
                checks.that("%s: said" % why, line in appliance.output() and "starting cold" in appliance.output(),
                            appliance.output())
                ledger = appliance.get("ledger")
                checks.that("%s: a cold start" % why, ledger["restart"] is None and ledger["snapshot"]["refused"] == 1, ledger)
                aside = glob.glob(path + ".refused-*")
                checks.equal("%s: set aside" % why, len(aside), 1)
                with open(aside[0], "rb") as file:
                    checks.that("%s: as it was" % why, file.read() == content)
                os.unlink(aside[0])
                end(checks, why, appliance)


TESTS = (killed, killed_on_lcores, refused)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    checks = Checks()
    for test in TESTS:
        if args.names and test.__name__ not in args.names:
            continue
        if os.geteuid() != 0:
            checks.skip(test.__name__, "not root")
            continue
        print("restart: %s" % test.__name__, flush=True)
        with tempfile.TemporaryDirectory(prefix="esf-restart-") as folder:
            test(checks, args.build, folder, args)
    checks.finish()


if __name__ == "__main__":
    main()
