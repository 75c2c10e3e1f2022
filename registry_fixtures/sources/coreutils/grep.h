#ifndef GREP_H
#define GREP_H
/* What grep was asked, and the search of one file. */
#include <stdint.h>

#include "reader.h"
#include "regex.h"

enum binary_files { BINARY_MATCHES, BINARY_AS_TEXT, BINARY_SKIPPED };

struct grep_request {
    struct regex *regex;
    bool invert, count, list_matching, list_other, only_matching, quiet, line_numbers, byte_offsets, with_name;
    bool null_names, initial_tab, no_messages, colored, line_buffered;
    uint64_t most, before, after; /* lines to select, and lines of context */
    enum binary_files binary;
    char delimiter;
    const char *group_separator; /* null: none */
};

/* Searches what the descriptor holds, printing as was asked; how many lines were selected, or -1 with errno. */
int64_t grep_search(const struct grep_request *request, int fd, const char *name);
#endif
