/* SPDX-License-Identifier: Apache-2.0 */
#include "export.h"

#include <inttypes.h>
#include <string.h>

#include "control/keyfile.h"
#include "nearest.h"
#include "rows.h"
#include "source.h"
#include "value.h"

#define KIB UINT64_C(1024)
#define SPOOL_MIN (64 * KIB)
#define SPOOL_MAX (64 * KIB * KIB * KIB)

static const struct esf_path targets_path = { .key = "export" };
static const char *const level_names[] = { "fleet", "region", "site" };

void esf_export_prepare(void *slot)
{
	struct esf_export_config *target = slot;

	target->spool_size = 64 * KIB * KIB;
	target->batch = 5000;
	target->every_ns = ESF_S;
	target->timeout_ns = 10 * ESF_S;
}

bool esf_export_has_level(const struct esf_export_config *target, enum esf_export_level level)
{
	for (uint32_t i = 0; i < target->levels_count; i++) {
		if (target->levels[i] == (uint32_t)level)
			return true;
	}
	return target->levels_count == 0 && level != ESF_EXPORT_SITE;
}

/* The value of the query's parameter, or NULL. */
static const char *find_param(const char *url, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = strchr(url, '?'); at != NULL; at = strchr(at, '&')) {
		at++;
		if (strncmp(at, name, size) == 0 && at[size] == '=')
			return at + size + 1;
	}
	return NULL;
}

static const char *past_scheme(const char *url)
{
	if (strncmp(url, "http://", 7) == 0)
		return url + 7;
	return strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

const char *esf_check_export_url(const char *text, char *buffer)
{
	const char *host = past_scheme(text), *precision;
	size_t host_size = host == NULL ? 0 : strcspn(host, "/?#");

	(void)buffer;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			host_size = 0;
	}
	if (host_size == 0 || host[0] == ':' || strchr(text, '#') != NULL || strlen(text) > 2048)
		return "a URL such as http://127.0.0.1:8428/write or "
		       "https://db.example:8086/write?db=fleet";
	if (memchr(host, '@', host_size) != NULL || find_param(text, "p") != NULL ||
	    find_param(text, "u") != NULL)
		return "a URL without a user and a password: they belong in token_file";
	precision = find_param(text, "precision");
	if (precision != NULL && strcspn(precision, "&") == 2 && strncmp(precision, "ns", 2) == 0)
		return NULL;
	if (precision != NULL && strcspn(precision, "&") == 1 && precision[0] == 'n')
		return NULL;
	return precision == NULL ? NULL : "precision=ns, which is the default";
}

const char *esf_set_spool_size(struct esf_load *load, yaml_node_t *node, void *slot)
{
	static const struct {
		const char *name;
		uint64_t size;
	} units[] = { { "KiB", KIB }, { "MiB", KIB * KIB }, { "GiB", KIB * KIB * KIB } };
	static const char want[] = "64KiB..64GiB, such as 64MiB";
	const char *text = esf_node_text(node);
	size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
	uint64_t value = 0;

	(void)load;
	if (digits == 0 || digits > 9 || text[0] == '0')
		return want;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t size = value * units[i].size;

		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		if (size < SPOOL_MIN || size > SPOOL_MAX)
			return want;
		if (slot != NULL)
			memcpy(slot, &size, sizeof(size));
		return NULL;
	}
	return want;
}

/* One target while it is checked. */
struct checked {
	struct esf_load *load;
	struct esf_path item;
	yaml_node_t *node;
};

static yaml_node_t *node_of(const struct checked *of, const char *key)
{
	return esf_document_find(of->load->document, of->node, key);
}

static bool is_sound(const struct checked *of, const char *key)
{
	return esf_document_is_sound(of->load->document, node_of(of, key));
}

static void check_repeated(const struct checked *of, const struct esf_config *config, uint32_t i)
{
	const struct esf_export_config *target = &config->export[i];
	struct esf_path name = { &of->item, "name", 0 }, file = { &of->item, "spool_file", 0 };

	for (uint32_t j = 0; j < i; j++) {
		const struct esf_export_config *other = &config->export[j];

		if (is_sound(of, "name") && other->name != NULL &&
		    strcmp(other->name, target->name) == 0)
			esf_load_fault(of->load, &name, node_of(of, "name"),
			    "\"%s\" again: export[%u] has it", target->name, j);
		if (target->spool_file != NULL && other->spool_file != NULL &&
		    strcmp(other->spool_file, target->spool_file) == 0)
			esf_load_fault(of->load, &file, node_of(of, "spool_file"),
			    "\"%s\" again: export[%u] has it, want a file each", target->spool_file,
			    j);
	}
}

static void check_levels(const struct checked *of, const struct esf_export_config *target)
{
	struct esf_path levels = { &of->item, "levels", 0 };

	for (uint32_t i = 0; i < target->levels_count && is_sound(of, "levels"); i++) {
		struct esf_path path = { &levels, NULL, i };
		yaml_node_t *node = esf_document_item(of->load->document, node_of(of, "levels"), i);

		for (uint32_t j = 0; j < i && esf_document_is_sound(of->load->document, node);
		     j++) {
			if (target->levels[i] == target->levels[j])
				esf_load_fault(
				    of->load, &path, node, "%s again", esf_node_text(node));
		}
	}
}

