/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PIECES_H
#define ESF_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

/*
 * Points of an interval that are written again. A piece (esf_intervals_piece) is what runs from a
 * start with nothing to its end, through any number of restarts that went on from a snapshot. Other
 * pieces' points of the same interval are put together (store.h); a piece's own are replaced, as
 * the later ones hold all that the earlier ones did, but for what a restart forgot.
 *
 * For that the file notes which pieces have written to which interval, and keeps what the points
 * were before (table points_before, mostly empty). Only where there are snapshots (batch->piece is
 * not 0). All within the writer's transaction; false: a failure of SQLite's.
 */

/* Before a piece writes its points: takes back what it wrote there before. */
bool esf_pieces_enter(sqlite3 *db, int64_t interval, int64_t start, uint64_t piece);

/*
 * After a restart: takes back what a piece wrote of intervals that start at `from` or later (Unix
 * ns), which is of after the snapshot; with running, of those that end later than that, too.
 */
bool esf_pieces_take_back(sqlite3 *db, uint64_t piece, int64_t from, bool running);

#endif
