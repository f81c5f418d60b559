/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/encode.h"
#include "control/config/load.h"
#include "control/policy.h"
#include "dataplane/etd_wire.h"
#include "micro.h"

#define SECOND INT64_C(1000000000)

enum { BOOT = 1699999000, AT_SEQ = 20, REGIONS = 10 };

static const int64_t now_ns = INT64_C(1700000002) * SECOND;

static struct esf_config *make_config(uint32_t sites, uint32_t kpis)
{
	struct esf_config *config;
	struct esf_faults faults;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		micro_fail("out of memory");
	fprintf(out, "profile: %s\ndomain: custom\ningestion: full\nunknown_sites: learn\n",
	    sites > 10000 ? "xlarge" : "large");
	fputs("ports: [{port: 0}]\nlisteners: [{udp: 47700, format: etd}]\n", out);
	fputs("storm: {site_rate: 1000000000, site_burst: 1000000000, "
	      "fleet_enter: 1000000000, fleet_exit: 999999999}\nregions:\n",
	    out);
	for (int i = 0; i < REGIONS; i++)
		fprintf(out, "  - {name: r%d, match: \"site-*%d\"}\n", i, i);
	fputs("kpis:\n", out);
	for (uint32_t i = 0; i < kpis; i++)
		fprintf(out,
		    "  - {name: k%u, good: [0.5, null], warn: [0.2, null], crit: [0.1, null], "
		    "weight: 0.2, compare: true}\n",
		    i);
	fclose(out);
	if (esf_config_load_memory("micro.yaml", text, size, &config, &faults) != 0) {
		for (uint32_t i = 0; i < faults.count; i++)
			fprintf(stderr, "%s\n", faults.lines[i]);
		micro_fail("the configuration is refused");
	}
	esf_faults_free(&faults);
	free(text);
	return config;
}

static void take_one(struct fleet *fleet, const struct esf_parcel *parcel, const uint8_t *payload)
{
	esf_shard_take(fleet->shard, &parcel, &payload, 1);
}

static void take(struct fleet *fleet, const uint8_t *data, uint32_t size)
{
	const struct esf_parcel parcel = { .size = (uint16_t)size,
		.kind = ESF_PARCEL_DATAGRAM,
		.site = ESF_NO_SITE,
		.arrival = fleet->now };

	take_one(fleet, &parcel, data);
}

static void be_born(struct fleet *fleet, uint32_t site)
{
	const struct esf_encode_header header = {
		.kind = ESF_ETD_BIRTH, .site = site, .boot = BOOT, .seq = 1, .time_ns = fleet->now
	};
	uint8_t data[1400];
	struct esf_encode encoded = { .data = data, .capacity = sizeof(data) };
	char name[16];

	esf_encode_etd(&encoded, &header);
	for (uint32_t i = 0; i < fleet->kpis; i++) {
		snprintf(name, sizeof(name), "k%u", i);
		if (!esf_encode_etd_birth(&encoded, (uint16_t)i, 0, name, ""))
			micro_fail("a birth has too many KPIs");
	}
	take(fleet, data, encoded.size);
}

void fleet_datagram(const struct fleet *fleet, uint32_t site, uint32_t records, uint32_t stride,
    struct fleet_datagram *out)
{
	const struct esf_encode_header header = {
		.kind = ESF_ETD_DATA, .site = site, .boot = BOOT, .seq = 1, .time_ns = fleet->now
	};
	struct esf_encode encoded = { .data = out->data, .capacity = sizeof(out->data) };

	esf_encode_etd(&encoded, &header);
	for (uint32_t i = 0; i < records; i++)
		if (!esf_encode_etd_data(&encoded, (uint16_t)(i * stride % fleet->kpis), 0, 0,
		        0.1 + (site * 7919 + i * 104729) % 80000 * 1e-5))
			micro_fail("a datagram has too many records");
	out->parcel = (struct esf_parcel){ .size = (uint16_t)encoded.size,
		.kind = ESF_PARCEL_DATAGRAM,
		.site = ESF_NO_SITE,
		.arrival = fleet->now };
}

void fleet_take(struct fleet *fleet, struct fleet_datagram *datagram)
{
	memcpy(datagram->data + AT_SEQ, &fleet->seq, sizeof(fleet->seq));
	take_one(fleet, &datagram->parcel, micro_hide(datagram->data));
}

void fleet_speak(struct fleet *fleet)
{
	static struct fleet_datagram datagram;

	fleet->seq++;
	for (uint32_t site = 1; site <= fleet->sites; site++) {
		fleet_datagram(fleet, site, fleet->kpis, 1, &datagram);
		fleet_take(fleet, &datagram);
	}
}

void fleet_rest(struct fleet *fleet)
{
	esf_shard_begin(fleet->shard, fleet->now);
	rcu_quiescent_state();
	rcu_barrier();
}

void fleet_check(const struct fleet *fleet)
{
	const struct esf_ledger *ledger = esf_shard_ledger(fleet->shard);

	if (!esf_ledger_balances(ledger))
		micro_fail("the ledger does not balance");
	if (ledger->datagrams[ESF_DATAGRAM_ACCEPTED] == 0 ||
	    ledger->records[ESF_RECORD_ACCEPTED] != ledger->records_received)
		micro_fail("not all records were accepted");
}

void fleet_create(struct fleet *fleet, uint32_t sites, uint32_t kpis)
{
	static const uint8_t hash_key[16] = { 1 };
	struct esf_plane_options options;

	*fleet = (struct fleet){ .sites = sites, .kpis = kpis, .seq = 1, .now = now_ns };
	fleet->config = make_config(sites, kpis);
	options = esf_policy_plane_options(fleet->config, hash_key);
	options.shards_count = 1;
	options.owners = 1;
	options.owner_is_receiver = true;
	if (esf_policy_create(fleet->config, NULL, 1, hash_key, &fleet->policy, stderr) != 0 ||
	    esf_plane_create(&options, &fleet->plane) != 0)
		micro_fail("no plane");
	esf_plane_set_policy(fleet->plane, fleet->policy);
	fleet->shard = esf_plane_shard(fleet->plane, 0);
	fleet->roster = esf_roster_create(fleet->config, options.sites_count);
	if (fleet->roster == NULL)
		micro_fail("out of memory");
	fleet->judge = esf_judge_create(fleet->config, 1, fleet->roster, fleet->plane, INT64_MIN);
	if (fleet->judge == NULL)
		micro_fail("out of memory");
	esf_shard_begin(fleet->shard, fleet->now);
	for (uint32_t site = 1; site <= sites; site++)
		be_born(fleet, site);
	fleet_speak(fleet);
	esf_shard_publish(fleet->shard);
	fleet_rest(fleet);
	fleet_check(fleet);
}

void fleet_destroy(struct fleet *fleet)
{
	fleet_check(fleet);
	rcu_barrier();
	esf_judge_destroy(fleet->judge);
	esf_roster_destroy(fleet->roster);
	esf_plane_destroy(fleet->plane);
	esf_policy_destroy(fleet->policy, NULL);
	esf_config_free(fleet->config);
}
