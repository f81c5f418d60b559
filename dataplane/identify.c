/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include <string.h>

#include "etd.h"
#include "recent.h"

/*
 * Which site a datagram or a line is of: one that control listed, else one that was learned, else,
 * where the policy says so, one that is learned now. A name of the form site-N is another way to
 * say id N, so that what speaks ETD and what names itself in a line meet in one site.
 */

enum { ID_DIGITS_MAX = 10 };

/* N of "site-N", written without leading zeros; 0 where the name is none. */
static uint32_t id_in_name(const char *name, uint32_t length)
{
	static const char prefix[] = "site-";
	const uint32_t skip = sizeof(prefix) - 1;
	uint64_t id = 0;

	if (length <= skip || length > skip + ID_DIGITS_MAX || memcmp(name, prefix, skip) != 0 ||
	    name[skip] == '0')
		return 0;
	for (uint32_t i = skip; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		id = id * 10 + (uint32_t)(name[i] - '0');
	}
	return id > UINT32_MAX ? 0 : (uint32_t)id;
}

uint32_t esf_shard_site_by_id(const struct esf_shard *shard, uint32_t id)
{
	uint32_t site = esf_directory_by_id(shard->policy->directory, id);

	return site != ESF_NO_SITE ? site : esf_learned_by_id(shard->plane->learned, id);
}

uint32_t esf_shard_site_by_address(const struct esf_shard *shard, const struct esf_address *address)
{
	uint32_t site = esf_directory_by_address(shard->policy->directory, address);

	return site != ESF_NO_SITE ? site : esf_learned_by_address(shard->plane->learned, address);
}

/* The id that a name stands for, unless control gave that id to a site of another name. */
static uint32_t learnable_id(const struct esf_shard *shard, const char *name, uint32_t length)
{
	uint32_t id = id_in_name(name, length);

	if (id != 0 && esf_directory_by_id(shard->policy->directory, id) != ESF_NO_SITE)
		return 0;
	return id;
}

static __attribute__((cold)) uint32_t learn_name(
    struct esf_shard *shard, const char *name, uint32_t length)
{
	struct esf_learned *learned = shard->plane->learned;
	uint32_t id = learnable_id(shard, name, length);

	if (!shard->policy->learn_sites || !esf_learned_name_is_sound(name, length))
		return ESF_NO_SITE;
	if (id != 0)
		return esf_learned_add_id(learned, &shard->spare_site, id);
	return esf_learned_add_name(learned, &shard->spare_site, name, length);
}

/* What is remembered outlives the policy, so it is asked of the directory in use. */
static uint32_t listed_by_name(struct esf_shard *shard, const char *name, uint32_t length)
{
	const struct esf_directory *directory = shard->policy->directory;
	uint32_t *recent = &shard->recent_sites[esf_recent_place(name, length)];
	uint32_t site = *recent;

	if (esf_directory_is_named(directory, site, name, length))
		return site;
	site = esf_directory_by_name(directory, name, length);
	if (site != ESF_NO_SITE)
		*recent = site;
	return site;
}

uint32_t esf_shard_site_by_name(
    struct esf_shard *shard, const char *name, uint32_t length, bool may_learn)
{
	uint32_t site = listed_by_name(shard, name, length), id;

	if (site != ESF_NO_SITE)
		return site;
	id = learnable_id(shard, name, length);
	site = id != 0 ? esf_learned_by_id(shard->plane->learned, id)
	               : esf_learned_by_name(shard->plane->learned, name, length);
	return site == ESF_NO_SITE && may_learn ? learn_name(shard, name, length) : site;
}

/* Asked once a datagram, and only where a line does not say its site. */
uint32_t esf_shard_sender_site(struct esf_shard *shard)
{
	if (!shard->sender_asked) {
		shard->sender_asked = true;
		shard->sender_site = esf_shard_site_by_address(shard, shard->sender);
	}
	return shard->sender_site;
}

/* The sender of the text datagram at hand, which is unknown so far. */
uint32_t esf_shard_learn_sender(struct esf_shard *shard)
{
	if (!shard->policy->learn_sites || shard->sender == NULL)
		return ESF_NO_SITE;
	return esf_learned_add_address(shard->plane->learned, &shard->spare_site, shard->sender);
}

/* Nobody has a key for a site that nobody listed: what is sealed, or would have to be, is unknown.
 */
uint32_t esf_shard_learn_etd(
    struct esf_shard *shard, const struct esf_listener *listener, const struct esf_etd *etd)
{
	if (!shard->policy->learn_sites || listener->require_seal ||
	    (etd->flags & ESF_ETD_SEALED) != 0 || etd->boot > shard->boot_limit)
		return ESF_NO_SITE;
	return esf_learned_add_id(shard->plane->learned, &shard->spare_site, etd->site);
}
