/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/commands.h"

#include <string.h>

#include "control/cli/differences.h"
#include "control/cli/field.h"
#include "control/cli/text.h"
#include "control/cli/worst.h"

enum { PATH_SIZE = 1024, WORST_SITES = 6 };

int esf_command_fetch(struct esf_client *client, const char *path, const char *key, json_t **out)
{
	char open_path[PATH_SIZE + 16];
	int result = esf_client_get(client, path, key, out);

	if (result != 503)
		return result;
	snprintf(open_path, sizeof(open_path), "%s%cwindow=open", path,
	    strchr(path, '?') == NULL ? '?' : '&');
	return esf_client_get(client, open_path, key, out);
}

enum esf_exit esf_command_fail(const struct esf_call *call, int result)
{
	const char *message = esf_client_error(call->client);

	fputs("fleetctl: ", stderr);
	esf_text_put(stderr, message, esf_text_width(message));
	fputc('\n', stderr);
	return result == 400 ? ESF_EXIT_USAGE : ESF_EXIT_FAILED;
}

static void put_json(const struct esf_call *call, const json_t *document)
{
	json_dumpf(document, call->screen.out, JSON_INDENT(2));
	fputc('\n', call->screen.out);
}

/* Appends "?key=value" or "&key=value", escaped; nothing for a value of NULL. */
static void add_param(const struct esf_call *call, char *path, const char *key, const char *value)
{
	size_t size = strlen(path);
	char *escaped;

	if (value == NULL)
		return;
	escaped = esf_client_name(call->client, value);
	if (escaped != NULL)
		snprintf(path + size, PATH_SIZE - size, "%c%s=%s",
		    strchr(path, '?') == NULL ? '?' : '&', key, escaped);
	esf_client_free_name(escaped);
}

/* The path of one named thing. */
static void name_path(const struct esf_call *call, char *path, const char *under)
{
	char *escaped = esf_client_name(call->client, call->options->name);

	snprintf(path, PATH_SIZE, "%s%s", under, escaped != NULL ? escaped : "");
	esf_client_free_name(escaped);
}

typedef void (*show_fn)(const struct esf_call *call, const json_t *document);

/* Prints what was fetched, as JSON or by show, and lets it go. */
static enum esf_exit finish(const struct esf_call *call, int result, json_t *document, show_fn show)
{
	if (result != 0)
		return esf_command_fail(call, result);
	if (call->options->json)
		put_json(call, document);
	else
		show(call, document);
	json_decref(document);
	return ESF_EXIT_OK;
}

static enum esf_exit run(
    const struct esf_call *call, const char *path, const char *key, show_fn show)
{
	json_t *document = NULL;
	int result = esf_command_fetch(call->client, path, key, &document);

	return finish(call, result, document, show);
}

static int put_worst_sites(const struct esf_call *call)
{
	json_t *document;
	int result = esf_worst_fetch(call, call->options->name, WORST_SITES, &document);

	if (result != 0)
		return result;
	fputc('\n', call->screen.out);
	esf_worst_show(&call->screen, document);
	json_decref(document);
	return 0;
}

static int put_ledger(const struct esf_call *call)
{
	json_t *ledger;
	int result = esf_client_get(call->client, "/api/v1/ledger", "datagrams", &ledger);

	if (result != 0)
		return result;
	fputc('\n', call->screen.out);
	esf_show_ledger_lines(&call->screen, ledger);
	json_decref(ledger);
	return 0;
}

static int put_odd(const struct esf_call *call)
{
	json_t *document;
	int result =
	    esf_command_fetch(call->client, "/api/v1/outliers?limit=1", "outliers", &document);

	if (result != 0)
		return result;
	esf_show_odd(&call->screen, document);
	json_decref(document);
	return 0;
}

static void show_fleet(const struct esf_call *call, const json_t *document)
{
	esf_show_scope(&call->screen, "fleet", json_object_get(document, "fleet"));
	esf_show_storm(&call->screen, document);
	esf_show_window(&call->screen, document);
	fputc('\n', call->screen.out);
	esf_show_regions(&call->screen, json_object_get(document, "regions"));
}

