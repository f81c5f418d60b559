/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <string.h>

#include "control/cli/field.h"
#include "control/cli/items.h"
#include "control/cli/text.h"

enum { TITLE_WIDTH = 12 };

/* Whether a verdict did not occur. Received and accepted are always of interest. */
static bool is_zero(const char *name, const json_t *count)
{
	return json_integer_value(count) == 0 && strcmp(name, "received") != 0 &&
	       strcmp(name, "accepted") != 0;
}

static void put_counts(const struct esf_screen *screen, const char *title, const json_t *counts)
{
	struct esf_items items;
	char item[ESF_CELL_SIZE], number[ESF_TEXT_NUMBER_SIZE];
	const char *name;
	const json_t *value;

	esf_items_start(&items, screen->out, title, TITLE_WIDTH);
	json_object_foreach ((json_t *)counts, name, value) {
		if (is_zero(name, value))
			continue;
		snprintf(item, sizeof(item), "%s %s",
		    esf_text_count((uint64_t)json_integer_value(value), number), name);
		esf_items_add(&items, item);
	}
	esf_items_finish(&items);
}

static void put_balance(const struct esf_screen *screen, const json_t *ledger)
{
	bool balanced = esf_field_bool(ledger, "balanced");
	enum esf_style style = balanced ? ESF_GREEN : ESF_RED;
	char number[ESF_TEXT_NUMBER_SIZE];

	fprintf(screen->out, "in flight   %s\nbalance     ",
	    esf_text_count((uint64_t)esf_field_count(ledger, "in_flight"), number));
	esf_style_begin(screen->out, screen->colour, style);
	fputs(balanced ? "balanced: received = all of the rest + in flight"
	               : "NOT BALANCED: received is not the sum of the rest",
	    screen->out);
	esf_style_end(screen->out, screen->colour, style);
	fputc('\n', screen->out);
}

static void put_lcores(const struct esf_screen *screen, const json_t *ledger)
{
	const json_t *nic = json_object_get(ledger, "nic");
	const json_t *mbufs = json_object_get(ledger, "mbufs");
	char a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE], c[ESF_TEXT_NUMBER_SIZE];

	if (nic == NULL)
		return;
	fprintf(screen->out, "nic         %s missed, %s without a buffer, %s errors\n",
	    esf_text_count((uint64_t)esf_field_count(nic, "missed"), a),
	    esf_text_count((uint64_t)esf_field_count(nic, "no_buffer"), b),
	    esf_text_count((uint64_t)esf_field_count(nic, "errors"), c));
	fprintf(screen->out, "mbufs       %s in use, %s free of %s\n",
	    esf_text_count((uint64_t)esf_field_count(mbufs, "in_use"), a),
	    esf_text_count((uint64_t)esf_field_count(mbufs, "free"), b),
	    esf_text_count((uint64_t)esf_field_count(mbufs, "total"), c));
}

/* After a start with nothing there is nothing to say. */
static void put_restart(const struct esf_screen *screen, const json_t *ledger)
{
	const json_t *restart = json_object_get(ledger, "restart");
	const json_t *snapshot = json_object_get(ledger, "snapshot");
	double age = (double)(esf_field_count(restart, "restarted_at") -
	                      esf_field_count(restart, "snapshot_time")) / 1e9;
	char all[ESF_TEXT_NUMBER_SIZE], latest[ESF_TEXT_NUMBER_SIZE];

	if (json_is_object(restart))
		fprintf(screen->out,
		    "restart     from a snapshot %.1f s old; gap: %s datagrams, %s of all restarts\n",
		    age,
		    esf_text_count((uint64_t)esf_field_count(restart, "gap_latest"), latest),
		    esf_text_count((uint64_t)esf_field_count(restart, "gap"), all));
	if (json_is_object(snapshot) && !esf_field_bool(snapshot, "well"))
		fprintf(screen->out, "snapshot    NOT WRITTEN: %s\n",
		    esf_field_text(snapshot, "error"));
}

/* Of a site. */
static void put_gap(const struct esf_screen *screen, const json_t *ledger)
{
	char number[ESF_TEXT_NUMBER_SIZE];

	if (esf_field_count(ledger, "gap") > 0)
		fprintf(screen->out, "restarts    forgot %s datagrams\n",
		    esf_text_count((uint64_t)esf_field_count(ledger, "gap"), number));
}

void esf_show_ledger_lines(const struct esf_screen *screen, const json_t *ledger)
{
	put_counts(screen, "datagrams", json_object_get(ledger, "datagrams"));
	put_counts(screen, "records", json_object_get(ledger, "records"));
	put_balance(screen, ledger);
	put_restart(screen, ledger);
	put_gap(screen, ledger);
	put_lcores(screen, ledger);
	esf_show_pressure(screen, ledger);
}

static void add_share(struct esf_table *table, double count, double received)
{
	char text[ESF_TEXT_NUMBER_SIZE] = "";

	if (received > 0)
		snprintf(text, sizeof(text), "%.2f%%", 100 * count / received);
	esf_table_add(table, ESF_PLAIN, text);
}

/* "no: fragment, malformed": the verdicts that did not occur. */
static void put_zeroes(const struct esf_screen *screen, const json_t *counts)
{
	struct esf_items items;
	uint32_t count = 0;
	const char *name;
	const json_t *value;

	json_object_foreach ((json_t *)counts, name, value) {
		if (!is_zero(name, value))
			continue;
		if (count++ == 0)
			esf_items_start(&items, screen->out, "no: ", 4);
		esf_items_add(&items, name);
	}
	if (count > 0)
		esf_items_finish(&items);
}

static void put_verdicts(
    const struct esf_screen *screen, const char *title, const json_t *counts, bool all)
{
	const struct esf_column columns[] = {
		{ .title = title },
		{ "COUNT", .right = true },
		{ "SHARE", .right = true },
	};
	double received = (double)esf_field_count(counts, "received");
	char number[ESF_TEXT_NUMBER_SIZE];
	const char *name;
	const json_t *value;
	struct esf_table table;

	esf_table_start(&table, columns, 3);
	json_object_foreach ((json_t *)counts, name, value) {
		int64_t count = json_integer_value(value);
		enum esf_style style = count == 0 ? ESF_DIM : ESF_PLAIN;

		if (!all && is_zero(name, value))
			continue;
		esf_table_add(&table, style, name);
		esf_table_add(&table, style, esf_text_count((uint64_t)count, number));
		add_share(&table, (double)count, received);
	}
	esf_table_finish(&table, screen->out, screen->colour);
	if (!all)
		put_zeroes(screen, counts);
	fputc('\n', screen->out);
}

void esf_show_ledger(const struct esf_screen *screen, const json_t *ledger, bool all)
{
	put_verdicts(screen, "DATAGRAMS", json_object_get(ledger, "datagrams"), all);
	put_verdicts(screen, "RECORDS", json_object_get(ledger, "records"), all);
	put_balance(screen, ledger);
	put_restart(screen, ledger);
	put_gap(screen, ledger);
	put_lcores(screen, ledger);
	esf_show_pressure(screen, ledger);
}
