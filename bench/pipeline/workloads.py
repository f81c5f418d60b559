# SPDX-License-Identifier: Apache-2.0
"""What is played to the pipeline: captures by fleetgen, and the configuration that takes them."""
import dataclasses
import json
import os
import secrets
import struct
import subprocess
import time

UDP = {"etd": 47700, "influx": 8089, "statsd": 8125, "syslog": 5514}
PROFILES = [(50, "small"), (200, "medium"), (1000, "large"), (1000000, "xlarge")]
RECYCLED_S = 45  # until the memory of many sites' windows comes round: three open ones of 10 s, and more
SPEAKERS = 40  # sites that fleetgen plays at most; ETD's are stamped over all that are configured
BOUND = 1000000000  # datagrams/s: what storm mode never reaches
KPIS = [("availability", 0.995, 0.001), ("thermal_margin", 60, 0.5), ("output_ratio", 0.98, 0.004),
        ("efficiency", 0.95, 0.002), ("fault_rate", 0.2, 0.03), ("hot_side_c", 420, 2),
        ("cold_side_c", 40, 0.4), ("power_kw", 350, 3), ("expected_kw", 360, 3),
        ("hot_side_f", 700, 4)]


@dataclasses.dataclass
class Workload:
    name: str
    title: str
    format: str  # or "all": a capture of each, interleaved
    options: list = dataclasses.field(default_factory=list)  # fleetgen's
    fields: tuple = ()  # KPIs' names, from KPIS; default: fleetgen's own five
    datagrams: int = 8192  # in the capture, births aside
    sites: int = 40
    sealed: bool = False
    signatures: int = 0
    duplicate_every: int = 0
    lcores: int = 1
    receive_only: bool = False  # the first lcore
    queues: int = 1
    warm_up_s: int = 1
    refusals: tuple = ()  # verdicts that this workload is meant to bring
    config: dict = dataclasses.field(default_factory=dict)


def fields(count):
    return tuple(name for name, _, _ in KPIS[:count])


STATSD = tuple(f"{prefix}.{name}" for prefix in ("u1", "u2") for name in fields(10))
STORMY = {"ingestion": "deviation",
          "storm": {"site_rate": BOUND, "site_burst": BOUND, "fleet_enter": 1000, "fleet_exit": 1}}
WORKLOADS = [
    Workload("etd1", "ETD, 1 record", "etd", ["--records", "1"]),
    Workload("etd8", "ETD, 8 records", "etd", ["--records", "8"]),
    Workload("etd84", "ETD, 84 records", "etd", ["--records", "84"], datagrams=2048),
    Workload("sealed84", "ETD, 84 records, sealed", "etd", ["--records", "84"], datagrams=2048, sealed=True),
    Workload("influx1x1", "Influx, 1 line of 1 field", "influx", fields=fields(1)),
    Workload("influx10x1", "Influx, 1 line of 10 fields", "influx", fields=fields(10)),
    Workload("influx1x15", "Influx, 15 lines of 1 field", "influx", ["--lines", "15"], fields(1), 4096),
    Workload("influx3x15", "Influx, 15 lines of 3 fields", "influx", ["--lines", "15"], fields(3), 4096),
    Workload("influx10xN", "Influx, 1400 bytes of lines of 10 fields", "influx", ["--lines", "15"], fields(10),
             4096),
    Workload("statsd20", "StatsD, 20 lines", "statsd", fields=STATSD, datagrams=4096),
    Workload("syslog1", "syslog, 1 signature", "syslog", signatures=1),
    Workload("syslog100", "syslog, 100 signatures", "syslog", signatures=100),
    Workload("syslog1000", "syslog, 1000 signatures", "syslog", signatures=1000),
    Workload("duplicates", "ETD, 1 record, 5% duplicates", "etd", ["--records", "1"], duplicate_every=20,
             refusals=("duplicate",)),
    Workload("sites10", "ETD, 1 record, 10 sites", "etd", ["--records", "1"], sites=10),
    Workload("sites1k", "ETD, 1 record, 1,000 sites", "etd", ["--records", "1"], sites=1000),
    Workload("sites100k", "ETD, 1 record, 100,000 sites", "etd", ["--records", "1"], sites=100000,
             warm_up_s=RECYCLED_S),
    Workload("sites1m", "ETD, 1 record, 1,000,000 sites", "etd", ["--records", "1"], sites=1000000,
             warm_up_s=RECYCLED_S),
    Workload("handover", "ETD, 1 record, receive-only + one owner", "etd", ["--records", "1"], lcores=2,
             receive_only=True, refusals=("ring_full",)),
    Workload("handover84", "ETD, 84 records, receive-only + one owner", "etd", ["--records", "84"], datagrams=2048,
             lcores=2, receive_only=True, refusals=("ring_full",)),
    Workload("shared", "ETD, 1 record, two owners, one polls", "etd", ["--records", "1"], lcores=2,
             refusals=("ring_full",)),
    Workload("queues2", "ETD, 1 record, two lcores, a queue each", "etd", ["--records", "1"], lcores=2, queues=2),
    Workload("all", "all formats, sealed, storm, deviation band", "all", signatures=100, sealed=True,
             config=STORMY, refusals=("within_band",)),
]


