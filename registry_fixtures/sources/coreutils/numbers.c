/* Reading counts: see numbers.h. */
#include "numbers.h"

#include <ctype.h>
#include <string.h>

static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

bool read_count(const char *text, uint64_t *count)
{
    uint64_t value = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++) {
        value = multiply(value, 10);
        if (__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            value = UINT64_MAX;
    }
    if (p == text && *p == '\0')
        return false;
    if (p == text)
        return false;
    if (*p == 'b' && p[1] == '\0') {
        *count = multiply(value, 512);
        return true;
    }
    static const char powers[] = "KMGTPEZY";
    const char *power = *p != '\0' ? strchr(powers, *p == 'k' ? 'K' : *p == 'm' ? 'M' : *p) : NULL;
    if (power != NULL) {
        p++;
        uint64_t base = 1024;
        if (*p == 'B') {
            base = 1000;
            p++;
        } else if (p[0] == 'i' && p[1] == 'B') {
            p += 2;
        }
        for (const char *step = powers; step <= power; step++)
            value = multiply(value, base);
    }
    *count = value;
    return *p == '\0';
}
