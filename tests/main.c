/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

#include "suites.h"

/*
 * Runs every suite and ends with CUnit's own summary. With -DESF_ONLY=NAME at compile time it holds just
 * that suite, which is how one module is worked on.
 */
#ifdef ESF_ONLY
#undef ESF_SUITES
#define ESF_SUITES(X) X(ESF_ONLY)
#endif

#define ESF_PASTE(a, b) a##b
#define ESF_EXPAND(a, b) ESF_PASTE(a, b)
int main(void)
{
	unsigned failures;

	if (CU_initialize_registry() != CUE_SUCCESS) {
		fprintf(stderr, "tests: %s\n", CU_get_error_msg());
		return EXIT_FAILURE;
	}
#define X(name) ESF_EXPAND(esf_suite_, name)();
	ESF_SUITES(X)
#undef X
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
