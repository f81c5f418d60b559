/* SPDX-License-Identifier: Apache-2.0 */
#include "setter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kpi_rows.h"
#include "value.h"

enum { LCORE_MAX = 127, LABELS_MAX = 32, LABEL_VALUE_MAX = 255, ROUNDS_MAX = 64 };

#define WANT_LCORES "auto, or lcores 0..127 in ascending order, such as 2-5 or 2,4-6"

const char *esf_check_name(const char *text, char *buffer)
{
	(void)buffer;
	return esf_value_is_name(text) ? NULL : ESF_WANT_NAME;
}

const char *esf_check_kpi_name(const char *text, char *buffer)
{
	(void)buffer;
	return esf_value_is_kpi_name(text) ? NULL : ESF_WANT_KPI_NAME;
}

const char *esf_check_pattern(const char *text, char *buffer)
{
	char message[ESF_WANT_SIZE - 64];

	if (esf_ruleset_check_pattern(text, message, sizeof(message)) == 0)
		return NULL;
	snprintf(buffer, ESF_WANT_SIZE, "a pattern that compiles: %s", message);
	return buffer;
}

const char *esf_check_peers(const char *text, char *buffer)
{
	(void)buffer;
	if (strcmp(text, "region") == 0 || strcmp(text, "fleet") == 0 ||
	    (strncmp(text, "label:", 6) == 0 && esf_value_is_name(text + 6)))
		return NULL;
	return "region, fleet or label:NAME";
}

/* NAME=VALUE of a label. */
static bool is_label(const char *text)
{
	const char *equals = strchr(text, '=');
	char name[ESF_SITE_NAME_MAX + 1];
	size_t size = equals == NULL ? sizeof(name) : (size_t)(equals - text);

	if (size >= sizeof(name) || equals[1] == '\0')
		return false;
	memcpy(name, text, size);
	name[size] = '\0';
	return esf_value_is_name(name);
}

const char *esf_check_scope(const char *text, char *buffer)
{
	(void)buffer;
	if (strcmp(text, "fleet") == 0 ||
	    (strncmp(text, "region:", 7) == 0 && esf_value_is_name(text + 7)) ||
	    (strncmp(text, "site:", 5) == 0 && esf_value_is_name(text + 5)) ||
	    (strncmp(text, "label:", 6) == 0 && is_label(text + 6)))
		return NULL;
	return ESF_WANT_SCOPE;
}

/* Suppressing alerts wants a reason that can be read. */
const char *esf_check_why(const char *text, char *buffer)
{
	size_t size = strlen(text);

	(void)buffer;
	if (size > ESF_WHY_MAX || strspn(text, " \t") == size)
		return ESF_WANT_WHY;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return ESF_WANT_WHY;
	return NULL;
}

const char *esf_set_time(struct esf_load *load, yaml_node_t *node, void *slot)
{
	const char *text = esf_node_text(node);
	int64_t read;

	(void)load;
	if (text == NULL || !esf_value_time(text, &read))
		return ESF_WANT_TIME;
	if (slot != NULL)
		memcpy(slot, &read, sizeof(read));
	return NULL;
}

const char *esf_set_address(struct esf_load *load, yaml_node_t *node, void *slot)
{
	const char *text = esf_node_text(node);
	struct esf_address read;

	(void)load;
	if (text == NULL || !esf_value_address(text, &read))
		return "a unicast address such as 10.9.0.1 or fd00:9::1";
	if (slot != NULL)
		memcpy(slot, &read, sizeof(read));
	return NULL;
}

const char *esf_set_port_address(struct esf_load *load, yaml_node_t *node, void *slot)
{
	const char *text = esf_node_text(node);

	(void)load;
	if (text == NULL || !esf_value_port_address(text, slot))
		return "an address and its prefix, such as 10.9.0.2/24 or fd00:9::2/64";
	return NULL;
}

const char *esf_set_precision(struct esf_load *load, yaml_node_t *node, void *slot)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	const char *text = esf_node_text(node);

	(void)load;
	for (size_t i = 0; text != NULL && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].name) == 0) {
			*(int64_t *)slot = units[i].ns;
			return NULL;
		}
	}
	return "ns, us, ms or s";
}

const char *esf_set_rounds(struct esf_load *load, yaml_node_t *node, void *slot)
{
	uint32_t *rounds = slot;
	uint64_t read[2];

	if (esf_node_items(node) != 2)
		return "[M, N]: M of the last N windows";
	for (uint32_t i = 0; i < 2; i++) {
		yaml_node_t *item = esf_document_item(load->document, node, i);
		const char *text = esf_node_text(item);

		if (text == NULL || !esf_node_is_plain(item) || !esf_value_integer(text, &read[i]))
			return "[M, N]: two whole numbers";
	}
	if (read[0] < 1 || read[0] > read[1] || read[1] > ROUNDS_MAX)
		return "[M, N] with 1 <= M <= N <= 64";
	rounds[0] = (uint32_t)read[0];
	rounds[1] = (uint32_t)read[1];
	return NULL;
}

