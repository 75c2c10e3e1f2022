/* Removing files and trees, with rm's questions and messages. */
#ifndef REMOVE_TREE_H
#define REMOVE_TREE_H
#include <stdbool.h>

struct removal {
    bool recursive, force, ask, verbose, directories;
};
/* Removes path; false after a message. */
bool remove_tree(const char *path, const struct removal *how);
#endif
