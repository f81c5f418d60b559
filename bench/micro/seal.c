/* SPDX-License-Identifier: Apache-2.0 */
#include "micro.h"

#include <stdio.h>

#include <intel-ipsec-mb.h>

#include "bench/encode.h"
#include "bench/sealing.h"
#include "dataplane/seal.h"

/* Opening, beside libipsec-mb called with the same key, nonce and bytes. */

struct sealed {
	uint8_t data[2048];
	uint32_t size;
	struct esf_etd etd;
	struct esf_seal_keyring *keyring;
	struct esf_sealer *sealer;
	IMB_MGR *manager;
	struct gcm_key_data key;
	struct gcm_context_data context;
	uint8_t plain[2048];
};

static const uint8_t key[ESF_SEAL_KEY_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void run_open(void *context, uint64_t rounds)
{
	struct sealed *s = context;

	for (uint64_t i = 0; i < rounds; i++) {
		const uint8_t *plain;

		if (esf_seal_open(s->sealer, s->keyring, 0, micro_hide(&s->etd), &plain) !=
		    ESF_DATAGRAM_ACCEPTED)
			micro_fail("a seal was refused");
		micro_use(plain[0]);
	}
}

static void run_raw(void *context, uint64_t rounds)
{
	struct sealed *s = context;
	uint32_t size = s->etd.records_size - ESF_ETD_TAG_SIZE;
	uint8_t tag[ESF_ETD_TAG_SIZE];

	for (uint64_t i = 0; i < rounds; i++) {
		const uint8_t *header = micro_hide(s->data);

		IMB_AES128_GCM_DEC(s->manager, &s->key, &s->context, s->plain,
		    header + ESF_ETD_HEADER_SIZE, size, header + ESF_ETD_AT_STREAM, header,
		    ESF_ETD_HEADER_SIZE, tag, sizeof(tag));
		micro_use(tag[0]);
	}
}

static void make_sealed(struct sealed *s, uint32_t records)
{
	const struct esf_encode_header header = { .kind = ESF_ETD_DATA,
		.site = 1,
		.boot = 1700000000,
		.seq = 1,
		.time_ns = INT64_C(1700000000000000000) };
	const struct esf_seal_key listed = {
		.site = 0, .id = 1, .bytes = { 1, 2, 3, 4, 5, 6, 7, 8 }
	};
	struct esf_encode encoded = { .data = s->data, .capacity = sizeof(s->data) };

	esf_encode_etd(&encoded, &header);
	for (uint32_t i = 0; i < records; i++)
		esf_encode_etd_data(&encoded, (uint16_t)i, 0, 0, i * 0.5);
	s->size = encoded.size;
	s->manager = alloc_mb_mgr(0);
	if (s->manager == NULL || !esf_sealing_seal_with(key, 1, s->data, &s->size) ||
	    esf_etd_parse(s->data, s->size, &s->etd) != ESF_DATAGRAM_ACCEPTED ||
	    esf_seal_keyring_create(&listed, 1, 1, &s->keyring) != 0 ||
	    esf_sealer_create(&s->sealer) != 0)
		micro_fail("nothing can be sealed here");
	init_mb_mgr_auto(s->manager, NULL);
	IMB_AES128_GCM_PRE(s->manager, key, &s->key);
}

static void seal_row(struct micro *bench, uint32_t records, const struct micro_goal *goal)
{
	static struct sealed s;
	char name[48];
	const struct micro_case ours = {
		.name = name, .operations = 1, .state = 4096, .run = run_open, .context = &s
	};
	const struct micro_case floor = {
		.name = "libipsec-mb", .operations = 1, .run = run_raw, .context = &s
	};

	s = (struct sealed){ 0 };
	make_sealed(&s, records);
	snprintf(
	    name, sizeof(name), "%u record%s, %u bytes", records, records == 1 ? "" : "s", s.size);
	micro_row(bench, "seal", &ours, &floor, goal);
	esf_sealer_destroy(s.sealer);
	esf_seal_keyring_destroy(s.keyring);
	free_mb_mgr(s.manager);
}

void micro_seal(struct micro *bench)
{
	static const struct micro_goal goal = { .speed = 0.80 };

	if (!micro_wants(bench, "seal"))
		return;
	seal_row(bench, 1, NULL);
	seal_row(bench, 84, &goal);
}
