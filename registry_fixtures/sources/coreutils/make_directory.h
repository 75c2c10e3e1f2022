/* Directories with their parents. */
#ifndef MAKE_DIRECTORY_H
#define MAKE_DIRECTORY_H
#include <stdbool.h>

/* Makes the missing parents of path, not path itself; says so when verbose. False after a message. */
bool make_parents(const char *path, bool verbose);
#endif
