# SPDX-License-Identifier: Apache-2.0
"""An independent model of the appliance, written from the contract alone.

It has its own encoders (ETD, line protocol, Ethernet/IP/UDP, pcap) and works on the structured
description of what was sent, never on the bytes: where it and the program agree, two readings of
the contract agree. Sums are made in exact arithmetic (Fraction), without rounding.

Where the contract leaves room, it is read so: a line seen before is refused whole, before its
fields are looked at; a line of an unknown site counts as one record; a text datagram of which no
line is taken is unknown_site if a line is, else duplicate if a line is, else malformed; the aliases
of a stream outlive a boot until born anew.

    config = Config(window_s=10, ..., sites=[Site(1, "n-1")], kpis=[Kpi("power_kw")])
    packets = [Packet(arrival_ns, Etd(site=1, boot=..., seq=1, time=..., body=[Data(...)]))]
    write_pcap(path, packets, config)
    windows, ledger = Model(config).run(packets)
"""

import fnmatch
import math
import struct
from dataclasses import dataclass, field
from fractions import Fraction

from comparison_oracle import Comparison
from derived_oracle import Deriver, Expr

S = 1_000_000_000

DATAGRAM_VERDICTS = [
    "neighbour", "not_ip", "fragment", "extension_header", "not_udp", "not_ours", "bad_checksum",
    "no_listener", "malformed", "unknown_site", "unknown_key", "bad_seal", "unsealed", "stale",
    "duplicate", "shed", "ring_full", "no_room", "accepted",
]
RECORD_VERDICTS = [
    "malformed", "unborn", "unmapped", "not_numeric", "unknown_site", "shed", "not_finite",
    "future", "late", "duplicate", "bad", "uncertain", "out_of_range", "sampled_out", "within_band",
    "ring_full", "no_room", "accepted",
]

# ---------------------------------------------------------------- configuration


@dataclass
class Kpi:
    name: str
    weight: float = 1.0
    vital: bool = False
    good: tuple = (None, None)  # None: open
    warn: tuple = (None, None)
    crit: tuple = (None, None)
    expr: Expr = None
    missing: bool = False  # derive: missing
    heard: bool = False  # derive: heard
    exclude: list = field(default_factory=list)
    compare: bool = False
    min_effect: float = 0.0

    @property
    def is_measured(self):
        return not self.is_comms and (self.expr is None or self.missing or self.heard)

    @property
    def is_comms(self):
        return self.name == "comms_quality"


@dataclass
class Rule:
    """Takes exactly one raw name."""

    name: str
    kpi: str
    scale: float = 1.0
    offset: float = 0.0
    min: float = None
    max: float = None
    type: str = None  # None: as the birth says, a gauge where there is none


@dataclass
class Site:
    id: int
    name: str
    weight: float = 1.0
    addresses: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)


@dataclass
class Maintenance:
    """scope: fleet, region:NAME, site:NAME or label:NAME=VALUE; [start, end) in Unix ns."""

    scope: str
    start: int
    end: int
    why: str

    def takes(self, config, site):
        kind, _, name = self.scope.partition(":")
        if kind == "region":
            return config.region_of(site) == name
        if kind == "label":
            return site.labels.get(name.partition("=")[0]) == name.partition("=")[2]
        return kind == "fleet" or site.name == name

    def touches(self, start, end):
        return self.start < end and start < self.end

    def document(self):
        return {"scope": self.scope, "from": self.start, "to": self.end, "why": self.why}


@dataclass
class Region:
    name: str
    sites: list = field(default_factory=list)
    match: str = None

    def takes(self, site):
        return site.name in self.sites or (
            self.match is not None and fnmatch.fnmatchcase(site.name, self.match)
        )


@dataclass
class Config:
    sites: list
    kpis: list
    rules: list = field(default_factory=list)
    regions: list = field(default_factory=list)
    window_s: int = 10
    windows_open: int = 3
    sequence_window: int = 1024
    line_window_s: int = 60
    max_skew_s: int = 20
    silent_after: int = 3
    good: float = 80
    degraded: float = 60
    min_coverage: float = 0.5
    vital_cap: float = 40
    hysteresis: float = 0
    addresses: tuple = ("10.9.0.2", "fd00:9::2")
    etd_port: int = 47700
    influx_port: int = 8089
    precision: str = "ns"
    ingestion: str = "full"
    healthy_above: float = 80
    keep_one_in: int = 10
    band: float = 0.01
    max_silence_s: int = 8 * 3600
    threshold: float = 3.5
    calibrate: str = "none"
    peers: str = "region"
    min_peers: int = 8
    rounds: tuple = (3, 5)
    baseline: str = "week"
    maintenance: list = field(default_factory=list)

    def maintenance_of(self, site, start, end):
        """(the first listed window that touches the site's [start, end), or None; whether those of one of
        its scopes leave nothing out)"""
        mine = [m for m in self.maintenance if m.takes(self, site) and m.touches(start, end)]
        whole = False
        for scope in {m.scope for m in mine}:
            at = start
            for one in sorted((m for m in mine if m.scope == scope), key=lambda m: m.start):
                at = one.end if one.start <= at else at
            whole = whole or at >= end
        return (mine[0] if mine else None), whole

    @property
    def precision_ns(self):
        return {"ns": 1, "us": 1000, "ms": 1_000_000, "s": S}[self.precision]

    def region_of(self, site):
        for region in self.regions:
            if region.takes(site):
                return region.name
        return "unassigned"

    def rule_of(self, name):
        for rule in self.rules:
            if rule.name == name:
                return rule
        for kpi in self.kpis:
            if kpi.name == name and kpi.is_measured:
                return Rule(name, name)
        return None


