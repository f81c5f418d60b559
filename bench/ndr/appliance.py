# SPDX-License-Identifier: Apache-2.0
"""The appliance under test: estream-fleetd with its ledger over HTTP, or ndr-latency, the same with a probe."""
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

SETTLE_S = 30  # for what is under way, at most
LOST = ("missed", "no_buffer", "errors")  # of what arrived at the ports, by their own counts


def free_tcp_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eal(places, huge, devices):
    memory = ["--in-memory"] if huge else ["--no-huge", "-m", "768"]
    return [*memory, "--no-pci", "--lcores", f"0@{places.control},1@{places.lcore}", "--main-lcore", "0",
            *devices]


def check_balance(counts):
    if not counts["balanced"]:
        sys.exit(f"the ledger does not balance: {counts}")


def read_ledger(api):
    """The datagrams' verdicts, in_flight, mbufs out, and what the ports say was lost; asserts that all of it adds up."""
    with urllib.request.urlopen(f"{api}/api/v1/ledger", timeout=10) as answer:
        ledger = json.load(answer)
    check_balance(ledger)
    counts = dict(ledger["datagrams"])
    if counts.pop("received") != sum(counts.values()) + ledger["in_flight"]:
        sys.exit(f"received is not what became of it: {ledger}")
    nic = ledger["nic"]
    records = {f"records {name}": ledger["records"][name] for name in ("accepted", "late", "unborn")}
    return {**ledger["datagrams"], **records, "in_flight": ledger["in_flight"], "mbufs": ledger["mbufs"]["in_use"],
            **{name: nic[name] for name in LOST}}


def arrived(ledger):
    return ledger["received"] + sum(ledger[name] for name in LOST)


def settled_ledger(api, before, sent, mbufs, seconds=SETTLE_S):
    """The ledger, once so many more have arrived, nothing is under way and no more mbufs are out than that, or in vain."""
    end = time.monotonic() + seconds
    while True:
        ledger = read_ledger(api)
        home = ledger["in_flight"] == 0 and ledger["mbufs"] <= mbufs
        if arrived(ledger) >= arrived(before) + sent and home or time.monotonic() > end:
            return ledger
        time.sleep(0.1)


class Appliance:
    def __init__(self, build, config, said, http):
        self.api = f"http://127.0.0.1:{http}"
        self.said = said
        with open(said, "wb") as out:
            self.process = subprocess.Popen([f"{build}/estream-fleetd", "run", "--config", config],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def output(self):
        with open(self.said, encoding="utf-8", errors="replace") as text:
            return text.read()

    def wait(self):
        for _ in range(300):
            if "\nready: " in "\n" + self.output():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit("the appliance did not start:\n" + self.output())

    def stop(self):
        """What was wrong with its end, or nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "the appliance had to be killed"
        last = (self.output().splitlines() or [""])[-1]
        good = code == 0 and "ledger balanced" in last and " 0 of " in last
        return "" if good else f"the appliance ended with {code}: {last}"


class Probed:
    """ndr-latency: a line says how many were sent, a line answers once they are published."""

    def __init__(self, build, config, said, epoch_ms):
        self.said = said
        with open(said, "wb") as out:
            self.process = subprocess.Popen([f"{build}/ndr-latency", "--config", config, "--epoch-ms", str(epoch_ms)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True)

    def fail(self, what):
        with open(self.said, encoding="utf-8", errors="replace") as text:
            sys.exit(f"ndr-latency {what}:\n{text.read()}")

    def wait(self):
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        self.fail("did not start")

    def take(self, sent):
        """Counts since its start, latencies since the call before."""
        self.process.stdin.write(f"{sent}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.fail("ended before its time")
        counts = json.loads(line)
        check_balance(counts)
        return counts

    def stop(self):
        self.process.stdin.close()
        try:
            rest = self.process.stdout.read().strip()
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "ndr-latency had to be killed"
        end = json.loads(rest.splitlines()[-1]) if rest else {}
        good = code == 0 and end.get("balanced") and end.get("mbufs_in_use") == 0
        return "" if good else f"ndr-latency ended with {code}: {rest}"
