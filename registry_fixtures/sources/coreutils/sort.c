/* sort: lines in order; the whole input is held in memory. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"
#include "sort_keys.h"

const char sort_help[] =
    "Usage: sort [OPTION]... [FILE]...\n"
    "Write sorted concatenation of all FILE(s) to standard output.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -b, --ignore-leading-blanks  ignore leading blanks\n"
    "  -d, --dictionary-order      consider only blanks and alphanumeric characters\n"
    "  -f, --ignore-case           fold lower case to upper case characters\n"
    "  -g, --general-numeric-sort  compare according to general numerical value\n"
    "  -i, --ignore-nonprinting    consider only printable characters\n"
    "  -M, --month-sort            compare (unknown) < 'JAN' < ... < 'DEC'\n"
    "  -h, --human-numeric-sort    compare human readable numbers (e.g., 2K 1G)\n"
    "  -n, --numeric-sort          compare according to string numerical value\n"
    "  -R, --random-sort           shuffle, but group identical keys\n"
    "  -r, --reverse               reverse the result of comparisons\n"
    "      --sort=WORD             general-numeric, human-numeric, month, numeric, random, version\n"
    "  -V, --version-sort          natural sort of (version) numbers within text\n"
    "  -c, --check                 check for sorted input; do not sort\n"
    "  -C, --check=quiet           like -c, but do not report the first bad line\n"
    "      --files0-from=F         read input from the files specified by NUL-terminated names in file F\n"
    "  -k, --key=KEYDEF            sort via a key: F[.C][OPTS][,F[.C][OPTS]]\n"
    "  -m, --merge                 merge already sorted files; do not sort\n"
    "  -o, --output=FILE           write result to FILE instead of standard output\n"
    "  -s, --stable                stabilize sort by disabling last-resort comparison\n"
    "  -S, -T, --parallel, --batch-size, --compress-program  (ignored)\n"
    "  -t, --field-separator=SEP   use SEP instead of non-blank to blank transition\n"
    "  -u, --unique                output only the first of an equal run\n"
    "  -z, --zero-terminated       line delimiter is NUL, not newline\n";

static struct line *lines;
static size_t line_count, line_room;
static size_t *runs; /* where each file's lines start, for -m */
static size_t run_count;
static char delimiter = '\n';

static void add_line(const char *text, size_t length)
{
    if (line_count == line_room) {
        line_room = line_room * 2 + 1024;
        lines = reallocate(lines, line_room * sizeof *lines);
    }
    lines[line_count] = (struct line){.text = text, .length = length};
    lines[line_count].prefix = key_prefix(&lines[line_count]);
    line_count++;
}

static void load(const char *name)
{
    int fd = open_input(name);
    if (fd < 0)
        applet_die(2, "cannot read: %s", quote_name_if_needed(name));
    struct stat status;
    size_t room = READ_SIZE, size = 0;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && status.st_size < INT32_MAX)
        room = (size_t)status.st_size + 1;
    char *text = allocate(room);
    ssize_t got;
    while ((got = read_some(fd, text + size, room - size)) > 0) {
        size += (size_t)got;
        if (size == room)
            text = reallocate(text, room *= 2);
    }
    if (got < 0)
        applet_die(2, "read failed: %s", quote_name_if_needed(name));
    if (fd != STDIN_FILENO)
        close(fd);
    runs = reallocate(runs, (run_count + 2) * sizeof *runs);
    runs[run_count++] = line_count;
    for (size_t at = 0; at < size;) {
        const char *stop = memchr(text + at, delimiter, size - at);
        size_t end = stop != NULL ? (size_t)(stop - text) : size;
        add_line(text + at, end - at);
        at = end + 1;
    }
}

