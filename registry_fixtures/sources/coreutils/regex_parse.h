#ifndef REGEX_PARSE_H
#define REGEX_PARSE_H
/* A regular expression as a tree, between reading it and compiling it. */
#include "regex_program.h"

enum node_kind { EMPTY, SYMBOL, SET, ANY, ASSERTION, REFERENCE, GROUP, THEN, OR, REPEAT };

struct node {
    enum node_kind kind;
    uint32_t value;
    struct node *left, *right;
    int least, most; /* of REPEAT; most -1: any number */
};

struct parsed {
    struct node *root;
    struct node *blocks; /* all nodes, to free: each block's first node leads on by its left */
    int groups;
    const char *error;
};

/* Reads a pattern; its sets go into the program. */
struct parsed regex_parse(struct program *program, const char *pattern, size_t length, struct regex_options options);
void parsed_free(struct parsed *parsed);
#endif
