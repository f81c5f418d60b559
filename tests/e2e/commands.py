#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py BUILD: the programs' answers to what is wrong, and replay's sameness. No root, no hugepages."""
import json
import os
import socket
import subprocess
import sys
import tempfile

from appliance import NO_HUGE, ROOT
from checks import Checks

SITES = "sites: [{id: 1, name: site-001}]\n"
CONFIG = """\
profile: small
domain: energy
ports: [{port: %d, addresses: [10.9.0.2/24]}]
listeners: [{udp: 47700, format: etd}, {udp: 8089, format: influx}]
http: {listen: "127.0.0.1:%d"}
"""
TEN_FAULTS = "tests/data/config/ten_faults.yaml"
TEN_FAULTS_AT = [3, 5, 8, 11, 12, 14, 17, 19, 20, 22]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, cwd=ROOT,
                          check=False)


class Bench:
    """The programs and a folder for what they are given."""

    def __init__(self, build, folder):
        self.build, self.folder = os.path.abspath(build), folder
        self.fleetd, self.fleetgen, self.fleetctl = (
            os.path.join(self.build, name) for name in ("estream-fleetd", "fleetgen", "fleetctl"))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def config(self, port=0, http=8080, sites=SITES):
        return self.file("fleet.yaml", CONFIG % (port, http) + sites)

    def start(self, vdev, port=0, http=8080):
        """estream-fleetd run that is meant to fail."""
        eal = ["--no-pci"] + (["--vdev=" + vdev] if vdev else []) + NO_HUGE
        return run(self.fleetd, *eal, "--", "run", "--config", self.config(port, http))


def one_line(checks, what, done, code, *words):
    """One line of complaint with these words in it, and this exit code."""
    lines = done.stderr.splitlines()
    checks.equal("%s: exit code" % what, done.returncode, code)
    checks.that("%s: one clear line" % what, len(lines) == 1 and all(word in lines[0] for word in words),
                done.stderr)


def refuse_captures(checks, bench):
    missing = os.path.join(bench.folder, "missing.pcap")
    text = bench.file("text.pcap", "not a capture\n")
    for what, path in (("a missing capture", missing), ("a capture that is none", text)):
        done = run(bench.fleetd, "replay", "--config", bench.config(), path)
        one_line(checks, what, done, 1, "capture", path)


def refuse_ports(checks, bench):
    one_line(checks, "a port that can't start", bench.start("net_af_packet0,iface=esfnowhere"), 1, "net_af_packet0")
    one_line(checks, "a port of a missing capture", bench.start("net_pcap0,rx_pcap=/nowhere.pcap"), 1,
             "/nowhere.pcap")
    one_line(checks, "no port", bench.start(None), 1, "ports[0].port", "0 ports")
    one_line(checks, "a port that DPDK has not", bench.start("net_null0", port=7), 1, "ports[0].port", "7")


def refuse_taken_http_port(checks, bench):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = bench.start("net_null0", http=port)
    one_line(checks, "an HTTP port in use", done, 1, "127.0.0.1", str(port))


def refuse_usage(checks, bench):
    for arguments in (["frobnicate"], [], ["run"], ["replay"], ["check"], ["run", "--config"]):
        done = run(bench.fleetd, *arguments)
        checks.that("estream-fleetd %s: exit code 2 and usage" % " ".join(arguments),
                    done.returncode == 2 and "usage: estream-fleetd" in done.stderr, (done.returncode, done.stderr))
    for program in (bench.fleetd, bench.fleetctl, bench.fleetgen):
        done = run(program, "--help")
        checks.that("%s --help" % os.path.basename(program), done.returncode == 0 and done.stdout, done)


def report_all_faults(checks, bench):
    done = run(bench.fleetd, "check", TEN_FAULTS)
    lines = [line for line in done.stderr.splitlines() if line.startswith(TEN_FAULTS + ":")]
    checks.equal("ten faults: exit code", done.returncode, 2)
    checks.equal("ten faults: their lines", [int(line.split(":")[1]) for line in lines], TEN_FAULTS_AT)
    again = run(bench.fleetd, "run", "--config", TEN_FAULTS)
    checks.equal("ten faults: run says the same", (again.returncode, again.stderr), (2, done.stderr))


