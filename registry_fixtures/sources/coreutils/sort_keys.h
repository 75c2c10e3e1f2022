#ifndef SORT_KEYS_H
#define SORT_KEYS_H
/* What sort compares: keys, and the ways of comparing them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum order { BY_BYTES, BY_NUMBER, BY_GENERAL_NUMBER, BY_HUMAN_NUMBER, BY_MONTH, BY_VERSION, BY_RANDOM };

struct key {
    size_t start_field, start_char; /* from 0 */
    size_t end_field, end_char;     /* end_char 0: the end of the field before end_field; SIZE_MAX fields: the line's end */
    enum order order;
    bool reverse, fold, dictionary, printing, start_blanks, end_blanks;
    bool has_options;
    char orders[8]; /* the letters of all the orders that were asked for: just one may be */
};

struct line {
    const char *text;
    size_t length;   /* without the delimiter */
    uint64_t prefix; /* orders lines as the first key does, except that equal ones must be compared in full */
};

extern struct key *keys;
extern size_t key_count;
extern int field_separator; /* -1: from a non-blank to a blank */
extern bool last_resort, reverse_all;

void key_find(const struct key *key, const struct line *line, const char **text, size_t *length);
int key_compare(const struct key *key, const char *a, size_t a_length, const char *b, size_t b_length);
uint64_t key_prefix(const struct line *line);
/* By all keys, and at last by all bytes if that is wanted. */
int line_compare(const struct line *a, const struct line *b);
#endif
