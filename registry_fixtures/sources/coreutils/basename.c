/* basename: the last part of a path. */
#include <stdio.h>
#include <string.h>

#include "applet.h"
#include "options.h"

const char basename_help[] =
    "Usage: basename NAME [SUFFIX]\n"
    "  or:  basename OPTION... NAME...\n"
    "Print NAME with any leading directory components removed.\n"
    "If specified, also remove a trailing SUFFIX.\n\n"
    "  -a, --multiple       support multiple arguments and treat each as a NAME\n"
    "  -s, --suffix=SUFFIX  remove a trailing SUFFIX; implies -a\n"
    "  -z, --zero           end each output line with NUL, not newline\n";

static void print_last(const char *path, const char *suffix, char end)
{
    size_t stop = strlen(path);
    while (stop > 1 && path[stop - 1] == '/')
        stop--;
    size_t start = stop;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == stop && stop > 0)
        start = stop - 1; /* nothing but slashes: one of them */
    size_t length = stop - start, cut = suffix != NULL ? strlen(suffix) : 0;
    if (cut > 0 && cut < length && memcmp(path + stop - cut, suffix, cut) == 0)
        length -= cut;
    fwrite(path + start, 1, length, stdout);
    putchar(end);
}

int basename_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"multiple", 'a', NO_ARGUMENT}, {"suffix", 's', NEEDS_ARGUMENT}, {"zero", 'z', NO_ARGUMENT}, {0}};
    struct options options;
    options_start(&options, argc, argv, "+as:z", longs);
    bool multiple = false;
    const char *suffix = NULL;
    char end = '\n';
    for (int code; (code = options_next(&options)) != -1;) {
        multiple |= code == 'a' || code == 's';
        if (code == 's')
            suffix = options.argument;
        if (code == 'z')
            end = '\0';
    }
    if (options.operand_count == 0) {
        applet_warnx("missing operand");
        applet_try_help();
    }
    if (!multiple && options.operand_count > 2) {
        applet_warnx("extra operand %s", quote_word(options.operands[2]));
        applet_try_help();
    }
    if (!multiple) {
        print_last(options.operands[0], options.operands[1], end);
        return 0;
    }
    for (int i = 0; i < options.operand_count; i++)
        print_last(options.operands[i], suffix, end);
    return 0;
}
