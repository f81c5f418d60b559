#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""live.py BUILD [NAME]...: the appliance on a DPDK port, fed over real sockets. Needs root. NAMEs run some tests only.

Every test makes its own veth pair, network namespace, appliance and senders, and removes them."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from appliance import NO_HUGE, Appliance, Link, Sender, Watch, balances, hugepages_free
from checks import Checks

SITES = 40
REGIONS = ("north", "south", "east", "west")
WINDOW_S = 30
DATAGRAMS = 100000          # of each format
RATE = 20000                # a second, of each format
RING = "framecnt=16384,blocksz=65536"   # 0.4 s of both, should the lcore be set aside

# What is sent has no noise, so that every mean is known: thermal_margin differs by region, the rest is the same.
MARGIN = {"north": 50.0, "south": 60.0, "east": 62.5, "west": 71.25}
CONSTANT = {"availability": 0.995, "output_ratio": 0.98, "efficiency": 0.95, "fault_rate": 0.25}
SCENARIO = """\
seed: 5
sites: {count: %d, name: "{region}-{n}", regions: [%s]}
kpis:
  - {name: thermal_margin, base: 60, unit: degC}
%s
faults:
%s
"""
CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24, "fd00:9::2/64"]}
listeners:
  - {udp: 47700, format: etd}
  - {udp: 8089, format: influx}
