/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COMPARISON_H
#define ESF_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

#include "control/fleet/baseline.h"
#include "control/fleet/peers.h"

struct esf_view;

/*
 * What comparison says of one view's sites: of a closed window all of it; of the provisional one
 * only who is odd, as the latest closed windows have it. Belongs to its view, immutable like it.
 */
enum esf_odd {              /* bits */
	ESF_ODD_PEERS = 1,  /* against its peers: an outlier, CONTRACT 4.6 */
	ESF_ODD_ITSELF = 2, /* against what it usually is at this hour */
};

enum { ESF_NO_PEERS = UINT32_MAX };

struct esf_comparison {
	uint32_t columns_count; /* compared KPIs */
	uint32_t groups_count;  /* of peers */
	uint32_t sites_count;
	uint64_t rounds;          /* windows compared so far, since the start */
	uint32_t *column;         /* by index of config->kpis; columns_count: not compared */
	uint32_t *group;          /* by site; ESF_NO_PEERS. NULL: provisional */
	struct esf_peers *peers;  /* columns x groups; NULL: provisional */
	uint8_t *odd;             /* columns x sites: enum esf_odd */
	struct esf_usual **usual; /* by column, held; NULL: nothing is known yet */
	uint32_t (*counts)[4]; /* by column: sites by enum esf_odd's bits; in [0] those that are odd
	                          and about which nobody is alerted, in none of the others */
};

/* One site's KPI, put together. */
struct esf_oddity {
	bool compared;  /* the KPI is */
	uint32_t odd;   /* enum esf_odd */
	uint32_t peers; /* with data, itself included; 0: it has none itself, or no group */
	double median;  /* NaN: no verdict */
	double z;       /* NaN: no verdict */
	double usual;   /* NaN: not known */
	double self_z;  /* NaN: not known */
};

/* Readers of the view. */
void esf_comparison_read(
    const struct esf_view *view, uint32_t site, uint32_t kpi, struct esf_oddity *out);

/* Only its odd; 0 where the KPI is not compared. */
uint32_t esf_comparison_odd(const struct esf_view *view, uint32_t site, uint32_t kpi);

/* Sites that are odd in all of these ways and no other on the KPI, but for those in maintenance;
 * with none of the ways: those. */
uint32_t esf_comparison_count(const struct esf_view *view, uint32_t kpi, enum esf_odd odd);

/* Room for these, zeroed, the shapes set; NULL when out of memory. */
struct esf_comparison *esf_comparison_create(
    uint32_t kpis, uint32_t columns, uint32_t groups, uint32_t sites, bool closed);
/* NULL is allowed. */
void esf_comparison_free(struct esf_comparison *comparison);

#endif
