/* SPDX-License-Identifier: Apache-2.0 */
#include "expression.h"

#include <ctype.h>
#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muParserDLL.h>

struct esf_expression {
	muParserHandle_t parser;
	uint32_t inputs_count;
	uint16_t inputs[ESF_EXPRESSION_INPUTS_MAX];
	double values[ESF_EXPRESSION_INPUTS_MAX]; /* what muParser's variables v0.. point to */
};

static const struct function {
	const char *name;
	uint32_t least;
	uint32_t most;
} functions[] = {
	{ "abs", 1, 1 },
	{ "avg", 1, 16 },
	{ "exp", 1, 1 },
	{ "ln", 1, 1 },
	{ "log10", 1, 1 },
	{ "max", 1, 16 },
	{ "min", 1, 16 },
	{ "sign", 1, 1 },
	{ "sqrt", 1, 1 },
	{ "sum", 1, 16 },
};

/* One reading of a text: `at` is the next byte, `out` the same expression with v0, v1, ... for
 * names. */
struct reader {
	const char *text;
	const char *at;
	struct esf_expression *expression;
	esf_expression_resolve *resolve;
	void *context;
	char *fault;
	uint32_t depth;
	size_t used;
	char out[8 * ESF_EXPRESSION_SIZE_MAX];
};

static bool read_choice(struct reader *reader);

static void skip_blanks(struct reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n')
		reader->at++;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static uint32_t name_size(const char *at)
{
	uint32_t size = 0;

	while (is_name_byte(at[size]))
		size++;
	return size;
}

/* A word, or a character of UTF-8. */
static int token_size(const char *at)
{
	uint32_t size = name_size(at);

	if (size > 0)
		return size > 64 ? 64 : (int)size;
	do
		size++;
	while (((unsigned char)at[size] & 0xc0) == 0x80);
	return (int)size;
}

/* The word or the character at which the reading stopped. */
static bool refuse(struct reader *reader, const char *want)
{
	size_t place = (size_t)(reader->at - reader->text) + 1;

	if (reader->fault[0] != '\0')
		return false;
	if (*reader->at == '\0')
		snprintf(reader->fault, ESF_EXPRESSION_FAULT_SIZE, "ends at character %zu, want %s",
		    place, want);
	else
		snprintf(reader->fault, ESF_EXPRESSION_FAULT_SIZE,
		    "got \"%.*s\" at character %zu, want %s", token_size(reader->at), reader->at,
		    place, want);
	return false;
}

static void put(struct reader *reader, const char *text, size_t size)
{
	memcpy(reader->out + reader->used, text, size);
	reader->used += size;
	reader->out[reader->used] = '\0';
}

static bool take(struct reader *reader, const char *symbol)
{
	size_t size = strlen(symbol);

	skip_blanks(reader);
	if (strncmp(reader->at, symbol, size) != 0)
		return false;
	put(reader, symbol, size);
	reader->at += size;
	return true;
}

static bool read_number(struct reader *reader)
{
	const char *end = reader->at;

	while (isdigit((unsigned char)*end))
		end++;
	if (*end == '.') {
		end++;
		if (!isdigit((unsigned char)*end)) {
			reader->at = end;
			return refuse(reader, "a digit");
		}
		while (isdigit((unsigned char)*end))
			end++;
	}
	if (*end == 'e' || *end == 'E') {
		const char *digit = end + 1 + (end[1] == '-' || end[1] == '+');

		if (isdigit((unsigned char)*digit)) {
			while (isdigit((unsigned char)*digit))
				digit++;
			end = digit;
		}
	}
	if (is_name_byte(*end)) {
		reader->at = end;
		return refuse(reader, "an operator");
	}
	put(reader, reader->at, (size_t)(end - reader->at));
	reader->at = end;
	return true;
}

static bool read_call(struct reader *reader, const struct function *function, uint32_t size)
{
	uint32_t given = 1;
	char want[64];

	put(reader, reader->at, size);
	reader->at += size;
	if (!take(reader, "("))
		return refuse(reader, "(");
	if (!read_choice(reader))
		return false;
	while (given < function->most && take(reader, ",")) {
		given++;
		if (!read_choice(reader))
			return false;
	}
	if (take(reader, ")"))
		return true;
	snprintf(want, sizeof(want), "%s%s takes %u",
	    function->most > 1 ? ", or ): " : "): ", function->name, function->most);
	return refuse(reader, want);
}

static const struct function *function_named(const char *name, uint32_t size)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == size && memcmp(functions[i].name, name, size) == 0)
			return &functions[i];
	return NULL;
}

/* The place of an input among the expression's own; -1 when there is no room. */
static int place_of(struct esf_expression *expression, uint16_t input)
{
	for (uint32_t i = 0; i < expression->inputs_count; i++)
		if (expression->inputs[i] == input)
			return (int)i;
	if (expression->inputs_count == ESF_EXPRESSION_INPUTS_MAX)
		return -1;
	expression->inputs[expression->inputs_count] = input;
	return (int)expression->inputs_count++;
}

