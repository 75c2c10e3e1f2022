/* wc: counts of lines, words, characters and bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "applet.h"
#include "characters.h"
#include "options.h"
#include "reader.h"

const char wc_help[] =
    "Usage: wc [OPTION]... [FILE]...\n"
    "  or:  wc [OPTION]... --files0-from=F\n"
    "Print newline, word, and byte counts for each FILE, and a total line if\n"
    "more than one FILE is specified.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -c, --bytes            print the byte counts\n"
    "  -m, --chars            print the character counts\n"
    "  -l, --lines            print the newline counts\n"
    "      --files0-from=F    read input from the files specified by NUL-terminated names in file F\n"
    "  -L, --max-line-length  print the maximum display width\n"
    "  -w, --words            print the word counts\n"
    "      --total=WHEN       when to print a line with total counts: auto, always, only, never\n";

struct counts {
    uint64_t lines, words, characters, bytes, width;
};

static bool show_lines, show_words, show_characters, show_bytes, show_width;
static int number_width;

static void print_counts(const struct counts *counts, const char *name)
{
    const char *gap = "";
    const struct { bool shown; uint64_t value; } columns[] = {
        {show_lines, counts->lines},  {show_words, counts->words}, {show_characters, counts->characters},
        {show_bytes, counts->bytes}, {show_width, counts->width}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (columns[i].shown) {
            printf("%s%*llu", gap, number_width, (unsigned long long)columns[i].value);
            gap = " ";
        }
    if (name != NULL)
        printf(" %s", quote_name_if_needed(name));
    putchar('\n');
}

static uint64_t count_newlines(const char *text, size_t size)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Words and lines of bytes: what a file mostly is asked for, so a table and nothing else. */
static void count_bytewise(struct counts *counts, const char *text, size_t size, bool *in_word)
{
    static unsigned char space[256];
    if (!space[' '])
        space[' '] = space['\t'] = space['\n'] = space['\v'] = space['\f'] = space['\r'] = 1;
    uint64_t lines = 0, words = 0;
    bool inside = *in_word;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        lines += c == '\n';
        bool blank = space[c];
        /* Bytes that show nothing neither begin a word nor end one. */
        bool shown = c > ' ' && c < 0x7f;
        words += !inside && shown;
        inside = blank ? false : inside || shown;
    }
    counts->lines += lines;
    counts->words += words;
    *in_word = inside;
}

static bool count_characters(struct counts *counts, struct reader *reader)
{
    bool in_word = false;
    uint64_t column = 0;
    char *block;
    ssize_t got;
    char joined[8];
    size_t carried = 0;
    while ((got = reader_block(reader, &block)) > 0 || carried > 0) {
        size_t size = got > 0 ? (size_t)got : 0, at = 0;
        counts->bytes += size;
        while (at < size || carried > 0) {
            const char *from = block + at;
            size_t there = size - at;
            size_t borrowed = 0;
            if (carried > 0) { /* a character that began in the block before */
                borrowed = there < sizeof joined - carried ? there : sizeof joined - carried;
                memcpy(joined + carried, block + at, borrowed);
                from = joined;
                there = carried + borrowed;
            }
            struct character c = next_character(from, there);
            if (c.incomplete && got > 0 && there < 4) {
                memmove(joined, from, there);
                carried = there;
                at = size;
                break;
            }
            at += c.length > carried ? c.length - carried : 0;
            if (carried > c.length)
                memmove(joined, joined + c.length, carried -= c.length);
            else
                carried = 0;
            if (!c.valid)
                continue;
            counts->characters++;
            if (c.point == '\n' || c.point == '\r' || c.point == '\f') {
                counts->lines += c.point == '\n';
                counts->width = column > counts->width ? column : counts->width;
                column = 0;
                in_word = false;
            } else if (c.point == '\t') {
                column += 8 - column % 8;
                in_word = false;
            } else if (c.point == ' ' || c.point == '\v') {
                column += c.point == ' ';
                in_word = false;
            } else {
                int width = character_width(c.point);
                column += width > 0 ? (uint64_t)width : 0;
                if (character_is_space(c.point))
                    in_word = false;
                else if (width >= 0 && !in_word) {
                    counts->words++;
                    in_word = true;
                }
            }
        }
        if (got <= 0)
            break;
    }
    counts->width = column > counts->width ? column : counts->width;
    return got >= 0;
}

