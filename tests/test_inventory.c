/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static char folder[] = "/tmp/esf-inventory-XXXXXX";

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
	chmod(path, 0600);
}

struct loaded {
	struct esf_config *config;
	struct esf_faults faults;
	int rc;
};

/* fleet.yaml and, unless NULL, sites.csv beside it. */
static struct loaded load(const char *yaml, const char *csv)
{
	struct loaded loaded;
	char path[128];

	put_file("fleet.yaml", yaml);
	if (csv != NULL)
		put_file("sites.csv", csv);
	snprintf(path, sizeof(path), "%s/fleet.yaml", folder);
	loaded.rc = esf_config_load(path, &loaded.config, &loaded.faults);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	esf_config_free(loaded->config);
	esf_faults_free(&loaded->faults);
}

#define SMALL "profile: small\ninventory: sites.csv\n"

/* The faults, without the folder, one a line. */
static void expect(const char *yaml, const char *csv, const char *faults)
{
	struct loaded loaded = load(yaml, csv);
	char got[4096] = "";
	size_t used = 0, skip = strlen(folder) + 1;

	for (uint32_t i = 0; i < loaded.faults.count && used < sizeof(got); i++)
		used += (size_t)snprintf(
		    got + used, sizeof(got) - used, "%s\n", loaded.faults.lines[i] + skip);
	if (strcmp(got, faults) != 0)
		fprintf(stderr, "\n%s\n -> %s\n want %s\n", csv, got, faults);
	CU_ASSERT_STRING_EQUAL(got, faults);
	CU_ASSERT_EQUAL(loaded.rc, *faults == '\0' ? 0 : -EINVAL);
	unload(&loaded);
}

static void every_column_reaches_its_site(void)
{
	struct loaded loaded;
	const struct esf_site_config *site;
	char key[128];

	put_file("a.key", "000102030405060708090a0b0c0d0e0f\n");
	loaded =
	    load(SMALL "regions:\n  - {name: north, sites: [n-1]}\n  - {name: rest, match: 's*'}\n",
	        "\xef\xbb\xbfID,Name,weight,addresses,vendor,labels,label:weight,upstream,keys,"
	        "require_seal\r\n"
	        "7,n-1,2.5,10.9.0.1; fd00::1,\"acme, inc.\",firmware=2.1;feeder=F 1,heavy,gw-west "
	        "n-2,1=a.key,true\r\n"
	        "\r\n"
	        "4294967295,s\xc3\xa9,,,,,,,,\r\n");
	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL_FATAL(loaded.config->sites_count, 2);
	site = &loaded.config->sites[0];
	CU_ASSERT_EQUAL(site->id, 7);
	CU_ASSERT_STRING_EQUAL(site->name, "n-1");
	CU_ASSERT_EQUAL(site->weight, 2.5);
	CU_ASSERT_EQUAL(site->region, 0);
	CU_ASSERT_EQUAL(site->addresses_count, 2);
	CU_ASSERT_EQUAL_FATAL(site->labels_count, 4);
	CU_ASSERT_STRING_EQUAL(site->labels[0].name, "vendor");
	CU_ASSERT_STRING_EQUAL(site->labels[0].value, "acme, inc.");
	CU_ASSERT_STRING_EQUAL(site->labels[2].name, "feeder");
	CU_ASSERT_STRING_EQUAL(site->labels[2].value, "F 1");
	CU_ASSERT_STRING_EQUAL(site->labels[3].name, "weight");
	CU_ASSERT_EQUAL_FATAL(site->upstream_count, 2);
	CU_ASSERT_STRING_EQUAL(site->upstream[1], "n-2");
	CU_ASSERT_EQUAL_FATAL(site->keys_count, 1);
	snprintf(key, sizeof(key), "%s/a.key", folder);
	CU_ASSERT_STRING_EQUAL(site->keys[0].file, key);
	CU_ASSERT_TRUE(site->require_seal);
	site = &loaded.config->sites[1];
	CU_ASSERT_EQUAL(site->id, UINT32_MAX);
	CU_ASSERT_EQUAL(site->weight, 1);
	CU_ASSERT_EQUAL(site->region, 1);
	CU_ASSERT_EQUAL(site->labels_count, 0);
	CU_ASSERT_FALSE(site->require_seal);
	unload(&loaded);
}

