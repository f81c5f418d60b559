/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/listing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/api/document.h"
#include "control/config/nearest.h"

/* Beyond this many names a hint would cost more than it is worth. */
enum { HINTS_MAX = 10000 };

/* One site on its way into the list. key: ascending; NaN (unknown) comes first. */
struct row {
	double key;
	const char *name; /* sort=name only */
	uint32_t id;
	uint32_t index;
};

enum sort { SORT_ID, SORT_HEALTH, SORT_NAME, SORT_COVERAGE, SORTS_COUNT };

static const char *const sort_names[SORTS_COUNT] = { "id", "health", "name", "coverage" };

struct choice {
	int64_t region; /* -1: all */
	int64_t status; /* -1: all */
	enum sort sort;
	uint32_t limit;
	uint32_t offset;
};

static void set_missing(
    struct esf_reply *reply, const char *kind, const char *name, const struct esf_nearest *nearest)
{
	char hint[128];

	esf_reply_error(reply, 404, "no %s \"%.100s\"%s", kind, name,
	    esf_nearest_hint(nearest, hint, sizeof(hint)));
}

int64_t esf_listing_find_site(
    const struct esf_view *view, const char *name, struct esf_reply *reply)
{
	int64_t found = esf_roster_find(view->roster, name, view->sites_count);
	struct esf_nearest nearest;

	if (found >= 0)
		return found;
	esf_nearest_start(&nearest, name);
	for (uint32_t s = 0; s < view->sites_count && s < HINTS_MAX; s++)
		if (esf_roster_at(view->roster, s) != NULL)
			esf_nearest_offer(&nearest, esf_roster_at(view->roster, s)->name);
	set_missing(reply, "site", name, &nearest);
	return -1;
}

int64_t esf_listing_find_region(
    const struct esf_view *view, const char *name, struct esf_reply *reply)
{
	struct esf_nearest nearest;

	esf_nearest_start(&nearest, name);
	for (uint32_t r = 0; r < view->regions_count; r++) {
		if (strcmp(view->regions[r].name, name) == 0)
			return r;
		esf_nearest_offer(&nearest, view->regions[r].name);
	}
	set_missing(reply, "region", name, &nearest);
	return -1;
}

int64_t esf_listing_find_kpi(
    const struct esf_view *view, const char *name, struct esf_reply *reply)
{
	struct esf_nearest nearest;

	esf_nearest_start(&nearest, name);
	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		if (strcmp(view->config->kpis[k].name, name) == 0)
			return k;
		esf_nearest_offer(&nearest, view->config->kpis[k].name);
	}
	set_missing(reply, "KPI", name, &nearest);
	return -1;
}

/* 0, or -EINVAL for what is no decimal number of at most max. */
static int parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	unsigned long value;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || text[digits] != '\0')
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (value < min || value > max)
		return -EINVAL;
	*out = (uint32_t)value;
	return 0;
}

int esf_listing_number(const struct esf_request *request, const char *name, uint32_t min,
    uint32_t max, uint32_t *out, struct esf_reply *reply)
{
	const char *text = esf_request_param(request, name);

	if (text == NULL || parse_number(text, min, max, out) == 0)
		return 0;
	esf_reply_error(reply, 400, "%s: got \"%.100s\", want %u..%u", name, text, min, max);
	return -EINVAL;
}

static int64_t find_word(const char *const *words, uint32_t count, const char *word)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

static int choose_status(
    const struct esf_request *request, struct choice *choice, struct esf_reply *reply)
{
	const char *text = esf_request_param(request, "status");

	if (text == NULL)
		return 0;
	choice->status = find_word(esf_status_names, ESF_STATUS_UNKNOWN + 1, text);
	if (choice->status >= 0)
		return 0;
	esf_reply_error(
	    reply, 400, "status: got \"%.100s\", want good, degraded, bad or unknown", text);
	return -EINVAL;
}

