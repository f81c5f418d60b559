#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api.py BUILD: every endpoint's shape, every refusal, the metrics, DPDK's telemetry socket and fleetctl, against an
appliance whose port replays a capture. Needs neither hugepages nor a network of its own; ends within a minute."""
import http.client
import json
import math
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

from appliance import NO_HUGE, Appliance, balances
from checks import Checks

TIME_LIMIT_S = 58
CAPTURE_S = 45
COLUMNS = 100
HEARD = 18              # sites in the capture; the configuration has three more
ODD = 'ä"c&%41'       # a name that has to be escaped everywhere
LONG = "a-site-with-a-name-of-sixty-characters-" + "x" * 21
SILENT = "south-9"      # speaks for two seconds only
FAILING = "north-3"

SCENARIO = """\
sites: {count: %d, name: "{region}-{n}", regions: [north, south]}
interval: 100ms
kpis:
  - {name: thermal_margin, base: 60, unit: degC}
  - {name: availability, base: 0.995}
  - {name: output_ratio, base: 0.98}
  - {name: efficiency, base: 0.95}
  - {name: fault_rate, base: 0.25}
faults:
  - {sites: %s, kpi: thermal_margin, kind: step, to_value: 3}
  - {sites: south-2, kind: duplicate, probability: 0.5}
  - {sites: %s, kind: dropout, from: 2s}
""" % (HEARD, FAILING, SILENT)

CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 47700, format: etd}
  - {udp: 5514, format: syslog}
signatures:
  - {match: "(?i)ground fault", code: ground_fault, severity: 2, state: raise}
  - {match: "fault", code: other_fault}
rollup: {window: 1s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
maintenance:
%s
regions:
  - {name: north, match: 'north-*'}
  - {name: south, match: 'south-*'}
sites:
%s
"""

PUMP = "  - {scope: site:north-2, from: 2020-01-31T09:00:00+01:00, to: 2100-01-31T08:00:00Z, why: a new pump}\n"
LATER = "  - {scope: fleet, from: 2099-01-31T08:00:00.5Z, to: 2099-01-31T09:00:00Z, why: \"a \u00fc \u2192 b\"}\n"
LINES = "  - {scope: region:north, from: 2020-01-31T08:00:00Z, to: 2100-01-31T08:00:00Z, why: new lines}\n"
OVER = "  - {scope: 'label:note=\u00fc', from: 2019-01-31T08:00:00Z, to: 2019-01-31T09:00:00Z, why: over long ago}\n"
ETD_DATAGRAM_VERDICTS = {"accepted", "no_listener", "malformed", "unknown_site", "stale", "duplicate"}
RECORD_VERDICTS = {"accepted", "unmapped", "late", "future", "bad", "uncertain", "out_of_range", "not_finite"}


# Shapes: a dict has exactly these keys; a set, one of these values; a list of one, any number of such.
class Maybe:
    """Null, or the shape."""
    def __init__(self, shape):
        self.shape = shape


class Named:
    """An object of any names with values of one shape."""
    def __init__(self, shape):
        self.shape = shape


INT, REAL, BOOL, TEXT = "integer", "number", "boolean", "text"
STATUS = {"good", "degraded", "bad", "unknown"}
WINDOW = {"start": INT, "end": INT, "closed": BOOL}
SCOPE_KPI = {"mean": Maybe(REAL), "stddev": Maybe(REAL), "min": Maybe(REAL), "max": Maybe(REAL), "p50": Maybe(REAL),
             "p95": Maybe(REAL), "sites": INT, "samples": INT, "score": Maybe(REAL), "contribution": Maybe(REAL)}
SCOPE = {"name": TEXT, "health": Maybe(REAL), "capped": Maybe(REAL), "status": STATUS, "coverage": REAL,
         "sites": dict.fromkeys(("total", "reporting", "good", "degraded", "bad", "unknown"), INT),
         "maintenance": INT, "kpis": Named(SCOPE_KPI)}
MAINTENANCE = {"scope": TEXT, "from": INT, "to": INT, "why": TEXT}
WINDOWS = {"time": INT, "config_revision": INT, "counts": dict.fromkeys(("past", "active", "future"), INT), "sites": INT,
           "windows": [{**MAINTENANCE, "state": {"past", "active", "future"}, "sites": INT}]}
SITE_KPI = {"mean": Maybe(REAL), "stddev": Maybe(REAL), "min": Maybe(REAL), "max": Maybe(REAL), "samples": INT,
            "good": INT, "refused": INT, "score": Maybe(REAL), "contribution": Maybe(REAL), "derived": BOOL, "heard": BOOL,
            "excluded": Maybe(TEXT), "z": Maybe(REAL),
            "median": Maybe(REAL), "outlier": BOOL, "peers": Maybe(INT), "usual": Maybe(REAL), "self_z": Maybe(REAL),
            "odd": Maybe(TEXT)}
SITE = {"id": INT, "name": TEXT, "region": TEXT, "weight": REAL, "health": Maybe(REAL), "capped": Maybe(REAL), "status": STATUS,
        "coverage": REAL, "last_seen": Maybe(INT), "silent": BOOL, "storm": BOOL, "mode": TEXT,
        "maintenance": Maybe(MAINTENANCE),
        "lost": INT, "duplicates": INT, "unmapped": INT,
        "shed": dict.fromkeys(("etd", "influx", "statsd"), INT),
        "clock_offset": Maybe(INT), "skewed": BOOL, "learned": BOOL,
        "kpis": Named(SITE_KPI), "labels": Named(TEXT)}
ODDLY = {**SITE_KPI, "site": TEXT, "region": TEXT, "maintenance": Maybe(MAINTENANCE)}
OUTLIERS = {"time": INT, "window": WINDOW, "total": INT, "suppressed": INT,
            "kpis": Named(dict.fromkeys(("peers", "itself", "both"), INT)), "outliers": [{**ODDLY, "kpi": TEXT}]}
RANKED = {"site": TEXT, "region": TEXT, "maintenance": Maybe(MAINTENANCE), "health": Maybe(REAL), "status": STATUS, "coverage": REAL}
RANKED_KPI = {**SITE_KPI, **RANKED}
RANKING = {"time": INT, "window": WINDOW, "by": TEXT, "unit": Maybe(TEXT), "ranked": INT, "unranked": INT}
INTERVAL_KPI = {"mean": Maybe(REAL), "stddev": Maybe(REAL), "min": Maybe(REAL), "max": Maybe(REAL), "samples": INT,
                "windows": INT, "score": Maybe(REAL)}
INTERVALS = {"scope": TEXT, "intervals": [{"interval": TEXT, "start": INT, "end": INT, "final": BOOL, "revision": INT,
                                           "windows": INT, "windows_total": INT, "maintenance": INT, "kpis": Named(INTERVAL_KPI)}]}
EXPLAINED = {"units": Named(TEXT), "weights": Named(REAL)}
PLACED = {"time": INT, "window": WINDOW, **EXPLAINED}
STORM = {"active": BOOL, "sites": [TEXT], "fleet": BOOL}
FLEET = {"time": INT, "config_revision": INT, "window": WINDOW, "storm": STORM,
         "fleet": SCOPE, "regions": [SCOPE], **EXPLAINED}
SUMS = {"datagrams": Named(INT), "records": Named(INT), "in_flight": INT, "balanced": BOOL}
SITE_LEDGER = {**SUMS, "gap": INT}
RESTART = {"snapshot_time": INT, "restarted_at": INT, "gap": INT, "gap_latest": INT, "sites": INT, "streams": INT,
           "windows": INT, "dropped": {"sites": INT, "parts": INT}}
SNAPSHOT = {"file": TEXT, "well": BOOL, "error": Maybe(TEXT), "time": Maybe(INT), "bytes": INT, "duration_us": INT,
            "written": INT, "failures": INT, "refused": INT, "exact": BOOL}
