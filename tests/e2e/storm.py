#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""storm.py BUILD: over veth, one site sends a hundred times what it may, beside others. It is held to its rate and shown
to be, the others lose nothing, and it leaves its storm in the end. Needs root; ends within 25 s."""
import os
import subprocess
import sys
import tempfile
import time
import urllib.error

from appliance import NO_HUGE, Appliance, Link, Sender, Watch, balances
from checks import Checks

SITES = 20
STORMING = "site-007"
SITE_RATE, FACTOR = 10, 100
TURNS = 2               # a second, of each site
SECONDS, BEGINS, ENDS = 12, 1, 5
RING = "framecnt=8192,blocksz=65536"
SCENARIO = """\
seed: 9
interval: %dms
sites: {count: %d}
faults:
  - {sites: %s, kind: storm, from: %ds, to: %ds, rate_factor: %d}
""" % (1000 // TURNS, SITES, STORMING, BEGINS, ENDS, SITE_RATE * FACTOR // TURNS)
CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 47700, format: etd}
rollup: {window: 1s, windows_open: 2, epoch: 200ms}
storm: {site_rate: %d, site_burst: 20, min_hold: 2s}
http: {listen: "HTTP"}
sites:
%s
""" % (SITE_RATE, "\n".join("  - {id: %d, name: site-%03d}" % (i, i) for i in range(1, SITES + 1)))


def storm_when(appliance, path, enough, seconds):
    """The view's storm, once enough(storm) or after so many seconds; None while there is no view."""
    storm = None
    for _ in range(int(seconds * 10)):
        try:
            storm = appliance.get(path)["storm"]
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        if storm is not None and enough(storm):
            break
        time.sleep(0.1)
    return storm


def check_shown(checks, build, appliance):
    """On every surface, while it lasts."""
    def fleetctl(*words):
        done = subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, *words], text=True,
                              capture_output=True, timeout=20, check=False)
        wide = [line for line in done.stdout.splitlines() if len(line) > 100]
        checks.equal("fleetctl %s: works and fits" % words[0], (done.returncode, done.stderr, wide), (0, "", []))
        return done.stdout

    storm_when(appliance, "fleet", lambda storm: storm["active"], 5)    # a closed window's view comes later
    site = appliance.get("sites/" + STORMING)
    checks.equal("the site storms", (site["storm"], site["shed"]["influx"], site["shed"]["statsd"]), (True, 0, 0))
    checks.that("and was shed of", site["shed"]["etd"] > 0, site)
    checks.that("status says who storms", "\nstorm: %s\n" % STORMING in fleetctl("status"))
    checks.that("site says so", "\nstorm: held to its rate; shed " in fleetctl("site", STORMING))
    marked = [line.split()[0] for line in fleetctl("sites").splitlines() if "storm" in line]
    checks.equal("sites marks it", marked, [STORMING])
    metrics = appliance.text("/metrics")
    checks.that("its metrics", "\nestream_storm_active 1\n" in metrics and "\nestream_sites_storming 1\n" in metrics)
    checks.that("what is shed, by class", '\nestream_shed_total{class="etd"} 0\n' not in metrics and
                '\nestream_shed_total{class="influx"} 0\n' in metrics)


def check_over(checks, appliance, sender):
    """The storm is over: nobody else lost anything, and all of its own is accounted for."""
    ledger = appliance.ledger_when(lambda now: now["in_flight"] == 0, 5)
    accepted, shed = (ledger["datagrams"][key] for key in ("accepted", "shed"))
    checks.equal("accepted or shed", accepted + shed, sender.summary["datagrams"])
    checks.that("the ledger balances", balances(ledger), ledger)
    checks.equal("lost before us", [ledger["nic"][key] for key in ("missed", "no_buffer", "errors")], [0, 0, 0])
    for _ in range(50):     # a site's ledger is its youngest view's
        known = [appliance.get("ledger?site=" + sent["name"])["datagrams"] for sent in sender.labels["sites"]]
        if sum(datagrams["received"] for datagrams in known) == sender.summary["datagrams"]:
            break
        time.sleep(0.1)
    for sent in sender.labels["sites"]:
        own = appliance.get("ledger?site=" + sent["name"])
        got = own["datagrams"]
        site = appliance.get("sites/" + sent["name"])
        if sent["name"] == STORMING:
            checks.equal("its own", (got["accepted"] + got["shed"], got["shed"]), (sent["datagrams"], shed))
            checks.that("most of its storm is shed", shed > sent["datagrams"] / 2, got)
            checks.equal("what its site says", site["shed"], {"etd": shed, "influx": 0, "statsd": 0})
        else:
            checks.equal("%s: all counts" % sent["name"], (got["accepted"], own["records"]["accepted"]),
                         (sent["datagrams"], sent["records"]))
        checks.equal("%s: lost" % sent["name"], (site["lost"], site["storm"]), (0, False))


def hold_one_to_its_rate(checks, build):
    with tempfile.TemporaryDirectory() as folder, Link() as link:
        eal = ["--no-pci", "--vdev=net_af_packet0,iface=%s,%s" % (link.near, RING), *NO_HUGE, "--lcores",
               "(0-2)@(0,1)"]
        path = os.path.join(folder, "scenario.yaml")
        with open(path, "w") as out:
            out.write(SCENARIO)
        with Appliance(build, CONFIG, eal) as appliance:
            sender = Sender(build, link, folder, "etd", ["--to", "10.9.0.2:47700", "--format", "etd", "--scenario", path,
                                                         "--seconds", str(SECONDS)])
            with Watch(appliance, 0.1) as watch:
                storm = storm_when(appliance, "fleet?window=open", lambda storm: storm["active"], 10)
                checks.equal("who storms", storm, {"active": True, "sites": [STORMING], "fleet": False})
                check_shown(checks, build, appliance)
                sender.finish(30)
                storm = storm_when(appliance, "fleet", lambda storm: not storm["active"], 10)
                checks.equal("nobody storms in the end", storm, {"active": False, "sites": [], "fleet": False})
                check_over(checks, appliance, sender)
            checks.equal("ledgers that did not balance meanwhile", watch.unbalanced, [])
            code, last = appliance.stop()
            checks.equal("exit code", code, 0)
            checks.that("at the end the ledger balances", "ledger balanced" in last, last)
            checks.that("every mbuf is back", ", 0 of " in last and last.endswith(" mbufs out"), last)


def main(build):
    checks = Checks()
    if os.geteuid() != 0:
        checks.skip("hold_one_to_its_rate", "not root")
    else:
        hold_one_to_its_rate(checks, os.path.abspath(build))
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
