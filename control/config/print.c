/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/etd_wire.h"
#include "value.h"

static void print_duration(FILE *out, int64_t ns)
{
	char text[ESF_DURATION_TEXT_SIZE];

	fputs(esf_value_duration_text(ns, text), out);
}

/* As few digits as lead back to the same number. */
static void print_number(FILE *out, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	fputs(text, out);
}

static void put_number(FILE *out, const char *path, double value)
{
	fprintf(out, "%s\t", path);
	print_number(out, value);
	fputc('\n', out);
}

static void put_count(FILE *out, const char *path, uint32_t value)
{
	fprintf(out, "%s\t%u\n", path, value);
}

static void put_duration(FILE *out, const char *path, int64_t ns)
{
	fprintf(out, "%s\t", path);
	print_duration(out, ns);
	fputc('\n', out);
}

static void print_text(FILE *out, const char *text)
{
	if (text == NULL)
		fputs("null", out);
	else
		fprintf(out, "\"%s\"", text);
}

static void print_address(FILE *out, const struct esf_address *address)
{
	bool v4 = esf_address_is_ipv4(address);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), text, sizeof(text));
	fputs(text, out);
}

void esf_print_profile(FILE *out, const struct esf_config *config)
{
	fputs(esf_profile_limits(config->profile)->name, out);
}

void esf_print_domain(FILE *out, const struct esf_config *config)
{
	static const char *const names[] = {
		[ESF_ENERGY] = "energy",
		[ESF_MANUFACTURING] = "manufacturing",
		[ESF_LOGISTICS] = "logistics",
		[ESF_CUSTOM] = "custom",
	};

	fputs(names[config->domain], out);
}

void esf_print_ingestion(FILE *out, const struct esf_config *config)
{
	static const char *const names[] = {
		[ESF_FULL] = "full",
		[ESF_DOWNSAMPLE] = "downsample",
		[ESF_DEVIATION] = "deviation",
	};

	fputs(names[config->ingestion], out);
}

void esf_print_eal(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->eal_count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : " ", config->eal[i]);
}

void esf_print_lcores(FILE *out, const struct esf_config *config)
{
	if (config->lcores_auto)
		fputs("auto", out);
	for (uint32_t i = 0; !config->lcores_auto && i < config->lcores_count; i++)
		fprintf(out, "%s%u", i == 0 ? "" : ",", config->lcores[i]);
}

void esf_print_receive_only(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->receive_only_count; i++)
		fprintf(out, "%s%u", i == 0 ? "" : ",", config->receive_only[i]);
}

void esf_print_idle_policy(FILE *out, const struct esf_config *config)
{
	fputs(esf_idle_names[config->idle.policy], out);
}

void esf_print_idle_sleep(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%u", config->idle.max_sleep_us);
}

void esf_print_idle(FILE *out, const struct esf_config *config)
{
	fprintf(out, "idle.policy\t%s\n", esf_idle_names[config->idle.policy]);
	put_count(out, "idle.max_sleep_us", config->idle.max_sleep_us);
}

void esf_print_ports(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->ports_count; i++) {
		const struct esf_port_config *port = &config->ports[i];

		fprintf(out, "%sport %u:", i == 0 ? "" : ", ", port->port);
		for (uint32_t j = 0; j < port->addresses_count; j++) {
			fputc(' ', out);
			print_address(out, &port->addresses[j].address);
			fprintf(out, "/%u", port->addresses[j].prefix_bits);
		}
	}
}

void esf_print_listeners(FILE *out, const struct esf_config *config)
{
	static const char *const formats[] = {
		[ESF_FORMAT_ETD] = "etd",
		[ESF_FORMAT_INFLUX] = "influx",
		[ESF_FORMAT_STATSD] = "statsd",
		[ESF_FORMAT_SYSLOG] = "syslog",
	};

	for (uint32_t i = 0; i < config->listeners_count; i++) {
		const struct esf_listener_config *listener = &config->listeners[i];

		fprintf(out, "listeners.%u\t%s, require_seal %s, site_tag %s, precision ",
		    listener->udp, formats[listener->format],
		    listener->require_seal ? "true" : "false", listener->site_tag);
		fprintf(out, "%" PRId64 " ns\n", listener->precision_ns);
	}
}

void esf_print_regions(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->regions_count; i++) {
		const struct esf_region_config *region = &config->regions[i];

		fprintf(out, "regions.%s\tmatch ", region->name);
		print_text(out, region->match);
		fputs(", sites [", out);
		for (uint32_t j = 0; j < region->sites_count; j++)
			fprintf(out, "%s%s", j == 0 ? "" : ", ", region->sites[j]);
		fputs("]\n", out);
	}
}

