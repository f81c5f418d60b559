/* SPDX-License-Identifier: Apache-2.0 */
#include "control/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "suites.h"

#define MS INT64_C(1000000)

static char folder[] = "/tmp/esf-watch-XXXXXX";
static char path[64], inventory[64], other[64];

static void put_file(const char *name)
{
	FILE *out = fopen(name, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs("x", out);
	fclose(out);
}

static void writes_and_renames_are_told_once_they_settle(void)
{
	struct esf_config config = { .path = path, .inventory = inventory, .reload.watch = true };
	struct esf_watch *watch = esf_watch_create();

	put_file(path);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 0));
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 1000 * MS));
	put_file(path);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 1100 * MS));
	put_file(path);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 1500 * MS));
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 1999 * MS));
	CU_ASSERT_TRUE(esf_watch_tick(watch, &config, 1, 2000 * MS));
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 2, 9000 * MS));
	put_file(other);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 2, 9100 * MS));
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 2, 9900 * MS));
	CU_ASSERT_EQUAL(rename(other, inventory), 0);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 2, 10000 * MS));
	CU_ASSERT_TRUE(esf_watch_tick(watch, &config, 2, 10500 * MS));
	esf_watch_destroy(watch);
}

static void nothing_is_watched_unless_it_is_asked_for(void)
{
	struct esf_config config = { .path = path };
	struct esf_watch *watch = esf_watch_create();

	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 0));
	put_file(path);
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 1000 * MS));
	CU_ASSERT_FALSE(esf_watch_tick(watch, &config, 1, 9000 * MS));
	esf_watch_destroy(watch);
}

static int make_folder(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/fleet.yaml", folder);
	snprintf(inventory, sizeof(inventory), "%s/sites.csv", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int remove_folder(void)
{
	unlink(path);
	unlink(inventory);
	return rmdir(folder);
}

void esf_suite_watch(void)
{
	CU_pSuite suite = CU_add_suite("watch", make_folder, remove_folder);

	CU_ADD_TEST(suite, writes_and_renames_are_told_once_they_settle);
	CU_ADD_TEST(suite, nothing_is_watched_unless_it_is_asked_for);
}
