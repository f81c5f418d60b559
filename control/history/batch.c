/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct esf_history_batch *esf_history_batch_create(void)
{
	return calloc(1, sizeof(struct esf_history_batch));
}

void esf_history_batch_free(struct esf_history_batch *batch)
{
	if (batch == NULL)
		return;
	free(batch->rows);
	free(batch->events);
	free(batch->text);
	free(batch);
}

/* Room for `more` items behind `count`; false when out of memory. */
static bool grow(struct esf_history_batch *batch, void **items, uint32_t count, size_t more,
    uint32_t *room, size_t size)
{
	size_t wanted = count + more;
	void *grown;

	if (wanted <= *room)
		return true;
	wanted = wanted < 256 ? 256 : 2 * wanted;
	grown = wanted <= UINT32_MAX / 2 ? realloc(*items, wanted * size) : NULL;
	if (grown == NULL) {
		batch->short_of_memory = true;
		return false;
	}
	*items = grown;
	*room = (uint32_t)wanted;
	return true;
}

uint32_t esf_history_batch_text(struct esf_history_batch *batch, const char *text, size_t size)
{
	uint32_t at = batch->text_size;
	void *items = batch->text;

	if (!grow(batch, &items, at, size + 1, &batch->text_room, 1))
		return 0;
	batch->text = items;
	memcpy(batch->text + at, text, size);
	batch->text[at + size] = '\0';
	batch->text_size += (uint32_t)size + 1;
	return at;
}

struct esf_history_row *esf_history_batch_row(struct esf_history_batch *batch)
{
	void *items = batch->rows;

	if (!grow(batch, &items, batch->rows_count, 1, &batch->rows_room, sizeof(*batch->rows)))
		return NULL;
	batch->rows = items;
	return &batch->rows[batch->rows_count++];
}

struct esf_history_event *esf_history_batch_event(struct esf_history_batch *batch)
{
	void *items = batch->events;

	if (!grow(
	        batch, &items, batch->events_count, 1, &batch->events_room, sizeof(*batch->events)))
		return NULL;
	batch->events = items;
	return &batch->events[batch->events_count++];
}

const char *esf_history_site_key(uint32_t id, const char *name, char key[ESF_HISTORY_KEY_SIZE])
{
	if (id != 0)
		snprintf(key, ESF_HISTORY_KEY_SIZE, "site:%u", id);
	else
		snprintf(key, ESF_HISTORY_KEY_SIZE, "site=%s", name);
	return key;
}
