/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_HISTORY_FAILURE_H
#define ESF_HISTORY_FAILURE_H

#include <sqlite3.h>

#include "control/history/store.h"

/* What the connection's last failure means, said in error with what mends it. db NULL: out of
 * memory. */
enum esf_store_result esf_failure_of(sqlite3 *db, const char *path, char *error);

#endif