LOST = dict.fromkeys(("missed", "no_buffer", "errors"), INT)
QUEUE = {"errors": Maybe(INT), **dict.fromkeys(("queue", "lcore", "packets", "polls", "bursts", "full_bursts", "unbuffered",
                                                "unsent"), INT)}
LEDGER = {**SUMS, "restart": Maybe(RESTART), "snapshot": Maybe(SNAPSHOT), "nic": {**LOST, "ports": [{**LOST, "port": INT, "name": TEXT, "queues": [QUEUE]}]},
          "mbufs": dict.fromkeys(("total", "free", "in_use"), INT),
          "rings": [dict.fromkeys(("from", "to", "capacity", "high_water", "refused"), INT)],
          "mempools": [{"name": TEXT, **dict.fromkeys(("size", "free", "low_water", "failed"), INT)}]}
NODES = ("inbox", "receive", "process", "answer", "hand_over", "publish")
PIPELINE = {"time": INT, "hz": INT, "idle": {"policy": {"auto", "poll", "yield", "sleep"}, "max_sleep_us": INT},
            "lcores": [{"lcore": INT, "receive_only": BOOL, "queues": INT,
                        "cycles": dict.fromkeys(("total", "busy", "idle", "asleep"), INT),
                        "passes": dict.fromkeys(("total", "busy"), INT), "sleeps": INT,
                        "bursts": {"packets": INT, "count": INT, "full": INT, "fill": Maybe(REAL)},
                        "recent": Maybe({"seconds": REAL, "busy": REAL, "asleep": REAL, "items_per_s": REAL,
                                         "packets_per_s": REAL, "cycles_per_item": Maybe(REAL), "fill": Maybe(REAL)}),
                        "nodes": [{"node": set(NODES), **dict.fromkeys(("in", "out", "cycles"), INT)}]}]}
EVENT = {"time": INT, "site": TEXT, "code": Maybe(TEXT), "severity": INT, "state": {"message", "raise", "clear"},
         "source": {"etd", "syslog"}, "suppressed": BOOL, "text": TEXT}
EVENTS = {"time": INT, "dropped": INT, "matched": {"ground_fault": INT, "other_fault": INT},
          "unmatched": dict.fromkeys("01234567", INT), "events": [EVENT]}
# What syslog tells: the message, and what is made of it (None: it is only counted).
MESSAGES = (
    ("<14>1 %s north-1 app - - - Ground fault on string 4", ("north-1", "ground_fault", 2, "raise")),
    ("<13>1 %s north-1 app - - - pump fault", ("north-1", "other_fault", 5, "message")),
    ("<14>1 %s north-2 app - - - all is well", None),
    ("<12>1 %s north-2 app - - - caf\u00e9 \u001b[31m is warm " + "x" * 200, ("north-2", None, 4, "message")))
HEALTHZ = {"status": {"ok"}, "time": INT, "age_ms": INT, "config_revision": INT, "started": INT}


def mismatch(value, shape, where="document"):
    """What is wrong with the value, or None."""
    if isinstance(shape, Maybe):
        return None if value is None else mismatch(value, shape.shape, where)
    if isinstance(shape, (dict, Named)):
        if not isinstance(value, dict):
            return "%s: got %r, want an object" % (where, value)
        if isinstance(shape, dict) and set(shape) != set(value):
            return "%s: keys differ: %s" % (where, sorted(set(shape) ^ set(value)))
        parts = [(key, shape[key] if isinstance(shape, dict) else shape.shape) for key in value]
        wrong = [mismatch(value[key], part, "%s.%s" % (where, key)) for key, part in parts]
    elif isinstance(shape, list):
        if not isinstance(value, list):
            return "%s: got %r, want a list" % (where, value)
        wrong = [mismatch(each, shape[0], "%s[%d]" % (where, i)) for i, each in enumerate(value)]
    else:
        if isinstance(shape, set):
            right = value in shape
        elif shape == REAL:
            right = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        else:
            right = type(value) is {INT: int, BOOL: bool, TEXT: str}[shape]
        return None if right else "%s: got %r, want %s" % (where, value, shape)
    return next(filter(None, wrong), None)


