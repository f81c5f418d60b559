/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/comparison.h"

/*
 * Objects are filled through put_*, which take over what they are given and do nothing to an object
 * that is already NULL: a document is whole or NULL, however deep the failure was.
 */
static void put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

static void append(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

static void put_real(json_t **object, const char *key, double value)
{
	put(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void put_count(json_t **object, const char *key, uint64_t value)
{
	put(object, key, json_integer((json_int_t)value));
}

static void put_bool(json_t **object, const char *key, bool value)
{
	put(object, key, json_boolean(value));
}

static void put_string(json_t **object, const char *key, const char *value)
{
	put(object, key, json_string(value));
}

json_t *esf_document_window(const struct esf_view *view)
{
	json_t *document = json_object();

	put(&document, "start", json_integer(view->start));
	put(&document, "end", json_integer(view->end));
	put_bool(&document, "closed", view->closed);
	return document;
}

json_t *esf_document_maintenance(const struct esf_maintenance_config *window)
{
	if (window == NULL)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:s}", "scope", window->scope, "from",
	    (json_int_t)window->from_ns, "to", (json_int_t)window->to_ns, "why", window->why);
}

static json_t *scope_kpi(const struct esf_scope_kpi *kpi)
{
	json_t *document = json_object();

	put_real(&document, "mean", kpi->mean);
	put_real(&document, "stddev", kpi->stddev);
	put_real(&document, "min", kpi->min);
	put_real(&document, "max", kpi->max);
	put_real(&document, "p50", kpi->p50);
	put_real(&document, "p95", kpi->p95);
	put_count(&document, "sites", kpi->sites);
	put_count(&document, "samples", kpi->samples);
	put_real(&document, "score", kpi->score);
	put_real(&document, "contribution", kpi->contribution);
	return document;
}

static json_t *scope_sites(const struct esf_scope *scope)
{
	json_t *document = json_object();

	put_count(&document, "total", scope->total);
	put_count(&document, "reporting", scope->reporting);
	put_count(&document, "good", scope->good);
	put_count(&document, "degraded", scope->degraded);
	put_count(&document, "bad", scope->bad);
	put_count(&document, "unknown", scope->unknown);
	return document;
}

json_t *esf_document_scope(const struct esf_view *view, const struct esf_scope *scope)
{
	json_t *document = json_object(), *kpis = json_object();

	for (uint32_t k = 0; k < view->config->kpis_count; k++)
		put(&kpis, view->config->kpis[k].name, scope_kpi(&scope->kpis[k]));
	put_string(&document, "name", scope->name);
	put_real(&document, "health", scope->health);
	put_real(&document, "capped", scope->capped);
	put_string(&document, "status", esf_status_names[scope->status]);
	put_real(&document, "coverage", scope->coverage);
	put(&document, "sites", scope_sites(scope));
	put_count(&document, "maintenance", scope->maintenance);
	put(&document, "kpis", kpis);
	return document;
}

static json_t *regions(const struct esf_view *view)
{
	json_t *array = json_array();

	for (uint32_t r = 0; r < view->regions_count; r++)
		append(&array, esf_document_scope(view, &view->regions[r]));
	return array;
}

static json_t *storming_sites(const struct esf_view *view)
{
	json_t *array = json_array();

	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		if (site != NULL && view->sites[s].storms)
			append(&array, json_string(site->name));
	}
	return array;
}

static json_t *storm(const struct esf_view *view)
{
	json_t *document = json_object(), *sites = storming_sites(view);

	put_bool(&document, "active", view->fleet_storms || json_array_size(sites) > 0);
	put(&document, "sites", sites);
	put_bool(&document, "fleet", view->fleet_storms);
	return document;
}

json_t *esf_document_fleet(const struct esf_view *view)
{
	json_t *document = json_object();

	put(&document, "time", json_integer(view->time));
	put_count(&document, "config_revision", view->config_revision);
	put(&document, "window", esf_document_window(view));
	put(&document, "storm", storm(view));
	put(&document, "fleet", esf_document_scope(view, &view->fleet));
	put(&document, "regions", regions(view));
	return document;
}

/* By enum esf_odd. */
const char *const esf_document_odd[] = { NULL, "peers", "itself", "both" };

