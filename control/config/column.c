/* SPDX-License-Identifier: Apache-2.0 */
#include "column.h"

#include <string.h>
#include <strings.h>

#include "nearest.h"
#include "rows.h"
#include "scalar.h"
#include "setter.h"
#include "value.h"

enum { ITEMS_MAX = 16, LABELS_MAX = 32, LABEL_VALUE_MAX = 255, QUOTE_SIZE = 52 };

static void refuse_item(
    const struct esf_cell *cell, int64_t item, const char *text, const char *want)
{
	struct esf_path column = { NULL, cell->column, 0 };
	struct esf_path path = { &column, NULL, (uint32_t)item };
	char quote[QUOTE_SIZE];

	esf_fault_quote(text, strlen(text), quote, sizeof(quote));
	esf_fault_add(cell->faults, item < 0 ? &column : &path, cell->line, "got \"%s\", want %s",
	    quote, want);
}

static void refuse(const struct esf_cell *cell, const char *text, const char *want)
{
	refuse_item(cell, -1, text, want);
}

/* The next item of a list, without the blanks around it; NULL: there is none. */
static char *next_item(char **rest, const char *separators)
{
	char *item;

	do {
		size_t size;

		item = strsep(rest, separators);
		if (item == NULL)
			return NULL;
		item += strspn(item, " \t");
		for (size = strlen(item); size > 0 && strchr(" \t", item[size - 1]); size--)
			item[size - 1] = '\0';
	} while (*item == '\0');
	return item;
}

static uint32_t count_items(const char *text, const char *separators)
{
	uint32_t count = 1;

	for (; *text != '\0'; text++)
		count += strchr(separators, *text) != NULL;
	return count;
}

/* Room for the items of a list, of which there may be fewer. NULL: too many, or no memory. */
static void *items_of(const struct esf_cell *cell, const char *text, const char *separators,
    uint32_t most, size_t item_size)
{
	uint32_t count = count_items(text, separators);

	if (count <= most + 1) /* one separator may stand at the end */
		return esf_arena_alloc(cell->arena, count * item_size);
	esf_fault_add(cell->faults, &(struct esf_path){ NULL, cell->column, 0 }, cell->line,
	    "got %u items, want at most %u", count, most);
	return NULL;
}

static void read_id(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	uint64_t read;

	if (!esf_value_integer(text, &read) || read < 1 || read > UINT32_MAX)
		refuse(cell, text, "1..4294967295");
	else
		site->id = (uint32_t)read;
}

static void read_name(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	if (!esf_value_is_name(text))
		refuse(cell, text, ESF_WANT_NAME);
	else
		site->name = esf_arena_text(cell->arena, text);
}

static void read_weight(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	double read;

	if (*text == '\0')
		return;
	if (!esf_value_number(text, &read) || read <= 0 || read > 1e9)
		refuse(cell, text, "a number above 0, at most 1000000000");
	else
		site->weight = read;
}

static void read_addresses(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	const char *item;

	site->addresses = items_of(cell, text, "; ", ITEMS_MAX, sizeof(*site->addresses));
	while (site->addresses != NULL && (item = next_item(&text, "; ")) != NULL) {
		if (site->addresses_count == ITEMS_MAX)
			refuse(cell, item, "at most 16 addresses");
		else if (!esf_value_address(item, &site->addresses[site->addresses_count]))
			refuse_item(cell, site->addresses_count, item,
			    "a unicast address such as 10.9.0.1 or fd00:9::1");
		else {
			site->addresses_count++;
			continue;
		}
		return;
	}
}

static void read_upstream(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	const char *item;

	site->upstream = items_of(cell, text, "; ", ITEMS_MAX, sizeof(*site->upstream));
	while (site->upstream != NULL && (item = next_item(&text, "; ")) != NULL) {
		if (site->upstream_count == ITEMS_MAX || !esf_value_is_name(item)) {
			refuse_item(cell, site->upstream_count, item,
			    site->upstream_count == ITEMS_MAX ? "at most 16 names" : ESF_WANT_NAME);
			return;
		}
		site->upstream[site->upstream_count++] = esf_arena_text(cell->arena, item);
	}
}