def scenario(workload, names, folder):
    path = os.path.join(folder, "scenario.yaml")
    bases = {name: (base, noise) for name, base, noise in KPIS}
    kpis = [{"name": name, "base": bases[name.split(".")[-1]][0], "noise": bases[name.split(".")[-1]][1]}
            for name in names]
    content = {"sites": {"count": min(workload.sites, SPEAKERS), "name": "site-{nnn}"}}
    if kpis:
        content["kpis"] = kpis
    with open(path, "w") as file:
        json.dump(content, file)
    return path


def packets(path):
    """The capture's head, and its packets with theirs."""
    with open(path, "rb") as file:
        content = file.read()
    at, found = 24, []
    while at < len(content):
        end = at + 16 + struct.unpack_from("<I", content, at + 8)[0]
        found.append(content[at:end])
        at = end
    return content[:24], found


def write_packets(path, head, found):
    with open(path, "wb") as file:
        file.write(head + b"".join(found))


class Material:
    """A workload's files in a folder: capture, births, keys, configuration."""

    def __init__(self, workload, build, folder):
        self.workload, self.build, self.folder = workload, build, folder
        self.capture = os.path.join(folder, "capture.pcap")
        self.births = None
        self.payload_size = 0  # bytes, of the whole capture
        self.count = 0
        if workload.sealed:
            self.write_keys()
        if workload.format == "all":
            self.mix()
        else:
            self.finish(*self.generate(workload.format, workload.options, workload.fields, workload.datagrams))

    def write_keys(self):
        os.mkdir(self.path("keys"), 0o700)
        for site in range(1, self.workload.sites + 1):
            descriptor = os.open(self.path(f"keys/site-{site:03d}.key"), os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(descriptor, secrets.token_hex(16).encode())
            os.close(descriptor)

    def path(self, name):
        return os.path.join(self.folder, name)

    def generate(self, kind, options, names, count):
        """One format's packets; ETD's births, which come first, go to a file of their own."""
        births = min(self.workload.sites, SPEAKERS) if kind == "etd" else 0
        path = self.path(f"{kind}.pcap")
        if kind == "etd" and self.workload.sealed:
            options = options + ["--seal", self.path("keys")]
        subprocess.run([f"{self.build}/fleetgen", "pcap", "--out", path, "--format", kind, "--rate", "100000",
                        "--count", str(births + count), "--start", str(int(time.time())),
                        "--scenario", scenario(self.workload, names, self.folder), *options],
                       check=True, stdout=subprocess.DEVNULL)
        head, found = packets(path)
        if births:
            self.births = self.path("births.pcap")
            write_packets(self.births, head, found[:1])
        return head, found[births:]

    def mix(self):
        kinds = [("etd", ["--records", "5"], ()), ("influx", ["--lines", "5"], fields(3)), ("statsd", [], STATSD),
                 ("syslog", [], ())]
        parts = [self.generate(*kind, 2048) for kind in kinds]
        self.finish(parts[0][0], [packet for packets in zip(*(part[1] for part in parts)) for packet in packets])

    def finish(self, head, found):
        write_packets(self.capture, head, found)
        self.count = len(found)
        self.payload_size = sum(len(packet) - 16 - 42 for packet in found)

    def write_config(self, eal):
        workload = self.workload
        head = {
            "profile": next(name for limit, name in PROFILES if workload.sites <= limit),
            "ingestion": "full",
            "eal": eal,
            "ports": [{"port": 0}],
            "listeners": [{"udp": udp, "format": kind} for kind, udp in UDP.items()],
            "storm": {"site_rate": BOUND, "site_burst": BOUND, "fleet_enter": BOUND, "fleet_exit": BOUND - 1},
            "signatures": [{"match": f"(?i)unit {i} .*fault 0x{i:04x}", "code": f"fault_{i}"}
                           for i in range(workload.signatures)],
            **workload.config,
        }
        if workload.receive_only:
            head["receive_only"] = [1]
        with open(self.path("config.yaml"), "w") as file:
            file.writelines(f"{key}: {json.dumps(value)}\n" for key, value in head.items() if value != [])
            file.write("sites:\n")
            for site in range(1, workload.sites + 1):
                keys = f", keys: [{{id: 1, file: keys/site-{site:03d}.key}}]" if workload.sealed else ""
                file.write(f"  - {{id: {site}, name: site-{site:03d}{keys}}}\n")
        return file.name
