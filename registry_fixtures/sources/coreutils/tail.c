/* tail: the end of files, and what is written to them afterwards. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "applet.h"
#include "numbers.h"
#include "options.h"
#include "reader.h"

const char tail_help[] =
    "Usage: tail [OPTION]... [FILE]...\n"
    "Print the last 10 lines of each FILE to standard output.\n"
    "With more than one FILE, precede each with a header giving the file name.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -c, --bytes=[+]NUM       output the last NUM bytes; or use -c +NUM to\n"
    "                             output starting with byte NUM of each file\n"
    "  -f, --follow[={name|descriptor}]  output appended data as the file grows\n"
    "  -F                       same as --follow=name --retry\n"
    "  -n, --lines=[+]NUM       output the last NUM lines, instead of the last 10;\n"
    "                             or use -n +NUM to skip NUM-1 lines at the start\n"
    "  -q, --quiet, --silent    never output headers giving file names\n"
    "      --retry              keep trying to open a file if it is inaccessible\n"
    "  -s, --sleep-interval=N   with -f, sleep for N seconds (default 1.0) between iterations\n"
    "  -v, --verbose            always output headers giving file names\n"
    "  -z, --zero-terminated    line delimiter is NUL, not newline\n\n"
    "NUM may have a multiplier suffix: b 512, kB 1000, K 1024, MB 1000*1000, M 1024*1024, and so on.\n";

struct followed {
    const char *name;
    int fd; /* -1 while it cannot be opened */
    off_t at;
    bool seekable;
    dev_t device;
    ino_t number;
};

static bool by_bytes, from_start;
static uint64_t count = 10;
static char delimiter = '\n';
static char block[READ_SIZE];

static void put(const char *text, size_t size)
{
    if (size > 0 && fwrite(text, 1, size, stdout) != size)
        exit(applet_close_stdout(1));
}

static bool copy_rest(int fd)
{
    ssize_t got;
    while ((got = read_some(fd, block, sizeof block)) > 0)
        put(block, (size_t)got);
    return got == 0;
}

/* tail -n +N and -c +N: everything behind the first N - 1. */
static bool skip_first(int fd)
{
    uint64_t left = count > 0 ? count - 1 : 0;
    ssize_t got = 0;
    while (left > 0 && (got = read_some(fd, block, sizeof block)) > 0) {
        size_t at = 0;
        if (by_bytes) {
            at = left < (uint64_t)got ? (size_t)left : (size_t)got;
            left -= at;
        } else {
            for (; left > 0 && at < (size_t)got; at++)
                left -= block[at] == delimiter;
        }
        if (left == 0)
            put(block + at, (size_t)got - at);
    }
    return got >= 0 && copy_rest(fd);
}

/* Finds from behind where the last lines of a seekable file begin, and leaves the descriptor there. */
static bool seek_last_lines(int fd, off_t start, off_t end)
{
    uint64_t left = count;
    for (off_t stop = end; stop > start;) {
        off_t from = stop - start > READ_SIZE ? stop - READ_SIZE : start;
        if (lseek(fd, from, SEEK_SET) < 0)
            return false;
        size_t size = 0;
        while (size < (size_t)(stop - from)) {
            ssize_t got = read_some(fd, block + size, (size_t)(stop - from) - size);
            if (got < 0)
                return false;
            if (got == 0)
                break;
            size += (size_t)got;
        }
        for (size_t at = size; at > 0; at--) {
            bool last_byte = stop == end && at == size;
            if (block[at - 1] == delimiter && !last_byte && --left == 0)
                return lseek(fd, from + (off_t)at, SEEK_SET) >= 0;
        }
        stop = from;
    }
    return lseek(fd, start, SEEK_SET) >= 0;
}

static size_t last_part(const char *text, size_t size)
{
    if (by_bytes)
        return size > count ? size - (size_t)count : 0;
    uint64_t left = count;
    for (size_t at = size; at > 0; at--)
        if (text[at - 1] == delimiter && at < size && --left == 0)
            return at;
    return 0;
}