/* null is an open edge: an infinity. */
static bool read_edge(yaml_node_t *node, double open, double *edge)
{
	const char *text = esf_node_text(node);

	*edge = open;
	if (esf_node_is_null(node))
		return true;
	return text != NULL && esf_node_is_plain(node) && esf_value_number(text, edge);
}

const char *esf_set_edges(struct esf_load *load, yaml_node_t *node, void *slot)
{
	double edges[2];

	if (esf_node_items(node) != 2 ||
	    !read_edge(esf_document_item(load->document, node, 0), -INFINITY, &edges[0]) ||
	    !read_edge(esf_document_item(load->document, node, 1), INFINITY, &edges[1]))
		return "[LOW, HIGH]: numbers, null where open";
	if (edges[0] > edges[1])
		return "[LOW, HIGH] with LOW <= HIGH";
	if (slot != NULL)
		memcpy(slot, edges, sizeof(edges));
	return NULL;
}

/* One "2" or "4-6" of the list, and what ends it. */
static bool read_range(const char **text, uint64_t *first, uint64_t *last)
{
	char *end;

	if (!strchr("0123456789", **text) || **text == '\0')
		return false;
	*first = strtoul(*text, &end, 10);
	*last = *first;
	if (*end == '-') {
		*text = end + 1;
		if (!strchr("0123456789", **text) || **text == '\0')
			return false;
		*last = strtoul(*text, &end, 10);
	}
	*text = end;
	return *first <= *last && *last <= LCORE_MAX;
}

static bool read_lcores(const char *text, uint32_t *lcores, uint32_t *count)
{
	uint64_t first, last, next = 0;

	*count = 0;
	for (;; text++) {
		if (!read_range(&text, &first, &last) || first < next)
			return false;
		for (uint64_t lcore = first; lcore <= last; lcore++)
			lcores[(*count)++] = (uint32_t)lcore;
		next = last + 1;
		if (*text != ',')
			return *text == '\0';
	}
}

const char *esf_set_lcores(struct esf_load *load, yaml_node_t *node, void *slot)
{
	const char *text = esf_node_text(node);
	struct esf_config *config = &((struct esf_file *)slot)->config;
	uint32_t lcores[LCORE_MAX + 1], count;

	if (text == NULL)
		return WANT_LCORES;
	config->lcores_auto = strcmp(text, "auto") == 0;
	if (config->lcores_auto)
		return NULL;
	if (!read_lcores(text, lcores, &count))
		return WANT_LCORES;
	config->lcores = esf_arena_alloc(load->arena, count * sizeof(uint32_t));
	if (config->lcores == NULL)
		return NULL;
	memcpy(config->lcores, lcores, count * sizeof(uint32_t));
	config->lcores_count = count;
	return NULL;
}

const char *esf_set_listen(struct esf_load *load, yaml_node_t *node, void *slot)
{
	struct esf_config *config = &((struct esf_file *)slot)->config;
	const char *text = esf_node_text(node);
	char address[ESF_LISTEN_ADDRESS_SIZE];
	uint16_t port;

	if (text == NULL || !esf_value_listen(text, address, &port))
		return "ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080";
	if (!esf_value_is_loopback(address))
		return "a loopback address: any other needs a token, and http.token_file is not "
		       "built yet";
	config->http.address = esf_arena_text(load->arena, address);
	config->http.port = port;
	return NULL;
}

static const char *read_label(
    struct esf_load *load, const yaml_node_pair_t *pair, struct esf_label *label)
{
	const char *name = esf_node_text(esf_document_node(load->document, pair->key));
	const char *value = esf_node_text(esf_document_node(load->document, pair->value));

	if (name == NULL || !esf_value_is_name(name))
		return "label names of 1..63 bytes without blanks, control characters or /";
	if (value == NULL || value[0] == '\0' || strlen(value) > LABEL_VALUE_MAX)
		return "NAME: VALUE pairs, each value a text of 1..255 bytes";
	label->name = esf_arena_text(load->arena, name);
	label->value = esf_arena_text(load->arena, value);
	return NULL;
}

static bool is_repeated(const struct esf_label *labels, uint32_t count)
{
	const char *name = labels[count].name;

	for (uint32_t i = 0; i < count; i++) {
		if (name != NULL && strcmp(labels[i].name, name) == 0)
			return true;
	}
	return false;
}

const char *esf_set_labels(struct esf_load *load, yaml_node_t *node, void *slot)
{
	struct esf_site_config *site = slot;
	const yaml_node_pair_t *pairs;
	const char *want = NULL;
	struct esf_label *labels;
	size_t count;

	if (node->type != YAML_MAPPING_NODE)
		return "a mapping, such as {vendor: acme}";
	pairs = node->data.mapping.pairs.start;
	count = (size_t)(node->data.mapping.pairs.top - pairs);
	if (count > LABELS_MAX)
		return "at most 32 labels";
	labels = esf_arena_alloc(load->arena, count * sizeof(*labels));
	for (uint32_t i = 0; labels != NULL && i < count && want == NULL; i++) {
		want = read_label(load, &pairs[i], &labels[i]);
		if (want == NULL && is_repeated(labels, i))
			want = "each label once";
	}
	if (want != NULL || labels == NULL)
		return want;
	site->labels = labels;
	site->labels_count = (uint32_t)count;
	return NULL;
}
