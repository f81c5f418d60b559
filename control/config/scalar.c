/* SPDX-License-Identifier: Apache-2.0 */
#include "scalar.h"

#include <string.h>

#include "value.h"

void esf_scalar_store(void *slot, const void *value, size_t size)
{
	if (slot != NULL)
		memcpy(slot, value, size);
}

/* The names of the choices: `full, downsample or deviation`. */
static void want_choices(const struct esf_choice *choices, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (const struct esf_choice *choice = choices; choice->name != NULL && used < size;
	     choice++) {
		const char *joint = choice == choices ? "" : choice[1].name == NULL ? " or " : ", ";

		used += snprintf(buffer + used, size - used, "%s%s", joint, choice->name);
	}
}

static void want_duration(const struct esf_key *key, char *buffer, size_t size)
{
	char min[ESF_DURATION_TEXT_SIZE], max[ESF_DURATION_TEXT_SIZE];

	snprintf(buffer, size, "a duration of %s..%s", esf_value_duration_text(key->min, min),
	    esf_value_duration_text(key->max, max));
}

static void want_number(const struct esf_key *key, char *buffer, size_t size)
{
	if (key->above)
		snprintf(buffer, size, "a number above %.15g, at most %.15g", key->low, key->high);
	else
		snprintf(buffer, size, "%.15g..%.15g", key->low, key->high);
}

const char *esf_scalar_want(const struct esf_key *key, char buffer[ESF_WANT_SIZE])
{
	const size_t size = ESF_WANT_SIZE;

	if (key->want != NULL)
		return key->want;
	switch (key->kind) {
	case ESF_KEY_BOOLEAN:
		return "true or false";
	case ESF_KEY_INTEGER:
		snprintf(buffer, size, "%lld..%lld", (long long)key->min, (long long)key->max);
		return buffer;
	case ESF_KEY_NUMBER:
		want_number(key, buffer, size);
		return buffer;
	case ESF_KEY_DURATION:
		want_duration(key, buffer, size);
		return buffer;
	case ESF_KEY_CHOICE:
		want_choices(key->choices, buffer, size);
		return buffer;
	case ESF_KEY_TEXT:
		snprintf(buffer, size, "text of 1..%lld bytes on one line", (long long)key->max);
		return buffer;
	case ESF_KEY_LIST:
		return "a list";
	default:
		return "a mapping";
	}
}

/* The scalar readers return whether the node was taken. */

static bool read_boolean(yaml_node_t *node, void *slot)
{
	bool read;

	if (!esf_node_is_plain(node) || !esf_value_boolean(esf_node_text(node), &read))
		return false;
	esf_scalar_store(slot, &read, sizeof(read));
	return true;
}

static bool read_integer(yaml_node_t *node, const struct esf_key *key, void *slot)
{
	uint64_t read;
	uint32_t read32;
	uint16_t read16;

	if (!esf_node_is_plain(node) || !esf_value_integer(esf_node_text(node), &read) ||
	    read < (uint64_t)key->min || read > (uint64_t)key->max)
		return false;
	read32 = (uint32_t)read;
	read16 = (uint16_t)read;
	if (key->size == sizeof(read16))
		esf_scalar_store(slot, &read16, sizeof(read16));
	else
		esf_scalar_store(slot, &read32, sizeof(read32));
	return true;
}

static bool read_number(yaml_node_t *node, const struct esf_key *key, void *slot)
{
	double read;

	if (!esf_node_is_plain(node) || !esf_value_number(esf_node_text(node), &read) ||
	    read < key->low || read > key->high || (key->above && read == key->low))
		return false;
	esf_scalar_store(slot, &read, sizeof(read));
	return true;
}

static bool read_duration(yaml_node_t *node, const struct esf_key *key, void *slot)
{
	const char *text = esf_node_text(node);
	int64_t ns;

	if (text == NULL || !esf_value_duration(text, &ns) || ns < key->min || ns > key->max)
		return false;
	esf_scalar_store(slot, &ns, sizeof(ns));
	return true;
}

bool esf_scalar_read(yaml_node_t *node, const struct esf_key *key, void *slot)
{
	if (esf_node_text(node) == NULL || esf_node_is_null(node))
		return false;
	switch (key->kind) {
	case ESF_KEY_BOOLEAN:
		return read_boolean(node, slot);
	case ESF_KEY_INTEGER:
		return read_integer(node, key, slot);
	case ESF_KEY_NUMBER:
		return read_number(node, key, slot);
	default:
		return read_duration(node, key, slot);
	}
}
