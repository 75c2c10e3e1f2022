/* sha256sum: prints and checks SHA-256 sums of files. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"
#include "sha256.h"

const char sha256sum_help[] =
    "Usage: sha256sum [OPTION]... [FILE]...\n"
    "Print or check SHA256 (256-bit) checksums.\n\n"
    "With no FILE, or when FILE is -, read standard input.\n\n"
    "  -b, --binary          read in binary mode\n"
    "  -c, --check           read checksums from the FILEs and check them\n"
    "      --tag             create a BSD-style checksum\n"
    "  -t, --text            read in text mode (default)\n"
    "  -z, --zero            end each output line with NUL, not newline, and disable file name escaping\n\n"
    "The following five options are useful only when verifying checksums:\n"
    "      --ignore-missing  don't fail or report status for missing files\n"
    "      --quiet           don't print OK for each successfully verified file\n"
    "      --status          don't output anything, status code shows success\n"
    "      --strict          exit non-zero for improperly formatted checksum lines\n"
    "  -w, --warn            warn about improperly formatted checksum lines\n";

static bool ignore_missing, quiet, silent, strict, warn_lines;

/* The sum of a file in hexadecimal; false with errno. */
static bool sum_file(const char *name, char hex[65])
{
    static char block[READ_SIZE];
    struct sha256 hash;
    int fd = open_input(name);
    if (fd < 0)
        return false;
    sha256_start(&hash);
    ssize_t got;
    while ((got = read_some(fd, block, sizeof block)) > 0)
        sha256_take(&hash, block, (size_t)got);
    int code = errno;
    if (fd != STDIN_FILENO)
        close(fd);
    errno = code;
    if (got < 0)
        return false;
    unsigned char digest[32];
    sha256_finish(&hash, digest);
    for (int i = 0; i < 32; i++)
        sprintf(hex + i * 2, "%02x", digest[i]);
    return true;
}

static void print_name(const char *name, bool escaped)
{
    for (; *name != '\0'; name++) {
        if (escaped && *name == '\\')
            fputs("\\\\", stdout);
        else if (escaped && *name == '\n')
            fputs("\\n", stdout);
        else if (escaped && *name == '\r')
            fputs("\\r", stdout);
        else
            putchar(*name);
    }
}

static void unescape(char *name)
{
    char *to = name;
    for (; *name != '\0'; name++)
        *to++ = *name != '\\' ? *name : *++name == 'n' ? '\n' : *name == 'r' ? '\r' : '\\';
    *to = '\0';
}