static void merge(const struct line *a, const struct line *a_end, const struct line *b, const struct line *b_end,
                  struct line *into)
{
    while (a < a_end && b < b_end)
        *into++ = line_compare(a, b) <= 0 ? *a++ : *b++;
    memcpy(into, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(into + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Merges neighbouring runs until one is left; runs[count] is the end. */
static void merge_runs(size_t *starts, size_t count)
{
    struct line *other = allocate(line_count * sizeof *other);
    while (count > 1) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i += 2) {
            size_t start = starts[i], middle = starts[i + 1], end = i + 1 < count ? starts[i + 2] : middle;
            if (i + 1 < count && middle > start && line_compare(&lines[middle - 1], &lines[middle < end ? middle : start]) <= 0 &&
                middle < end)
                memcpy(other + start, lines + start, (end - start) * sizeof *lines); /* already in order */
            else
                merge(lines + start, lines + middle, lines + middle, lines + end, other + start);
            starts[kept++] = start;
        }
        starts[kept] = line_count;
        count = kept;
        struct line *swap = lines;
        lines = other;
        other = swap;
    }
    free(other);
}

static void sort_lines(void)
{
    enum { SMALL = 8 };
    size_t count = (line_count + SMALL - 1) / SMALL;
    size_t *starts = allocate((count + 1) * sizeof *starts);
    for (size_t run = 0; run < count; run++) {
        size_t start = starts[run] = run * SMALL, end = start + SMALL < line_count ? start + SMALL : line_count;
        for (size_t i = start + 1; i < end; i++) {
            struct line line = lines[i];
            size_t j = i;
            for (; j > start && line_compare(&lines[j - 1], &line) > 0; j--)
                lines[j] = lines[j - 1];
            lines[j] = line;
        }
    }
    starts[count] = line_count;
    merge_runs(starts, count);
    free(starts);
}

static int check_order(const char *name, bool unique, bool quiet)
{
    for (size_t i = 1; i < line_count; i++) {
        int order = line_compare(&lines[i - 1], &lines[i]);
        if (order < 0 || (order == 0 && !unique))
            continue;
        if (!quiet) {
            fprintf(stderr, "sort: %s:%zu: disorder: ", name, i + 1);
            fwrite(lines[i].text, 1, lines[i].length, stderr);
            fputc('\n', stderr);
        }
        return 1;
    }
    return 0;
}

static void write_lines(bool unique)
{
    const struct line *last = NULL;
    for (size_t i = 0; i < line_count; i++) {
        if (unique && last != NULL && line_compare(last, &lines[i]) == 0)
            continue;
        last = &lines[i];
        fwrite(lines[i].text, 1, lines[i].length, stdout);
        putchar(delimiter);
        if (ferror(stdout))
            return;
    }
}

static bool set_order(struct key *key, char letter, bool start, bool end)
{
    static const char letters[] = "ngMhVR";
    static const enum order orders[] = {BY_NUMBER, BY_GENERAL_NUMBER, BY_MONTH, BY_HUMAN_NUMBER, BY_VERSION, BY_RANDOM};
    const char *at = strchr(letters, letter);
    if (at != NULL && letter != '\0') {
        if (strchr(key->orders, letter) == NULL)
            strncat(key->orders, (char[]){letter, '\0'}, sizeof key->orders - 1 - strlen(key->orders));
        key->order = orders[at - letters];
        return true;
    }
    switch (letter) {
    case 'b':
        key->start_blanks |= start;
        key->end_blanks |= end;
        return true;
    case 'd': key->dictionary = true; return true;
    case 'f': key->fold = true; return true;
    case 'i': key->printing = true; return true;
    case 'r': key->reverse = true; return true;
    }
    return false;
}

_Noreturn static void bad_key(const char *text, const char *message)
{
    applet_diex(2, "%s: invalid field specification %s", message, quote_word(text));
}

static size_t key_number(const char **text, const char *whole, const char *message)
{
    size_t value = 0;
    if (!isdigit((unsigned char)**text))
        applet_diex(2, "%s: invalid count at start of %s", message, quote_word(*text));
    (void)whole;
    for (; isdigit((unsigned char)**text); (*text)++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (size_t)(**text - '0'), &value))
            value = SIZE_MAX - 1;
    return value;
}

