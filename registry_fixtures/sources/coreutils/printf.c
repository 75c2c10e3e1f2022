/* printf: arguments in a format, which is used again while arguments are left. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "characters.h"
#include "escapes.h"
#include "options.h"

const char printf_help[] =
    "Usage: printf FORMAT [ARGUMENT]...\n"
    "  or:  printf OPTION\n"
    "Print ARGUMENT(s) according to FORMAT.\n\n"
    "FORMAT controls the output as in C printf. Interpreted sequences are:\n"
    "  \\\" \\\\ \\a \\b \\c \\e \\f \\n \\r \\t \\v, \\NNN octal, \\xHH hexadecimal,\n"
    "  \\uHHHH and \\UHHHHHHHH Unicode, %% a single %,\n"
    "  %b ARGUMENT with '\\' escapes interpreted (octal as \\0NNN), %q ARGUMENT quoted for a shell,\n"
    "  and all C format specifications ending with one of diouxXfeEgGcsaA.\n";

static int status;
static char **arguments;
static int argument_count, next_argument;

static const char *take_argument(void)
{
    return next_argument < argument_count ? arguments[next_argument++] : NULL;
}

static void check_number(const char *text, const char *end)
{
    if (errno == ERANGE) {
        applet_warnx("%s: Numerical result out of range", quote_word(text));
        status = 1;
    } else if (*end != '\0') {
        applet_warnx(end == text ? "%s: expected a numeric value" : "%s: value not completely converted", quote_word(text));
        status = 1;
    }
}

/* 'c and "c are the number of the character. */
static bool character_argument(const char *text, uintmax_t *value)
{
    if (*text != '\'' && *text != '"')
        return false;
    *value = 0;
    if (text[1] == '\0') {
        applet_warnx("%s: expected a numeric value", quote_word(text));
        status = 1;
        return true;
    }
    struct character c = next_character(text + 1, strlen(text + 1));
    *value = c.point;
    if (text[1 + c.length] != '\0')
        applet_warnx("warning: %s: character(s) following character constant have been ignored", text + 1 + c.length);
    return true;
}

static uintmax_t integer_argument(const char *text, bool is_signed)
{
    uintmax_t value = 0;
    char *end;
    if (text == NULL || character_argument(text, &value))
        return value;
    errno = 0;
    value = is_signed ? (uintmax_t)strtoimax(text, &end, 0) : strtoumax(text, &end, 0);
    check_number(text, end);
    return value;
}

static long double floating_argument(const char *text)
{
    uintmax_t value;
    char *end;
    if (text == NULL)
        return 0;
    if (character_argument(text, &value))
        return value;
    errno = 0;
    long double number = strtold(text, &end);
    check_number(text, end);
    return number;
}

static void print_unicode(const char **text, int digits)
{
    unsigned long point = 0;
    const char *p = *text;
    for (int i = 0; i < digits; i++, p++) {
        if (!isxdigit((unsigned char)*p))
            applet_diex(1, "missing hexadecimal number in escape");
        point = point * 16 + (unsigned long)(isdigit((unsigned char)*p) ? *p - '0' : tolower((unsigned char)*p) - 'a' + 10);
    }
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        applet_diex(1, "invalid universal character name \\%c%0*lx", digits == 4 ? 'u' : 'U', digits, point);
    print_utf8(point);
    *text = p;
}

/* One escape of the format, behind its backslash; false after `\c`. */
static bool print_format_escape(const char **text)
{
    if (**text == '"') {
        putchar(*(*text)++);
        return true;
    }
    if (**text == 'u' || **text == 'U') {
        int digits = *(*text)++ == 'u' ? 4 : 8;
        print_unicode(text, digits);
        return true;
    }
    int value = read_escape(text, false);
    if (value == ESCAPE_STOP)
        return false;
    if (value == ESCAPE_NO_DIGITS)
        applet_diex(1, "missing hexadecimal number in escape");
    putchar(value >= 0 ? value : '\\');
    if (value == ESCAPE_UNKNOWN && **text != '\0')
        putchar(*(*text)++);
    return true;
}

/* %b: as the escapes of echo, but with \NNN and \u too. */
static bool print_b(const char *text)
{
    while (*text != '\0') {
        if (*text != '\\') {
            putchar(*text++);
            continue;
        }
        text++;
        if (*text == '"') {
            putchar(*text++);
            continue;
        }
        if (*text == 'u' || *text == 'U') {
            int digits = *text++ == 'u' ? 4 : 8;
            print_unicode(&text, digits);
            continue;
        }
        int value = read_escape(&text, true);
        if (value == ESCAPE_STOP)
            return false;
        if (value == ESCAPE_NO_DIGITS)
            applet_diex(1, "missing hexadecimal number in escape");
        putchar(value >= 0 ? value : '\\');
    }
    return true;
}