class Api:
    def __init__(self, port):
        self.port = port

    def ask(self, path, method="GET", host=None, body=None):
        """The status, the headers and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.putrequest(method, path, skip_host=host is not None)
            if host:
                connection.putheader("Host", host)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.ask("/api/v1/" + path)
        if status != 200:
            raise RuntimeError("GET %s: %d %s" % (path, status, body))
        return json.loads(body)


def check_shape(checks, api, path, shape):
    status, headers, body = api.ask(path)
    checks.equal("%s is answered" % path, status, 200)
    checks.equal("%s is JSON" % path, headers.get("Content-Type"), "application/json")
    document = json.loads(body)
    wrong = mismatch(document, shape)
    checks.that("%s has its shape" % path, wrong is None, wrong)
    return document


def check_start(checks, api, fleetctl):
    """Before the first window has closed."""
    for _ in range(40):
        if api.ask("/api/v1/fleet?window=open")[0] == 200:
            break
        time.sleep(0.05)
    status, _, body = api.ask("/api/v1/fleet")
    if status != 503:
        checks.skip("no window has closed yet", "one already has")
        return
    checks.that("503 says how to get the provisional window", b"?window=open" in body, body)
    code, out, _ = fleetctl("status")
    checks.that("fleetctl falls back to the provisional window", code == 0 and "provisional" in out, out)


def wait_for_data(api, labels):
    """Until all is read, and a window has closed in which the silent site was missing."""
    for _ in range(150):
        status, _, body = api.ask("/api/v1/fleet")
        if status == 200:
            site = api.get("sites/" + SILENT)
            if api.get("ledger")["datagrams"]["received"] < labels["totals"]["datagrams"]:
                pass
            elif site["silent"] and json.loads(body)["fleet"]["sites"]["reporting"] == HEARD - 1:
                return
        time.sleep(0.1)
    raise RuntimeError("no window with all sites: %s" % body)


def check_scopes(checks, api):
    fleet = check_shape(checks, api, "/api/v1/fleet", FLEET)
    checks.that("the window is the closed one", fleet["window"]["closed"])
    checks.equal("nobody storms", fleet["storm"], {"active": False, "sites": [], "fleet": False})
    checks.equal("a window is a second", fleet["window"]["end"] - fleet["window"]["start"], 10**9)
    now = time.time() * 1e9
    checks.that("time is now, in ns", 0 <= now - fleet["time"] < 5e9, fleet["time"])
    checks.equal("regions in their order", [r["name"] for r in fleet["regions"]], ["north", "south", "unassigned"])
    for scope in [fleet["fleet"], *fleet["regions"]]:
        sites = scope["sites"]
        checks.equal("%s: every site has one status" % scope["name"],
                     sum(sites[status] for status in STATUS), sites["total"])
        checks.equal("%s: KPIs have weights" % scope["name"], list(scope["kpis"]), list(fleet["weights"]))
    checks.equal("sites of the fleet", fleet["fleet"]["sites"]["total"], HEARD + 3)
    margin = fleet["regions"][0]["kpis"]["thermal_margin"]
    checks.near("north's mean", margin["mean"], (8 * 60 + 3) / 9)
    checks.equal("north's quantiles, least and most",
                 [margin[key] for key in ("p50", "p95", "min", "max")], [60.0, 60.0, 3.0, 60.0])
    checks.equal("north's samples", (margin["sites"], margin["samples"]), (9, 90))
    checks.equal("nobody is in region unassigned's data", fleet["regions"][2]["health"], None)
    opened = check_shape(checks, api, "/api/v1/fleet?window=open", FLEET)
    checks.that("the provisional window is open", not opened["window"]["closed"])
    checks.that("and later", opened["window"]["start"] > fleet["window"]["start"])
    check_shape(checks, api, "/api/v1/fleet?window=closed", FLEET)
    regions = check_shape(checks, api, "/api/v1/regions", {"regions": [SCOPE], **PLACED})
    checks.equal("as many regions", len(regions["regions"]), 3)
    for name in ("north", "unassigned"):
        region = check_shape(checks, api, "/api/v1/regions/" + name, {**SCOPE, **PLACED})
        checks.equal("a region has its name", region["name"], name)


def names_of(api, query):
    return [site["name"] for site in api.get("sites" + query)["sites"]]


def check_sites(checks, api):
    listing = {"time": INT, "window": WINDOW, "total": INT, "sites": [SITE], **EXPLAINED}
    all_sites = check_shape(checks, api, "/api/v1/sites", listing)
    ids = [site["id"] for site in all_sites["sites"]]
    checks.equal("all sites, by id", ids, list(range(1, HEARD + 4)))
    checks.equal("and their count", all_sites["total"], HEARD + 3)
    by_health = api.get("sites?sort=health")["sites"]
    checks.equal("by health the unknown ones come first",
                 [site["status"] for site in by_health[:5]], ["unknown"] * 4 + ["good"])
    checks.equal("then the worst", by_health[4]["name"], FAILING)
    known = [site["health"] for site in by_health[4:]]
    checks.equal("worst first", known, sorted(known))
    checks.equal("by name", names_of(api, "?sort=name"), sorted(names_of(api, ""), key=lambda name: name.encode()))
    checks.equal("by status", set(names_of(api, "?status=unknown")), {SILENT, ODD, LONG, "never"})
    checks.equal("by region", names_of(api, "?region=south"), ["south-%d" % i for i in range(1, 10)])
    checks.equal("by both", names_of(api, "?region=south&status=unknown"), [SILENT])
    checks.equal("a part", names_of(api, "?limit=2&offset=4"), [FAILING, "south-3"])
    part = api.get("sites?limit=2&offset=20")
    checks.equal("the last part, of all", (len(part["sites"]), part["total"]), (1, HEARD + 3))


def check_site(checks, api, labels):
    whole = {**SITE, **PLACED}
    failing = check_shape(checks, api, "/api/v1/sites/" + FAILING, whole)
    checks.that("the fault costs points", failing["kpis"]["thermal_margin"]["contribution"] > 5, failing["kpis"])
    checks.equal("and is its mean", failing["kpis"]["thermal_margin"]["mean"], 3.0)
    margin = failing["kpis"]["thermal_margin"]
    checks.equal("far from its region's others it is an outlier",
                 (margin["outlier"], margin["odd"], margin["peers"]), (True, "peers", 9))
    checks.that("below them", margin["z"] < -3.5 and margin["median"] > 50, margin)
    checks.equal("and on nothing else", [name for name, kpi in failing["kpis"].items() if kpi["outlier"]],
                 ["thermal_margin"])
    odd = check_shape(checks, api, "/api/v1/sites/" + quote(ODD, safe=""), whole)
    checks.equal("a name of odd characters", odd["name"], ODD)
    checks.equal("its labels", odd["labels"], {"vendor": 'A "B"', "note": "ü"})
    checks.equal("its weight", odd["weight"], 2.5)
    checks.equal("never heard of", (odd["last_seen"], odd["silent"], odd["health"]), (None, True, None))
    doubled = api.get("sites/south-2")
    sent = next(site for site in labels["sites"] if site["name"] == "south-2")
    checks.equal("duplicates are counted", doubled["duplicates"], sent["duplicates"])


def check_comparison(checks, api):
    outliers = check_shape(checks, api, "/api/v1/outliers", OUTLIERS)
    checks.equal("one is odd, on one KPI", [(row["site"], row["kpi"], row["odd"]) for row in outliers["outliers"]],
                 [(FAILING, "thermal_margin", "peers")])
    checks.equal("it is counted", (outliers["total"], outliers["kpis"]["thermal_margin"]),
                 (1, {"peers": 1, "itself": 0, "both": 0}))
    for query, want in (("region=north", 1), ("region=south", 0), ("kpi=thermal_margin&odd=peers", 1),
                        ("kpi=efficiency", 0), ("odd=itself", 0), ("odd=both", 0), ("limit=1", 1), ("window=open", 1)):
        checks.equal("outliers?" + query, api.get("outliers?" + query)["total"], want)
    for site in ("north-1", "north-2"):
        check_shape(checks, api, "/api/v1/intervals?scope=site:" + site, INTERVALS)
    ranking = check_shape(checks, api, "/api/v1/ranking", {**RANKING, "best": [RANKED], "worst": [RANKED]})
    checks.equal("by health: %d are known" % (HEARD - 1), (ranking["by"], ranking["unit"], ranking["ranked"],
                                                         ranking["unranked"]), ("health", None, HEARD - 1, 4))
    checks.equal("the worst", ranking["worst"][0]["site"], FAILING)
    checks.that("best first", ranking["best"][0]["health"] >= ranking["best"][-1]["health"] > ranking["worst"][0]["health"])
    path = "/api/v1/ranking?by=thermal_margin&limit=3&region=north"
    ranking = check_shape(checks, api, path, {**RANKING, "best": [RANKED_KPI], "worst": [RANKED_KPI]})
    checks.equal("by a KPI", (ranking["by"], ranking["unit"], len(ranking["best"]), ranking["ranked"]),
                 ("thermal_margin", "degC", 3, 9))
    checks.equal("its worst", (ranking["worst"][0]["site"], ranking["worst"][0]["mean"]), (FAILING, 3.0))
    checks.that("is none of its best", FAILING not in [row["site"] for row in ranking["best"]], ranking["best"])


def check_ledger(checks, api, labels):
    ledger = check_shape(checks, api, "/api/v1/ledger", LEDGER)
    totals = labels["totals"]
    checks.that("the ledger balances", balances(ledger), ledger)
    checks.that("the contract's verdicts", ETD_DATAGRAM_VERDICTS <= set(ledger["datagrams"]) and
                RECORD_VERDICTS <= set(ledger["records"]), ledger)
    checks.equal("received is what was sent", ledger["datagrams"]["received"], totals["datagrams"])
    checks.equal("accepted is what was sent once", ledger["datagrams"]["accepted"],
                 totals["datagrams"] - totals["duplicates"])
    checks.equal("the rest is duplicates", ledger["datagrams"]["duplicate"], totals["duplicates"])
    checks.equal("accepted records", ledger["records"]["accepted"],
                 totals["records"] - totals["duplicate_records"])
    checks.equal("buffers add up", ledger["mbufs"]["free"] + ledger["mbufs"]["in_use"], ledger["mbufs"]["total"])
    queues = [queue for port in ledger["nic"]["ports"] for queue in port["queues"]]
    checks.equal("the queues received it", sum(queue["packets"] for queue in queues), totals["datagrams"])
    checks.that("bursts are polls, and full ones are bursts",
                all(q["full_bursts"] <= q["bursts"] <= q["polls"] and q["bursts"] <= q["packets"] for q in queues), queues)
    checks.equal("pools are the buffers", sum(pool["size"] for pool in ledger["mempools"]), ledger["mbufs"]["total"])
    checks.that("the low water mark is the lowest",
                all(pool["low_water"] <= pool["free"] <= pool["size"] for pool in ledger["mempools"]), ledger["mempools"])
    of_site = check_shape(checks, api, "/api/v1/ledger?site=south-2", SITE_LEDGER)
    sent = next(site for site in labels["sites"] if site["name"] == "south-2")
    checks.equal("a site's ledger", (of_site["datagrams"]["received"], of_site["datagrams"]["duplicate"],
                                     of_site["balanced"]), (sent["datagrams"], sent["duplicates"], True))


def check_pipeline(checks, api, fleetctl):
    """One lcore, no hand-over, and all there was has been received: the sums are known to the unit."""
    ledger = api.get("ledger")["datagrams"]
    pipeline = check_shape(checks, api, "/api/v1/pipeline", PIPELINE)
    lcore, = pipeline["lcores"]
    nodes, cycles = {node["node"]: node for node in lcore["nodes"]}, lcore["cycles"]
    checks.equal("every node, in order", tuple(nodes), NODES)
    checks.that("no node has more out than in", all(n["out"] <= n["in"] for n in nodes.values()), nodes)
    checks.equal("receive's in and out", (nodes["receive"]["in"], nodes["receive"]["out"]), (ledger["received"],) * 2)
    checks.equal("process' in and out", (nodes["process"]["in"], nodes["process"]["out"]),
                 (ledger["received"], ledger["accepted"]))
    checks.equal("nobody handed over", [nodes[name]["in"] for name in ("inbox", "hand_over", "answer")], [0, 0, 0])
    checks.that("something was published", nodes["publish"]["in"] > 0, nodes["publish"])
    checks.equal("the queue's packets", lcore["bursts"]["packets"], ledger["received"])
    open_s = (cycles["total"] - cycles["busy"] - cycles["idle"]) / pipeline["hz"]
    checks.that("busy and idle cycles are all but those of the pass under way", 0 <= open_s < 0.5, cycles)
    checks.that("nodes' cycles are the busy ones",
                abs(sum(n["cycles"] for n in nodes.values()) - cycles["busy"]) <= 0.02 * cycles["busy"], (nodes, cycles))
    checks.that("asleep is idle", cycles["asleep"] <= cycles["idle"] and
                (lcore["sleeps"] > 0 or cycles["asleep"] == 0), lcore)
    checks.that("most passes found nothing", 0 < lcore["passes"]["busy"] < lcore["passes"]["total"] / 2, lcore["passes"])
    checks.that("and the last seconds were idle", lcore["recent"] and 0 <= lcore["recent"]["busy"] < 0.5, lcore["recent"])
    checks.equal("one lcore", [each["lcore"] for each in api.get("pipeline?lcore=%d" % lcore["lcore"])["lcores"]],
                 [lcore["lcore"]])
    deadline = time.monotonic() + 10
    later = lcore
    while later["passes"]["total"] == lcore["passes"]["total"] and time.monotonic() < deadline:
        later = api.get("pipeline")["lcores"][0]
    checks.that("cycles and passes go on", later["cycles"]["total"] > cycles["total"] and
                later["passes"]["total"] > lcore["passes"]["total"], later)
    shown = fleetctl("pipeline")[1]
    checks.that("fleetctl shows the nodes", all(name in shown for name in ("receive", "process", "publish")) and
                "{:,}".format(ledger["received"]) in shown, shown)


def check_events(checks, api):
    events = check_shape(checks, api, "/api/v1/events", EVENTS)
    checks.equal("events by code", events["matched"], {"ground_fault": 1, "other_fault": 1})
    checks.equal("unmatched ones by severity", {k: v for k, v in events["unmatched"].items() if v}, {"4": 1, "6": 1})
    checks.equal("none dropped", events["dropped"], 0)
    want = [told for _, told in reversed(MESSAGES) if told]
    checks.equal("the newest first",
                 [(e["site"], e["code"], e["severity"], e["state"]) for e in events["events"]], want)
    checks.equal("those of a site in maintenance are marked", [e["site"] for e in events["events"] if e["suppressed"]],
                 ["north-2"])
    checks.equal("from syslog", {e["source"] for e in events["events"]}, {"syslog"})
    checks.equal("their texts can be shown and are cut", events["events"][0]["text"],
                 ("caf\u00e9  [31m is warm " + "x" * 200).encode()[:200].decode())
    checks.equal("a whole text", events["events"][2]["text"], "Ground fault on string 4")
    checks.that("their times are their own", all(0 <= events["events"][0]["time"] - e["time"] < 10**9
                                                 for e in events["events"]), events["events"])
    for query, count in (("?site=north-1", 2), ("?site=south-1", 0), ("?code=ground_fault", 1), ("?limit=1", 1),
                         ("?site=north-2&code=ground_fault", 0)):
        checks.equal("events%s" % query, len(api.get("events" + query)["events"]), count)


def check_names(checks, api, fleetctl):
    name = {"name": TEXT, "kpi": Maybe(TEXT), "records": INT}
    names = check_shape(checks, api, "/api/v1/names", {"total": INT, "names": [name]})
    checks.that("a known name has its KPI", "thermal_margin" in [each["kpi"] for each in names["names"]], names)
    checks.equal("names are counted once", len({each["name"] for each in names["names"]}), names["total"])
    none = check_shape(checks, api, "/api/v1/sites/%s/unmapped" % FAILING,
                       {"site": TEXT, "records": INT, "more": INT, "signals": [name]})
    checks.equal("no unmapped signals", (none["site"], none["records"], none["signals"]), (FAILING, 0, []))
    code, out, errors = fleetctl("rule", "test", "(")
    checks.that("a pattern that does not compile", code == 2 and "parenthes" in errors, (code, out, errors))
    checks.equal("which names a rule would take",
                 json.loads(fleetctl("--json", "rule", "test", "^a[0-9]", "a1", "b1")[1])["names"],
                 [{"name": "a1", "taken": True}, {"name": "b1", "taken": False}])
    checks.that("which known names", "of %d known names" % names["total"] in fleetctl("rule", "test", "margin")[1])
    checks.equal("rule needs a pattern", fleetctl("rule", "test")[0], 2)


def check_refusals(checks, api):
    cases = (
        ("/api/v1/sites/nort-3/unmapped", 404, 'no site "nort-3", did you mean "north-3"?'),
        ("/api/v1/names?limit=0", 400, 'limit: got "0", want 1..10000'),
        ("/nowhere", 404, "no such path"),
        ("/api/v1/fleet/x", 404, "no such path"),
        ("/api/v1/sites/nort-3", 404, 'no site "nort-3", did you mean "north-3"?'),
        ("/api/v1/sites/zzzzzzzzz", 404, 'no site "zzzzzzzzz"'),
        ("/api/v1/regions/nroth", 404, 'no region "nroth", did you mean "north"?'),
        ("/api/v1/sites?region=x", 404, 'no region "x"'),
        ("/api/v1/ledger?site=south-99", 404, 'no site "south-99"'),
        ("/api/v1/events?site=nort-3", 404, 'no site "nort-3", did you mean "north-3"?'),
        ("/api/v1/events?code=x", 404, 'no signature has the code "x"'),
        ("/api/v1/events?code=groundfault", 404, 'did you mean "ground_fault"?'),
        ("/api/v1/events?limit=1025", 400, 'limit: got "1025", want 1..1024'),
        ("/api/v1/outliers?kpi=thermal_margn", 404, 'no KPI "thermal_margn", did you mean "thermal_margin"?'),
        ("/api/v1/outliers?region=x", 404, 'no region "x"'),
        ("/api/v1/outliers?odd=peer", 400, 'odd: got "peer", want peers, itself or both'),
        ("/api/v1/outliers?limit=1001", 400, 'limit: got "1001", want 1..1000'),
        ("/api/v1/outliers?sort=z", 400, "want one of: window region kpi odd limit maintenance"),
        ("/api/v1/outliers?maintenance=no", 400, 'maintenance: got "no", want without, with or only'),
        ("/api/v1/maintenance?state=now", 400, 'state: got "now", want past, active or future'),
        ("/api/v1/maintenance?window=open", 400, "want one of: state"),
        ("/api/v1/ranking?by=x", 404, 'no KPI "x"'),
        ("/api/v1/ranking?region=nroth", 404, 'no region "nroth", did you mean "north"?'),
        ("/api/v1/ranking?limit=0", 400, 'limit: got "0", want 1..1000'),
        ("/api/v1/sites?limit=x", 400, 'limit: got "x", want 1..10000'),
        ("/api/v1/sites?limit=10001", 400, 'limit: got "10001", want 1..10000'),
        ("/api/v1/sites?offset=-1", 400, 'offset: got "-1"'),
        ("/api/v1/sites?status=fine", 400, 'status: got "fine", want good, degraded, bad or unknown'),
        ("/api/v1/sites?sort=age", 400, 'sort: got "age", want health, name, id or coverage'),
        ("/api/v1/fleet?window=next", 400, 'window: got "next", want open or closed'),
        ("/api/v1/fleet?limit=3", 400, 'unknown parameter: got "limit", want one of: window'),
        ("/api/v1/sites?limit=3&limit=4", 400, "given twice"),
        ("/api/v1/sites/%zz", 400, "percent escape"),
        ("/api/v1/sites/a%00", 400, "percent escape"),
        ("/api/v1/sites/%ff", 400, "UTF-8"),
        ("/a" * 9, 414, "too many parts"),
        ("/" + "a" * 4000, 414, "too long"),
        ("/api/v1/incidents", 501, "not built yet"),
        ("/api/v1/incidents/7", 501, "not built yet"),
        ("/api/v1/history?scope=fleet&kpi=health", 404, "no history is kept: set history: {file: FILE}"),
        ("/api/v1/history/events", 404, "no history is kept"),
        ("/api/v1/intervals?scope=site:nroth-1", 404, 'no site "nroth-1"'),
        ("/api/v1/intervals?scope=fleets", 400, 'got "fleets", want fleet, region:NAME or site:NAME'),
        ("/api/v1/intervals?interval=7s", 404, 'interval: got "7s", want one of'),
        ("/api/v1/slots", 501, "not built yet"),
        ("/api/v1/pipeline?lcore=x", 400, 'lcore: got "x", want 0..127'),
        ("/api/v1/pipeline?lcore=128", 400, 'lcore: got "128", want 0..127'),
        ("/api/v1/pipeline?lcore=126", 404, "no data lcore 126"),
        ("/api/v1/pipeline?site=x", 400, "want one of: lcore"),
        ("/api/v1/stream", 501, "not built yet"),
    )
    for path, want, says in cases:
        check_refusal(checks, "GET %.40s" % path, api.ask(path), want, says)
    _, headers, body = api.ask("/nowhere")
    checks.that("an unknown path is told those there are", "/api/v1/fleet" in json.loads(body)["paths"])
    for method, path, want, says in (("POST", "/api/v1/fleet", 405, "want GET, HEAD"),
                                     ("DELETE", "/api/v1/sites/north-1", 405, "got DELETE"),
                                     ("GET", "/api/v1/reload", 405, "want POST"),
                                     ("POST", "/api/v1/reload?diff=2", 400, 'got "2", want 0 or 1'),
                                     ("POST", "/api/v1/reload?full=1", 400, "want one of: diff"),
                                     ("POST", "/api/v1/incidents/7/ack", 501, "not built yet")):
        answer = api.ask(path, method)
        check_refusal(checks, "%s %s" % (method, path), answer, want, says)
        checks.equal("%s %s: Allow stands with 405 only" % (method, path), "Allow" in answer[1], want == 405)
    check_refusal(checks, "a body", api.ask("/api/v1/fleet", "POST", body=b"x" * 100), 405, "want GET")


def check_refusal(checks, what, answer, want, says):
    status, headers, body = answer
    checks.equal("%s: status" % what, status, want)
    checks.equal("%s: JSON" % what, headers.get("Content-Type"), "application/json")
    try:
        text = json.loads(body)["error"]
    except (ValueError, KeyError):
        text = ""
    checks.that("%s: why" % what, says in text, body)


def check_transport(checks, api):
    for host, want in (("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:80", 200), ("LOCALHOST:80", 200),
                       ("evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.1:80.evil.example", 403)):
        status, _, body = api.ask("/api/v1/fleet", host=host)
        checks.equal("Host %s" % host, status, want)
        if want == 403:
            checks.that("and why", "DNS rebinding" in json.loads(body)["error"], body)
    status, headers, body = api.ask("/api/v1/fleet", "HEAD")
    checks.equal("HEAD has no body", (status, body), (200, b""))
    checks.that("but its length", int(headers["Content-Length"]) > 1000)
    checks.equal("nothing is cached", headers["Cache-Control"], "no-store")
    checks.equal("nor read across origins", headers.get("Access-Control-Allow-Origin"), None)
    checks.equal("a trailing slash means nothing", api.ask("/api/v1/fleet/")[0], 200)
    check_shape(checks, api, "/healthz", HEALTHZ)
    status, headers, body = api.ask("/")
    checks.that("the front page lists the paths", status == 200 and b"/api/v1/fleet" in body and
                headers["Content-Type"].startswith("text/html"))


def read_samples(text):
    """{series: value} of an exposition."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if line and not line.startswith("#")}