/* The last part of what comes through a pipe: as much is held as can still belong to it. */
static bool hold_last(int fd)
{
    char *hold = NULL;
    size_t held = 0, room = 0;
    ssize_t got;
    for (;;) {
        if (room - held < READ_SIZE) {
            size_t gone = last_part(hold, held);
            if (gone > 0)
                memmove(hold, hold + gone, held - gone);
            held -= gone;
            if (held + READ_SIZE > room / 2)
                hold = reallocate(hold, room = room * 2 + (1 << 20));
        }
        got = read_some(fd, hold + held, READ_SIZE);
        if (got <= 0)
            break;
        held += (size_t)got;
    }
    int code = errno;
    size_t gone = last_part(hold, held);
    put(hold + gone, held - gone);
    free(hold);
    errno = code;
    return got == 0;
}

static bool print_tail(int fd)
{
    struct stat status;
    if (from_start)
        return skip_first(fd);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        off_t start = lseek(fd, 0, SEEK_CUR);
        if (start >= 0 && start <= status.st_size) {
            if (count == 0)
                return lseek(fd, 0, SEEK_END) >= 0;
            if (by_bytes) {
                if ((uint64_t)(status.st_size - start) > count)
                    lseek(fd, status.st_size - (off_t)count, SEEK_SET);
            } else if (!seek_last_lines(fd, start, status.st_size)) {
                return false;
            }
            return copy_rest(fd);
        }
    }
    return count == 0 ? true : hold_last(fd);
}

static const char *shown_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

static void remember(struct followed *file)
{
    struct stat status;
    file->at = lseek(file->fd, 0, SEEK_CUR);
    file->seekable = file->at >= 0;
    if (fstat(file->fd, &status) == 0) {
        file->device = status.st_dev;
        file->number = status.st_ino;
    }
}

/* By name: notices that the file was replaced, or is there at last. */
static void look_again(struct followed *file)
{
    struct stat status;
    if (strcmp(file->name, "-") == 0)
        return;
    if (stat(file->name, &status) != 0) {
        if (file->fd >= 0) {
            applet_warn("%s has become inaccessible", quote_name(file->name));
            close(file->fd);
            file->fd = -1;
        }
        return;
    }
    if (file->fd >= 0 && status.st_dev == file->device && status.st_ino == file->number)
        return;
    int fd = open_input(file->name);
    if (fd < 0)
        return;
    applet_warnx(file->fd < 0 ? "%s has appeared;  following new file" : "%s has been replaced;  following new file",
                 quote_name(file->name));
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    remember(file);
}