static void each_fault_is_named_by_line_and_column(void)
{
	static const struct {
		const char *csv, *faults;
	} cases[] = {
		{ "id,name\n1,a\n2,b\n", "" },
		{ "", "sites.csv:1: header: missing, want columns such as "
		      "id,name,weight,addresses,upstream\n" },
		{ "id,wieght\n", "sites.csv:1: header: unknown column \"wieght\", did you mean "
		                 "\"weight\"? (a label of "
		                 "that name is the column \"label:wieght\")\n" },
		{ "id\n1\n",
		    "sites.csv:1: header: got no column name, want id, name and, as needed, "
		    "weight, "
		    "addresses, labels, upstream, keys, require_seal and one for each label\n" },
		{ "id,name,id\n",
		    "sites.csv:1: header: got the column \"id\" again, want each once\n" },
		{ "id,name,site name\n", "sites.csv:1: header: got the column \"site name\", want "
		                         "a name of 1..63 bytes without "
		                         "blanks, control characters or /\n" },
		{ "id,name,weight,addresses\n0,a b,-1,10.0.0.300\n1,x,,\n",
		    "sites.csv:2: id: got \"0\", want 1..4294967295\n"
		    "sites.csv:2: name: got \"a b\", want a name of 1..63 bytes without blanks, "
		    "control "
		    "characters or /\n"
		    "sites.csv:2: weight: got \"-1\", want a number above 0, at most 1000000000\n"
		    "sites.csv:2: addresses[0]: got \"10.0.0.300\", want a unicast address such as "
		    "10.9.0.1 or fd00:9::1\n" },
		{ "id,name\n1,a\n2\n3,c,d\n",
		    "sites.csv:3: row: got 1 columns, want 2 as in the header\n"
		    "sites.csv:4: row: got 3 columns, want 2 as in the header\n" },
		{ "id,name\n1,a\n1,b\n2,a\n", "sites.csv:3: id: 1 again: line 2 has "
		                              "it\nsites.csv:4: name: \"a\" again: line 2 has "
		                              "it\n" },
		{ "id,name,addresses\n1,a,10.0.0.1\n2,b,10.0.0.2;10.0.0.1\n",
		    "sites.csv:3: addresses: address 2 of the list again: line 2 has it\n" },
		{ "id,name,labels,vendor\n1,a,vendor=x,y\n2,b,=x,\n3,c,x=,\n",
		    "sites.csv:2: vendor: got \"vendor\", want each label once\n"
		    "sites.csv:3: labels: got \"\", want NAME=VALUE, such as "
		    "vendor=acme;feeder=F1\n"
		    "sites.csv:4: labels: got \"\", want a text of 1..255 bytes on one line\n" },
		{ "id,name,require_seal\n1,a,yes\n2,b,true\n",
		    "sites.csv:2: require_seal: got \"yes\", want true or false\n"
		    "sites.csv:3: require_seal: got true, but the site has no keys: list them "
		    "under keys\n" },
		{ "id,name\n1,\"a\n", "sites.csv:2: row: got a field in quotes that does not end, "
		                      "want \" at its end, and "
		                      "\"\" for one within\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(SMALL, cases[i].csv, cases[i].faults);
}

static void faults_of_both_files_are_told(void)
{
	expect(SMALL "health: {good: 101}\n", "id,name\n0,a\n",
	    "fleet.yaml:3: health.good: got \"101\", want 0..100\n"
	    "sites.csv:2: id: got \"0\", want 1..4294967295\n");
	expect(SMALL "sites: [{id: 1, name: a}]\n", "id,name\n",
	    "fleet.yaml:2: inventory: got sites on line 3 too, want one of them: remove the "
	    "other\n");
	expect(SMALL "regions: [{name: r, sites: [b]}]\n", "id,name\n1,a\n",
	    "fleet.yaml:3: regions[0].sites[0]: got \"b\", want the name of one of sites, did you "
	    "mean \"a\"?\n");
}

static void a_file_that_cannot_be_read_is_named(void)
{
	struct loaded loaded = load("profile: small\ninventory: none.csv\n", NULL);

	CU_ASSERT_EQUAL(loaded.rc, -EINVAL);
	CU_ASSERT_EQUAL_FATAL(loaded.faults.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(loaded.faults.lines[0], "none.csv: No such file"));
	unload(&loaded);
	loaded = load("profile: small\ninventory: /dev/null\n", NULL);
	CU_ASSERT_EQUAL_FATAL(loaded.faults.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(loaded.faults.lines[0],
	    "fleet.yaml:2: inventory: /dev/null: got something else, want a regular file"));
	unload(&loaded);
}

static char *rows(uint32_t count)
{
	char *text = malloc(16 + (size_t)count * 18), *to = text + sprintf(text, "id,name\n");

	for (uint32_t i = 1; i <= count; i++)
		to += sprintf(to, "%u,s-%u\n", i, i);
	return text;
}

static void more_sites_than_the_profile_takes_are_refused(void)
{
	char *text = rows(51);

	expect(SMALL, text,
	    "fleet.yaml:2: inventory: 51 sites, profile small takes 50: use profile medium\n");
	free(text);
}

static void a_million_rows_are_read_and_one_more_is_a_fault(void)
{
	static const char xlarge[] = "profile: xlarge\ninventory: sites.csv\n";
	char *text = rows(ESF_SITES_MAX + 1);
	struct loaded loaded;

	expect(xlarge, text,
	    "sites.csv:1000002: row: got more than 1000000 sites, want at most as many\n");
	*strstr(text, "1000001,") = '\0';
	loaded = load(xlarge, text);
	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL_FATAL(loaded.config->sites_count, ESF_SITES_MAX);
	CU_ASSERT_EQUAL(loaded.config->sites[999999].id, 1000000);
	CU_ASSERT_STRING_EQUAL(loaded.config->sites[999999].name, "s-1000000");
	unload(&loaded);
	free(text);
}

static int make_folder(void)
{
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void)
{
	static const char *const names[] = { "fleet.yaml", "sites.csv", "a.key" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

void esf_suite_inventory(void)
{
	CU_pSuite suite = CU_add_suite("inventory", make_folder, remove_folder);

	CU_add_test(suite, "every_column_reaches_its_site", every_column_reaches_its_site);
	CU_add_test(suite, "each_fault_is_named_by_line_and_column",
	    each_fault_is_named_by_line_and_column);
	CU_add_test(suite, "faults_of_both_files_are_told", faults_of_both_files_are_told);
	CU_add_test(
	    suite, "a_file_that_cannot_be_read_is_named", a_file_that_cannot_be_read_is_named);
	CU_add_test(suite, "more_sites_than_the_profile_takes_are_refused",
	    more_sites_than_the_profile_takes_are_refused);
	CU_add_test(suite, "a_million_rows_are_read_and_one_more_is_a_fault",
	    a_million_rows_are_read_and_one_more_is_a_fault);
}
