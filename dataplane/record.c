/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include <math.h>

#include "etd_wire.h"

/*
 * One record, in the order of the contract's verdicts: finite, not future, not late, good, in
 * range, admitted, accumulated. Of two that apply the one that verdict.h lists first is the
 * verdict. Refused records of an open window count against the KPI's coverage.
 */

/* Tells control which windows ever held records. Only this shard stores; relaxed, as settled orders
 * it. */
void esf_shard_note_window(struct esf_shard *shard, int64_t window)
{
	if (window > atomic_load_explicit(&shard->latest_window, memory_order_relaxed))
		atomic_store_explicit(&shard->latest_window, window, memory_order_relaxed);
	if (window < atomic_load_explicit(&shard->first_window, memory_order_relaxed))
		atomic_store_explicit(&shard->first_window, window, memory_order_relaxed);
}

/* The window that the time falls in becomes the recent one: ACCEPTED, or LATE. */
static __attribute__((noinline)) enum esf_record_verdict turn_to_window(
    struct esf_shard *shard, int64_t time)
{
	int64_t window_ns = shard->plane->options.window_ns;
	int64_t window = time < 0 ? INT64_MIN : esf_window_index(time, window_ns);

	if (window < shard->oldest_open)
		return ESF_RECORD_LATE;
	shard->recent_window = window;
	shard->recent_start = window * window_ns;
	shard->recent_span = (uint64_t)window_ns;
	esf_shard_note_usual(shard);
	esf_shard_note_window(shard, window);
	return ESF_RECORD_ACCEPTED;
}

/* Of a time in the recent window; beyond the span for one that isn't. */
static inline uint64_t offset_ns(const struct esf_shard *shard, int64_t time)
{
	return (uint64_t)time - (uint64_t)shard->recent_start;
}

/* ACCEPTED with *out the window that the time falls in, which is then the recent one, or FUTURE,
 * LATE, NO_ROOM. */
static inline enum esf_record_verdict find_window(
    struct esf_shard *shard, struct esf_site *site, int64_t time, struct esf_window **out)
{
	if (time > shard->future_limit)
		return ESF_RECORD_FUTURE;
	if (offset_ns(shard, time) >= shard->recent_span &&
	    turn_to_window(shard, time) != ESF_RECORD_ACCEPTED)
		return ESF_RECORD_LATE;
	*out = esf_shard_window(shard, site, shard->recent_window);
	return *out == NULL ? ESF_RECORD_NO_ROOM : ESF_RECORD_ACCEPTED;
}

static enum esf_record_verdict judge(const struct esf_rule *rule, double value, uint8_t quality)
{
	if (!isfinite(value))
		return ESF_RECORD_NOT_FINITE;
	if (quality == ESF_ETD_BAD)
		return ESF_RECORD_BAD;
	if (quality == ESF_ETD_UNCERTAIN)
		return ESF_RECORD_UNCERTAIN;
	if (value < rule->min || value > rule->max)
		return ESF_RECORD_OUT_OF_RANGE;
	return ESF_RECORD_ACCEPTED;
}

/* What the rule makes of a record's kind, where it says a type. */
static enum esf_record_kind resolve_kind(const struct esf_rule *rule, enum esf_record_kind kind)
{
	if (rule->type == ESF_RULE_GAUGE)
		return kind == ESF_KIND_COUNTER || kind == ESF_KIND_INCREMENT ? ESF_KIND_GAUGE
		                                                              : kind;
	if (rule->type == ESF_RULE_COUNTER && kind == ESF_KIND_DELTA)
		return ESF_KIND_INCREMENT;
	if (rule->type == ESF_RULE_COUNTER && kind != ESF_KIND_INCREMENT)
		return ESF_KIND_COUNTER;
	return kind;
}

/* The raw value that stands for the record: of levels and deltas the level they lead to. False: out
 * of memory. */
static __attribute__((noinline)) bool follow_level(struct esf_shard *shard, struct esf_site *site,
    uint16_t measure, enum esf_record_kind kind, double *raw)
{
	double *level = esf_site_level(site, &shard->site_pools, measure);

	if (level == NULL)
		return false;
	if (kind == ESF_KIND_DELTA)
		*raw += *level;
	if (isfinite(*raw))
		*level = *raw;
	return true;
}