static bool has_label(const struct esf_site_config *site, const char *name)
{
	for (uint32_t i = 0; i < site->labels_count; i++)
		if (site->labels[i].name != NULL && strcmp(site->labels[i].name, name) == 0)
			return true;
	return false;
}

static bool is_one_line(const char *text)
{
	while ((unsigned char)*text >= ' ' && *text != 0x7f)
		text++;
	return *text == '\0';
}

static void add_label(
    const struct esf_cell *cell, struct esf_site_config *site, const char *name, const char *value)
{
	if (has_label(site, name))
		refuse(cell, name, "each label once");
	else if (site->labels_count == LABELS_MAX)
		refuse(cell, name, "at most 32 labels");
	else if (*value == '\0' || strlen(value) > LABEL_VALUE_MAX || !is_one_line(value))
		refuse(cell, value, "a text of 1..255 bytes on one line");
	else
		site->labels[site->labels_count++] = (struct esf_label){
			.name = esf_arena_text(cell->arena, name),
			.value = esf_arena_text(cell->arena, value),
		};
}

static void read_labels(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	char *value;

	while ((value = next_item(&text, ";")) != NULL) {
		const char *item = value, *name = strsep(&value, "=");

		if (value == NULL || !esf_value_is_name(name)) {
			refuse(cell, item, "NAME=VALUE, such as vendor=acme;feeder=F1");
			return;
		}
		add_label(cell, site, name, value);
	}
}

static void read_label(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	if (*text != '\0')
		add_label(cell, site, cell->label, text);
}

static void read_keys(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	char *file;

	site->keys = items_of(cell, text, ";", ESF_SITE_KEYS_MAX, sizeof(*site->keys));
	while (site->keys != NULL && (file = next_item(&text, ";")) != NULL) {
		struct esf_site_key *key = &site->keys[site->keys_count];
		const char *id = strsep(&file, "=");
		uint64_t read;

		if (site->keys_count == ESF_SITE_KEYS_MAX || file == NULL || *file == '\0' ||
		    !is_one_line(file) || !esf_value_integer(id, &read) || read < 1 ||
		    read > UINT16_MAX) {
			refuse_item(
			    cell, site->keys_count, id, "at most 16 of ID=FILE, ID 1..65535");
			return;
		}
		key->id = (uint16_t)read;
		key->file = esf_arena_text(cell->arena, file);
		site->keys_count++;
	}
}

static void read_require_seal(const struct esf_cell *cell, char *text, struct esf_site_config *site)
{
	if (*text != '\0' && !esf_value_boolean(text, &site->require_seal))
		refuse(cell, text, "true or false");
}

static const struct known {
	const char *name;
	esf_cell_reader *read;
} known[] = {
	{ "id", read_id },
	{ "name", read_name },
	{ "weight", read_weight },
	{ "addresses", read_addresses },
	{ "labels", read_labels },
	{ "upstream", read_upstream },
	{ "keys", read_keys },
	{ "require_seal", read_require_seal },
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]), REQUIRED_COUNT = 2 };

static const struct esf_path header_path = { .key = "header" };

