/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/prometheus.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/sight/prometheus_pipeline.h"
#include "control/sight/prometheus_comparison.h"
#include "control/sight/prometheus_export.h"
#include "control/sight/prometheus_pressure.h"

#ifndef ESF_VERSION
#define ESF_VERSION "unversioned" /* the build gives the project's */
#endif

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_count(
    FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_seconds(FILE *out, const char *name, const char *help, int64_t unix_ns)
{
	head(out, name, "gauge", help);
	fprintf(out, "%s %" PRId64 ".%09" PRId64 "\n", name, unix_ns / 1000000000,
	    unix_ns % 1000000000);
}

/* A label's value with its backslashes, quotes and line ends escaped. */
static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

/* Counts that differ in one label only. */
static void put_counts(FILE *out, const char *name, const char *label, const char *const *values,
    const uint64_t *counts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, values[i], counts[i]);
}

static void put_reloads(FILE *out, const struct esf_reload_counts *reloads)
{
	static const char *const results[] = { "done", "refused" };
	const uint64_t counts[] = { reloads->done, reloads->refused };

	head(out, "estream_reloads_total", "counter",
	    "Times the configuration was to be loaded anew, by what came of it.");
	put_counts(out, "estream_reloads_total", "result", results, counts, 2);
}

static void put_ledger(FILE *out, const struct esf_ledger *ledger)
{
	put_count(out, "estream_datagrams_received_total", "counter",
	    "Datagrams and other frames received from the ports.", ledger->datagrams_received);
	head(out, "estream_datagrams_total", "counter", "Datagrams by what became of them.");
	put_counts(out, "estream_datagrams_total", "verdict", esf_datagram_verdict_names,
	    ledger->datagrams, ESF_DATAGRAM_VERDICTS_COUNT);
	put_count(out, "estream_datagrams_in_flight", "gauge",
	    "Datagrams handed over to their owning lcore and not yet taken.",
	    ledger->datagrams_handed - ledger->datagrams_taken);
	put_count(out, "estream_records_received_total", "counter",
	    "Records decoded from accepted datagrams.", ledger->records_received);
	head(out, "estream_records_total", "counter", "Records by what became of them.");
	put_counts(out, "estream_records_total", "verdict", esf_record_verdict_names,
	    ledger->records, ESF_RECORD_VERDICTS_COUNT);
	head(out, "estream_shed_total", "counter",
	    "Datagrams refused by a site's token bucket in a storm, once for each site, by class.");
	put_counts(out, "estream_shed_total", "class", esf_shed_class_names, ledger->shed,
	    ESF_SHED_CLASSES);
	put_count(out, "estream_ledger_balanced", "gauge",
	    "1 while received is the sum of all verdicts and what is in flight, else 0.",
	    esf_ledger_balances(ledger));
}

static void put_history(FILE *out, const struct esf_history_status *history)
{
	put_count(out, "estream_history_well", "gauge",
	    "1 while the history's file could be written the last time, else 0.", history->well);
	put_count(out, "estream_history_written_total", "counter",
	    "Points and events written to the history.", history->written);
	put_count(out, "estream_history_dropped_total", "counter",
	    "Points and events that the history had no room for.", history->dropped);
	put_count(out, "estream_history_queued", "gauge",
	    "Points and events that wait to be written to the history.", history->queued);
	put_count(out, "estream_history_failures_total", "counter",
	    "Attempts to write the history that failed.", history->failures);
	put_count(out, "estream_history_set_aside_total", "counter",
	    "Corrupt files of the history that were renamed.", history->set_aside);
	put_seconds(out, "estream_history_written_timestamp_seconds",
	    "When the history was written last, Unix time; 0: not yet.", history->last_written);
}

static void put_state(FILE *out, const struct esf_state_status *state)
{
	put_count(out, "estream_snapshot_well", "gauge",
	    "1 while the snapshot's file could be written the last time, else 0.", state->well);
	put_seconds(out, "estream_snapshot_written_timestamp_seconds",
	    "Of when the latest snapshot of this run is, Unix time; 0: none yet.", state->time);
	put_count(out, "estream_snapshot_written_total", "counter", "Snapshots written.",
	    state->written);
	put_count(out, "estream_snapshot_failures_total", "counter",
	    "Snapshots that could not be made or written.", state->failures);
	put_count(out, "estream_snapshot_bytes", "gauge", "Size of the latest snapshot's file.",
	    state->size);
	put_seconds(out, "estream_snapshot_duration_seconds",
	    "From the asking for the latest snapshot to its being in place.", state->duration);
	put_count(out, "estream_snapshot_refused_total", "counter",
	    "Snapshots found at the start that were refused and set aside.", state->refused);
}

