#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reload.py BUILD: the configuration loaded anew while sealed datagrams come in over a real link. Needs root."""
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from appliance import NO_HUGE, Appliance, Link, Sender, Watch
from checks import Checks
from live import check_stop, eal_on, nothing_else

SITES = 8
RATE = 4000         # datagrams a second
DATAGRAMS = 40000   # of each key
CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 47700, format: etd, require_seal: true}
  - {udp: 5514, format: syslog}
rollup: {window: 2s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
normalise:
  - {match: "^unused%(turn)d$", kpi: hot_side_c}
signatures:
  - {match: "%(pattern)s", code: %(code)s}
health: {good: %(good)d}
sites:
%(sites)s
"""


def write(appliance, keys=(1, 2), turn=0, code="fault", pattern="pump", more="", good=80, names=None):
    """The configuration file, anew; also for the first time, before the appliance has a folder."""
    listed = ", ".join("{id: %d, file: %d.key}" % (key, key) for key in keys)
    names = names or {i: "site-%d" % i for i in range(1, SITES + 1)}
    sites = "\n".join("  - {id: %d, name: %s, keys: [%s]%s}" %
                      (i, name, listed, ", addresses: [10.9.0.1]" if i == 1 else "") for i, name in names.items())
    text = CONFIG % {"turn": turn, "code": code, "pattern": pattern, "sites": sites, "good": good} + more
    if appliance is None:
        return text
    path = os.path.join(appliance.folder.name, "fleet.yaml")
    with open(path + ".new", "w") as out:
        out.write(text.replace("HTTP", "127.0.0.1:%d" % appliance.port))
    os.rename(path + ".new", path)
    return text


def post(appliance, path="reload", headers=None):
    request = urllib.request.Request(appliance.url + "/api/v1/" + path, method="POST", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def say(link, text):
    link.run("bash", "-c", "echo '<9>%s' > /dev/udp/10.9.0.2/5514" % text)


def codes(appliance, want, seconds=5):
    """Codes of the latest events, newest first, once there are so many."""
    for _ in range(seconds * 10):
        found = [event["code"] for event in appliance.get("events")["events"]]
        if len(found) >= want:
            break
        time.sleep(0.1)
    return found


def fleetctl(build, appliance, *words):
    return subprocess.run([os.path.join(build, "fleetctl"), "--url", appliance.url, *words], capture_output=True,
                          text=True, timeout=40, check=False)


def turn_often(checks, appliance, first, keys):
    """Ten reloads that change rules and signatures, by each way in turn; and faulty ones between."""
    for turn in range(first, first + 10):
        write(appliance, keys=keys, turn=turn, code="fault%d" % turn)
        if turn % 2:
            status, said = post(appliance)
            checks.equal("reload %d is taken" % turn, (status, said.get("changed")),
                         (200, ["normalise", "signatures"]))
            checks.equal("reload %d counts" % turn, said.get("config_revision"), turn + 1)
        else:
            appliance.process.send_signal(signal.SIGHUP)
            wanted = "reloaded: revision %d, changed: normalise, signatures" % (turn + 1)
            for _ in range(100):
                if wanted in appliance.output():
                    break
                time.sleep(0.05)
            checks.that("SIGHUP reloads as revision %d" % (turn + 1), wanted in appliance.output())
        write(appliance, keys=keys, turn=turn, pattern="pump(")
        status, said = post(appliance)
        checks.equal("a pattern that does not compile is refused", status, 422)
        text = "\n".join(said.get("faults", []))
        checks.that("by file, line, pattern and Hyperscan's words",
                    "fleet.yaml:13: " in text and "pump(" in text and "arenthes" in text, text)


def refuse(checks, build, appliance, keys):
    good = write(appliance, keys=keys)
    path = os.path.join(appliance.folder.name, "fleet.yaml")
    for was, becomes, says in (
            ("profile: small", "profile: medium", "profile: got medium, runs with small"),
            ("window: 2s", "window: 3s", "rollup.window: got 3s, runs with 2s"),
            ("10.9.0.2/24", "10.9.0.3/24", "ports: got port 0: 10.9.0.3/24, runs with port 0: 10.9.0.2/24")):
        with open(path, "w") as out:
            out.write(good.replace(was, becomes).replace("HTTP", "127.0.0.1:%d" % appliance.port))
        before = appliance.get("fleet")["config_revision"]
        status, said = post(appliance)
        checks.equal("%s: refused" % becomes, status, 409)
        checks.that("%s: by name" % becomes, any(says in line for line in said.get("faults", [])), said)
        checks.that("%s: and how to mend it" % becomes, "restart" in str(said.get("faults")), said)
        checks.equal("%s: nothing changed" % becomes, said.get("config_revision"), before)
    run = fleetctl(build, appliance, "reload")
    checks.equal("fleetctl reload: exit code of a refusal", run.returncode, 1)
    checks.that("fleetctl reload: names it", "ports: got" in run.stderr, run.stderr)
    write(appliance, keys=(1, 2, 3))
    status, said = post(appliance)
    checks.equal("a key that is not there is refused", status, 422)
    checks.that("by its file", "3.key" in str(said.get("faults")), said)


def compare(checks, build, appliance, keys):
    revision = appliance.get("fleet")["config_revision"]
    write(appliance, keys=keys, good=85, turn=99)
    run = fleetctl(build, appliance, "reload", "--diff")
    checks.equal("reload --diff: exit code", run.returncode, 0)
    lines = run.stdout.splitlines()
    checks.equal("reload --diff says which keys would change", lines[0],
                 "not reloaded: revision %d, would change: sites, normalise, health, signatures" % revision)
    checks.that("and the values", "  health.good: 80 -> 85" in lines, lines)
    checks.that("of lists too", any(line.startswith('  normalise."^unused99$": none -> hot_side_c') for line in lines), lines)
    run = fleetctl(build, appliance, "reload")
    checks.equal("fleetctl reload says what changed", run.stdout,
                 "reloaded: revision %d, changed: sites, normalise, health, signatures\n" % (revision + 1))
    status, said = post(appliance, headers={"Origin": "http://elsewhere.example"})
    checks.equal("another origin is refused", status, 403)
    status, said = post(appliance, headers={"Origin": appliance.url})
    checks.equal("its own is taken", (status, said.get("changed")), (200, []))


def by_itself(checks, appliance):
    """A file that is watched is taken up once written; the list that follows does not ask for it any more."""
    write(appliance, keys=(2,), good=85, turn=99, more="reload: {watch: true}\n")
    said = post(appliance)[1]
    checks.equal("watching is a change", said.get("changed"), ["reload"])
    revision = said["config_revision"]  # what /fleet says may yet be the view's before it
    time.sleep(1)
    write(appliance, keys=(2,), good=85, turn=99)
    for _ in range(50):
        if appliance.get("fleet")["config_revision"] > revision:
            break
        time.sleep(0.1)
    time.sleep(1)
    checks.equal("a file that is replaced is taken up once", appliance.get("fleet")["config_revision"], revision + 1)


LISTS = (  # of sites by id, each in force while datagrams of the first eight come in
    {i: "site-%d" % i for i in range(1, SITES)},                              # 8 is gone
    {**{i: "site-%d" % i for i in range(SITES - 1, 0, -1)}, 9: "site-9"},     # turned round, 9 is new
    {**{i: "site-%d" % i for i in range(2, SITES + 1)}, 1: "plant-1"},        # 8 is back, 1 renamed, 9 gone
)
REGIONS = "regions:\n  - {name: %s, sites: [site-2]}\n  - {name: rest, match: '*'}\n"


def list_anew(checks, build, link, appliance, sending):
    """Sites come, go and change their names and regions; those that stay lose nothing."""
    folder = appliance.folder.name
    before = appliance.get("ledger")["datagrams"]
    sender = Sender(build, link, folder, "lists", sending + ["--seal", folder + "/2.key", "--key-id", "2"])
    for at, names in enumerate(LISTS * 3):
        write(appliance, keys=(2,), good=85, turn=99, names=names, more=REGIONS % ("r%d" % at))
        differences = post(appliance, "reload?diff=1")[1]["differences"]
        checks.that("list %d: site-2 moves" % at, any(
            (item["name"], item["becomes"]) == ("site-2", "r%d" % at) for item in differences["moved"]["list"]), differences)
        status, said = post(appliance)
        checks.equal("list %d is taken" % at, (status, said.get("changed")), (200, ["regions", "sites"]))
        time.sleep(0.9)
    sender.finish(60)
    time.sleep(3)
    sites = {site["id"]: site for site in appliance.get("sites")["sites"]}
    checks.equal("the sites are those of the last list", {i: site["name"] for i, site in sites.items()}, LISTS[-1])
    checks.equal("the region is that of the last list", sites[2]["region"], "r8")
    checks.equal("none that stayed lost a datagram", [sites[i]["lost"] for i in range(1, SITES)], [0] * (SITES - 1))
    for i in range(1, SITES):
        ledger = appliance.get("ledger?site=" + LISTS[-1][i])
        checks.equal("site %d: each datagram is accepted" % i, ledger["datagrams"]["accepted"] - (2 if i == 1 else 0),
                     3 * DATAGRAMS // SITES)
    after = appliance.get("ledger")["datagrams"]
    told = {key: after[key] - before[key] for key in after if after[key] != before.get(key, 0)}
    checks.equal("what was sent is accepted or of an unknown site",
                 told.get("accepted", 0) + told.get("unknown_site", 0), DATAGRAMS)
    checks.that("some of either", 0 < told.get("unknown_site", 0) < DATAGRAMS // SITES, told)
    return told.get("unknown_site", 0)


def main(build):
    checks = Checks()
    if os.geteuid() != 0:
        checks.skip("reload", "not root")
        checks.finish()
    with Link() as link:
        appliance = Appliance(build, write(None), eal_on(link, NO_HUGE))
        folder = appliance.folder.name
        for key in (1, 2):
            path = os.path.join(folder, "%d.key" % key)
            with open(path, "w") as out:
                out.write("%032x\n" % (0x1234567 * key))
            os.chmod(path, 0o600)
        sending = ["--to", "10.9.0.2:47700", "--format", "etd", "--sites", str(SITES), "--rate", str(RATE),
                   "--count", str(DATAGRAMS)]
        with appliance, Watch(appliance) as watch:
            say(link, "pump one")
            checks.equal("an event before", codes(appliance, 1), ["fault"])
            sender = Sender(build, link, folder, "old", sending + ["--seal", folder + "/1.key", "--key-id", "1"])
            turn_often(checks, appliance, 1, (1, 2))
            say(link, "pump two")
            checks.equal("an event after has its new code", codes(appliance, 2), ["fault10", "fault"])
            sender.finish(60)
            time.sleep(1)
            refuse(checks, build, appliance, (2,))
            sender = Sender(build, link, folder, "new", sending + ["--seal", folder + "/2.key", "--key-id", "2"])
            compare(checks, build, appliance, (2,))
            sender.finish(60)
            time.sleep(1)
            by_itself(checks, appliance)
            unknown = list_anew(checks, build, link, appliance, sending)
            sent = 3 * DATAGRAMS - unknown
            ledger = appliance.ledger_when(lambda now: now["datagrams"]["accepted"] >= sent + 2, 10)
            checks.equal("all that was sent is accepted", ledger["datagrams"]["accepted"], sent + 2)
            checks.equal("and nothing else", nothing_else(ledger["datagrams"], (
                "received", "accepted", "unknown_site", "neighbour", "extension_header")), {})
            checks.equal("nor among records", nothing_else(ledger["records"], ("received", "accepted", "unborn")), {})
            checks.equal("but of the site that was listed again, whose births were before that",
                         [appliance.get("ledger?site=" + LISTS[-1][i])["records"].get("unborn", 0)
                          for i in range(1, SITES)], [0] * (SITES - 1))
            checks.equal("the ledger always balanced", watch.unbalanced, [])
            checks.that("metrics count reloads",
                        'estream_reloads_total{result="done"} 23' in appliance.text("/metrics"),
                        [line for line in appliance.text("/metrics").splitlines() if "reload" in line])
            watch.over.set()
            check_stop(checks, "after reloads", appliance)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
