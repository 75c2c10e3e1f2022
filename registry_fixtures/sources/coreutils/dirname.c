/* dirname: a path without its last part. */
#include <stdio.h>
#include <string.h>

#include "applet.h"
#include "options.h"

const char dirname_help[] =
    "Usage: dirname [OPTION] NAME...\n"
    "Output each NAME with its last non-slash component and trailing slashes\n"
    "removed; if NAME contains no /'s, output '.' (meaning the current directory).\n\n"
    "  -z, --zero     end each output line with NUL, not newline\n";

int dirname_main(int argc, char **argv)
{
    static const struct long_option longs[] = {{"zero", 'z', NO_ARGUMENT}, {0}};
    struct options options;
    options_start(&options, argc, argv, "+z", longs);
    char end = '\n';
    while (options_next(&options) != -1)
        end = '\0';
    if (options.operand_count == 0) {
        applet_warnx("missing operand");
        applet_try_help();
    }
    for (int i = 0; i < options.operand_count; i++) {
        const char *path = options.operands[i];
        size_t stop = strlen(path);
        while (stop > 1 && path[stop - 1] == '/')
            stop--;
        while (stop > 0 && path[stop - 1] != '/')
            stop--;
        while (stop > 1 && path[stop - 1] == '/')
            stop--;
        if (stop > 0)
            fwrite(path, 1, stop, stdout);
        else
            putchar('.');
        putchar(end);
    }
    return 0;
}
