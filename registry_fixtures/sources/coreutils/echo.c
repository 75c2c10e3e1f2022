/* echo: its arguments. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "applet.h"
#include "escapes.h"

const char echo_help[] =
    "Usage: echo [SHORT-OPTION]... [STRING]...\n"
    "  or:  echo LONG-OPTION\n"
    "Echo the STRING(s) to standard output.\n\n"
    "  -n     do not output the trailing newline\n"
    "  -e     enable interpretation of backslash escapes\n"
    "  -E     disable interpretation of backslash escapes (default)\n\n"
    "With -e: \\\\ \\a \\b \\c (no further output) \\e \\f \\n \\r \\t \\v \\0NNN \\xHH\n";

int echo_main(int argc, char **argv)
{
    bool newline = true, escapes = false;
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0' && argv[i][strspn(argv[i] + 1, "neE") + 1] == '\0'; i++)
        for (const char *letter = argv[i] + 1; *letter != '\0'; letter++) {
            if (*letter == 'n')
                newline = false;
            else
                escapes = *letter == 'e';
        }
    for (int first = i; i < argc; i++) {
        if (i > first)
            putchar(' ');
        if (!escapes)
            fputs(argv[i], stdout);
        else if (!print_escaped(argv[i]))
            return 0;
    }
    if (newline)
        putchar('\n');
    return 0;
}