def check_comparison_metrics(checks, api, samples):
    """As the sites' documents say it, one by one."""
    sites = api.get("sites?limit=10000")["sites"]
    compared = {name for series in samples if series.startswith("estream_sites_unjudged{") for name in [series.split('"')[1]]}
    checks.that("KPIs are compared", "thermal_margin" in compared, compared)
    for kpi in compared:
        parts = [(site, site["kpis"][kpi]) for site in sites]
        checks.equal("sites without a verdict on %s" % kpi, samples['estream_sites_unjudged{kpi="%s"}' % kpi],
                     sum(part["z"] is None for _, part in parts))
        checks.equal("outliers on %s" % kpi, samples['estream_outliers{scope="fleet",name="fleet",kpi="%s"}' % kpi],
                     sum(part["outlier"] for _, part in parts))
        for region in {site["region"] for site, _ in parts}:
            here = [part for site, part in parts if site["region"] == region]
            checks.equal("outliers on %s in %s" % (kpi, region),
                         samples['estream_outliers{scope="region",name="%s",kpi="%s"}' % (region, kpi)],
                         sum(part["outlier"] for part in here))
            group = '{peers="%s",kpi="%s"}' % (region, kpi)
            values = [part["mean"] for part in here if part["mean"] is not None and part["excluded"] is None]
            checks.equal("peers on %s in %s" % (kpi, region), samples.get("estream_peers_with_data" + group), len(values))
            if values:
                median = statistics.median(values)
                checks.equal("their median", samples["estream_peers_median" + group], median)
                checks.near("their MAD", samples["estream_peers_mad" + group],
                            statistics.median(abs(value - median) for value in values))
    checks.that("rounds are counted", samples["estream_comparison_rounds_total"] > 0, samples)


