/* Backslash escapes: see escapes.h. */
#include "escapes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "characters.h"

static int digit_value(int c)
{
    return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

int read_escape(const char **text, bool zero_octal)
{
    static const char letters[] = "abefnrtv\\", bytes[] = "\a\b\033\f\n\r\t\v\\";
    const char *p = *text;
    const char *letter = *p != '\0' ? strchr(letters, *p) : NULL;
    if (letter != NULL) {
        *text = p + 1;
        return (unsigned char)bytes[letter - letters];
    }
    if (*p == 'c') {
        *text = p + 1;
        return ESCAPE_STOP;
    }
    int value = 0, digits = 0;
    if (*p == 'x') {
        for (p++; digits < 2 && isxdigit((unsigned char)*p); digits++)
            value = value * 16 + digit_value((unsigned char)*p++);
        if (digits == 0)
            return ESCAPE_NO_DIGITS;
        *text = p;
        return value;
    }
    if (*p >= '0' && *p <= '7') {
        if (zero_octal && *p == '0')
            p++;
        for (; digits < 3 && *p >= '0' && *p <= '7'; digits++)
            value = value * 8 + (*p++ - '0');
        *text = p;
        return value & 0xff;
    }
    return ESCAPE_UNKNOWN;
}

bool print_escaped(const char *text)
{
    while (*text != '\0') {
        char c = *text++;
        if (c != '\\') {
            putchar(c);
            continue;
        }
        int value = read_escape(&text, true);
        if (value == ESCAPE_STOP)
            return false;
        putchar(value >= 0 ? value : '\\');
    }
    return true;
}

void print_utf8(unsigned long point)
{
    if (point < 0x80) {
        putchar((int)point);
    } else if (!characters_are_utf8()) {
        printf(point < 0x10000 ? "\\u%04lX" : "\\U%08lX", point);
    } else if (point < 0x800) {
        putchar((int)(0xc0 | point >> 6));
        putchar((int)(0x80 | (point & 0x3f)));
    } else {
        if (point < 0x10000) {
            putchar((int)(0xe0 | point >> 12));
        } else {
            putchar((int)(0xf0 | point >> 18));
            putchar((int)(0x80 | (point >> 12 & 0x3f)));
        }
        putchar((int)(0x80 | (point >> 6 & 0x3f)));
        putchar((int)(0x80 | (point & 0x3f)));
    }
}
