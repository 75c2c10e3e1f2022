/* cut: chosen bytes, characters or fields of each line. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "options.h"
#include "reader.h"

const char cut_help[] =
    "Usage: cut OPTION... [FILE]...\n"
    "Print selected parts of lines from each FILE to standard output.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -b, --bytes=LIST        select only these bytes\n"
    "  -c, --characters=LIST   select only these characters\n"
    "  -d, --delimiter=DELIM   use DELIM instead of TAB for field delimiter\n"
    "  -f, --fields=LIST       select only these fields; also print any line that\n"
    "                            contains no delimiter character, unless -s is specified\n"
    "  -n                      (ignored)\n"
    "      --complement        complement the set of selected bytes, characters or fields\n"
    "  -s, --only-delimited    do not print lines not containing delimiters\n"
    "      --output-delimiter=STRING  use STRING as the output delimiter\n"
    "  -z, --zero-terminated   line delimiter is NUL, not newline\n\n"
    "LIST is one range, or many separated by commas: N, N-, N-M, -M, counted from 1.\n";

struct range {
    uint64_t low, high;
};

static struct range *ranges;
static size_t range_count;
static char line_end = '\n', delimiter = '\t';
static const char *between;
static size_t between_length;
static bool only_delimited;

static void add_range(uint64_t low, uint64_t high)
{
    ranges = reallocate(ranges, (range_count + 1) * sizeof *ranges);
    ranges[range_count++] = (struct range){low, high};
}

static int by_low(const void *a, const void *b)
{
    uint64_t x = ((const struct range *)a)->low, y = ((const struct range *)b)->low;
    return x < y ? -1 : x > y;
}

_Noreturn static void bad_list(const char *message, const char *text, bool fields)
{
    if (text != NULL)
        applet_warnx("invalid %s value %s", fields ? "field" : "byte/character position", quote_word(text));
    else
        applet_warnx("%s", message);
    applet_try_help();
}

static void read_ranges(const char *list, bool fields)
{
    for (const char *p = list;; p++) {
        uint64_t bounds[2] = {0, 0};
        bool given[2] = {false, false}, dash = false;
        const char *start = p;
        for (; *p != '\0' && *p != ',' && *p != ' ' && *p != '\t'; p++) {
            if (*p == '-') {
                if (dash)
                    bad_list(fields ? "invalid field range" : "invalid byte or character range", NULL, fields);
                dash = true;
            } else if (*p >= '0' && *p <= '9') {
                given[dash] = true;
                if (__builtin_mul_overflow(bounds[dash], 10, &bounds[dash]) ||
                    __builtin_add_overflow(bounds[dash], *p - '0', &bounds[dash]) || bounds[dash] == UINT64_MAX) {
                    char *number = strndup(start, strcspn(start, ",- \t"));
                    applet_warnx(fields ? "field number %s is too large" : "byte/character offset %s is too large",
                                 quote_word(number));
                    applet_try_help();
                }
            } else {
                bad_list(NULL, start, fields);
            }
        }
        if (dash && !given[0] && !given[1])
            bad_list("invalid range with no endpoint: -", NULL, fields);
        if (!given[0] && (!dash || start == p))
            bad_list(fields ? "fields are numbered from 1" : "byte/character positions are numbered from 1", NULL, fields);
        uint64_t low = given[0] ? bounds[0] : 1, high = !dash ? low : given[1] ? bounds[1] : UINT64_MAX;
        if (low == 0 || high == 0)
            bad_list(fields ? "fields are numbered from 1" : "byte/character positions are numbered from 1", NULL, fields);
        if (high < low)
            bad_list("invalid decreasing range", NULL, fields);
        add_range(low, high);
        if (*p == '\0')
            break;
    }
    qsort(ranges, range_count, sizeof *ranges, by_low);
}

/* Overlapping ranges become one; ranges that only touch stay two, since an output delimiter goes between them. */
static void merge_ranges(bool complement)
{
    size_t kept = 0;
    for (size_t i = 1; i < range_count; i++) {
        if (ranges[i].low <= ranges[kept].high)
            ranges[kept].high = ranges[i].high > ranges[kept].high ? ranges[i].high : ranges[kept].high;
        else
            ranges[++kept] = ranges[i];
    }
    range_count = kept + 1;
    if (!complement)
        return;
    struct range *old = ranges;
    size_t old_count = range_count;
    uint64_t next = 1;
    ranges = NULL;
    range_count = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].low > next)
            add_range(next, old[i].low - 1);
        next = old[i].high == UINT64_MAX ? 0 : old[i].high + 1;
        if (next == 0)
            return;
    }
    add_range(next, UINT64_MAX);
}