rollup: {window: %ds, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
%s
regions:
%s
sites:
%s
"""
MESSAGES = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 5514, format: syslog}
rollup: {window: 2s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
signatures:
  - {match: "(?i)inverter .* ground fault", code: ground_fault, severity: 1, state: raise}
sites:
  - {id: 1, name: '%s'}
  - {id: 2, name: far, addresses: [10.9.0.1]}
"""


def weight(site_id):
    return 1 + site_id % 3 * 0.5


def region_of(site_id):
    return REGIONS[(site_id - 1) % len(REGIONS)]


def scenario():
    kpis = ["  - {name: %s, base: %s, unit: x}" % item for item in CONSTANT.items()]
    faults = ['  - {sites: "%s-*", kpi: thermal_margin, kind: step, to_value: %s}' % item
              for item in MARGIN.items()]
    return SCENARIO % (SITES, ", ".join(REGIONS), "\n".join(kpis), "\n".join(faults))


def config(window_s=WINDOW_S, more=""):
    regions = ['  - {name: %s, match: "%s-*"}' % (name, name) for name in REGIONS]
    sites = ["  - {id: %d, name: %s-%d, weight: %s}" % (i, region_of(i), (i - 1) // len(REGIONS) + 1, weight(i))
             for i in range(1, SITES + 1)]
    return CONFIG % (window_s, more, "\n".join(regions), "\n".join(sites))


def eal_on(link, memory, port=RING, lcores=None):
    return (["--no-pci", "--vdev=net_af_packet0,iface=%s,%s" % (link.near, port)] + memory +
            (["--lcores", lcores] if lcores else []))


def senders(build, link, folder, count, rate):
    path = os.path.join(folder, "scenario.yaml")
    with open(path, "w") as out:
        out.write(scenario())
    common = ["--scenario", path, "--count", str(count), "--rate", str(rate)]
    return [Sender(build, link, folder, name, ["--to", to, "--format", name] + common)
            for name, to in (("etd", "10.9.0.2:47700"), ("influx", "[fd00:9::2]:8089"))]


def check_stop(checks, what, appliance):
    code, last = appliance.stop()
    checks.equal("%s: exit code" % what, code, 0)
    checks.that("%s: stops within 2 s of SIGTERM" % what, appliance.stop_seconds < 2, appliance.stop_seconds)
    checks.that("%s: says at the end that the ledger balances" % what, "ledger balanced" in last, last)
    checks.that("%s: every mbuf is back" % what, ", 0 of " in last and last.endswith(" mbufs out"), last)


def nothing_else(counts, allowed):
    return {name: count for name, count in counts.items() if count and name not in allowed}


def wait_for_room_in_window():
    """So that all that follows falls into one window: until at least 15 s of it are left."""
    left = WINDOW_S - time.time() % WINDOW_S
    if left < 15:
        time.sleep(left + 0.1)


def check_ledger(checks, ledger, sent):
    datagrams, records = ledger["datagrams"], ledger["records"]
    values = sum(sender.summary["records"] for sender in sent)
    checks.equal("sent", sum(sender.summary["datagrams"] for sender in sent), 2 * DATAGRAMS)
    checks.equal("datagrams accepted", datagrams["accepted"], 2 * DATAGRAMS)
    checks.equal("records received", records["received"], values)
    checks.equal("records accepted", records["accepted"], values)
    checks.equal("datagrams refused", nothing_else(datagrams, (
        "received", "accepted", "neighbour", "extension_header", "not_ours")), {})
    checks.that("the ledger balances", balances(ledger), ledger)
    checks.equal("lost before us", [ledger["nic"][key] for key in ("missed", "no_buffer", "errors")], [0, 0, 0])


def check_sites(checks, appliance, sent):
    wrong = []
    for by_format in zip(*(sender.labels["sites"] for sender in sent)):
        name = by_format[0]["name"]
        ledger = appliance.get("ledger?site=" + name)
        want = [sum(site[key] for site in by_format) for key in ("datagrams", "records")]
        got = [ledger["datagrams"]["accepted"], ledger["records"]["accepted"]]
        if got != want or not ledger["balanced"]:
            wrong.append((name, got, want))
    checks.equal("sites whose datagrams and records are not what was sent", wrong, [])


def check_scope(checks, scope, ids, sent):
    """Means, spreads and sample counts of a region or of the fleet, worked out from the scenario."""
    weights = [weight(i) for i in ids]
    margins = [MARGIN[region_of(i)] for i in ids]
    kpi, name = scope["kpis"]["thermal_margin"], scope["name"]
    mean = sum(w * x for w, x in zip(weights, margins)) / sum(weights)
    square = sum(w * (x - mean) ** 2 for w, x in zip(weights, margins)) / sum(weights)
    sites = [site for sender in sent for site in sender.labels["sites"] if site["id"] in ids]
    values = sum(site["records"] for site in sites) // (len(CONSTANT) + 1)
    checks.near("%s: mean" % name, kpi["mean"], mean)
    checks.near("%s: stddev" % name, kpi["stddev"], square ** 0.5, 1e-6)
    checks.equal("%s: min, max" % name, (kpi["min"], kpi["max"]), (min(margins), max(margins)))
    checks.equal("%s: p50" % name, kpi["p50"], sorted(margins)[(len(margins) + 1) // 2 - 1])
    checks.equal("%s: sites" % name, (kpi["sites"], scope["sites"]["reporting"]), (len(ids), len(ids)))
    checks.equal("%s: samples" % name, kpi["samples"], values)
    for key, value in CONSTANT.items():
        checks.near("%s: mean of %s" % (name, key), scope["kpis"][key]["mean"], value)


def open_fleet(appliance, samples):
    """The open window, once a tick has published all that came."""
    for _ in range(50):
        document = appliance.get("fleet?window=open")
        if document["fleet"]["kpis"].get("thermal_margin", {}).get("samples") == samples:
            break
        time.sleep(0.1)
    return document


def check_fleet(checks, appliance, sent):
    samples = sum(sender.summary["records"] for sender in sent) // (len(CONSTANT) + 1)
    document = open_fleet(appliance, samples)
    check_scope(checks, document["fleet"], range(1, SITES + 1), sent)
    for region in document["regions"]:
        ids = [i for i in range(1, SITES + 1) if region_of(i) == region["name"]]
        check_scope(checks, region, ids, sent)


def check_metrics(checks, appliance):
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not promtool:
        checks.skip("promtool check metrics", "no promtool")
        return
    done = subprocess.run([promtool, "check", "metrics"], input=appliance.text("/metrics"), text=True,
                          capture_output=True, timeout=30, check=False)
    checks.equal("promtool check metrics", (done.returncode, done.stdout + done.stderr), (0, ""))


def check_fleetctl(checks, build, appliance):
    def ask(*arguments):
        return subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, *arguments], text=True,
                              capture_output=True, timeout=30, check=False)

    for arguments in (["status"], ["regions"], ["region", "north"], ["sites"], ["site", "west-10"], ["ledger"],
                      ["pipeline"], ["top", "--once"]):
        done = ask(*arguments)
        wide = [line for line in done.stdout.splitlines() if len(line) > 100]
        checks.that("fleetctl %s" % " ".join(arguments), done.returncode == 0 and done.stdout and not wide,
                    (done.returncode, done.stderr, wide))
    checks.equal("fleetctl of a site that is not there: exit code", ask("site", "nowhere-1").returncode, 1)


def count_every_datagram(checks, build, memory):
    """200,000 datagrams of two formats, over IPv4 and IPv6, at a rate that the kernel carries: all arrive."""
    with tempfile.TemporaryDirectory() as folder, Link() as link:
        with Appliance(build, config(), eal_on(link, memory)) as appliance:
            wait_for_room_in_window()
            with Watch(appliance) as watch:
                sent = senders(build, link, folder, DATAGRAMS, RATE)
                for sender in sent:
                    sender.finish(60)
            ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= 2 * DATAGRAMS, 5)
            checks.that("the ledger was read under load", watch.count >= 20, watch.count)
            checks.equal("ledgers under load that did not balance", watch.unbalanced, [])
            check_ledger(checks, ledger, sent)
            check_fleet(checks, appliance, sent)
            check_sites(checks, appliance, sent)
            check_metrics(checks, appliance)
            check_fleetctl(checks, build, appliance)
            check_stop(checks, "200,000 datagrams", appliance)


def check_nodes(checks, what, appliance, ledger):
    """At rest, over all lcores: what each stage counted, to the unit, and each lcore's cycles. Returns the document."""
    pipeline = appliance.get("pipeline")
    lcores = [{node["node"]: node for node in lcore["nodes"]} for lcore in pipeline["lcores"]]

    def total(node, key):
        return sum(nodes[node][key] for nodes in lcores)

    datagrams = ledger["datagrams"]
    checks.equal("%s: what was received was processed" % what, (total("receive", "in"), total("process", "in")),
                 (datagrams["received"],) * 2)
    checks.equal("%s: what was handed over was taken" % what, total("hand_over", "out"), total("inbox", "in"))
    checks.equal("%s: what did not go on was refused" % what,
                 sum(total(node, "in") - total(node, "out") for node in ("process", "inbox")),
                 datagrams["received"] - datagrams["accepted"])
    checks.equal("%s: all that was handed over found room" % what, total("hand_over", "in"), total("hand_over", "out"))
    for lcore in pipeline["lcores"]:
        cycles = lcore["cycles"]
        checks.that("%s: lcore %d: busy and idle are all cycles but a pass's" % (what, lcore["lcore"]),
                    0 <= cycles["total"] - cycles["busy"] - cycles["idle"] < pipeline["hz"], cycles)
        checks.that("%s: lcore %d: asleep is idle" % (what, lcore["lcore"]), cycles["asleep"] <= cycles["idle"], cycles)
    return pipeline


def run_on_lcores(checks, build, what, lcores, more, port, memory):
    """Returns what the poll loops counted."""
    with tempfile.TemporaryDirectory() as folder, Link() as link:
        with Appliance(build, config(2, more), eal_on(link, memory, port, lcores)) as appliance:
            with Watch(appliance, 0.02) as watch:
                sent = senders(build, link, folder, 30000, 10000)
                for sender in sent:
                    sender.finish(60)
            values = sum(sender.summary["records"] for sender in sent)
            ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= 60000, 5)
            checks.equal("%s: datagrams accepted" % what, ledger["datagrams"]["accepted"], 60000)
            checks.equal("%s: records accepted" % what, ledger["records"]["accepted"], values)
            checks.that("%s: the ledger was read under load" % what, watch.count >= 20, watch.count)
            checks.equal("%s: ledgers under load that did not balance" % what, watch.unbalanced, [])
            pipeline = check_nodes(checks, what, appliance, appliance.get("ledger"))
            check_stop(checks, what, appliance)
    return pipeline


