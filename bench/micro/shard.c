/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>

#include "dataplane/window.h"

/* Accumulating, by itself and as a whole datagram's take; publishing. */

enum { SITES = 64, SITES_MANY = 100000, ACCS_MAX = 16, RECORDS = 84 };

struct accs {
	struct esf_acc *accs;
	uint32_t count;
};

static double value_of(uint64_t i)
{
	return (double)(i & 255) * 0.5;
}

static void run_acc(void *context, uint64_t rounds)
{
	const struct accs *a = context;
	uint32_t at = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		esf_acc_add((struct esf_acc *)micro_hide(&a->accs[at]), value_of(i), 7);
		at = at + 1 == a->count ? 0 : at + 1;
	}
}

/* The sum alone, of as many lines. */
static void run_sum(void *context, uint64_t rounds)
{
	const struct accs *a = context;
	uint32_t at = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		((struct esf_acc *)micro_hide(&a->accs[at]))->sum += value_of(i);
		at = at + 1 == a->count ? 0 : at + 1;
	}
}

static void acc_row(struct micro *bench, const char *name, uint32_t count)
{
	struct accs a = { micro_allocate(count, sizeof(*a.accs)), count };
	const struct micro_case ours = { .name = name,
		.operations = 1,
		.state = count * sizeof(*a.accs),
		.run = run_acc,
		.context = &a };
	const struct micro_case floor = {
		.name = "a double added to", .operations = 1, .run = run_sum, .context = &a
	};

	micro_row(bench, "accumulate", &ours, &floor, NULL);
	free(a.accs);
}

struct takes {
	struct fleet fleet;
	struct fleet_datagram *datagrams;
	uint32_t at;
};

static void run_take(void *context, uint64_t rounds)
{
	struct takes *t = context;

	for (uint64_t i = 0; i < rounds; i++) {
		if (t->at == 0)
			t->fleet.seq++;
		fleet_take(&t->fleet, &t->datagrams[t->at]);
		t->at = t->at + 1 == SITES ? 0 : t->at + 1;
	}
}

static void prepare_take(void *context)
{
	struct takes *t = context;

	fleet_rest(&t->fleet);
}

static void take_row(
    struct micro *bench, struct takes *t, const char *name, uint32_t records, uint32_t stride)
{
	const struct micro_case ours = { .name = name,
		.operations = records,
		.state = SITES * (sizeof(*t->datagrams) + t->fleet.kpis * sizeof(struct esf_acc)),
		.prepare = prepare_take,
		.run = run_take,
		.context = t };

	for (uint32_t i = 0; i < SITES; i++)
		fleet_datagram(&t->fleet, i + 1, records, stride, &t->datagrams[i]);
	micro_row(bench, "take", &ours, NULL, NULL);
}

void micro_accumulate(struct micro *bench)
{
	struct takes t = { .at = 0 };

	if (micro_wants(bench, "accumulate")) {
		acc_row(bench, "one KPI", 1);
		acc_row(bench, "16 KPIs in turn", ACCS_MAX);
	}
	if (!micro_wants(bench, "take"))
		return;
	fleet_create(&t.fleet, SITES, ACCS_MAX);
	t.datagrams = micro_allocate(SITES, sizeof(*t.datagrams));
	take_row(bench, &t, "ETD of 1 record", 1, 0);
	take_row(bench, &t, "a record of 84, one KPI", RECORDS, 0);
	take_row(bench, &t, "a record of 84, 16 KPIs in turn", RECORDS, 1);
	free(t.datagrams);
	fleet_destroy(&t.fleet);
}

static void prepare_publish(void *context)
{
	struct fleet *fleet = context;

	fleet_rest(fleet);
	fleet_speak(fleet);
}

static void run_publish(void *context, uint64_t rounds)
{
	struct fleet *fleet = context;

	for (uint64_t i = 0; i < rounds; i++)
		esf_shard_publish(fleet->shard);
}

static void publish_row(struct micro *bench, uint32_t sites, uint32_t kpis)
{
	struct fleet fleet;
	char name[48];
	size_t size = (size_t)sites * (kpis + 1) * sizeof(struct esf_acc);
	struct micro_copy copy = { micro_allocate(1, size), micro_allocate(1, size), size };
	const struct micro_case ours = { .name = name,
		.operations = sites,
		.state = 2 * size,
		.single = true,
		.samples_max = 21,
		.prepare = prepare_publish,
		.run = run_publish,
		.context = &fleet };
	const struct micro_case floor = {
		.name = "memcpy", .operations = sites, .run = micro_copy_run, .context = &copy
	};

	fleet_create(&fleet, sites, kpis);
	snprintf(name, sizeof(name), "a site's block and card, %u x %u", sites, kpis);
	micro_row(bench, "publish", &ours, &floor, NULL);
	fleet_destroy(&fleet);
	free(copy.to);
	free((void *)copy.from);
}

void micro_publish(struct micro *bench)
{
	if (!micro_wants(bench, "publish"))
		return;
	publish_row(bench, 1000, 16);
	if (micro_options(bench)->sites >= SITES_MANY)
		publish_row(bench, SITES_MANY, 6);
}
