/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_DERIVED_H
#define ESF_CONFIG_DERIVED_H

#include "file.h"

/*
 * Compiles the expressions of file->config.kpis, finds the order in which they can be evaluated,
 * and resolves what excludes what. names: every KPI's name -> its index in config.kpis; entries: by
 * that index the item of the file's kpis that gave or changed it, or ESF_INDEX_NONE; judge: whether
 * an unknown name is a fault.
 */
void esf_derived_build(struct esf_load *load, struct esf_file *file, const struct esf_index *names,
    const uint32_t *entries, bool judge);

/* Frees the expressions. */
void esf_derived_free(struct esf_config *config);

#endif