static bool read_name(struct reader *reader)
{
	uint32_t size = name_size(reader->at);
	const struct function *function = function_named(reader->at, size);
	const char *after = reader->at + size + strspn(reader->at + size, " \t\n");
	char reason[ESF_EXPRESSION_FAULT_SIZE] = "";
	char variable[16];
	int32_t input;
	int place;

	if (*after == '(' && function != NULL)
		return read_call(reader, function, size);
	if (*after == '(')
		return refuse(
		    reader, "a function: abs, avg, exp, ln, log10, max, min, sign, sqrt or sum");
	input = reader->resolve(reader->context, reader->at, size, reason);
	if (input < 0)
		return refuse(reader, reason);
	place = place_of(reader->expression, (uint16_t)input);
	if (place < 0)
		return refuse(reader, "at most 16 different names");
	put(reader, variable, (size_t)snprintf(variable, sizeof(variable), "v%d", place));
	reader->at += size;
	return true;
}

static bool read_operand(struct reader *reader)
{
	if (!take(reader, "-"))
		take(reader, "+");
	skip_blanks(reader);
	if (isdigit((unsigned char)*reader->at))
		return read_number(reader);
	if (is_name_byte(*reader->at) && *reader->at != '_')
		return read_name(reader);
	if (take(reader, "("))
		return read_choice(reader) && (take(reader, ")") || refuse(reader, ")"));
	return refuse(reader, "a number, the name of a KPI, a function or (");
}

static bool take_operator(struct reader *reader)
{
	static const char *const operators[] = { "<=", ">=", "==", "!=", "&&", "||", "<", ">", "+",
		"-", "*", "/", "^" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (take(reader, operators[i]))
			return true;
	return false;
}

/* A row of operands, then perhaps ? and : with two more. What binds tighter is muParser's to know.
 */
static bool read_choice(struct reader *reader)
{
	bool read;

	if (++reader->depth > ESF_EXPRESSION_DEPTH_MAX)
		return refuse(reader, "at most 32 levels of parentheses and choices");
	read = read_operand(reader);
	while (read && take_operator(reader))
		read = read_operand(reader);
	if (read && take(reader, "?"))
		read = read_choice(reader) && (take(reader, ":") || refuse(reader, ":")) &&
		       read_choice(reader);
	reader->depth--;
	return read;
}

static bool read_whole(struct reader *reader)
{
	if (!read_choice(reader))
		return false;
	skip_blanks(reader);
	return *reader->at == '\0' || refuse(reader, "an operator or the end");
}

/* muParser reads a text when it is first evaluated. */
static int compile(struct esf_expression *expression, const char *text, char *fault)
{
	char name[16];

	expression->parser = mupCreate(muBASETYPE_FLOAT);
	if (expression->parser == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < expression->inputs_count; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		expression->values[i] = 1;
		mupDefineVar(expression->parser, name, &expression->values[i]);
	}
	mupSetExpr(expression->parser, text);
	mupEval(expression->parser);
	if (!mupError(expression->parser))
		return 0;
	snprintf(fault, ESF_EXPRESSION_FAULT_SIZE, "muParser does not take it: %.200s",
	    mupGetErrorMsg(expression->parser));
	return -EINVAL;
}

int esf_expression_create(const char *text, esf_expression_resolve *resolve, void *context,
    struct esf_expression **out, char *fault)
{
	struct esf_expression *expression = calloc(1, sizeof(*expression));
	struct reader *reader = calloc(1, sizeof(*reader));
	int rc = -ENOMEM;

	*out = NULL;
	fault[0] = '\0';
	if (strlen(text) > ESF_EXPRESSION_SIZE_MAX) {
		snprintf(fault, ESF_EXPRESSION_FAULT_SIZE, "%zu characters, want at most %d",
		    strlen(text), ESF_EXPRESSION_SIZE_MAX);
		rc = -EINVAL;
	} else if (expression != NULL && reader != NULL) {
		reader->text = reader->at = text;
		reader->expression = expression;
		reader->resolve = resolve;
		reader->context = context;
		reader->fault = fault;
		rc = read_whole(reader) ? compile(expression, reader->out, fault) : -EINVAL;
	}
	free(reader);
	if (rc == 0)
		*out = expression;
	else
		esf_expression_free(expression);
	return rc;
}

void esf_expression_free(struct esf_expression *expression)
{
	if (expression == NULL)
		return;
	if (expression->parser != NULL)
		mupRelease(expression->parser);
	free(expression);
}

uint32_t esf_expression_inputs_count(const struct esf_expression *expression)
{
	return expression->inputs_count;
}

uint16_t esf_expression_input(const struct esf_expression *expression, uint32_t i)
{
	return expression->inputs[i];
}

/* 1 / (1 / 0) is finite, but the processor remembers. */
double esf_expression_value(struct esf_expression *expression, const double *inputs)
{
	const int senseless = FE_DIVBYZERO | FE_INVALID;
	double value;

	memcpy(expression->values, inputs, expression->inputs_count * sizeof(*inputs));
	if (fetestexcept(senseless) != 0)
		feclearexcept(senseless);
	value = mupEval(expression->parser);
	if (!isfinite(value) || fetestexcept(senseless) != 0 || mupError(expression->parser))
		return NAN;
	return value;
}
