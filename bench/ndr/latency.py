# SPDX-License-Identifier: Apache-2.0
"""From wire to published block: ndr-latency at shares of the rate that was found."""
import appliance as appliances
import generators

PRIME_PPS = 20000
SHARES = ("min", "p50", "p90", "p99", "p99.9", "max")
COLUMNS = (("arrival_us", "sent to received"), ("publication_us", "publishing"), ("block_us", "sent to published"))


def trial(probed, generator, before, load, pps, seconds):
    """before: the last answer, after which nothing was under way."""
    row = generator.send(pps, max(int(pps * seconds), 1))
    after = probed.take(before["received"] + row["sent"])
    row.update(trial="latency", load=load, pps=pps, offered_pps=row["offered"] / row["seconds"])
    for name in ("received", "accepted"):
        row[name] = after[name] - before[name]
    row["after"] = after
    for name in ("epoch_ms", "waiting", "datagrams", "unmeasured", "before_sent", "probe_cycles", "mbufs_in_use",
                 *(name for name, _ in COLUMNS)):
        row[name] = after[name]
    row["lossless"] = row["offered"] == row["sent"] == row["received"] == row["accepted"]
    return row


def faults_of(row):
    found = []
    if not row["sent"] == row["received"] == row["accepted"]:
        found.append(f"{row['sent']} sent, {row['received']} received, {row['accepted']} accepted")
    for name in ("unmeasured", "waiting", "before_sent", "mbufs_in_use"):
        if row[name] != 0:
            found.append(f"{name} {row[name]}")
    if row["block_us"]["count"] != row["received"]:
        found.append(f"{row['block_us']['count']} measured of {row['received']}")
    return [f"latency at {row['load']}%, epoch {row['epoch_ms']:.0f} ms: {fault}" for fault in found]


def run_epoch(arguments, material, places, devices, found, epoch_ms):
    near, far = devices
    config = material.write_config(appliances.eal(places, arguments.huge, near))
    probed, generator, rows, faults = appliances.Probed(arguments.build, config, material.path("said"), epoch_ms), None, [], []
    try:
        probed.wait()
        generator = generators.Own(arguments, material, places, far, config)
        generator.wait()
        primed = generator.send(PRIME_PPS, max(2 << arguments.ring, 4 * material.workload.sites))
        before = probed.take(primed["sent"])
        for load in arguments.loads:
            rows.append(trial(probed, generator, before, load, max(found * load // 100, 1), arguments.latency_seconds))
            before = rows[-1].pop("after")
            faults += faults_of(rows[-1])
    finally:
        faults += [generator.stop()] if generator else []
        faults += [probed.stop()]
    return rows, faults


def measure(arguments, material, places, devices, found):
    rows, faults = [], []
    for epoch_ms in arguments.epochs:
        more, wrong = run_epoch(arguments, material, places, devices, found, epoch_ms)
        rows += more
        faults += wrong
    return rows, faults


def cell(value):
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def show(rows):
    print(f"\nlatency, us    {'load':>5} {'pps':>9} {'lost':>8} {'epoch ms':>8}  " + " ".join(f"{share:>9}" for share in SHARES))
    for name, title in COLUMNS:
        for row in rows:
            times = row[name]
            told = " ".join(f"{cell(times[share]) if times['count'] else '-':>9}" for share in SHARES)
            print(f"{title:18} {row['load']:>3}% {row['pps']:>7} {row['offered'] - row['accepted']:>8} {row['epoch_ms']:>8.0f}  {told}")
