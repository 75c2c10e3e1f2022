/* Patterns: `*`, `?`, brackets and backslashes, over bytes. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>

bool pattern_matches(const char *pattern, const char *text);
/* As pattern_matches for the text's first `length` bytes. */
bool pattern_matches_prefix(const char *pattern, const char *text, size_t length);
/* Whether it can match anything but itself. */
bool pattern_is_magic(const char *pattern);
/* Take the backslashes away, in place. */
char *pattern_unescape(char *pattern);

#endif
