/* SPDX-License-Identifier: Apache-2.0 */
#include "hugepages.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

enum { PATH_SIZE = 512 };

static uint64_t free_pages(const char *folder, const char *size)
{
	char path[PATH_SIZE];
	uint64_t count = 0;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s/free_hugepages", folder, size) >= (int)sizeof(path))
		return 0;
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

uint64_t esf_hugepages_free(int node)
{
	char folder[PATH_SIZE / 2] = "/sys/kernel/mm/hugepages";
	uint64_t total = 0, size_kib;
	const struct dirent *entry;
	DIR *sizes;

	if (node >= 0)
		snprintf(folder, sizeof(folder), "/sys/devices/system/node/node%d/hugepages", node);
	sizes = opendir(folder);
	if (sizes == NULL)
		return node >= 0 ? esf_hugepages_free(-1) : 0;
	while ((entry = readdir(sizes)) != NULL)
		if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &size_kib) == 1)
			total += free_pages(folder, entry->d_name) * size_kib * 1024;
	closedir(sizes);
	return total;
}
