/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_SUITES_H
#define ESF_TESTS_SUITES_H

/*
 * Every CUnit suite, in the order they run. Each tests/test_NAME.c defines `void esf_suite_NAME(void)`, which
 * registers its suite with CU_add_suite and its tests with CU_add_test (a test's name says the behaviour).
 */
#define ESF_SUITES(X)                                                                              \
	X(checksum)                                                                                \
	X(frame)                                                                                   \
	X(frame_short)                                                                             \
	X(neighbour)                                                                               \
	X(etd)                                                                                     \
	X(seal)                                                                                    \
	X(influx)                                                                                  \
	X(influx_known)                                                                            \
	X(statsd)                                                                                  \
	X(statsd_known)                                                                            \
	X(syslog)                                                                                  \
	X(signatures)                                                                              \
	X(patterns_cache)                                                                          \
	X(expression)                                                                              \
	X(derive)                                                                                  \
	X(events)                                                                                  \
	X(dedup)                                                                                   \
	X(learned)                                                                                   \
	X(storm)                                                                                   \
	X(fingerprint)                                                                             \
	X(lines)                                                                                   \
	X(names)                                                                                   \
	X(counter)                                                                                 \
	X(window)                                                                                  \
	X(admit)                                                                                   \
	X(modes)                                                                                   \
	X(pool)                                                                                    \
	X(directory)                                                                               \
	X(shard)                                                                                   \
	X(take_short)                                                                              \
	X(sealed)                                                                                  \
	X(text)                                                                                    \
	X(ahead)                                                                                   \
	X(skew)                                                                                    \
	X(unmapped)                                                                                \
	X(message)                                                                                 \
	X(event_log)                                                                               \
	X(steer)                                                                                   \
	X(shedding)                                                                                \
	X(publication)                                                                             \
	X(state)                                                                                   \
	X(remember)                                                                                \
	X(publish)                                                                                 \
	X(swap)                                                                                    \
	X(handover)                                                                                \
	X(storm_ring)                                                                              \
	X(nodes)                                                                                   \
	X(clock)                                                                                   \
	X(config)                                                                                  \
	X(csv)                                                                                  \
	X(inventory)                                                                                  \
	X(keyfile)                                                                                 \
	X(domain)                                                                                  \
	X(change)                                                                                  \
	X(difference)                                                                                  \
	X(slots)                                                                                  \
	X(watch)                                                                                  \
	X(policy)                                                                                  \
	X(rollup)                                                                                  \
	X(history)                                                                         \
	X(history_queue)                                                                   \
	X(export_line)                                                                     \
	X(spool)                                                                           \
	X(exports)                                                                         \
	X(interval)                                                                        \
	X(peers)                                                                           \
	X(baseline)                                                                        \
	X(compare)                                                                         \
	X(roster)                                                                                  \
	X(maintenance)                                                                     \
	X(health)                                                                                  \
	X(document)                                                                                \
	X(request)                                                                                 \
	X(listing)                                                                                 \
	X(podium)                                                                          \
	X(table)                                                                                   \
	X(waits)                                                                                   \
	X(scenario)                                                                                \
	X(encode)

#define X(name) void esf_suite_##name(void);
ESF_SUITES(X)
#undef X

#endif
