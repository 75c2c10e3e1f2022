/* Where cp, mv and ln put things: the last operand, -t DIRECTORY or -T. */
#ifndef TARGET_OPERANDS_H
#define TARGET_OPERANDS_H
#include <stdbool.h>

#include "option_scan.h"

struct target {
    const char *directory;   /* of -t, or the last operand when it is a directory; else NULL */
    const char *file;        /* the one target, when there is no directory */
    char **sources;
    int source_count;
    bool exact;              /* -T was given */
};

/* Fills target.sources and the rest; target.directory and exact come from the options. Ends the program on misuse.
   keep_links: a symbolic link to a directory, as last operand, is not that directory (ln -n). */
void target_read(struct target *target, const struct option_scan *scan, bool keep_links);
/* Where this source goes: a string to free. */
char *target_path(const struct target *target, const char *source);
#endif