void esf_print_unknown_sites(FILE *out, const struct esf_config *config)
{
	fputs(config->learn_sites ? "learn" : "refuse", out);
}

static const char *measure_name(const struct esf_config *config, uint32_t measure)
{
	for (uint32_t i = 0; i < config->kpis_count; i++)
		if (config->kpis[i].source == ESF_KPI_MEASURED &&
		    config->kpis[i].measure == measure)
			return config->kpis[i].name;
	return "none";
}

void esf_print_rules(FILE *out, const struct esf_config *config)
{
	static const char *const types[] = {
		[ESF_RULE_GAUGE] = "gauge",
		[ESF_RULE_COUNTER] = "counter",
		[ESF_RULE_AS_BORN] = "as sent",
	};

	for (uint32_t i = 0; i < config->rules.count; i++) {
		const struct esf_rule *rule = &config->rules.rules[i];

		fputs("normalise.", out);
		print_text(out, config->rules.patterns[i]);
		fprintf(out, "\t%s, scale ", measure_name(config, rule->kpi));
		print_number(out, rule->scale);
		fputs(", offset ", out);
		print_number(out, rule->offset);
		fputs(", min ", out);
		print_number(out, rule->min);
		fputs(", max ", out);
		print_number(out, rule->max);
		fprintf(out, ", type %s\n", types[rule->type]);
	}
}

static void put_kpi_number(FILE *out, const struct esf_kpi *kpi, const char *key, double value)
{
	fprintf(out, "kpis.%s.%s\t", kpi->name, key);
	print_number(out, value);
	fputc('\n', out);
}

static void put_band(FILE *out, const struct esf_kpi *kpi, const char *key, const double edges[2])
{
	fprintf(out, "kpis.%s.%s\t[", kpi->name, key);
	print_number(out, edges[0]);
	fputs(", ", out);
	print_number(out, edges[1]);
	fputs("]\n", out);
}

static void print_scoring(FILE *out, const struct esf_kpi *kpi)
{
	put_kpi_number(out, kpi, "weight", kpi->weight);
	put_kpi_number(out, kpi, "min_effect", kpi->min_effect);
	put_band(out, kpi, "good", kpi->bands.good);
	put_band(out, kpi, "warn", kpi->bands.warn);
	put_band(out, kpi, "crit", kpi->bands.crit);
}

void esf_print_kpis(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		const struct esf_kpi *kpi = &config->kpis[i];

		fprintf(out, "kpis.%s.unit\t", kpi->name);
		print_text(out, kpi->unit);
		fprintf(out, "\nkpis.%s.expr\t", kpi->name);
		print_text(out, kpi->expr);
		fprintf(out, "\nkpis.%s.derived\t%s\n", kpi->name,
		    kpi->source == ESF_KPI_DERIVED ? "true" : "false");
		fprintf(out, "kpis.%s.heard\t%s\n", kpi->name, kpi->heard ? "true" : "false");
		fprintf(out, "kpis.%s.vital\t%s\n", kpi->name, kpi->vital ? "true" : "false");
		fprintf(out, "kpis.%s.compare\t%s\n", kpi->name, kpi->compare ? "true" : "false");
		fprintf(out, "kpis.%s.exclude\t", kpi->name);
		for (uint32_t j = 0; j < kpi->excludes_count; j++)
			fprintf(out, "%s%s", j == 0 ? "" : ", ", kpi->excludes[j]);
		fputc('\n', out);
		print_scoring(out, kpi);
	}
}

void esf_print_measures(FILE *out, const struct esf_config *config)
{
	const char *separator = "";

	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (config->kpis[i].source != ESF_KPI_MEASURED)
			continue;
		fprintf(out, "%s%s", separator, config->kpis[i].name);
		separator = " ";
	}
}

void esf_print_window(FILE *out, const struct esf_config *config)
{
	print_duration(out, config->rollup.window_ns);
}

void esf_print_windows_open(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%u", config->rollup.windows_open);
}

void esf_print_epoch(FILE *out, const struct esf_config *config)
{
	print_duration(out, config->rollup.epoch_ns);
}

void esf_print_rollup(FILE *out, const struct esf_config *config)
{
	put_duration(out, "rollup.window", config->rollup.window_ns);
	put_count(out, "rollup.windows_open", config->rollup.windows_open);
	put_duration(out, "rollup.epoch", config->rollup.epoch_ns);
	fputs("rollup.intervals\t", out);
	for (uint32_t i = 0; i < config->rollup.intervals_count; i++) {
		fputs(i == 0 ? "" : ", ", out);
		print_duration(out, config->rollup.intervals_ns[i]);
	}
	fputc('\n', out);
}

