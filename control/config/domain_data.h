/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_DOMAIN_DATA_H
#define ESF_CONFIG_DOMAIN_DATA_H

/* The presets' files, byte for byte; not terminated. */
extern const char esf_energy_yaml[], esf_energy_yaml_end[];
extern const char esf_manufacturing_yaml[], esf_manufacturing_yaml_end[];
extern const char esf_logistics_yaml[], esf_logistics_yaml_end[];

#endif