static const struct known *find_known(const char *name)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (strcasecmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

/* A column of a label: of label:NAME, or of a name that is not nearly another column's. */
static bool read_label_name(
    struct esf_fault_list *faults, uint32_t line, const char *name, const char **label)
{
	bool said = strncmp(name, "label:", 6) == 0;
	struct esf_nearest nearest;
	char hint[128], quote[QUOTE_SIZE];

	*label = said ? name + 6 : name;
	esf_fault_quote(name, strlen(name), quote, sizeof(quote));
	if (!esf_value_is_name(*label)) {
		esf_fault_add(faults, &header_path, line,
		    "got the column \"%s\", want " ESF_WANT_NAME "%s", quote,
		    strpbrk(name, ";\t") == NULL ? "" : "; columns are separated by commas");
		return false;
	}
	esf_nearest_start(&nearest, name);
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		esf_nearest_offer(&nearest, known[i].name);
	if (said || nearest.name == NULL)
		return true;
	esf_fault_add(faults, &header_path, line,
	    "unknown column \"%s\"%s (a label of that name is the column \"label:%s\")", quote,
	    esf_nearest_hint(&nearest, hint, sizeof(hint)), quote);
	return false;
}

static bool is_repeated(const struct esf_columns *columns, uint32_t at)
{
	for (uint32_t i = 0; i < at; i++) {
		const char *a = columns->columns[i].label, *b = columns->columns[at].label;

		if (a == NULL || b == NULL
		        ? a == b && columns->columns[i].read == columns->columns[at].read
		        : strcmp(a, b) == 0)
			return true;
	}
	return false;
}

static bool read_column(
    struct esf_columns *columns, struct esf_fault_list *faults, uint32_t line, const char *name)
{
	const struct known *column = find_known(name);
	uint32_t at = columns->count++;
	char quote[QUOTE_SIZE];

	columns->columns[at].name = column == NULL ? name : column->name;
	columns->columns[at].label = NULL;
	columns->columns[at].read = column == NULL ? read_label : column->read;
	if (column == NULL && !read_label_name(faults, line, name, &columns->columns[at].label))
		return false;
	if (!is_repeated(columns, at))
		return true;
	esf_fault_quote(name, strlen(name), quote, sizeof(quote));
	esf_fault_add(
	    faults, &header_path, line, "got the column \"%s\" again, want each once", quote);
	return false;
}

static bool has_column(const struct esf_columns *columns, esf_cell_reader *reader)
{
	for (uint32_t i = 0; i < columns->count; i++)
		if (columns->columns[i].read == reader)
			return true;
	return false;
}

bool esf_columns_read(
    struct esf_columns *columns, struct esf_fault_list *faults, const struct esf_csv_record *header)
{
	bool sound = true;

	columns->count = 0;
	for (uint32_t i = 0; i < header->count; i++)
		sound = read_column(columns, faults, header->line, header->fields[i]) && sound;
	for (size_t i = 0; sound && i < REQUIRED_COUNT; i++) {
		if (has_column(columns, known[i].read))
			continue;
		esf_fault_add(faults, &header_path, header->line,
		    "got no column %s, want id, name and, as needed, weight, addresses, labels, "
		    "upstream, keys, require_seal and one for each label",
		    known[i].name);
		sound = false;
	}
	return sound;
}

/* At most so many labels are in the row. */
static uint32_t count_labels(const struct esf_columns *columns, const struct esf_csv_record *row)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < columns->count; i++) {
		if (columns->columns[i].read == read_label)
			count += row->fields[i][0] != '\0';
		else if (columns->columns[i].read == read_labels)
			count += count_items(row->fields[i], ";");
	}
	return count;
}

void esf_columns_apply(const struct esf_columns *columns, struct esf_arena *arena,
    struct esf_fault_list *faults, struct esf_csv_record *row, struct esf_site_config *site)
{
	uint32_t labels = count_labels(columns, row);

	site->weight = 1;
	site->labels = esf_arena_alloc(
	    arena, (labels < LABELS_MAX ? labels : LABELS_MAX) * sizeof(*site->labels));
	if (site->labels == NULL)
		return;
	for (uint32_t i = 0; i < columns->count; i++) {
		const struct esf_cell cell = { arena, faults, columns->columns[i].name,
			columns->columns[i].label, row->line };

		columns->columns[i].read(&cell, row->fields[i], site);
	}
}
