#ifndef REGEX_H
#define REGEX_H
/* Regular expressions over lines of any bytes: leftmost, longest. */
#include "regex_program.h"

struct regex;

struct regex *regex_new(struct regex_options options);
/* Adds a pattern; null, or what is wrong with it. */
const char *regex_add(struct regex *regex, const char *pattern, size_t length);
bool regex_search(struct regex *regex, const char *line, size_t length);
/* The first match that starts at `from` or later. */
bool regex_find(struct regex *regex, const char *line, size_t length, size_t from, size_t *start, size_t *end);
#endif
