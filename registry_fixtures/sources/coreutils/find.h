/* What the parts of find share: its expression, its settings, and what evaluates and prints. */
#ifndef FIND_H
#define FIND_H
#include <stdbool.h>
#include <time.h>

#include "tree_walk.h"

struct find_term;
typedef bool find_test(const struct find_term *term, struct walk_node *node);

enum find_comparison { FIND_EQUAL, FIND_MORE, FIND_LESS };
enum find_clock { FIND_MODIFIED, FIND_ACCESSED, FIND_CHANGED };

/* A test, an action, or an operator over other terms. */
struct find_term {
    find_test *run;
    struct find_term **terms; /* of and, or, not, and the comma */
    size_t count;
    const char *text;         /* a pattern, a format, types */
    double number;
    long unit;
    enum find_comparison comparison;
    enum find_clock clock;
    struct timespec time;
    struct stat status;
    unsigned mode;
    bool fold_case;
};

struct find_settings {
    int minimum_depth, maximum_depth; /* maximum -1: none */
    bool depth_first, same_device, acts, failed, prune, quit;
    enum walk_links links;
    struct timespec now;
    dev_t device;
    bool has_device;
};
extern struct find_settings find;

/* Parses argv[first...argc-1]. Ends the program with GNU's message on a wrong expression. */
struct find_term *find_parse(int argc, char **argv, int first);
/* Fills a test or an action named word, taking its arguments from argv at *next. False if there is none of that name. */
bool find_primary(struct find_term *term, const char *word, int argc, char **argv, int *next);

static inline bool find_evaluate(const struct find_term *term, struct walk_node *node) { return term->run(term, node); }
struct timespec find_time_of(const struct stat *status, enum find_clock clock);

find_test find_print, find_print0, find_printf, find_ls, find_delete;
find_test find_name, find_path, find_link_name, find_type, find_target_type, find_size, find_newer, find_age, find_empty;
find_test find_links, find_inode, find_same_file, find_permissions, find_owner, find_readable, find_writable, find_executable;
/* The letter of an entry's type: f, d, l, ...; U when it is not known. */
char find_type_letter(unsigned char type);
#endif
