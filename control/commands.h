/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COMMANDS_H
#define ESF_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "control/config/config.h"

/* estream-fleetd's commands (CONTRACT section 1). Each is called once, by main, and returns the
 * exit code. */
enum esf_exit {
	ESF_EXIT_OK = 0,
	ESF_EXIT_FAILED = 1, /* could not start or go on, or the ledger did not balance */
	ESF_EXIT_USAGE = 2,  /* bad command line or configuration */
};

/* eal: what stood before `--` on the command line; it goes behind the configuration's eal list. */
int esf_command_run(const char *config_path, uint32_t eal_count, char *const *eal);
int esf_command_check(const char *config_path);
int esf_command_replay(const char *config_path, const char *capture_path, bool real_time);

/*
 * Loads a configuration and prints its faults and warnings to stderr. NULL after faults, *exit_code
 * set then.
 */
struct esf_config *esf_command_load(const char *config_path, int *exit_code);

#endif
