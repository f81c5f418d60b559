#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The highest offered rate without loss, and how long datagrams take: see bench/ndr/README.md. bench/ndr.sh calls it."""
import argparse
import dataclasses
import json
import os
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", "pipeline"), os.path.join(HERE, "..", "pktgen")]
import appliance as appliances  # noqa: E402
import capture as captures  # noqa: E402
import generators  # noqa: E402
import latency  # noqa: E402
import links  # noqa: E402
import workloads  # noqa: E402

TRIALS_MAX = 16         # of the search
STEPS_DOWN = (3, 3, 6, 12, 25, 50, 50)  # per cent, after each last, long trial that lost something
CLOSE = 1.02            # the search ends where loss and no loss are so near
PRIME_PPS = 20000       # for the births, and until each page of the ring was touched
STAMPED = ("etd1", "etd8", "etd84")     # what ndr-generator can make new
PLAYED = STAMPED + ("statsd20", "syslog100")
NOTE = "no NIC: {link} between two processes; {places}; {pages}"
HEADER = (f"{'trial':8} {'asked pps':>9} {'offered pps':>11} {'seconds':>8} {'offered':>11} {'refused':>9} {'received':>11} "
          f"{'accepted':>11} {'duplicate':>11}")


def judge(row, repeats):
    """Whether all that was offered is in the ledger; a capture played again is all duplicates there, and by that name."""
    row["taken"] = row["accepted"] + (row["duplicate"] if repeats else 0)
    row["lossless"] = row["offered"] == row["sent"] == row["received"] == row["taken"]
    row["held"] = row["offered_pps"] > 0.99 * row["pps"]
    return row


def good(row):
    """Nothing lost, and offered as fast as asked."""
    return row["lossless"] and row["held"]


def verdict(row):
    return "no loss" if good(row) else "loss" if not row["lossless"] else "too slow"


class Run:
    """An appliance and a generator, both started, and what was asked of them."""

    def __init__(self, arguments, material, appliance, generator):
        self.arguments, self.appliance, self.generator = arguments, appliance, generator
        self.material = material
        self.idle = None  # mbufs that the port keeps when nothing comes

    def trial(self, what, pps, count):
        before = appliances.read_ledger(self.appliance.api)
        self.idle = before["mbufs"] if self.idle is None else self.idle
        row = self.generator.send(pps, max(int(count), 1))
        after = appliances.settled_ledger(self.appliance.api, before, row["sent"], self.idle)
        row.update(trial=what, pps=pps, offered_pps=row["offered"] / row["seconds"])
        for name in ("received", "accepted", "duplicate", "missed"):
            row[name] = after[name] - before[name]
        judge(row, self.generator.repeats)
        self.show(row)
        if after["mbufs"] != self.idle:
            sys.exit(f"{what}: {after['mbufs']} mbufs out, {self.idle} before")
        if row["sent"] != row["received"] + row["missed"] or row["received"] != row["taken"]:
            sys.exit(f"{what}: what the port took is not all in the ledger as it should be: {row}")
        return row

    def show(self, row):
        if not self.arguments.json:
            print(f"{row['trial']:8} {row['pps']:>9} {row['offered_pps']:>11.0f} {row['seconds']:>8.2f} {row['offered']:>11} "
                  f"{row['refused']:>9} {row['received']:>11} {row['accepted']:>11} {row['duplicate']:>11}  {verdict(row)}",
                  flush=True)

    def prime(self):
        """Births and one round, or, of what repeats, each datagram once, all of which has to be accepted."""
        if not self.generator.repeats:
            self.trial("births", PRIME_PPS, max(2 << self.arguments.ring, 4 * self.material.workload.sites))
            return
        row = self.trial("once", PRIME_PPS, self.material.played)
        if row["accepted"] != row["offered"]:
            sys.exit(f"not each datagram was accepted the first time: {row}")