static int choose_sort(
    const struct esf_request *request, struct choice *choice, struct esf_reply *reply)
{
	const char *text = esf_request_param(request, "sort");
	int64_t sort = text != NULL ? find_word(sort_names, SORTS_COUNT, text) : SORT_ID;

	if (sort < 0) {
		esf_reply_error(
		    reply, 400, "sort: got \"%.100s\", want health, name, id or coverage", text);
		return -EINVAL;
	}
	choice->sort = (enum sort)sort;
	return 0;
}

static int choose_region(const struct esf_view *view, const struct esf_request *request,
    struct choice *choice, struct esf_reply *reply)
{
	const char *text = esf_request_param(request, "region");

	if (text == NULL)
		return 0;
	choice->region = esf_listing_find_region(view, text, reply);
	return choice->region < 0 ? -ENOENT : 0;
}

static int choose(const struct esf_view *view, const struct esf_request *request,
    struct choice *choice, struct esf_reply *reply)
{
	int error;

	*choice = (struct choice){ .region = -1, .status = -1, .limit = ESF_LISTING_DEFAULT };
	error = esf_listing_number(request, "limit", 1, ESF_LISTING_MAX, &choice->limit, reply);
	if (error == 0)
		error =
		    esf_listing_number(request, "offset", 0, ESF_SITES_MAX, &choice->offset, reply);
	if (error == 0)
		error = choose_status(request, choice, reply);
	if (error == 0)
		error = choose_sort(request, choice, reply);
	if (error == 0)
		error = choose_region(view, request, choice, reply);
	return error;
}

static double row_key(const struct esf_site_view *site, enum sort sort)
{
	if (sort == SORT_HEALTH)
		return site->health;
	return sort == SORT_COVERAGE ? site->coverage : 0;
}

static uint32_t gather(const struct esf_view *view, const struct choice *choice, struct row *rows)
{
	uint32_t count = 0;

	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *config = esf_roster_at(view->roster, s);
		const struct esf_site_view *site = &view->sites[s];

		if (config == NULL)
			continue;
		if (choice->region >= 0 && config->region != choice->region)
			continue;
		if (choice->status >= 0 && (int64_t)site->status != choice->status)
			continue;
		rows[count++] = (struct row){
			.key = row_key(site, choice->sort),
			.name = choice->sort == SORT_NAME ? config->name : "",
			.id = config->id,
			.index = s,
		};
	}
	return count;
}

static int by_key(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (!isnan(left->key) != !isnan(right->key))
		return isnan(left->key) ? -1 : 1;
	if (left->key < right->key)
		return -1;
	if (left->key > right->key)
		return 1;
	if (left->name != right->name) {
		int order = strcmp(left->name, right->name);

		if (order != 0)
			return order;
	}
	if (left->id != right->id) /* 0, none, comes last */
		return left->id - 1 < right->id - 1 ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static json_t *site_documents(const struct esf_view *view, const struct choice *choice,
    const struct row *rows, uint32_t count)
{
	json_t *sites = json_array();

	for (uint32_t i = choice->offset; i < count && i - choice->offset < choice->limit; i++) {
		if (json_array_append_new(sites, esf_document_site(view, rows[i].index)) == 0)
			continue;
		json_decref(sites);
		return NULL;
	}
	return sites;
}

json_t *esf_listing_document(
    const struct esf_view *view, const struct esf_request *request, struct esf_reply *reply)
{
	struct choice choice;
	struct row *rows;
	uint32_t count;
	json_t *document;

	if (choose(view, request, &choice, reply) != 0)
		return NULL;
	rows = calloc(view->sites_count + (size_t)1, sizeof(*rows));
	if (rows == NULL)
		return NULL;
	count = gather(view, &choice, rows);
	qsort(rows, count, sizeof(*rows), by_key);
	document = json_pack("{s:I, s:o, s:I, s:o}", "time", (json_int_t)view->time, "window",
	    esf_document_window(view), "total", (json_int_t)count, "sites",
	    site_documents(view, &choice, rows, count));
	free(rows);
	return document;
}