/* The flags, width and precision of one directive, then its conversion; false after `\c` in a %b. */
static bool print_directive(const char **format)
{
    const char *start = *format, *p = start;
    char spec[64] = "%";
    size_t length = 1;
    int stars[2], star_count = 0;
    bool bare = true; /* nothing between the % and the conversion: %b and %q take no more */
    char refused[32] = "";
    for (; *p != '\0' && strchr("-+ #0'", *p) != NULL; p++, bare = false) {
        strncat(refused, *p == '\'' ? "aAceEosxX" : *p == '#' ? "cdisu" : *p == '0' ? "cs" : "", sizeof refused - strlen(refused) - 1);
        if (*p != '\'' && strchr(spec + 1, *p) == NULL)
            spec[length++] = *p;
    }
    for (int part = 0; part < 2; part++) {
        if (part == 1) {
            if (*p != '.')
                break;
            spec[length++] = *p++;
            bare = false;
            strncat(refused, "c", sizeof refused - strlen(refused) - 1);
        }
        if (*p == '*') {
            bare = false;
            const char *text = take_argument();
            intmax_t value = text != NULL ? (intmax_t)integer_argument(text, true) : 0;
            if (value > 0x7fffffff || value < -0x7fffffff)
                applet_diex(1, "invalid %s: %s", part ? "precision" : "field width", quote_word(text));
            stars[star_count++] = (int)value;
            spec[length++] = *p++;
        } else {
            size_t digits = strspn(p, "0123456789");
            if (digits > 9)
                applet_diex(1, "%.*s: invalid conversion specification", (int)(p + digits - start + 1), start - 1);
            bare &= digits == 0;
            memcpy(spec + length, p, digits);
            length += digits;
            p += digits;
        }
    }
    p += strspn(p, "hljztL");
    char conversion = *p;
    if (conversion == '\0' || strchr("diouxXfFeEgGaAcsbq", conversion) == NULL ||
        strchr(refused, conversion) != NULL || ((conversion == 'b' || conversion == 'q') && !bare))
        applet_diex(1, "%.*s: invalid conversion specification", (int)(p - start + (conversion != '\0') + 1), start - 1);
    *format = p + 1;
    const char *text = take_argument();
#define PRINT(value)                                                  \
    (star_count == 2 ? printf(spec, stars[0], stars[1], value)        \
                     : star_count == 1 ? printf(spec, stars[0], value) \
                                       : printf(spec, value))
    switch (conversion) {
    case 'b':
        return text == NULL || print_b(text);
    case 'q':
        fputs(text == NULL ? "''" : quote_name_if_needed(text), stdout);
        break;
    case 'c':
        strcpy(spec + length, "c");
        PRINT(text != NULL ? (unsigned char)*text : 0);
        break;
    case 's':
        strcpy(spec + length, "s");
        PRINT(text != NULL ? text : "");
        break;
    case 'd':
    case 'i':
        snprintf(spec + length, sizeof spec - length, "j%c", conversion);
        PRINT((intmax_t)integer_argument(text, true));
        break;
    case 'o':
    case 'u':
    case 'x':
    case 'X':
        snprintf(spec + length, sizeof spec - length, "j%c", conversion);
        PRINT(integer_argument(text, false));
        break;
    default:
        snprintf(spec + length, sizeof spec - length, "L%c", conversion);
        PRINT(floating_argument(text));
    }
    return true;
}

int printf_main(int argc, char **argv)
{
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "--") == 0)
        first = 2;
    if (first >= argc) {
        applet_warnx("missing operand");
        applet_try_help();
    }
    arguments = argv + first + 1;
    argument_count = argc - first - 1;
    int used;
    do {
        used = next_argument;
        for (const char *p = argv[first]; *p != '\0';) {
            char c = *p++;
            if (c == '\\') {
                if (!print_format_escape(&p))
                    return status;
            } else if (c != '%') {
                putchar(c);
            } else if (*p == '%') {
                putchar(*p++);
            } else if (!print_directive(&p)) {
                return status;
            }
        }
    } while (next_argument < argument_count && next_argument > used);
    if (next_argument < argument_count)
        applet_warnx("warning: ignoring excess arguments, starting with %s", quote_word(argv[first + 1 + next_argument]));
    return status;
}
