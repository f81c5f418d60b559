/* SPDX-License-Identifier: Apache-2.0 */
#include "sealing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "dataplane/etd_wire.h"

struct esf_sealing {
	uint16_t key_id;
	bool per_site; /* keys by site, else one of all */
	uint32_t keys_count;
	EVP_CIPHER_CTX *context;
	uint8_t (*keys)[ESF_SEALING_KEY_SIZE];
};

enum { DIGITS = 2 * ESF_SEALING_KEY_SIZE, PATH_SIZE = 4096 };

static bool hex_parse(const char *text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < DIGITS; i++) {
		const char *digit = text[i] ? strchr(digits, text[i] | 0x20) : NULL;

		if (!digit)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits));
	}
	return true;
}

static bool key_read(const char *path, uint8_t *key, FILE *errors)
{
	char text[DIGITS + 3] = "";
	FILE *file = fopen(path, "r");
	bool good;

	if (!file) {
		fprintf(errors, "%s: %s\n", path, strerror(errno));
		return false;
	}
	setvbuf(file, NULL, _IONBF, 0); /* no second copy of the key */
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	good = hex_parse(text, key) && (text[DIGITS] == '\0' || strcmp(text + DIGITS, "\n") == 0 ||
	                                   strcmp(text + DIGITS, "\r\n") == 0);
	if (!good)
		fprintf(errors, "%s: got something else, want 32 hexadecimal digits\n", path);
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static bool keys_read(struct esf_sealing *sealing, const struct esf_scenario *scenario,
    const char *path, FILE *errors)
{
	char file[PATH_SIZE];
	bool good = true;

	if (!sealing->per_site)
		return key_read(path, sealing->keys[0], errors);
	for (uint32_t i = 0; i < sealing->keys_count; i++) {
		snprintf(file, sizeof(file), "%s/%s.key", path, scenario->sites[i].name);
		good = key_read(file, sealing->keys[i], errors) && good;
	}
	return good;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

struct esf_sealing *esf_sealing_create(
    const struct esf_scenario *scenario, const char *path, uint16_t key_id, FILE *errors)
{
	struct esf_sealing *sealing = calloc(1, sizeof(*sealing));

	if (!sealing) {
		fprintf(errors, "out of memory\n");
		return NULL;
	}
	sealing->key_id = key_id;
	sealing->per_site = is_folder(path);
	sealing->keys_count = sealing->per_site ? scenario->sites_count : 1;
	sealing->keys = calloc(sealing->keys_count, sizeof(*sealing->keys));
	sealing->context = EVP_CIPHER_CTX_new();
	if (!sealing->keys || !sealing->context)
		fprintf(errors, "out of memory for %u keys\n", sealing->keys_count);
	else if (keys_read(sealing, scenario, path, errors))
		return sealing;
	esf_sealing_destroy(sealing);
	return NULL;
}

void esf_sealing_destroy(struct esf_sealing *sealing)
{
	if (!sealing)
		return;
	EVP_CIPHER_CTX_free(sealing->context);
	if (sealing->keys)
		OPENSSL_cleanse(sealing->keys, sealing->keys_count * sizeof(*sealing->keys));
	free(sealing->keys);
	free(sealing);
}

static bool encrypt(EVP_CIPHER_CTX *context, const uint8_t *key, uint8_t *datagram, uint32_t size)
{
	const uint8_t *nonce = datagram + ESF_ETD_AT_STREAM;
	uint8_t *records = datagram + ESF_ETD_HEADER_SIZE;
	int records_size = (int)(size - ESF_ETD_HEADER_SIZE), made;

	return EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &made, datagram, ESF_ETD_HEADER_SIZE) == 1 &&
	       (records_size == 0 ||
	           EVP_EncryptUpdate(context, records, &made, records, records_size) == 1) &&
	       EVP_EncryptFinal_ex(context, datagram + size, &made) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
	           context, EVP_CTRL_AEAD_GET_TAG, ESF_ETD_TAG_SIZE, datagram + size) == 1;
}

static bool seal(
    EVP_CIPHER_CTX *context, const uint8_t *key, uint16_t key_id, uint8_t *datagram, uint32_t *size)
{
	datagram[ESF_ETD_AT_FLAGS] |= ESF_ETD_SEALED;
	datagram[ESF_ETD_AT_KEY] = (uint8_t)key_id;
	datagram[ESF_ETD_AT_KEY + 1] = (uint8_t)(key_id >> 8);
	if (!encrypt(context, key, datagram, *size))
		return false;
	*size += ESF_ETD_TAG_SIZE;
	return true;
}

bool esf_sealing_seal(struct esf_sealing *sealing, uint32_t site, uint8_t *datagram, uint32_t *size)
{
	const uint8_t *key = sealing->keys[sealing->per_site ? site : 0];

	return seal(sealing->context, key, sealing->key_id, datagram, size);
}

bool esf_sealing_seal_with(
    const uint8_t key[ESF_SEALING_KEY_SIZE], uint16_t key_id, uint8_t *datagram, uint32_t *size)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool sealed = context && seal(context, key, key_id, datagram, size);

	EVP_CIPHER_CTX_free(context);
	return sealed;
}
