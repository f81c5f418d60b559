/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_RULE_H
#define ESF_CONFIG_RULE_H

#include "domain.h"
#include "file.h"

/*
 * Writes file->config.rules: the file's, the domain's, then for each measured KPI one that takes
 * its own name. names: every KPI's name -> its index in config.kpis; judge: whether an unknown KPI
 * is a fault.
 */
void esf_rule_build(struct esf_load *load, struct esf_file *file, const struct esf_domain *domain,
    const struct esf_index *names, bool judge);

#endif
