/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SETTER_H
#define ESF_CONFIG_SETTER_H

#include "schema.h"

/* The values that take more than a bound: the checks and setters that the key tables name. */

enum { ESF_WHY_MAX = 255 };

#define ESF_WANT_TIME "a time such as 2026-01-31T08:00:00Z"
#define ESF_WANT_SCOPE "fleet, region:NAME, site:NAME or label:NAME=VALUE"
#define ESF_WANT_WHY "a reason of 1..255 bytes on one line"
#define ESF_WANT_NAME "a name of 1..63 bytes without blanks, control characters or /"

esf_text_check esf_check_name;    /* site, region, label: it can stand in a URL */
esf_text_check esf_check_pattern; /* Hyperscan compiles it; its own message where not */
esf_text_check esf_check_why;
esf_text_check esf_check_peers; /* region, fleet, label:NAME */
esf_text_check esf_check_scope; /* fleet, region:NAME, site:NAME, label:NAME=VALUE */

esf_node_setter esf_set_time;         /* int64_t ns */
esf_node_setter esf_set_address;      /* struct esf_address */
esf_node_setter esf_set_port_address; /* struct esf_port_address */
esf_node_setter esf_set_precision;    /* int64_t ns */
esf_node_setter esf_set_rounds;       /* uint32_t[2] */
esf_node_setter esf_set_lcores;       /* struct esf_file */
esf_node_setter esf_set_listen;       /* struct esf_file */
esf_node_setter esf_set_labels;       /* struct esf_site_config */

#endif