enum esf_exit esf_command_status(const struct esf_call *call)
{
	enum esf_exit code = run(call, "/api/v1/fleet", "fleet", show_fleet);
	int result;

	if (code != ESF_EXIT_OK || call->options->json)
		return code;
	result = put_odd(call);
	if (result == 0)
		result = put_worst_sites(call);
	if (result == 0)
		result = put_ledger(call);
	return result == 0 ? ESF_EXIT_OK : esf_command_fail(call, result);
}

static void show_regions(const struct esf_call *call, const json_t *document)
{
	esf_show_window(&call->screen, document);
	fputc('\n', call->screen.out);
	esf_show_regions(&call->screen, json_object_get(document, "regions"));
}

enum esf_exit esf_command_regions(const struct esf_call *call)
{
	return run(call, "/api/v1/regions", "regions", show_regions);
}

static void show_region(const struct esf_call *call, const json_t *document)
{
	esf_show_scope(&call->screen, esf_field_text(document, "name"), document);
	esf_show_window(&call->screen, document);
	fputc('\n', call->screen.out);
	esf_show_scope_kpis(&call->screen, document, document);
}

enum esf_exit esf_command_region(const struct esf_call *call)
{
	char path[PATH_SIZE];
	enum esf_exit code;
	int result;

	name_path(call, path, "/api/v1/regions/");
	code = run(call, path, "kpis", show_region);
	if (code != ESF_EXIT_OK || call->options->json)
		return code;
	result = put_worst_sites(call);
	return result == 0 ? ESF_EXIT_OK : esf_command_fail(call, result);
}

static void show_sites(const struct esf_call *call, const json_t *document)
{
	int64_t total = esf_field_count(document, "total");
	size_t shown = json_array_size(json_object_get(document, "sites"));

	esf_show_sites(&call->screen, document);
	if ((int64_t)shown < total)
		fprintf(call->screen.out, "%zu of %jd sites; --limit shows more or fewer\n", shown,
		    (intmax_t)total);
}

enum esf_exit esf_command_sites(const struct esf_call *call)
{
	const struct esf_options *options = call->options;
	char path[PATH_SIZE] = "/api/v1/sites";

	add_param(call, path, "region", options->region);
	add_param(call, path, "status", options->status);
	add_param(call, path, "sort", options->sort);
	add_param(call, path, "limit", options->limit);
	return run(call, path, "sites", show_sites);
}

static void show_site(const struct esf_call *call, const json_t *document)
{
	esf_show_site(&call->screen, document);
}

static void show_unmapped(const struct esf_call *call, const json_t *document)
{
	esf_show_unmapped(&call->screen, document);
}

static enum esf_exit run_unmapped(const struct esf_call *call, char *path)
{
	size_t size = strlen(path);
	json_t *document = NULL;
	int result;

	snprintf(path + size, PATH_SIZE - size, "/unmapped");
	result = esf_client_get(call->client, path, "signals", &document);
	return finish(call, result, document, show_unmapped);
}

enum esf_exit esf_command_site(const struct esf_call *call)
{
	char path[PATH_SIZE];

	name_path(call, path, "/api/v1/sites/");
	if (call->options->unmapped)
		return run_unmapped(call, path);
	return run(call, path, "kpis", show_site);
}

static void show_ledger(const struct esf_call *call, const json_t *document)
{
	esf_show_ledger(&call->screen, document, call->options->all);
}

enum esf_exit esf_command_ledger(const struct esf_call *call)
{
	char path[PATH_SIZE] = "/api/v1/ledger";
	json_t *document = NULL;
	int result;

	add_param(call, path, "site", call->options->site);
	result = esf_client_get(call->client, path, "datagrams", &document);
	return finish(call, result, document, show_ledger);
}

static void show_pipeline(const struct esf_call *call, const json_t *document)
{
	esf_show_pipeline(&call->screen, document);
}

enum esf_exit esf_command_pipeline(const struct esf_call *call)
{
	json_t *document = NULL;
	int result = esf_client_get(call->client, "/api/v1/pipeline", "lcores", &document);

