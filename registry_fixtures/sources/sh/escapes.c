#include "escapes.h"

#include <string.h>

/* Up to `most` octal digits, as a character. */
static const char *octal(const char *at, int most, char *c) {
    unsigned value = 0;
    while (most-- > 0 && *at >= '0' && *at <= '7') {
        value = value * 8 + (unsigned)(*at++ - '0');
    }
    *c = (char)value;
    return at;
}

static bool letter(char c, char *meaning) {
    static const char letters[] = "abfnrtv\\", meanings[] = "\a\b\f\n\r\t\v\\";
    const char *found = c ? strchr(letters, c) : NULL;
    if (found) {
        *meaning = meanings[found - letters];
    }
    return found != NULL;
}

bool add_escaped(struct text *to, const char *text) {
    while (*text) {
        if (*text != '\\') {
            text_add(to, *text++);
            continue;
        }
        char c;
        text++;
        if (*text == 'c') {
            return false;
        }
        if (letter(*text, &c)) {
            text++;
        } else if (*text >= '0' && *text <= '7') {
            text = *text == '0' ? octal(text + 1, 3, &c) : octal(text, 3, &c);
        } else {
            c = '\\';
        }
        text_add(to, c);
    }
    return true;
}

const char *add_format_escape(struct text *to, const char *at) {
    char c = '\\';
    at++;
    if (letter(*at, &c)) {
        at++;
    } else if (*at >= '0' && *at <= '7') {
        at = octal(at, 3, &c);
    }
    text_add(to, c);
    return at;
}
