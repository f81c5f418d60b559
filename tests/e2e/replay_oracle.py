# SPDX-License-Identifier: Apache-2.0
"""Random fleets through `estream-fleetd replay`, compared with the oracle.

    replay_oracle.py BUILD/estream-fleetd [FLEETS [SEED [KEEP_DIR]]]

Fleet i is made from seed SEED + i alone. What fails is kept in KEEP_DIR (config and capture), where
one is given.
Counts, statuses and names must be equal, other numbers within 1e-9.
"""

import copy
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import oracle
from derived_oracle import random_expr
from oracle import (BAD, BIRTH, DATA, DEATH, EVENT, GOOD, S, UNCERTAIN, Birth, Config, Data, Etd,
                    Event, Influx, Kpi, Line, Maintenance, Model, Packet, Region, Rule, Site)

RELATIVE = 1e-9
START_S = 1_700_000_000

# ---------------------------------------------------------------- random fleets


def random_kpi(rng, name):
    """Bands around 50, where the senders' values are, in either direction or both."""
    kpi = Kpi(name, weight=rng.choice([0, 0.125, 0.25, 0.5, 1, 3.5]), vital=rng.random() < 0.25)
    bands = [[None, None] for _ in range(3)]
    sides = rng.choice([(0,), (1,), (0, 1)] if kpi.weight > 0 else [(0,), ()])
    for side in sides:
        sign = 1 if side else -1
        good = rng.uniform(-5, 30)
        warn = good + rng.uniform(1, 30)
        crit = warn + rng.uniform(1, 30)
        for band, distance in zip(bands, (good, warn, crit)):
            band[side] = round(50 + sign * distance, 3)
    if 0 in sides and 1 in sides:  # not crossed
        bands[0] = [min(bands[0]), max(bands[0])]
        if bands[0][0] <= bands[1][0] or bands[0][1] >= bands[1][1]:
            bands[0] = [(50 + bands[1][0]) / 2, (50 + bands[1][1]) / 2]
        if bands[0][0] <= bands[1][0] or bands[0][1] >= bands[1][1]:  # 50 is beyond a warn edge
            bands = [[band[0], None] for band in bands]
            bands[0][0] = bands[1][0] + 1
    kpi.good, kpi.warn, kpi.crit = map(tuple, bands)
    return kpi


class Signal:
    """A raw name, and the KPI it feeds (None: unmapped)."""

    def __init__(self, name, kpi, counter, factor):
        self.name, self.kpi, self.counter, self.factor = name, kpi, counter, factor