	return finish(call, result, document, show_pipeline);
}

static void show_events(const struct esf_call *call, const json_t *document)
{
	esf_show_events(&call->screen, document);
}

enum esf_exit esf_command_events(const struct esf_call *call)
{
	const struct esf_options *options = call->options;
	char path[PATH_SIZE] = "/api/v1/events";
	json_t *document = NULL;
	int result;

	add_param(call, path, "site", options->site);
	add_param(call, path, "code", options->code);
	add_param(call, path, "limit", options->limit);
	result = esf_client_get(call->client, path, "events", &document);
	return finish(call, result, document, show_events);
}

static void show_outliers(const struct esf_call *call, const json_t *document)
{
	esf_show_outliers(&call->screen, document);
}

enum esf_exit esf_command_outliers(const struct esf_call *call)
{
	const struct esf_options *options = call->options;
	char path[PATH_SIZE] = "/api/v1/outliers";

	add_param(call, path, "region", options->region);
	add_param(call, path, "kpi", options->kpi);
	add_param(call, path, "odd", options->odd);
	add_param(call, path, "limit", options->limit);
	add_param(call, path, "maintenance", options->all ? "with" : NULL);
	return run(call, path, "outliers", show_outliers);
}

static void show_maintenance(const struct esf_call *call, const json_t *document)
{
	esf_show_maintenance(&call->screen, document, call->options->all);
}

enum esf_exit esf_command_maintenance(const struct esf_call *call)
{
	json_t *document = NULL;
	int result = esf_client_get(call->client, "/api/v1/maintenance", "windows", &document);

	return finish(call, result, document, show_maintenance);
}

static void show_ranking(const struct esf_call *call, const json_t *document)
{
	esf_show_ranking(&call->screen, document);
}

enum esf_exit esf_command_ranking(const struct esf_call *call)
{
	const struct esf_options *options = call->options;
	char path[PATH_SIZE] = "/api/v1/ranking";

	add_param(call, path, "by", options->by);
	add_param(call, path, "region", options->region);
	add_param(call, path, "limit", options->limit);
	return run(call, path, "worst", show_ranking);
}

static void show_exports(const struct esf_call *call, const json_t *document)
{
	esf_show_exports(&call->screen, document);
}

enum esf_exit esf_command_exports(const struct esf_call *call)
{
	json_t *document = NULL;
	int result = esf_client_get(call->client, "/api/v1/exports", "exports", &document);

	return finish(call, result, document, show_exports);
}

static void put_faults(const json_t *document)
{
	const json_t *line;
	size_t i;

	json_array_foreach (json_object_get(document, "faults"), i, line) {
		const char *text = json_string_value(line);

		esf_text_put(stderr, text, esf_text_width(text));
		fputc('\n', stderr);
	}
}

static void show_reload(const struct esf_call *call, const json_t *document)
{
	const json_t *changed = json_object_get(document, "changed"), *key;
	FILE *out = call->screen.out;
	size_t i;

	fprintf(out, "%srevision %jd", call->options->diff ? "not reloaded: " : "reloaded: ",
	    (intmax_t)esf_field_count(document, "config_revision"));
	if (json_array_size(changed) == 0)
		fputs(", nothing differs but perhaps keys", out);
	else
		fputs(call->options->diff ? ", would change:" : ", changed:", out);
	json_array_foreach (changed, i, key)
		fprintf(out, "%s %s", i == 0 ? "" : ",", json_string_value(key));
	fputc('\n', out);
	esf_show_differences(out, json_object_get(document, "differences"));
}

enum esf_exit esf_command_reload(const struct esf_call *call)
{
	json_t *document = NULL;
	int result = esf_client_post(call->client,
	    call->options->diff ? "/api/v1/reload?diff=1" : "/api/v1/reload", "changed", &document);

	if (result == 0)
		return finish(call, result, document, show_reload);
	if (call->options->json && document != NULL)
		put_json(call, document);
	else {
		put_faults(document);
		esf_show_differences(call->screen.out, json_object_get(document, "differences"));
	}
	json_decref(document);
	return esf_command_fail(call, result);
}
