# SPDX-License-Identifier: Apache-2.0
"""domains.py BUILD: the domain presets, through `estream-fleetd replay`. Raw names as vendors and protocols send them, with
their units, must arrive at the KPI in its unit: a site a spelling. Then whole plants, and what every derived KPI, health and
exclusion comes to. All values on the right were worked out by hand; the comments show how.

A list holds a gauge's values in the window, a pair a counter's before and in it: its KPI is the increase over the window's
10 s, times the rule's scale."""
import json
import os
import subprocess
import sys
import tempfile

from checks import Checks
from oracle import BIRTH, DATA, S, Birth, Config, Data, Etd, Packet, Site, write_pcap

START = 1_700_000_000 * S       # a window's begin
WINDOW = 10 * S

# (raw name, what is sent, KPI, its value)
ENERGY = [
    ("availability", [0.5], "availability", 0.5),
    ("plant/Teg3/Availability_pct", [97], "availability", 0.97),
    ("wtg07.Availability_Percent", [88.5], "availability", 0.885),
    ("teg.thermal_margin_k", [25], "thermal_margin", 25),
    ("teg.thermal_margin_f", [45], "thermal_margin", 25),           # a difference: 45 * 5/9
    ("output_ratio_pct", [93], "output_ratio", 0.93),
    ("inv.efficiency_percent", [96.5], "efficiency", 0.965),
    ("inv.fault_rate", [3], "fault_rate", 3),
    ("inv.faults_total", (7, 8), "fault_rate", 360),                # 1 in 10 s
    ("scada.fault_count", (0, 2), "fault_rate", 720),
    ("teg.hot_side", [240], "hot_side_c", 240),
    ("teg.hot_side_temperature_degC", [240], "hot_side_c", 240),
    ("teg.hotside_celsius", [240], "hot_side_c", 240),
    ("teg.hot_side_f", [482], "hot_side_c", 250),                   # (482 - 32) * 5/9
    ("teg.hot_temp_fahrenheit", [-40], "hot_side_c", -40),
    ("teg.hot_side_k", [523.15], "hot_side_c", 250),
    ("inverter.TmpSnk", [61], "hot_side_c", 61),
    ("inverter.Tmp_Cab", [38.5], "hot_side_c", 38.5),
    ("teg.cold_side_c", [31], "cold_side_c", 31),
    ("teg.cold_f", [212], "cold_side_c", 100),
    ("teg.cold_kelvin", [273.15], "cold_side_c", 0),
    ("teg.trip_temp_f", [518], "limit_c", 270),                     # (518 - 32) * 5/9
    ("teg.max_temperature_c", [270], "limit_c", 270),
    ("teg.limit_temp_k", [543.15], "limit_c", 270),
    ("gen.power", [1.5], "power_kw", 1.5),
    ("gen.power_kw", [1.5], "power_kw", 1.5),
    ("gen.power_w", [1500], "power_kw", 1.5),
    ("gen.power_MW", [0.0015], "power_kw", 1.5),
    ("MMXU1.TotW.mag.f", [250000], "power_kw", 250),
    ("inverter2.W", [5120], "power_kw", 5.12),
    ("GridMs.TotW", [8000], "power_kw", 8),
    ("fronius.PAC", [4321], "power_kw", 4.321),
    ("ac_power_kw", [42], "power_kw", 42),
    ("active_power_watts", [42000], "power_kw", 42),
    ("grid_power_mw", [2.5], "power_kw", 2500),
    ("expected_power_kw", [40], "expected_kw", 40),
    ("expected_w", [40000], "expected_kw", 40),
    ("expected_power_mw", [0.04], "expected_kw", 40),
    ("nominal_power_kw", [500], "rated_kw", 500),
    ("installed_capacity_mw", [2], "rated_kw", 2000),
    ("array.kWp", [499.8], "rated_kw", 499.8),
    ("peak_w", [9900], "rated_kw", 9.9),
    ("meteo.POA", [810], "irradiance_w_m2", 810),
    ("irradiance_w_per_m2", [810], "irradiance_w_m2", 810),
    ("gti_kw_m2", [0.81], "irradiance_w_m2", 810),
    ("met.wind_speed", [12], "wind_m_s", 12),
    ("met.wind_speed_mps", [12], "wind_m_s", 12),
    ("met.wind_kmh", [36], "wind_m_s", 10),
    ("met.wind_speed_mph", [10], "wind_m_s", 4.4704),
    ("met.wind_knots", [36], "wind_m_s", 18.52),                    # 36 * 1852 m / 3600 s
    ("loop.pressure", [4], "pressure_bar", 4),
    ("loop.pressure_psi", [100], "pressure_bar", 6.894757293168361),
    ("loop.pressure_pa", [250000], "pressure_bar", 2.5),
    ("loop.pressure_kPa", [250], "pressure_bar", 2.5),
    ("loop.pressure_MPa", [0.25], "pressure_bar", 2.5),
    ("loop.pressure_mbar", [2500], "pressure_bar", 2.5),
    ("meter.energy_kwh", (1000, 1000.5), "metered_kw", 180),        # 0.5 kWh in 10 s
    ("meter.energy_total_wh", (0, 500), "metered_kw", 180),
    ("meter.energy_MWh", (3, 3.0005), "metered_kw", 180),
    ("meter.energy_joules_total", (0, 1800000), "metered_kw", 180),
    ("MMTR1.TotWh", (0, 500), "metered_kw", 180),
    ("Metering.TotWhOut", (0, 500), "metered_kw", 180),
    ("TOTAL_ENERGY", (0, 500), "metered_kw", 180),
    ("unit.run_state", [1, 0, 1, 1], "running", 0.75),
    ("unit.in_service", [1], "running", 1),
    ("curtailment_active", [1], "curtailed", 1),
    ("park.power_limited", [0], "curtailed", 0),
    ("night_mode", [1], "no_sun", 1),
    ("wtg.maintenance_mode", [1], "planned_stop", 1),
    ("planned_outage", [1], "planned_stop", 1),
    ("unavailability", [1], None, None),                            # no spelling of availability
    ("power_factor", [0.9], None, None),
    ("comms_quality", [0.5], None, None),                           # the dataplane's own
]
MANUFACTURING = [
    ("line4.throughput_pct", [92], "throughput_ratio", 0.92),
    ("line4.stops_total", (5, 6), "fault_rate", 360),
    ("availability_percent", [91], "availability", 0.91),
    ("line4.yield", [0.98], "quality_yield", 0.98),
    ("quality_yield_pct", [98], "quality_yield", 0.98),
    ("line4.scrap_rate", [0.02], "quality_yield", 0.98),
    ("cycle_time_deviation_pct", [-4], "cycle_time_deviation", -0.04),
    ("line4.parts_total", (1000, 1005), "units_per_hour", 1800),    # 5 in 10 s
    ("mtconnect/PartCount", (0, 5), "units_per_hour", 1800),
    ("mtconnect/PartCountAct", (0, 5), "units_per_hour", 1800),
    ("PackML.ProdProcessedCount.Count", (0, 5), "units_per_hour", 1800),
    ("units_per_hour", [1800], "units_per_hour", 1800),
    ("good_parts_total", (0, 4), "good_units_per_hour", 1440),
    ("GoodCount", (0, 4), "good_units_per_hour", 1440),
    ("target_parts_per_hour", [2000], "planned_units_per_hour", 2000),
    ("cell.cycle_time", [1.8], "cycle_time_s", 1.8),
    ("cell.cycle_time_ms", [1800], "cycle_time_s", 1.8),
    ("ideal_cycle_time_s", [1.5], "ideal_cycle_time_s", 1.5),
    ("target_cycle_time_ms", [1500], "ideal_cycle_time_s", 1.5),
    ("press.producing", [1, 0], "running", 0.5),
    ("no_order", [1], "planned_stop", 1),
    ("scheduled_break", [1], "planned_stop", 1),
    ("press.active_power_w", [90000], "power_kw", 90),
    ("press.power_kilowatts", [90], "power_kw", 90),
    ("oven.temp_f", [392], "temperature_c", 200),                   # (392 - 32) * 5/9
    ("oven.process_temperature_k", [473.15], "temperature_c", 200),
    ("oven.temperature", [200], "temperature_c", 200),
    ("air_pressure_psi", [90], "pressure_bar", 6.205281563851525),
    ("hydraulic_pressure_mpa", [16], "pressure_bar", 160),
    ("process_pressure_hpa", [1013.25], "pressure_bar", 1.01325),
    ("throughput", [3], None, None),                                # of what, in what unit?
]
LOGISTICS = [
    ("depot.on_time_pct", [96], "on_time", 0.96),
    ("on_time_ratio", [0.96], "on_time", 0.96),
    ("dock.availability", [0.9], "availability", 0.9),
    ("utilization", [0.7], "utilisation", 0.7),
    ("utilisation_percent", [70], "utilisation", 0.7),
    ("truck.wh_per_km", [1250], "energy_per_km", 1.25),
    ("truck.kwh_per_100km", [125], "energy_per_km", 1.25),
    ("truck.faults", (3, 4), "fault_rate", 360),
    ("truck.speed", [72], "speed_kmh", 72),
    ("truck.speed_mps", [20], "speed_kmh", 72),
    ("truck.speed_mph", [50], "speed_kmh", 80.4672),
    ("ship.speed_knots", [10], "speed_kmh", 18.52),
    ("j1939/WheelBasedVehicleSpeed", [72], "speed_kmh", 72),
    ("truck.odometer_km", (5000, 5000.25), "distance_km_per_hour", 90),
    ("truck.odometer_m", (0, 250), "distance_km_per_hour", 90),
    ("fms.HighResolutionTotalVehicleDistance", (0, 250), "distance_km_per_hour", 90),
    ("truck.odometer_miles", (100, 100.125), "distance_km_per_hour", 72.42048),  # 0.125 * 1.609344 km * 360
    ("deliveries_on_time_total", (10, 29), "on_time_per_hour", 6840),
    ("departures_due", (10, 30), "due_per_hour", 7200),
    ("vehicles_ready", [18], "vehicles_ready", 18),
    ("docks_total", [20], "vehicles_total", 20),
    ("payload_kg", [14000], "load_t", 14),
    ("cargo_weight_lbs", [20000], "load_t", 9.0718474),
    ("max_payload_t", [20], "capacity_t", 20),
    ("capacity_lb", [44000], "capacity_t", 19.95806428),
    ("traction_power_w", [90000], "energy_kw", 90),
    ("drive_power_mw", [0.09], "energy_kw", 90),
    ("energy_total_kwh", (7, 7.25), "energy_kw", 90),
    ("energy_wh", (0, 250), "energy_kw", 90),
    ("tyre_pressure_psi", [100], "tyre_pressure_bar", 6.894757293168361),
    ("tire_pressure_kpa", [850], "tyre_pressure_bar", 8.5),
    ("reefer_temp_f", [-4], "cargo_c", -20),
    ("cargo_temperature_k", [253.15], "cargo_c", -20),
    ("box_temp", [-20], "cargo_c", -20),
    ("driving_ban", [1], "planned_stop", 1),
    ("vehicles", [20], None, None),
]