def check_metrics(checks, api):
    status, headers, body = api.ask("/metrics")
    checks.equal("/metrics is answered", status, 200)
    checks.that("as Prometheus' text", headers["Content-Type"].startswith("text/plain; version=0.0.4"))
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if promtool:
        said = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=20, check=False)
        checks.equal("promtool is silent", (said.returncode, said.stdout + said.stderr), (0, b""))
    else:
        checks.skip("promtool check metrics", "promtool is not installed")
    samples = read_samples(body.decode())
    ledger = api.get("ledger")
    for kind in ("datagrams", "records"):
        for verdict, count in ledger[kind].items():
            if verdict != "received":
                checks.equal("metric %s %s" % (kind, verdict),
                             samples.get('estream_%s_total{verdict="%s"}' % (kind, verdict)), count)
        checks.equal("metric %s received" % kind, samples["estream_%s_received_total" % kind], ledger[kind]["received"])
    nodes = {name: value for name, value in samples.items() if name.startswith("estream_node_")}
    checks.equal("metrics of nodes", len(nodes), 3 * len(NODES))
    checks.equal("metrics of what was processed", [value for name, value in nodes.items() if 'node="process"' in name][:2],
                 [ledger["datagrams"]["received"], ledger["datagrams"]["accepted"]])
    checks.that("metrics of an lcore", sum(value for name, value in samples.items() if name.startswith(
        "estream_lcore_cycles_total")) > 0 and samples["estream_tsc_hertz"] > 0)
    checks.equal("metric of events", samples['estream_events_total{code="ground_fault"}'], 1)
    checks.equal("metric of suppressed events, none of them with a code",
                 [value for name, value in samples.items() if name.startswith("estream_events_suppressed_total{")], [0, 0])
    checks.equal("metric of unmatched events", samples['estream_events_unmatched_total{severity="6"}'], 1)
    checks.that("metric of skewed sites", "estream_sites_skewed" in samples)
    checks.that("what is published is of this run, and not of the future",
                samples["estream_start_time_seconds"] <= samples["estream_published_timestamp_seconds"] <= time.time() + 1,
                samples["estream_published_timestamp_seconds"])
    checks.equal("metrics of storms", [samples["estream_" + name] for name in ("storm_active", "sites_storming")] +
                 [samples['estream_shed_total{class="%s"}' % name] for name in ("etd", "influx", "statsd")], [0] * 5)
    checks.equal("metric of dropped events", samples["estream_events_dropped_total"], 0)
    checks.equal("metric of unknown sites", samples['estream_sites{status="unknown"}'], 4)
    checks.equal("every site is in full", samples['estream_sites_mode{mode="full"}'],
                 sum(count for name, count in samples.items() if name.startswith("estream_sites{")))
    odd = {name: value for name, value in samples.items() if name.startswith("estream_sites_odd{")}
    checks.equal("metrics of odd sites", [name for name, value in odd.items() if value],
                 ['estream_sites_odd{kpi="thermal_margin",against="peers"}'])
    check_comparison_metrics(checks, api, samples)
    checks.equal("metric of a KPI", samples['estream_kpi_mean{scope="region",name="south",kpi="thermal_margin"}'], 60)
    checks.that("a site's health", 0 < samples['estream_health{scope="site",name="%s"}' % FAILING] < 99)
    checks.that("an unknown health has no sample",
                'estream_health{scope="site",name="%s"}' % SILENT not in samples)
    checks.that("names are escaped", 'estream_coverage{scope="site",name="%s"}' % ODD.replace('"', '\\"') in samples)