def rest_when_idle(checks, build, memory):
    """Lcores that sleep or yield lose nothing; whoever sleeps says how much."""
    for what, lcores, more, sleeps in (
            ("1 lcore that sleeps", "0@0,1@1", "idle: {policy: sleep}", True),
            ("1 lcore that sleeps for 10 ms", "0@0,1@1", "idle: {policy: sleep, max_sleep_us: 10000}", True),
            ("1 that receives, 2 that own, all sleep", "(0-3)@(0,1)",
             'lcores: "1-3"\nreceive_only: [1]\nidle: {policy: sleep}', True),
            ("1 lcore that yields", "0@0,1@1", "idle: {policy: yield}", False)):
        pipeline = run_on_lcores(checks, build, what, lcores, more, RING, memory)
        checks.equal("%s: the policy" % what, pipeline["idle"]["policy"], "sleep" if sleeps else "yield")
        checks.equal("%s: who slept" % what, [lcore["sleeps"] > 0 and lcore["cycles"]["asleep"] > 0
                                              for lcore in pipeline["lcores"]], [sleeps] * len(pipeline["lcores"]))


def share_cores(checks, build, memory):
    """1, 2 and 4 data lcores on two cores, with hand-over between them or a queue each."""
    one = "framecnt=8192,blocksz=65536"
    queues = one + ",qpairs=4"
    for what, lcores, more, port in (
            ("1 data lcore", "(0-1)@(0,1)", "", one),
            ("2 data lcores", "(0-2)@(0,1)", "", one),
            ("4 data lcores", "(0-4)@(0,1)", "", one),
            ("4 data lcores, 4 queues", "(0-4)@(0,1)", "", queues),
            ("1 that receives, 3 that own", "(0-4)@(0,1)", 'lcores: "1-4"\nreceive_only: [1]', one)):
        run_on_lcores(checks, build, what, lcores, more, port, memory)


