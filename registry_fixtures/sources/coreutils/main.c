/* The multi-call frame: finds the applet by the name it was called by, or by its first argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "working_directory.h"

#ifndef COREUTILS_VERSION
#define COREUTILS_VERSION "1.0.0"
#endif

/* A module may be built of some of the applets only: those that are absent are null here. */
#define EACH_APPLET(X)                                                                                         \
    X(basename) X(cat) X(cp) X(cut) X(date) X(dirname) X(echo) X(env) X(false) X(find) X(grep) X(head) X(ln)    \
    X(ls) X(mkdir) X(mv) X(printf) X(pwd) X(rm) X(rmdir) X(seq) X(sha256sum) X(sleep) X(sort) X(stat) X(tail)   \
    X(tee) X(test) X(touch) X(tr) X(true) X(uniq) X(wc) X(yes)

#define DECLARE(name)                                       \
    extern applet_main name##_main __attribute__((weak));   \
    extern const char name##_help[] __attribute__((weak));
EACH_APPLET(DECLARE)

struct applet {
    const char *name;
    applet_main *run;
    const char *help;
};

#define ROW(name) {#name, name##_main, name##_help},
static const struct applet applets[] = {EACH_APPLET(ROW){"[", test_main, test_help}};

enum { APPLET_COUNT = sizeof applets / sizeof *applets };

static const struct applet *current;

static const struct applet *find_applet(const char *name)
{
    for (size_t i = 0; i < APPLET_COUNT; i++)
        if (applets[i].run != NULL && strcmp(applets[i].name, name) == 0)
            return &applets[i];
    return NULL;
}

void applet_print_help(void)
{
    if (current->help != NULL)
        fputs(current->help, stdout);
    else
        printf("Usage: %s [OPTION]... [ARGUMENT]...\n", applet_name);
    exit(applet_close_stdout(0));
}

void applet_print_version(void)
{
    printf("%s (wpm coreutils) %s\n", applet_name, COREUTILS_VERSION);
    exit(applet_close_stdout(0));
}

/* These take `--help` only when it is their one argument, and `test` never: there it is a string like any other. */
static void answer_lone_option(int argc, char **argv)
{
    if (argc != 2 || strcmp(applet_name, "test") == 0)
        return;
    if (strcmp(argv[1], "--help") == 0)
        applet_print_help();
    if (strcmp(argv[1], "--version") == 0)
        applet_print_version();
}

static void list_applets(FILE *stream)
{
    for (size_t i = 0; i < APPLET_COUNT; i++)
        if (applets[i].run != NULL)
            fprintf(stream, "%s\n", applets[i].name);
}

static const char *after_last_slash(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    enter_working_directory();
    setvbuf(stdout, buffer, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof buffer);

    applet_name = argc > 0 ? after_last_slash(argv[0]) : "coreutils";
    char *suffix = strstr(applet_name, ".wasm");
    if (suffix != NULL && suffix[5] == '\0')
        *suffix = '\0';
    current = find_applet(applet_name);
    if (current == NULL) {
        if (argc < 2 || strcmp(argv[1], "--help") == 0) {
            FILE *stream = argc < 2 ? stderr : stdout;
            fprintf(stream, "Usage: coreutils COMMAND [ARGUMENT]...\nCommands:\n");
            list_applets(stream);
            return argc < 2 ? 2 : applet_close_stdout(0);
        }
        if (strcmp(argv[1], "--list") == 0) {
            list_applets(stdout);
            return applet_close_stdout(0);
        }
        if (strcmp(argv[1], "--version") == 0) {
            printf("coreutils (wpm coreutils) %s\n", COREUTILS_VERSION);
            return applet_close_stdout(0);
        }
        applet_name = "coreutils";
        current = find_applet(after_last_slash(argv[1]));
        if (current == NULL)
            applet_diex(1, "%s: no such command; 'coreutils --list' names them", quote_word(argv[1]));
        argc--;
        argv++;
        applet_name = current->name;
    }
    answer_lone_option(argc, argv);
    return applet_close_stdout(current->run(argc, argv));
}