def check_maintenance(checks, api, fleetctl, appliance):
    """One site's from the start; then, by a reload, that of the region in which a site is odd."""
    pump = {"scope": "site:north-2", "from": 1580457600 * 10**9, "to": 4105065600 * 10**9, "why": "a new pump"}
    known = check_shape(checks, api, "/api/v1/maintenance", WINDOWS)
    checks.equal("its windows, in their order", [(w["scope"], w["state"], w["sites"]) for w in known["windows"]],
                 [("site:north-2", "active", 1), ("fleet", "future", HEARD + 3)])
    checks.equal("one is active", (known["counts"], known["sites"]), ({"past": 0, "active": 1, "future": 1}, 1))
    checks.equal("the times are Unix ns", {key: known["windows"][0][key] for key in pump}, pump)
    checks.equal("with their fraction", known["windows"][1]["from"], 4073529600 * 10**9 + 5 * 10**8)
    checks.equal("by state", [w["scope"] for w in api.get("maintenance?state=future")["windows"]], ["fleet"])
    fleet = api.get("fleet")
    checks.equal("a scope has its number", [scope["maintenance"] for scope in [fleet["fleet"], *fleet["regions"]]],
                 [1, 1, 0, 0])
    site = api.get("sites/north-2")
    checks.equal("a site has its window", site["maintenance"], pump)
    checks.equal("others have none", api.get("sites/north-1")["maintenance"], None)
    checks.equal("what it is no time of", [name for name, kpi in site["kpis"].items() if kpi["excluded"] == "maintenance"],
                 ["availability", "output_ratio", "efficiency", "comms_quality", "performance_ratio"])
    checks.near("is shown all the same", site["kpis"]["availability"]["mean"], 0.995)
    checks.equal("and not scored", site["kpis"]["availability"]["score"], None)
    checks.equal("nor rolled up", fleet["regions"][0]["kpis"]["availability"]["sites"], 8)
    checks.equal("monitoring goes on", (site["status"], fleet["regions"][0]["kpis"]["thermal_margin"]["sites"]), ("good", 9))
    interval = api.get("intervals?scope=site:north-2&interval=1m")["intervals"][0]
    checks.that("an interval counts its windows in maintenance", 0 < interval["maintenance"] == interval["windows"],
                interval)
    checks.equal("without it there is nothing to pool", interval["kpis"]["availability"]["windows"], 0)
    checks.equal("of others none", api.get("intervals?scope=region:south&interval=1m")["intervals"][0]["maintenance"], 0)
    shown = fleetctl("status")[1]
    checks.that("fleetctl counts it", "; 1 in maintenance" in shown, shown)
    swap_maintenance(checks, api, appliance, LINES + OVER)
    outliers = check_shape(checks, api, "/api/v1/outliers", OUTLIERS)
    checks.equal("an odd site in maintenance is not listed", (outliers["total"], outliers["suppressed"]), (0, 1))
    checks.equal("nor counted", outliers["kpis"]["thermal_margin"], {"peers": 0, "itself": 0, "both": 0})
    for query, want in (("with", 1), ("only", 1), ("without", 0)):
        rows = api.get("outliers?maintenance=" + query)
        checks.equal("outliers with maintenance=" + query, (rows["total"], rows["suppressed"]), (want, 1 - want))
    rows = check_shape(checks, api, "/api/v1/outliers?maintenance=only", OUTLIERS)["outliers"]
    checks.equal("it says why", (rows[0]["site"], rows[0]["maintenance"]["why"]), (FAILING, "new lines"))
    checks.that("its document says as ever", api.get("sites/" + FAILING)["kpis"]["thermal_margin"]["outlier"])
    samples = read_samples(api.ask("/metrics")[2].decode())
    checks.equal("metrics of maintenance", [samples['estream_sites_maintenance{%s}' % labels] for labels in (
        'scope="fleet",name="fleet"', 'scope="region",name="north"', 'scope="region",name="south"',
        'scope="site",name="north-1"', 'scope="site",name="south-1"')], [9, 9, 0, 1, 0])
    checks.equal("and by status", [samples['estream_sites_maintenance_status{status="%s"}' % status]
                                   for status in ("good", "degraded", "bad", "unknown")],
                 [8, 1, 0, 0] if api.get("sites/" + FAILING)["status"] == "degraded" else [8, 0, 1, 0])
    checks.equal("no odd site to be alerted about",
                 [value for name, value in samples.items() if name.startswith("estream_sites_odd{") and value], [])
    checks.equal("but one suppressed", samples['estream_sites_odd_suppressed{kpi="thermal_margin"}'], 1)
    check_maintenance_shown(checks, api, fleetctl)


def swap_maintenance(checks, api, appliance, windows):
    path = os.path.join(appliance.folder.name, "fleet.yaml")
    with open(path) as file:
        text = file.read()
    for broken, says in ((LINES + LINES, "overlaps maintenance[0]"), (LINES.replace("north", "nroth"), "nroth")):
        with open(path, "w") as out:
            out.write(text.replace(PUMP + LATER, broken))
        check_refusal(checks, "a reload with a fault", api.ask("/api/v1/reload", "POST"), 422, "nothing changed")
        checks.that("says it and changes nothing", api.get("maintenance")["config_revision"] == 1 and
                    says in api.ask("/api/v1/reload", "POST")[2].decode())
    with open(path, "w") as out:
        out.write(text.replace(PUMP + LATER, windows))
    status, _, body = api.ask("/api/v1/reload?diff=1", "POST")
    values = json.loads(body)["differences"]["values"]["list"]
    checks.equal("what would change", (status, [(v["name"], v["was"], v["becomes"]) for v in values][:1]),
                 (200, [("maintenance.label:note=\u00fc from 2019-01-31T08:00:00Z", None,
                         "to 2019-01-31T09:00:00Z, why over long ago")]))
    checks.equal("in all", len(values), 4)
    checks.equal("a reload", json.loads(api.ask("/api/v1/reload", "POST")[2])["changed"], ["maintenance"])
    for _ in range(60):
        if api.get("fleet")["config_revision"] == 2:
            return
        time.sleep(0.1)
    raise RuntimeError("no window of the new configuration closed")