def report_maintenance(checks, bench):
    """Two windows of one scope that overlap are told of with their lines."""
    window = "  - {scope: site:site-001, from: %s, to: 2026-01-31T09:00:00Z, why: pumps}\n"
    for first, says in (("2026-01-31T07:00:00Z", ":9: maintenance[1]: overlaps maintenance[0] on line 8"),
                        ("2026-01-31T10:00:00Z", ":8: maintenance[0].to: got 2026-01-31T09:00:00Z, want a time after from")):
        path = bench.config(sites=SITES + "maintenance:\n" + window % first + window % "2026-01-31T08:59:59Z")
        done = run(bench.fleetd, "check", path)
        checks.that("maintenance: %s" % says, done.returncode == 2 and path + says in done.stderr, done.stderr)


def accept_examples(checks, bench):
    folder = os.path.join(ROOT, "configs")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".yaml"):
            done = run(bench.fleetd, "check", os.path.join(folder, name))
            checks.equal("check configs/%s" % name, (done.returncode, done.stderr), (0, ""))


def replay_the_same(checks, bench):
    """The same capture gives the same bytes twice, and all windows closed at its end."""
    sites = "".join("  - {id: %d, name: site-%03d}\n" % (i, i) for i in range(1, 41))
    config = bench.config(sites="sites:\n" + sites)
    for form in ("etd", "influx"):
        capture = os.path.join(bench.folder, form + ".pcap")
        made = run(bench.fleetgen, "pcap", "--out", capture, "--format", form, "--sites", "40", "--seconds", "60")
        checks.equal("fleetgen pcap %s" % form, made.returncode, 0)
        first, second = (run(bench.fleetd, "replay", "--config", config, capture) for _ in range(2))
        checks.equal("replay of %s: exit code" % form, (first.returncode, first.stderr), (0, ""))
        checks.that("replay of %s: the same bytes twice" % form, first.stdout == second.stdout and first.stdout)
        check_documents(checks, form, [json.loads(line) for line in first.stdout.splitlines()], capture)


def keep_compiled_patterns(checks, bench):
    """With CACHE_DIRECTORY set, as systemd sets it, the second start finds what the first compiled."""
    folder = os.path.join(bench.folder, "cache")
    os.mkdir(folder, 0o700)
    capture = os.path.join(bench.folder, "cache.pcap")
    run(bench.fleetgen, "pcap", "--out", capture, "--format", "etd", "--sites", "1", "--count", "20")
    command = (bench.fleetd, "replay", "--config", bench.config(), capture)
    plain = run(*command).stdout
    os.environ["CACHE_DIRECTORY"] = folder
    try:
        outputs = [run(*command).stdout]
        kept = os.stat(os.path.join(folder, "rules.patterns"))
        outputs.append(run(*command).stdout)
        again = os.stat(os.path.join(folder, "rules.patterns"))
        os.environ["CACHE_DIRECTORY"] = os.path.join(folder, "missing")
        lost = run(*command)
    finally:
        del os.environ["CACHE_DIRECTORY"]
    checks.equal("compiled patterns change no output", outputs, [plain, plain])
    checks.equal("compiled patterns are written once", (kept.st_ino, kept.st_mtime_ns), (again.st_ino, again.st_mtime_ns))
    checks.that("a cache that can't be written is said and does no harm",
                lost.returncode == 0 and lost.stdout == plain and "CACHE_DIRECTORY" in lost.stderr, lost.stderr)


def check_documents(checks, form, documents, capture):
    with open(capture + ".labels.json") as labels:
        totals = json.load(labels)["totals"]
    ledger = documents[-1]["ledger"]
    checks.equal("replay of %s: every datagram" % form, ledger["datagrams"]["accepted"], totals["datagrams"])
    checks.equal("replay of %s: every record" % form, ledger["records"]["accepted"], totals["records"])
    checks.that("replay of %s: the ledger balances" % form, ledger["balanced"], ledger)
    checks.that("replay of %s: all windows closed" % form,
                all(document["window"]["closed"] for document in documents[:-1]))
    samples = sum(kpi["samples"] for document in documents[:-1]
                  for name, kpi in document["fleet"]["kpis"].items() if name != "comms_quality")
    checks.equal("replay of %s: every record is in a window" % form, samples, totals["records"])


def fail_without_appliance(checks, bench):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % probe.getsockname()[1]
        one_line(checks, "fleetctl without an appliance", run(bench.fleetctl, "--url", url, "status"), 1, url)


TESTS = (refuse_captures, refuse_ports, refuse_taken_http_port, refuse_usage, report_all_faults, report_maintenance, accept_examples,
         replay_the_same, keep_compiled_patterns, fail_without_appliance)


def main(build):
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="esf-e2e-") as folder:
        for test in TESTS:
            test(checks, Bench(build, folder))
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
