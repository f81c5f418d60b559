#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""show_replay.py FILE: what `estream-fleetd replay` printed, as a table; a line a window."""
import datetime
import json
import sys


def number(value):
    return "-" if value is None else "%.1f" % value


def show_window(document):
    start = datetime.datetime.fromtimestamp(document["window"]["start"] / 1e9, datetime.timezone.utc)
    cells = ["%s %5s" % (region["name"], number(region["health"])) for region in document["regions"]]
    bad = ["%s %s (%s)" % (site["name"], site["status"], number(site["health"]))
           for site in document["sites"] if site["status"] != "good"]
    print("%s  fleet %5s  %s  %s" % (start.strftime("%H:%M:%S"), number(document["fleet"]["health"]),
                                     "  ".join(cells), ", ".join(bad)))


def main(path):
    with open(path) as lines:
        documents = [json.loads(line) for line in lines]
    for document in documents[:-1]:
        show_window(document)
    ledger = documents[-1]["ledger"]
    print("%d datagrams received, %d accepted; %d records accepted; ledger %s" % (
        ledger["datagrams"]["received"], ledger["datagrams"]["accepted"], ledger["records"]["accepted"],
        "balanced" if ledger["balanced"] else "NOT balanced"))
    return 0 if ledger["balanced"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
