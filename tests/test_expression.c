/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/expression.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* The inputs a, b, c and d, which are numbers 0 to 3. */
static int32_t letter(void *context, const char *name, uint32_t size, char *reason)
{
	if (size == 1 && name[0] >= 'a' && name[0] <= 'd')
		return name[0] - 'a';
	snprintf(reason, ESF_EXPRESSION_FAULT_SIZE, "%s", (const char *)context);
	return -1;
}

static char want_letter[] = "a letter";

static struct esf_expression *compile(const char *text)
{
	struct esf_expression *expression;
	char fault[ESF_EXPRESSION_FAULT_SIZE];

	CU_ASSERT_EQUAL(esf_expression_create(text, letter, want_letter, &expression, fault), 0);
	if (expression == NULL)
		fprintf(stderr, "\n%s: %s\n", text, fault);
	return expression;
}

/* The value where a is 6, b 4, c 0 and d -2. */
static double value_of(const char *text)
{
	static const double letters[] = { 6, 4, 0, -2 };
	struct esf_expression *expression = compile(text);
	double inputs[ESF_EXPRESSION_INPUTS_MAX], value;

	CU_ASSERT_PTR_NOT_NULL_FATAL(expression);
	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++)
		inputs[i] = letters[esf_expression_input(expression, i)];
	value = esf_expression_value(expression, inputs);
	esf_expression_free(expression);
	return value;
}

static void expressions_have_the_values_of_school(void)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {
		{ "a / b", 1.5 },
		{ "a-b-d", 4 },
		{ "a / b / d", -0.75 },
		{ "a + b * d", -2 },
		{ "(a + b) * d", -20 },
		{ "-b ^ 2", -16 },
		{ "2 ^ 3 ^ 2", 512 },
		{ "b ^ -1", 0.25 },
		{ "a - -d", 4 },
		{ "1.5e1 + 2E-1", 15.2 },
		{ "  12\t", 12 },
		{ "a > b ? 10 : 20", 10 },
		{ "a < b ? 1 : c == 0 ? 2 : 3", 2 },
		{ "c != 0 && a > 0 || d <= -2", 1 },
		{ "c == 0 ? 7 : a / c", 7 },
		{ "min(a, b, d) + max(a, b) * 10", 58 },
		{ "avg(a, b) + sum(a, b, c, d) + abs(d) + sign(d)", 14 },
		{ "sqrt(b) + ln(exp(3)) + log10(1000)", 8 },
		{ "min(c > 0 ? 1 : 2, (a))", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = value_of(cases[i].text);

		if (fabs(value - cases[i].value) > 1e-12)
			fprintf(stderr, "\n%s: got %.17g\n", cases[i].text, value);
		CU_ASSERT_DOUBLE_EQUAL(value, cases[i].value, 1e-12);
	}
}

static void what_divides_by_zero_has_no_value(void)
{
	static const char *const texts[] = { "a / c", "c / c", "1 / (1 / c)", "min(a, b / c)",
		"a > 0 ? a / c : 1", "ln(c)", "sqrt(d)", "log10(d)", "0 ^ d", "10 ^ 400",
		"exp(1000)", "1 / 0" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_TRUE(isnan(value_of(texts[i])));
	CU_ASSERT_EQUAL(value_of("a / b"), 1.5); /* and leaves nothing behind */
}

static void inputs_stand_once_in_the_order_of_the_text(void)
{
	struct esf_expression *expression = compile("d + b * d - max(b, a)");

	CU_ASSERT_PTR_NOT_NULL_FATAL(expression);
	CU_ASSERT_EQUAL_FATAL(esf_expression_inputs_count(expression), 3);
	CU_ASSERT_EQUAL(esf_expression_input(expression, 0), 3);
	CU_ASSERT_EQUAL(esf_expression_input(expression, 1), 1);
	CU_ASSERT_EQUAL(esf_expression_input(expression, 2), 0);
	esf_expression_free(expression);
}

static void faults_say_where_and_what_was_wanted(void)
{
#define OPERAND "a number, the name of a KPI, a function or ("
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ "", "ends at character 1, want " OPERAND },
		{ "a +", "ends at character 4, want " OPERAND },
		{ "a b", "got \"b\" at character 3, want an operator or the end" },
		{ "(a", "ends at character 3, want )" },
		{ "a)", "got \")\" at character 2, want an operator or the end" },
		{ "a = b", "got \"=\" at character 3, want an operator or the end" },
		{ "a, b", "got \",\" at character 2, want an operator or the end" },
		{ "a / lost", "got \"lost\" at character 5, want a letter" },
		{ "--a", "got \"-\" at character 2, want " OPERAND },
		{ "!a", "got \"!\" at character 1, want " OPERAND },
		{ "a ? b", "ends at character 6, want :" },
		{ "a \xc2\xb7 b", "got \"\xc2\xb7\" at character 3, want an operator or the end" },
		{ "2x", "got \"x\" at character 2, want an operator" },
		{ "2.", "ends at character 3, want a digit" },
		{ "sin(a)", "got \"sin\" at character 1, want a function: abs, avg, exp, ln, "
		            "log10, max, min, sign, sqrt or sum" },
		{ "abs(a, b)", "got \",\" at character 6, want ): abs takes 1" },
		{ "abs", "got \"abs\" at character 1, want a letter" },
		{ "min()", "got \")\" at character 5, want " OPERAND },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_expression *expression;
		char fault[ESF_EXPRESSION_FAULT_SIZE];

		CU_ASSERT_EQUAL(
		    esf_expression_create(cases[i].text, letter, want_letter, &expression, fault),
		    -EINVAL);
		CU_ASSERT_PTR_NULL(expression);
		CU_ASSERT_STRING_EQUAL(fault, cases[i].fault);
		if (strcmp(fault, cases[i].fault) != 0)
			fprintf(stderr, "\n%s -> %s\n", cases[i].text, fault);
	}
}

static void parentheses_and_size_are_bounded(void)
{
	struct esf_expression *expression;
	char text[ESF_EXPRESSION_SIZE_MAX + 2], fault[ESF_EXPRESSION_FAULT_SIZE];

	memset(text, '(', 100);
	text[100] = '\0';
	CU_ASSERT_EQUAL(
	    esf_expression_create(text, letter, want_letter, &expression, fault), -EINVAL);
	CU_ASSERT_STRING_EQUAL(
	    fault, "got \"(\" at character 33, want at most 32 levels of parentheses and choices");
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(
	    esf_expression_create(text, letter, want_letter, &expression, fault), -EINVAL);
	CU_ASSERT_STRING_EQUAL(fault, "1025 characters, want at most 1024");
}

void esf_suite_expression(void)
{
	CU_pSuite suite = CU_add_suite("expression", NULL, NULL);

#define TEST(name) CU_add_test(suite, #name, name)
	TEST(expressions_have_the_values_of_school);
	TEST(what_divides_by_zero_has_no_value);
	TEST(inputs_stand_once_in_the_order_of_the_text);
	TEST(faults_say_where_and_what_was_wanted);
	TEST(parentheses_and_size_are_bounded);
}
