/* The functions that scripts define. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "ast.h"

struct function {
    struct function *next;
    char *name;
    struct node *body;
};

void function_define(const char *name, struct node *body);
/* NULL if there is none. */
const struct function *function_find(const char *name);
void function_remove(const char *name);

#endif
