/* What the two halves of the parser share. */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include <stdbool.h>

#include "ast.h"

struct node *new_node(enum node_kind kind);
/* Whether the next token is this reserved word. */
bool at(const char *text);
/* As `at`, and take it. */
bool take_if(const char *text);
/* As `take_if`, or a syntax error. */
void expect(const char *text);
/* A syntax error at the next token; NULL where nothing certain was expected. */
void unexpected(const char *expected);
void skip_newlines(void);
bool is_name(const char *text);

struct node *parse_list(bool *found);
/* What must be there: a list of at least one command. */
struct node *parse_body(const char *expected);
/* NULL if no compound command begins here. */
struct node *parse_compound(void);

#endif