static bool count_file(struct counts *counts, int fd)
{
    struct reader reader = {.fd = fd};
    char *block;
    ssize_t got;
    struct stat status;
    bool ok;
    bool plain = !show_width && (!show_characters || !characters_are_utf8()) && (!show_words || !characters_are_utf8());
    if (show_bytes && !show_lines && !show_words && !show_characters && !show_width && fstat(fd, &status) == 0 &&
        S_ISREG(status.st_mode)) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        if (at >= 0 && status.st_size > at) { /* its size is known; a file of the system may say 0 and hold more */
            counts->bytes = (uint64_t)(status.st_size - at);
            lseek(fd, 0, SEEK_END);
            return true;
        }
    }
    if (plain) {
        bool in_word = false;
        while ((got = reader_block(&reader, &block)) > 0) {
            counts->bytes += (uint64_t)got;
            if (show_words)
                count_bytewise(counts, block, (size_t)got, &in_word);
            else if (show_lines)
                counts->lines += count_newlines(block, (size_t)got);
        }
        counts->characters = counts->bytes;
        ok = got == 0;
    } else {
        ok = count_characters(counts, &reader);
    }
    int code = errno;
    free(reader.data);
    errno = code;
    return ok;
}

/* As wide as the largest count can be: GNU takes it from the sizes of the files before it reads them. */
static int width_for(char **names, int count)
{
    int columns = show_lines + show_words + show_characters + show_bytes + show_width;
    if (count <= 1 && columns == 1)
        return 1;
    uint64_t total = 0;
    int least = 1;
    for (int i = 0; i < count; i++) {
        struct stat status;
        bool known = strcmp(names[i], "-") == 0 ? fstat(STDIN_FILENO, &status) == 0 : stat(names[i], &status) == 0;
        if (known && S_ISREG(status.st_mode))
            total += (uint64_t)status.st_size;
        else if (known || strcmp(names[i], "-") == 0)
            least = 7;
    }
    int width = snprintf(NULL, 0, "%llu", (unsigned long long)total);
    return width > least ? width : least;
}

static char **names_from(const char *list, int *count)
{
    struct reader reader;
    if (!reader_open(&reader, list))
        applet_die(1, "cannot open %s for reading", quote_name(list));
    char **names = NULL, *name;
    size_t length;
    *count = 0;
    while (reader_line(&reader, '\0', &name, &length)) {
        names = reallocate(names, ((size_t)*count + 2) * sizeof *names);
        names[*count] = allocate(length + 1);
        memcpy(names[*count], name, length);
        names[(*count)++][length] = '\0';
    }
    if (reader.failure != 0) {
        errno = reader.failure;
        applet_die(1, "%s: read error", quote_name_if_needed(list));
    }
    reader_close(&reader);
    return names;
}

int wc_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"bytes", 'c', NO_ARGUMENT}, {"chars", 'm', NO_ARGUMENT},           {"lines", 'l', NO_ARGUMENT},
        {"words", 'w', NO_ARGUMENT}, {"max-line-length", 'L', NO_ARGUMENT}, {"files0-from", 0, NEEDS_ARGUMENT},
        {"total", 1, NEEDS_ARGUMENT}, {0}};
    static const char *const total_words[] = {"auto", "always", "only", "never", NULL};
    enum { AUTO, ALWAYS, ONLY, NEVER } total_when = AUTO;
    const char *list = NULL;
    struct options options;
    options_start(&options, argc, argv, "clLmw", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        show_bytes |= code == 'c';
        show_characters |= code == 'm';
        show_lines |= code == 'l';
        show_words |= code == 'w';
        show_width |= code == 'L';
        if (code == 0)
            list = options.argument;
        if (code == 1)
            total_when = options_choice("total", options.argument, total_words);
    }
    if (!show_bytes && !show_characters && !show_lines && !show_words && !show_width)
        show_lines = show_words = show_bytes = true;
    char **names = options.operands;
    int count = options.operand_count, status = 0;
    bool nameless = count == 0 && list == NULL;
    if (list != NULL) {
        if (count > 0) {
            applet_warnx("extra operand %s", quote_word(names[0]));
            fputs("file operands cannot be combined with --files0-from\n", stderr);
            applet_try_help();
        }
        names = names_from(list, &count);
    } else if (nameless) {
        names[count++] = "-";
    }
    number_width = total_when == ONLY ? 1 : width_for(names, count);
    struct counts total = {0};
    for (int i = 0; i < count; i++) {
        int fd = open_input(names[i]);
        struct counts counts = {0};
        if (fd < 0) {
            applet_warn("%s", quote_name_if_needed(names[i]));
            status = 1;
            continue;
        }
        if (!count_file(&counts, fd)) {
            applet_warn("%s", quote_name_if_needed(names[i]));
            status = 1;
        }
        if (fd != STDIN_FILENO)
            close(fd);
        if (total_when != ONLY)
            print_counts(&counts, nameless ? NULL : names[i]);
        total.lines += counts.lines;
        total.words += counts.words;
        total.characters += counts.characters;
        total.bytes += counts.bytes;
        total.width = counts.width > total.width ? counts.width : total.width;
    }
    if (total_when == ALWAYS || total_when == ONLY || (total_when == AUTO && count > 1))
        print_counts(&total, total_when == ONLY ? NULL : "total");
    return status;
}
