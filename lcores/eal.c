/* SPDX-License-Identifier: Apache-2.0 */
#include "eal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "eal_lcores.h"
#include "hugepages.h"

enum {
	DEFAULTS_MAX = 10, /* arguments that we add */
	SAID_SIZE = 4096,  /* of what DPDK says while it starts */
};

/* EAL keeps pointers into its arguments; control thread only. */
static struct {
	char **arguments; /* what rte_eal_init may reorder */
	char lcores[ESF_EAL_LCORES_SIZE];
	char main_lcore[16];
} eal;

static bool is_option(const char *argument, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(argument, name, length) != 0)
		return false;
	if (name[1] != '-')
		return argument[1] != '-';
	return argument[length] == '\0' || argument[length] == '=';
}

static bool has_any(const struct esf_launch_options *options, const char *const *names)
{
	for (uint32_t i = 0; i < options->eal_count; i++)
		for (const char *const *name = names; *name != NULL; name++)
			if (is_option(options->eal[i], *name))
				return true;
	return false;
}

static const char *const names_lcores[] = { "-l", "-c", "--lcores", NULL };
static const char *const names_no_huge[] = { "--no-huge", NULL };
static const char *const names_memory[] = { "-m", "--socket-mem", "--in-memory", "--legacy-mem",
	NULL };
static const char *const names_size[] = { "-m", "--socket-mem", NULL };
static const char *const names_layout[] = { "--in-memory", "--file-prefix",
	"--single-file-segments", "--huge-dir", "--huge-unlink", "--proc-type", "--legacy-mem",
	"--no-shconf", NULL };
static const char *const names_shared[] = { "--no-shconf", "--file-prefix", "--proc-type", NULL };
static const char *const names_prefix[] = { "--file-prefix", NULL };
static const char *const names_log[] = { "--log-level", NULL };

/* EAL only reorders them. */
static void add(int *count, const char *argument)
{
	eal.arguments[(*count)++] = (char *)(uintptr_t)argument;
}

static void add_memory(const struct esf_launch_options *options, int *count, FILE *errors)
{
	bool no_huge = has_any(options, names_no_huge);

	if (!no_huge && esf_hugepages_free(-1) == 0 && !has_any(options, names_memory)) {
		fprintf(errors,
		    "%s: note: no free hugepages, so DPDK runs on ordinary memory (--no-huge -m "
		    "512); for full speed: echo 512 > "
		    "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages\n",
		    options->program);
		no_huge = true;
		add(count, "--no-huge");
		add(count, "-m");
		add(count, "512");
	} else if (no_huge && !has_any(options, names_size)) {
		add(count, "-m");
		add(count, "512");
	}
	if (no_huge && !has_any(options, names_shared))
		add(count, "--no-shconf");
	if (!no_huge && !has_any(options, names_layout))
		add(count, "--in-memory");
	if (!has_any(options, names_prefix))
		add(count, "--file-prefix=estream-fleetd");
}

static int add_lcores(const struct esf_launch_options *options, int *count, FILE *errors)
{
	uint32_t main_lcore;
	int error;

	if (has_any(options, names_lcores))
		return 0;
	error = esf_eal_lcores(options, eal.lcores, &main_lcore, errors);
	if (error != 0)
		return error;
	snprintf(eal.main_lcore, sizeof(eal.main_lcore), "%u", main_lcore);
	add(count, "--lcores");
	add(count, eal.lcores);
	add(count, "--main-lcore");
	add(count, eal.main_lcore);
	return 0;
}

static int build_arguments(const struct esf_launch_options *options, int *count, FILE *errors)
{
	int error;

	eal.arguments = calloc(options->eal_count + 2 + DEFAULTS_MAX, sizeof(*eal.arguments));
	if (eal.arguments == NULL)
		return -ENOMEM;
	*count = 0;
	add(count, options->program);
	if (!has_any(options, names_log))
		add(count, "--log-level=warning");
	error = add_lcores(options, count, errors);
	if (error != 0)
		return error;
	add_memory(options, count, errors);
	for (uint32_t i = 0; i < options->eal_count; i++)
		add(count, options->eal[i]);
	return 0;
}