static void cut_bytes(const char *line, size_t length)
{
    for (size_t i = 0; i < range_count && ranges[i].low <= length; i++) {
        size_t low = (size_t)ranges[i].low - 1, high = ranges[i].high < length ? (size_t)ranges[i].high : length;
        if (i > 0)
            fwrite(between, 1, between_length, stdout);
        fwrite(line + low, 1, high - low, stdout);
    }
}

static void cut_fields(const char *line, size_t length)
{
    const char *end = line + length, *stop = memchr(line, delimiter, length);
    if (stop == NULL) {
        if (!only_delimited) {
            fwrite(line, 1, length, stdout);
            putchar(line_end);
        }
        return;
    }
    uint64_t field = 1;
    size_t at = 0;
    bool any = false;
    for (const char *start = line; at < range_count; field++) {
        while (at < range_count && ranges[at].high < field)
            at++;
        stop = memchr(start, delimiter, (size_t)(end - start));
        if (at < range_count && ranges[at].low <= field) {
            if (any)
                fwrite(between, 1, between_length, stdout);
            fwrite(start, 1, (size_t)((stop != NULL ? stop : end) - start), stdout);
            any = true;
        }
        if (stop == NULL)
            break;
        start = stop + 1;
    }
    putchar(line_end);
}

int cut_main(int argc, char **argv)
{
    enum { COMPLEMENT = 1, OUTPUT_DELIMITER };
    static const struct long_option longs[] = {
        {"bytes", 'b', NEEDS_ARGUMENT},         {"characters", 'c', NEEDS_ARGUMENT},
        {"delimiter", 'd', NEEDS_ARGUMENT},     {"fields", 'f', NEEDS_ARGUMENT},
        {"complement", COMPLEMENT, NO_ARGUMENT}, {"only-delimited", 's', NO_ARGUMENT},
        {"output-delimiter", OUTPUT_DELIMITER, NEEDS_ARGUMENT}, {"zero-terminated", 'z', NO_ARGUMENT}, {0}};
    const char *list = NULL, *wanted_delimiter = NULL;
    int mode = 0;
    bool complement = false;
    struct options options;
    options_start(&options, argc, argv, "b:c:d:f:nsz", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        switch (code) {
        case 'b': case 'c': case 'f':
            if (list != NULL) {
                applet_warnx("only one list may be specified");
                applet_try_help();
            }
            list = options.argument;
            mode = code;
            break;
        case 'd':
            wanted_delimiter = options.argument;
            if (wanted_delimiter[0] != '\0' && wanted_delimiter[1] != '\0') {
                applet_warnx("the delimiter must be a single character");
                applet_try_help();
            }
            delimiter = *wanted_delimiter;
            break;
        case 's': only_delimited = true; break;
        case 'z': line_end = '\0'; break;
        case COMPLEMENT: complement = true; break;
        case OUTPUT_DELIMITER:
            between = options.argument;
            between_length = *between != '\0' ? strlen(between) : 1;
            break;
        }
    }
    if (list == NULL) {
        applet_warnx("you must specify a list of bytes, characters, or fields");
        applet_try_help();
    }
    if (mode != 'f' && (wanted_delimiter != NULL || only_delimited)) {
        applet_warnx(wanted_delimiter != NULL
                         ? "an input delimiter may be specified only when operating on fields"
                         : "suppressing non-delimited lines makes sense\n\tonly when operating on fields");
        applet_try_help();
    }
    if (between == NULL) {
        between = &delimiter;
        between_length = mode == 'f';
    }
    read_ranges(list, mode == 'f');
    merge_ranges(complement);
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "-";
    int status = 0;
    for (int i = 0; i < options.operand_count; i++) {
        struct reader reader;
        char *line;
        size_t length;
        bool opened = reader_open(&reader, options.operands[i]);
        while (opened && reader_line(&reader, line_end, &line, &length)) {
            length -= line[length - 1] == line_end;
            if (mode == 'f') {
                cut_fields(line, length);
            } else {
                cut_bytes(line, length);
                putchar(line_end);
            }
        }
        if (opened)
            errno = reader.failure;
        if (!opened || reader.failure != 0) {
            applet_warn("%s", quote_name_if_needed(options.operands[i]));
            status = 1;
        }
        reader_close(&reader);
    }
    return status;
}