def _scalar(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
    if isinstance(value, float):
        return repr(value) if "e" not in repr(value) else format(value, ".17g")
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(_scalar(v) for v in value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, _scalar(v)) for k, v in value.items())
    return str(value)


def _pattern(name):
    return "^%s$" % "".join("\\" + c if c in "\\.^$|?*+()[]{}" else c for c in name)


def _kpi_yaml(kpi):
    out = {"name": kpi.name, "weight": kpi.weight, "vital": kpi.vital}
    for key in ("good", "warn", "crit"):
        band = getattr(kpi, key)
        if band != (None, None):
            out[key] = list(band)
    if kpi.expr is not None:
        out["expr"] = kpi.expr.text
        if kpi.missing:
            out["derive"] = "missing"
    if kpi.heard:
        out["derive"] = "heard"
    if kpi.exclude:
        out["exclude"] = kpi.exclude
    if kpi.compare:
        out.update(compare=True, min_effect=kpi.min_effect)
    return out


def _rule_yaml(rule):
    out = {"match": _pattern(rule.name), "kpi": rule.kpi, "scale": rule.scale,
           "offset": rule.offset}
    for key in ("min", "max", "type"):
        if getattr(rule, key) is not None:
            out[key] = getattr(rule, key)
    return out


def _region_yaml(region):
    out = {"name": region.name}
    if region.sites:
        out["sites"] = region.sites
    if region.match is not None:
        out["match"] = region.match
    return out


def _rfc3339(ns, zone_m=0):
    """Some zones east or west, as any may be written."""
    import datetime

    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // S, minutes=zone_m)
    fraction = (".%09d" % (ns % S)).rstrip("0") if ns % S else ""
    zone = "Z" if zone_m == 0 else "%s%02d:%02d" % ("-" if zone_m < 0 else "+", *divmod(abs(zone_m), 60))
    return at.strftime("%Y-%m-%dT%H:%M:%S") + fraction + zone


def _maintenance_yaml(window):
    return {"scope": window.scope, "from": _rfc3339(window.start), "to": _rfc3339(window.end, 90 - len(window.why)),
            "why": window.why}


def _site_yaml(site):
    return {"id": site.id, "name": site.name, "weight": site.weight, "addresses": site.addresses,
            "labels": site.labels}


def config_yaml(config):
    prefixes = ["%s/%d" % (a, 64 if ":" in a else 24) for a in config.addresses]
    lines = ["profile: medium", "domain: custom", "ingestion: " + config.ingestion,
             "ports: [%s]" % _scalar({"port": 0, "addresses": prefixes}), "listeners:"]
    lines.append("  - " + _scalar({"udp": config.etd_port, "format": "etd"}))
    lines.append("  - " + _scalar({"udp": config.influx_port, "format": "influx",
                                   "precision": config.precision}))
    for key, items, form in (("regions", config.regions, _region_yaml),
                             ("sites", config.sites, _site_yaml),
                             ("normalise", config.rules, _rule_yaml),
                             ("kpis", config.kpis, _kpi_yaml),
                             ("maintenance", config.maintenance, _maintenance_yaml)):
        lines.append("%s:%s" % (key, "" if items else " []"))
        lines.extend("  - " + _scalar(form(item)) for item in items)
    sections = {
        "rollup": {"window": "%ds" % config.window_s, "windows_open": config.windows_open,
                   "intervals": ["%ds" % (config.window_s * 6)]},
        "dedup": {"sequence_window": config.sequence_window,
                  "line_window": "%ds" % config.line_window_s},
        "clock": {"max_skew": "%ds" % config.max_skew_s},
        "health": {"good": config.good, "degraded": config.degraded,
                   "min_coverage": config.min_coverage, "vital_cap": config.vital_cap,
                   "hysteresis": config.hysteresis},
        "compare": {"threshold": config.threshold, "calibrate": config.calibrate, "peers": config.peers,
                    "min_peers": config.min_peers, "rounds": list(config.rounds),
                    "baseline": config.baseline},
        "correlate": {"silent_after": config.silent_after},
        "downsample": {"healthy_above": config.healthy_above, "keep_one_in": config.keep_one_in},
        "deviation": {"band": config.band, "max_silence": "%ds" % config.max_silence_s},
    }
    for key, section in sections.items():
        lines.append("%s: %s" % (key, _scalar(section).replace('"', "")))
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- what is sent