/* CONTRACT 4.6. Without a verdict z and median are absent; what the rounds before said holds on. */
static void put_oddity(json_t **document, const struct esf_oddity *of)
{
	put_real(document, "z", of->z);
	put_real(document, "median", of->median);
	put_bool(document, "outlier", of->odd & ESF_ODD_PEERS);
	put(document, "peers", of->peers > 0 ? json_integer(of->peers) : json_null());
	put_real(document, "usual", of->usual);
	put_real(document, "self_z", of->self_z);
	put(document, "odd", of->odd == 0 ? json_null() : json_string(esf_document_odd[of->odd]));
}

/* The KPI, or the maintenance, for which the window is no time of this one's. */
static const char *exclusion(const struct esf_view *view, const struct esf_site_kpi *kpi)
{
	return kpi->excluded == ESF_EXCLUDED_MAINTENANCE
	           ? "maintenance"
	           : view->config->kpis[kpi->excluded - 1].name;
}

json_t *esf_document_site_kpi(const struct esf_view *view, uint32_t site, uint32_t k)
{
	const struct esf_site_kpi *kpi = &view->sites[site].kpis[k];
	json_t *document = json_object();
	struct esf_oddity oddity;

	esf_comparison_read(view, site, k, &oddity);
	put_real(&document, "mean", kpi->mean);
	put_real(&document, "stddev", kpi->stddev);
	put_real(&document, "min", kpi->min);
	put_real(&document, "max", kpi->max);
	put_count(&document, "samples", kpi->samples);
	put_count(&document, "good", kpi->good);
	put_count(&document, "refused", kpi->refused);
	put_real(&document, "score", kpi->score);
	put_real(&document, "contribution", kpi->contribution);
	put_bool(&document, "derived", kpi->derived);
	put_bool(&document, "heard", kpi->heard);
	put(&document, "excluded",
	    kpi->excluded == 0 ? json_null() : json_string(exclusion(view, kpi)));
	put_oddity(&document, &oddity);
	return document;
}

static json_t *site_kpis(const struct esf_view *view, uint32_t site)
{
	json_t *document = json_object();

	for (uint32_t k = 0; k < view->config->kpis_count; k++)
		put(&document, view->config->kpis[k].name, esf_document_site_kpi(view, site, k));
	return document;
}

static json_t *labels(const struct esf_site_config *site)
{
	json_t *document = json_object();

	for (uint32_t i = 0; i < site->labels_count; i++)
		put_string(&document, site->labels[i].name, site->labels[i].value);
	return document;
}

static json_t *shed(const uint64_t *counts)
{
	json_t *document = json_object();

	for (uint32_t of = 0; of < ESF_SHED_CLASSES; of++)
		put_count(&document, esf_shed_class_names[of], counts[of]);
	return document;
}

json_t *esf_document_site(const struct esf_view *view, uint32_t site)
{
	const struct esf_site_config *config = esf_roster_at(view->roster, site);
	const struct esf_site_view *of = &view->sites[site];
	json_t *document = json_object();

	put(&document, "id", config->id == 0 ? json_null() : json_integer(config->id));
	put_string(&document, "name", config->name);
	put_string(&document, "region", view->regions[config->region].name);
	put_real(&document, "weight", config->weight);
	put_real(&document, "health", of->health);
	put_real(&document, "capped", of->capped);
	put_string(&document, "status", esf_status_names[of->status]);
	put_real(&document, "coverage", of->coverage);
	put(&document, "last_seen", of->last_seen == 0 ? json_null() : json_integer(of->last_seen));
	put_bool(&document, "silent", of->silent);
	put_bool(&document, "storm", of->storms);
	put(&document, "maintenance",
	    esf_document_maintenance(
	        of->maintenance == 0 ? NULL : &view->config->maintenance[of->maintenance - 1]));
	put_string(&document, "mode", esf_mode_names[of->mode]);
	put_count(&document, "lost", of->lost);
	put_count(&document, "duplicates", of->duplicates);
	put_count(&document, "unmapped", of->unmapped);
	put(&document, "shed", shed(of->shed));
	put(&document, "clock_offset",
	    of->clock_offset == ESF_SKEW_UNKNOWN ? json_null() : json_integer(of->clock_offset));
	put_bool(&document, "skewed", of->skewed);
	put(&document, "kpis", site_kpis(view, site));
	put(&document, "labels", labels(config));
	put_bool(&document, "learned", config->learned);
	return document;
}

