/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/inventory.h"
#include "dataplane/limits.h"

/*
 * Any bytes: either sites each of whose members is sound and whose lines rise, or at least one
 * fault; and each message is one line that begins with the file's name.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_site(const struct esf_site_config *site)
{
	assert(site->id > 0 && site->name != NULL && strlen(site->name) < 64 && site->weight > 0);
	assert(site->addresses_count <= 16 && site->upstream_count <= 16);
	assert(site->labels_count <= 32 && site->keys_count <= ESF_SITE_KEYS_MAX);
	for (uint32_t i = 0; i < site->labels_count; i++)
		assert(site->labels[i].name[0] != '\0' && site->labels[i].value[0] != '\0');
	for (uint32_t i = 0; i < site->upstream_count; i++)
		assert(site->upstream[i][0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_fault_list list = { .file = "f" };
	struct esf_arena arena = { 0 };
	struct esf_inventory inventory;
	struct esf_faults faults;
	char *copy = malloc(size + 1);
	bool sound;

	memcpy(copy, data, size);
	sound = esf_inventory_parse(&arena, &list, copy, size, &inventory);
	free(copy);
	assert(!arena.exhausted && inventory.count <= ESF_SITES_MAX);
	for (uint32_t i = 0; sound && i < inventory.count; i++) {
		check_site(&inventory.sites[i]);
		assert(i == 0 || inventory.lines[i] > inventory.lines[i - 1]);
	}
	assert(esf_fault_list_finish(&list, &faults) == 0);
	assert(sound == (faults.count == 0));
	for (uint32_t i = 0; i < faults.count; i++)
		assert(strncmp(faults.lines[i], "f:", 2) == 0 &&
		       strchr(faults.lines[i], '\n') == NULL);
	esf_faults_free(&faults);
	esf_arena_free(&arena);
	return 0;
}
