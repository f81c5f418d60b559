#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""not_good.py LEDGER.json SITES.json: the names of the sites that are not good. Exit code 1 when the ledger does
not balance or nothing was accepted."""
import json
import sys


def main(ledger_path, sites_path):
    with open(ledger_path) as ledger_file, open(sites_path) as sites_file:
        ledger, sites = json.load(ledger_file), json.load(sites_file)["sites"]
    datagrams = ledger["datagrams"]
    total = sum(count for name, count in datagrams.items() if name != "received")
    if not ledger["balanced"] or datagrams["received"] != total + ledger["in_flight"]:
        print("the ledger does not balance: %s" % ledger, file=sys.stderr)
        return 1
    if datagrams["accepted"] == 0:
        print("no datagram was accepted: %s" % ledger, file=sys.stderr)
        return 1
    print(" ".join(site["name"] for site in sites if site["status"] != "good"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