static void add_key(const char *text)
{
    struct key key = {.end_field = SIZE_MAX};
    const char *p = text;
    key.start_field = key_number(&p, text, "invalid number at field start");
    if (key.start_field-- == 0)
        bad_key(text, "field number is zero");
    if (*p == '.') {
        p++;
        key.start_char = key_number(&p, text, "invalid number after '.'");
        if (key.start_char-- == 0)
            bad_key(text, "character offset is zero");
    }
    for (; *p != '\0' && *p != ',' && set_order(&key, *p, true, false); p++)
        key.has_options = true;
    if (*p == ',') {
        p++;
        key.end_field = key_number(&p, text, "invalid number after ','");
        if (key.end_field-- == 0)
            bad_key(text, "field number is zero");
        if (*p == '.') {
            p++;
            key.end_char = key_number(&p, text, "invalid number after '.'");
        }
        for (; *p != '\0' && set_order(&key, *p, false, true); p++)
            key.has_options = true;
    }
    if (*p != '\0')
        bad_key(text, "stray character in field spec");
    keys = reallocate(keys, (key_count + 1) * sizeof *keys);
    keys[key_count++] = key;
}

static void set_separator(const char *text)
{
    if (*text == '\0')
        applet_diex(2, "empty tab");
    int wanted = (unsigned char)*text;
    if (text[1] != '\0') {
        if (strcmp(text, "\\0") != 0)
            applet_diex(2, "multi-character tab %s", quote_word(text));
        wanted = 0;
    }
    if (field_separator >= 0 && field_separator != wanted)
        applet_diex(2, "incompatible tabs");
    field_separator = wanted;
}

static void check_orders(const struct key *key)
{
    size_t orders = strlen(key->orders);
    if (strchr(key->orders, 'V') != NULL && strchr(key->orders, 'R') != NULL)
        orders--; /* these two count as one */
    if (orders + (orders > 0 && (key->dictionary || key->printing) && strpbrk(key->orders, "VR") == NULL) < 2)
        return;
    char letters[16] = "";
    for (const char *p = "dfghiMnRV"; *p != '\0'; p++)
        if (strchr(key->orders, *p) != NULL || (*p == 'd' && key->dictionary) || (*p == 'f' && key->fold) ||
            (*p == 'i' && key->printing))
            strncat(letters, p, 1);
    applet_diex(2, "options '-%s' are incompatible", letters);
}

/* Keys without options of their own take the global ones; without any key the global ones make one. */
static void settle_keys(const struct key *global, bool has_global)
{
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].has_options)
            continue;
        keys[i].order = global->order;
        memcpy(keys[i].orders, global->orders, sizeof global->orders);
        keys[i].reverse = global->reverse;
        keys[i].fold = global->fold;
        keys[i].dictionary = global->dictionary;
        keys[i].printing = global->printing;
        keys[i].start_blanks = keys[i].end_blanks = global->start_blanks;
    }
    if (key_count == 0 && has_global) {
        keys = allocate(sizeof *keys);
        keys[0] = *global;
        key_count = 1;
    }
    for (size_t i = 0; i < key_count; i++)
        check_orders(&keys[i]);
}

