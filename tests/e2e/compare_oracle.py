# SPDX-License-Identifier: Apache-2.0
"""Long fleets of many peers through `estream-fleetd replay`, compared with the oracle.

    compare_oracle.py BUILD/estream-fleetd [FLEETS [SEED]]

Where replay_oracle.py's fleets are short and small, these are some days of some dozens of sites in windows of
up to an hour, so that peers are many, rounds come and go, and baselines are known: sites that go astray for a
while, whole fleets that do, sites that fall silent, values that never vary, and KPIs of both.
"""

import collections
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import oracle
from oracle import BIRTH, DATA, S, Birth, Config, Data, Etd, Kpi, Model, Packet, Region, Site
from replay_oracle import compare

START_S = 1_767_571_200 - 5 * 3600  # a Sunday evening


def make_config(rng):
    sites = []
    for i in range(rng.choice([6, 8, 12, 20, 35, 60])):
        labels = {"vendor": rng.choice(["acme", "zenith", "orion"])} if rng.random() < 0.9 else {}
        sites.append(Site(i + 1, "%s-%d" % (rng.choice("nns"), i), 1.0, ["10.9.1.%d" % (i + 1)], labels))
    sites[0].labels["vendor"] = "acme"
    kpis = [Kpi("level", weight=1, good=(0, None), warn=(-10, None), crit=(-20, None), compare=True,
                min_effect=rng.choice([0, 0, 2.5])),
            Kpi("even", weight=0, compare=True), Kpi("apart", weight=0)]
    baseline = rng.choice(["day", "day", "week", "none"])
    return Config(
        sites=sites, kpis=kpis, regions=[Region("north", match="n-*")],
        window_s=3600 if baseline == "week" else rng.choice([900, 1800, 3600]),
        windows_open=1, max_skew_s=0, threshold=rng.choice([2, 3.5]),
        calibrate=rng.choice(["none", "fleetwise"]), peers=rng.choice(["region", "fleet", "label:vendor"]),
        min_peers=rng.choice([3, 5, 8]), rounds=rng.choice([(3, 5), (2, 3), (1, 1), (4, 6), (2, 6)]),
        baseline=baseline)


class Story:
    """What one site's signals do: a daily wave, some noise, and spells of something else."""

    def __init__(self, rng, windows):
        self.rng, self.base = rng, rng.gauss(50, 2)
        self.spells = [self._spell(windows) for _ in range(rng.choice([0, 0, 1, 2]))]

    def _spell(self, windows):
        first = self.rng.randrange(windows)
        kind = self.rng.choice(["shift", "shift", "silent", "stuck"])
        return first, first + self.rng.randint(1, 30), kind, self.rng.choice([-40, -8, 12, 90])

    def values(self, window, hour, everyone):
        level = self.base + 10 * math.sin(hour * math.pi / 12) + everyone + self.rng.gauss(0, 1)
        even = 7.0
        for first, end, kind, by in self.spells:
            if not first <= window < end:
                continue
            if kind == "silent":
                return None
            level = self.base + by if kind == "stuck" else level + by
            even += by / 4
        return level, even, level * 2


def make_packets(rng, config):
    windows = (16 if config.baseline == "week" else 5) * 86400 // config.window_s
    begin = START_S - START_S % config.window_s
    stories = [Story(rng, windows) for _ in config.sites]
    shock = rng.randrange(windows), rng.choice([0, 25])
    packets, seq = [], 1
    births = [Birth(i, kpi.name) for i, kpi in enumerate(config.kpis)]
    for site in config.sites:
        packets.append(Packet(begin * S, Etd(site.id, begin, 1, begin * S, BIRTH, 0, births)))
    for window in range(windows):
        seq += 1
        for site, story in zip(config.sites, stories):
            at = (begin + window * config.window_s + site.id) * S
            everyone = shock[1] if shock[0] <= window < shock[0] + 8 else 0
            values = story.values(window, at // S / 3600 % 24, everyone)
            if values is None and site.id != 1:
                continue
            body = [Data(i, 0, value) for i, value in enumerate(values or (50.0, 7.0, 1.0))]
            packets.append(Packet(at, Etd(site.id, begin, seq, at, DATA, 0, body)))
    return packets


def play(binary, seed, folder, seen):
    """None, or what differs."""
    rng = random.Random(seed)
    config = make_config(rng)
    packets = make_packets(rng, config)
    paths = [os.path.join(folder, name) for name in ("fleet.yaml", "fleet.pcap")]
    with open(paths[0], "w") as out:
        out.write(oracle.config_yaml(config))
    oracle.write_pcap(paths[1], packets, config, True)
    windows, ledger = Model(config).run(packets)
    done = subprocess.run([binary, "replay", "--config", *paths], capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-2000:])
    for window in windows:
        for site in window["sites"]:
            for kpi in site["kpis"].values():
                seen[kpi["odd"]] += 1
                seen["known"] += kpi["usual"] is not None
    return compare([json.loads(line) for line in done.stdout.decode().splitlines()], windows, ledger)


def main(arguments):
    binary = arguments[0]
    count = int(arguments[1]) if len(arguments) > 1 else 10
    first = int(arguments[2]) if len(arguments) > 2 else 1
    failed, seen = 0, collections.Counter()
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            found = play(binary, seed, folder, seen)
        if found:
            failed += 1
            print("fleet of seed %d: %s" % (seed, found), flush=True)
    print("odd rows: %s" % ", ".join("%s %d" % item for item in seen.items() if item[0] is not None))
    if count >= 10 and not all(seen[odd] for odd in ("peers", "itself", "both")):
        failed += 1
        print("not every way to be odd occurred")
    print("%d passed, %d failed" % (count - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