static __attribute__((noinline)) bool add_counter(struct esf_shard *shard, struct esf_site *site,
    struct esf_window *window, uint16_t measure, int64_t time, double value)
{
	struct esf_counter *counter = esf_site_counter(site, &shard->site_pools, measure);
	struct esf_counter_change change;
	struct esf_window *other;
	struct esf_acc *acc;

	if (counter == NULL)
		return false;
	esf_counter_add(counter, time, window->window, value, &change);
	acc = esf_shard_acc(shard, window, measure);
	acc->good++;
	acc->samples++;
	acc->counter = 1;
	window->counts = 1;
	/* Its window may be closed by now and yet wait for its last publication. */
	other = change.is_final ? esf_shard_live_window(shard, site, change.final_window) : NULL;
	if (other != NULL)
		esf_shard_acc(shard, other, measure)->sum += change.final_increase;
	other = change.follower ? esf_shard_live_window(shard, site, change.follower_window) : NULL;
	if (other != NULL)
		esf_shard_dirty(shard, other);
	return true;
}

/* Of a time in the window at hand, which is the recent one. */
static uint32_t offset_us(const struct esf_shard *shard, int64_t time)
{
	return (uint32_t)(offset_ns(shard, time) / 1000);
}

static enum esf_mode mode_of(const struct esf_shard *shard, struct esf_site *site)
{
	enum esf_mode mode = shard->policy->intake.mode;

	if (mode != ESF_MODE_DOWNSAMPLE)
		return mode;
	return shard->admission != NULL &&
	               shard->admission->downsampled[esf_shard_site_index(shard, site)]
	           ? ESF_MODE_DOWNSAMPLE
	           : ESF_MODE_FULL;
}

/* A good gauge sample where ingestion is not full. Out of memory it is taken as it comes. */
static __attribute__((noinline)) enum esf_record_verdict admit_gauge(struct esf_shard *shard,
    struct esf_site *site, struct esf_acc *acc, const struct esf_rule *rule, int64_t time,
    double value)
{
	const struct esf_intake *intake = &shard->policy->intake;
	struct esf_report *report =
	    esf_site_report(site, &shard->site_pools, rule->kpi, shard->rules_generation);
	const struct esf_sample sample = {
		.value = value,
		.span = rule->max - rule->min,
		.time = time,
		.site = esf_shard_site_index(shard, site),
		.measure = rule->kpi,
		.first = acc->good == 0,
	};
	enum esf_record_verdict verdict = ESF_RECORD_ACCEPTED;
	enum esf_mode mode = report == NULL ? ESF_MODE_FULL : mode_of(shard, site);
	uint32_t weight = 1;

	if (mode == ESF_MODE_DEVIATION) {
		verdict = esf_admit_deviation(intake, report, &sample);
		value = verdict == ESF_RECORD_WITHIN_BAND ? report->value : value;
	} else if (mode == ESF_MODE_DOWNSAMPLE) {
		weight = esf_admit_downsample(intake, report, &sample);
		verdict = weight == 0 ? ESF_RECORD_SAMPLED_OUT : ESF_RECORD_ACCEPTED;
	} else if (report != NULL) {
		esf_admit_full(intake, report, &sample);
	}
	esf_acc_add_weighted(acc, value, offset_us(shard, time), weight);
	return verdict;
}

/* Adds a value that nothing speaks against: ACCEPTED, SAMPLED_OUT, WITHIN_BAND or NO_ROOM. */
static enum esf_record_verdict add_value(struct esf_shard *shard, struct esf_site *site,
    struct esf_window *window, const struct esf_rule *rule, enum esf_record_kind kind, int64_t time,
    double value)
{
	struct esf_acc *acc;

	if (kind == ESF_KIND_COUNTER)
		return add_counter(shard, site, window, rule->kpi, time, value)
		           ? ESF_RECORD_ACCEPTED
		           : ESF_RECORD_NO_ROOM;
	acc = esf_shard_acc(shard, window, rule->kpi);
	if (kind == ESF_KIND_INCREMENT) {
		acc->good++;
		acc->samples++;
		acc->counter = 1;
		acc->sum += value;
		return ESF_RECORD_ACCEPTED;
	}
	if (shard->policy->intake.mode != ESF_MODE_FULL)
		return admit_gauge(shard, site, acc, rule, time, value);
	esf_acc_add(acc, value, offset_us(shard, time));
	return ESF_RECORD_ACCEPTED;
}

