/* rmdir: remove empty directories. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"

enum { IGNORE_NON_EMPTY = 256 };

static bool remove_one(const char *path, bool is_parent, bool ignore_non_empty, bool verbose) {
    if (verbose) printf("%s: removing directory, %s\n", applet_name, quoted(path));
    if (!path_remove_directory(path)) return true;
    if (ignore_non_empty && (errno == ENOTEMPTY || errno == EEXIST)) return false;
    applet_warn(is_parent ? "failed to remove directory %s" : "failed to remove %s", quoted(path));
    return false;
}

const char rmdir_help[] =
    "Usage: rmdir [OPTION]... DIRECTORY...\n"
    "\n"
    "      --ignore-fail-on-non-empty   ignore each failure that is solely because a directory is non-empty\n"
    "  -p, --parents                    remove DIRECTORY and its ancestors; 'rmdir -p a/b' is like 'rmdir a/b a'\n"
    "  -v, --verbose                    output a diagnostic for every directory processed\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int rmdir_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {IGNORE_NON_EMPTY, "ignore-fail-on-non-empty", NO_ARGUMENT},
        {'p', "parents", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    bool parents = false, verbose = false, ignore_non_empty = false;
    for (int option; (option = option_next(&scan));) {
        if (option == 'p') parents = true;
        else if (option == 'v') verbose = true;
        else ignore_non_empty = true;
    }
    if (!scan.operand_count) option_error(&scan, "missing operand");
    int status = 0;
    for (int i = 1; i <= scan.operand_count; i++) {
        char *path = copy_string(argv[i]);
        bool removed = remove_one(path, false, ignore_non_empty, verbose);
        if (!removed && !(ignore_non_empty && (errno == ENOTEMPTY || errno == EEXIST))) status = 1;
        if (parents) path_strip_slashes(path);
        while (removed && parents && path_base(path) != path) {
            char *parent = path_parent(path);
            free(path);
            path = parent;
            if (path[0] == '/' && !path[1]) break;
            removed = remove_one(path, true, ignore_non_empty, verbose);
            if (!removed && !(ignore_non_empty && (errno == ENOTEMPTY || errno == EEXIST))) status = 1;
        }
        free(path);
    }
    return applet_close_stdout(status);
}
