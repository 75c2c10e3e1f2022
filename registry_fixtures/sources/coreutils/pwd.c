/* pwd: print the name of the current directory. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "allocate.h"
#include "file_mode.h"
#include "option_scan.h"

/* $PWD, if it is an absolute name without dots of the directory that "." is. */
static const char *logical_directory(void) {
    const char *name = getenv("PWD");
    struct stat named, here;
    if (!name || *name != '/' || stat(name, &named) || stat(".", &here) || !same_file(&named, &here)) return NULL;
    for (const char *at = strstr(name, "/."); at; at = strstr(at + 1, "/.")) {
        const char *end = at + (at[2] == '.' ? 3 : 2);
        if (!*end || *end == '/') return NULL;
    }
    return name;
}

const char pwd_help[] =
    "Usage: pwd [OPTION]...\n"
    "\n"
    "  -L, --logical                    use PWD from environment, even if it contains symlinks\n"
    "  -P, --physical                   resolve all symlinks (the default)\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int pwd_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'L', "logical", NO_ARGUMENT},
        {'P', "physical", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    bool logical = getenv("POSIXLY_CORRECT") != NULL;
    for (int option; (option = option_next(&scan));) logical = option == 'L';
    if (scan.operand_count) applet_warnx("ignoring non-option arguments");
    const char *name = logical_directory();
    char *resolved = NULL;
    if (!logical) {
        /* A program that starts under WASI believes to be in "/": what it was told in PWD is better, if true. */
        resolved = name ? realpath(name, NULL) : NULL;
        if (!name || resolved) name = resolved;
    }
    if (!name) {
        name = resolved = getcwd(NULL, 0);
        if (!name) applet_die(1, "cannot get the current directory");
    }
    puts(name);
    free(resolved);
    return applet_close_stdout(0);
}