/* {received, accepted, then every other verdict in its order}; *sum is what all verdicts add up to.
 */
static json_t *verdicts(uint64_t received, const char *const *names, const uint64_t *counts,
    uint32_t count, uint32_t accepted, uint64_t *sum)
{
	json_t *document = json_object();

	*sum = 0;
	put_count(&document, "received", received);
	put_count(&document, names[accepted], counts[accepted]);
	for (uint32_t i = 0; i < count; i++) {
		*sum += counts[i];
		if (i != accepted)
			put_count(&document, names[i], counts[i]);
	}
	return document;
}

static json_t *datagrams(uint64_t received, const uint64_t *counts, uint64_t *sum)
{
	return verdicts(received, esf_datagram_verdict_names, counts, ESF_DATAGRAM_VERDICTS_COUNT,
	    ESF_DATAGRAM_ACCEPTED, sum);
}

static json_t *records(uint64_t received, const uint64_t *counts, uint64_t *sum)
{
	return verdicts(received, esf_record_verdict_names, counts, ESF_RECORD_VERDICTS_COUNT,
	    ESF_RECORD_ACCEPTED, sum);
}

json_t *esf_document_ledger(const struct esf_ledger *ledger, const struct esf_pressure *pressure)
{
	json_t *document = json_object();
	uint64_t sum;

	put(&document, "datagrams", datagrams(ledger->datagrams_received, ledger->datagrams, &sum));
	put(&document, "records", records(ledger->records_received, ledger->records, &sum));
	put_count(&document, "in_flight", ledger->datagrams_handed - ledger->datagrams_taken);
	put_bool(&document, "balanced", esf_ledger_balances(ledger));
	put(&document, "nic", esf_document_nic(pressure));
	put(&document, "mbufs", esf_document_mbufs(pressure));
	put(&document, "rings", esf_document_rings(pressure));
	put(&document, "mempools", esf_document_mempools(pressure));
	return document;
}

/* A site's datagrams are counted by its owner, once it has them: none is ever in flight. */
json_t *esf_document_site_ledger(const struct esf_site_ledger *ledger)
{
	uint64_t counts[ESF_DATAGRAM_VERDICTS_COUNT] = { 0 };
	json_t *document = json_object();
	uint64_t datagrams_sum, records_sum;

	memcpy(counts + ESF_SITE_DATAGRAM_FIRST, ledger->datagrams, sizeof(ledger->datagrams));
	put(&document, "datagrams", datagrams(ledger->datagrams_received, counts, &datagrams_sum));
	put(&document, "records", records(ledger->records_received, ledger->records, &records_sum));
	put_count(&document, "in_flight", 0);
	put_bool(&document, "balanced",
	    datagrams_sum == ledger->datagrams_received && records_sum == ledger->records_received);
	return document;
}

struct id_and_index {
	uint32_t id; /* 0, none, comes last */
	uint32_t index;
};

static int by_id(const void *a, const void *b)
{
	const struct id_and_index *left = a, *right = b;

	if (left->id != right->id)
		return left->id - 1 < right->id - 1 ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static json_t *sites_by_id(const struct esf_view *view)
{
	struct id_and_index *order = calloc(view->sites_count + (size_t)1, sizeof(*order));
	uint32_t count = 0;
	json_t *array = json_array();

	if (order == NULL) {
		json_decref(array);
		return NULL;
	}
	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		if (site != NULL)
			order[count++] = (struct id_and_index){ site->id, s };
	}
	qsort(order, count, sizeof(*order), by_id);
	for (uint32_t i = 0; i < count; i++)
		append(&array, esf_document_site(view, order[i].index));
	free(order);
	return array;
}

json_t *esf_document_replay_window(const struct esf_view *view)
{
	json_t *document = json_object();

	put(&document, "window", esf_document_window(view));
	put(&document, "storm", storm(view));
	put(&document, "fleet", esf_document_scope(view, &view->fleet));
	put(&document, "regions", regions(view));
	put(&document, "sites", sites_by_id(view));
	return document;
}
