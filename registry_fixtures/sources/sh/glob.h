/* File names that match a pattern. */
#ifndef GLOB_H
#define GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Strings, each allocated by itself; behind the last one is a NULL. */
struct list {
    char **items;
    size_t count, room;
};

void list_add(struct list *list, char *item);
void list_free(struct list *list);

/* Add the names that match, in order; whether there are any. */
bool glob_names(const char *pattern, struct list *names);

#endif
