/* Sizes for people: 1.5K, 23M. */
#include "human_size.h"

#include <stdio.h>

void human_size(unsigned long long bytes, unsigned base, char text[24]) {
    if (bytes < base) {
        sprintf(text, "%llu", bytes);
        return;
    }
    const char *unit = base == 1000 ? "kMGTPE" : "KMGTPE";
    unsigned long long power = base;
    while (bytes / power >= base && unit[1]) power *= base, unit++;
    /* Rounded up, so that nothing looks smaller than it is. */
    unsigned long long whole = bytes / power, rest = bytes % power;
    unsigned long long tenths = rest ? (unsigned long long)(((long double)rest * 10 + power - 1) / power) : 0;
    if (tenths == 10) whole++, tenths = 0;
    if (whole >= 10 && tenths) whole++, tenths = 0;
    if (whole >= base && unit[1]) whole = 1, tenths = 0, unit++;
    if (whole < 10) sprintf(text, "%llu.%llu%c", whole, tenths, *unit);
    else sprintf(text, "%llu%c", whole, *unit);
}