BIRTH, DATA, DEATH, EVENT = 1, 2, 3, 4
GOOD, UNCERTAIN, BAD = 0, 1, 2


@dataclass
class Birth:
    alias: int
    name: str
    counter: bool = False
    unit: str = ""


@dataclass
class Data:
    alias: int
    offset_us: int
    value: float
    quality: int = GOOD


@dataclass
class Event:
    offset_us: int
    text: str = "x"
    severity: int = 4
    state: int = 0


@dataclass
class Etd:
    site: int
    boot: int
    seq: int
    time: int
    kind: int = DATA
    stream: int = 0
    body: list = field(default_factory=list)
    backfill: bool = False
    damage: str = None  # a way to be malformed, see _damaged

    def encode(self):
        head = struct.pack("<4sBBHIHHIIQ", b"ETD1", self.kind, 2 if self.backfill else 0,
                           len(self.body), self.site, self.stream, 0, self.boot, self.seq,
                           self.time)
        return _damaged(head + b"".join(self._record(r) for r in self.body), self.damage)

    @staticmethod
    def _record(record):
        if isinstance(record, Data):
            return struct.pack("<HBBid", record.alias, record.quality, 0, record.offset_us,
                               record.value)
        if isinstance(record, Birth):
            name, unit = record.name.encode(), record.unit.encode()
            return struct.pack("<HBBBB", record.alias, record.counter, len(name), len(unit),
                               0) + name + unit
        text = record.text.encode()
        return struct.pack("<iBBH", record.offset_us, record.severity, record.state,
                           len(text)) + text


DAMAGES = ["cut", "header cut", "empty", "trailing", "count", "magic", "kind", "flags", "site 0",
           "seq 0", "quality", "reserved"]


def _damaged(data, damage):
    """data as it would be, spoilt in one way; quality and reserved want a data record."""
    out = bytearray(data)
    if damage == "cut":
        return bytes(out[:-1])
    if damage == "header cut":
        return bytes(out[:31])
    if damage == "empty":
        return b""
    if damage == "trailing":
        return bytes(out) + b"\0"
    if damage == "count":
        struct.pack_into("<H", out, 6, struct.unpack_from("<H", out, 6)[0] + 1)
    spots = {"magic": (3, ord("2")), "kind": (4, 5), "flags": (5, 4), "quality": (34, 3),
             "reserved": (35, 1)}
    if damage in spots:
        out[spots[damage][0]] = spots[damage][1]
    if damage == "site 0":
        struct.pack_into("<I", out, 8, 0)
    if damage == "seq 0":
        struct.pack_into("<I", out, 20, 0)
    return bytes(out)


@dataclass
class Line:
    """A line of the line protocol. fields: (name, value), a value is a float, int, bool or str."""

    measurement: str = "m"
    site: str = None
    fields: list = field(default_factory=list)
    stamp: int = None  # in the listener's precision
    unsigned: bool = False
    malformed: str = None  # this text instead

    def encode(self):
        if self.malformed is not None:
            return self.malformed
        head = self.measurement + (",host=a\\ b" if len(self.fields) > 2 else "")
        if self.site is not None:
            head += ",site=" + self.site
        values = ",".join("%s=%s" % (n, self._value(v)) for n, v in self.fields)
        return "%s %s%s" % (head, values, "" if self.stamp is None else " %d" % self.stamp)

    def _value(self, value):
        if isinstance(value, bool):
            return "true" if value else "F"
        if isinstance(value, str):
            return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
        if isinstance(value, int):
            return "%d%s" % (value, "u" if self.unsigned and value >= 0 else "i")
        return repr(value)


@dataclass
class Influx:
    lines: list
    crlf: bool = False
    comment: bool = False

    def encode(self):
        end = "\r\n" if self.crlf else "\n"
        texts = ["# said by nobody", ""] if self.comment else []
        return end.join(texts + [line.encode() for line in self.lines]).encode()


@dataclass
class Packet:
    """defect: None, or the datagram verdict that the frame itself earns (see encode_frame)."""

    arrival: int
    payload: object
    source: str = "10.9.0.77"
    defect: str = None
    no_checksum: bool = False  # UDP over IPv4 without one, which is allowed


# ---------------------------------------------------------------- frames and captures


def _sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _address(text):
    import ipaddress

    return ipaddress.ip_address(text).packed


def _udp(source, destination, port, payload, packet):
    size = 8 + len(payload)
    pseudo = source + destination + struct.pack(">HH" if len(source) == 4 else ">IxxxB",
                                                *((17, size) if len(source) == 4 else (size, 17)))
    head = struct.pack(">HHHH", 40000, port, size, 0)
    check = 0xFFFF - _sum16(pseudo + head + payload) or 0xFFFF
    if packet.defect == "bad_checksum":
        check = check ^ 0x5A5A or 1
    if packet.no_checksum and len(source) == 4 and packet.defect is None:
        check = 0
    return struct.pack(">HHHH", 40000, port, size, check) + payload


