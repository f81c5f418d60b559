/* SPDX-License-Identifier: Apache-2.0 */
#include "reseal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#include "control/keyfile.h"
#include "dataplane/etd_wire.h"

/* libipsec-mb's header aligns it only for those who define LINUX. */
struct expanded {
	_Alignas(64) struct gcm_key_data data;
};

struct esf_reseal {
	_Alignas(64) struct gcm_context_data context;
	IMB_MGR *manager;
	uint32_t first_id;
	uint32_t sites_count;
	struct expanded *keys;
};

static int expand(struct esf_reseal *reseal, const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->sites_count; i++) {
		const struct esf_site_config *site = &config->sites[i];
		uint8_t key[ESF_SEAL_KEY_SIZE];
		char message[512];

		if (site->keys_count == 0 ||
		    esf_keyfile_read(site->keys[0].file, key, message, sizeof(message)) != 0)
			return -EINVAL;
		IMB_AES128_GCM_PRE(reseal->manager, key, &reseal->keys[i].data);
	}
	return 0;
}

int esf_reseal_create(const struct esf_config *config, struct esf_reseal **out)
{
	struct esf_reseal *reseal = aligned_alloc(64, sizeof(*reseal));
	IMB_ARCH arch = IMB_ARCH_NONE;
	int result = -ENOMEM;

	if (reseal == NULL)
		return -ENOMEM;
	memset(reseal, 0, sizeof(*reseal));
	reseal->sites_count = config->sites_count;
	reseal->first_id = config->sites_count > 0 ? config->sites[0].id : 0;
	reseal->keys = aligned_alloc(64, (config->sites_count + (size_t)1) * sizeof(*reseal->keys));
	reseal->manager = alloc_mb_mgr(0);
	if (reseal->keys != NULL && reseal->manager != NULL) {
		init_mb_mgr_auto(reseal->manager, &arch);
		result = arch >= IMB_ARCH_SSE ? expand(reseal, config) : -ENOTSUP;
	}
	if (result != 0) {
		esf_reseal_destroy(reseal);
		return result;
	}
	*out = reseal;
	return 0;
}

void esf_reseal_destroy(struct esf_reseal *reseal)
{
	if (reseal == NULL)
		return;
	if (reseal->manager != NULL)
		free_mb_mgr(reseal->manager);
	free(reseal->keys);
	free(reseal);
}

bool esf_reseal_open(
    struct esf_reseal *reseal, const uint8_t *datagram, uint32_t size, uint8_t *plain)
{
	uint32_t records_size = size - ESF_ETD_HEADER_SIZE - ESF_ETD_TAG_SIZE, id;
	const uint8_t *records = datagram + ESF_ETD_HEADER_SIZE;
	uint8_t tag[ESF_ETD_TAG_SIZE];

	memcpy(&id, datagram + ESF_ETD_AT_SITE, sizeof(id));
	if (size < ESF_ETD_HEADER_SIZE + ESF_ETD_TAG_SIZE || id < reseal->first_id ||
	    id - reseal->first_id >= reseal->sites_count)
		return false;
	IMB_AES128_GCM_DEC(reseal->manager, &reseal->keys[id - reseal->first_id].data,
	    &reseal->context, plain, records, records_size, datagram + ESF_ETD_AT_STREAM, datagram,
	    ESF_ETD_HEADER_SIZE, tag, sizeof(tag));
	return memcmp(tag, records + records_size, sizeof(tag)) == 0;
}

void esf_reseal_seal(struct esf_reseal *reseal, uint32_t site_index, const uint8_t *plain,
    uint8_t *datagram, uint32_t size)
{
	uint8_t *records = datagram + ESF_ETD_HEADER_SIZE;
	uint32_t records_size = size - ESF_ETD_HEADER_SIZE - ESF_ETD_TAG_SIZE;

	IMB_AES128_GCM_ENC(reseal->manager, &reseal->keys[site_index].data, &reseal->context,
	    records, plain, records_size, datagram + ESF_ETD_AT_STREAM, datagram,
	    ESF_ETD_HEADER_SIZE, records + records_size, ESF_ETD_TAG_SIZE);
}
