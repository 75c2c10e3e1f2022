/* uniq: adjacent lines that are the same. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "applet.h"
#include "numbers.h"
#include "options.h"
#include "reader.h"

const char uniq_help[] =
    "Usage: uniq [OPTION]... [INPUT [OUTPUT]]\n"
    "Filter adjacent matching lines from INPUT (or standard input),\n"
    "writing to OUTPUT (or standard output).\n\n"
    "  -c, --count              prefix lines by the number of occurrences\n"
    "  -d, --repeated           only print duplicate lines, one for each group\n"
    "  -D, --all-repeated[=METHOD]  print all duplicate lines; METHOD is none, prepend or separate\n"
    "  -f, --skip-fields=N      avoid comparing the first N fields\n"
    "      --group[=METHOD]     show all items, groups separated by an empty line;\n"
    "                             METHOD is separate, prepend, append or both\n"
    "  -i, --ignore-case        ignore differences in case when comparing\n"
    "  -s, --skip-chars=N       avoid comparing the first N characters\n"
    "  -u, --unique             only print unique lines\n"
    "  -w, --check-chars=N      compare no more than N characters in lines\n"
    "  -z, --zero-terminated    line delimiter is NUL, not newline\n";

static uint64_t skip_fields, skip_bytes, check_bytes = UINT64_MAX;
static bool fold;

struct line {
    char *text;
    size_t length, room; /* the length is without the delimiter */
};

static void find_key(const char *text, size_t length, const char **key, size_t *key_length)
{
    size_t at = 0;
    for (uint64_t field = 0; field < skip_fields && at < length; field++) {
        while (at < length && isblank((unsigned char)text[at]))
            at++;
        while (at < length && !isblank((unsigned char)text[at]))
            at++;
    }
    at = skip_bytes < length - at ? at + (size_t)skip_bytes : length;
    *key = text + at;
    *key_length = length - at < check_bytes ? length - at : (size_t)check_bytes;
}

static bool same(const struct line *line, const char *text, size_t length)
{
    const char *a, *b;
    size_t a_length, b_length;
    find_key(line->text, line->length, &a, &a_length);
    find_key(text, length, &b, &b_length);
    if (a_length != b_length)
        return false;
    if (!fold)
        return memcmp(a, b, a_length) == 0;
    for (size_t i = 0; i < a_length; i++)
        if (tolower((unsigned char)a[i]) != tolower((unsigned char)b[i]))
            return false;
    return true;
}

static void keep(struct line *line, const char *text, size_t length)
{
    if (line->room <= length)
        line->text = reallocate(line->text, line->room = length * 2 + 64);
    memcpy(line->text, text, length);
    line->length = length;
}

static uint64_t skip_count(const char *text, const char *what)
{
    uint64_t count;
    if (!read_count(text, &count) || !isdigit((unsigned char)text[strlen(text) - 1]))
        applet_diex(1, "%s: invalid number of %s", text, what);
    return count;
}

