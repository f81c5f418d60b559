/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <stdlib.h>
#include <string.h>

#include "control/api/listing.h"

/*
 * Raw names: GET /api/v1/sites/NAME/unmapped and GET /api/v1/names. The rules are asked with the
 * scratch that policies hold for the API's thread, behind the shards'.
 */

enum { NAMES_DEFAULT = 1000, NAMES_LIMIT = 10000 };

struct known_name {
	const char *text; /* not terminated */
	uint32_t length;
	uint64_t unmapped; /* records, of all sites */
};

/* The name as it is where it can be shown, else with bytes that can't as \xNN. */
static json_t *name_text(const char *name, uint32_t length)
{
	static const char digits[] = "0123456789abcdef";
	char text[4 * ESF_RAW_NAME_MAX];
	json_t *plain = json_stringn(name, length);
	bool is_utf8 = plain != NULL;
	size_t size = 0;

	for (uint32_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)name[i];

		if (byte >= 0x20 && byte != 0x7f && (byte < 0x80 || is_utf8)) {
			text[size++] = name[i];
			continue;
		}
		text[size++] = '\\';
		text[size++] = 'x';
		text[size++] = digits[byte >> 4];
		text[size++] = digits[byte & 15];
	}
	json_decref(plain);
	return json_stringn(text, size);
}

/* The KPI that takes the name by the rules of now; NULL: none. */
static const char *kpi_of(const struct esf_answer *answer, const char *name, uint32_t length)
{
	const struct esf_plane *plane = answer->sources->plane;
	const struct esf_config *config = answer->sources->config;
	const struct esf_ruleset *rules = esf_plane_policy(plane)->rules;
	uint16_t rule =
	    esf_ruleset_match(rules, esf_plane_options(plane)->shards_count, name, length);

	if (rule == ESF_RULE_NONE)
		return NULL;
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		const struct esf_kpi *kpi = &config->kpis[k];

		if (kpi->source == ESF_KPI_MEASURED &&
		    kpi->measure == esf_ruleset_rule(rules, rule)->kpi)
			return kpi->name;
	}
	return NULL;
}

static json_t *name_document(const struct esf_answer *answer, const struct known_name *name)
{
	return json_pack("{s:o, s:s?, s:I}", "name", name_text(name->text, name->length), "kpi",
	    kpi_of(answer, name->text, name->length), "records", (json_int_t)name->unmapped);
}

static int by_text(const void *a, const void *b)
{
	const struct known_name *left = a, *right = b;
	uint32_t shorter = left->length < right->length ? left->length : right->length;
	int order = memcmp(left->text, right->text, shorter);

	return order != 0 ? order : (left->length > right->length) - (left->length < right->length);
}

static int by_records(const void *a, const void *b)
{
	const struct known_name *left = a, *right = b;

	if (left->unmapped != right->unmapped)
		return left->unmapped < right->unmapped ? 1 : -1;
	return by_text(a, b);
}

static json_t *list_names(
    const struct esf_answer *answer, const struct known_name *names, uint32_t count)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(array, name_document(answer, &names[i]));
	return array;
}

json_t *esf_answer_unmapped(const struct esf_answer *answer)
{
	const struct esf_view *view = esf_answer_latest_view(answer->sources);
	const char *name = answer->request->segments[ESF_ANSWER_NAME];
	struct known_name names[ESF_UNMAPPED_NAMES_MAX];
	const struct esf_unmapped_list *list;
	const struct esf_card *card;
	uint32_t count = 0;
	uint64_t records;
	int64_t site;

	if (view == NULL) {
		esf_reply_error(answer->reply, 503, "no window has been built yet");
		return NULL;
	}
	site = esf_listing_find_site(view, name, answer->reply);
	if (site < 0)
		return NULL;
	card = esf_plane_card(answer->sources->plane, (uint32_t)site);
	list = card == NULL ? NULL : card->unmapped;
	records = list == NULL ? 0 : list->counts.more;
	for (; list != NULL && count < list->counts.count; count++) {
		struct known_name *to = &names[count];

		to->text = esf_plane_name(
		    answer->sources->plane, list->shard, list->counts.names[count], &to->length);
		to->unmapped = list->counts.records[count];
		records += to->unmapped;
	}
	qsort(names, count, sizeof(names[0]), by_records);
	return json_pack("{s:s, s:I, s:I, s:o}", "site", name, "records", (json_int_t)records,
	    "more", (json_int_t)(list == NULL ? 0 : list->counts.more), "signals",
	    list_names(answer, names, count));
}

/* All shards' names, as one finds them; first[s]: where shard s's begin. NULL: out of memory. */
static struct known_name *gather(const struct esf_plane *plane, uint32_t first[ESF_SHARDS_MAX + 1])
{
	uint32_t shards = esf_plane_options(plane)->shards_count;
	struct known_name *names;

	first[0] = 0;
	for (uint32_t s = 0; s < shards; s++)
		first[s + 1] = first[s] + esf_plane_names_count(plane, s);
	names = calloc(first[shards] + (size_t)1, sizeof(*names));
	for (uint32_t s = 0; names != NULL && s < shards; s++)
		for (uint32_t i = first[s]; i < first[s + 1]; i++)
			names[i].text =
			    esf_plane_name(plane, s, i - first[s] + 1, &names[i].length);
	return names;
}

/* Names that are younger than first[] are left for the next time. */
static void add_unmapped(
    const struct esf_unmapped_list *list, const uint32_t *first, struct known_name *names)
{
	for (uint32_t i = 0; i < list->counts.count; i++) {
		uint32_t at = first[list->shard] + list->counts.names[i] - 1;

		if (at < first[list->shard + 1])
			names[at].unmapped += list->counts.records[i];
	}
}

/* Sorts by text and makes one of equals; returns how many there are. */
static uint32_t merge(struct known_name *names, uint32_t count)
{
	uint32_t kept = 0;

	qsort(names, count, sizeof(*names), by_text);
	for (uint32_t i = 0; i < count; i++) {
		if (kept > 0 && by_text(&names[kept - 1], &names[i]) == 0)
			names[kept - 1].unmapped += names[i].unmapped;
		else
			names[kept++] = names[i];
	}
	return kept;
}

json_t *esf_answer_names(const struct esf_answer *answer)
{
	const struct esf_plane *plane = answer->sources->plane;
	uint32_t first[ESF_SHARDS_MAX + 1], count, limit = NAMES_DEFAULT;
	struct known_name *names;
	json_t *document;

	if (esf_listing_number(answer->request, "limit", 1, NAMES_LIMIT, &limit, answer->reply) !=
	    0)
		return NULL;
	names = gather(plane, first);
	if (names == NULL)
		return NULL;
	for (uint32_t s = 0; s < esf_plane_options(plane)->sites_count; s++) {
		const struct esf_card *card = esf_plane_card(plane, s);

		if (card != NULL && card->unmapped != NULL)
			add_unmapped(card->unmapped, first, names);
	}
	count = merge(names, first[esf_plane_options(plane)->shards_count]);
	qsort(names, count, sizeof(*names), by_records);
	document = json_pack("{s:I, s:o}", "total", (json_int_t)count, "names",
	    list_names(answer, names, count < limit ? count : limit));
	free(names);
	return document;
}