def check_maintenance_shown(checks, api, fleetctl):
    shown = {}
    for words in (["maintenance"], ["maintenance", "--all"], ["outliers"], ["outliers", "--all"], ["status"], ["sites"],
                  ["regions"], ["site", FAILING], ["ranking"], ["ranking", "--by", "thermal_margin"], ["events"],
                  ["top", "--once"]):
        what = "fleetctl " + " ".join(words)
        code, out, errors = fleetctl(*words)
        checks.equal(what + " during maintenance", (code, errors), (0, ""))
        check_tables(checks, what, out)
        shown[" ".join(words)] = out
    checks.that("the active window", "9 sites in maintenance" in shown["maintenance"] and
                "new lines" in shown["maintenance"] and "1 past ones; --all" in shown["maintenance"], shown["maintenance"])
    checks.that("the past one too", "over long ago" in shown["maintenance --all"], shown["maintenance --all"])
    checks.that("outliers say what they leave out", "1 more of sites in maintenance; --all" in shown["outliers"] and
                FAILING not in shown["outliers"], shown["outliers"])
    checks.that("and show it if asked", FAILING in shown["outliers --all"] and "maint" in shown["outliers --all"],
                shown["outliers --all"])
    checks.that("status counts, and tells of no odd one", "; 9 in maintenance" in shown["status"] and
                "odd: " not in shown["status"], shown["status"])
    checks.that("sites are marked", "maint; thermal_mar" in shown["sites"], shown["sites"])
    checks.that("a site says why and until when", "maintenance: new lines\n  of region:north, 2020-01-31 08:00:00 .. "
                "2100-01-31 08:00:00 UTC" in shown["site " + FAILING], shown["site " + FAILING])
    checks.that("ranks and events are marked", "maint" in shown["ranking"] and "maint" in shown["events"])
    code, out, _ = fleetctl("--json", "maintenance")
    checks.equal("fleetctl --json maintenance", (code, set(json.loads(out))), (0, set(api.get("maintenance"))))


def ask_telemetry(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5)
        client.connect(path)
        greeting = json.loads(client.recv(1024))
        client.send(command.encode())
        return json.loads(client.recv(greeting["max_output_len"]))


def telemetry_socket(prefix):
    runtime = "/var/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "/tmp")
    return os.path.join(runtime, "dpdk", prefix, "dpdk_telemetry.v2")


def by_position(value):
    """As the socket carries it: a list of objects is an object of theirs."""
    if isinstance(value, list):
        value = {str(i): each for i, each in enumerate(value)}
    return {key: by_position(each) for key, each in value.items()} if isinstance(value, dict) else value


def without_polls(value):
    """Polling goes on between two looks."""
    return {key: without_polls(each) for key, each in value.items() if key != "polls"} if isinstance(value, dict) else value


def check_telemetry(checks, api, prefix):
    path = telemetry_socket(prefix)
    ledger = api.get("ledger")
    told = ask_telemetry(path, "/estream/ledger")["/estream/ledger"]
    for part in ("datagrams", "records", "nic", "rings", "mempools"):
        checks.equal("telemetry's ledger: %s" % part, without_polls(told.get(part, {})),
                     without_polls(by_position(ledger[part])))
    checks.equal("telemetry's ledger balances", told["balanced"], "true")
    told = ask_telemetry(path, "/estream/ledger,south-2")["/estream/ledger"]
    checks.equal("telemetry's ledger of a site", told["datagrams"], api.get("ledger?site=south-2")["datagrams"])
    told = ask_telemetry(path, "/estream/fleet")["/estream/fleet"]
    checks.equal("telemetry's fleet", (told["fleet"]["name"], told["fleet"]["status"], told["fleet"]["sites"]["total"]),
                 ("fleet", "good", HEARD + 3))
    told = ask_telemetry(path, "/estream/fleet,south")["/estream/fleet"]
    checks.equal("telemetry's region", (told["name"], told["kpis"]["thermal_margin"]["mean"]), ("south", "60"))
    told = ask_telemetry(path, "/estream/fleet,nowhere")["/estream/fleet"]
    checks.that("telemetry's refusal", 'no region' in told["error"], told)
    pipeline = api.get("pipeline")
    told = ask_telemetry(path, "/estream/pipeline")["/estream/pipeline"]["lcores"]["0"]
    checks.equal("telemetry's pipeline", (told["lcore"], told["bursts"]["packets"], told["nodes"]["2"]["node"],
                                          told["nodes"]["2"]["out"]),
                 (pipeline["lcores"][0]["lcore"], ledger["datagrams"]["received"], "process",
                  ledger["datagrams"]["accepted"]))
    one = ask_telemetry(path, "/estream/pipeline,%d" % told["lcore"])["/estream/pipeline"]["lcores"]
    checks.equal("telemetry's pipeline of one lcore", [each["lcore"] for each in one.values()], [told["lcore"]])
    refused = ask_telemetry(path, "/estream/pipeline,126")["/estream/pipeline"]
    checks.that("telemetry knows no such lcore", "no data lcore 126" in refused.get("error", ""), refused)
    known = ask_telemetry(path, "/")["/"]
    checks.that("its commands are listed", {"/estream/ledger", "/estream/pipeline", "/estream/fleet"} <= set(known), known)


def check_tables(checks, what, out):
    for line in out.splitlines():
        if len(line) > COLUMNS or line != line.rstrip() or not line.isprintable():
            checks.that("%s: lines fit and end in text" % what, False, repr(line))
            return
    checks.that("%s: lines fit and end in text" % what, bool(out))


def check_fleetctl(checks, api, fleetctl):
    shown = {}
    for words in (["status"], ["regions"], ["region", "north"], ["region", "unassigned"], ["sites"],
                  ["sites", "--sort", "health", "--limit", "5"], ["sites", "--region", "south", "--status", "unknown"],
                  ["site", FAILING, "--unmapped"], ["rule", "test", "margin"], ["rule", "test", "a", "a", "b"],
                  ["site", FAILING], ["site", ODD], ["site", LONG], ["ledger"], ["ledger", "--all"],
                  ["ledger", "--site", "south-2"], ["pipeline"], ["top", "--once"], ["help"],
                  ["outliers"], ["outliers", "--region", "south", "--kpi", "efficiency", "--odd", "both", "--limit", "3"],
                  ["ranking"], ["ranking", "--by", "thermal_margin", "--region", "north", "--limit", "4"],
                  ["events"], ["events", "--site", "north-1", "--code", "other_fault", "--limit", "3"]):
        code, out, errors = fleetctl(*words)
        what = "fleetctl " + " ".join(words)
        checks.equal(what, (code, errors), (0, ""))
        check_tables(checks, what, out)
        shown[" ".join(words)] = out
    status = shown["status"]
    checks.that("status begins with who can't be seen", status.index(SILENT) < status.index(FAILING), status)
    checks.that("and shows no good site", "north-4" not in status and "south-4" not in status, status)
    checks.that("and says who is odd", "odd: thermal_margin 1 (peers)" in status, status)
    checks.that("a site shows what it is odd against", "odd: thermal_margin 3, the median of 9 peers is 60 (z -7.2)"
                in shown["site " + FAILING], shown["site " + FAILING])
    checks.that("outliers are shown", FAILING in shown["outliers"] and "-" in shown["outliers"], shown["outliers"])
    checks.that("or nobody", "nobody is odd there\nodd: thermal_margin 1 (peers)" in
                shown["outliers --region south --kpi efficiency --odd both --limit 3"])
    checks.that("ranks are shown", "worst" in shown["ranking"] and "best" in shown["ranking"], shown["ranking"])
    checks.that("by a KPI with its unit", "by thermal_margin in degC: 9 sites" in
                shown["ranking --by thermal_margin --region north --limit 4"])
    checks.that("names are whole", "thermal_margin" in shown["region north"] and
                "comms_quality" in shown["region north"], shown["region north"])
    checks.that("what is silent is named", "KPIs without data: " in shown["region north"], shown["region north"])
    checks.that("the ledger hides zeroes", "\nno_listener" not in shown["ledger"] and "no: " in shown["ledger"])
    checks.that("but --all", "\nno_listener" in shown["ledger --all"] and "no: " not in shown["ledger --all"])
    checks.that("events are shown", "ground_fault" in shown["events"] and "1 info" in shown["events"], shown["events"])
    for words, path in ((["status"], "fleet"), (["events"], "events"), (["outliers"], "outliers"),
                        (["ranking"], "ranking"), (["regions"], "regions"),
                        (["site", FAILING], "sites/" + FAILING), (["ledger"], "ledger"), (["pipeline"], "pipeline"),
                        (["sites", "--limit", "3"], "sites?limit=3")):
        code, out, _ = fleetctl("--json", *words)
        checks.equal("fleetctl --json %s" % words[0], (code, set(json.loads(out))), (0, set(api.get(path))))