def search(run):
    """The rows; the last is the result."""
    arguments = run.arguments
    low, high, pps, rows = 0, None, arguments.max_pps, []
    while len(rows) < TRIALS_MAX and (high is None or high > CLOSE * max(low, 1)):
        rows.append(run.trial("search", pps, pps * arguments.trial_seconds))
        if good(rows[-1]):
            low = pps
            if pps == arguments.max_pps:
                break
        else:
            high = pps
        pps = (low + high) // 2
    if low == 0:
        return rows
    rows.append(run.trial("final", low, low * arguments.seconds))
    for step in STEPS_DOWN:
        if good(rows[-1]):
            break
        low = max(low * (100 - step) // 100, 1)
        rows.append(run.trial("final", low, low * arguments.seconds))
    return rows


def steps(run):
    """The rates that were named, one after the other."""
    return [run.trial("step", pps, pps * run.arguments.trial_seconds) for pps in run.arguments.rates]


def make_material(arguments, folder, http):
    workload = next(each for each in workloads.WORKLOADS if each.name == arguments.workload)
    workload = dataclasses.replace(workload, config={**workload.config, "http": {"listen": f"127.0.0.1:{http}"}})
    material = workloads.Material(workload, arguments.build, folder)
    if arguments.pktgen:
        material.played = captures.convert(material.path(f"{workload.format}.pcap"), material.path("played.pcap"))
    return material


def start_generator(arguments, material, places, devices, config):
    if arguments.pktgen:
        return generators.Pktgen(material.path("played.pcap"), material.path("pktgen.log"),
                                 generators.pktgen_eal(arguments, places, devices))
    return generators.Own(arguments, material, places, devices, config)


def measure(arguments, folder):
    http = appliances.free_tcp_port()
    places = links.Places()
    near, far = links.LINKS[arguments.link](folder, arguments.ring)
    material = make_material(arguments, folder, http)
    config = material.write_config(appliances.eal(places, arguments.huge, near))
    appliance, generator, faults = appliances.Appliance(arguments.build, config, material.path("said"), http), None, []
    try:
        appliance.wait()
        generator = start_generator(arguments, material, places, far, config)
        generator.wait()
        run = Run(arguments, material, appliance, generator)
        run.prime()
        rows = steps(run) if arguments.rates else search(run)
    finally:
        faults += [generator.stop()] if generator else []
        faults += [appliance.stop()]
    found = rows[-1]["pps"] if good(rows[-1]) and rows[-1]["trial"] == "final" else None
    whole, times = rows[-1]["pps"] if arguments.rates else found, []
    if whole and arguments.latency_seconds > 0 and not arguments.pktgen:
        times, more = latency.measure(arguments, material, places, (near, far), whole)
        faults += more
    return rows, found, times, [fault for fault in faults if fault]


def numbers(text):
    try:
        found = [int(each) for each in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise argparse.ArgumentTypeError(f'got "{text}", want numbers above 0 with commas between')
    return found


def parse():
    parser = argparse.ArgumentParser(prog="bench/ndr.sh", description=__doc__.splitlines()[0],
                                     epilog="PKTGEN= names a Pktgen-DPDK that is the generator then")
    parser.add_argument("--build", default="build", help="folder of the binaries")
    parser.add_argument("--workload", default="etd8", help=" ".join(PLAYED) + "; the last two with PKTGEN only")
    parser.add_argument("--link", choices=links.LINKS, help="memif (default), vhost (PKTGEN's default) or af_packet")
    parser.add_argument("--ring", type=int, default=14, choices=range(8, 15), metavar="8..14",
                        help="log2 of the ring between the two; vhost: 10 at most")
    parser.add_argument("--trial-seconds", type=float, default=3, help="of each trial of the search")
    parser.add_argument("--seconds", type=float, default=60, help="of the final trial")
    parser.add_argument("--max-pps", type=int, default=8000000, help="where the search begins")
    parser.add_argument("--rates", type=numbers, help="no search: a trial at each of these rates; the last is the whole load then")
    parser.add_argument("--latency-seconds", type=float, default=5, help="of each trial for latency; 0: none")
    parser.add_argument("--loads", type=numbers, default=[10, 50, 90], help="per cent of the rate found, for latency")
    parser.add_argument("--epochs", type=numbers, default=[1000, 10], help="ms between publications")
    parser.add_argument("--favour", action="store_true", help="before the machine's other work, as root")
    parser.add_argument("--no-huge", dest="huge", action="store_false", help="on ordinary pages")
    parser.add_argument("--json", action="store_true", help="all trials as a JSON object")
    arguments = parser.parse_args()
    arguments.pktgen = os.environ.get("PKTGEN")
    arguments.link = arguments.link or ("vhost" if arguments.pktgen else "memif")
    names = PLAYED if arguments.pktgen else STAMPED
    if arguments.workload not in names:
        parser.error(f'--workload: got "{arguments.workload}", want one of {" ".join(names)}')
    if arguments.pktgen and arguments.link == "memif":
        parser.error('--link: got "memif", want vhost or af_packet: Pktgen asks net_memif for an MTU, which it refuses')
    return arguments


def tell(arguments, rows, found, times):
    if arguments.json:
        print(json.dumps({"link": arguments.link, "workload": arguments.workload, "ring": arguments.ring, "hugepages": arguments.huge,
                          "favoured": arguments.favour, "ndr_pps": found, "trials": rows,
                          "latency": times}, indent=2))
    elif found:
        print(f"NDR {arguments.workload}: {found} datagrams a second for {rows[-1]['seconds']:.1f} s, none lost")
    if times and not arguments.json:
        latency.show(times)


def favour():
    """Priority over what else runs here. Where the kernel groups processes by session, nice counts within the group only."""
    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("-20")


def main():
    arguments = parse()
    if arguments.favour:
        favour()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not arguments.json:
        pages = "hugepages" if arguments.huge else "ordinary pages"
        print(NOTE.format(link=arguments.link, places=links.Places().tell(), pages=pages + ", favoured" * arguments.favour))
        print(HEADER)
    with tempfile.TemporaryDirectory(prefix="ndr-") as folder:
        rows, found, times, faults = measure(arguments, folder)
    tell(arguments, rows, found, times)
    if not arguments.rates and not found:
        faults.append("no rate without loss was found")
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