static bool knows_kpi(
    const struct esf_config *config, const char *name, struct esf_nearest *nearest)
{
	esf_nearest_start(nearest, name);
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		if (strcmp(config->kpis[k].name, name) == 0)
			return true;
		esf_nearest_offer(nearest, config->kpis[k].name);
	}
	return false;
}

/* Whether the KPIs that there are could be read. */
static bool are_kpis_known(struct esf_load *load)
{
	yaml_node_t *root = esf_document_root(load->document);

	return esf_document_is_known(load->document, root, "kpis") &&
	       esf_document_is_known(load->document, root, "domain");
}

static void check_kpis(const struct checked *of, const struct esf_config *config,
    const struct esf_export_config *target)
{
	struct esf_path kpis = { &of->item, "kpis", 0 };

	for (uint32_t i = 0; i < target->kpis_count && is_sound(of, "kpis"); i++) {
		struct esf_path path = { &kpis, NULL, i };
		yaml_node_t *node = esf_document_item(of->load->document, node_of(of, "kpis"), i);
		struct esf_nearest nearest;
		char hint[128];

		if (esf_document_is_sound(of->load->document, node) && are_kpis_known(of->load) &&
		    !knows_kpi(config, target->kpis[i], &nearest))
			esf_load_fault(of->load, &path, node, "no KPI \"%s\"%s", target->kpis[i],
			    esf_nearest_hint(&nearest, hint, sizeof(hint)));
	}
}

static void place(struct esf_load *load, char **file)
{
	if (*file != NULL)
		*file = esf_source_beside(load->arena, load->faults->file, *file);
}

static void check_files(const struct checked *of, struct esf_export_config *target)
{
	struct esf_path token = { &of->item, "token_file", 0 }, ca = { &of->item, "ca_file", 0 };
	char secret[ESF_KEYFILE_LINE_SIZE], message[512];

	place(of->load, &target->spool_file);
	place(of->load, &target->token_file);
	place(of->load, &target->ca_file);
	if (target->token_file != NULL && is_sound(of, "token_file") &&
	    esf_keyfile_read_line(target->token_file, secret, message, sizeof(message)) != 0)
		esf_load_fault(of->load, &token, node_of(of, "token_file"), "%s", message);
	esf_keyfile_wipe(secret);
	if (target->ca_file != NULL && is_sound(of, "ca_file") && is_sound(of, "url") &&
	    strncmp(target->url, "https://", 8) != 0)
		esf_load_fault(of->load, &ca, node_of(of, "ca_file"),
		    "means nothing to a url of http://: remove it, or want https://");
}

void esf_export_check(struct esf_load *load, struct esf_file *file)
{
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *list = esf_document_find(load->document, root, "export");
	struct esf_config *config = &file->config;

	for (uint32_t i = 0; i < config->export_count; i++) {
		struct checked of = { load, { &targets_path, NULL, i },
			esf_document_item(load->document, list, i) };
		struct esf_export_config *target = &config->export[i];

		check_files(&of, target);
		check_repeated(&of, config, i);
		check_levels(&of, target);
		check_kpis(&of, config, target);
	}
}

static void print_levels(FILE *out, const struct esf_export_config *target)
{
	const char *separator = "";

	for (uint32_t level = 0; level < ESF_EXPORT_LEVELS; level++) {
		if (!esf_export_has_level(target, level))
			continue;
		fprintf(out, "%s%s", separator, level_names[level]);
		separator = ", ";
	}
}

static void print_file(FILE *out, const char *name, const char *key, const char *file)
{
	fprintf(out, "export.%s.%s\t%s\n", name, key, file == NULL ? "null" : file);
}

void esf_print_export(FILE *out, const struct esf_config *config)
{
	char every[ESF_DURATION_TEXT_SIZE], timeout[ESF_DURATION_TEXT_SIZE];

	for (uint32_t i = 0; i < config->export_count; i++) {
		const struct esf_export_config *target = &config->export[i];

		fprintf(out, "export.%s.url\t%s\nexport.%s.levels\t", target->name, target->url,
		    target->name);
		print_levels(out, target);
		fprintf(out, "\nexport.%s.kpis\t%s", target->name,
		    target->kpis_count == 0 ? "all" : "");
		for (uint32_t k = 0; k < target->kpis_count; k++)
			fprintf(out, "%s%s", k == 0 ? "" : ", ", target->kpis[k]);
		fprintf(out, "\nexport.%s.spool\t%" PRIu64 "KiB\n", target->name,
		    target->spool_size / KIB);
		fprintf(out, "export.%s.batch\t%u\nexport.%s.every\t%s\nexport.%s.timeout\t%s\n",
		    target->name, target->batch, target->name,
		    esf_value_duration_text(target->every_ns, every), target->name,
		    esf_value_duration_text(target->timeout_ns, timeout));
		fprintf(out, "export.%s.gzip\t%s\n", target->name, target->gzip ? "true" : "false");
		print_file(out, target->name, "spool_file", target->spool_file);
		print_file(out, target->name, "token_file", target->token_file);
		print_file(out, target->name, "ca_file", target->ca_file);
	}
}