def check_fleetctl_refusals(checks, fleetctl):
    for words, want, says in (
            ([], 2, "usage: "), (["stauts"], 2, 'did you mean "status"?'), (["status", "x"], 2, 'got "x"'),
            (["region"], 2, "want a NAME"), (["--jsn", "status"], 2, "did you mean --json?"),
            (["regions", "--limit", "3"], 2, "does not take --limit"), (["sites", "--limit"], 2, "want a value"),
            (["sites", "--limit", "x"], 2, 'limit: got "x", want 1..10000'),
            (["sites", "--status", "foo"], 2, 'status: got "foo"'), (["top", "--count", "0"], 2, "--count"),
            (["ledger", "--code", "x"], 2, "does not take --code"), (["events", "--code", "x"], 1, "has the code"),
            (["outliers", "--odd", "x"], 2, 'odd: got "x"'), (["outliers", "--kpi", "x"], 1, 'no KPI "x"'),
            (["ranking", "--kpi", "x"], 2, "does not take --kpi"), (["ranking", "--by", "x"], 1, 'no KPI "x"'),
            (["maintenance", "--limit", "3"], 2, "does not take --limit"),
            (["maintenance", "now"], 2, 'got "now"'), (["sites", "--all"], 2, "does not take --all"),
            (["top", "--json"], 2, "does not take --json"), (["site", "nort-3"], 1, 'did you mean "north-3"?'),
            (["region", "nroth"], 1, 'did you mean "north"?'), (["ledger", "--site", "x"], 1, 'no site "x"'),
            (["--url", "http://127.0.0.1:1", "status"], 1, "connection refused"),
            (["--url", "ftp://x", "status"], 2, "want http://HOST:PORT"),
            (["incidents"], 3, "not built yet"), (["ack", "7", "--note", "x"], 3, "not built yet")):
        code, out, errors = fleetctl(*words)
        what = "fleetctl " + " ".join(words)
        checks.equal(what, (code, out), (want, ""))
        checks.that("%s: says why" % what, says in errors and "\x1b" not in errors, errors)


def site_lines():
    names = ["%s-%d" % (region, i) for i in range(1, HEARD // 2 + 1) for region in ("north", "south")]
    lines = ["  - {id: %d, name: %s}" % (i + 1, name) for i, name in enumerate(names)]
    lines.append("  - {id: %d, name: %s, weight: 2.5, labels: {vendor: 'A \"B\"', note: ü}}" %
                 (HEARD + 1, "'%s'" % ODD))
    lines.append("  - {id: %d, name: %s}" % (HEARD + 2, LONG))
    lines.append("  - {id: %d, name: never}" % (HEARD + 3))
    return "\n".join(lines)


def checksum(header):
    total = sum(struct.unpack(">%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syslog_frame(ethernet, payload):
    """A UDP datagram over IPv4 from nobody's address; without a UDP checksum."""
    udp = struct.pack(">HHHH", 40000, 5514, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton("10.9.0.200"),
                       socket.inet_aton("10.9.0.2"))
    return ethernet + head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def append_messages(capture, labels):
    """Syslog messages behind what fleetgen wrote, dated a second after its start."""
    with open(capture, "rb") as out:
        whole = out.read()
    order = "<" if whole[0] in (0xd4, 0x4d) else ">"
    seconds, part = struct.unpack(order + "II", whole[24:32])
    when = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(seconds + 1))
    with open(capture, "ab") as out:
        for message, _ in MESSAGES:
            frame = syslog_frame(whole[40:52] + b"\x08\x00", (message % when).encode())
            out.write(struct.pack(order + "IIII", seconds + CAPTURE_S, part, len(frame), len(frame)) + frame)
    labels["totals"]["datagrams"] += len(MESSAGES)
    labels["totals"]["records"] += len(MESSAGES)


def write_capture(build, folder):
    scenario, capture = os.path.join(folder, "scenario.yaml"), os.path.join(folder, "api.pcap")
    with open(scenario, "w") as out:
        out.write(SCENARIO)
    subprocess.run([os.path.join(build, "fleetgen"), "pcap", "--out", capture, "--format", "etd", "--scenario",
                    scenario, "--start", str(int(time.time()) + 4), "--seconds", str(CAPTURE_S)],
                   stdout=subprocess.DEVNULL, timeout=30, check=True)
    with open(capture + ".labels.json") as labels:
        written = json.load(labels)
    append_messages(capture, written)
    return capture, written


def check_all(checks, build, appliance, labels, prefix):
    api = Api(appliance.port)
    environment = {**os.environ, "ESTREAM_URL": appliance.url, "LC_ALL": "C.UTF-8"}

    def fleetctl(*words):
        done = subprocess.run([os.path.join(build, "fleetctl"), *words], capture_output=True, text=True, timeout=20,
                              env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    check_start(checks, api, fleetctl)
    wait_for_data(api, labels)
    check_scopes(checks, api)
    check_sites(checks, api)
    check_site(checks, api, labels)
    check_comparison(checks, api)
    check_ledger(checks, api, labels)
    check_pipeline(checks, api, fleetctl)
    check_events(checks, api)
    check_names(checks, api, fleetctl)
    check_metrics(checks, api)
    check_telemetry(checks, api, prefix)
    check_fleetctl(checks, api, fleetctl)
    check_refusals(checks, api)
    check_transport(checks, api)
    check_fleetctl_refusals(checks, fleetctl)
    check_maintenance(checks, api, fleetctl, appliance)
    code, _ = appliance.stop()
    checks.equal("SIGTERM ends it well", code, 0)
    checks.that("within two seconds", appliance.stop_seconds < 2, appliance.stop_seconds)


def give_up(*_):
    raise TimeoutError("not done after %d s" % TIME_LIMIT_S)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build, checks = os.path.abspath(sys.argv[1]), Checks()
    prefix = "esf-api-%d" % os.getpid()
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TIME_LIMIT_S)
    try:
        with tempfile.TemporaryDirectory(prefix="esf-api-") as folder:
            capture, labels = write_capture(build, folder)
            eal = [*NO_HUGE, "--no-pci", "--file-prefix=" + prefix,
                   "--vdev=net_pcap0,rx_pcap=%s,infinite_rx=0" % capture]
            with Appliance(build, CONFIG % ((PUMP + LATER).rstrip("\n"), site_lines()), eal) as appliance:
                check_all(checks, build, appliance, labels, prefix)
    except Exception as error:  # the counts are wanted all the same
        checks.that("the test runs to its end", False, "%s: %s" % (type(error).__name__, error))
    finally:
        shutil.rmtree(os.path.dirname(telemetry_socket(prefix)), ignore_errors=True)
    checks.finish()


main()
