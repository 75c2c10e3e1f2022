#ifndef REGEX_SETS_H
#define REGEX_SETS_H
/* The character classes, and the end of building a set. */
#include <wctype.h>

#include "regex_program.h"

struct set_class {
    const char *name;
    int (*holds)(wint_t);
};

extern const struct set_class set_classes[]; /* the last has no name */
/* Computes the part of the set that is looked up; when all else of it is set. */
void set_finish(struct set *set);
#endif
