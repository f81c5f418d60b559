/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_PRINT_H
#define ESF_CONFIG_PRINT_H

#include <stdio.h>

#include "config.h"

/*
 * The parts of a configuration as text, the same for two that mean the same: what a reader of a
 * fault is shown is then what was compared: one word, or lines of "PATH<tab>VALUE". All but the
 * sites.
 */
typedef void (*esf_print_fn)(FILE *out, const struct esf_config *config);

void esf_print_profile(FILE *out, const struct esf_config *config);
void esf_print_domain(FILE *out, const struct esf_config *config);
void esf_print_ingestion(FILE *out, const struct esf_config *config);
void esf_print_eal(FILE *out, const struct esf_config *config);
void esf_print_lcores(FILE *out, const struct esf_config *config);
void esf_print_receive_only(FILE *out, const struct esf_config *config);
void esf_print_idle_policy(FILE *out, const struct esf_config *config);
void esf_print_idle_sleep(FILE *out, const struct esf_config *config);
void esf_print_idle(FILE *out, const struct esf_config *config);
void esf_print_ports(FILE *out, const struct esf_config *config);
void esf_print_listeners(FILE *out, const struct esf_config *config);
void esf_print_regions(FILE *out, const struct esf_config *config);
void esf_print_unknown_sites(FILE *out, const struct esf_config *config);
void esf_print_rules(FILE *out, const struct esf_config *config);
void esf_print_kpis(FILE *out, const struct esf_config *config);
void esf_print_measures(FILE *out, const struct esf_config *config);
void esf_print_window(FILE *out, const struct esf_config *config);
void esf_print_windows_open(FILE *out, const struct esf_config *config);
void esf_print_epoch(FILE *out, const struct esf_config *config);
void esf_print_rollup(FILE *out, const struct esf_config *config);
void esf_print_sequence_window(FILE *out, const struct esf_config *config);
void esf_print_dedup(FILE *out, const struct esf_config *config);
void esf_print_clock(FILE *out, const struct esf_config *config);
void esf_print_storm(FILE *out, const struct esf_config *config);
void esf_print_downsample(FILE *out, const struct esf_config *config);
void esf_print_deviation(FILE *out, const struct esf_config *config);
void esf_print_health(FILE *out, const struct esf_config *config);
void esf_print_compare(FILE *out, const struct esf_config *config);
void esf_print_correlate(FILE *out, const struct esf_config *config);
void esf_print_signatures(FILE *out, const struct esf_config *config);
void esf_print_maintenance(FILE *out, const struct esf_config *config);
void esf_print_reload(FILE *out, const struct esf_config *config);
void esf_print_listen(FILE *out, const struct esf_config *config);

#endif
