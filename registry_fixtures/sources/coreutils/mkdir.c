/* mkdir: make directories. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "allocate.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"

static void report(const char *path) { printf("%s: created directory %s\n", applet_name, quoted(path)); }

/* Makes the missing parents of path, not path itself. False after a message. */
static bool make_parents(const char *path, bool verbose) {
    char *part = copy_string(path);
    path_strip_slashes(part);
    bool made = true;
    for (char *at = part + strspn(part, "/"); made && (at = strchr(at, '/')); at += strspn(at, "/")) {
        *at = 0;
        if (!path_is_directory(part)) {
            if (!mkdir(part, 0777)) {
                if (verbose) report(part);
            } else if (errno != EEXIST || !path_is_directory(part)) {
                if (errno == EEXIST) errno = ENOTDIR;
                applet_warn("cannot create directory %s", quoted(part));
                made = false;
            }
        }
        *at = '/';
    }
    free(part);
    return made;
}

static bool make_one(const char *path, bool parents, bool verbose) {
    if (parents && !make_parents(path, verbose)) return false;
    if (!path_is_empty(path) && !mkdir(path, 0777)) {
        if (verbose) report(path);
        return true;
    }
    int error = errno;
    if (parents && path_is_directory(path)) return true;
    errno = error;
    applet_warn("cannot create directory %s", quoted(path));
    return false;
}

/* Whether chmod would take the text: octal, or clauses such as u=rwx,go-w. */
static bool is_mode(const char *text) {
    size_t digits = strspn(text, "01234567");
    if (digits && !text[digits]) return digits <= 5;
    for (;;) {
        text += strspn(text, "ugoa");
        if (!*text || !strchr("+-=", *text)) return false;
        while (*text && strchr("+-=", *text)) text += 1 + strspn(text + 1, "rwxXstugo");
        if (!*text) return true;
        if (*text++ != ',') return false;
    }
}

const char mkdir_help[] =
    "Usage: mkdir [OPTION]... DIRECTORY...\n"
    "\n"
    "  -m, --mode=VALUE                 set file mode (accepted: files here have no modes)\n"
    "  -p, --parents                    no error if existing, make parent directories as needed\n"
    "  -v, --verbose                    print a message for each created directory\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int mkdir_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'m', "mode", REQUIRED_ARGUMENT},
        {'p', "parents", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    bool parents = false, verbose = false;
    for (int option; (option = option_next(&scan));) {
        if (option == 'p') parents = true;
        else if (option == 'v') verbose = true;
        else if (!is_mode(scan.argument)) applet_diex(1, "invalid mode %s", quoted(scan.argument));
    }
    if (!scan.operand_count) option_error(&scan, "missing operand");
    int status = 0;
    for (int i = 1; i <= scan.operand_count; i++) status |= !make_one(argv[i], parents, verbose);
    return applet_close_stdout(status);
}