/* After a start with nothing all of it is 0. */
static void put_restart(FILE *out, const struct esf_state_status *state, uint64_t gap)
{
	put_seconds(out, "estream_snapshot_restored_timestamp_seconds",
	    "Of when the snapshot was that this run went on from, Unix time; 0: of none.",
	    state->warm ? state->snapshot_time : 0);
	put_count(out, "estream_snapshot_restored_sites", "gauge",
	    "Sites that this run took over from a snapshot.", state->sites);
	put_count(out, "estream_snapshot_restored_windows", "gauge",
	    "Open windows of sites that this run took over from a snapshot.", state->windows);
	put_count(out, "estream_snapshot_dropped", "gauge",
	    "Sites, and parts of others, in that snapshot that this configuration has no place for.",
	    state->dropped_sites + state->dropped_parts);
	put_count(out, "estream_restart_gap_total", "counter",
	    "ETD sequence numbers between a snapshot and the restart from it, of all restarts.", gap);
}

static void put_events(FILE *out, const struct esf_event_snapshot *events)
{
	head(out, "estream_events_total", "counter", "Events by the code of their signature.");
	for (uint32_t c = 0; c < events->codes_count; c++) {
		fputs("estream_events_total{", out);
		put_label(out, "code", events->codes[c]);
		fprintf(out, "} %" PRIu64 "\n", events->matched[c]);
	}
	head(out, "estream_events_suppressed_total", "counter",
	    "Of them those of sites that were in maintenance, by the code of their signature.");
	for (uint32_t c = 0; c < events->codes_count; c++) {
		fputs("estream_events_suppressed_total{", out);
		put_label(out, "code", events->codes[c]);
		fprintf(out, "} %" PRIu64 "\n", events->matched_suppressed[c]);
	}
	head(out, "estream_events_unmatched_total", "counter",
	    "Events and messages that no signature takes, by syslog severity.");
	for (int severity = 0; severity < ESF_SEVERITIES; severity++)
		fprintf(out, "estream_events_unmatched_total{severity=\"%d\"} %" PRIu64 "\n",
		    severity, events->unmatched[severity]);
	put_count(out, "estream_events_dropped_total", "counter",
	    "Events that found no room on their way to control.", events->dropped);
}

static void put_value(FILE *out, const char *metric, const char *scope, const char *name,
    const char *kpi, double value)
{
	if (!isfinite(value))
		return;
	fprintf(out, "%s{scope=\"%s\",", metric, scope);
	put_label(out, "name", name);
	if (kpi != NULL) {
		fputc(',', out);
		put_label(out, "kpi", kpi);
	}
	fprintf(out, "} %.17g\n", value);
}

static bool shows_sites(const struct esf_view *view)
{
	return view->fleet.total <= ESF_PROMETHEUS_SITES_MAX;
}

static void put_site(
    FILE *out, const char *metric, const struct esf_view *view, uint32_t index, double value)
{
	const struct esf_site_config *site = esf_roster_at(view->roster, index);

	if (site != NULL)
		put_value(out, metric, "site", site->name, NULL, value);
}

static void put_health(FILE *out, const struct esf_view *view)
{
	static const char name[] = "estream_health";

	head(out, name, "gauge",
	    "Health of the fleet, a region or a site in the latest closed window, 0 to 100.");
	put_value(out, name, "fleet", view->fleet.name, NULL, view->fleet.health);
	for (uint32_t r = 0; r < view->regions_count; r++)
		put_value(
		    out, name, "region", view->regions[r].name, NULL, view->regions[r].health);
	for (uint32_t s = 0; shows_sites(view) && s < view->sites_count; s++)
		put_site(out, name, view, s, view->sites[s].health);
}

static void put_coverage(FILE *out, const struct esf_view *view)
{
	static const char name[] = "estream_coverage";

	head(out, name, "gauge", "How much of what health is judged by was there, 0 to 1.");
	put_value(out, name, "fleet", view->fleet.name, NULL, view->fleet.coverage);
	for (uint32_t r = 0; r < view->regions_count; r++)
		put_value(
		    out, name, "region", view->regions[r].name, NULL, view->regions[r].coverage);
	for (uint32_t s = 0; shows_sites(view) && s < view->sites_count; s++)
		put_site(out, name, view, s, view->sites[s].coverage);
}

static void put_scope_kpis(
    FILE *out, const struct esf_view *view, const char *level, const struct esf_scope *scope)
{
	for (uint32_t k = 0; k < view->config->kpis_count; k++)
		put_value(out, "estream_kpi_mean", level, scope->name, view->config->kpis[k].name,
		    scope->kpis[k].mean);
}

static void put_modes(FILE *out, const struct esf_view *view)
{
	uint64_t counts[ESF_DEVIATION + 1] = { 0 };

	for (uint32_t s = 0; s < view->sites_count; s++)
		if (esf_roster_at(view->roster, s) != NULL)
			counts[view->sites[s].mode]++;
	head(out, "estream_sites_mode", "gauge", "Sites by the ingestion mode they are in.");
	put_counts(out, "estream_sites_mode", "mode", esf_mode_names, counts, ESF_DEVIATION + 1);
}

static uint64_t count_skewed(const struct esf_view *view)
{
	uint64_t count = 0;

	for (uint32_t s = 0; s < view->sites_count; s++)
		count += esf_roster_at(view->roster, s) != NULL && view->sites[s].skewed;
	return count;
}

