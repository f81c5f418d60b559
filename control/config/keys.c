/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "dataplane/etd_wire.h"
#include "export.h"
#include "kpi_rows.h"
#include "rows.h"
#include "setter.h"

/* Every key of a configuration. configs/reference.yaml explains the same keys in the same order. */

static const struct esf_choice profiles[] = {
	{ "small", ESF_PROFILE_SMALL, NULL },
	{ "medium", ESF_PROFILE_MEDIUM, NULL },
	{ "large", ESF_PROFILE_LARGE, NULL },
	{ "xlarge", ESF_PROFILE_XLARGE, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice domains[] = {
	{ "energy", ESF_ENERGY, NULL },
	{ "manufacturing", ESF_MANUFACTURING, NULL },
	{ "logistics", ESF_LOGISTICS, NULL },
	{ "custom", ESF_CUSTOM, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice ingestions[] = {
	{ "full", ESF_FULL, NULL },
	{ "downsample", ESF_DOWNSAMPLE, NULL },
	{ "deviation", ESF_DEVIATION, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice formats[] = {
	{ "etd", ESF_FORMAT_ETD, NULL },
	{ "influx", ESF_FORMAT_INFLUX, NULL },
	{ "statsd", ESF_FORMAT_STATSD, NULL },
	{ "syslog", ESF_FORMAT_SYSLOG, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice unknown_sites[] = {
	{ "refuse", 0, NULL },
	{ "learn", 1, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice states[] = {
	{ "message", ESF_ETD_MESSAGE, NULL },
	{ "raise", ESF_ETD_RAISE, NULL },
	{ "clear", ESF_ETD_CLEAR, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice backends[] = {
	{ "builtin", 0, NULL },
	{ "xgboost", 1, NULL },
	{ "plugin", 2, NULL },
	{ "process", 3, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice levels[] = {
	{ "site", 0, NULL },
	{ "region", 1, NULL },
	{ "fleet", 2, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice occasions[] = {
	{ "always", 0, NULL },
	{ "outlier", 1, NULL },
	{ "event", 2, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice calibrations[] = {
	{ "none", 0, NULL },
	{ "fleetwise", 1, NULL },
	{ NULL, 0, NULL },
};

/* Slots of a baseline. */
static const struct esf_choice baselines[] = {
	{ "none", 0, NULL },
	{ "day", 24, NULL },
	{ "week", 168, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice idle_policies[] = {
	{ "auto", ESF_IDLE_AUTO, NULL },
	{ "poll", ESF_IDLE_POLL, NULL },
	{ "yield", ESF_IDLE_YIELD, NULL },
	{ "sleep", ESF_IDLE_SLEEP, NULL },
	{ NULL, 0, NULL },
};

/* Items of lists of scalars. */

static const struct esf_key argument_item = { .kind = ESF_KEY_TEXT, .max = 255 };
static const struct esf_key lcore_item = { .kind = ESF_KEY_INTEGER, .size = 4, .max = 127 };
static const struct esf_key name_item = {
	.kind = ESF_KEY_TEXT, .check = esf_check_name, .want = ESF_WANT_NAME
};
static const struct esf_key glob_item = { .kind = ESF_KEY_TEXT, .max = 255 };
const struct esf_key esf_kpi_name_item = {
	.kind = ESF_KEY_TEXT, .check = esf_check_kpi_name, .want = ESF_WANT_KPI_NAME
};
static const struct esf_key address_item = { .kind = ESF_KEY_CUSTOM, .set = esf_set_address };
static const struct esf_key port_address_item = { .kind = ESF_KEY_CUSTOM,
	.set = esf_set_port_address };
static const struct esf_key interval_item = {
	.kind = ESF_KEY_DURATION, .min = ESF_S, .max = 31 * ESF_D
};

static const struct esf_key idle_fields[] = {
	{ ESF_CHOICE("policy", struct esf_file, idle_policy, idle_policies) },
	{ ESF_INTEGER("max_sleep_us", struct esf_file, config.idle.max_sleep_us,
	    ESF_IDLE_SLEEP_US_MIN, ESF_IDLE_SLEEP_US_MAX) },
	ESF_END,
};

static const struct esf_key port_fields[] = {
	{ ESF_INTEGER("port", struct esf_port_config, port, 0, 31), .required = true },
	{ ESF_LIST("addresses", struct esf_port_config, addresses, port_address_item, 0,
	    ESF_PORT_ADDRESSES_MAX) },
	ESF_END,
};
static const struct esf_key port_item = { .kind = ESF_KEY_MAPPING, .fields = port_fields };

static const struct esf_key listener_fields[] = {
	{ ESF_INTEGER("udp", struct esf_listener_config, udp, 1, 65535), .required = true },
	{ ESF_CHOICE("format", struct esf_listener_config, format, formats), .required = true },
	{ ESF_BOOLEAN("require_seal", struct esf_listener_config, require_seal) },
	{ ESF_TEXT("site_tag", struct esf_listener_config, site_tag, 255) },
	{ ESF_CUSTOM("precision", struct esf_listener_config, precision_ns, esf_set_precision) },
	ESF_END,
};

static void prepare_listener(void *slot)
{
	static char site[] = "site";
	struct esf_listener_config *listener = slot;

	listener->site_tag = site;
	listener->precision_ns = 1;
}

static const struct esf_key listener_item = {
	.kind = ESF_KEY_MAPPING, .fields = listener_fields, .prepare = prepare_listener
};

static const struct esf_key region_fields[] = {
	{ ESF_CHECKED("name", struct esf_region_config, name, esf_check_name), .required = true,
	    .want = ESF_WANT_NAME },
	{ ESF_LIST("sites", struct esf_region_config, sites, name_item, 0, ESF_SITES_MAX) },
	{ ESF_TEXT("match", struct esf_region_config, match, 255) },
	ESF_END,
};
static const struct esf_key region_item = { .kind = ESF_KEY_MAPPING, .fields = region_fields };

static const struct esf_key key_fields[] = {
	{ ESF_INTEGER("id", struct esf_site_key, id, 1, 65535), .required = true },
	{ ESF_TEXT("file", struct esf_site_key, file, 4095), .required = true },
	ESF_END,
};
static const struct esf_key key_item = { .kind = ESF_KEY_MAPPING, .fields = key_fields };

static const struct esf_key site_fields[] = {
	{ ESF_INTEGER("id", struct esf_site_config, id, 1, UINT32_MAX), .required = true },
	{ ESF_CHECKED("name", struct esf_site_config, name, esf_check_name), .required = true,
	    .want = ESF_WANT_NAME },
	{ ESF_NUMBER("weight", struct esf_site_config, weight, 0, 1000000000), .above = true },
	{ ESF_LIST("addresses", struct esf_site_config, addresses, address_item, 0, 16) },
	{ .name = "labels", .kind = ESF_KEY_CUSTOM, .set = esf_set_labels },
	{ ESF_LIST("upstream", struct esf_site_config, upstream, name_item, 0, 16) },
	{ ESF_LIST("keys", struct esf_site_config, keys, key_item, 0, ESF_SITE_KEYS_MAX) },
	{ ESF_BOOLEAN("require_seal", struct esf_site_config, require_seal) },
	ESF_END,
};

static void prepare_site(void *slot)
{
	((struct esf_site_config *)slot)->weight = 1;
}

static const struct esf_key site_item = {
	.kind = ESF_KEY_MAPPING, .fields = site_fields, .prepare = prepare_site
};

/* What a KPI means is for the file's reader: a domain's KPI can be copied as it stands. */
static const struct esf_key kpi_fields[] = {
	ESF_KPI_ROWS,
	{ .name = "definition", .kind = ESF_KEY_TEXT, .max = 1000, .offset = ESF_NOWHERE },
	{ .name = "reference", .kind = ESF_KEY_TEXT, .max = 1000, .offset = ESF_NOWHERE },
	ESF_END,
};
static const struct esf_key kpi_item = {
	.kind = ESF_KEY_MAPPING, .fields = kpi_fields, .prepare = esf_kpi_prepare
};

static const struct esf_key rollup_fields[] = {
	{ ESF_DURATION("window", struct esf_file, config.rollup.window_ns, ESF_S, ESF_H) },
	{ ESF_INTEGER(
	    "windows_open", struct esf_file, config.rollup.windows_open, 1, ESF_WINDOWS_OPEN_MAX) },
	{ ESF_DURATION("epoch", struct esf_file, config.rollup.epoch_ns, 100 * ESF_MS, ESF_M) },
	{ .name = "intervals",
	    .kind = ESF_KEY_LIST,
	    .offset = offsetof(struct esf_file, config.rollup.intervals_ns),
	    .count_offset = offsetof(struct esf_file, config.rollup.intervals_count),
	    .item = &interval_item,
	    .item_size = sizeof(int64_t),
	    .max = 8 },
	ESF_END,
};

static const struct esf_key dedup_fields[] = {
	{ ESF_INTEGER("sequence_window", struct esf_file, config.dedup.sequence_window, 64,
	    ESF_SEQUENCE_WINDOW_MAX) },
	{ ESF_DURATION("line_window", struct esf_file, config.dedup.line_window_ns, ESF_S, ESF_H) },
	ESF_END,
};

static const struct esf_key clock_fields[] = {
	{ ESF_DURATION("max_skew", struct esf_file, config.clock.max_skew_ns, 0, ESF_D) },
	ESF_END,
};

static const struct esf_key storm_fields[] = {
	{ ESF_INTEGER("site_rate", struct esf_file, config.storm.site_rate, 1, 1000000000) },
	{ ESF_INTEGER("site_burst", struct esf_file, config.storm.site_burst, 1, 1000000000) },
	{ ESF_INTEGER("fleet_enter", struct esf_file, config.storm.fleet_enter, 1, 1000000000) },
	{ ESF_INTEGER("fleet_exit", struct esf_file, config.storm.fleet_exit, 1, 1000000000) },
	{ ESF_DURATION("min_hold", struct esf_file, config.storm.min_hold_ns, ESF_S, ESF_H) },
	ESF_END,
};

static const struct esf_key downsample_fields[] = {
	{ ESF_NUMBER("healthy_above", struct esf_file, config.downsample.healthy_above, 0, 100) },
	{ ESF_INTEGER("keep_one_in", struct esf_file, config.downsample.keep_one_in, 1, 1000) },
	ESF_END,
};

static const struct esf_key deviation_fields[] = {
	{ ESF_NUMBER("band", struct esf_file, config.deviation.band, 0, 1), .above = true },
	{ ESF_DURATION(
	    "max_silence", struct esf_file, config.deviation.max_silence_ns, ESF_S, 30 * ESF_D) },
	ESF_END,
};

static const struct esf_key health_fields[] = {
	{ ESF_NUMBER("good", struct esf_file, config.health.good, 0, 100) },
	{ ESF_NUMBER("degraded", struct esf_file, config.health.degraded, 0, 100) },
	{ ESF_NUMBER("min_coverage", struct esf_file, config.health.min_coverage, 0, 1) },
	{ ESF_NUMBER("vital_cap", struct esf_file, config.health.vital_cap, 0, 100) },
	{ ESF_NUMBER("hysteresis", struct esf_file, config.health.hysteresis, 0, 100) },
	ESF_END,
};

static const struct esf_key compare_fields[] = {
	{ ESF_NUMBER("threshold", struct esf_file, config.compare.threshold, 0, 100),
	    .above = true },
	{ ESF_CHOICE("calibrate", struct esf_file, calibrate, calibrations) },
	{ ESF_CHECKED("peers", struct esf_file, config.compare.peers, esf_check_peers),
	    .want = "region, fleet or label:NAME" },
	{ ESF_INTEGER("min_peers", struct esf_file, config.compare.min_peers, 3, ESF_SITES_MAX) },
	{ ESF_CUSTOM("rounds", struct esf_file, config.compare.rounds, esf_set_rounds) },
	{ ESF_CHOICE("baseline", struct esf_file, config.compare.baseline_slots, baselines) },
	ESF_END,
};

static const struct esf_key correlate_fields[] = {
	{ ESF_DURATION("group", struct esf_file, config.correlate.group_ns, ESF_S, ESF_H) },
	{ ESF_INTEGER("silent_after", struct esf_file, config.correlate.silent_after, 1, 1000) },
	ESF_END,
};

static const struct esf_key signature_fields[] = {
	{ ESF_TEXT("match", struct esf_signature_config, match, ESF_PATTERN_SIZE_MAX),
	    .required = true, .check = esf_check_pattern },
	{ ESF_CHECKED("code", struct esf_signature_config, code, esf_check_kpi_name),
	    .required = true, .want = ESF_WANT_KPI_NAME },
	{ ESF_INTEGER("severity", struct esf_signature_config, severity, 0, 7) },
	{ ESF_CHOICE("state", struct esf_signature_config, state, states) },
	ESF_END,
};

static void prepare_signature(void *slot)
{
	struct esf_signature_config *signature = slot;

	signature->severity = ESF_SIGNATURE_AS_SENT;
	signature->state = ESF_SIGNATURE_AS_SENT;
}

static const struct esf_key signature_item = {
	.kind = ESF_KEY_MAPPING, .fields = signature_fields, .prepare = prepare_signature
};

static const struct esf_key maintenance_fields[] = {
	{ ESF_CHECKED("scope", struct esf_maintenance_config, scope, esf_check_scope),
	    .required = true, .want = ESF_WANT_SCOPE },
	{ ESF_CUSTOM("from", struct esf_maintenance_config, from_ns, esf_set_time),
	    .required = true, .want = ESF_WANT_TIME },
	{ ESF_CUSTOM("to", struct esf_maintenance_config, to_ns, esf_set_time), .required = true,
	    .want = ESF_WANT_TIME },
	{ ESF_CHECKED("why", struct esf_maintenance_config, why, esf_check_why), .required = true,
	    .want = ESF_WANT_WHY },
	ESF_END,
};
static const struct esf_key maintenance_item = { .kind = ESF_KEY_MAPPING,
	.fields = maintenance_fields };

static const struct esf_key route_fields[] = {
	{ .name = "level", .kind = ESF_KEY_CHOICE, .choices = levels },
	{ .name = "regions", .kind = ESF_KEY_LIST, .item = &glob_item, .max = ESF_REGIONS_MAX },
	{ .name = "kpis", .kind = ESF_KEY_LIST, .item = &esf_kpi_name_item, .max = ESF_KPIS_MAX },
	{ .name = "when", .kind = ESF_KEY_CHOICE, .choices = occasions },
	ESF_END,
};

static const struct esf_key slot_fields[] = {
	{ .name = "name",
	    .kind = ESF_KEY_TEXT,
	    .check = esf_check_name,
	    .want = ESF_WANT_NAME,
	    .required = true },
	{ .name = "backend", .kind = ESF_KEY_CHOICE, .choices = backends, .required = true },
	{ .name = "model", .kind = ESF_KEY_TEXT, .max = 4095 },
	{ .name = "path", .kind = ESF_KEY_TEXT, .max = 4095 },
	{ .name = "command", .kind = ESF_KEY_TEXT, .max = 4095 },
	{ .name = "route", .kind = ESF_KEY_MAPPING, .fields = route_fields },
	{ .name = "threshold", .kind = ESF_KEY_NUMBER, .high = 1 },
	{ .name = "deadline", .kind = ESF_KEY_DURATION, .min = ESF_MS, .max = ESF_M },
	{ .name = "shadow", .kind = ESF_KEY_BOOLEAN },
	{ .name = "options", .kind = ESF_KEY_FREE },
	ESF_END,
};
static const struct esf_key slot_item = { .kind = ESF_KEY_MAPPING, .fields = slot_fields };

static const struct esf_key ai_fields[] = {
	{ ESF_UNKEPT("slots", slot_item, 1024) },
	ESF_END,
};

static const struct esf_key http_fields[] = {
	{ .name = "listen", .kind = ESF_KEY_CUSTOM, .set = esf_set_listen },
	{ ESF_TEXT("token_file", struct esf_file, config.http.token_file, 4095), .nullable = true,
	    .not_built = "set token_file: null" },
	ESF_END,
};

static const struct esf_key history_fields[] = {
	{ ESF_TEXT("file", struct esf_file, config.history.file, 4095), .nullable = true },
	{ ESF_DURATION("keep", struct esf_file, config.history.keep_ns, ESF_H, 3650 * ESF_D) },
	ESF_END,
};

static const struct esf_choice export_formats[] = {
	{ "influx", 0, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_choice export_levels[] = {
	{ "fleet", ESF_EXPORT_FLEET, NULL },
	{ "region", ESF_EXPORT_REGION, NULL },
	{ "site", ESF_EXPORT_SITE, NULL },
	{ NULL, 0, NULL },
};

static const struct esf_key export_level_item = { .kind = ESF_KEY_CHOICE,
	.choices = export_levels };

static const struct esf_key export_fields[] = {
	{ ESF_CHECKED("name", struct esf_export_config, name, esf_check_name), .required = true,
	    .want = ESF_WANT_NAME },
	{ ESF_TEXT("url", struct esf_export_config, url, 2048), .required = true,
	    .check = esf_check_export_url },
	{ .name = "format",
	    .kind = ESF_KEY_CHOICE,
	    .choices = export_formats,
	    .offset = ESF_NOWHERE },
	{ ESF_LIST(
	    "levels", struct esf_export_config, levels, export_level_item, 1, ESF_EXPORT_LEVELS) },
	{ ESF_LIST("kpis", struct esf_export_config, kpis, esf_kpi_name_item, 1, ESF_KPIS_MAX) },
	{ ESF_CUSTOM("spool", struct esf_export_config, spool_size, esf_set_spool_size) },
	{ ESF_TEXT("spool_file", struct esf_export_config, spool_file, 4000), .nullable = true },
	{ ESF_INTEGER("batch", struct esf_export_config, batch, 1, 50000) },
	{ ESF_DURATION("every", struct esf_export_config, every_ns, 100 * ESF_MS, ESF_H) },
	{ ESF_DURATION("timeout", struct esf_export_config, timeout_ns, 100 * ESF_MS, 5 * ESF_M) },
	{ ESF_BOOLEAN("gzip", struct esf_export_config, gzip) },
	{ ESF_TEXT("token_file", struct esf_export_config, token_file, 4000), .nullable = true },
	{ ESF_TEXT("ca_file", struct esf_export_config, ca_file, 4000), .nullable = true },
	ESF_END,
};

static const struct esf_key export_item = {
	.kind = ESF_KEY_MAPPING, .fields = export_fields, .prepare = esf_export_prepare
};

static const struct esf_key state_fields[] = {
	{ ESF_TEXT("file", struct esf_file, config.state.file, 4095), .nullable = true },
	{ ESF_DURATION("every", struct esf_file, config.state.every_ns, ESF_S, ESF_H) },
	ESF_END,
};

static const struct esf_key reload_fields[] = {
	{ ESF_BOOLEAN("watch", struct esf_file, config.reload.watch) },
	ESF_END,
};

static const struct esf_key file_fields[] = {
	{ ESF_CHOICE("profile", struct esf_file, profile, profiles) },
	{ ESF_CHOICE("domain", struct esf_file, domain, domains) },
	{ ESF_CHOICE("ingestion", struct esf_file, ingestion, ingestions) },
	{ ESF_LIST("eal", struct esf_file, config.eal, argument_item, 0, 64) },
	{ .name = "lcores", .kind = ESF_KEY_CUSTOM, .set = esf_set_lcores },
	{ ESF_LIST("receive_only", struct esf_file, config.receive_only, lcore_item, 0, 128) },
	{ ESF_SECTION("idle", idle_fields) },
	{ ESF_LIST("ports", struct esf_file, config.ports, port_item, 0, ESF_PORTS_MAX) },
	{ ESF_LIST(
	    "listeners", struct esf_file, config.listeners, listener_item, 0, ESF_LISTENERS_MAX) },
	{ ESF_LIST("regions", struct esf_file, config.regions, region_item, 0, UINT32_MAX) },
	{ ESF_LIST("sites", struct esf_file, config.sites, site_item, 0, UINT32_MAX) },
	{ ESF_TEXT("inventory", struct esf_file, config.inventory, 4095), .nullable = true },
	{ ESF_CHOICE("unknown_sites", struct esf_file, unknown_sites, unknown_sites) },
	{ ESF_LIST("normalise", struct esf_file, normalise, esf_rule_item, 0, ESF_NORMALISE_MAX) },
	{ ESF_LIST("kpis", struct esf_file, kpis, kpi_item, 0, ESF_KPIS_MAX) },
	{ ESF_SECTION("rollup", rollup_fields) },
	{ ESF_SECTION("dedup", dedup_fields) },
	{ ESF_SECTION("clock", clock_fields) },
	{ ESF_SECTION("storm", storm_fields) },
	{ ESF_SECTION("downsample", downsample_fields) },
	{ ESF_SECTION("deviation", deviation_fields) },
	{ ESF_SECTION("health", health_fields) },
	{ ESF_SECTION("compare", compare_fields) },
	{ ESF_SECTION("correlate", correlate_fields) },
	{ ESF_LIST("signatures", struct esf_file, config.signatures, signature_item, 0, 4096) },
	{ ESF_LIST("maintenance", struct esf_file, config.maintenance, maintenance_item, 0,
	    ESF_MAINTENANCE_MAX) },
	{ ESF_SECTION("ai", ai_fields) },
	{ ESF_SECTION("http", http_fields) },
	{ ESF_SECTION("history", history_fields) },
	{ ESF_SECTION("state", state_fields) },
	{ ESF_LIST("export", struct esf_file, config.export, export_item, 0, ESF_EXPORTS_MAX) },
	{ ESF_SECTION("reload", reload_fields) },
	ESF_END,
};

const struct esf_key esf_file_key = { .kind = ESF_KEY_MAPPING, .fields = file_fields };
