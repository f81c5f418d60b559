/* SPDX-License-Identifier: Apache-2.0 */
#include "control/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "suites.h"

/* Policies made one from the other, as a reload makes them. */

#define HEAD "profile: small\ndomain: energy\n"
#define SITES "sites:\n  - {id: 1, name: n-1}\n  - {id: 2, name: n-2}\n"
#define LISTENERS "listeners:\n  - {udp: 47700, format: etd}\n  - {udp: 8089, format: influx}\n"
#define RULES "normalise:\n  - {match: \"^a$\", kpi: hot_side_c}\n"
#define SIGNATURES "signatures:\n  - {match: \"fault\", code: fault}\n"

static const uint8_t key[16] = { 3 };

struct made {
	struct esf_config *config;
	struct esf_policy *policy;
	int result;
	char *errors;
};

static struct made make(const char *text, const struct made *former)
{
	struct esf_policy_former basis;
	struct esf_faults faults;
	struct made made = { 0 };
	size_t size;
	FILE *errors;

	CU_ASSERT_EQUAL_FATAL(
	    esf_config_load_memory("t.yaml", text, strlen(text), &made.config, &faults), 0);
	esf_faults_free(&faults);
	if (former != NULL)
		basis = (struct esf_policy_former){ former->config, former->policy };
	errors = open_memstream(&made.errors, &size);
	made.result = esf_policy_create(
	    made.config, former == NULL ? NULL : &basis, 1, key, &made.policy, errors);
	fclose(errors);
	return made;
}

static void let_go(struct made *made, const struct made *sharer)
{
	esf_policy_destroy(made->policy, sharer == NULL ? NULL : sharer->policy);
	esf_config_free(made->config);
	free(made->errors);
}

static void what_did_not_change_is_shared(void)
{
	struct made first = make(HEAD SITES LISTENERS RULES SIGNATURES, NULL);
	struct made second =
	    make(HEAD SITES LISTENERS RULES SIGNATURES "clock: {max_skew: 1m}\n", &first);

	CU_ASSERT_EQUAL_FATAL(first.result, 0);
	CU_ASSERT_EQUAL_FATAL(second.result, 0);
	CU_ASSERT_EQUAL(first.policy->revision, 1);
	CU_ASSERT_EQUAL(second.policy->revision, 2);
	CU_ASSERT_PTR_EQUAL(second.policy->rules, first.policy->rules);
	CU_ASSERT_PTR_EQUAL(second.policy->signatures, first.policy->signatures);
	CU_ASSERT_EQUAL(second.policy->rules_generation, first.policy->rules_generation);
	CU_ASSERT_EQUAL(second.policy->max_skew_ns, INT64_C(60000000000));
	let_go(&first, &second);
	CU_ASSERT_EQUAL(esf_ruleset_match(second.policy->rules, 0, "a", 1), 0);
	let_go(&second, NULL);
}

static void changed_rules_are_a_generation_of_their_own(void)
{
	static const char *const others[] = {
		HEAD SITES LISTENERS,
		HEAD SITES LISTENERS "normalise:\n  - {match: \"^b$\", kpi: hot_side_c}\n",
		HEAD SITES LISTENERS "normalise:\n  - {match: \"^a$\", kpi: cold_side_c}\n",
		HEAD SITES LISTENERS
		"normalise:\n  - {match: \"^a$\", kpi: hot_side_c, scale: 2}\n",
		HEAD SITES LISTENERS "normalise:\n  - {match: \"^a$\", kpi: hot_side_c, max: 9}\n",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct made first = make(HEAD SITES LISTENERS RULES, NULL);
		struct made second = make(others[i], &first);

		CU_ASSERT_EQUAL_FATAL(second.result, 0);
		CU_ASSERT_EQUAL(second.policy->rules_generation, 2);
		CU_ASSERT_PTR_NOT_EQUAL(second.policy->rules, first.policy->rules);
		let_go(&first, &second);
		let_go(&second, NULL);
	}
}

static const struct esf_listener *listener_at(const struct made *made, uint16_t port)
{
	uint8_t at = made->policy->listener_at[port];

	return at == 0 ? NULL : &made->policy->listeners[at - 1];
}

static void listeners_keep_their_index(void)
{
	struct made first = make(HEAD SITES LISTENERS, NULL);
	struct made second = make(HEAD SITES "listeners:\n  - {udp: 8125, format: statsd}\n"
	                                     "  - {udp: 8089, format: syslog}\n"
	                                     "  - {udp: 47700, format: etd, require_seal: true}\n",
	    &first);
	struct made third = make(HEAD SITES LISTENERS, &second);

	CU_ASSERT_EQUAL(first.policy->listener_at[47700], 1);
	CU_ASSERT_EQUAL(first.policy->listener_at[8089], 2);
	CU_ASSERT_EQUAL(second.policy->listener_at[47700], 1);
	CU_ASSERT(listener_at(&second, 47700)->require_seal);
	CU_ASSERT_EQUAL(second.policy->listener_at[8125], 3);
	CU_ASSERT_EQUAL(second.policy->listener_at[8089], 4); /* another format */
	CU_ASSERT_EQUAL(listener_at(&second, 8089)->format, ESF_LISTENER_SYSLOG);
	/* what parcels under way still name */
	CU_ASSERT_EQUAL(second.policy->listeners[1].format, ESF_LISTENER_INFLUX);
	CU_ASSERT_EQUAL(third.policy->listener_at[8089], 2);
	CU_ASSERT_EQUAL(third.policy->listener_at[8125], 0);
	CU_ASSERT_EQUAL(third.policy->listeners_count, 4);
	CU_ASSERT(!listener_at(&third, 47700)->require_seal);
	let_go(&first, &second);
	let_go(&second, &third);
	let_go(&third, NULL);
}

static void too_many_listeners_since_the_start_are_refused(void)
{
	struct made made = make(HEAD SITES LISTENERS, NULL), next;
	char text[512];
	uint32_t port = 10000;

	for (; made.policy->listeners_count < ESF_LISTENERS_MAX; port++) {
		snprintf(text, sizeof(text), HEAD SITES "listeners:\n  - {udp: %u, format: etd}\n",
		    port);
		next = make(text, &made);
		CU_ASSERT_EQUAL_FATAL(next.result, 0);
		let_go(&made, &next);
		made = next;
	}
	snprintf(text, sizeof(text), HEAD SITES "listeners:\n  - {udp: %u, format: etd}\n", port);
	next = make(text, &made);
	CU_ASSERT_EQUAL(next.result, -EINVAL);
	CU_ASSERT_PTR_NULL(next.policy);
	CU_ASSERT_PTR_NOT_NULL(strstr(next.errors, "listeners: got the 65th port and format"));
	let_go(&next, &made);
	let_go(&made, NULL);
}

/* With one, unsealed datagrams do not go the short way. */
static void no_table_of_seals_is_made_where_no_site_wants_one(void)
{
	struct made made = make(HEAD SITES LISTENERS, NULL);

	CU_ASSERT_PTR_NULL(made.policy->require_seal);
	let_go(&made, NULL);
}

void esf_suite_policy(void)
{
	CU_pSuite suite = CU_add_suite("policy", NULL, NULL);

	CU_ADD_TEST(suite, what_did_not_change_is_shared);
	CU_ADD_TEST(suite, changed_rules_are_a_generation_of_their_own);
	CU_ADD_TEST(suite, listeners_keep_their_index);
	CU_ADD_TEST(suite, too_many_listeners_since_the_start_are_refused);
	CU_ADD_TEST(suite, no_table_of_seals_is_made_where_no_site_wants_one);
}