# Plants: (name, weight, what it sends, {KPI: {key: value}}, health or None). comms_quality, where there is one, is 1 of ETD.
PLANTS = {
    "energy": [
        ("solar", 1, {"array.kWp": [500], "meteo.poa": [800], "GridMs.TotW": [372000], "unit.running": [1]}, {
            "expected_kw": {"mean": 400, "derived": True},          # 500 * 800/1000
            "output_ratio": {"mean": 0.93, "score": 96},            # 372/400; 100 - 30 * 0.02/0.15
            "performance_ratio": {"mean": 0.93},                    # 372/500 over 800/1000
            "capacity_factor": {"mean": 0.744},                     # 372/500
            "availability": {"mean": 1, "score": 100},
            "no_sun": {"mean": 0},
            "efficiency": {"mean": None, "score": None},
        }, (0.30 * 100 + 0.20 * 96 + 0.05 * 100) / 0.55),
        ("night", 1, {"array.kWp": [500], "meteo.poa": [5], "GridMs.TotW": [0], "unit.running": [0]}, {
            "no_sun": {"mean": 1, "derived": True},
            "availability": {"mean": 0, "score": None, "excluded": "no_sun"},
            "output_ratio": {"mean": 0, "score": None, "excluded": "no_sun"},
            "performance_ratio": {"mean": 0, "excluded": "no_sun"},
        }, None),                                                   # comms of .05 + margin .25 + faults .10: too little
        ("curtailed", 1, {"expected_power_kw": [100], "power_kw": [40], "curtailed": [0, 1], "running": [1],
                          "teg.thermal_margin": [30]}, {
            "output_ratio": {"mean": 0.4, "excluded": "curtailed", "score": None},
            "availability": {"mean": 1, "excluded": "curtailed", "score": None},
            "thermal_margin": {"mean": 30, "score": 100},
        }, 100),                                                    # (.25 + .05) of the .50 that are left
        ("down", 1, {"expected_power_kw": [100], "power_kw": [40], "running": [0]}, {
            "output_ratio": {"mean": 0.4, "score": 30},             # 70 - 30 * 0.4/0.3
            "availability": {"mean": 0, "score": 0},                # 70 - 30 * 0.9/0.15 is below 0
        }, (0.20 * 30 + 0.05 * 100) / 0.55),
        ("serviced", 1, {"expected_power_kw": [100], "power_kw": [0], "running": [0], "maintenance": [1],
                         "thermal_margin": [30], "efficiency": [0.5]}, {
            "output_ratio": {"mean": 0, "excluded": "planned_stop"},
            "availability": {"mean": 0, "excluded": "planned_stop"},
            "efficiency": {"mean": 0.5, "excluded": "planned_stop", "score": None},
        }, 100),                                                    # (.25 + .05) of .40
        ("teg", 1, {"teg.hot_side_f": [482], "teg.cold_k": [323.15], "teg.trip_temp": [265], "teg.power_w": [4600],
                    "teg.expected_kw": [5], "teg.in_service": [1]}, {
            "delta_t_c": {"mean": 200},                             # 250 - 50
            "thermal_margin": {"mean": 15, "score": 85},            # 265 - 250; half way from good to warn
            "output_ratio": {"mean": 0.92, "score": 94},            # 4.6/5; 100 - 30 * 0.03/0.15
        }, (0.30 * 100 + 0.25 * 85 + 0.20 * 94 + 0.05 * 100) / 0.80),
        ("nothing-expected", 1, {"power_kw": [3], "expected_kw": [0]}, {
            "output_ratio": {"mean": None, "score": None, "derived": True},   # by zero: no data
        }, None),
        ("own-word", 1, {"power_kw": [3], "expected_kw": [5], "output_ratio": [0.9]}, {
            "output_ratio": {"mean": 0.9, "derived": False},
        }, None),
        ("pool-1", 1, {"power_kw": [90], "expected_kw": [100]}, {"output_ratio": {"mean": 0.9}}, None),
        ("pool-2", 3, {"power_kw": [200], "expected_kw": [400]}, {"output_ratio": {"mean": 0.5}}, None),
        ("pool-3", 5, {"power_kw": [0], "expected_kw": [400], "curtailed": [1]},
         {"output_ratio": {"mean": 0, "excluded": "curtailed"}}, None),
    ],
    "manufacturing": [
        ("line", 1, {"parts_total": (1000, 1005), "good_parts_total": (990, 994), "target_parts_per_hour": [2000],
                     "ideal_cycle_time_ms": [1500], "cycle_time_s": [1.8], "running": [1] * 9 + [0], "power_w": [90000],
                     "stops_total": (3, 3)}, {
            "throughput_ratio": {"mean": 0.9, "score": 85},         # 1800/2000; half way from good to warn
            "quality_yield": {"mean": 0.8, "score": 0},           # 4/5; 70 - 30 * 0.17/0.07 is below 0
            "availability": {"mean": 0.9, "score": 100},
            "cycle_time_deviation": {"mean": 0.2, "score": 50},     # 0.3/1.5; 70 - 30 * 0.10/0.15
            "fault_rate": {"mean": 0, "score": 100},
            "effectiveness": {"mean": 0.75 / 0.9},                  # 1.5 s * 1800/h = 0.75 of the time, of 0.9
            "oee": {"mean": 0.6},                                   # 0.9 * 0.8333 * 0.8
            "kwh_per_unit": {"mean": 0.05},                         # 90 kW / 1800/h
        }, 0.30 * 85 + 0.25 * 100 + 0.15 * 100 + 0.15 * 0 + 0.10 * 50 + 0.05 * 100),
        ("holiday", 1, {"parts_total": (5, 5), "target_parts_per_hour": [0], "running": [0], "no_order": [1],
                        "stops_total": (3, 3), "yield": [1]}, {
            "throughput_ratio": {"mean": None, "excluded": "planned_stop", "score": None},
            "availability": {"mean": 0, "excluded": "planned_stop", "score": None},
            "quality_yield": {"mean": 1, "score": 100},
            "oee": {"mean": None, "excluded": "planned_stop"},
        }, 100),
        ("idle", 1, {"parts_total": (5, 5), "good_parts_total": (5, 5), "target_parts_per_hour": [2000], "running": [0],
                     "power_kw": [4], "stops_total": (3, 3)}, {
            "throughput_ratio": {"mean": 0, "score": 0},
            "quality_yield": {"mean": None, "derived": True},       # 0/0
            "availability": {"mean": 0, "score": 0},                # 70 - 30 * 0.8/0.2 is below 0
            "kwh_per_unit": {"mean": None},
            "effectiveness": {"mean": None},
        }, (0.25 * 100 + 0.05 * 100) / 0.75),
    ],
    "logistics": [
        ("depot", 1, {"deliveries_on_time": (10, 29), "deliveries_due": (10, 30), "vehicles_ready": [18],
                      "vehicles_total": [20], "load_kg": [14000], "capacity_t": [20], "odometer_m": (0, 200),
                      "energy_kwh": (1, 1.25), "fault_rate": [3]}, {
            "on_time": {"mean": 0.95, "score": 100},                # 19/20
            "availability": {"mean": 0.9, "score": 70},             # 18/20
            "utilisation": {"mean": 0.7, "score": 100},             # 14/20
            "energy_per_km": {"mean": 1.25, "score": 100},          # 90 kW / 72 km/h
            "fault_rate": {"mean": 3, "score": 85},
        }, 0.2 * (100 + 70 + 100 + 100 + 85)),
        ("parked", 1, {"deliveries_on_time": (29, 29), "deliveries_due": (30, 30), "vehicles_ready": [2],
                       "vehicles_total": [20], "load_kg": [0], "capacity_t": [20], "odometer_m": (0, 0),
                       "energy_kw": [1], "fault_rate": [0], "driving_ban": [1]}, {
            "on_time": {"mean": None},                              # nothing was due
            "energy_per_km": {"mean": None},                        # nothing was driven
            "availability": {"mean": 0.1, "excluded": "planned_stop"},
            "utilisation": {"mean": 0, "excluded": "planned_stop"},
        }, None),                                                   # .20 of the .60 that are left
    ],
}
# Pooled: (90 + 3*200)/4 over (100 + 3*400)/4, pool-3 left out.
POOL = {"output_ratio": 690 / 1300}
ZERO = 1e-12


