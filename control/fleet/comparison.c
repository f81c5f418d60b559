/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/comparison.h"

#include <math.h>
#include <stdlib.h>

#include "control/fleet/pages.h"
#include "control/fleet/view.h"

static void *carve(char *base, size_t *used, size_t count, size_t size)
{
	void *taken = base == NULL ? NULL : base + *used;

	*used += (count * size + 15) / 16 * 16;
	return taken;
}

/* With base NULL: only how many bytes it takes. */
static size_t lay_out(struct esf_comparison *of, char *base, uint32_t kpis, bool closed)
{
	size_t used = 0, columns = of->columns_count;

	carve(base, &used, 1, sizeof(*of));
	of->column = carve(base, &used, kpis, sizeof(*of->column));
	of->counts = carve(base, &used, columns, sizeof(*of->counts));
	of->usual = carve(base, &used, columns, sizeof(*of->usual));
	of->odd = carve(base, &used, columns * of->sites_count, sizeof(*of->odd));
	if (!closed)
		return used;
	of->group = carve(base, &used, of->sites_count, sizeof(*of->group));
	of->peers = carve(base, &used, columns * of->groups_count, sizeof(*of->peers));
	return used;
}

struct esf_comparison *esf_comparison_create(
    uint32_t kpis, uint32_t columns, uint32_t groups, uint32_t sites, bool closed)
{
	struct esf_comparison shape = {
		.columns_count = columns,
		.groups_count = groups,
		.sites_count = sites,
	};
	char *memory = esf_pages_zeroed(lay_out(&shape, NULL, kpis, closed));

	if (memory == NULL)
		return NULL;
	lay_out(&shape, memory, kpis, closed);
	*(struct esf_comparison *)memory = shape;
	return (struct esf_comparison *)memory;
}

void esf_comparison_free(struct esf_comparison *comparison)
{
	if (comparison == NULL)
		return;
	for (uint32_t c = 0; c < comparison->columns_count; c++)
		esf_usual_let_go(comparison->usual[c]);
	free(comparison);
}

static void read_peers(const struct esf_comparison *of, uint32_t site, uint32_t column, double x,
    struct esf_oddity *out)
{
	const struct esf_peers *peers;

	if (of->group == NULL || of->group[site] == ESF_NO_PEERS)
		return;
	peers = &of->peers[(size_t)column * of->groups_count + of->group[site]];
	out->peers = peers->count;
	if (isinf(peers->threshold))
		return;
	out->median = peers->median;
	out->z = esf_peers_score(peers, x);
}

void esf_comparison_read(
    const struct esf_view *view, uint32_t site, uint32_t kpi, struct esf_oddity *out)
{
	const struct esf_comparison *of = view->comparison;
	const struct esf_site_kpi *value = &view->sites[site].kpis[kpi];
	double x = esf_view_compared(value);
	uint32_t column;

	*out = (struct esf_oddity){ .median = NAN, .z = NAN, .usual = NAN, .self_z = NAN };
	if (of == NULL || of->column[kpi] == of->columns_count)
		return;
	column = of->column[kpi];
	out->compared = true;
	out->odd = of->odd[(size_t)column * of->sites_count + site];
	if (isnan(x))
		return;
	read_peers(of, site, column, x, out);
	if (of->usual[column] == NULL)
		return;
	out->usual = esf_usual_level(of->usual[column], site);
	out->self_z = esf_usual_score(of->usual[column], site, x);
}

uint32_t esf_comparison_odd(const struct esf_view *view, uint32_t site, uint32_t kpi)
{
	const struct esf_comparison *of = view->comparison;

	if (of == NULL || of->column[kpi] == of->columns_count)
		return 0;
	return of->odd[(size_t)of->column[kpi] * of->sites_count + site];
}

uint32_t esf_comparison_count(const struct esf_view *view, uint32_t kpi, enum esf_odd odd)
{
	const struct esf_comparison *of = view->comparison;

	if (of == NULL || of->column[kpi] == of->columns_count)
		return 0;
	return of->counts[of->column[kpi]][odd];
}
