# SPDX-License-Identifier: Apache-2.0
"""Who takes StatsD lines: the appliance, netdata, collectd, brubeck. Each line is `NAME:1|c` of one site, without tags, for only
some know them: whoever adds the increases up counts the lines. The first datagram's increases are 0: CATCH_UP."""
import glob
import json
import os
import re
import shutil
import socketserver
import threading

from receivers import HTTP, OURS, Ours, OursSleeps, Receiver

PORT = 8125
LINES = 24
NAMES = [f"feeder_pulses_{line:02}" for line in range(1, LINES + 1)]
CARBON = ("127.0.0.1", 2003)

NETDATA = """\
[global]
    run as user = root
[directories]
    config = {folder}
    log = {folder}
    lib = {folder}
    cache = {folder}
    home = {folder}
    stock config = {folder}
    plugins = {folder}
    web = {folder}
[db]
    mode = ram
    update every = 1
[ml]
    enabled = no
[health]
    enabled = no
[web]
    bind to = {http}
[statsd]
    update every (flushInterval) = 1
    bind to = udp:10.9.0.2:8125
    create private charts for metrics matching = *
[plugins]
    proc = no
    diskspace = no
    cgroups = no
    tc = no
    idlejitter = no
    timex = no
    checks = no
    enable running new plugins = no
    apps = no
    statsd = yes
"""
COLLECTD = """\
Hostname "here"
FQDNLookup false
BaseDir "{folder}"
PluginDir "{root}/lib/collectd"
TypesDB "{root}/share/collectd/types.db"
Interval 1
LoadPlugin statsd
LoadPlugin csv
<Plugin statsd>
  Host "10.9.0.2"
  Port "8125"
</Plugin>
<Plugin csv>
  DataDir "{folder}/csv"
  StoreRates false
</Plugin>
"""


def listens(port):
    """Whether someone in this network namespace has a UDP socket with this port."""
    with open("/proc/net/udp", encoding="ascii") as table:
        return any(line.split()[1].endswith(f":{port:04X}") for line in list(table)[1:])


class Statsd(Receiver):
    """A peer that counts once a second."""
    format, fields, still_s = "statsd", 1, 3.0

    def lines(self):
        if not listens(PORT):
            raise OSError(f"nobody has UDP port {PORT}")
        return self.counted()

    def caught_up(self, increases):
        """The lines that these increases took."""
        return round(increases) + LINES if increases else 0


class OursStatsd(Ours):
    name, format, fields = "ours-statsd", "statsd", 1

    def config(self):
        kpis = "".join(f"  - {{name: {name}}}\n" for name in NAMES)
        sites = "  - {id: 1, name: s-1, addresses: [10.9.0.1]}"
        text = OURS % (self.idle, HTTP, sites)
        return text.replace("{udp: 8089, format: influx}", f"{{udp: {PORT}, format: statsd}}") + "kpis:\n" + kpis


class OursStatsdSleeps(OursStatsd):
    name, title, idle = "ours-statsd-sleeps", OursSleeps.title, OursSleeps.idle


class Netdata(Statsd):
    name, title = "netdata", "netdata"
    known = 0

    @staticmethod
    def program():
        return os.environ.get("NETDATA") or shutil.which("netdata")

    def command(self):
        path = os.path.join(self.folder, "netdata.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(NETDATA.format(folder=self.folder, http=HTTP))
        return [self.program(), "-D", "-c", path]

    def counted(self):
        """Its own count of the events it took, as collected: neither a rate nor interpolated. It leaves the metric out at
        moments: then what it said last holds."""
        text = self.get("api/v1/allmetrics?format=prometheus&source=as-collected")
        found = re.search(r'^netdata_\S*statsd_events\S*\{[^}]*dimension="counters"[^}]*\} (\d+)', text, re.M)
        if found:
            self.known = int(found.group(1))
        return self.known


class Collectd(Statsd):
    name, title = "collectd", "collectd"

    @staticmethod
    def program():
        return os.environ.get("COLLECTD") or shutil.which("collectd")

    def command(self):
        path = os.path.join(self.folder, "collectd.conf")
        root = os.path.dirname(os.path.dirname(os.path.realpath(self.program())))
        with open(path, "w", encoding="ascii") as out:
            out.write(COLLECTD.format(folder=self.folder, root=root))
        return [self.program(), "-f", "-C", path, "-P", os.path.join(self.folder, "pid")]

    def counted(self):
        """The counters as its csv plugin wrote them last."""
        total = 0
        for path in glob.glob(os.path.join(self.folder, "csv/here/statsd/derive-feeder_pulses_*")):
            with open(path, encoding="ascii") as text:
                last = [line for line in text if line.endswith("\n") and not line.startswith("epoch")][-1:]
            total += sum(float(line.split(",")[1]) for line in last)
        return self.caught_up(total)


class Carbon(socketserver.BaseRequestHandler):
    """Adds up what brubeck's meters say at each flush."""

    def handle(self):
        rest = b""
        while data := self.request.recv(1 << 16):
            *whole, rest = (rest + data).split(b"\n")
            self.server.total += sum(float(line.split()[1]) for line in whole if line.startswith(b"feeder_pulses_"))


class Brubeck(Statsd):
    name, title = "brubeck", "brubeck"

    @staticmethod
    def program():
        return os.environ.get("BRUBECK") or shutil.which("brubeck")

    def __enter__(self):
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.carbon = socketserver.ThreadingTCPServer(CARBON, Carbon)
        self.carbon.daemon_threads, self.carbon.total = True, 0
        threading.Thread(target=self.carbon.serve_forever, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self.carbon.shutdown()
        self.carbon.server_close()

    def command(self):
        path = os.path.join(self.folder, "brubeck.json")
        with open(path, "w", encoding="ascii") as out:
            json.dump({"server_name": "brubeck", "dumpfile": os.path.join(self.folder, "dump"), "capacity": 15, "expire": 20,
                       "backends": [{"type": "carbon", "address": CARBON[0], "port": CARBON[1], "frequency": 1}],
                       "samplers": [{"type": "statsd", "address": "10.9.0.2", "port": PORT, "workers": 4}]}, out)
        return [self.program(), f"--config={path}"]

    def counted(self):
        return self.caught_up(self.carbon.total)


ALL = {one.name: one for one in (OursStatsd, OursStatsdSleeps, Netdata, Collectd, Brubeck)}
