/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/views.h"

#include <stdlib.h>

#include <urcu-qsbr.h>

/* Owner: control. Readers load the pointers by rcu_dereference, which pairs with rcu_xchg_pointer.
 */
struct esf_views {
	struct esf_view *closed;
	struct esf_view *open;
};

struct esf_views *esf_views_create(void)
{
	return calloc(1, sizeof(struct esf_views));
}

void esf_views_destroy(struct esf_views *views)
{
	if (views == NULL)
		return;
	rcu_barrier();
	esf_view_free(views->closed);
	esf_view_free(views->open);
	free(views);
}

static void free_view(struct rcu_head *head)
{
	esf_view_free(caa_container_of(head, struct esf_view, rcu));
}

/* By call_rcu and not synchronize_rcu: a reader that builds a long document must not hold up the
 * tick. */
static void set(struct esf_view **at, struct esf_view *view)
{
	struct esf_view *former = rcu_xchg_pointer(at, view);

	if (former != NULL)
		call_rcu(&former->rcu, free_view);
}

void esf_views_set_closed(struct esf_views *views, struct esf_view *view)
{
	set(&views->closed, view);
}

void esf_views_set_open(struct esf_views *views, struct esf_view *view)
{
	set(&views->open, view);
}

const struct esf_view *esf_views_closed(const struct esf_views *views)
{
	return rcu_dereference(views->closed);
}

const struct esf_view *esf_views_open(const struct esf_views *views)
{
	return rcu_dereference(views->open);
}
