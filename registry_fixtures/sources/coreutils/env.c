/* env: the environment, changed and printed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"

const char env_help[] =
    "Usage: env [OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]\n"
    "Set each NAME to VALUE in the environment and print it, or run COMMAND in it\n"
    "where the system can run commands.\n\n"
    "  -C, --chdir=DIR           change working directory to DIR\n"
    "  -i, --ignore-environment  start with an empty environment\n"
    "  -0, --null                end each output line with NUL, not newline\n"
    "  -u, --unset=NAME          remove variable from the environment\n"
    "  -v, --debug               print verbose information for each processing step\n\n"
    "A mere - implies -i.\n";

extern char **environ;

static int run(char **command)
{
#ifdef __wasi__
    applet_warnx("cannot run %s: this program cannot start others", quote_name(command[0]));
    return 126;
#else
    execvp(command[0], command);
    int status = errno == ENOENT ? 127 : 126;
    applet_warn("%s", quote_name(command[0]));
    return status;
#endif
}

int env_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"ignore-environment", 'i', NO_ARGUMENT}, {"null", '0', NO_ARGUMENT}, {"unset", 'u', NEEDS_ARGUMENT},
        {"chdir", 'C', NEEDS_ARGUMENT}, {"debug", 'v', NO_ARGUMENT}, {0}};
    static char *nothing[] = {NULL};
    struct options options;
    const char *directory = NULL, **unset = calloc((size_t)argc + 1, sizeof *unset);
    int unset_count = 0;
    bool empty = false, debug = false;
    char end = '\n';
    if (unset == NULL)
        applet_diex(125, "memory exhausted");
    options_start(&options, argc, argv, "+0C:iu:v", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        switch (code) {
        case '0': end = '\0'; break;
        case 'C': directory = options.argument; break;
        case 'i': empty = true; break;
        case 'u': unset[unset_count++] = options.argument; break;
        case 'v': debug = true; break;
        }
    }
    char **word = options.operands;
    if (*word != NULL && strcmp(*word, "-") == 0) {
        empty = true;
        word++;
    }
    if (empty) {
        if (debug)
            fputs("cleaning environ\n", stderr);
        environ = nothing;
    }
    for (int i = 0; i < unset_count; i++) {
        if (debug)
            fprintf(stderr, "unset:    %s\n", unset[i]);
        if (unsetenv(unset[i]) != 0)
            applet_die(125, "cannot unset %s", quote_word(unset[i]));
    }
    for (; *word != NULL && strchr(*word, '=') != NULL; word++) {
        if (debug)
            fprintf(stderr, "setenv:   %s\n", *word);
        if (**word == '=') {
            errno = EINVAL;
            applet_die(125, "cannot set %s", quote_word(*word));
        }
        if (putenv(*word) != 0)
            applet_die(125, "cannot set %s", quote_word(*word));
    }
    if (*word != NULL && end == '\0') {
        applet_warnx("cannot specify --null (-0) with command");
        applet_try_help();
    }
    if (directory != NULL && *word == NULL) {
        applet_warnx("must specify command with --chdir (-C)");
        applet_try_help();
    }
    if (directory != NULL && chdir(directory) != 0)
        applet_die(125, "cannot change directory to %s", quote_name(directory));
    if (*word != NULL)
        return run(word);
    for (char **variable = environ; *variable != NULL; variable++) {
        fputs(*variable, stdout);
        putchar(end);
    }
    return 0;
}
