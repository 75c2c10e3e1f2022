/* test and [: conditions on files, strings and numbers. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"

const char test_help[] =
    "Usage: test EXPRESSION\n"
    "  or:  test\n"
    "  or:  [ EXPRESSION ]\n"
    "  or:  [ ]\n"
    "  or:  [ OPTION\n"
    "Exit with the status determined by EXPRESSION.\n\n"
    "  ( EXPRESSION )  ! EXPRESSION  EXPRESSION -a EXPRESSION  EXPRESSION -o EXPRESSION\n"
    "  [-n] STRING  -z STRING  STRING = STRING  STRING != STRING  STRING < STRING  STRING > STRING\n"
    "  INTEGER -eq -ge -gt -le -lt -ne INTEGER  (-l STRING is its length)\n"
    "  FILE -ef -nt -ot FILE\n"
    "  -b -c -d -e -f -g -G -h -k -L -N -O -p -r -s -S -u -w -x FILE, -t DESCRIPTOR\n";

static char **words;
static int word_count, at;

_Noreturn static void missing_after(const char *word)
{
    applet_diex(2, "missing argument after %s", quote_word(word));
}

static const char *word(int index)
{
    return index < word_count ? words[index] : "";
}

/* An integer of any length, as text: compared without ever becoming a number. */
struct integer {
    bool negative;
    const char *digits;
    size_t length;
};

static struct integer read_integer(const char *text)
{
    const char *p = text;
    while (isspace((unsigned char)*p))
        p++;
    struct integer value = {.negative = *p == '-'};
    if (*p == '-' || *p == '+')
        p++;
    const char *digits = p;
    p += strspn(p, "0123456789");
    const char *end = p;
    while (isspace((unsigned char)*p))
        p++;
    if (digits == end || *p != '\0')
        applet_diex(2, "invalid integer %s", quote_word(text));
    while (digits + 1 < end && *digits == '0')
        digits++;
    value.digits = digits;
    value.length = (size_t)(end - digits);
    if (value.length == 1 && *digits == '0')
        value.negative = false;
    return value;
}

static int compare_integers(const char *a, const char *b)
{
    struct integer x = read_integer(a), y = read_integer(b);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int order = x.length != y.length ? (x.length < y.length ? -1 : 1) : memcmp(x.digits, y.digits, x.length);
    return x.negative ? -order : order;
}

