/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SETTER_H
#define ESF_CONFIG_SETTER_H

#include "schema.h"

/* The values that take more than a bound: the checks and setters that the key tables name. */

#define ESF_WANT_NAME "a name of 1..63 bytes without blanks, control characters or /"

esf_text_check esf_check_name;    /* site, region, label: it can stand in a URL */
esf_text_check esf_check_pattern; /* Hyperscan compiles it; its own message where not */
esf_text_check esf_check_time;
esf_text_check esf_check_peers; /* region, fleet, label:NAME */
esf_text_check esf_check_scope; /* fleet, region:NAME, site:NAME */

esf_node_setter esf_set_address;      /* struct esf_address */
esf_node_setter esf_set_port_address; /* struct esf_port_address */
esf_node_setter esf_set_precision;    /* int64_t ns */
esf_node_setter esf_set_rounds;       /* uint32_t[2] */
esf_node_setter esf_set_lcores;       /* struct esf_file */
esf_node_setter esf_set_listen;       /* struct esf_file */
esf_node_setter esf_set_labels;       /* struct esf_site_config */

#endif
