/* head: the beginning of files. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "numbers.h"
#include "options.h"
#include "reader.h"

const char head_help[] =
    "Usage: head [OPTION]... [FILE]...\n"
    "Print the first 10 lines of each FILE to standard output.\n"
    "With more than one FILE, precede each with a header giving the file name.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -c, --bytes=[-]NUM       print the first NUM bytes of each file;\n"
    "                             with the leading '-', print all but the last NUM bytes\n"
    "  -n, --lines=[-]NUM       print the first NUM lines instead of the first 10;\n"
    "                             with the leading '-', print all but the last NUM lines\n"
    "  -q, --quiet, --silent    never print headers giving file names\n"
    "  -v, --verbose            always print headers giving file names\n"
    "  -z, --zero-terminated    line delimiter is NUL, not newline\n\n"
    "NUM may have a multiplier suffix: b 512, kB 1000, K 1024, MB 1000*1000, M 1024*1024, and so on.\n";

static bool by_bytes, all_but;
static uint64_t count = 10;
static char delimiter = '\n';

static void put(const char *text, size_t size)
{
    if (size > 0 && fwrite(text, 1, size, stdout) != size)
        exit(applet_close_stdout(1));
}

static bool first_bytes(struct reader *reader)
{
    uint64_t left = count;
    char *block;
    ssize_t got = 0;
    while (left > 0 && (got = reader_block(reader, &block)) > 0) {
        size_t part = (uint64_t)got < left ? (size_t)got : (size_t)left;
        put(block, part);
        left -= part;
    }
    return got >= 0;
}

static bool first_lines(struct reader *reader)
{
    char *line;
    size_t length;
    for (uint64_t left = count; left > 0 && reader_line(reader, delimiter, &line, &length); left--)
        put(line, length);
    errno = reader->failure;
    return reader->failure == 0;
}

/* Where the last `count` units of text[0..size) start. */
static size_t start_of_last(const char *text, size_t size)
{
    if (by_bytes)
        return size > count ? size - (size_t)count : 0;
    uint64_t left = count;
    size_t at = size;
    if (left == 0)
        return size;
    if (at > 0 && text[at - 1] == delimiter)
        at--;
    while (at > 0)
        if (text[--at] == delimiter && --left == 0)
            return at + 1;
    return 0;
}

/* Holds back what may still belong to the last `count` units, and prints the rest whenever enough has come in. */
static bool all_but_last(struct reader *reader)
{
    size_t held = 0, room = 0;
    char *hold = NULL, *block;
    ssize_t got;
    while ((got = reader_block(reader, &block)) > 0) {
        if (held + (size_t)got > room) {
            size_t sure = start_of_last(hold, held);
            if (sure > 0) {
                put(hold, sure);
                memmove(hold, hold + sure, held - sure);
                held -= sure;
            }
            if (held + (size_t)got > room / 2)
                hold = reallocate(hold, room = (held + (size_t)got) * 2 + (1 << 20));
        }
        memcpy(hold + held, block, (size_t)got);
        held += (size_t)got;
    }
    put(hold, start_of_last(hold, held));
    free(hold);
    return got == 0;
}

static void set_count(const char *text, bool bytes)
{
    by_bytes = bytes;
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    all_but = *text == '-';
    if (!read_count(digits, &count))
        applet_diex(1, "invalid number of %s: %s", bytes ? "bytes" : "lines", quote_word(digits));
}

int head_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"bytes", 'c', NEEDS_ARGUMENT}, {"lines", 'n', NEEDS_ARGUMENT},  {"quiet", 'q', NO_ARGUMENT},
        {"silent", 'q', NO_ARGUMENT},   {"verbose", 'v', NO_ARGUMENT}, {"zero-terminated", 'z', NO_ARGUMENT}, {0}};
    int headers = 0; /* -1 never, 1 always */
    if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) { /* the old form: -5, -5q, -20c */
        char *letters = argv[1] + 1;
        letters += strspn(letters, "0123456789");
        char kept[32] = "";
        char units = 'n';
        snprintf(kept, sizeof kept, "%.*s", (int)(letters - argv[1] - 1 < 24 ? letters - argv[1] - 1 : 24), argv[1] + 1);
        for (; *letters != '\0'; letters++) {
            if (*letters == 'q' || *letters == 'v') {
                headers = *letters == 'q' ? -1 : 1;
            } else if (*letters == 'c' || *letters == 'l') {
                units = *letters;
            } else if (*letters == 'z') {
                delimiter = '\0';
            } else if (strchr("bkm", *letters) != NULL) {
                units = 'c';
                kept[strcspn(kept, "bkm")] = *letters;
            } else {
                applet_warnx("invalid trailing option -- %c", *letters);
                applet_try_help();
            }
        }
        set_count(kept, units == 'c');
        argv++;
        argc--;
    }
    struct options options;
    options_start(&options, argc, argv, "c:n:qvz", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        if (code == 'c' || code == 'n')
            set_count(options.argument, code == 'c');
        if (code == 'q' || code == 'v')
            headers = code == 'q' ? -1 : 1;
        if (code == 'z')
            delimiter = '\0';
    }
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "-";
    bool titled = headers > 0 || (headers == 0 && options.operand_count > 1), first = true;
    int status = 0;
    for (int i = 0; i < options.operand_count; i++) {
        const char *name = options.operands[i];
        struct reader reader;
        if (!reader_open(&reader, name)) {
            applet_warn("cannot open %s for reading", quote_name(name));
            status = 1;
            continue;
        }
        if (titled)
            printf("%s==> %s <==\n", first ? "" : "\n", strcmp(name, "-") == 0 ? "standard input" : name);
        first = false;
        if (!(all_but ? all_but_last : by_bytes ? first_bytes : first_lines)(&reader)) {
            applet_warn("error reading %s", strcmp(name, "-") == 0 ? "'standard input'" : quote_name(name));
            status = 1;
        }
        reader_close(&reader);
    }
    return status;
}
