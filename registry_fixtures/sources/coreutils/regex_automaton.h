#ifndef REGEX_AUTOMATON_H
#define REGEX_AUTOMATON_H
/* Matching without groups: an automaton whose states are made as the text needs them. Time is linear in the text. */
#include "regex_program.h"

struct automaton;

struct automaton *automaton_new(const struct program *program);
/* Whether anything matches from `from` on, and if so where the match that ends first ends. */
bool automaton_search(struct automaton *automaton, const char *line, size_t length, size_t from, size_t *end);
/* The end of the longest match that starts at `start`; false when none does. */
bool automaton_match(struct automaton *automaton, const char *line, size_t length, size_t start, size_t *end);
#endif
