#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pktgen-DPDK's reading beside the ledger of an appliance that runs already: see bench/pktgen/README.md."""
import argparse
import os
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", "ndr"), os.path.join(HERE, "..", "pipeline")]
import appliance  # noqa: E402
import generators  # noqa: E402

SETTLE_S = 5  # a path may have lost what never comes
STATE = ("in_flight", "mbufs")


def pair(text):
    try:
        rate, count = (int(each) for each in text.split(":"))
    except ValueError:
        rate = count = 0
    if rate < 1 or count < 1:
        raise argparse.ArgumentTypeError(f'got "{text}", want RATE:COUNT, datagrams a second and datagrams')
    return rate, count


def parse():
    parser = argparse.ArgumentParser(prog="PKTGEN=/path/to/pktgen bench/pktgen/beside.py", description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:8080", help="the appliance's (%(default)s)")
    parser.add_argument("--capture", required=True, help="one of bench/pktgen/capture.py")
    parser.add_argument("--trial", dest="trials", type=pair, action="append", required=True, metavar="RATE:COUNT",
                        help="again and again for more")
    parser.add_argument("eal", nargs="+", help="DPDK's arguments for Pktgen's lcores 0 and 1 and its port, after --")
    arguments = parser.parse_args()
    pktgen = os.environ.get("PKTGEN", "")
    if not os.access(pktgen, os.X_OK) or os.path.isdir(pktgen):
        parser.error(f'PKTGEN: got "{pktgen}", want the binary of a Pktgen-DPDK built with Lua')
    return arguments


def trial(api, pktgen, rate, count):
    """What moved, and what is wrong with it."""
    before = appliance.read_ledger(api)
    row = pktgen.send(rate, count)
    after = appliance.settled_ledger(api, before, row["sent"], before["mbufs"], SETTLE_S)
    moved = {name: after[name] - before[name] for name in after if name not in STATE}
    lost = row["sent"] - (appliance.arrived(after) - appliance.arrived(before))
    told = ", ".join(f"{name} {number}" for name, number in moved.items() if number and name != "received")
    print(f"asked {rate}/s, sent {row['sent']} in {row['seconds']:.2f} s ({row['sent'] / row['seconds']:.0f}/s); "
          f"received {moved['received']}: {told or 'nothing'}; lost unseen {lost}; {after['mbufs']} mbufs out", flush=True)
    if after["mbufs"] != before["mbufs"]:
        return [f"{after['mbufs']} mbufs out, {before['mbufs']} before"]
    return [] if lost == 0 else [f"{lost} are in nobody's count: others send too, or the path between lost them"]


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    faults = []
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        pktgen = generators.Pktgen(arguments.capture, os.path.join(folder, "log"), arguments.eal)
        try:
            pktgen.wait()
            for rate, count in arguments.trials:
                faults += trial(arguments.api, pktgen, rate, count)
        finally:
            faults += [each for each in [pktgen.stop()] if each]
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
