/* Copying a file or a tree as `cp` does, and as `mv` does between file systems. */
#ifndef COPY_TREE_H
#define COPY_TREE_H
#include <stdbool.h>

enum copy_links { COPY_LINKS_DEFAULT, COPY_NO_FOLLOW, COPY_FOLLOW_OPERANDS, COPY_FOLLOW_ALL };
enum copy_clobber { COPY_CLOBBER, COPY_NO_CLOBBER, COPY_ASK };

struct copying {
    bool recursive, preserve, keep_hard_links, update, verbose, force, remove_first, hard_link, symbolic_link, attributes_only;
    bool moving; /* for a move: other words in messages */
    bool exact_target;
    enum copy_links links;
    enum copy_clobber clobber;
};

/* Copies source to target itself (never into it). False after a message. */
bool copy_tree(const char *source, const char *target, const struct copying *how);
#endif