static int compare_times(const char *a, const char *b)
{
    struct stat x, y;
    bool has_x = stat(a, &x) == 0, has_y = stat(b, &y) == 0;
    if (!has_x || !has_y)
        return has_x - has_y;
    if (x.st_mtim.tv_sec != y.st_mtim.tv_sec)
        return x.st_mtim.tv_sec < y.st_mtim.tv_sec ? -1 : 1;
    return (x.st_mtim.tv_nsec > y.st_mtim.tv_nsec) - (x.st_mtim.tv_nsec < y.st_mtim.tv_nsec);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_binary(const char *text)
{
    static const char *const operators[] = {"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(text, operators[i]) == 0)
            return true;
    return false;
}

static bool is_unary(const char *text)
{
    return text[0] == '-' && text[1] != '\0' && text[2] == '\0' && strchr("bcdefghkLnNGOprsStuwxz", text[1]) != NULL;
}

static bool looks_unary(const char *text)
{
    return text[0] == '-' && text[1] != '\0' && text[2] == '\0';
}

_Noreturn static void not_unary(const char *text)
{
    applet_diex(2, "%s: unary operator expected", quote_word(text));
}

static bool binary(const char *left, const char *operator, const char *right)
{
    if (strcmp(operator, "=") == 0 || strcmp(operator, "==") == 0)
        return strcmp(left, right) == 0;
    if (strcmp(operator, "!=") == 0)
        return strcmp(left, right) != 0;
    if (strcmp(operator, "<") == 0)
        return strcmp(left, right) < 0;
    if (strcmp(operator, ">") == 0)
        return strcmp(left, right) > 0;
    if (strcmp(operator, "-ef") == 0)
        return same_file(left, right);
    if (strcmp(operator, "-nt") == 0)
        return compare_times(left, right) > 0;
    if (strcmp(operator, "-ot") == 0)
        return compare_times(left, right) < 0;
    int order = compare_integers(left, right);
    switch (operator[1] << 8 | operator[2]) {
    case 'e' << 8 | 'q': return order == 0;
    case 'n' << 8 | 'e': return order != 0;
    case 'l' << 8 | 't': return order < 0;
    case 'l' << 8 | 'e': return order <= 0;
    case 'g' << 8 | 't': return order > 0;
    default: return order >= 0;
    }
}

static bool owned(const struct stat *status, bool group)
{
#ifdef __wasi__
    (void)status, (void)group; /* there is but one user */
    return true;
#else
    return group ? status->st_gid == getegid() : status->st_uid == geteuid();
#endif
}

static bool unary(char operator, const char *operand)
{
    struct stat status;
    switch (operator) {
    case 'n': return *operand != '\0';
    case 'z': return *operand == '\0';
    case 't': {
        read_integer(operand);
        return isatty(atoi(operand));
    }
    case 'r': return access(operand, R_OK) == 0;
    case 'w': return access(operand, W_OK) == 0;
    case 'x': return access(operand, X_OK) == 0;
    case 'h': case 'L': return lstat(operand, &status) == 0 && S_ISLNK(status.st_mode);
    }
    if (stat(operand, &status) != 0)
        return false;
    switch (operator) {
    case 'b': return S_ISBLK(status.st_mode);
    case 'c': return S_ISCHR(status.st_mode);
    case 'd': return S_ISDIR(status.st_mode);
    case 'f': return S_ISREG(status.st_mode);
    case 'p': return S_ISFIFO(status.st_mode);
    case 'S': return S_ISSOCK(status.st_mode);
    case 'g': return (status.st_mode & S_ISGID) != 0;
    case 'u': return (status.st_mode & S_ISUID) != 0;
    case 'k': return (status.st_mode & S_ISVTX) != 0;
    case 's': return status.st_size > 0;
    case 'G': return owned(&status, true);
    case 'O': return owned(&status, false);
    case 'N':
        return status.st_mtim.tv_sec > status.st_atim.tv_sec ||
               (status.st_mtim.tv_sec == status.st_atim.tv_sec && status.st_mtim.tv_nsec > status.st_atim.tv_nsec);
    default: return true; /* -e */
    }
}

static bool any_of(void);
static bool few(int count);

/* -l STRING, where an integer may stand. */
static const char *length_operand(const char *text, char buffer[24])
{
    snprintf(buffer, 24, "%zu", strlen(text));
    return buffer;
}

static bool term(void)
{
    bool negated = false;
    while (at < word_count && strcmp(words[at], "!") == 0) {
        negated = !negated;
        if (++at >= word_count)
            missing_after(words[at - 1]);
    }
    if (at >= word_count)
        missing_after(words[at - 1]);
    bool value;
    char left[24], right[24];
    if (strcmp(words[at], "(") == 0) {
        if (++at >= word_count)
            missing_after(words[at - 1]);
        int close = 1;
        while (at + close < word_count && strcmp(words[at + close], ")") != 0 && close < 5)
            close++;
        if (close == 5 || at + close >= word_count)
            value = any_of();
        else {
            int outer = word_count;
            word_count = at + close;
            value = few(close);
            word_count = outer;
        }
        if (at >= word_count)
            applet_diex(2, "%s expected", quote_word(")"));
        if (strcmp(words[at], ")") != 0)
            applet_diex(2, "%s expected, found %s", quote_word(")"), quote_word(words[at]));
        at++;
    } else if (word_count - at >= 4 && strcmp(words[at], "-l") == 0 && is_binary(words[at + 2])) {
        value = binary(length_operand(words[at + 1], left), words[at + 2], words[at + 3]);
        at += 4;
    } else if (word_count - at >= 3 && is_binary(words[at + 1])) {
        bool counted = strcmp(words[at + 2], "-l") == 0 && word_count - at >= 4;
        const char *operand = counted ? length_operand(words[at + 3], right) : words[at + 2];
        value = binary(words[at], words[at + 1], operand);
        at += 3 + counted;
    } else if (looks_unary(words[at])) {
        if (!is_unary(words[at]))
            not_unary(words[at]);
        if (at + 1 >= word_count)
            missing_after(words[at]);
        value = unary(words[at][1], words[at + 1]);
        at += 2;
    } else {
        value = *words[at++] != '\0';
    }
    return value != negated;
}

static bool all_of(void)
{
    bool value = term();
    while (strcmp(word(at), "-a") == 0 && at < word_count) {
        at++;
        bool next = term();
        value = value && next;
    }
    return value;
}

static bool any_of(void)
{
    bool value = all_of();
    while (strcmp(word(at), "-o") == 0 && at < word_count) {
        at++;
        bool next = all_of();
        value = value || next;
    }
    return value;
}

static bool one(void)
{
    return *words[at++] != '\0';
}

static bool two(void)
{
    if (strcmp(words[at], "!") == 0) {
        at++;
        return !one();
    }
    if (looks_unary(words[at]) && !is_unary(words[at]))
        not_unary(words[at]);
    if (!is_unary(words[at]))
        missing_after(words[at + 1]);
    at += 2;
    return unary(words[at - 2][1], words[at - 1]);
}

static bool three(void)
{
    if (is_binary(words[at + 1])) {
        at += 3;
        return binary(words[at - 3], words[at - 2], words[at - 1]);
    }
    if (strcmp(words[at], "!") == 0) {
        at++;
        return !two();
    }
    if (strcmp(words[at], "(") == 0 && strcmp(words[at + 2], ")") == 0) {
        at++;
        bool value = one();
        at++;
        return value;
    }
    if (strcmp(words[at + 1], "-a") == 0 || strcmp(words[at + 1], "-o") == 0)
        return any_of();
    applet_diex(2, "%s: binary operator expected", quote_word(words[at + 1]));
}

/* POSIX fixes the meaning by the number of words, so that operands may look like operators. */
static bool few(int count)
{
    switch (count) {
    case 1: return one();
    case 2: return two();
    case 3: return three();
    case 4:
        if (strcmp(words[at], "!") == 0) {
            at++;
            return !three();
        }
        if (strcmp(words[at], "(") == 0 && strcmp(words[at + 3], ")") == 0) {
            at++;
            bool value = two();
            at++;
            return value;
        }
        break;
    }
    return any_of();
}

int test_main(int argc, char **argv)
{
    if (strcmp(applet_name, "[") == 0) {
        if (argc < 2 || strcmp(argv[argc - 1], "]") != 0)
            applet_diex(2, "missing %s", quote_word("]"));
        argc--;
    }
    words = argv + 1;
    word_count = argc - 1;
    if (word_count == 0)
        return 1;
    bool value = few(word_count);
    if (at < word_count)
        applet_diex(2, "extra argument %s", quote_word(words[at]));
    return !value;
}
