/* SPDX-License-Identifier: Apache-2.0 */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hs.h>

#include "dataplane/directory.h"
#include "dataplane/names.h"
#include "dataplane/patterns.h"

/* Sites by their ids, names by their rules, texts by their signatures. */

enum { RULES = 16, NAMES = 1000, NAMES_FEW = 16, SIGNATURES = 100 };

static const uint8_t hash_key[16] = { 1 };

struct lookup {
	struct esf_directory *directory;
	uint32_t *ids;
	uint32_t count, at;
};

static void run_lookup(void *context, uint64_t rounds)
{
	struct lookup *lookup = context;

	for (uint64_t i = 0; i < rounds; i++) {
		if (esf_directory_by_id(lookup->directory, lookup->ids[lookup->at]) == ESF_NO_SITE)
			micro_fail("a site was not found");
		lookup->at = lookup->at + 1 == lookup->count ? 0 : lookup->at + 1;
	}
}

/* Small ids are an index; large ones are hashed. */
static uint32_t id_of(uint32_t site, bool hashed)
{
	return hashed ? 0x80000000u + site * 1009 : site + 1;
}

static struct esf_directory *make_directory(uint32_t count, bool hashed)
{
	struct esf_directory_site *sites = micro_allocate(count, sizeof(*sites));
	char(*texts)[16] = micro_allocate(count, sizeof(*texts));
	struct esf_directory *directory;

	for (uint32_t i = 0; i < count; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n-%u", i);
		sites[i] = (struct esf_directory_site){ .id = id_of(i, hashed), .name = texts[i] };
	}
	directory = esf_directory_create(sites, count, hash_key);
	if (directory == NULL)
		micro_fail("no directory");
	free(sites);
	free(texts);
	return directory;
}

/* The floor reads a line of a table as large, of the 4 bytes of an index or 16 of a hash's slots.
 */
static void lookup_row(struct micro *bench, uint32_t count, bool hashed)
{
	struct lookup lookup = { .directory = make_directory(count, hashed), .count = count };
	struct micro_touch touch = { .count = count, .stride = hashed ? 16 : 4 };
	char name[48];
	const struct micro_case ours = { .name = name,
		.operations = 1,
		.state = (size_t)count * touch.stride,
		.run = run_lookup,
		.context = &lookup };
	const struct micro_case floor = {
		.name = "a line read", .operations = 1, .run = micro_touch_run, .context = &touch
	};
	uint32_t *order = micro_shuffle(count);
	uint8_t *memory = micro_allocate(count, touch.stride);

	snprintf(name, sizeof(name), "%s ids, %u sites", hashed ? "hashed" : "direct", count);
	lookup.ids = micro_allocate(count, sizeof(*lookup.ids));
	for (uint32_t i = 0; i < count; i++)
		lookup.ids[i] = id_of(order[i], hashed);
	touch.memory = memory;
	touch.order = order;
	micro_row(bench, "site", &ours, &floor, NULL);
	esf_directory_destroy(lookup.directory);
	free(lookup.ids);
	free(order);
	free(memory);
}

void micro_sites(struct micro *bench)
{
	uint32_t many = micro_options(bench)->sites;

	if (!micro_wants(bench, "site"))
		return;
	lookup_row(bench, 1000, false);
	if (many > 1000)
		lookup_row(bench, many, false);
	lookup_row(bench, 1000, true);
	if (many > 1000)
		lookup_row(bench, many, true);
}

struct text {
	char bytes[96];
	uint32_t length;
};

struct texts {
	struct text *texts;
	uint32_t count, at;
	struct esf_patterns *patterns;
	struct esf_names *names;
	hs_database_t *database;
	hs_scratch_t *scratch;
};

static const struct text *next_text(struct texts *t)
{
	const struct text *text = micro_hide(&t->texts[t->at]);

	t->at = t->at + 1 == t->count ? 0 : t->at + 1;
	return text;
}

static void run_hit(void *context, uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		const struct text *text = next_text(context);
		uint32_t id;

		micro_use(esf_names_intern(
		    ((struct texts *)context)->names, text->bytes, text->length, &id));
	}
}

static void run_rule(void *context, uint64_t rounds)
{
	struct texts *t = context;

	for (uint64_t i = 0; i < rounds; i++) {
		micro_use(esf_names_rule(t->names, t->at + 1));
		t->at = t->at + 1 == t->count ? 0 : t->at + 1;
	}
}

static void run_compare(void *context, uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		const struct text *text = next_text(context);
		volatile uint32_t length = text->length;

		micro_use((uint64_t)memcmp(text->bytes, micro_hide(text->bytes), length));
	}
}

static void run_match(void *context, uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		const struct text *text = next_text(context);

		micro_use(esf_patterns_match(
		    ((struct texts *)context)->patterns, 0, text->bytes, text->length));
	}
}

static int on_match(
    unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)from;
	(void)to;
	(void)flags;
	micro_use(id);
	(void)context;
	return 0;
}

