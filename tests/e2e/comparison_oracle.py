# SPDX-License-Identifier: Apache-2.0
"""CONTRACT 4.6 again, in Python, from the contract alone: peers, modified Z, rounds; and the baselines of
control/fleet/baseline.h, from what that file says."""

import math
import statistics
import struct
from fractions import Fraction

FLEETWISE = [(5, 18.7), (6, 9.9), (8, 8.0), (10, 6.9), (16, 5.6), (20, 5.3), (30, 4.8), (50, 4.5),
             (100, 4.35)]
HOUR_NS = 3600 * 10**9
SLOTS = {"none": 0, "day": 24, "week": 168}


def fleetwise(count):
    for (low, at_low), (high, at_high) in zip(FLEETWISE, FLEETWISE[1:]):
        if low <= count <= high:
            return at_low + (at_high - at_low) * (count - low) / (high - low)
    return FLEETWISE[0][1] if count < 5 else FLEETWISE[-1][1]


class Group:
    """The values of one KPI among peers; all of it exact until it is printed."""

    def __init__(self, values):
        exact = [Fraction(value) for value in values]
        self.count = len(values)
        self.median = statistics.median(exact)
        distances = [abs(value - self.median) for value in exact]
        self.mad = statistics.median(distances)
        self.mean_ad = sum(distances) / len(distances)

    def score(self, x):
        distance = Fraction(x) - self.median
        if self.mad > 0:
            return Fraction("0.6745") * distance / self.mad
        if self.mean_ad > 0:
            return distance / (Fraction("1.253314") * self.mean_ad)
        return Fraction(0)


class Rounds:
    """The last rounds of one site and KPI, and whether they make it odd."""

    def __init__(self):
        self.last, self.odd = [], False

    def add(self, far, need, of):
        self.last = (self.last + [far])[-of:]
        far_count = sum(self.last)
        if far_count >= need:
            self.odd = True
        elif of - far_count >= need:
            self.odd = False


class Cell:
    """What is usual in one hour of the day or week."""

    def __init__(self):
        self.level = self.spread = 0.0
        self.count = self.visits = self.doubts = 0
        self.hour, self.within = None, True

    def visit(self, hour):
        if hour == self.hour:
            return
        self.doubts = 0 if self.within else self.doubts + 1
        if self.doubts == 3:
            self.__init__()
        self.hour, self.within = hour, False
        self.visits += 1

    def learn(self, x, most):
        if self.count == 0:
            self.level = x
        distance = x - self.level
        reach = 4 * self.spread if self.count >= 4 and self.spread > 0 else math.inf
        self.within = self.within or abs(distance) <= reach
        distance = max(-reach, min(reach, distance))
        self.count = min(self.count + 1, most)
        self.level += distance / self.count
        spread = self.spread + (abs(distance) - self.spread) / self.count
        self.spread = struct.unpack("<f", struct.pack("<f", spread))[0]


class Baseline:
    """Of one site and KPI."""

    def __init__(self, slots, window_ns):
        self.slots, self.most = slots, 8 * -(-HOUR_NS // window_ns)
        self.cells, self.hour, self.usual = {}, None, None

    def enter(self, start):
        """An hour is judged by what was known when it began."""
        hour = start // HOUR_NS
        if hour == self.hour:
            return
        self.hour = hour
        self.cell = self.cells.setdefault((hour + 72) % self.slots, Cell())
        known = self.cell.visits >= 2
        self.usual = (self.cell.level, self.cell.spread) if known else None

    def learn(self, x):
        self.cell.visit(self.hour)
        self.cell.learn(x, self.most)

    def score(self, x):
        level, spread = self.usual
        return (x - level) / (1.253314 * spread) if spread > 0 else 0.0


class Comparison:
    """Follows the closed windows of a fleet."""

    def __init__(self, config):
        self.config = config
        self.rounds = {}  # (site, KPI, "peers" or "itself")
        self.baselines = {}

    def _group_of(self, site):
        peers = self.config.peers
        if peers == "region":
            return self.config.region_of(site)
        return "fleet" if peers == "fleet" else site.labels.get(peers.partition(":")[2])

    @staticmethod
    def _counts(values):
        """Excluded time is nobody's, and who was only heard has said nothing."""
        return values["mean"] if values["excluded"] is None and not values["heard"] else None

    def window(self, start, kpis_of):
        """kpis_of: [(site, {KPI: values})]; adds to values what comparison says."""
        for kpi in self.config.kpis:
            groups = {}
            for site, kpis in kpis_of:
                x = self._counts(kpis[kpi.name])
                if kpi.compare and x is not None and self._group_of(site) is not None:
                    groups.setdefault(self._group_of(site), []).append(x)
            groups = {name: Group(values) for name, values in groups.items()}
            for site, kpis in kpis_of:
                values = kpis[kpi.name]
                values.update(dict.fromkeys(("z", "median", "peers", "usual", "self_z", "odd")), outlier=False)
                if kpi.compare:
                    group = groups.get(self._group_of(site)) if self._counts(values) is not None else None
                    self._judge(site, kpi, values, group, start)

    def _judge(self, site, kpi, values, group, start):
        config, x = self.config, self._counts(values)
        far = False
        if group is not None:
            values["peers"] = group.count
        if group is not None and group.count >= config.min_peers:
            score = group.score(x)
            limit = fleetwise(group.count) if config.calibrate == "fleetwise" else config.threshold
            values.update(z=float(score), median=float(group.median))
            far = abs(score) > limit and abs(Fraction(x) - group.median) >= kpi.min_effect
        outlier = self._follow(site, kpi, "peers", far)
        itself = self._follow(site, kpi, "itself", self._is_new(site, kpi, values, start))
        values["outlier"] = outlier
        values["odd"] = "both" if outlier and itself else "peers" if outlier else "itself" if itself else None

    def _is_new(self, site, kpi, values, start):
        slots, x = SLOTS[self.config.baseline], self._counts(values)
        if slots == 0:
            return False
        baseline = self.baselines.setdefault((site.name, kpi.name),
                                             Baseline(slots, self.config.window_s * 10**9))
        baseline.enter(start)
        if x is None:
            return False
        far = False
        if baseline.usual is not None:
            values.update(usual=baseline.usual[0], self_z=baseline.score(x))
            far = (abs(values["self_z"]) > self.config.threshold
                   and abs(x - values["usual"]) >= kpi.min_effect)
        baseline.learn(x)
        return far

    def _follow(self, site, kpi, against, far):
        rounds = self.rounds.setdefault((site.name, kpi.name, against), Rounds())
        rounds.add(far, *self.config.rounds)
        return rounds.odd