/* The next good sample of the KPI passes. */
static __attribute__((cold)) void refuse(
    struct esf_shard *shard, struct esf_site *site, struct esf_window *window, uint16_t measure)
{
	struct esf_report *reports = site->reports;

	esf_shard_acc(shard, window, measure)->refused++;
	if (reports != NULL)
		reports[measure].zone = ESF_ZONE_NONE;
}

/*
 * What most records are, with ingestion full: a good gauge sample that falls where the one before
 * it did, in a window already to be published. False: nothing was done, any_record judges.
 */
static inline bool take_usual(struct esf_shard *shard, struct esf_site *site,
    const struct esf_rule *rule, const struct esf_record *record)
{
	struct esf_window *window = site->recent;
	uint64_t offset = offset_ns(shard, record->time);
	double value = record->value * rule->scale + rule->offset;

	if (record->kind != ESF_KIND_GAUGE || rule->type == ESF_RULE_COUNTER ||
	    shard->policy->intake.mode != ESF_MODE_FULL)
		return false;
	if (record->time > shard->future_limit || offset >= shard->recent_span)
		return false;
	if (window == NULL || window->window != shard->recent_window || !window->dirty)
		return false;
	if (judge(rule, value, record->quality) != ESF_RECORD_ACCEPTED)
		return false;
	esf_acc_add(esf_shard_acc(shard, window, rule->kpi), value, (uint32_t)(offset / 1000));
	window->accepted++;
	return true;
}

static __attribute__((noinline)) enum esf_record_verdict any_record(struct esf_shard *shard,
    struct esf_site *site, const struct esf_rule *rule, const struct esf_record *record)
{
	enum esf_record_kind kind = resolve_kind(rule, record->kind);
	double raw = record->value, value;
	struct esf_window *window;
	enum esf_record_verdict found, verdict;

	if (kind >= ESF_KIND_LEVEL && !follow_level(shard, site, rule->kpi, kind, &raw))
		return ESF_RECORD_NO_ROOM;
	value = raw * rule->scale + (kind == ESF_KIND_INCREMENT ? 0.0 : rule->offset);
	found = find_window(shard, site, record->time, &window);
	verdict = judge(rule, value, record->quality);
	if (found != ESF_RECORD_ACCEPTED)
		return found < verdict ? found : verdict;
	esf_shard_dirty(shard, window);
	if (verdict != ESF_RECORD_ACCEPTED) {
		refuse(shard, site, window, rule->kpi);
		return verdict;
	}
	verdict = add_value(shard, site, window, rule, kind, record->time, value);
	window->accepted += verdict != ESF_RECORD_NO_ROOM;
	return verdict;
}

inline enum esf_record_verdict esf_shard_record(struct esf_shard *shard, struct esf_site *site,
    uint16_t rule_index, const struct esf_record *record)
{
	const struct esf_rule *rule = esf_ruleset_rule(shard->policy->rules, rule_index);

	return take_usual(shard, site, rule, record) ? ESF_RECORD_ACCEPTED
	                                             : any_record(shard, site, rule, record);
}

enum esf_record_verdict esf_shard_event(
    struct esf_shard *shard, struct esf_site *site, int64_t time)
{
	struct esf_window *window;
	enum esf_record_verdict verdict = find_window(shard, site, time, &window);

	if (verdict == ESF_RECORD_ACCEPTED) {
		window->accepted++;
		esf_shard_dirty(shard, window);
	}
	return verdict;
}

inline void esf_shard_sequenced(
    struct esf_shard *shard, struct esf_site *site, uint32_t accepted, uint64_t lost)
{
	struct esf_window *window = esf_shard_window(shard, site, shard->current_window);

	if (window == NULL)
		return;
	window->comms_accepted += accepted;
	window->comms_lost = lost > UINT32_MAX - window->comms_lost
	                         ? UINT32_MAX
	                         : window->comms_lost + (uint32_t)lost;
	esf_shard_dirty(shard, window);
}
