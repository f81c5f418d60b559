/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/counter.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/*
 * What a shard makes of a counter, beside a model that keeps every sample in a sorted list. Values
 * are whole numbers, so that all sums are exact and can be compared with ==.
 */

enum {
	WINDOW = 100,
	WINDOWS_COUNT = 64,
	SAMPLES_MAX = 1000,
};

struct sums {
	struct esf_counter counter;
	double final[WINDOWS_COUNT];
};

static void add(struct sums *sums, int64_t time, double value)
{
	struct esf_counter_change change;

	esf_counter_add(&sums->counter, time, time / WINDOW, value, &change);
	if (change.is_final)
		sums->final[change.final_window] += change.final_increase;
}

static double sum_of(const struct sums *sums, int64_t window)
{
	return sums->final[window] + esf_counter_pending(&sums->counter, window);
}

struct sample {
	int64_t time;
	double value;
};

struct model {
	struct sample samples[SAMPLES_MAX];
	uint32_t count;
};

static void model_add(struct model *model, int64_t time, double value)
{
	uint32_t at = model->count++;

	for (; at > 0 && model->samples[at - 1].time > time; at--)
		model->samples[at] = model->samples[at - 1];
	model->samples[at] = (struct sample){ time, value };
}

static double model_sum(const struct model *model, int64_t window)
{
	double sum = 0;

	for (uint32_t i = 1; i < model->count; i++) {
		double before = model->samples[i - 1].value, after = model->samples[i].value;

		if (model->samples[i].time / WINDOW == window)
			sum += after >= before ? after - before : after;
	}
	return sum;
}

static void hand_made_samples_give_hand_made_sums(void)
{
	static const struct {
		struct sample samples[6];
		uint32_t count;
		double sums[3];
	} cases[] = {
		/* the first sample contributes none */
		{ { { 10, 500 } }, 1, { 0, 0, 0 } },
		{ { { 10, 500 }, { 20, 503 } }, 2, { 3, 0, 0 } },
		/* the increase belongs to the later sample's window */
		{ { { 90, 1 }, { 110, 5 }, { 210, 6 } }, 3, { 0, 4, 1 } },
		/* a reset's own value is the increase */
		{ { { 10, 100 }, { 20, 7 }, { 30, 9 } }, 3, { 9, 0, 0 } },
		{ { { 10, 100 }, { 20, 0 }, { 30, 0 } }, 3, { 0, 0, 0 } },
		/* out of order, across a window's edge */
		{ { { 10, 1 }, { 110, 5 }, { 90, 3 } }, 3, { 2, 2, 0 } },
		/* the first one late: the second is the second after all */
		{ { { 110, 5 }, { 90, 3 } }, 2, { 0, 2, 0 } },
		/* a reset seen through a reordering: 8, 9, 2, 4 */
		{ { { 10, 8 }, { 40, 4 }, { 20, 9 }, { 30, 2 } }, 4, { 5, 0, 0 } },
		/* equal times stand in order of arrival */
		{ { { 10, 1 }, { 10, 4 }, { 10, 6 } }, 3, { 5, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sums sums = { 0 };

		for (uint32_t j = 0; j < cases[i].count; j++)
			add(&sums, cases[i].samples[j].time, cases[i].samples[j].value);
		for (int64_t w = 0; w < 3; w++)
			CU_ASSERT_EQUAL(sum_of(&sums, w), cases[i].sums[w]);
	}
}

/* Says which windows' sums changed, no more and no less where the total is not moved by it. */
static void change_names_the_window_behind_an_insertion(void)
{
	struct esf_counter counter = { 0 };
	struct esf_counter_change change;

	esf_counter_add(&counter, 10, 0, 1, &change);
	CU_ASSERT(!change.follower && !change.is_final);
	esf_counter_add(&counter, 310, 3, 9, &change);
	CU_ASSERT(!change.follower && !change.is_final);
	esf_counter_add(&counter, 110, 1, 4, &change);
	CU_ASSERT(change.follower && !change.is_final);
	CU_ASSERT_EQUAL(change.follower_window, 3);
}

static void sample_older_than_a_full_tail_changes_nothing(void)
{
	struct sums sums = { 0 };
	struct esf_counter before;

	for (int i = 0; i < ESF_COUNTER_TAIL; i++)
		add(&sums, 1000 + i, 10 * i);
	before = sums.counter;
	add(&sums, 999, 3);
	CU_ASSERT_EQUAL(memcmp(&before, &sums.counter, sizeof(before)), 0);
	CU_ASSERT_EQUAL(sum_of(&sums, 10), 10 * (ESF_COUNTER_TAIL - 1));
}

/* Samples that rise in time, shuffled so that none comes more than ESF_COUNTER_TAIL - 1 late. */
static uint32_t make_samples(unsigned *seed, struct sample *samples)
{
	uint32_t count = 2 + (uint32_t)rand_r(seed) % (SAMPLES_MAX - 2);
	int64_t time = rand_r(seed) % 50;
	double value = rand_r(seed) % 1000;

	for (uint32_t i = 0; i < count; i++) {
		samples[i] = (struct sample){ time, value };
		time += 1 + rand_r(seed) % 5;
		value = rand_r(seed) % 20 == 0 ? rand_r(seed) % 10 : value + rand_r(seed) % 100;
	}
	for (uint32_t i = 0; i + ESF_COUNTER_TAIL <= count; i += ESF_COUNTER_TAIL / 2)
		for (uint32_t j = ESF_COUNTER_TAIL / 2; j > 1; j--) {
			uint32_t other = i + (uint32_t)rand_r(seed) % j;
			struct sample kept = samples[other];

			samples[other] = samples[i + j - 1];
			samples[i + j - 1] = kept;
		}
	return count;
}

static void windows_sum_up_as_in_the_model(void)
{
	static struct model model;
	static struct sample samples[SAMPLES_MAX];
	unsigned seed = 20240611;
	uint32_t wrong = 0;

	for (int round = 0; round < 300; round++) {
		struct sums sums = { 0 };
		uint32_t count = make_samples(&seed, samples);

		model.count = 0;
		for (uint32_t i = 0; i < count; i++) {
			/* of equal times the order of arrival counts, in both */
			int64_t time = samples[i].time - samples[i].time % (1 + round % 3);

			add(&sums, time, samples[i].value);
			model_add(&model, time, samples[i].value);
		}
		for (int64_t w = 0; w < WINDOWS_COUNT; w++)
			wrong += sum_of(&sums, w) != model_sum(&model, w);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

void esf_suite_counter(void)
{
	CU_pSuite suite = CU_add_suite("counter", NULL, NULL);

	CU_add_test(
	    suite, "hand_made_samples_give_hand_made_sums", hand_made_samples_give_hand_made_sums);
	CU_add_test(suite, "change_names_the_window_behind_an_insertion",
	    change_names_the_window_behind_an_insertion);
	CU_add_test(suite, "sample_older_than_a_full_tail_changes_nothing",
	    sample_older_than_a_full_tail_changes_nothing);
	CU_add_test(suite, "windows_sum_up_as_in_the_model", windows_sum_up_as_in_the_model);
}