class Fleet:
    """A config and the packets that its sites send, all from one seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.nanoseconds = seed % 2 == 0  # else the capture's clock ticks in microseconds
        self.packets = []  # (arrival, order, Packet)
        self._make_config()
        self._make_derived(random.Random(seed + 2 * 10**9))
        self._make_comparison(random.Random(seed + 10**9))
        self.config.hysteresis = random.Random(seed + 3 * 10**9).choice([0, 0, 1.5, 5, 10])
        self.begin = START_S * S + self.rng.randrange(10**8) * 1000
        self.end = self.begin + self.rng.randint(3, 12) * self.config.window_s * S
        self._make_heard(random.Random(seed + 5 * 10**9))
        self._make_maintenance(random.Random(seed + 4 * 10**9))
        self.gap = self._make_gap()
        for site in self.config.sites:
            self._play(site)
        for _ in range(self.rng.randint(0, 25)):
            self._play_stray()
        self._play_frame_of(self.config.sites[0])

    # -- config

    def _make_config(self):
        rng = self.rng
        gauges = [random_kpi(rng, "gauge_%d" % i) for i in range(rng.randint(1, 5))]
        counters = [random_kpi(rng, "counter_%d" % i) for i in range(rng.randint(0, 2))]
        comms = [Kpi("comms_quality", weight=rng.choice([0, 0.25, 1]), good=(0.99, None),
                     warn=(0.9, None), crit=(0.5, None))] if rng.random() < 0.7 else []
        kpis = gauges + counters + comms
        rng.shuffle(kpis)
        sites = [self._make_site(i) for i in range(rng.randint(1, 14))]
        rng.shuffle(sites)
        self.signals = self._make_signals(gauges, counters)
        self.config = Config(
            sites=sites, kpis=kpis, rules=self._make_rules(), regions=self._make_regions(sites),
            window_s=rng.choice([5, 7, 10]), windows_open=rng.randint(1, 4),
            sequence_window=rng.choice([64, 128, 1024]), line_window_s=rng.choice([3, 60]),
            max_skew_s=rng.choice([0, 2, 9, 25]), silent_after=rng.randint(1, 4),
            good=round(rng.uniform(75, 90), 3), degraded=round(rng.uniform(40, 70), 3),
            min_coverage=round(rng.uniform(0.05, 0.95), 4), vital_cap=round(rng.uniform(10, 50), 2),
            precision=rng.choice(["ns", "ns", "us", "ms"]))
        self._make_ingestion(random.Random(rng.random()))

    def _make_ingestion(self, rng):
        config = self.config
        config.ingestion = rng.choice(["full", "downsample", "deviation"])
        config.healthy_above = rng.choice([0, 20, 50, 80])
        config.keep_one_in = rng.choice([1, 2, 3, 10, 1000])
        config.band = rng.choice([0.001, 0.01, 0.1, 0.3, 1])
        config.max_silence_s = rng.choice([2, 15, 3600])

    def _make_derived(self, rng):
        """Some KPIs by expressions, of each other too; some of them sent as well, some excluded."""
        kpis = self.config.kpis
        if rng.random() < 0.3:
            return
        measured = [kpi.name for kpi in kpis if not kpi.is_comms]
        for i in range(rng.randint(1, 3)):
            kpi = random_kpi(rng, "derived_%d" % i)
            kpi.expr = random_expr(rng, [k.name for k in kpis])
            kpis.append(kpi)
        for kpi in kpis[:]:
            if kpi.expr is None and kpi.name.startswith("gauge") and rng.random() < 0.3:
                others = [name for name in measured if name != kpi.name]
                if others and not any(k.expr and kpi.name in k.expr.inputs for k in kpis):
                    kpi.expr, kpi.missing = random_expr(rng, others), True
                    measured.remove(kpi.name)
            if rng.random() < 0.2:
                names = [k.name for k in kpis if k is not kpi]
                kpi.exclude = rng.sample(names, min(len(names), rng.randint(1, 2)))
        rng.shuffle(kpis)

    def _make_comparison(self, rng):
        config = self.config
        config.threshold = rng.choice([0.5, 1, 2, 3.5])
        config.calibrate = rng.choice(["none", "none", "fleetwise"])
        labelled = any("vendor" in site.labels for site in config.sites)
        config.peers = rng.choice(["region", "fleet"] + ["label:vendor"] * labelled)
        config.min_peers = rng.randint(3, 6)
        config.rounds = rng.choice([(3, 5), (1, 1), (1, 3), (2, 3), (2, 5), (4, 4), (4, 5)])
        config.baseline = rng.choice(["none", "day", "week"])
        for kpi in config.kpis:
            kpi.compare = rng.random() < 0.8
            kpi.min_effect = rng.choice([0, 0, 1, 5, 20])

    def _make_heard(self, rng):
        """Some KPIs fall back on whether the site was heard; of one of them nobody sends anything."""
        if rng.random() < 0.5:
            return
        if rng.random() < 0.7:
            self.config.kpis.append(Kpi("availability", weight=rng.choice([0, 1, 5]), vital=rng.random() < 0.5,
                                        good=(0.9, None), warn=(0.5, None), crit=(0.1, None), heard=True,
                                        compare=rng.random() < 0.8))
            if rng.random() < 0.5:
                others = [kpi.name for kpi in self.config.kpis if kpi.name.startswith("gauge")]
                self.config.kpis[-1].expr = random_expr(rng, others)
        for kpi in self.config.kpis:
            if kpi.is_measured and rng.random() < 0.3:
                kpi.heard, kpi.missing = True, False

    def _make_maintenance(self, rng):
        """Windows of all scopes, some of which meet, touch a window in part or lie far away."""
        config = self.config
        if rng.random() < 0.4:
            return
        scopes = ["fleet", "region:unassigned"] + ["region:" + region.name for region in config.regions]
        scopes += ["site:" + site.name for site in config.sites]
        scopes += sorted({"label:%s=%s" % item for site in config.sites for item in site.labels.items()})
        for scope in rng.sample(scopes, min(len(scopes), rng.randint(1, 4))):
            at = self.begin - rng.randrange(60 * S)
            for _ in range(rng.randint(1, 3)):
                at += rng.choice([0, 0, rng.randrange(30 * S)])
                if rng.random() < 0.5:
                    at -= at % (config.window_s * S)
                    at += config.window_s * S
                end = at + rng.choice([1, S, 10 * S, config.window_s * S, 5 * config.window_s * S,
                                       rng.randrange(1, 90 * S)])
                config.maintenance.append(Maintenance(scope, at, end, "w" * rng.randint(1, 40)))
                at = end
        rng.shuffle(config.maintenance)
        for kpi in config.kpis:
            if rng.random() < 0.4:
                kpi.exclude = kpi.exclude + ["maintenance"]

    def _make_site(self, i):
        rng = self.rng
        addresses = ["10.9.1.%d" % (i + 1)] + (["fd00:9::1:%x" % (i + 1)] if i % 3 == 0 else [])
        labels = {"vendor": rng.choice(["acme", "zenith"])} if rng.random() < 0.5 else {}
        return Site(i * 3 + 1, "%s-%d" % ("ns"[i % 2], i), rng.choice([1.0, 2.5, 0.125, 40.0]),
                    addresses, labels)

    def _make_signals(self, gauges, counters):
        """Of a KPI its own name, one by a rule, one for lines by a rule; and some of no rule."""
        rng, out = self.rng, []
        for kpi in gauges:
            out.append(Signal(kpi.name, kpi.name, False, 1.0))
            factor = rng.choice([1.0, 0.1, 1000.0, -2.0])
            out.append(Signal("plant." + kpi.name, kpi.name, False, factor))
            out.append(Signal("m." + kpi.name, kpi.name, False, rng.choice([1.0, 10.0])))
        for kpi in counters:
            out.append(Signal(kpi.name, kpi.name, True, 1.0))
            out.append(Signal("m." + kpi.name, kpi.name, True, rng.choice([1.0, 0.5])))
        out += [Signal("nobody.%d" % i, None, False, 1.0) for i in range(2)]
        out.append(Signal("m.nobody", None, False, 1.0))
        return out

    def _make_rules(self):
        rng, out = self.rng, []
        for signal in self.signals:
            if signal.kpi is None or signal.name == signal.kpi:
                continue
            rule = Rule(signal.name, signal.kpi, scale=1 / signal.factor)
            if signal.counter:
                rule.type = "counter"
            else:
                rule.offset = rng.choice([0.0, 0.0, -3.25])
                rule.min = rng.choice([None, 0.0, 40.0])
                rule.max = rng.choice([None, 60.0, 100.0])
                rule.type = rng.choice([None, "gauge"])
            out.append(rule)
        rng.shuffle(out)
        return out

    def _make_regions(self, sites):
        rng = self.rng
        out = []
        named = rng.sample(sites, rng.randint(0, len(sites)))
        if named:
            out.append(Region("north", sites=[site.name for site in named]))
        if rng.random() < 0.6:
            out.append(Region("south", match="s-*"))
        if rng.random() < 0.3:
            out.append(Region("one-digit", match="?-?"))
        rng.shuffle(out)
        return out

    def _make_gap(self):
        """Some fleets are wholly silent for some windows."""
        if self.rng.random() < 0.7:
            return None
        start = self.rng.randrange(self.begin + S, self.end)
        self.end += self.rng.randint(1, 8) * self.config.window_s * S
        return start, start + self.rng.randint(1, 8) * self.config.window_s * S

    def after_gap(self, at):
        return self.gap[1] if self.gap and self.gap[0] <= at < self.gap[1] else at

    # -- senders

    def send(self, arrival, packet):
        if self.after_gap(arrival) != arrival:
            return
        if not self.nanoseconds:
            arrival -= arrival % 1000
        packet.arrival = arrival
        self.packets.append((arrival, len(self.packets), packet))

    def _play(self, site):
        kind = self.rng.choice(["etd", "etd", "etd", "influx", "both", "missing"])
        counters_by_lines = kind == "influx"
        if kind in ("etd", "both"):
            for stream in range(self.rng.randint(1, 3)):
                Sender(self, site, stream, counters=stream == 0 and not counters_by_lines).play()
        if kind in ("influx", "both"):
            LineSender(self, site, counters=counters_by_lines).play()

    def _play_frame_of(self, site):
        """
        The first and the last packets, by a stream of their own: a good record each, so that the
        windows in which records fell are also those in which datagrams arrived.
        """
        name = next(kpi.name for kpi in self.config.kpis if kpi.name.startswith("gauge"))
        boot = self.begin // S
        last = max([self.end] + [arrival for arrival, _, _ in self.packets])
        births = [Birth(0, name)]
        sent = [Packet(self.begin, Etd(site.id, boot, 1, self.begin, BIRTH, 999, births))]
        sent += [Packet(at, Etd(site.id, boot, 2 + i, at, DATA, 999, [Data(0, 0, 55.5)]))
                 for i, at in enumerate((self.begin, last))]
        ordered = [packet for _, _, packet in sorted(self.packets, key=lambda p: p[:2])]
        for i in range(len(ordered) - 1):  # a capture's timestamps may go back
            if self.rng.random() < 0.02:
                ordered[i], ordered[i + 1] = ordered[i + 1], ordered[i]
        self.sent = sent[:2] + ordered + sent[2:]

    def _play_stray(self):
        """Frames and datagrams that are refused before any site is known."""
        rng = self.rng
        at = rng.randrange(self.begin, self.end)
        etd = Etd(rng.choice(self.config.sites).id, at // S, rng.randint(1, 9), at, DEATH, 500)
        packet = Packet(at, etd)
        what = rng.choice(["neighbour", "not_ip", "fragment", "not_udp", "not_ours", "bad_checksum",
                           "no_listener", "damage", "unknown", "influx"])
        if what == "damage":
            etd.damage = rng.choice([d for d in oracle.DAMAGES if d not in ("quality", "reserved")])
        elif what == "unknown":
            etd.site = 2  # ids go 1, 4, 7...
        elif what == "influx":
            packet.payload = rng.choice([
                Influx([Line(malformed="what is this")]), Influx([], comment=True), Influx([]),
                Influx([Line("m", "nobody", [("gauge_0", 1.5)], at // self.config.precision_ns)]),
                Influx([Line("m", None, [("gauge_0", 1.5)])])])  # from an address of no site
        else:
            packet.defect = what
            if rng.random() < 0.3 and what != "fragment":
                packet.source = "fd00:9::77"
        self.send(at, packet)


class Values:
    """What one sender measures: gauges around 50, counters that rise and are sometimes reset."""

    def __init__(self, rng):
        self.rng, self.totals, self.center = rng, {}, rng.uniform(30, 70)

    def next(self, signal):
        rng = self.rng
        if signal.counter:
            total = self.totals.get(signal.name, rng.uniform(0, 1000)) + rng.uniform(0, 90)
            if rng.random() < 0.05:
                total = rng.uniform(0, 50)
            self.totals[signal.name] = total
            return total * signal.factor
        if rng.random() < 0.02:  # finite until it is scaled
            return rng.choice([1e308, -1e308]) if signal.factor == 0.1 else rng.uniform(-1e6, 1e6)
        value = rng.gauss(self.center, 8)
        if rng.random() < 0.1:
            value = rng.choice([0.0, 40.0, 50.0, 60.0, 100.0])
        return value * signal.factor


def delay_of(rng):
    """Some are overtaken, but never by so many that a counter's tail is outrun."""
    return rng.choice([0, rng.randrange(1000), rng.randrange(S // 10), rng.randrange(2 * S)])


class Sender:
    """One ETD stream of a site."""

    def __init__(self, fleet, site, stream, counters):
        self.fleet, self.site, self.stream, self.rng = fleet, site, stream, fleet.rng
        self.values = Values(self.rng)
        names = [s for s in fleet.signals if not s.name.startswith("m.")]
        self.signals = [s for s in names if counters or not s.counter]
        self.boot = fleet.begin // S - self.rng.randint(0, 1000)
        self.seq = self.rng.choice([0, 0, 500, 2**31])
        self.address = self.rng.choice(site.addresses)
        self.lossy = self.rng.choice([0, 0.02, 0.2])

    def play(self):
        rng, fleet = self.rng, self.fleet
        at = fleet.after_gap(fleet.begin + rng.randrange(3 * S))
        born = rng.random() < 0.9  # else the births come some time later
        if born:
            self._births(at, 0)
        pauses = rng.random() < 0.2
        while at < fleet.end:
            at += rng.randrange(S // 2, 2 * S)
            if pauses and rng.random() < 0.1:
                at += rng.randint(1, 4) * fleet.config.window_s * S
            at = fleet.after_gap(at)
            if at >= fleet.end:
                break
            self._step(at, born)
            if not born and rng.random() < 0.2:
                born = True
                self._births(at, 0)

    def _step(self, at, born):
        chance = self.rng.random()
        if chance < 0.02:
            self._reboot(at, born)
        elif chance < 0.05:
            self._births(at, delay_of(self.rng)) if born else None
        elif chance < 0.07:
            self._emit(at, delay_of(self.rng), EVENT, [Event(self.rng.randint(-10**6, 0), "door")])
        elif chance < 0.08:
            self._emit(at, 0, DEATH, [])
        elif chance < 0.10:
            self.seq += self.rng.choice([1, 3, 70, 150])
        else:
            self._data(at)

    def _reboot(self, at, born):
        """A new life starts with its births, and the aliases mean other signals then."""
        self.boot = max(self.boot + 1, at // S)
        self.seq = self.rng.choice([0, 0, 40])
        self.rng.shuffle(self.signals)
        if born:
            self._births(at, 0)
        if self.rng.random() < 0.5:  # somebody else's boots, before it and far beyond it
            self._emit(at, 0, DEATH, [], boot=self.boot - 1)
            self._emit(at, 0, DEATH, [], boot=at // S + self.fleet.config.max_skew_s + 100)

    def _births(self, at, delay):
        births = [Birth(i * 3, s.name, s.counter, "kW") for i, s in enumerate(self.signals)]
        self._emit(at, delay, BIRTH, births, certain=delay == 0)

    def _data(self, at):
        rng, config = self.rng, self.fleet.config
        body, taken = [], set()
        for _ in range(rng.randint(1, 8)):
            i = rng.randrange(len(self.signals))
            if self.signals[i].counter and i in taken:
                continue
            taken.add(i)
            body.append(self._record(i))
        chance = rng.random()
        counters = any(self.signals[i].counter for i in taken)
        grid = rng.choice([1, 1000, 1_000_000, S] + ([] if counters else [config.window_s * S]))
        time = at - at % grid
        if chance < 0.03:
            time -= (config.windows_open + 1) * config.window_s * S
        elif chance < 0.05:
            time += (config.max_skew_s + config.window_s) * S
        elif chance < 0.12 and not counters:
            time += rng.choice([-1, 1]) * config.window_s * S
        self._emit(at, delay_of(rng), DATA, body, time=time)

    def _record(self, i):
        rng, signal = self.rng, self.signals[i]
        alias = i * 3 if rng.random() < 0.97 else rng.choice([i * 3 + 1, 1023, 1024, 65535])
        quality = rng.choice([GOOD] * 20 + [UNCERTAIN, BAD])
        value = self.values.next(signal)
        if rng.random() < 0.02:
            value = rng.choice([math.nan, math.inf, -math.inf])
        offset = 0 if signal.counter else rng.choice([0, rng.randint(-300_000, 0)])
        return Data(alias, offset, value, quality)

    def _emit(self, at, delay, kind, body, time=None, boot=None, certain=False):
        rng = self.rng
        if boot is None:
            self.seq += 1
        etd = Etd(self.site.id, boot or self.boot, max(self.seq, 1), at if time is None else time,
                  kind, self.stream, body, backfill=rng.random() < 0.02)
        packet = Packet(at, etd, self.address, no_checksum=rng.random() < 0.05)
        if not certain and rng.random() < self.lossy:
            return
        if not certain and rng.random() < 0.01:
            spoilt = copy.deepcopy(packet)
            spoilt.payload.damage = rng.choice(
                oracle.DAMAGES if kind == DATA and body else oracle.DAMAGES[:10])
            self.fleet.send(at + delay, spoilt)
            return
        self.fleet.send(at + delay, packet)
        if rng.random() < 0.05:  # the same by another way, soon or very late
            late = rng.choice([1, S // 100, S, 100 * S])
            if at + delay + late < self.fleet.end:
                self.fleet.send(at + delay + late, copy.deepcopy(packet))


class LineSender:
    """A site that sends the line protocol, named by tag or by its address."""

    def __init__(self, fleet, site, counters):
        self.fleet, self.site, self.rng = fleet, site, fleet.rng
        self.values = Values(self.rng)
        names = [s for s in fleet.signals if s.name.startswith("m.")]
        self.signals = [s for s in names if counters or not s.counter]
        self.sent = set()

    def play(self):
        rng, fleet = self.rng, self.fleet
        at = fleet.begin + rng.randrange(3 * S)
        while at < fleet.end - 8 * S:
            at = fleet.after_gap(at + rng.randrange(S // 2, 2 * S))
            lines = [self._line(at) for _ in range(rng.randint(1, 4))]
            clean = copy.deepcopy([line for line in lines if line.stamp is not None])
            if rng.random() < 0.1:
                lines.insert(rng.randint(0, len(lines)), Line(malformed=rng.choice(
                    ["nonsense", "m f=", "m,site=n-0 f=1 soon", "m f=1.2.3", ",a=b f=1"])))
            if rng.random() < 0.1:
                lines.append(Line("m", "nobody", [("gauge_0", 1.0)]))
            self._emit(at + delay_of(rng), lines)
            if clean and rng.random() < 0.15:  # again, within line_window or behind it
                if rng.random() < 0.5:
                    clean.insert(rng.randint(0, len(clean)), self._line(at))
                self._emit(at + rng.choice([2 * S + 1, 7 * S]), clean)

    def _emit(self, at, lines):
        rng = self.rng
        payload = Influx(lines, crlf=rng.random() < 0.2, comment=rng.random() < 0.2)
        self.fleet.send(at, Packet(at, payload, rng.choice(self.site.addresses)))

    def _line(self, at):
        rng = self.rng
        chosen = rng.sample(self.signals, rng.randint(1, min(4, len(self.signals))))
        fields = [(signal.name[2:], self._value(signal)) for signal in chosen]
        stamp = self._stamp(at, any(s.counter for s in chosen))
        return Line("m", self.site.name if rng.random() < 0.7 else None, fields, stamp,
                    unsigned=rng.random() < 0.5)

    def _stamp(self, at, counter):
        """Each is another one: two lines are the same only where one is sent again."""
        rng, config = self.rng, self.fleet.config
        chance = rng.random()
        if chance < 0.1 and not counter:
            return None
        if chance < 0.13:
            at -= (config.windows_open + 2) * config.window_s * S
        elif chance < 0.16:
            at += (config.max_skew_s + config.window_s + 30) * S
        stamp = at // config.precision_ns
        while stamp in self.sent:
            stamp += 1
        self.sent.add(stamp)
        return stamp

    def _value(self, signal):
        rng = self.rng
        chance = rng.random()
        if chance < 0.03:
            return rng.choice(["on", "a \"quoted\", text", ""])
        value = self.values.next(signal)
        if signal.counter or abs(value) > 1e300:
            return value
        return int(value) if chance < 0.2 else rng.random() < 0.5 if chance < 0.22 else value


# ---------------------------------------------------------------- comparison


def tolerance_of(path, expected, parent):
    """Absolute, for where a number is the small difference of larger ones."""
    key = path[-1]
    if key in ("health", "capped", "score", "contribution"):
        return RELATIVE
    if key in ("mean", "stddev") and isinstance(parent, dict):
        sizes = [abs(parent[k]) for k in ("min", "max") if parent.get(k) is not None]
        return 1e-12 * max(sizes, default=0)
    return 0


def difference(got, expected, path=(), parent=None):
    """The first one as text, or None."""
    where = ".".join(map(str, path)) or "document"
    if isinstance(expected, float) and isinstance(got, (int, float)) and not isinstance(got, bool):
        near = math.isclose(got, expected, rel_tol=RELATIVE,
                            abs_tol=tolerance_of(path, expected, parent))
        return None if near else "%s: got %r, want %r" % (where, got, expected)
    if isinstance(expected, dict) and isinstance(got, dict):
        if list(got) != list(expected):
            return "%s: keys got %s, want %s" % (where, list(got), list(expected))
        pairs = [(key, got[key], expected[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(got, list):
        if len(got) != len(expected):
            return "%s: got %d items, want %d" % (where, len(got), len(expected))
        pairs = [(i, g, e) for i, (g, e) in enumerate(zip(got, expected))]
    else:
        same = type(got) is type(expected) and got == expected
        return None if same else "%s: got %r, want %r" % (where, got, expected)
    for key, one, other in pairs:
        found = difference(one, other, path + (key,), expected)
        if found:
            return found
    return None


# What the oracle has no opinion on; the unit tests of these do.
UNJUDGED = ("unmapped", "clock_offset", "skewed", "learned")


def uncounted(scope):
    """What the KPIs and the vital cap cost is what is missing to 100."""
    if scope["health"] is None:
        return None
    costs = [kpi["contribution"] for kpi in scope["kpis"].values() if kpi["contribution"] is not None]
    missing = 100 - scope["health"] - scope["capped"] - math.fsum(costs)
    return None if abs(missing) <= RELATIVE else "%s: %g points of nobody's" % (scope["name"], missing)


def compare(documents, windows, ledger):
    """The ledger first: where it differs, the rest follows from it."""
    if not documents or "ledger" not in documents[-1]:
        return "no ledger in the last line"
    end = {"ledger": ledger, "incidents": []}
    found = difference(documents[-1], end)
    if found:
        return found
    starts = [document["window"]["start"] for document in documents[:-1]]
    expected = [document["window"]["start"] for document in windows]
    if starts != expected:
        return "windows: got %s, want %s" % (starts, expected)
    for document, window in zip(documents, windows):
        for scope in [document["fleet"]] + document["regions"] + document["sites"]:
            found = uncounted(scope)
            if found:
                return "window %d: %s" % (window["window"]["start"], found)
        document["sites"] = [{key: value for key, value in site.items() if key not in UNJUDGED}
                             for site in document["sites"]]
        found = difference(document, window)
        if found:
            return "window %d: %s" % (window["window"]["start"], found)
    return None


def play(binary, seed, folder):
    """None, or what differs."""
    fleet = Fleet(seed)
    config, capture = (os.path.join(folder, name) for name in ("fleet.yaml", "fleet.pcap"))
    with open(config, "w") as out:
        out.write(oracle.config_yaml(fleet.config))
    oracle.write_pcap(capture, fleet.sent, fleet.config, fleet.nanoseconds)
    windows, ledger = Model(fleet.config).run(fleet.sent)
    if binary is None:
        return None
    done = subprocess.run([binary, "replay", "--config", config, capture], capture_output=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-2000:])
    try:
        documents = [json.loads(line) for line in done.stdout.decode().splitlines()]
    except ValueError as error:
        return "not NDJSON: %s" % error
    return compare(documents, windows, ledger)


def main(arguments):
    binary = arguments[0]
    count = int(arguments[1]) if len(arguments) > 1 else 50
    first = int(arguments[2]) if len(arguments) > 2 else 1
    keep = arguments[3] if len(arguments) > 3 else None
    failed = 0
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as scratch:
            folder = scratch
            if keep is not None:
                folder = os.path.join(keep, str(seed))
                os.makedirs(folder, exist_ok=True)
            found = play(binary, seed, folder)
        if found:
            failed += 1
            print("fleet of seed %d: %s" % (seed, found), flush=True)
        elif keep is not None:
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    print("%d passed, %d failed" % (count - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
