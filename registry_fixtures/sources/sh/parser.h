/* From tokens to commands. */
#ifndef PARSER_H
#define PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "ast.h"
#include "memory.h"

enum parsed { PARSED_COMMAND, PARSED_NOTHING, PARSED_END, PARSED_ERROR };

/* Parse the next complete command of the input into `node`, which lives in the arena. */
enum parsed parse_command(struct arena *arena, struct node **node);

/* The commands of `$(`, up to their `)`; NULL for none. */
struct node *parse_substitution(void);
/* The commands of a text: what stood in backquotes. */
struct node *parse_substitution_text(const char *text, size_t length, int line);

#endif
