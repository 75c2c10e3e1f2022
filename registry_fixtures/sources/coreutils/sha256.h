#ifndef SHA256_H
#define SHA256_H
/* SHA-256 (FIPS 180-4). */
#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes taken so far */
    unsigned char block[64];
};

void sha256_start(struct sha256 *hash);
void sha256_take(struct sha256 *hash, const void *data, size_t size);
void sha256_finish(struct sha256 *hash, unsigned char digest[32]);
#endif
