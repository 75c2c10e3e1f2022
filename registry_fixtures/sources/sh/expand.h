/* Words become fields: expansions, substitutions, splitting, file names, quotes removed. */
#ifndef EXPAND_H
#define EXPAND_H

#include <stdbool.h>

#include "ast.h"
#include "glob.h"

/* Every function may end early with shell.skip set. */

/* The fields of a command's words. */
void expand_words(const struct word *words, struct list *fields);
/* One string: what is assigned, redirected to or compared; to be freed. */
char *expand_string(const struct word *word);
/* A pattern for pattern_matches, in which what is quoted is escaped; to be freed. */
char *expand_pattern(const struct word *word);
/* Whether nothing happens but that it is expanded: no assignment, no command, no error. */
bool expansion_is_pure(const struct word *word);

#endif
