/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "value.h"

static void print_duration(FILE *out, int64_t ns)
{
	char text[ESF_DURATION_TEXT_SIZE];

	fputs(esf_value_duration_text(ns, text), out);
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
	fprintf(out, "%d", config->ingestion);
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
	for (uint32_t i = 0; i < config->listeners_count; i++) {
		const struct esf_listener_config *listener = &config->listeners[i];

		fprintf(out, "%u %d %d %" PRId64 " ", listener->udp, listener->format,
		    listener->require_seal, listener->precision_ns);
		print_text(out, listener->site_tag);
	}
}

void esf_print_regions(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->regions_count; i++) {
		const struct esf_region_config *region = &config->regions[i];

		print_text(out, region->name);
		print_text(out, region->match);
		for (uint32_t j = 0; j < region->sites_count; j++)
			print_text(out, region->sites[j]);
		fputc('\n', out);
	}
}

void esf_print_unknown_sites(FILE *out, const struct esf_config *config)
{
	fputs(config->learn_sites ? "learn" : "refuse", out);
}

void esf_print_rules(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->rules.count; i++) {
		const struct esf_rule *rule = &config->rules.rules[i];

		print_text(out, config->rules.patterns[i]);
		fprintf(out, "%.17g %.17g %.17g %.17g %u %u\n", rule->scale, rule->offset,
		    rule->min, rule->max, rule->kpi, rule->type);
	}
}

void esf_print_kpis(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		const struct esf_kpi *kpi = &config->kpis[i];
		const struct esf_bands *bands = &kpi->bands;

		print_text(out, kpi->name);
		print_text(out, kpi->unit);
		print_text(out, kpi->expr);
		fprintf(out, "%d %.17g %d %d %.17g %" PRIx64, kpi->source, kpi->weight, kpi->vital,
		    kpi->compare, kpi->min_effect, kpi->exclude);
		for (int side = 0; side < 2; side++)
			fprintf(out, " %.17g %.17g %.17g", bands->good[side], bands->warn[side],
			    bands->crit[side]);
		fputc('\n', out);
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
	esf_print_window(out, config);
	esf_print_windows_open(out, config);
	esf_print_epoch(out, config);
	for (uint32_t i = 0; i < config->rollup.intervals_count; i++)
		print_duration(out, config->rollup.intervals_ns[i]);
}

void esf_print_sequence_window(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%u", config->dedup.sequence_window);
}

void esf_print_dedup(FILE *out, const struct esf_config *config)
{
	esf_print_sequence_window(out, config);
	fprintf(out, " %" PRId64, config->dedup.line_window_ns);
}

void esf_print_clock(FILE *out, const struct esf_config *config)
{
	print_duration(out, config->clock.max_skew_ns);
}

void esf_print_storm(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%u %u %u %u %" PRId64, config->storm.site_rate, config->storm.site_burst,
	    config->storm.fleet_enter, config->storm.fleet_exit, config->storm.min_hold_ns);
}

void esf_print_downsample(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%.17g %u", config->downsample.healthy_above, config->downsample.keep_one_in);
}

void esf_print_deviation(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%.17g %" PRId64, config->deviation.band, config->deviation.max_silence_ns);
}

void esf_print_health(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%.17g %.17g %.17g %.17g", config->health.good, config->health.degraded,
	    config->health.min_coverage, config->health.vital_cap);
}

void esf_print_compare(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%.17g %d %u %u %u %u", config->compare.threshold, config->compare.fleetwise,
	    config->compare.min_peers, config->compare.rounds[0], config->compare.rounds[1],
	    config->compare.baseline_slots);
	print_text(out, config->compare.peers);
}

void esf_print_correlate(FILE *out, const struct esf_config *config)
{
	fprintf(out, "%" PRId64 " %u", config->correlate.group_ns, config->correlate.silent_after);
}

void esf_print_signatures(FILE *out, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->signatures_count; i++) {
		const struct esf_signature_config *signature = &config->signatures[i];

		print_text(out, signature->match);
		print_text(out, signature->code);
		fprintf(out, "%u %u\n", signature->severity, signature->state);
	}
}

void esf_print_listen(FILE *out, const struct esf_config *config)
{
	bool v6 = strchr(config->http.address, ':') != NULL;

	fprintf(out, "%s%s%s:%u", v6 ? "[" : "", config->http.address, v6 ? "]" : "",
	    config->http.port);
}
