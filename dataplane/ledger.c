/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

static void add_counts(uint64_t *into, const uint64_t *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		into[i] += from[i];
}

static uint64_t sum_counts(const uint64_t *counts, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += counts[i];
	return sum;
}

void esf_ledger_add(struct esf_ledger *into, const struct esf_ledger *from)
{
	into->datagrams_received += from->datagrams_received;
	into->datagrams_handed += from->datagrams_handed;
	into->datagrams_taken += from->datagrams_taken;
	into->records_received += from->records_received;
	add_counts(into->datagrams, from->datagrams, ESF_DATAGRAM_VERDICTS_COUNT);
	add_counts(into->records, from->records, ESF_RECORD_VERDICTS_COUNT);
	add_counts(into->shed, from->shed, ESF_SHED_CLASSES);
	into->forgotten += from->forgotten;
}

bool esf_ledger_balances(const struct esf_ledger *ledger)
{
	uint64_t datagrams = sum_counts(ledger->datagrams, ESF_DATAGRAM_VERDICTS_COUNT);
	uint64_t records = sum_counts(ledger->records, ESF_RECORD_VERDICTS_COUNT);

	return ledger->datagrams_received + ledger->datagrams_taken ==
	           datagrams + ledger->datagrams_handed &&
	       ledger->records_received == records;
}