int uniq_main(int argc, char **argv)
{
    enum { GROUP = 1 };
    static const struct long_option longs[] = {
        {"count", 'c', NO_ARGUMENT},        {"repeated", 'd', NO_ARGUMENT},       {"all-repeated", 'D', MAY_HAVE_ARGUMENT},
        {"skip-fields", 'f', NEEDS_ARGUMENT}, {"group", GROUP, MAY_HAVE_ARGUMENT}, {"ignore-case", 'i', NO_ARGUMENT},
        {"skip-chars", 's', NEEDS_ARGUMENT}, {"unique", 'u', NO_ARGUMENT},         {"check-chars", 'w', NEEDS_ARGUMENT},
        {"zero-terminated", 'z', NO_ARGUMENT}, {0}};
    static const char *const repeated_words[] = {"none", "prepend", "separate", NULL};
    static const char *const group_words[] = {"separate", "prepend", "append", "both", NULL};
    bool counted = false, only_repeated = false, only_unique = false, all_repeated = false, grouped = false;
    bool before_group = false, between_groups = false, after_group = false;
    char delimiter = '\n';
    struct options options;
    options_start(&options, argc, argv, "cdDf:is:uw:z0123456789", longs);
    bool digits = false;
    for (int code; (code = options_next(&options)) != -1;) {
        if (code >= '0' && code <= '9') { /* the old form: -3 for -f 3 */
            skip_fields = (digits ? skip_fields * 10 : 0) + (uint64_t)(code - '0');
            digits = true;
            continue;
        }
        digits = false;
        switch (code) {
        case 'c': counted = true; break;
        case 'd': only_repeated = true; break;
        case 'u': only_unique = true; break;
        case 'i': fold = true; break;
        case 'z': delimiter = '\0'; break;
        case 'f': skip_fields = skip_count(options.argument, "fields to skip"); break;
        case 's': skip_bytes = skip_count(options.argument, "bytes to skip"); break;
        case 'w': check_bytes = skip_count(options.argument, "bytes to compare"); break;
        case 'D': {
            int method = options.argument ? options_choice("all-repeated", options.argument, repeated_words) : 0;
            all_repeated = only_repeated = true;
            before_group = method == 1;
            between_groups = method == 2;
            break;
        }
        case GROUP: {
            int method = options.argument ? options_choice("group", options.argument, group_words) : 0;
            grouped = true;
            between_groups = method == 0;
            before_group = method == 1 || method == 3;
            after_group = method == 2 || method == 3;
            break;
        }
        }
    }
    if (grouped && (counted || only_repeated || only_unique)) {
        applet_warnx("--group is mutually exclusive with -c/-d/-D/-u");
        applet_try_help();
    }
    if (all_repeated && counted) {
        applet_warnx("printing all duplicated lines and repeat counts is meaningless");
        applet_try_help();
    }
    if (options.operand_count > 2) {
        applet_warnx("extra operand %s", quote_word(options.operands[2]));
        applet_try_help();
    }
    const char *name = options.operand_count > 0 ? options.operands[0] : "-";
    struct reader reader;
    if (!reader_open(&reader, name))
        applet_die(1, "%s", quote_name_if_needed(name));
    if (options.operand_count > 1 && strcmp(options.operands[1], "-") != 0 &&
        freopen(options.operands[1], "w", stdout) == NULL)
        applet_die(1, "%s", quote_name_if_needed(options.operands[1]));

    struct line first = {0};
    char *text;
    size_t length;
    uint64_t times = 0, groups = 0;
    bool more = true;
    while (more) {
        more = reader_line(&reader, delimiter, &text, &length);
        if (more && text[length - 1] == delimiter)
            length--;
        bool again = more && times > 0 && same(&first, text, length);
        if (!again && times > 0 && !all_repeated && !grouped) {
            if (!(only_repeated && times == 1) && !(only_unique && times > 1)) {
                if (counted)
                    printf("%7llu ", (unsigned long long)times);
                fwrite(first.text, 1, first.length, stdout);
                putchar(delimiter);
            }
        }
        if (all_repeated && again && !only_unique) {
            if (times == 1) {
                if (before_group || (between_groups && groups > 0))
                    putchar(delimiter);
                groups++;
                fwrite(first.text, 1, first.length, stdout);
                putchar(delimiter);
            }
            fwrite(text, 1, length, stdout);
            putchar(delimiter);
        }
        if (grouped && more) {
            if (!again && ((groups++ == 0 && before_group) || (groups > 1)))
                putchar(delimiter);
            fwrite(text, 1, length, stdout);
            putchar(delimiter);
        }
        times = again ? times + 1 : more;
        if (more && !again)
            keep(&first, text, length);
    }
    if (grouped && after_group && groups > 0)
        putchar(delimiter);
    if (reader.failure != 0) {
        errno = reader.failure;
        applet_die(1, "error reading %s", quote_name(name));
    }
    return 0;
}