void esf_print_sequence_window(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%u", config->dedup.sequence_window);
}

void esf_print_dedup(FILE *out, const struct esf_config *config)
{
	put_count(out, "dedup.sequence_window", config->dedup.sequence_window);
	put_duration(out, "dedup.line_window", config->dedup.line_window_ns);
}

void esf_print_clock(FILE *out, const struct esf_config *config)
{
	put_duration(out, "clock.max_skew", config->clock.max_skew_ns);
}

void esf_print_storm(FILE *out, const struct esf_config *config)
{
	put_count(out, "storm.site_rate", config->storm.site_rate);
	put_count(out, "storm.site_burst", config->storm.site_burst);
	put_count(out, "storm.fleet_enter", config->storm.fleet_enter);
	put_count(out, "storm.fleet_exit", config->storm.fleet_exit);
	put_duration(out, "storm.min_hold", config->storm.min_hold_ns);
}

void esf_print_downsample(FILE *out, const struct esf_config *config)
{
	put_number(out, "downsample.healthy_above", config->downsample.healthy_above);
	put_count(out, "downsample.keep_one_in", config->downsample.keep_one_in);
}

void esf_print_deviation(FILE *out, const struct esf_config *config)
{
	put_number(out, "deviation.band", config->deviation.band);
	put_duration(out, "deviation.max_silence", config->deviation.max_silence_ns);
}

void esf_print_health(FILE *out, const struct esf_config *config)
{
	put_number(out, "health.good", config->health.good);
	put_number(out, "health.degraded", config->health.degraded);
	put_number(out, "health.min_coverage", config->health.min_coverage);
	put_number(out, "health.vital_cap", config->health.vital_cap);
	put_number(out, "health.hysteresis", config->health.hysteresis);
}

void esf_print_compare(FILE *out, const struct esf_config *config)
{
	put_number(out, "compare.threshold", config->compare.threshold);
	fprintf(out, "compare.calibrate\t%s\n", config->compare.fleetwise ? "fleetwise" : "none");
	put_count(out, "compare.min_peers", config->compare.min_peers);
	fprintf(out, "compare.rounds\t[%u, %u]\n", config->compare.rounds[0],
	    config->compare.rounds[1]);
	fprintf(out, "compare.baseline\t%s\n",
	    config->compare.baseline_slots == 0    ? "none"
	    : config->compare.baseline_slots == 24 ? "day"
	                                           : "week");
	fprintf(out, "compare.peers\t%s\n", config->compare.peers);
}

void esf_print_correlate(FILE *out, const struct esf_config *config)
{
	put_duration(out, "correlate.group", config->correlate.group_ns);
	put_count(out, "correlate.silent_after", config->correlate.silent_after);
}

void esf_print_signatures(FILE *out, const struct esf_config *config)
{
	static const char *const states[] = {
		[ESF_ETD_MESSAGE] = "message",
		[ESF_ETD_RAISE] = "raise",
		[ESF_ETD_CLEAR] = "clear",
	};

	for (uint32_t i = 0; i < config->signatures_count; i++) {
		const struct esf_signature_config *signature = &config->signatures[i];

		fputs("signatures.", out);
		print_text(out, signature->match);
		fprintf(out, "\tcode %s", signature->code);
		if (signature->severity != (uint8_t)ESF_SIGNATURE_AS_SENT)
			fprintf(out, ", severity %u", signature->severity);
		if (signature->state <= ESF_ETD_CLEAR)
			fprintf(out, ", state %s", states[signature->state]);
		fputc('\n', out);
	}
}

void esf_print_maintenance(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->maintenance_count; i++) {
		const struct esf_maintenance_config *window = &config->maintenance[i];
		char from[ESF_TIME_TEXT_SIZE], to[ESF_TIME_TEXT_SIZE];

		fprintf(out, "maintenance.%s from %s\tto %s, why %s\n", window->scope,
		    esf_value_time_text(window->from_ns, from),
		    esf_value_time_text(window->to_ns, to), window->why);
	}
}

void esf_print_reload(FILE *out, const struct esf_config *config)
{
	fprintf(out, "reload.watch\t%s\n", config->reload.watch ? "true" : "false");
}

void esf_print_listen(FILE *out, const struct esf_config *config)
{
	bool v6 = strchr(config->http.address, ':') != NULL;

	fprintf(out, "%s%s%s:%u", v6 ? "[" : "", config->http.address, v6 ? "]" : "",
	    config->http.port);
}
