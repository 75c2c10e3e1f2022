/* printf. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "escapes.h"
#include "memory.h"
#include "shell.h"

struct arguments {
    char **next, **end;
    int status;
};

static const char *take(struct arguments *arguments) {
    return arguments->next < arguments->end ? *arguments->next++ : NULL;
}

static void check(struct arguments *arguments, const char *text, const char *end) {
    if (end == text || *end) {
        warn(end == text ? "%s: expected numeric value" : "%s: not completely converted", text);
        arguments->status = 1;
    } else if (errno == ERANGE) {
        warn("%s: Result too large", text);
        arguments->status = 1;
    }
}

static intmax_t take_number(struct arguments *arguments, bool is_signed) {
    const char *text = take(arguments);
    if (!text) {
        return 0;
    }
    if (*text == '"' || *text == '\'') {
        return (unsigned char)text[1];
    }
    char *end;
    errno = 0;
    intmax_t value = is_signed ? strtoimax(text, &end, 0) : (intmax_t)strtoumax(text, &end, 0);
    check(arguments, text, end);
    return value;
}

static double take_real(struct arguments *arguments) {
    const char *text = take(arguments);
    if (!text) {
        return 0;
    }
    if (*text == '"' || *text == '\'') {
        return (unsigned char)text[1];
    }
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    check(arguments, text, end);
    return value;
}

/* Text within a width and a precision: it may hold NULs. */
static void add_padded(const char *bytes, size_t length, int width, int precision) {
    if (precision >= 0 && length > (size_t)precision) {
        length = (size_t)precision;
    }
    size_t room = (size_t)abs(width), padding = room > length ? room - length : 0;
    for (size_t at = 0; width > 0 && at < padding; at++) {
        text_add(&output, ' ');
    }
    text_add_bytes(&output, bytes, length);
    for (size_t at = 0; width < 0 && at < padding; at++) {
        text_add(&output, ' ');
    }
}

static int read_count(const char **at, struct arguments *arguments) {
    if (**at == '*') {
        ++*at;
        return (int)take_number(arguments, true);
    }
    long value = 0;
    while (**at >= '0' && **at <= '9') {
        value = value < 1000000 ? value * 10 + (*(*at)++ - '0') : (++*at, value);
    }
    return (int)value;
}

static void add_number(const char *format, int width, int precision, intmax_t value) {
    char *text = NULL;
    int length = asprintf(&text, format, width, precision, value);
    if (length > 0) {
        text_add_bytes(&output, text, (size_t)length);
    }
    free(text);
}

/* One conversion, `at` behind its percent sign; NULL when all output ends. */
static const char *convert(const char *at, struct arguments *arguments) {
    char flags[8] = "", format[32];
    size_t count = 0;
    while (*at && strchr("-+ #0", *at)) {
        if (count < sizeof flags - 1 && !strchr(flags, *at)) {
            flags[count++] = *at;
            flags[count] = '\0';
        }
        at++;
    }
    int width = read_count(&at, arguments), precision = -1;
    if (*at == '.') {
        at++;
        precision = read_count(&at, arguments);
    }
    if (strchr(flags, '-') && width > 0) {
        width = -width;
    }
    char kind = *at;
    switch (kind) {
        case 'd':
        case 'i':
            snprintf(format, sizeof format, "%%%s*.*jd", flags);
            add_number(format, width, precision, take_number(arguments, true));
            break;
        case 'o':
        case 'u':
        case 'x':
        case 'X':
            snprintf(format, sizeof format, "%%%s*.*j%c", flags, kind);
            add_number(format, width, precision, take_number(arguments, false));
            break;
        case 'a':
        case 'A':
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G': {
            snprintf(format, sizeof format, "%%%s*.*%c", flags, kind);
            char *text = NULL;
            int length = asprintf(&text, format, width, precision, take_real(arguments));
            if (length > 0) {
                text_add_bytes(&output, text, (size_t)length);
            }
            free(text);
            break;
        }
        case 'c': {
            const char *text = take(arguments);
            add_padded(text ? text : "", text && *text ? 1 : 0, width, -1);
            break;
        }
        case 's': {
            const char *text = take(arguments);
            add_padded(text ? text : "", text ? strlen(text) : 0, width, precision);
            break;
        }
        case 'b': {
            struct text text = {0};
            const char *escaped = take(arguments);
            bool goes_on = add_escaped(&text, escaped ? escaped : "");
            add_padded(text_end(&text), text.length, width, precision);
            text_free(&text);
            if (!goes_on) {
                return NULL;
            }
            break;
        }
        default:
            fail("%%%.*s: invalid directive", 1, at);
            shell.skip = SKIP_NONE;
            arguments->status = STATUS_ERROR;
            return NULL;
    }
    return at + 1;
}

int builtin_printf(int count, char **words) {
    int first = count > 1 && strcmp(words[1], "--") == 0 ? 2 : 1;
    if (first >= count) {
        fail("usage: printf format [arg ...]");
        return STATUS_ERROR;
    }
    struct arguments arguments = {words + first + 1, words + count, 0};
    char **before;
    do {
        before = arguments.next;
        for (const char *at = words[first]; *at;) {
            if (*at == '\\') {
                if (at[1] == 'c') {
                    return arguments.status;
                }
                at = add_format_escape(&output, at);
            } else if (*at == '%' && at[1] == '%') {
                text_add(&output, '%');
                at += 2;
            } else if (*at == '%') {
                at = convert(at + 1, &arguments);
                if (!at) {
                    return arguments.status;
                }
            } else {
                text_add(&output, *at++);
            }
        }
    } while (arguments.next > before && arguments.next < arguments.end);
    return arguments.status;
}