static void put_learned(FILE *out, const struct esf_view *view)
{
	uint32_t room = esf_profile_limits(view->config->profile)->sites;
	uint64_t learned = 0;

	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		learned += site != NULL && site->learned;
	}
	put_count(out, "estream_sites_learned", "gauge",
	    "Sites that nobody listed, learned from their datagrams.", learned);
	put_count(out, "estream_sites_room", "gauge", "Sites that the profile still has room for.",
	    view->sites_count < room ? room - view->sites_count : 0);
}

static void put_storm(FILE *out, const struct esf_view *view)
{
	uint64_t storming = 0;

	for (uint32_t s = 0; s < view->sites_count; s++)
		storming += esf_roster_at(view->roster, s) != NULL && view->sites[s].storms;
	put_count(out, "estream_storm_active", "gauge",
	    "1 while a site or the fleet storms, else 0.", view->fleet_storms || storming > 0);
	put_count(out, "estream_sites_storming", "gauge",
	    "Sites that storm, and so are held to their rate.", storming);
}

/* With the labels of estream_health, so that an alert's rule can leave them out; and by status, as
 * estream_sites. */
static void put_maintenance(FILE *out, const struct esf_view *view)
{
	static const char name[] = "estream_sites_maintenance";
	uint64_t by_status[ESF_STATUS_UNKNOWN + 1] = { 0 };

	head(
	    out, name, "gauge", "Sites in maintenance in the fleet, in a region; 1: this site is.");
	put_value(out, name, "fleet", view->fleet.name, NULL, view->fleet.maintenance);
	for (uint32_t r = 0; r < view->regions_count; r++)
		put_value(
		    out, name, "region", view->regions[r].name, NULL, view->regions[r].maintenance);
	for (uint32_t s = 0; s < view->sites_count; s++) {
		if (esf_roster_at(view->roster, s) == NULL)
			continue;
		if (shows_sites(view))
			put_site(out, name, view, s, view->sites[s].maintenance != 0);
		by_status[view->sites[s].status] += view->sites[s].maintenance != 0;
	}
	head(out, "estream_sites_maintenance_status", "gauge", "Sites in maintenance by status.");
	put_counts(
	    out, "estream_sites_maintenance_status", "status", esf_status_names, by_status, 4);
}

static void put_view(FILE *out, const struct esf_view *view)
{
	const struct esf_scope *fleet = &view->fleet;
	const uint64_t counts[] = { fleet->good, fleet->degraded, fleet->bad, fleet->unknown };

	put_count(out, "estream_config_revision", "gauge", "Configurations loaded so far.",
	    view->config_revision);
	put_seconds(out, "estream_view_timestamp_seconds",
	    "When the latest closed window was judged, Unix time.", view->time);
	put_seconds(out, "estream_window_end_timestamp_seconds",
	    "End of the latest closed window, Unix time.", view->end);
	put_health(out, view);
	put_coverage(out, view);
	head(out, "estream_kpi_mean", "gauge",
	    "Weighted mean of a KPI over the sites of a region or of the fleet, in the KPI's "
	    "unit.");
	put_scope_kpis(out, view, "fleet", fleet);
	for (uint32_t r = 0; r < view->regions_count; r++)
		put_scope_kpis(out, view, "region", &view->regions[r]);
	head(out, "estream_sites", "gauge", "Sites by status.");
	put_counts(out, "estream_sites", "status", esf_status_names, counts, 4);
	put_modes(out, view);
	put_count(out, "estream_sites_reporting", "gauge",
	    "Sites with an accepted record in the latest closed window.", fleet->reporting);
	put_count(out, "estream_sites_skewed", "gauge",
	    "Sites whose clock is so far off that their records are future or late.",
	    count_skewed(view));
	put_storm(out, view);
	put_maintenance(out, view);
	esf_prometheus_put_comparison(out, view);
	put_learned(out, view);
}

int esf_prometheus_render(const struct esf_prometheus_input *input, char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (out == NULL)
		return -ENOMEM;
	head(out, "estream_build_info", "gauge", "1, labelled with the version that runs.");
	fputs("estream_build_info{version=\"" ESF_VERSION "\"} 1\n", out);
	put_seconds(out, "estream_start_time_seconds", "When estream-fleetd started, Unix time.",
	    input->started);
	if (input->published != INT64_MIN)
		put_seconds(out, "estream_published_timestamp_seconds",
		    "All that was accepted until then is published, Unix time.", input->published);
	put_ledger(out, input->ledger);
	put_reloads(out, &input->reloads);
	put_events(out, input->events);
	if (input->history != NULL && input->history->on)
		put_history(out, input->history);
	if (input->exports != NULL && input->exports->count > 0)
		esf_prometheus_put_exports(out, input->exports);
	if (input->state != NULL && input->state->on) {
		put_state(out, input->state);
		put_restart(out, input->state, input->ledger->forgotten);
	}
	if (input->pressure != NULL)
		esf_prometheus_put_pressure(out, input->pressure);
	if (input->pipeline != NULL)
		esf_prometheus_put_pipeline(out, input->pipeline);
	if (input->view != NULL)
		put_view(out, input->view);
	if (fclose(out) == 0)
		return 0;
	free(*text);
	return -ENOMEM;
}