static int follow(struct followed *files, int file_count, double interval, bool by_name, bool titled)
{
    int last = file_count - 1;
    struct timespec pause = {.tv_sec = (time_t)interval, .tv_nsec = (long)((interval - (double)(time_t)interval) * 1e9)};
    for (;;) {
        int alive = 0;
        for (int i = 0; i < file_count; i++) {
            struct followed *file = &files[i];
            if (by_name)
                look_again(file);
            alive += file->fd >= 0 || by_name;
            if (file->fd < 0)
                continue;
            struct stat status;
            if (file->seekable && fstat(file->fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < file->at) {
                applet_warnx("%s: file truncated", file->name);
                lseek(file->fd, 0, SEEK_SET);
            }
            ssize_t got;
            while ((got = read_some(file->fd, block, sizeof block)) > 0) {
                if (titled && last != i)
                    printf("\n==> %s <==\n", shown_name(file->name));
                last = i;
                put(block, (size_t)got);
            }
            if (got < 0) {
                applet_warn("error reading %s", quote_name(file->name));
                close(file->fd);
                file->fd = -1;
                continue;
            }
            if (file->seekable)
                file->at = lseek(file->fd, 0, SEEK_CUR);
        }
        if (fflush(stdout) != 0)
            return 1;
        if (alive == 0) {
            applet_warnx("no files remaining");
            return 1;
        }
        nanosleep(&pause, NULL);
    }
}

static void set_count(const char *text, bool bytes)
{
    by_bytes = bytes;
    from_start = *text == '+';
    if (*text == '+' || *text == '-')
        text++;
    if (!read_count(text, &count))
        applet_diex(1, "invalid number of %s: %s", bytes ? "bytes" : "lines", quote_word(text));
}

/* The old forms -5, +5, -5c, +5cf as the first argument; false when it is no such thing. */
static bool old_form(const char *word, bool *following)
{
    if ((*word != '-' && *word != '+') || !isdigit((unsigned char)word[1]))
        return false;
    size_t digits = strspn(word + 1, "0123456789");
    const char *letters = word + 1 + digits;
    char number[40];
    snprintf(number, sizeof number, "%.*s", (int)digits + 1, word);
    bool bytes = false;
    if (*letters == 'c' || *letters == 'l' || *letters == 'b') {
        bytes = *letters != 'l';
        if (*letters == 'b')
            strncat(number, "b", sizeof number - strlen(number) - 1);
        letters++;
    }
    if (*letters == 'f') {
        *following = true;
        letters++;
    }
    if (*letters != '\0')
        return false;
    set_count(number, bytes);
    return true;
}

int tail_main(int argc, char **argv)
{
    enum { RETRY = 1 };
    static const struct long_option longs[] = {
        {"bytes", 'c', NEEDS_ARGUMENT}, {"follow", 'f', MAY_HAVE_ARGUMENT}, {"lines", 'n', NEEDS_ARGUMENT},
        {"quiet", 'q', NO_ARGUMENT}, {"silent", 'q', NO_ARGUMENT}, {"retry", RETRY, NO_ARGUMENT},
        {"sleep-interval", 's', NEEDS_ARGUMENT}, {"verbose", 'v', NO_ARGUMENT}, {"zero-terminated", 'z', NO_ARGUMENT}, {0}};
    static const char *const follow_words[] = {"descriptor", "name", NULL};
    bool following = false, by_name = false;
    int headers = 0;
    double interval = 1;
    if (argc > 1 && argc <= 3 && old_form(argv[1], &following)) {
        argv++;
        argc--;
    }
    struct options options;
    options_start(&options, argc, argv, "c:fFn:qs:vz0123456789", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        switch (code) {
        case 'c': case 'n': set_count(options.argument, code == 'c'); break;
        case 'f':
            following = true;
            by_name = options.argument != NULL && options_choice("follow", options.argument, follow_words) == 1;
            break;
        case 'F': following = by_name = true; break;
        case 'q': headers = -1; break;
        case 'v': headers = 1; break;
        case 'z': delimiter = '\0'; break;
        case RETRY: by_name |= following; break;
        case 's': {
            char *end;
            interval = strtod(options.argument, &end);
            if (end == options.argument || *end != '\0' || !(interval >= 0) || interval > 1e9)
                applet_diex(1, "invalid number of seconds: %s", quote_word(options.argument));
            break;
        }
        default: applet_diex(1, "option used in invalid context -- %c", code);
        }
    }
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "-";
    bool titled = headers > 0 || (headers == 0 && options.operand_count > 1), first = true;
    struct followed *files = allocate((size_t)options.operand_count * sizeof *files);
    int status = 0;
    for (int i = 0; i < options.operand_count; i++) {
        const char *name = options.operands[i];
        struct followed *file = &files[i];
        *file = (struct followed){.name = name, .fd = open_input(name)};
        if (file->fd < 0) {
            applet_warn("cannot open %s for reading", quote_name(name));
            status = 1;
            continue;
        }
        if (titled)
            printf("%s==> %s <==\n", first ? "" : "\n", shown_name(name));
        first = false;
        bool ok = print_tail(file->fd);
        if (!ok) {
            applet_warn("error reading %s", quote_name(shown_name(name)));
            status = 1;
        }
        remember(file);
        if ((!following || !ok) && file->fd != STDIN_FILENO) {
            close(file->fd);
            file->fd = -1;
        }
    }
    if (!following)
        return status;
    fflush(stdout);
    return follow(files, options.operand_count, interval, by_name, titled);
}
