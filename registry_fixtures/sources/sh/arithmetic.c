#include "arithmetic.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lexer.h"
#include "shell.h"
#include "variables.h"

enum { DEEPEST = 200 };

struct reader {
    const char *whole, *at;
    bool failed;
    int depth;
    int skipped;    /* inside what is not evaluated: the other side of && || ?: */
};

struct operator {
    const char *text;
    int level;
};

/* Longest first: the first that fits is meant. */
static const struct operator operators[] = {
    {"<<=", 0}, {">>=", 0}, {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7}, {"<<", 8}, {">>", 8},
    {"+=", 0},  {"-=", 0},  {"*=", 0}, {"/=", 0}, {"%=", 0}, {"&=", 0}, {"|=", 0}, {"^=", 0}, {"|", 3},  {"^", 4},
    {"&", 5},   {"<", 7},   {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}, {"=", 0},
};

static void wrong(struct reader *reader, const char *what) {
    if (!reader->failed) {
        reader->failed = true;
        fail("arithmetic expression: %s: \"%s\"", what, reader->whole);
    }
}

static void skip_blanks(struct reader *reader) {
    while (isspace((unsigned char)*reader->at)) {
        reader->at++;
    }
}

static const struct operator *peek_operator(struct reader *reader) {
    skip_blanks(reader);
    for (size_t index = 0; index < sizeof operators / sizeof *operators; index++) {
        if (strncmp(reader->at, operators[index].text, strlen(operators[index].text)) == 0) {
            return &operators[index];
        }
    }
    return NULL;
}

static long long number_of(struct reader *reader, const char *text, bool whole) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    while (whole && isspace((unsigned char)*end)) {
        end++;
    }
    if (end == text || (whole && *end)) {
        if (!reader->failed) {
            reader->failed = true;
            fail("Illegal number: %s", text);
        }
        return 0;
    }
    if (!whole) {
        reader->at = end;
    }
    return value;
}

static long long apply(struct reader *reader, const char *operator, long long left, long long right) {
    unsigned long long a = (unsigned long long)left, b = (unsigned long long)right;
    switch (*operator) {
        case '+': return (long long)(a + b);
        case '-': return (long long)(a - b);
        case '*': return (long long)(a * b);
        case '^': return left ^ right;
        case '/':
        case '%':
            if (reader->skipped) {
                return 0;
            }
            if (!right) {
                wrong(reader, "division by zero");
                return 0;
            }
            if (right == -1) {
                return *operator == '/' ? (long long)(0 - a) : 0;
            }
            return *operator == '/' ? left / right : left % right;
        case '=': return left == right;
        case '!': return left != right;
        case '<': return operator[1] == '<' ? (long long)(a << (b & 63)) : operator[1] == '=' ? left <= right : left < right;
        case '>': return operator[1] == '>' ? left >> (b & 63) : operator[1] == '=' ? left >= right : left > right;
        case '&': return left & right;
        case '|': return left | right;
    }
    return 0;
}

static long long assignment(struct reader *reader);

static long long variable(struct reader *reader, const char *name) {
    const char *value = reader->skipped ? NULL : variable_value(name);
    if (!value && !reader->skipped && shell.options.unset_is_error) {
        reader->failed = true;
        fail("%s: parameter not set", name);
    }
    return value && value[strspn(value, " \t\n")] ? number_of(reader, value, true) : 0;
}

/* The name at the reader, to be freed; NULL if there is none. */
static char *read_name(struct reader *reader) {
    skip_blanks(reader);
    const char *start = reader->at;
    if (!is_name_start((unsigned char)*start)) {
        return NULL;
    }
    while (is_name_character((unsigned char)*reader->at)) {
        reader->at++;
    }
    return strndup(start, (size_t)(reader->at - start));
}

static long long primary(struct reader *reader) {
    skip_blanks(reader);
    char c = *reader->at;
    long long value = 0;
    if (++reader->depth > DEEPEST) {
        wrong(reader, "too deeply nested");
    }
    if (reader->failed) {
        value = 0;
    } else if (c == '(') {
        reader->at++;
        value = assignment(reader);
        skip_blanks(reader);
        if (*reader->at == ')') {
            reader->at++;
        } else {
            wrong(reader, "expecting ')'");
        }
    } else if (c == '-' || c == '+' || c == '!' || c == '~') {
        reader->at++;
        value = primary(reader);
        value = c == '-' ? (long long)(0 - (unsigned long long)value) : c == '!' ? !value : c == '~' ? ~value : value;
    } else if (isdigit((unsigned char)c)) {
        value = number_of(reader, reader->at, false);
    } else {
        char *name = read_name(reader);
        if (name) {
            value = variable(reader, name);
        } else {
            wrong(reader, "expecting primary");
        }
        free(name);
    }
    reader->depth--;
    return value;
}

static long long binary(struct reader *reader, int level) {
    long long left = primary(reader);
    for (const struct operator *operator; !reader->failed && (operator = peek_operator(reader)) && operator->level >= level;) {
        reader->at += strlen(operator->text);
        bool decided = (operator->level == 1 && left) || (operator->level == 2 && !left);
        reader->skipped += decided;
        long long right = binary(reader, operator->level + 1);
        reader->skipped -= decided;
        if (operator->level <= 2) {
            left = operator->level == 1 ? left || right : left && right;
        } else {
            left = apply(reader, operator->text, left, right);
        }
    }
    return left;
}

static long long conditional(struct reader *reader) {
    long long condition = binary(reader, 1);
    skip_blanks(reader);
    if (reader->failed || *reader->at != '?') {
        return condition;
    }
    reader->at++;
    reader->skipped += !condition;
    long long first = assignment(reader);
    reader->skipped -= !condition;
    skip_blanks(reader);
    if (*reader->at != ':') {
        wrong(reader, "expecting ':'");
        return 0;
    }
    reader->at++;
    reader->skipped += condition != 0;
    long long second = conditional(reader);
    reader->skipped -= condition != 0;
    return condition ? first : second;
}

static long long assignment(struct reader *reader) {
    const char *start = reader->at;
    char *name = read_name(reader);
    const struct operator *operator = name ? peek_operator(reader) : NULL;
    if (!operator || operator->level != 0) {
        free(name);
        reader->at = start;
        return conditional(reader);
    }
    reader->at += strlen(operator->text);
    long long value = ++reader->depth > DEEPEST ? 0 : assignment(reader);
    if (reader->depth-- > DEEPEST) {
        wrong(reader, "too deeply nested");
    }
    if (operator->text[1]) {
        value = apply(reader, operator->text, variable(reader, name), value);
    }
    if (!reader->failed && !reader->skipped && !variable_set_number(name, value)) {
        reader->failed = true;
    }
    free(name);
    return value;
}

long long arithmetic(const char *expression) {
    struct reader reader = {.whole = expression, .at = expression};
    skip_blanks(&reader);
    if (!*reader.at) {
        return 0;
    }
    long long value = assignment(&reader);
    skip_blanks(&reader);
    if (!reader.failed && *reader.at) {
        wrong(&reader, "expecting EOF");
    }
    return reader.failed ? 0 : value;
}
