# SPDX-License-Identifier: Apache-2.0
"""Who takes the lines: each starts in its `with` block, counts its own lines, and goes with the block."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request

FIELDS = 3
HTTP = "127.0.0.1:8428"
STARTS_S = 20
TICKS = os.sysconf("SC_CLK_TCK")

INFLUXD = """\
reporting-disabled = true
bind-address = "127.0.0.1:8088"
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
bind-address = "{http}"
log-enabled = false
[ifql]
enabled = false
[logging]
level = "error"
[[udp]]
enabled = true
bind-address = "10.9.0.2:8089"
database = "fleet"
batch-size = 5000
batch-pending = 100
read-buffer = {rmem}
"""
OURS = """\
profile: small
domain: energy
ports: [{port: 0, addresses: [10.9.0.2/24]}]
idle: %s
listeners: [{udp: 8089, format: influx}]
storm: {site_rate: 1000000000, site_burst: 1000000000, fleet_enter: 1000000000, fleet_exit: 999999999}
http: {listen: "%s"}
sites:
%s
"""


class Receiver:
    """One process. lines() is its own count of what it took, cheap enough to be asked ten times a second; stored() what
    it holds in the end."""
    format, fields = "influx", FIELDS  # values a line
    still_s = 1.0  # so long does its count stand still before it counts as the last
    kernel_address = True  # the kernel has 10.9.0.2, not the process itself

    def __init__(self, arguments, folder, link):
        self.arguments, self.folder, self.link = arguments, folder, link
        self.process = None
        self.said = os.path.join(folder, "said")

    def __enter__(self):
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=said,
                                            stderr=subprocess.STDOUT)
        for _ in range(STARTS_S * 10):
            try:
                self.lines()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        with open(self.said, encoding="utf-8", errors="replace") as said:
            text = said.read()[-2000:]
        self.__exit__()
        raise RuntimeError(f"{self.name} did not start: {text}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def cpu_s(self):
        """User and system time of all its threads so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            found = stat.read().rpartition(")")[2].split()
        return (int(found[11]) + int(found[12])) / TICKS

    def busy_s(self):
        """Of our data lcores' time, that of the passes that found something; None: not ours."""

    def get(self, path):
        with urllib.request.urlopen(f"http://{HTTP}/{path}", timeout=20) as answer:
            return answer.read().decode()

    def stored(self):
        return self.lines()

    def finish(self):
        """What is wrong with what it said in the end; None: nothing."""


class Ours(Receiver):
    name, title = "ours", "ours, polls"
    kernel_address = False
    idle = "{policy: poll}"

    def config(self):
        sites = "\n".join(f"  - {{id: {site}, name: s-{site}}}" for site in range(1, self.arguments.sites + 1))
        return OURS % (self.idle, HTTP, sites)

    def command(self):
        path = os.path.join(self.folder, "fleet.yaml")
        with open(path, "w", encoding="ascii") as out:
            out.write(self.config())
        cpus = sorted(os.sched_getaffinity(0))
        return [os.path.join(self.arguments.build, "estream-fleetd"), "--no-huge", "-m", "512", "--no-pci",
                f"--vdev=net_af_packet0,iface={self.link.near},framecnt=16384,blocksz=65536",
                "--lcores", f"0@{cpus[0]},1@{cpus[-1]}", "--", "run", "--config", path]

    def lines(self):
        return json.loads(self.get("api/v1/ledger"))["records"]["accepted"] // self.fields

    def busy_s(self):
        pipeline = json.loads(self.get("api/v1/pipeline"))
        return sum(lcore["cycles"]["busy"] for lcore in pipeline["lcores"]) / pipeline["hz"]

    def finish(self):
        ledger = json.loads(self.get("api/v1/ledger"))
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        with open(self.said, encoding="utf-8", errors="replace") as said:
            last = said.read().splitlines()[-1]
        good = ledger["balanced"] and "ledger balanced" in last and ", 0 of " in last and last.endswith(" mbufs out")
        return None if good else last


class OursSleeps(Ours):
    """Its longest sleep is a fifth of what the ring of 16384 frames lasts at a million datagrams a second."""
    name, title = "ours-sleeps", "ours, sleeps"
    idle = "{policy: sleep, max_sleep_us: 3000}"


class Victoria(Receiver):
    name, title = "victoria", "VictoriaMetrics"

    @staticmethod
    def program():
        return os.environ.get("VICTORIA") or shutil.which("victoria-metrics")

    def command(self):
        return [self.program(), "-influxListenAddr=10.9.0.2:8089", f"-httpListenAddr={HTTP}", "-retentionPeriod=100y",
                f"-storageDataPath={self.folder}/data", "-loggerLevel=ERROR"]

    def lines(self):
        found = re.search(r'^vm_rows_inserted_total{type="influx"} (\d+)', self.get("metrics"), re.M)
        return int(found.group(1)) // FIELDS if found else 0


class Influxd(Receiver):
    name, title = "influxdb", "InfluxDB"

    @staticmethod
    def program():
        return os.environ.get("INFLUXD") or shutil.which("influxd")

    def command(self):
        path = os.path.join(self.folder, "influxd.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(INFLUXD.format(folder=self.folder, http=HTTP, rmem=self.arguments.rmem or 0))
        return [self.program(), "-config", path]

    def lines(self):
        counts = json.loads(self.get("debug/vars"))
        return sum(one["values"].get("pointsTx", 0) for key, one in counts.items() if key.startswith("udp"))

    def stored(self):
        query = urllib.parse.urlencode({"q": "SELECT count(availability) FROM teg", "db": "fleet"})
        result = json.loads(self.get("query?" + query))["results"][0]
        return result["series"][0]["values"][0][1] if "series" in result else 0


ALL = {one.name: one for one in (Ours, OursSleeps, Victoria, Influxd)}