/* What is written to stdout and stderr while DPDK starts: kept, to say the one line of it that
 * matters. */
struct capture {
	int out, error; /* the real ones */
	int file;
};

static void capture_begin(struct capture *capture)
{
	fflush(stdout);
	fflush(stderr);
	capture->file = memfd_create("eal", MFD_CLOEXEC);
	if (capture->file < 0)
		return;
	capture->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	capture->error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(capture->file, STDOUT_FILENO);
	dup2(capture->file, STDERR_FILENO);
}

static void restore(int saved, int descriptor)
{
	if (saved >= 0) {
		dup2(saved, descriptor);
		close(saved);
	} else {
		close(descriptor);
	}
}

static void capture_end(struct capture *capture, char said[SAID_SIZE])
{
	ssize_t size;

	said[0] = '\0';
	if (capture->file < 0)
		return;
	fflush(stdout);
	fflush(stderr);
	restore(capture->out, STDOUT_FILENO);
	restore(capture->error, STDERR_FILENO);
	size = pread(capture->file, said, SAID_SIZE - 1, 0);
	said[size > 0 ? size : 0] = '\0';
	close(capture->file);
}

/* EAL goes on without a --vdev that failed; whoever asked for that port wants to know at once. */
static const char vdev_failed[] = "Bus (vdev) probe failed";

/* Hugepages of another size may well be missing, and nobody asked for the old telemetry socket. */
static bool is_beside_the_point(const char *line)
{
	return *line == '\0' || strstr(line, ": No free ") != NULL ||
	       strstr(line, ": No available ") != NULL ||
	       strstr(line, ": No legacy callbacks") != NULL;
}

/* The next line of *rest that says something, without the program's own name before it; NULL: none.
 */
static const char *next_line(char **rest, const char *program)
{
	const char *line;
	size_t length = strlen(program);

	while ((line = strsep(rest, "\n")) != NULL) {
		if (strncmp(line, program, length) == 0 && line[length] == ':')
			line += length + 1;
		line += strspn(line, " \t");
		if (!is_beside_the_point(line))
			return line;
	}
	return NULL;
}

static void report_failure(
    const struct esf_launch_options *options, char *said, int error, FILE *errors)
{
	const char *line = next_line(&said, options->program);

	fprintf(errors, "%s: eal: DPDK did not start: %s (%s)\n", options->program,
	    line != NULL ? line : "it gave no reason", strerror(-error));
}

static void repeat(const struct esf_launch_options *options, char *said, FILE *errors)
{
	const char *line;

	while ((line = next_line(&said, options->program)) != NULL)
		fprintf(errors, "%s: %s\n", options->program, line);
}

int esf_eal_start(const struct esf_launch_options *options, FILE *errors)
{
	struct capture capture;
	char said[SAID_SIZE];
	int count, result, error;

	error = build_arguments(options, &count, errors);
	if (error != 0)
		goto fail;
	capture_begin(&capture);
	result = rte_eal_init(count, eal.arguments);
	error = result >= 0 ? 0 : rte_errno > 0 ? -rte_errno : -EINVAL;
	capture_end(&capture, said);
	if (error != 0) {
		report_failure(options, said, error, errors);
		goto fail;
	}
	if (strstr(said, vdev_failed) != NULL) {
		error = -ENODEV;
		report_failure(options, said, error, errors);
		rte_eal_cleanup();
		goto fail;
	}
	repeat(options, said, errors);
	return 0;
fail:
	free(eal.arguments);
	eal.arguments = NULL;
	return error;
}

void esf_eal_stop(void)
{
	rte_eal_cleanup();
	free(eal.arguments);
	eal.arguments = NULL;
}
