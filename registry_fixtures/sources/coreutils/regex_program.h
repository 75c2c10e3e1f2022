#ifndef REGEX_PROGRAM_H
#define REGEX_PROGRAM_H
/* What a regular expression is compiled to: instructions over characters, for the two matchers. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A symbol is a code point, or a byte that is part of none (INVALID_BYTE + byte), or the end of the line. */
enum { INVALID_BYTE = 0x110000, LINE_END = 0x110100 };

enum assertion {
    AT_START, AT_END, WORD_EDGE, NOT_WORD_EDGE, WORD_START, WORD_END, /* ^ $ \b \B \< \> */
    NO_WORD_BEFORE, NO_WORD_AFTER                                     /* the two ends of grep -w */
};

enum operation { MATCH_SYMBOL, MATCH_SET, MATCH_ANY, MATCH_ASSERTION, MATCH_GROUP, SAVE, SPLIT, JUMP, ACCEPT };

struct instruction {
    enum operation operation;
    uint32_t value; /* the symbol, set, assertion, group or slot */
    int next, other; /* both for SPLIT */
};

struct set_range {
    uint32_t low, high;
};

struct set {
    uint32_t low[8]; /* symbols below 256, as they match in the end */
    struct set_range *ranges;
    size_t range_count;
    uint32_t classes; /* a bit for each class */
    bool negated, fold;
};

struct program {
    struct instruction *code;
    int length;
    struct set *sets;
    int set_count;
    bool has_groups; /* refers to groups: the automaton cannot do it */
    int group_count;
};

enum regex_syntax { BASIC_SYNTAX, EXTENDED_SYNTAX, FIXED_SYNTAX };
enum regex_whole { ANYWHERE, WHOLE_WORD, WHOLE_LINE };

struct regex_options {
    enum regex_syntax syntax;
    enum regex_whole whole;
    bool fold;
};

/* Adds a pattern as one more alternative to the program (whose group numbers then are the last pattern's). Null, or what is
   wrong with the pattern. */
const char *program_add(struct program *program, const char *pattern, size_t length, struct regex_options options);
bool set_holds(const struct set *set, uint32_t symbol);
bool symbol_is_word(uint32_t symbol);
/* Whether the instruction takes the symbol. */
bool instruction_takes(const struct program *program, const struct instruction *instruction, uint32_t symbol);
/* Whether an assertion holds between two symbols (LINE_END on either side). */
bool assertion_holds(enum assertion assertion, bool at_start, bool word_before, bool at_end, bool word_after);
/* The symbol at the beginning of text[0..size), and its length. */
uint32_t next_symbol(const char *text, size_t size, unsigned *length);
#endif
