/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/request.h"

#include <errno.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/api/listen.h"
#include "suites.h"

static struct esf_request request;

static int add_path(const char *path)
{
	esf_request_start(&request, "GET");
	return esf_request_add_path(&request, path);
}

static void path_is_split_before_it_is_decoded(void)
{
	CU_ASSERT_EQUAL(add_path("/api/v1/sites/a%2Fb%20%C3%A4%25"), 0);
	CU_ASSERT_EQUAL_FATAL(request.segments_count, 4);
	CU_ASSERT_STRING_EQUAL(request.segments[0], "api");
	CU_ASSERT_STRING_EQUAL(request.segments[3], "a/b \xc3\xa4%");
}

static void path_parts_are_counted(void)
{
	static const struct {
		const char *path;
		uint32_t count;
	} cases[] = {
		{ "/", 0 },
		{ "", 0 },
		{ "/a", 1 },
		{ "/a/", 1 },
		{ "/a//b", 3 },
		{ "/a/b/c/d/e/f/g/h", 8 },
		{ "/a/b/c/d/e/f/g/h/", 8 },
		{ "/a%2fb", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(add_path(cases[i].path), 0);
		CU_ASSERT_EQUAL(request.segments_count, cases[i].count);
	}
}

static void bad_parts_are_refused_with_a_reason(void)
{
	static const struct {
		const char *path;
		int error;
		const char *says;
	} cases[] = {
		{ "/a%", -EINVAL, "percent escape" },
		{ "/a%4", -EINVAL, "percent escape" },
		{ "/a%4/1", -EINVAL, "percent escape" },
		{ "/a%4g", -EINVAL, "percent escape" },
		{ "/a%-1", -EINVAL, "percent escape" },
		{ "/a%00b", -EINVAL, "percent escape" },
		{ "/%ff", -EINVAL, "UTF-8" },
		{ "/%c3/%a4", -EINVAL, "UTF-8" },   /* half a character in each */
		{ "/%c0%af", -EINVAL, "UTF-8" },    /* a slash, too long */
		{ "/%ed%a0%80", -EINVAL, "UTF-8" }, /* a surrogate */
		{ "/\xe4", -EINVAL, "UTF-8" },      /* Latin-1, as sent */
		{ "/a/b/c/d/e/f/g/h/i", -E2BIG, "too many parts" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(add_path(cases[i].path), cases[i].error);
		CU_ASSERT_PTR_NOT_NULL(strstr(request.error, cases[i].says));
	}
}

static void text_is_bounded_to_the_byte(void)
{
	char path[ESF_REQUEST_TEXT_MAX + 2];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[ESF_REQUEST_TEXT_MAX] = '\0'; /* its part fills the text with its terminator */
	CU_ASSERT_EQUAL(add_path(path), 0);
	CU_ASSERT_EQUAL(request.text_used, ESF_REQUEST_TEXT_MAX);
	CU_ASSERT_EQUAL(esf_request_add_param(&request, "x", NULL), -E2BIG);
	path[ESF_REQUEST_TEXT_MAX] = 'a';
	path[ESF_REQUEST_TEXT_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(add_path(path), -E2BIG);
}

static void params_are_decoded(void)
{
	esf_request_start(&request, "GET");
	CU_ASSERT_EQUAL(esf_request_add_param(&request, "re%67ion", "a%26b+c"), 0);
	CU_ASSERT_EQUAL(esf_request_add_param(&request, "limit", NULL), 0);
	CU_ASSERT_STRING_EQUAL(esf_request_param(&request, "region"), "a&b+c");
	CU_ASSERT_STRING_EQUAL(esf_request_param(&request, "limit"), "");
	CU_ASSERT_PTR_NULL(esf_request_param(&request, "status"));
	CU_ASSERT_PTR_NULL(esf_request_param(&request, "regio"));
}

static void param_given_twice_is_refused(void)
{
	esf_request_start(&request, "GET");
	CU_ASSERT_EQUAL(esf_request_add_param(&request, "site", "a"), 0);
	CU_ASSERT_EQUAL(esf_request_add_param(&request, "s%69te", "b"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(request.error, "twice"));
	CU_ASSERT_STRING_EQUAL(esf_request_param(&request, "site"), "a");
}

static void params_past_the_bound_are_refused(void)
{
	char name[] = "a";

	esf_request_start(&request, "GET");
	for (int i = 0; i < ESF_REQUEST_PARAMS_MAX; i++, name[0]++)
		CU_ASSERT_EQUAL(esf_request_add_param(&request, name, "1"), 0);
	CU_ASSERT_EQUAL(esf_request_add_param(&request, name, "1"), -E2BIG);
}

static void pattern_matches_whole_paths(void)
{
	static const struct {
		const char *path;
		const char *pattern;
		bool matches;
	} cases[] = {
		{ "/", "/", true },
		{ "/a", "/", false },
		{ "/", "/a", false },
		{ "/api/v1/sites", "/api/v1/sites", true },
		{ "/api/v1/sites", "/api/v1/sites/NAME", false },
		{ "/api/v1/sites/x", "/api/v1/sites", false },
		{ "/api/v1/sites/x", "/api/v1/sites/NAME", true },
		{ "/api/v1/sites/%2F", "/api/v1/sites/NAME", true },
		{ "/api/v1/sites//", "/api/v1/sites/NAME", false },
		{ "/api/v1/site", "/api/v1/sites", false },
		{ "/api/v1/sitess", "/api/v1/sites", false },
		{ "/API/v1/sites", "/api/v1/sites", false },
		{ "/incidents/7/ack", "/incidents/ID/ack", true },
		{ "/incidents/7/ac", "/incidents/ID/ack", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(add_path(cases[i].path), 0);
		CU_ASSERT_EQUAL(esf_request_is(&request, cases[i].pattern), cases[i].matches);
	}
}

static void loopback_takes_its_own_names_only(void)
{
	static const struct {
		const char *address;
		const char *host;
		bool takes;
	} cases[] = {
		{ "127.0.0.1", NULL, true },
		{ "127.0.0.1", "localhost", true },
		{ "127.0.0.1", "LocalHost:8080", true },
		{ "127.0.0.1", "127.0.0.1:8080", true },
		{ "127.0.0.1", "[::1]:8080", true },
		{ "127.0.0.1", "127.0.0.1:", true },
		{ "127.0.0.1", "", false },
		{ "127.0.0.1", "127.0.0.11", false },
		{ "127.0.0.1", "127.0.0.1.example", false },
		{ "127.0.0.1", "localhost.example:80", false },
		{ "127.0.0.1", "localhost:80x", false },
		{ "127.0.0.1", "example:8080", false },
		{ "127.0.0.2", "127.0.0.2", true },
		{ "127.0.0.2", "127.0.0.3", false },
		{ "::1", "[::1]", true },
		{ "::1", "::1", false },
		{ "::1", "example", false },
		{ "0.0.0.0", "example:8080", true },
		{ "10.0.0.5", "fleet.example", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
		    esf_listen_takes_host(cases[i].address, cases[i].host), cases[i].takes);
}

void esf_suite_request(void)
{
	CU_pSuite suite = CU_add_suite("request", NULL, NULL);

	CU_ADD_TEST(suite, path_is_split_before_it_is_decoded);
	CU_ADD_TEST(suite, path_parts_are_counted);
	CU_ADD_TEST(suite, bad_parts_are_refused_with_a_reason);
	CU_ADD_TEST(suite, text_is_bounded_to_the_byte);
	CU_ADD_TEST(suite, params_are_decoded);
	CU_ADD_TEST(suite, param_given_twice_is_refused);
	CU_ADD_TEST(suite, params_past_the_bound_are_refused);
	CU_ADD_TEST(suite, pattern_matches_whole_paths);
	CU_ADD_TEST(suite, loopback_takes_its_own_names_only);
}
