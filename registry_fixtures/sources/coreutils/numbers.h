#ifndef NUMBERS_H
#define NUMBERS_H
/* Counts as people write them on a command line. */
#include <stdbool.h>
#include <stdint.h>

/* Reads "10", "4k", "2MB", "1GiB", "1b" (512); too large becomes UINT64_MAX. False when it is no such number. */
bool read_count(const char *text, uint64_t *count);
#endif
