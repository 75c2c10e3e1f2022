#ifndef REGEX_GROUPS_H
#define REGEX_GROUPS_H
/* Matching with back references: all ways are tried, but none twice, so that time stays polynomial. */
#include "regex_program.h"

/* The end of the longest match that starts at `start`; false when none does. */
bool groups_match(const struct program *program, const char *line, size_t length, size_t start, bool fold, size_t *end);
#endif
