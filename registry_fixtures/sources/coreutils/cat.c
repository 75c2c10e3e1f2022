/* cat: files one after the other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"

const char cat_help[] =
    "Usage: cat [OPTION]... [FILE]...\n"
    "Concatenate FILE(s) to standard output.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -A, --show-all           equivalent to -vET\n"
    "  -b, --number-nonblank    number nonempty output lines, overrides -n\n"
    "  -e                       equivalent to -vE\n"
    "  -E, --show-ends          display $ at end of each line\n"
    "  -n, --number             number all output lines\n"
    "  -s, --squeeze-blank      suppress repeated empty output lines\n"
    "  -t                       equivalent to -vT\n"
    "  -T, --show-tabs          display TAB characters as ^I\n"
    "  -u                       (ignored)\n"
    "  -v, --show-nonprinting   use ^ and M- notation, except for LFD and TAB\n";

static struct {
    bool number, number_nonblank, ends, tabs, nonprinting, squeeze;
} want;

/* What goes on from one file to the next. */
static unsigned long long line_number;
static bool in_line;
static unsigned blank_lines;

static void print_visible(unsigned char c)
{
    if (c == '\t') {
        fputs(want.tabs ? "^I" : "\t", stdout);
        return;
    }
    if (!want.nonprinting) {
        putchar(c);
        return;
    }
    if (c >= 0x80) {
        fputs("M-", stdout);
        c &= 0x7f;
    }
    if (c < ' ' || c == 0x7f) {
        putchar('^');
        c ^= 0x40;
    }
    putchar(c);
}

static void print_line(const char *line, size_t length)
{
    bool ended = line[length - 1] == '\n';
    size_t visible = length - ended;
    if (!in_line) {
        blank_lines = visible == 0 ? blank_lines + 1 : 0;
        if (want.squeeze && blank_lines > 1)
            return;
        if (want.number_nonblank ? visible > 0 : want.number)
            printf("%6llu\t", ++line_number);
    }
    in_line = !ended;
    if (want.tabs || want.nonprinting) {
        for (size_t i = 0; i < visible; i++) {
            if (want.ends && i + 1 == visible && line[i] == '\r' && ended && !want.nonprinting)
                fputs("^M", stdout);
            else
                print_visible((unsigned char)line[i]);
        }
    } else if (want.ends && ended && visible > 0 && line[visible - 1] == '\r') {
        fwrite(line, 1, visible - 1, stdout);
        fputs("^M", stdout);
    } else {
        fwrite(line, 1, visible, stdout);
    }
    if (ended)
        fputs(want.ends ? "$\n" : "\n", stdout);
}

static bool copy_plain(int fd)
{
    static char block[READ_SIZE];
    ssize_t got;
    while ((got = read_some(fd, block, sizeof block)) > 0)
        if (!write_all(STDOUT_FILENO, block, (size_t)got))
            applet_die(1, "write error");
    return got == 0;
}

static bool copy_dressed(struct reader *reader)
{
    char *line;
    size_t length;
    while (reader_line(reader, '\n', &line, &length)) {
        print_line(line, length);
        /* The next read may wait for someone who waits to see this. */
        if (reader->start == reader->end && fflush(stdout) != 0)
            applet_die(1, "write error");
        if (ferror(stdout))
            break;
    }
    errno = reader->failure;
    return reader->failure == 0;
}

int cat_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"number-nonblank", 'b', NO_ARGUMENT}, {"number", 'n', NO_ARGUMENT},    {"squeeze-blank", 's', NO_ARGUMENT},
        {"show-nonprinting", 'v', NO_ARGUMENT}, {"show-ends", 'E', NO_ARGUMENT}, {"show-tabs", 'T', NO_ARGUMENT},
        {"show-all", 'A', NO_ARGUMENT}, {0}};
    struct options options;
    options_start(&options, argc, argv, "AbeEnstTuv", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        want.number |= code == 'n';
        want.number_nonblank |= code == 'b';
        want.squeeze |= code == 's';
        want.ends |= strchr("AeE", code) != NULL;
        want.tabs |= strchr("AtT", code) != NULL;
        want.nonprinting |= strchr("Aetv", code) != NULL;
    }
    bool plain = !(want.number || want.number_nonblank || want.squeeze || want.ends || want.tabs || want.nonprinting);
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "-";
    int status = 0;
    for (int i = 0; i < options.operand_count; i++) {
        struct reader reader;
        const char *name = options.operands[i];
        if (!reader_open(&reader, name) || !(plain ? copy_plain(reader.fd) : copy_dressed(&reader))) {
            applet_warn("%s", quote_name_if_needed(name));
            status = 1;
        }
        reader_close(&reader);
    }
    return status;
}