def encode_frame(packet, config):
    """Ethernet frame of the packet; IPv6 where its source is. Each defect spoils just one thing."""
    ether = bytes.fromhex("020000000001020000000002")
    if packet.defect == "neighbour":  # who has our address?
        arp = struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, ether[6:], _address("10.9.0.9"),
                          bytes(6), _address(config.addresses[0]))
        return b"\xff" * 6 + ether[6:] + b"\x08\x06" + arp + bytes(18)
    if packet.defect == "not_ip":
        return ether + b"\x88\xcc" + bytes(46)
    source = _address(packet.source)
    ours = config.addresses[0 if len(source) == 4 else 1]
    other = "10.9.0.3" if len(source) == 4 else "fd00:9::3"
    destination = _address(other if packet.defect == "not_ours" else ours)
    port = config.influx_port if isinstance(packet.payload, Influx) else config.etd_port
    udp = _udp(source, destination, 9 if packet.defect == "no_listener" else port,
               packet.payload.encode(), packet)
    protocol = 6 if packet.defect == "not_udp" else 17
    if len(source) == 16:
        return (ether + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(udp), protocol, 64)
                + source + destination + udp)
    fragment = 0x2000 if packet.defect == "fragment" else 0x4000
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, fragment, 64, protocol, 0)
    check = 0xFFFF - _sum16(head + source + destination)
    frame = ether + b"\x08\x00" + head[:10] + struct.pack(">H", check) + source + destination + udp
    return frame + bytes(max(0, 60 - len(frame)))


def write_pcap(path, packets, config, nanoseconds=True):
    """A classic capture; with microseconds every arrival must be a multiple of 1000 ns."""
    unit = 1 if nanoseconds else 1000
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0,
                              262144, 1))
        for packet in packets:
            frame = encode_frame(packet, config)
            out.write(struct.pack("<IIII", packet.arrival // S, packet.arrival % S // unit,
                                  len(frame), len(frame)))
            out.write(frame)


# ---------------------------------------------------------------- the model


class Sequence:
    """One stream's place in its sequence, as sets of numbers."""

    def __init__(self):
        self.boot = None
        self.seen = set()

    def accept(self, boot, seq, size, limit_s):
        """(verdict, how many were found lost)"""
        if boot > limit_s:
            return "stale", 0
        if self.boot is None or boot > self.boot:
            lost = 0 if self.boot is None else self._gaps(max(self.seen) + 1, size)
            self.boot, self.seen = boot, {seq}
            return "accepted", lost
        highest = max(self.seen)
        if boot < self.boot or seq <= highest - size:
            return "stale", 0
        if seq in self.seen:
            return "duplicate", 0
        lost = self._gaps(seq - size + 1, size) if seq > highest else 0
        self.seen.add(seq)
        return "accepted", lost

    def _gaps(self, end, size):
        """Never seen numbers below end that have not slid out of the window before."""
        start = max(min(self.seen), max(self.seen) - size + 1)
        return sum(1 for n in range(start, end) if n not in self.seen)


@dataclass
class Card:
    last_seen: int = None
    lost: int = 0
    duplicates: int = 0
    left: bool = False  # its last word was a death


MASK = (1 << 64) - 1


def _mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def _zone(kpi, value):
    """Where a value stands to the bands: 0 within good, -1..-3 below it, 1..3 above it."""
    for side, sign in ((0, -1), (1, 1)):
        good, warn, crit = (band[side] for band in (kpi.good, kpi.warn, kpi.crit))
        if good is None or sign * (value - good) <= 0:
            continue
        if crit is not None and sign * (value - crit) >= 0:
            return 3 * sign
        return sign if warn is None or sign * (value - warn) <= 0 else 2 * sign
    return 0


@dataclass
class Reported:
    """Of one KPI of one site."""

    zone: int = None  # of the last good record; None: the next good one passes
    value: float = None
    time: int = None


class Cell:
    """One site in one window."""

    def __init__(self):
        self.accepted = 0
        self.values = {}  # KPI: values of its gauges, and the weight of each
        self.counted = {}  # KPI: samples of its counters
        self.refused = {}
        self.comms = [0, 0]  # accepted, lost

    def has_records(self):
        return self.accepted > 0 or any(self.refused.values())