static bool all_hex(const char *text)
{
    for (int i = 0; i < 64; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

/* Takes a line of a sum file apart, in either of its two forms. */
static bool parse_line(char *line, size_t length, const char **hex, char **name)
{
    static const char tag[] = "SHA256 (";
    while (isspace((unsigned char)*line)) {
        line++;
        length--;
    }
    bool escaped = *line == '\\';
    line += escaped;
    length -= escaped;
    if (strncmp(line, tag, sizeof tag - 1) == 0) {
        if (length < sizeof tag + 68 || !all_hex(line + length - 64) || memcmp(line + length - 68, ") = ", 4) != 0)
            return false;
        line[length - 68] = '\0';
        *name = line + sizeof tag - 1;
        *hex = line + length - 64;
    } else {
        if (length < 67 || !all_hex(line) || line[64] != ' ' || (line[65] != ' ' && line[65] != '*'))
            return false;
        *hex = line;
        *name = line + 66;
    }
    if (escaped)
        unescape(*name);
    return true;
}

static bool check_list(const char *list)
{
    struct reader reader;
    bool is_stdin = strcmp(list, "-") == 0;
    const char *shown = is_stdin ? "'standard input'" : quote_name_if_needed(list);
    if (!reader_open(&reader, list)) {
        applet_warn("%s", shown);
        return false;
    }
    unsigned long number = 0, good = 0, bad_lines = 0, unread = 0, wrong = 0, matched = 0;
    char *line;
    size_t length;
    while (reader_line(&reader, '\n', &line, &length)) {
        number++;
        if (*line == '#')
            continue;
        char *copy = allocate(length + 1), *name;
        const char *expected;
        memcpy(copy, line, length);
        length -= copy[length - 1] == '\n';
        length -= length > 0 && copy[length - 1] == '\r';
        copy[length] = '\0';
        if (length == 0 || !parse_line(copy, length, &expected, &name) || (is_stdin && strcmp(name, "-") == 0)) {
            if (length > 0) {
                bad_lines++;
                if (warn_lines)
                    applet_warnx("%s: %lu: improperly formatted SHA256 checksum line", shown, number);
            }
            free(copy);
            continue;
        }
        good++;
        char actual[65];
        bool escaped = strpbrk(name, "\n\r") != NULL;
        if (!sum_file(name, actual)) {
            if (!(ignore_missing && errno == ENOENT)) {
                applet_warn("%s", quote_name_if_needed(name));
                unread++;
                if (!silent) {
                    print_name(name, escaped);
                    puts(": FAILED open or read");
                }
            }
        } else {
            bool same = strncasecmp(expected, actual, 64) == 0;
            matched += same;
            wrong += !same;
            if (!silent && !(same && quiet)) {
                fputs(escaped ? "\\" : "", stdout);
                print_name(name, escaped);
                puts(same ? ": OK" : ": FAILED");
            }
        }
        free(copy);
    }
    int failure = reader.failure;
    reader_close(&reader);
    if (failure != 0) {
        errno = failure;
        applet_warn("%s", shown);
        return false;
    }
    if (good == 0) {
        applet_warnx("%s: no properly formatted checksum lines found", shown);
        return false;
    }
    if (!silent) {
        if (bad_lines > 0)
            applet_warnx(bad_lines == 1 ? "WARNING: %lu line is improperly formatted" : "WARNING: %lu lines are improperly formatted", bad_lines);
        if (unread > 0)
            applet_warnx(unread == 1 ? "WARNING: %lu listed file could not be read" : "WARNING: %lu listed files could not be read", unread);
        if (wrong > 0)
            applet_warnx(wrong == 1 ? "WARNING: %lu computed checksum did NOT match" : "WARNING: %lu computed checksums did NOT match", wrong);
        if (ignore_missing && matched == 0)
            applet_warnx("%s: no file was verified", shown);
    }
    return wrong == 0 && unread == 0 && !(strict && bad_lines > 0) && !(ignore_missing && matched == 0);
}

int sha256sum_main(int argc, char **argv)
{
    enum { TAG = 1, IGNORE_MISSING, QUIET, STATUS, STRICT };
    static const struct long_option longs[] = {
        {"binary", 'b', NO_ARGUMENT}, {"check", 'c', NO_ARGUMENT}, {"tag", TAG, NO_ARGUMENT}, {"text", 't', NO_ARGUMENT},
        {"zero", 'z', NO_ARGUMENT}, {"ignore-missing", IGNORE_MISSING, NO_ARGUMENT}, {"quiet", QUIET, NO_ARGUMENT},
        {"status", STATUS, NO_ARGUMENT}, {"strict", STRICT, NO_ARGUMENT}, {"warn", 'w', NO_ARGUMENT}, {0}};
    bool binary = false, check = false, tag = false;
    char end = '\n';
    const char *checking_option = NULL;
    struct options options;
    options_start(&options, argc, argv, "bctwz", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        if (code == 'b' || code == 't')
            binary = code == 'b';
        check |= code == 'c';
        tag |= code == TAG;
        if (code == 'z')
            end = '\0';
        ignore_missing |= code == IGNORE_MISSING;
        quiet |= code == QUIET;
        silent |= code == STATUS;
        strict |= code == STRICT;
        warn_lines |= code == 'w';
        if (code >= IGNORE_MISSING && code <= STRICT && checking_option == NULL)
            checking_option = options.long_name;
        else if (code == 'w' && checking_option == NULL)
            checking_option = "warn";
    }
    if (check && tag) {
        applet_warnx("the --tag option is meaningless when verifying checksums");
        applet_try_help();
    }
    if (check && end == '\0') {
        applet_warnx("the --zero option is not supported when verifying checksums");
        applet_try_help();
    }
    if (!check && checking_option != NULL) {
        applet_warnx("the --%s option is meaningful only when verifying checksums", checking_option);
        applet_try_help();
    }
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "-";
    int status = 0;
    for (int i = 0; i < options.operand_count; i++) {
        const char *name = options.operands[i];
        char hex[65];
        if (check) {
            status |= !check_list(name);
            continue;
        }
        if (!sum_file(name, hex)) {
            applet_warn("%s", quote_name_if_needed(name));
            status = 1;
            continue;
        }
        bool escaped = end == '\n' && strpbrk(name, "\\\n\r") != NULL;
        if (escaped)
            putchar('\\');
        if (tag)
            fputs("SHA256 (", stdout);
        else
            printf("%s %c", hex, binary ? '*' : ' ');
        print_name(name, escaped);
        if (tag)
            printf(") = %s", hex);
        putchar(end);
    }
    return status;
}
