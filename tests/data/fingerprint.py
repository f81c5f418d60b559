#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_fingerprint.c expects, by the definitions in dataplane/fingerprint.h and in the papers."""
M = (1 << 64) - 1


def rotate(word, count):
    return (word << count | word >> (64 - count)) & M


def sip(key, words, compress, finish, mark):
    """SipHash-c-d's inside over whole words."""
    v = [key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D, key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & M
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & M
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & M
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & M
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    for word in words:
        v[3] ^= word
        rounds(compress)
        v[0] ^= word
    v[2] ^= mark
    rounds(finish)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def expand(secret):
    """Words of the key: SipHash-2-4 of 8 bytes that count."""
    key = [int.from_bytes(secret[at:at + 8], "little") for at in (0, 8)]
    count = 0
    while True:
        yield sip(key, [count, 8 << 56], 2, 4, 0xFF)
        count += 1


def fingerprint(secret, label, text):
    stream = expand(secret)
    key = [next(stream), next(stream)]
    starts = list(range(0, len(text) - 16, 16)) + [max(0, len(text) - 16)]
    total = 0
    for start in starts:
        block = text[start:start + 16].ljust(16, b"\0")
        low, high = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:], "little")
        total += ((low + next(stream)) & M) * ((high + next(stream)) & M)
    return sip(key, [total & M, total >> 64 & M, len(text) << 32 | label], 1, 3, 0xFF)


if __name__ == "__main__":
    SECRET = bytes(range(1, 17))
    for size in (0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 68, 1000, 65507):
        print(f"{{ {size}, UINT64_C(0x{fingerprint(SECRET, 7, bytes((i * 31 + 5) & 255 for i in range(size))):016x}) }},")
