/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_H
#define ESF_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/address.h"
#include "dataplane/limits.h"
#include "dataplane/names.h"
#include "dataplane/signatures.h"
#include "lcores/idle.h"

/*
 * One loaded configuration: every key of the file with the profile's and the domain's defaults
 * filled in. Immutable once loaded; all of it is one allocation tree freed by esf_config_free. Any
 * thread may read. Durations are in nanoseconds, absent open ends are infinities, absent strings
 * NULL.
 */

enum esf_profile { ESF_PROFILE_SMALL, ESF_PROFILE_MEDIUM, ESF_PROFILE_LARGE, ESF_PROFILE_XLARGE };

enum esf_domain_name { ESF_ENERGY, ESF_MANUFACTURING, ESF_LOGISTICS, ESF_CUSTOM };

enum esf_ingestion { ESF_FULL, ESF_DOWNSAMPLE, ESF_DEVIATION };

enum esf_format { ESF_FORMAT_ETD, ESF_FORMAT_INFLUX, ESF_FORMAT_STATSD, ESF_FORMAT_SYSLOG };

struct esf_profile_limits {
	const char *name;
	uint32_t sites;
	uint32_t regions;
	uint32_t ai_slots;
	enum esf_ingestion ingestion; /* default */
};

const struct esf_profile_limits *esf_profile_limits(enum esf_profile profile);

struct esf_port_address {
	struct esf_address address;
	uint8_t prefix_bits; /* as written: of 32 for IPv4, of 128 for IPv6 */
};

struct esf_port_config {
	uint16_t port; /* DPDK port id */
	uint32_t addresses_count;
	struct esf_port_address *addresses;
};

struct esf_listener_config {
	uint16_t udp;
	enum esf_format format;
	bool require_seal;
	char *site_tag;       /* influx, statsd; default "site" */
	int64_t precision_ns; /* influx; default 1 */
};

struct esf_region_config {
	char *name;
	char *match; /* glob on site names, or NULL */
	uint32_t sites_count;
	char **sites; /* names */
};

struct esf_label {
	char *name;
	char *value;
};

/* The key itself is never kept: who needs it reads the file. */
struct esf_site_key {
	uint16_t id; /* 1.., as in ETD's header */
	char *file;  /* as seen from the working directory */
};

/* A maintenance window: whom its scope takes is not alerted about in [from, to). */
struct esf_maintenance_config {
	char *scope;     /* as written */
	int64_t from_ns; /* Unix */
	int64_t to_ns;
	char *why;
	uint16_t place; /* index in maintenance_scopes */
};

enum esf_maintenance_kind {
	ESF_MAINTENANCE_FLEET,
	ESF_MAINTENANCE_REGION,
	ESF_MAINTENANCE_SITE,
	ESF_MAINTENANCE_LABEL,
};

/* What maintenance[].scope says, each scope once, in the order of the file. */
struct esf_maintenance_scope {
	enum esf_maintenance_kind kind;
	uint32_t region;  /* REGION: index into regions, or regions_count: "unassigned" */
	const char *name; /* SITE: its name; LABEL: NAME=VALUE */
	bool unlisted;    /* SITE: no listed site has the name; one that is learned may */
};

struct esf_site_config {
	uint32_t id; /* ETD's site id, 1..; of a learned site 0 where it has none */
	char *name;
	double weight;   /* > 0 */
	uint32_t region; /* index into regions, or regions_count: "unassigned"; first match wins */
	uint32_t addresses_count;
	struct esf_address *addresses;
	uint32_t labels_count;
	struct esf_label *labels;
	uint32_t upstream_count;
	char **upstream;
	uint32_t keys_count;
	struct esf_site_key *keys;
	bool require_seal; /* whatever the listener asks for */
	bool learned;      /* not of the file: control/fleet/roster made it */
	uint32_t maintenance_count;
	uint16_t *maintenance; /* scopes of maintenance that take it by its name or by a label */
};

