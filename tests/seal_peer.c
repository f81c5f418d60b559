/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "dataplane/etd.h"
#include "dataplane/limits.h"
#include "dataplane/seal.h"

/*
 * The appliance's opener behind a pipe, for tests/e2e/seal_interop.py. A line `KEY ID DATAGRAM`
 * (key and datagram hexadecimal) is answered with the datagram's verdict and, if it is accepted,
 * the records.
 */
enum { LINE_MAX_SIZE = 2 * ESF_DATAGRAM_MAX + 128 };

static enum esf_datagram_verdict take(struct esf_sealer *sealer, const struct esf_seal_key *key,
    const uint8_t *datagram, size_t size, struct esf_etd *etd)
{
	enum esf_datagram_verdict verdict = esf_etd_parse(datagram, (uint32_t)size, etd);
	struct esf_seal_keyring *keyring;
	const uint8_t *plain;

	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	if ((etd->flags & ESF_ETD_SEALED) == 0)
		return ESF_DATAGRAM_UNSEALED;
	if (esf_seal_keyring_create(key, 1, 1, &keyring) != 0)
		exit(EXIT_FAILURE);
	verdict = esf_seal_open(sealer, keyring, 0, etd, &plain);
	esf_seal_keyring_destroy(keyring);
	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	return esf_etd_unseal(etd, plain, etd->records_size - ESF_ETD_TAG_SIZE);
}

static void answer(struct esf_sealer *sealer, const char *line)
{
	static uint8_t datagram[ESF_DATAGRAM_MAX];
	char key_text[2 * ESF_SEAL_KEY_SIZE + 1];
	struct esf_seal_key key = { .site = 0 };
	struct esf_etd etd;
	enum esf_datagram_verdict verdict;
	size_t size = 0, key_size = 0;
	int at = 0;

	if (sscanf(line, "%32s %hu %n", key_text, &key.id, &at) != 2 ||
	    sodium_hex2bin(key.bytes, sizeof(key.bytes), key_text, strlen(key_text), NULL,
	        &key_size, NULL) != 0 ||
	    sodium_hex2bin(
	        datagram, sizeof(datagram), line + at, strlen(line + at), "\n", &size, NULL) != 0)
		exit(EXIT_FAILURE);
	verdict = take(sealer, &key, datagram, size, &etd);
	printf("%s", esf_datagram_verdict_names[verdict]);
	if (verdict == ESF_DATAGRAM_ACCEPTED) {
		putchar(' ');
		for (uint32_t i = 0; i < etd.records_size; i++)
			printf("%02x", etd.records[i]);
	}
	putchar('\n');
}

int main(void)
{
	static char line[LINE_MAX_SIZE];
	struct esf_sealer *sealer;

	if (esf_sealer_create(&sealer) != 0)
		return EXIT_FAILURE;
	while (fgets(line, sizeof(line), stdin) != NULL)
		answer(sealer, line);
	esf_sealer_destroy(sealer);
	return EXIT_SUCCESS;
}
