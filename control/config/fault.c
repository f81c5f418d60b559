/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct esf_fault {
	uint32_t file_number;
	uint32_t line;
	uint32_t order;
	bool warning;
	char *text; /* the whole line */
};

void esf_fault_quote(const char *text, size_t text_size, char *buffer, size_t size)
{
	size_t cut = text_size;

	if (cut > size - 1) {
		cut = size - 4;
		while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
			cut--;
	}
	for (size_t i = 0; i < cut; i++)
		buffer[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	strcpy(buffer + cut, cut < text_size ? "..." : "");
}

void esf_path_text(const struct esf_path *path, char *buffer, size_t size)
{
	char key[64];
	size_t used;

	if (path == NULL) {
		buffer[0] = '\0';
		return;
	}
	esf_path_text(path->parent, buffer, size);
	used = strlen(buffer);
	if (path->key == NULL) {
		snprintf(buffer + used, size - used, "[%u]", path->index);
		return;
	}
	esf_fault_quote(path->key, strlen(path->key), key, sizeof(key));
	snprintf(buffer + used, size - used, "%s%s", used == 0 ? "" : ".", key);
}

static struct esf_fault *take(struct esf_fault_list *list)
{
	uint32_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
	struct esf_fault *items;

	if (list->count < list->capacity)
		return &list->items[list->count];
	items = realloc(list->items, capacity * sizeof(*items));
	if (items == NULL) {
		list->exhausted = true;
		return NULL;
	}
	list->items = items;
	list->capacity = capacity;
	return &items[list->count];
}

static void add(struct esf_fault_list *list, const struct esf_path *path, uint32_t line,
    bool warning, const char *said)
{
	struct esf_fault *fault;
	char key[ESF_KEY_PATH_MAX];

	if (list->count >= ESF_FAULTS_MAX) {
		list->dropped++;
		return;
	}
	fault = take(list);
	if (fault == NULL)
		return;
	esf_path_text(path, key, sizeof(key));
	if (asprintf(&fault->text, "%s:%u: %s: %s", list->file, line, key, said) < 0) {
		list->exhausted = true;
		return;
	}
	fault->file_number = list->file_number;
	fault->line = line;
	fault->order = list->count++;
	fault->warning = warning;
}

void esf_fault_add(struct esf_fault_list *list, const struct esf_path *path, uint32_t line,
    const char *format, ...)
{
	char said[ESF_FAULT_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	list->faults++;
	add(list, path, line, false, said);
}

void esf_fault_warn(struct esf_fault_list *list, const struct esf_path *path, uint32_t line,
    const char *format, ...)
{
	char said[ESF_FAULT_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	add(list, path, line, true, said);
}

static int by_line(const void *left, const void *right)
{
	const struct esf_fault *a = left, *b = right;

	if (a->file_number != b->file_number)
		return a->file_number < b->file_number ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void summarise(struct esf_fault_list *list)
{
	struct esf_fault *fault = list->dropped == 0 ? NULL : take(list);

	if (fault == NULL)
		return;
	if (asprintf(&fault->text, "%s: and %u more", list->file, list->dropped) < 0) {
		list->exhausted = true;
		return;
	}
	fault->warning = list->faults == 0;
	list->count++;
}

static void hand_over(struct esf_fault_list *list, struct esf_faults *faults)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].warning)
			faults->warnings[faults->warnings_count++] = list->items[i].text;
		else
			faults->lines[faults->count++] = list->items[i].text;
	}
	free(list->items);
}

static void drop(struct esf_fault_list *list, struct esf_faults *faults)
{
	for (uint32_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
	esf_faults_free(faults);
}

int esf_fault_list_finish(struct esf_fault_list *list, struct esf_faults *faults)
{
	memset(faults, 0, sizeof(*faults));
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), by_line);
	summarise(list);
	faults->lines = calloc(list->count + 1, sizeof(char *));
	faults->warnings = calloc(list->count + 1, sizeof(char *));
	if (list->exhausted || faults->lines == NULL || faults->warnings == NULL) {
		drop(list, faults);
		return -ENOMEM;
	}
	hand_over(list, faults);
	return 0;
}

void esf_faults_free(struct esf_faults *faults)
{
	for (uint32_t i = 0; i < faults->count; i++)
		free(faults->lines[i]);
	for (uint32_t i = 0; i < faults->warnings_count; i++)
		free(faults->warnings[i]);
	free(faults->lines);
	free(faults->warnings);
	memset(faults, 0, sizeof(*faults));
}