/* A side of a KPI's bands that is not scored has infinities in all three. */
struct esf_bands {
	double good[2]; /* low, high, in the KPI's unit */
	double warn[2];
	double crit[2];
};

enum esf_kpi_source {
	ESF_KPI_MEASURED, /* from records that a name rule gave to it; see expression */
	ESF_KPI_COMMS, /* comms_quality: 1 - lost / (lost + accepted), from the dataplane itself */
	ESF_KPI_DERIVED, /* by its expression only */
};

struct esf_kpi {
	char *name;
	char *unit;
	enum esf_kpi_source source;
	uint16_t measure; /* MEASURED: index among the measured KPIs, as in struct esf_rule.kpi */
	double weight;    /* in health; 0 = not scored */
	bool vital;
	bool compare;
	double min_effect;
	struct esf_bands bands;
	char *expr; /* NULL: none */
	uint32_t excludes_count;
	char **
	    excludes; /* names: where one of them is above 0, the window is no time of this KPI's */
	uint64_t exclude; /* the same as bits, by index in kpis */
	bool heard; /* where nothing is known of it or its inputs: whether the site was heard */
	bool exclude_maintenance; /* "maintenance" is one of them: so are maintenance windows */
	/* DERIVED, and MEASURED where a site has no record of its own; else NULL. Of the inputs
	 * each is an index in kpis. Evaluated by the control thread only. */
	struct esf_expression *expression;
};

enum {
	ESF_MAINTENANCE_MAX = 1024, /* windows */
	ESF_NO_SCOPE = UINT16_MAX,
};

/* Name rules in the order in which they win: the file's, the domain's, then each measured KPI's own
 * name. */
struct esf_rules {
	uint32_t count;
	char **patterns;
	struct esf_rule *rules;
};

/* A text that matches means this; of several that match the first listed counts. */
struct esf_signature_config {
	char *match;
	char *code;
	uint8_t severity; /* 0..7, or ESF_SIGNATURE_AS_SENT */
	uint32_t state;   /* enum esf_etd_state, or ESF_SIGNATURE_AS_SENT */
};

/* Where closed windows are pushed to. */
enum esf_export_level { ESF_EXPORT_FLEET, ESF_EXPORT_REGION, ESF_EXPORT_SITE, ESF_EXPORT_LEVELS };

struct esf_export_config {
	char *name;
	char *url; /* http:// or https://, with its path and query */
	uint32_t levels_count;
	uint32_t *levels; /* enum esf_export_level; none: the fleet and the regions */
	uint32_t kpis_count;
	char **kpis;          /* names; none: all */
	uint64_t spool_size;  /* bytes */
	char *spool_file;     /* as seen from the working directory; NULL: in memory */
	uint32_t batch;       /* points of a request, at most */
	int64_t every_ns;     /* between requests that are not full */
	int64_t timeout_ns;   /* of a request */
	bool gzip;
	char *token_file; /* as spool_file; NULL: none */
	char *ca_file;    /* as spool_file; NULL: the system's */
};

/* As the file has it, or by default. */
bool esf_export_has_level(const struct esf_export_config *target, enum esf_export_level level);

struct esf_config {
	char *path;
	enum esf_profile profile;
	enum esf_domain_name domain;
	enum esf_ingestion ingestion;

	uint32_t eal_count;
	char **eal;

	bool lcores_auto;
	uint32_t lcores_count; /* data lcores listed, when not auto */
	uint32_t *lcores;
	uint32_t receive_only_count;
	uint32_t *receive_only;
	struct {
		enum esf_idle_policy policy;
		uint32_t max_sleep_us; /* of policy sleep */
	} idle;

	uint32_t ports_count;
	struct esf_port_config *ports;
	uint32_t listeners_count;
	struct esf_listener_config *listeners;

	uint32_t regions_count;
	struct esf_region_config *regions;
	char *inventory;      /* the CSV file that lists the sites, as seen from the working
	                         directory; NULL: the file itself does */
	uint32_t sites_count; /* in the order of the file */
	struct esf_site_config *sites;
	/* Indexes of the sites in the plane's arrays, all below slots_count; NULL: their places in
	 * the list. A reload keeps the index of whoever keeps the id. */
	uint32_t *slots;
	uint32_t slots_count;
	bool learn_sites; /* unknown ones, up to the profile's limit */

