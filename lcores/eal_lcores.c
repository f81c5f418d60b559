/* SPDX-License-Identifier: Apache-2.0 */
#include "eal_lcores.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "dataplane/limits.h"

static bool is_listed(const struct esf_launch_options *options, uint32_t lcore)
{
	for (uint32_t i = 0; i < options->lcores_count; i++)
		if (options->lcores[i] == lcore)
			return true;
	return false;
}

static uint32_t first_cpu(const cpu_set_t *allowed)
{
	uint32_t cpu = 0;

	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, allowed))
		cpu++;
	return cpu;
}

/* The allowed CPUs as "0-3,8". */
static void describe(const cpu_set_t *allowed, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		uint32_t last = cpu;

		if (!CPU_ISSET(cpu, allowed))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, allowed))
			last++;
		if (used < size)
			used += (size_t)snprintf(out + used, size - used,
			    last > cpu ? "%s%u-%u" : "%s%u", used > 0 ? "," : "", cpu, last);
		cpu = last;
	}
}

static void append(char out[ESF_EAL_LCORES_SIZE], uint32_t lcore, uint32_t cpu)
{
	size_t used = strlen(out);

	snprintf(
	    out + used, ESF_EAL_LCORES_SIZE - used, "%s%u@%u", used > 0 ? "," : "", lcore, cpu);
}

/* The main lcore on the first CPU, a data lcore on each of the others, or beside it where there is
 * no other. */
static int place_auto(const cpu_set_t *allowed, char out[ESF_EAL_LCORES_SIZE], uint32_t *main_lcore)
{
	uint32_t first = first_cpu(allowed), data_count = 0;

	*main_lcore = first;
	append(out, first, first);
	for (uint32_t cpu = first + 1; cpu < RTE_MAX_LCORE && data_count < ESF_SHARDS_MAX; cpu++) {
		if (!CPU_ISSET(cpu, allowed))
			continue;
		append(out, cpu, cpu);
		data_count++;
	}
	if (data_count == 0)
		append(out, first + 1, first);
	return 0;
}

static void place_main(const struct esf_launch_options *options, const cpu_set_t *allowed,
    char out[ESF_EAL_LCORES_SIZE], uint32_t *main_lcore)
{
	uint32_t lcore = 0, cpu = 0;

	while (cpu < RTE_MAX_LCORE && (!CPU_ISSET(cpu, allowed) || is_listed(options, cpu)))
		cpu++;
	if (cpu < RTE_MAX_LCORE) {
		*main_lcore = cpu;
		append(out, cpu, cpu);
		return;
	}
	while (is_listed(options, lcore))
		lcore++;
	*main_lcore = lcore;
	append(out, lcore, first_cpu(allowed));
}

static int place_listed(const struct esf_launch_options *options, const cpu_set_t *allowed,
    char out[ESF_EAL_LCORES_SIZE], uint32_t *main_lcore, FILE *errors)
{
	char cpus[256];

	for (uint32_t i = 0; i < options->lcores_count; i++) {
		uint32_t lcore = options->lcores[i];

		if (lcore < RTE_MAX_LCORE && CPU_ISSET(lcore, allowed))
			continue;
		describe(allowed, cpus, sizeof(cpus));
		fprintf(errors,
		    "%s: lcores: need CPU %u, have CPUs %s: name some of these, or share them with "
		    "eal: [\"--lcores\", \"(0-3)@(%s)\"]\n",
		    options->program, lcore, cpus, cpus);
		return -EINVAL;
	}
	place_main(options, allowed, out, main_lcore);
	for (uint32_t i = 0; i < options->lcores_count; i++)
		append(out, options->lcores[i], options->lcores[i]);
	return 0;
}

int esf_eal_lcores(const struct esf_launch_options *options, char out[ESF_EAL_LCORES_SIZE],
    uint32_t *main_lcore, FILE *errors)
{
	cpu_set_t allowed;

	out[0] = '\0';
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
		int error = errno;

		fprintf(errors, "%s: lcores: cannot read which CPUs may be used: %s\n",
		    options->program, strerror(error));
		return -error;
	}
	if (options->lcores_auto)
		return place_auto(&allowed, out, main_lcore);
	return place_listed(options, &allowed, out, main_lcore, errors);
}
