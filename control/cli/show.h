/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SHOW_H
#define ESF_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "control/cli/table.h"

/*
 * The API's documents (CONTRACT 5) as text of at most 100 columns. Nothing here talks to the
 * server.
 */
struct esf_screen {
	FILE *out;
	bool colour;
};

/* A line on a SCOPE, and one on the window, revision and time of the document it came in. */
void esf_show_scope(const struct esf_screen *screen, const char *title, const json_t *scope);
void esf_show_window(const struct esf_screen *screen, const json_t *document);

/* Who storms, if anyone. */
void esf_show_storm(const struct esf_screen *screen, const json_t *document);

/* A table of an array of SCOPEs; a table of one SCOPE's KPIs, whose units and weights are the
 * document's. */
void esf_show_regions(const struct esf_screen *screen, const json_t *regions);
void esf_show_scope_kpis(
    const struct esf_screen *screen, const json_t *scope, const json_t *document);

/* The table of GET /api/v1/sites, and all of GET /api/v1/sites/NAME. */
void esf_show_sites(const struct esf_screen *screen, const json_t *document);
void esf_show_site(const struct esf_screen *screen, const json_t *document);

/* The ledger in a few lines, and as a table: of all verdicts, or of those that occurred. */
void esf_show_ledger_lines(const struct esf_screen *screen, const json_t *ledger);
void esf_show_ledger(const struct esf_screen *screen, const json_t *ledger, bool all);

/* What found no room, prominently and in at most 9 lines; or one quiet line; of a site's ledger
 * nothing. */
void esf_show_pressure(const struct esf_screen *screen, const json_t *ledger);

/* The tables of GET /api/v1/pipeline; how busy each lcore is, in a line, or nothing yet. */
void esf_show_pipeline(const struct esf_screen *screen, const json_t *document);
void esf_show_busy(const struct esf_screen *screen, const json_t *document);

/* The table of GET /api/v1/events, and its counts. */
void esf_show_events(const struct esf_screen *screen, const json_t *document);

/* The table of GET /api/v1/outliers, and its counts in a line, nothing where nobody is odd; those of
 * GET /api/v1/ranking. */
void esf_show_outliers(const struct esf_screen *screen, const json_t *document);
void esf_show_odd(const struct esf_screen *screen, const json_t *document);
void esf_show_ranking(const struct esf_screen *screen, const json_t *document);

/* The table of GET /api/v1/maintenance, of past windows only their number unless all; the window of a
 * site's document, nothing where it has none. */
void esf_show_maintenance(const struct esf_screen *screen, const json_t *document, bool all);
void esf_show_site_maintenance(const struct esf_screen *screen, const json_t *site);
/* The table of GET /api/v1/exports. */
void esf_show_exports(const struct esf_screen *screen, const json_t *document);

/* A line for each of a site's KPIs on which it is odd. */
void esf_show_oddities(const struct esf_screen *screen, const json_t *kpis);

/* A score's "+6.2", into ESF_TEXT_NUMBER_SIZE bytes; the style of a site's "odd". */
const char *esf_show_score(double z, char *buffer);
enum esf_style esf_show_odd_style(const char *odd);

/* A table of raw names and what takes each; all of GET /api/v1/sites/NAME/unmapped. */
void esf_show_names(const struct esf_screen *screen, const json_t *names);
void esf_show_unmapped(const struct esf_screen *screen, const json_t *document);

/* The style of a status's word. */
enum esf_style esf_show_status_style(const char *status);

#endif