	uint32_t kpis_count; /* in a fixed order: the domain's, then the file's new ones */
	struct esf_kpi *kpis;
	uint32_t measures_count;
	uint32_t derived_count;
	uint16_t *derived;      /* KPIs with an expression, each after its inputs */
	uint32_t derived_depth; /* the longest chain of them */
	bool excludes;          /* any KPI has some */
	bool hears;             /* any KPI is heard */
	struct esf_rules rules;
	uint32_t signatures_count; /* in the order of the file */
	struct esf_signature_config *signatures;

	uint32_t maintenance_count; /* in the order of the file */
	struct esf_maintenance_config *maintenance;
	uint32_t maintenance_scopes_count;
	struct esf_maintenance_scope *maintenance_scopes;
	uint16_t maintenance_fleet;    /* its scope, or ESF_NO_SCOPE */
	uint16_t *maintenance_regions; /* the same by region, "unassigned" last; NULL: none */

	struct {
		int64_t window_ns;
		uint32_t windows_open;
		int64_t epoch_ns;
		uint32_t intervals_count;
		int64_t *intervals_ns;
	} rollup;
	struct {
		uint32_t sequence_window; /* a power of two, 64..8192 */
		int64_t line_window_ns;
	} dedup;
	struct {
		int64_t max_skew_ns;
	} clock;
	struct {
		uint32_t site_rate, site_burst, fleet_enter,
		    fleet_exit; /* datagrams/s, datagrams */
		int64_t min_hold_ns;
	} storm;
	struct {
		double healthy_above;
		uint32_t keep_one_in;
	} downsample;
	struct {
		double band;
		int64_t max_silence_ns;
	} deviation;
	struct {
		double good, degraded, min_coverage, vital_cap;
		double hysteresis; /* points above an edge that a status needs to get better; 0: none */
	} health;
	struct {
		double threshold;
		bool fleetwise;
		char *peers; /* "region", "fleet" or "label:NAME" */
		uint32_t min_peers;
		uint32_t rounds[2];
		uint32_t baseline_slots; /* 168: hours of the week, 24: of the day; 0: none */
	} compare;
	struct {
		int64_t group_ns;
		uint32_t silent_after; /* windows */
	} correlate;
	struct {
		char *address; /* numeric, without brackets */
		uint16_t port;
		char *token_file;
	} http;
	struct {
		char *file; /* NULL: none */
		int64_t keep_ns;
	} history;
	struct {
		char *file; /* NULL: none */
		int64_t every_ns;
	} state;
	uint32_t export_count;
	struct esf_export_config *export;
	struct {
		bool watch; /* reload whenever a file of the configuration is written */
	} reload;
};

static inline uint32_t esf_config_slot(const struct esf_config *config, uint32_t site)
{
	return config->slots == NULL ? site : config->slots[site];
}

static inline uint32_t esf_config_slots_count(const struct esf_config *config)
{
	return config->slots == NULL ? config->sites_count : config->slots_count;
}

/*
 * Faults and warnings of one load, in the order of the file's lines. Each fault is one line
 * "FILE:LINE: KEY: what was got, what was wanted" (and did-you-mean where a near name exists).
 */
struct esf_faults {
	uint32_t count;
	uint32_t warnings_count;
	char **lines;    /* count */
	char **warnings; /* warnings_count; same form, nothing refused */
};

/*
 * Loads a file. Returns 0 with *out set; -EINVAL with every fault in *faults; -ENOMEM; or -errno
 * with one fault where the file can't be read. faults is filled in any case and freed by
 * esf_faults_free. Not for data lcores.
 */
int esf_config_load(const char *path, struct esf_config **out, struct esf_faults *faults);
void esf_config_free(struct esf_config *config);
void esf_faults_free(struct esf_faults *faults);

#endif