def stop_under_load(checks, build, memory):
    """SIGTERM while datagrams keep coming: the ledger balances all the same."""
    with tempfile.TemporaryDirectory() as folder, Link() as link:
        with Appliance(build, config(2), eal_on(link, memory, RING, "(0-4)@(0,1)")) as appliance:
            sent = senders(build, link, folder, 40000, 10000)
            appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= 10000, 10)
            check_stop(checks, "stopped under load", appliance)
            for sender in sent:
                sender.process.kill()
                sender.process.communicate()


def answer_neighbours(checks, build, memory):
    with Link() as link:
        with Appliance(build, config(2), eal_on(link, memory)) as appliance:
            for address in ("10.9.0.2", "fd00:9::2"):
                done = link.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", address)
                checks.that("ping %s" % address, " 0% packet loss" in done.stdout, done.stdout + done.stderr)
                known = link.run("ip", "neigh", "show", address).stdout
                checks.that("%s is a neighbour" % address, "lladdr" in known, known)
            done = link.run("ping", "-n", "-c", "1", "-W", "1", "10.9.0.3")
            checks.that("an address that is not ours stays silent", done.returncode != 0, done.stdout)
            ledger = appliance.get("ledger")
            checks.that("neighbours are counted", ledger["datagrams"]["neighbour"] >= 8, ledger)
            checks.that("the ledger balances", balances(ledger), ledger)
            check_stop(checks, "neighbours", appliance)


def hear_messages(checks, build, memory):
    """util-linux' logger: two messages of a host that is a site, one of an address that is one."""
    if not shutil.which("logger"):
        checks.skip("hear_messages", "logger is not installed")
        return
    said = (("--rfc3164", "-p", "daemon.crit", "Inverter 3 ground fault"), ("--rfc3164", "-p", "user.warning", "warm"),
            ("--rfc5424=nohost", "-p", "user.info", "well"))
    host = os.uname().nodename.partition(".")[0]    # as logger gives it in RFC 3164's form
    with Link() as link:
        with Appliance(build, MESSAGES % host, eal_on(link, memory)) as appliance:
            for words in said:
                done = link.run("logger", "-n", "10.9.0.2", "-P", "5514", "-d", *words)
                checks.equal("logger %s" % words[0], (done.returncode, done.stderr), (0, ""))
            ledger = appliance.ledger_when(lambda now: now["records"]["accepted"] == len(said), 5)
            time.sleep(0.5)     # control takes events once an epoch
            told = appliance.get("events")
            checks.equal("messages accepted", ledger["records"]["accepted"], len(said))
            checks.that("the ledger balances", balances(ledger), ledger)
            checks.equal("events", [(e["site"], e["code"], e["severity"], e["state"], e["text"])
                                    for e in told["events"]],
                         [(host, None, 4, "message", "warm"),
                          (host, "ground_fault", 1, "raise", "Inverter 3 ground fault")])
            checks.equal("events by code", told["matched"], {"ground_fault": 1})
            checks.equal("messages without signature", (told["unmatched"]["4"], told["unmatched"]["6"]), (1, 1))
            checks.that("their times are of now",
                        all(abs(told["time"] - e["time"]) < 10e9 for e in told["events"]), told)
            well = appliance.get("ledger?site=far")["records"]["accepted"]
            checks.equal("a message without a host is its address's", well, 1)
            check_stop(checks, "messages", appliance)


TESTS = (count_every_datagram, share_cores, rest_when_idle, stop_under_load, answer_neighbours, hear_messages)


def main(build, *names):
    checks = Checks()
    if os.geteuid() != 0:
        for test in TESTS:
            checks.skip(test.__name__, "not root")
        checks.finish()
    for test in TESTS:
        if not names or test.__name__ in names:
            print("live: %s" % test.__name__, flush=True)
            test(checks, build, NO_HUGE)
    if not names or "hugepages" in names:
        if hugepages_free() >= 64:
            print("live: on hugepages", flush=True)
            answer_neighbours(checks, build, [])
            run_on_lcores(checks, build, "on hugepages", "(0-2)@(0,1)", "", RING, [])
        else:
            checks.skip("on hugepages", "fewer than 64 of 2 MiB are free")
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