int sort_main(int argc, char **argv)
{
    enum { CHECK_LONG = 1, IGNORED, SORT_WORD, FILES_FROM };
    static const struct long_option longs[] = {
        {"ignore-leading-blanks", 'b', NO_ARGUMENT}, {"dictionary-order", 'd', NO_ARGUMENT}, {"ignore-case", 'f', NO_ARGUMENT},
        {"general-numeric-sort", 'g', NO_ARGUMENT}, {"ignore-nonprinting", 'i', NO_ARGUMENT}, {"month-sort", 'M', NO_ARGUMENT},
        {"human-numeric-sort", 'h', NO_ARGUMENT}, {"numeric-sort", 'n', NO_ARGUMENT}, {"random-sort", 'R', NO_ARGUMENT},
        {"reverse", 'r', NO_ARGUMENT}, {"sort", SORT_WORD, NEEDS_ARGUMENT}, {"version-sort", 'V', NO_ARGUMENT},
        {"check", CHECK_LONG, MAY_HAVE_ARGUMENT}, {"key", 'k', NEEDS_ARGUMENT}, {"merge", 'm', NO_ARGUMENT},
        {"output", 'o', NEEDS_ARGUMENT}, {"stable", 's', NO_ARGUMENT}, {"buffer-size", 'S', NEEDS_ARGUMENT},
        {"field-separator", 't', NEEDS_ARGUMENT}, {"temporary-directory", 'T', NEEDS_ARGUMENT}, {"unique", 'u', NO_ARGUMENT},
        {"zero-terminated", 'z', NO_ARGUMENT}, {"parallel", IGNORED, NEEDS_ARGUMENT}, {"batch-size", IGNORED, NEEDS_ARGUMENT},
        {"compress-program", IGNORED, NEEDS_ARGUMENT}, {"files0-from", FILES_FROM, NEEDS_ARGUMENT}, {0}};
    static const char *const sort_words[] = {"general-numeric", "human-numeric", "month", "numeric", "random", "version", NULL};
    static const char *const check_words[] = {"diagnose-first", "quiet", "silent", NULL};
    struct key global = {.end_field = SIZE_MAX};
    bool has_global = false, unique = false, merging = false, stable = false;
    char check = '\0';
    const char *output = NULL, *list = NULL;
    struct options options;
    options_start(&options, argc, argv, "bcCdfghik:mMno:rRsS:t:T:uVz", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        switch (code) {
        case 'c': case 'C':
            if (check != '\0' && check != code)
                applet_diex(2, "options '-cC' are incompatible");
            check = (char)code;
            break;
        case CHECK_LONG:
            check = options.argument && options_choice("check", options.argument, check_words) > 0 ? 'C' : 'c';
            break;
        case 'k': add_key(options.argument); break;
        case 'm': merging = true; break;
        case 'o':
            if (output != NULL && strcmp(output, options.argument) != 0)
                applet_diex(2, "multiple output files specified");
            output = options.argument;
            break;
        case 's': stable = true; break;
        case 't': set_separator(options.argument); break;
        case 'u': unique = true; break;
        case 'z': delimiter = '\0'; break;
        case FILES_FROM: list = options.argument; break;
        case SORT_WORD:
            set_order(&global, "ghMnRV"[options_choice("sort", options.argument, sort_words)], true, true);
            has_global = true;
            break;
        case 'S': case 'T': case IGNORED: break;
        default:
            set_order(&global, (char)code, true, true);
            has_global |= code != 'r';
        }
    }
    reverse_all = global.reverse;
    last_resort = !stable && !unique;
    settle_keys(&global, has_global);
    /* With no key at all equal lines are the same lines, so that only a key needs the last resort. */
    if (list != NULL) {
        struct reader reader;
        char *name;
        size_t length;
        if (options.operand_count > 0) {
            applet_warnx("extra operand %s\nfile operands cannot be combined with --files0-from", quote_word(options.operands[0]));
            applet_try_help();
        }
        if (!reader_open(&reader, list))
            applet_die(2, "open failed: %s", quote_name_if_needed(list));
        while (reader_line(&reader, '\0', &name, &length))
            load(strndup(name, length));
        if (reader.failure != 0) {
            errno = reader.failure;
            applet_die(2, "read failed: %s", quote_name_if_needed(list));
        }
    } else if (options.operand_count == 0) {
        options.operands[options.operand_count++] = "-";
    }
    if (check != '\0' && options.operand_count > 1)
        applet_diex(2, "extra operand %s not allowed with -%c", quote_word(options.operands[1]), check);
    for (int i = 0; i < options.operand_count; i++)
        load(options.operands[i]);
    if (check != '\0')
        return check_order(list == NULL ? options.operands[0] : list, unique, check == 'C');
    if (runs != NULL)
        runs[run_count] = line_count;
    if (merging && run_count > 0)
        merge_runs(runs, run_count);
    else
        sort_lines();
    if (output != NULL && freopen(output, "w", stdout) == NULL)
        applet_die(2, "open failed: %s", quote_name_if_needed(output));
    write_lines(unique);
    return 0;
}
