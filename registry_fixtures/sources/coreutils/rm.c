/* rm: remove files or directories. */
#include <stdio.h>
#include <string.h>

#include "applet.h"
#include "confirm.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"
#include "remove_tree.h"

enum { INTERACTIVE = 256, NO_PRESERVE_ROOT, PRESERVE_ROOT, ONE_FILE_SYSTEM };
enum asking { ASK_NEVER, ASK_ONCE, ASK_ALWAYS };

static enum asking asking_from(const struct option_scan *scan) {
    const char *when = scan->argument ? scan->argument : "always";
    if (!strcmp(when, "never") || !strcmp(when, "no") || !strcmp(when, "none")) return ASK_NEVER;
    if (!strcmp(when, "once")) return ASK_ONCE;
    if (!strcmp(when, "always") || !strcmp(when, "yes")) return ASK_ALWAYS;
    option_error(scan, "invalid argument %s for '--interactive'\nValid arguments are:\n  - 'never', 'no', 'none'\n  - 'once'\n  - 'always', 'yes'", quoted(when));
}

/* Whether rm refuses the operand, after a message. */
static bool refused(const char *path, bool recursive, bool removes_directories, bool preserve_root) {
    if (removes_directories && path_is_dots(path)) {
        applet_warnx("refusing to remove '.' or '..' directory: skipping %s", quoted(path));
        return true;
    }
    if (*path && path[strspn(path, "/")] == 0 && recursive && preserve_root) {
        if (path[1]) applet_warnx("it is dangerous to operate recursively on %s (same as '/')", quoted(path));
        else applet_warnx("it is dangerous to operate recursively on '/'");
        applet_warnx("use --no-preserve-root to override this failsafe");
        return true;
    }
    return false;
}

const char rm_help[] =
    "Usage: rm [OPTION]... [FILE]...\n"
    "\n"
    "  -f, --force                      ignore nonexistent files and arguments, never prompt\n"
    "  -i                               prompt before every removal\n"
    "  -I                               prompt once before removing more than three files, or recursively\n"
    "      --interactive[=VALUE]        prompt: never, once (-I) or always (-i)\n"
    "      --no-preserve-root           do not treat '/' specially\n"
    "      --preserve-root[=VALUE]      do not remove '/' (default)\n"
    "  -r, --recursive                  remove directories and their contents recursively\n"
    "  -R                               the same\n"
    "  -d, --dir                        remove empty directories\n"
    "  -v, --verbose                    explain what is being done\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int rm_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'f', "force", NO_ARGUMENT},
        {'i', NULL, NO_ARGUMENT},
        {'I', NULL, NO_ARGUMENT},
        {INTERACTIVE, "interactive", OPTIONAL_ARGUMENT},
        {ONE_FILE_SYSTEM, "one-file-system", NO_ARGUMENT},
        {NO_PRESERVE_ROOT, "no-preserve-root", NO_ARGUMENT},
        {PRESERVE_ROOT, "preserve-root", OPTIONAL_ARGUMENT},
        {'r', "recursive", NO_ARGUMENT},
        {'R', NULL, NO_ARGUMENT},
        {'d', "dir", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1, .dash_hint = "remove"};
    struct removal how = {0};
    enum asking asking = ASK_NEVER;
    bool preserve_root = true;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'f': how.force = true, asking = ASK_NEVER; break;
            case 'i': how.force = false, asking = ASK_ALWAYS; break;
            case 'I': how.force = false, asking = ASK_ONCE; break;
            case INTERACTIVE: asking = asking_from(&scan); break;
            case NO_PRESERVE_ROOT: preserve_root = false; break;
            case PRESERVE_ROOT: preserve_root = true; break;
            case 'r':
            case 'R': how.recursive = true; break;
            case 'd': how.directories = true; break;
            case 'v': how.verbose = true; break;
        }
    }
    if (!scan.operand_count) {
        if (how.force) return 0;
        option_error(&scan, "missing operand");
    }
    how.ask = asking == ASK_ALWAYS;
    if (asking == ASK_ONCE && (how.recursive || scan.operand_count > 3)) {
        const char *plural = scan.operand_count == 1 ? "argument" : "arguments";
        if (!confirm("remove %d %s%s? ", scan.operand_count, plural, how.recursive ? " recursively" : "")) return 0;
    }
    int status = 0;
    for (int i = 1; i <= scan.operand_count; i++) {
        if (refused(argv[i], how.recursive, how.recursive || how.directories, preserve_root) || !remove_tree(argv[i], &how)) status = 1;
    }
    return applet_close_stdout(status);
}