def packets_of(site, signals):
    """Births and a first value in the window before; in the window what is to be seen, a value a 100 ms."""
    births = [Birth(i, name) for i, name in enumerate(signals)]
    before = [Data(i, 0, float(sent[0])) for i, sent in enumerate(signals.values())]
    within = []
    for i, sent in enumerate(signals.values()):
        values = [sent[1]] if isinstance(sent, tuple) else sent
        within += [Data(i, 100_000 * n, float(value)) for n, value in enumerate(values)]
    second = START + WINDOW + S
    return [Packet(START + S, Etd(site.id, 1_699_999_000, 1, START + S, BIRTH, 0, births)),
            Packet(START + S, Etd(site.id, 1_699_999_000, 2, START + S, DATA, 0, before)),
            Packet(second + 2 * S, Etd(site.id, 1_699_999_000, 3, second, DATA, 0, within))]


def replay(binary, folder, domain, plants):
    """The document of the second window."""
    sites = [Site(i + 1, name, weight) for i, (name, weight, _) in enumerate(plants)]
    lines = ["profile: medium", "domain: " + domain, "listeners: [{udp: 47700, format: etd}]",
             "regions: [{name: pool, match: 'pool-*'}]", "sites:"]
    lines += ["  - {id: %d, name: %s, weight: %g}" % (site.id, site.name, site.weight) for site in sites]
    config, capture = (os.path.join(folder, name) for name in ("domain.yaml", "domain.pcap"))
    with open(config, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    packets = [p for site, (_, _, signals) in zip(sites, plants) for p in packets_of(site, signals)]
    packets.sort(key=lambda packet: packet.arrival)
    write_pcap(capture, packets, Config([], []), True)
    done = subprocess.run([binary, "replay", "--config", config, capture], capture_output=True, timeout=60, check=True)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    return next(d for d in documents if d.get("window", {}).get("start") == START + WINDOW), documents[-1]["ledger"]


def check_value(checks, what, got, want):
    if isinstance(want, float) or isinstance(want, int) and not isinstance(want, bool):
        checks.that(what, got is not None and abs(got - want) <= max(1e-9 * abs(want), ZERO),
                    "got %s, want %s" % (got, want))
    else:
        checks.equal(what, got, want)


def check_spelling(checks, domain, row, site):
    name, sent, kpi, value = row
    what = "%s %s" % (domain, name)
    seen = [k for k, v in site["kpis"].items() if v["samples"] > 0 and not v["derived"] and k != "comms_quality"]
    checks.equal("%s: feeds" % what, seen, [] if kpi is None else [kpi])
    if kpi is None:
        checks.equal("%s: unmapped" % what, site["unmapped"], 2)
    else:
        check_value(checks, what, site["kpis"][kpi]["mean"], value)


def check_plant(checks, domain, plant, site):
    name, _, _, kpis, health = plant
    for kpi, wants in kpis.items():
        for key, want in wants.items():
            check_value(checks, "%s %s: %s.%s" % (domain, name, kpi, key), site["kpis"][kpi][key], want)
    check_value(checks, "%s %s: health" % (domain, name), site["health"], health)
    if health is not None:
        costs = [v["contribution"] for v in site["kpis"].values() if v["contribution"] is not None]
        check_value(checks, "%s %s: contributions" % (domain, name), 100 - sum(costs), health)


def main():
    binary = os.path.join(sys.argv[1], "estream-fleetd")
    checks = Checks()
    for domain, rows in (("energy", ENERGY), ("manufacturing", MANUFACTURING), ("logistics", LOGISTICS)):
        plants = [("row-%d" % i, 1, {row[0]: row[1]}) for i, row in enumerate(rows)]
        plants += [plant[:3] for plant in PLANTS[domain]]
        with tempfile.TemporaryDirectory() as folder:
            document, ledger = replay(binary, folder, domain, plants)
        sites = {site["name"]: site for site in document["sites"]}
        for i, row in enumerate(rows):
            check_spelling(checks, domain, row, sites["row-%d" % i])
        for plant in PLANTS[domain]:
            check_plant(checks, domain, plant, sites[plant[0]])
        checks.that("%s: the ledger balances" % domain, ledger["balanced"], ledger)
        if domain == "energy":
            pool = next(region for region in document["regions"] if region["name"] == "pool")
            for kpi, value in POOL.items():
                check_value(checks, "pooled " + kpi, pool["kpis"][kpi]["mean"], value)
    checks.finish()


if __name__ == "__main__":
    main()
