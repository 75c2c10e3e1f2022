#ifndef CHARACTERS_H
#define CHARACTERS_H
/* What a character is: UTF-8, unless LC_ALL, LC_CTYPE or LANG (the first that is set) asks for C or POSIX. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct character {
    uint32_t point;
    unsigned length; /* bytes: 1 for a byte that is no character */
    bool valid;
    bool incomplete; /* not valid, and more bytes could make it so */
};

bool characters_are_utf8(void);
/* The character at the beginning of text[0..size), where size is not 0. */
struct character next_character(const char *text, size_t size);
/* Columns on a terminal: -1 for one that cannot be shown. */
int character_width(uint32_t point);
bool character_is_space(uint32_t point);
#endif
