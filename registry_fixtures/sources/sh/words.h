/* Reads words: quotes, expansions and substitutions become parts. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "ast.h"

/* A word up to the next blank or operator. */
struct word *read_word(void);
/* A text in which nothing is expanded. */
struct word *quoted_word(const char *text, size_t length);
/* A text that is expanded as the body of a here-document. */
struct word *here_word(const char *text, size_t length, int line);
/* The word behind `name=` of an assignment: the same parts without the name. NULL if it is no assignment. */
struct word *assigned_value(struct word *word, char **name);
/* The next character; a backslash with its line feed is nothing. */
int read_joined(void);

#endif