static void run_scan(void *context, uint64_t rounds)
{
	struct texts *t = context;

	for (uint64_t i = 0; i < rounds; i++) {
		const struct text *text = next_text(t);

		hs_scan(t->database, text->bytes, text->length, 0, t->scratch, on_match, NULL);
	}
}

static void compile(struct texts *t, const char *format, uint32_t count)
{
	char texts[SIGNATURES][64], message[128];
	const char *patterns[SIGNATURES];
	unsigned flags[SIGNATURES], ids[SIGNATURES];
	hs_compile_error_t *error;
	uint32_t bad;

	for (uint32_t i = 0; i < count; i++) {
		snprintf(texts[i], sizeof(texts[i]), format, i);
		patterns[i] = texts[i];
		flags[i] = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
		ids[i] = i;
	}
	if (esf_patterns_create(patterns, count, 1, &t->patterns, &bad, message, sizeof(message)) !=
	        0 ||
	    hs_compile_multi(patterns, flags, ids, count, HS_MODE_BLOCK, NULL, &t->database,
	        &error) != HS_SUCCESS ||
	    hs_alloc_scratch(t->database, &t->scratch) != HS_SUCCESS)
		micro_fail("the patterns do not compile");
}

static void free_texts(struct texts *t)
{
	hs_free_scratch(t->scratch);
	hs_free_database(t->database);
	free(t->texts);
}

static void make_texts(struct texts *t, uint32_t count, const char *format, uint32_t modulus)
{
	t->count = count;
	t->texts = micro_allocate(count, sizeof(*t->texts));
	for (uint32_t i = 0; i < count; i++)
		t->texts[i].length = (uint32_t)snprintf(
		    t->texts[i].bytes, sizeof(t->texts[i].bytes), format, i, i % modulus);
}

/* The rule set takes the patterns over, and is what a miss asks. */
static void name_rows(struct micro *bench)
{
	static const struct micro_goal goal = { .ns = 10 };
	struct esf_rule rules[RULES] = { { .scale = 1 } };
	struct texts t = { 0 };
	struct esf_ruleset *set;
	struct micro_case ours = { .operations = 1, .context = &t }, floor = ours;

	compile(&t, "^s[0-9]+\\.measure_%u$", RULES);
	make_texts(&t, NAMES, "s%u.measure_%u", RULES);
	t.names = esf_names_create(0, hash_key);
	if (t.names == NULL || esf_ruleset_adopt(t.patterns, rules, &set) != 0)
		micro_fail("no names");
	esf_names_use(t.names, set, 1);
	run_hit(&t, NAMES);
	ours.state = NAMES * 2 * sizeof(struct text);
	floor.name = "memcmp of the name";
	floor.run = run_compare;
	ours.name = "hit by name, 1000 names in turn";
	ours.run = run_hit;
	micro_row(bench, "name", &ours, &floor, &goal);
	t.count = NAMES_FEW;
	t.at = 0;
	ours.state = NAMES_FEW * 2 * sizeof(struct text);
	ours.name = "hit by name, 16 names in turn";
	micro_row(bench, "name", &ours, &floor, &goal);
	t.count = NAMES;
	ours.state = NAMES * 2 * sizeof(struct text);
	ours.name = "hit by id, 1000 names in turn";
	ours.run = run_rule;
	micro_row(bench, "name", &ours, NULL, &goal);
	t.count = 1;
	t.at = 0;
	ours.state = sizeof(struct text);
	ours.name = "hit by name, 1 name";
	ours.run = run_hit;
	micro_row(bench, "name", &ours, &floor, &goal);
	t.count = NAMES;
	ours.state = NAMES * sizeof(struct text);
	ours.name = "miss: match with 16 rules";
	ours.run = run_match;
	floor.name = "hs_scan";
	floor.run = run_scan;
	micro_row(bench, "name", &ours, &floor, NULL);
	esf_names_destroy(t.names);
	esf_ruleset_destroy(set);
	free_texts(&t);
}

static void signature_rows(struct micro *bench)
{
	struct texts t = { 0 };
	struct micro_case ours = {
		.operations = 1, .context = &t, .name = "100, text of 80 bytes, none matches"
	};
	struct micro_case floor = ours;

	compile(&t, "(?i)fault code E%u[0-9] (tripped|latched)", SIGNATURES);
	make_texts(&t, NAMES,
	    "inverter string %u reports that all is well, next inspection is due in %u days, "
	    "thank you",
	    365);
	ours.state = NAMES * sizeof(struct text);
	ours.run = run_match;
	floor.name = "hs_scan";
	floor.run = run_scan;
	micro_row(bench, "signature", &ours, &floor, NULL);
	esf_patterns_destroy(t.patterns);
	free_texts(&t);
}

void micro_names(struct micro *bench)
{
	if (micro_wants(bench, "name"))
		name_rows(bench);
	if (micro_wants(bench, "signature"))
		signature_rows(bench);
}
