#include "functions.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

static struct function *functions;

static struct function **find_function(const char *name) {
    struct function **at = &functions;
    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

void function_define(const char *name, struct node *body) {
    struct function **at = find_function(name);
    if (!*at) {
        *at = allocate(sizeof **at);
        **at = (struct function){NULL, copy_string(name), NULL};
    }
    (*at)->body = body;
}

const struct function *function_find(const char *name) {
    return *find_function(name);
}

void function_remove(const char *name) {
    struct function **at = find_function(name), *found = *at;
    if (found) {
        *at = found->next;
        free(found->name);
        free(found);
    }
}
