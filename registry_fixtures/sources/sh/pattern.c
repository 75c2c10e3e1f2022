#include "pattern.h"

#include <ctype.h>
#include <string.h>

struct named_class {
    const char *name;
    int (*holds)(int);
};

static const struct named_class classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
    {"lower", islower}, {"print", isprint}, {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* `[:name:]` at `*at`: moves behind it, and says whether `c` is of that class. */
static bool match_class(const char **at, unsigned char c, bool *found) {
    for (size_t index = 0; index < sizeof classes / sizeof *classes; index++) {
        size_t length = strlen(classes[index].name);
        if (strncmp(*at + 2, classes[index].name, length) == 0 && strncmp(*at + 2 + length, ":]", 2) == 0) {
            *at += length + 4;
            *found |= c < 128 && classes[index].holds(c);
            return true;
        }
    }
    return false;
}

/* Where a bracket expression ends: behind its `]`; NULL if it never does. Whether `c` is in it goes to `found`. */
static const char *match_bracket(const char *at, unsigned char c, bool *found) {
    bool negated = *at == '!' || *at == '^', any = false;
    at += negated;
    for (bool first = true; *at; first = false) {
        if (*at == ']' && !first) {
            *found = any != negated;
            return at + 1;
        }
        if (at[0] == '[' && at[1] == ':' && match_class(&at, c, &any)) {
            continue;
        }
        if (*at == '\\' && at[1]) {
            at++;
        }
        unsigned char low = (unsigned char)*at++, high = low;
        if (at[0] == '-' && at[1] && at[1] != ']') {
            at++;
            if (*at == '\\' && at[1]) {
                at++;
            }
            high = (unsigned char)*at++;
        }
        any |= low <= c && c <= high;
    }
    return NULL;
}

bool pattern_matches_prefix(const char *pattern, const char *text, size_t length) {
    const char *end = text + length;
    /* Where to go on after a mismatch: behind the last star, one character further. */
    const char *star = NULL, *star_text = NULL;
    for (;;) {
        bool matches = false;
        const char *next = pattern + 1;
        if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
            continue;
        }
        if (text == end) {
            if (!*pattern) {
                return true;
            }
            return false;
        }
        switch (*pattern) {
            case '\0': break;
            case '?': matches = true; break;
            case '[': {
                const char *behind = match_bracket(pattern + 1, (unsigned char)*text, &matches);
                if (behind) {
                    next = behind;
                } else {
                    matches = *text == '[';
                }
                break;
            }
            case '\\':
                if (pattern[1]) {
                    next = pattern + 2;
                    matches = pattern[1] == *text;
                    break;
                }
                matches = *text == '\\';
                break;
            default: matches = *pattern == *text;
        }
        if (matches) {
            pattern = next;
            text++;
        } else if (star) {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
}

bool pattern_matches(const char *pattern, const char *text) {
    return pattern_matches_prefix(pattern, text, strlen(text));
}

bool pattern_is_magic(const char *pattern) {
    for (; *pattern; pattern++) {
        if (*pattern == '\\' && pattern[1]) {
            pattern++;
        } else if (*pattern == '*' || *pattern == '?' || (*pattern == '[' && strchr(pattern, ']'))) {
            return true;
        }
    }
    return false;
}

char *pattern_unescape(char *pattern) {
    char *to = pattern;
    for (const char *from = pattern; *from; from++) {
        if (*from == '\\' && from[1]) {
            from++;
        }
        *to++ = *from;
    }
    *to = '\0';
    return pattern;
}