class Model:
    def __init__(self, config):
        self.config = config
        self.deriver = Deriver(config.kpis)
        self.window_ns = config.window_s * S
        self.now = None
        self.datagrams = dict.fromkeys(DATAGRAM_VERDICTS, 0)
        self.records = dict.fromkeys(RECORD_VERDICTS, 0)
        self.by_id = {site.id: site.name for site in config.sites}
        self.by_name = {site.name: site for site in config.sites}
        self.by_address = {a: site.name for site in config.sites for a in site.addresses}
        self.cards = {site.name: Card() for site in config.sites}
        self.sequences = {}
        self.aliases = {}  # (site, stream): {alias: Birth}
        self.lines = {}  # (site, text): when first seen
        self.cells = {}  # (site, window)
        self.samples = {}  # (site, KPI): (time, value) of counters, in order of arrival
        self.snapshots = []  # (last window closed, cards then)
        self.reported = {}  # (site, KPI)
        self.thinned = set()  # sites
        self.comparison = Comparison(config)

    # -- packets

    def run(self, packets):
        """(the documents of the windows, the ledger), as replay prints them."""
        for packet in packets:
            self._advance(packet.arrival)
            verdict = packet.defect or self._payload(packet)
            self.datagrams[verdict] += 1
        self._snapshot(math.inf)
        return self._windows(), self._ledger(len(packets))

    def _advance(self, arrival):
        self.now = arrival if self.now is None else max(self.now, arrival)
        closed = self.now // self.window_ns - self.config.windows_open
        if not self.snapshots or closed > self.snapshots[-1][0]:
            self._snapshot(closed)
            if self.config.ingestion == "downsample":
                self._thin(closed)

    def _thin(self, closed):
        """The last window that has closed decides."""
        used = [window for (_, window), cell in self.cells.items() if cell.has_records()]
        if not used or min(used) > closed:
            return
        increases = self._increases()
        self.thinned = set()
        for site in self.config.sites:
            cell = self.cells.get((site.name, closed), Cell())
            kpis = self._site_kpis(site, cell, closed, increases, self.cards[site.name].left)
            if self._mode(self._site_health(kpis)[0]) == "downsample":
                self.thinned.add(site.name)

    def _mode(self, health):
        if self.config.ingestion != "downsample":
            return self.config.ingestion
        return "downsample" if health is not None and health > self.config.healthy_above else "full"

    def _snapshot(self, closed):
        cards = {name: (c.last_seen, c.lost, c.duplicates, c.left) for name, c in self.cards.items()}
        self.snapshots.append((closed, cards))

    def _payload(self, packet):
        if isinstance(packet.payload, Influx):
            return self._influx(packet)
        return self._etd(packet.payload)

    def _cell(self, site, window):
        return self.cells.setdefault((site, window), Cell())

    def _etd(self, etd):
        if etd.damage is not None:
            return "malformed"
        site = self.by_id.get(etd.site)
        if site is None:
            return "unknown_site"
        sequence = self.sequences.setdefault((site, etd.stream), Sequence())
        limit_s = (self.now + self.config.max_skew_s * S) // S
        verdict, lost = sequence.accept(etd.boot, etd.seq, self.config.sequence_window, limit_s)
        card = self.cards[site]
        if verdict == "duplicate":
            card.duplicates += 1
        if verdict != "accepted":
            return verdict
        card.lost += lost
        card.last_seen = self.now
        if etd.seq == max(sequence.seen):
            card.left = etd.kind == DEATH
        comms = self._cell(site, self.now // self.window_ns).comms
        comms[0] += 1
        comms[1] += lost
        aliases = self.aliases.setdefault((site, etd.stream), {})
        for record in etd.body:
            if isinstance(record, Birth):
                aliases[record.alias] = record
            elif isinstance(record, Event):
                self._count(self._event(site, etd.time + record.offset_us * 1000))
            else:
                self._count(self._data(site, etd, aliases.get(record.alias), record))
        return "accepted"

    def _count(self, verdict):
        self.records[verdict] += 1

    def _when(self, time):
        if time > self.now + self.config.max_skew_s * S:
            return "future"
        if time // self.window_ns < self.now // self.window_ns - self.config.windows_open + 1:
            return "late"
        return None

    def _event(self, site, time):
        verdict = self._when(time)
        if verdict is None:
            self._cell(site, time // self.window_ns).accepted += 1
        return verdict or "accepted"

    def _data(self, site, etd, birth, record):
        if birth is None:
            return "unborn"
        rule = self.config.rule_of(birth.name)
        if rule is None:
            return "unmapped"
        time = etd.time + record.offset_us * 1000
        return self._value(site, rule, time, record.value, record.quality, birth.counter)

    def _value(self, site, rule, time, raw, quality=GOOD, born_counter=False):
        value = raw * rule.scale + rule.offset
        when = self._when(time)
        verdict = self._judge(rule, value, quality, when)
        if when is not None:
            return verdict
        cell = self._cell(site, time // self.window_ns)
        if verdict != "accepted":
            cell.refused[rule.kpi] = cell.refused.get(rule.kpi, 0) + 1
            self.reported.setdefault((site, rule.kpi), Reported()).zone = None
            return verdict
        cell.accepted += 1
        if rule.type == "counter" or (rule.type is None and born_counter):
            cell.counted[rule.kpi] = cell.counted.get(rule.kpi, 0) + 1
            self.samples.setdefault((site, rule.kpi), []).append((time, value))
            return verdict
        verdict, weight, value = self._admit(site, rule, time, value, rule.kpi not in cell.values)
        cell.values.setdefault(rule.kpi, []).append((value, weight))
        return verdict

    def _admit(self, site, rule, time, value, first):
        """(verdict, weight, what is counted)"""
        config = self.config
        reported = self.reported.setdefault((site, rule.kpi), Reported())
        zone = _zone(next(k for k in config.kpis if k.name == rule.kpi), value)
        passes = zone != reported.zone
        reported.zone = zone
        if config.ingestion == "deviation":
            if not passes and time - reported.time < config.max_silence_s * S:
                sizes = (abs(value), abs(reported.value))
                reach = rule.max - rule.min if None not in (rule.min, rule.max) else min(sizes)
                if abs(value - reported.value) <= config.band * reach:
                    return "within_band", 1, reported.value
            reported.value, reported.time = value, time
        elif site in self.thinned and not passes and not first:
            if not self._is_kept(site, rule.kpi, time, value):
                return "sampled_out", 0, value
            return "accepted", config.keep_one_in, value
        return "accepted", 1, value

    def _is_kept(self, site, kpi, time, value):
        index = [s.name for s in self.config.sites].index(site)
        measure = [k.name for k in self.config.kpis if k.is_measured].index(kpi)
        bits = struct.unpack("<Q", struct.pack("<d", value))[0]
        place = 64 * index + measure + 1
        upper = _mix(_mix((place * 0x9E3779B97F4A7C15 + bits) & MASK) ^ time) >> 32
        return upper * self.config.keep_one_in >> 32 == 0

    @staticmethod
    def _judge(rule, value, quality, when):
        if not math.isfinite(value):
            return "not_finite"
        if when is not None:
            return when
        if quality == BAD:
            return "bad"
        if quality == UNCERTAIN:
            return "uncertain"
        if (rule.min is not None and value < rule.min) or (
                rule.max is not None and value > rule.max):
            return "out_of_range"
        return "accepted"

    def _site_of(self, line, source):
        if line.site is not None:
            return line.site if line.site in self.by_name else None
        return self.by_address.get(source)

    def _influx(self, packet):
        """Accepted when a line is; of a datagram that is not, nothing counts as a record."""
        counts = []  # record verdicts, should it be accepted
        fates, repeated = set(), []
        for line in packet.payload.lines:
            fate, site = self._line(line, packet.source, counts)
            fates.add(fate)
            if fate == "duplicate":
                repeated.append(site)
            if fate != "accepted":
                counts.append(fate)
        if "accepted" in fates:
            for verdict in counts:
                self._count(verdict)
            for site in repeated:
                self.cards[site].duplicates += 1
            return "accepted"
        if "unknown_site" in fates:
            return "unknown_site"
        for site in set(repeated):
            self.cards[site].duplicates += 1
        return "duplicate" if repeated else "malformed"

    def _line(self, line, source, counts):
        """(what becomes of the line as a whole, its site); its fields' verdicts go to counts."""
        if line.malformed is not None:
            return "malformed", None
        site = self._site_of(line, source)
        if site is None:
            return "unknown_site", None
        if line.stamp is not None:
            first = self.lines.get((site, line.encode()))
            if first is not None and self.now - first <= self.config.line_window_s * S:
                return "duplicate", site
            self.lines[site, line.encode()] = self.now
        self.cards[site].last_seen = self.now
        self.cards[site].left = False
        time = self.now if line.stamp is None else line.stamp * self.config.precision_ns
        counts.extend(self._field(site, line, time, name, value) for name, value in line.fields)
        return "accepted", site

    def _field(self, site, line, time, name, value):
        rule = self.config.rule_of("%s.%s" % (line.measurement, name))
        if rule is None:
            return "unmapped"
        if isinstance(value, str):
            return "not_numeric"
        return self._value(site, rule, time, float(value))

    # -- results

    def _ledger(self, received):
        def counts(total, verdicts):
            out = {"received": total, "accepted": verdicts["accepted"]}
            out.update((k, v) for k, v in verdicts.items() if k != "accepted")
            return out

        return {
            "datagrams": counts(received, self.datagrams),
            "records": counts(sum(self.records.values()), self.records),
            "in_flight": 0,
            "balanced": True,
            "nic": {"missed": 0, "no_buffer": 0, "errors": 0, "ports": []},
            "mbufs": {"total": 0, "free": 0, "in_use": 0},
            "rings": [], "mempools": [],
        }

    def _increases(self):
        """(site, KPI, window): exact sum of increases, in the order of event time."""
        out = {}
        for (site, kpi), samples in self.samples.items():
            ordered = sorted(samples, key=lambda sample: sample[0])  # stable: ties by arrival
            for (_, before), (time, value) in zip(ordered, ordered[1:]):
                step = Fraction(value) - Fraction(before) if value >= before else Fraction(value)
                key = (site, kpi, time // self.window_ns)
                out[key] = out.get(key, 0) + step
        return out

    def _windows(self):
        used = [window for (_, window), cell in self.cells.items() if cell.has_records()]
        if not used:
            return []
        increases = self._increases()
        unheard = dict.fromkeys(self.by_name, 0)
        self.held, self.statuses, self.kept_off = {}, {}, {}
        out = []
        for window in range(min(used), max(used) + 1):
            cards = next(cards for closed, cards in self.snapshots if closed >= window)
            out.append(self._window(window, cards, increases, unheard))
        return out

    def _window(self, window, cards, increases, unheard):
        config = self.config
        states = {}
        for site in config.sites:
            cell = self.cells.get((site.name, window), Cell())
            unheard[site.name] = 0 if cell.accepted else unheard[site.name] + 1
            kpis = self._site_kpis(site, cell, window, increases, cards[site.name][3])
            health, capped, coverage = self._site_health(kpis)
            states[site.name] = (site, cell, kpis, health, capped, coverage)
            self.kept_off[site.name] = config.maintenance_of(
                site, window * self.window_ns, (window + 1) * self.window_ns)[0]
            self.statuses[site.name] = self._held(("site", site.name), health)
        self.comparison.window(window * self.window_ns, [(s[0], s[2]) for s in states.values()])
        documents = [self._site(state, cards[name], unheard[name])
                     for name, state in sorted(states.items(), key=lambda i: i[1][0].id)]
        names = [region.name for region in config.regions]
        if any(config.region_of(site) == "unassigned" for site in config.sites):
            names.append("unassigned")
        regions = [self._scope(name, [s for s in states.values()
                                      if config.region_of(s[0]) == name]) for name in names]
        start = window * self.window_ns
        return {
            "window": {"start": start, "end": start + self.window_ns, "closed": True},
            "storm": {"active": False, "sites": [], "fleet": False},
            "fleet": self._scope("fleet", list(states.values())),
            "regions": regions,
            "sites": documents,
        }

    def _hearing(self, site, cell, window, left):
        """1: heard in the window; 0: not, though it was before and has not left; None: nothing is known."""
        if cell.accepted:
            return 1
        before = any(cell.accepted for (name, w), cell in self.cells.items() if name == site.name and w < window)
        return 0 if before and not left else None

    def _site_kpis(self, site, cell, window, increases, left):
        kpis = {k.name: self._site_kpi(site.name, k, cell, window, increases)
                for k in self.config.kpis}
        self.deriver.site(kpis, self._hearing(site, cell, window, left))
        start = window * self.window_ns
        if self.config.maintenance_of(site, start, start + self.window_ns)[1]:
            for kpi in self.config.kpis:
                if "maintenance" in kpi.exclude and kpis[kpi.name]["excluded"] is None:
                    kpis[kpi.name]["excluded"] = "maintenance"
        return kpis

    def _site_kpi(self, site, kpi, cell, window, increases):
        out = {"mean": None, "stddev": None, "min": None, "max": None, "samples": 0, "good": 0,
               "refused": cell.refused.get(kpi.name, 0)}
        values = cell.values.get(kpi.name, [])
        if kpi.is_comms:
            accepted, lost = cell.comms
            out["samples"] = out["good"] = accepted
            if accepted + lost:
                out["mean"] = float(1 - Fraction(lost, accepted + lost))
        elif kpi.name in cell.counted:
            out["samples"] = out["good"] = cell.counted[kpi.name]
            out["mean"] = float(Fraction(increases.get((site, kpi.name, window), 0))
                                / self.config.window_s)
        elif values:
            out["good"] = len(values)
            out["samples"] = samples = sum(weight for _, weight in values)
            kept = [value for value, weight in values if weight > 0]
            out["min"], out["max"] = min(kept), max(kept)
            mean = sum(weight * Fraction(value) for value, weight in values) / samples
            out["mean"] = float(mean)
            if samples > 1:
                squares = sum(weight * (Fraction(v) - mean) ** 2 for v, weight in values)
                out["stddev"] = math.sqrt(squares / (samples - 1))
            return out
        out["min"] = out["max"] = out["mean"]
        return out

    @staticmethod
    def _score(kpi, value):
        if value is None or not kpi.weight > 0:
            return None
        for side, sign in ((0, -1), (1, 1)):
            edges = [band[side] for band in (kpi.good, kpi.warn, kpi.crit)]
            if edges[0] is None or sign * (value - edges[0]) <= 0:
                continue
            good, warn, crit = edges
            if sign * (value - warn) <= 0:
                return 100 - 30 * (value - good) / (warn - good)
            return max(0.0, 70 - 30 * (value - warn) / (crit - warn))
        return 100.0

    def _site_health(self, kpis):
        """Adds score and contribution to each KPI; (health, points that the vital cap takes, coverage)."""
        config = self.config
        weights, capped = {}, False
        for kpi in config.kpis:
            values = kpis[kpi.name]
            values["score"] = values["contribution"] = None
            if values["excluded"] is not None:
                continue
            unheard = values["heard"] and values["good"] == 0
            values["score"] = None if unheard else self._score(kpi, values["mean"])
            if kpi.weight > 0 and values["good"] > 0:
                c = values["good"] / (values["good"] + values["refused"])
                weights[kpi.name] = kpi.weight * c
                capped = capped or (kpi.vital and values["score"] <= 40)
        scored = math.fsum(kpi.weight for kpi in config.kpis
                           if kpis[kpi.name]["excluded"] is None)
        total = math.fsum(weights.values())
        coverage = total / scored if scored > 0 else 0.0
        if total == 0 or coverage < config.min_coverage:
            return None, None, coverage
        health = math.fsum(w * kpis[name]["score"] for name, w in weights.items()) / total
        for name, weight in weights.items():
            kpis[name]["contribution"] = weight * (100 - kpis[name]["score"]) / total
        if capped and health > config.vital_cap:
            return config.vital_cap, health - config.vital_cap, coverage
        return health, 0.0, coverage

    def _status(self, health):
        if health is None:
            return "unknown"
        if health >= self.config.good:
            return "good"
        return "degraded" if health >= self.config.degraded else "bad"

    def _held(self, key, health):
        """The status, which gets better only beyond the hysteresis; key says whose it is."""
        order, now = ["bad", "degraded", "good"], self._status(health)
        before = self.held.get(key)
        if now != "unknown" and before is not None and order.index(now) > order.index(before):
            slow = self._status(health - self.config.hysteresis)
            now = max(before, slow, key=order.index)
        if now != "unknown":
            self.held[key] = now
        return now

    def _site(self, state, card, unheard):
        site, _, kpis, health, capped, coverage = state
        keys = ["mean", "stddev", "min", "max", "samples", "good", "refused", "score",
                "contribution", "derived", "heard", "excluded", "z", "median", "outlier", "peers", "usual", "self_z", "odd"]
        last_seen, lost, duplicates, _ = card
        return {
            "id": site.id, "name": site.name, "region": self.config.region_of(site),
            "weight": site.weight, "health": health, "capped": capped, "status": self.statuses[site.name],
            "coverage": coverage, "last_seen": last_seen,
            "silent": unheard >= self.config.silent_after, "storm": False,
            "maintenance": self.kept_off[site.name] and self.kept_off[site.name].document(),
            "mode": self._mode(health), "lost": lost,
            "duplicates": duplicates, "shed": {"etd": 0, "influx": 0, "statsd": 0},
            "kpis": {name: {key: values[key] for key in keys} for name, values in kpis.items()},
            "labels": site.labels,
        }

    def _scope(self, name, states):
        known = [(site.weight, health) for site, _, _, health, _, _ in states if health is not None]
        everything = math.fsum(site.weight for site, *_ in states)
        weight = math.fsum(w for w, _ in known)
        coverage = weight / everything if everything > 0 else 0.0
        health, capped, costs = None, None, dict.fromkeys(kpi.name for kpi in self.config.kpis)
        if known and coverage >= self.config.min_coverage:
            health = math.fsum(w * h for w, h in known) / weight
            capped = math.fsum(s[0].weight * s[4] for s in states if s[3] is not None) / weight
            costs.update((kpi.name, self._cost(kpi.name, states) / weight)
                         for kpi in self.config.kpis if kpi.weight > 0)
        statuses = [self.statuses[state[0].name] for state in states]
        sites = {"total": len(states), "reporting": sum(s[1].accepted > 0 for s in states)}
        sites.update((s, statuses.count(s)) for s in ("good", "degraded", "bad", "unknown"))
        return {"name": name, "health": health, "capped": capped, "status": self._held(name, health),
                "coverage": coverage, "sites": sites,
                "maintenance": sum(self.kept_off[s[0].name] is not None for s in states),
                "kpis": {kpi.name: {**self._scope_kpi(kpi, states), "contribution": costs[kpi.name]}
                         for kpi in self.config.kpis}}

    @staticmethod
    def _cost(name, states):
        """What a KPI costs the sites whose health is known, by their weights."""
        return math.fsum(state[0].weight * (state[2][name]["contribution"] or 0)
                         for state in states if state[3] is not None)

    def _scope_kpi(self, kpi, states):
        rows = [(Fraction(site.weight), kpis[kpi.name]) for site, _, kpis, *_ in states
                if kpis[kpi.name]["mean"] is not None and kpis[kpi.name]["excluded"] is None]
        out = dict.fromkeys(["mean", "stddev", "min", "max", "p50", "p95"])
        out.update(sites=len(rows), samples=sum(row["samples"] for _, row in rows), score=None)
        mean = self.deriver.scope(kpi, [(Fraction(site.weight), kpis)
                                        for site, _, kpis, *_ in states])
        if mean is not None:
            out.update(mean=float(mean), score=self._score(kpi, float(mean)))
        if not rows:
            return out
        total = sum(w for w, _ in rows)
        if mean is not None:
            squares = sum(w * (Fraction(row["mean"]) - mean) ** 2 for w, row in rows)
            out["stddev"] = math.sqrt(squares / total)
        means = sorted(row["mean"] for _, row in rows)
        out.update(min=min(row["min"] for _, row in rows), max=max(row["max"] for _, row in rows),
                   p50=means[-(-50 * len(means) // 100) - 1],
                   p95=means[-(-95 * len(means) // 100) - 1])
        return out
