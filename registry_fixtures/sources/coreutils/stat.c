/* stat: display file status. */
#include <stdio.h>
#include <string.h>

#include "applet.h"
#include "file_mode.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"
#include "stat_format.h"

enum { PRINTF = 256, CACHED };

static const char default_format[] =
    "  File: %N\n"
    "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
    "Device: %Hd,%Ld\tInode: %-10i  Links: %h\n"
    "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w\n";
static const char device_format[] =
    "  File: %N\n"
    "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
    "Device: %Hd,%Ld\tInode: %-10i  Links: %-5h Device type: %Hr,%Lr\n"
    "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w\n";
static const char terse_format[] = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n";

const char stat_help[] =
    "Usage: stat [OPTION]... FILE...\n"
    "\n"
    "  -L, --dereference                follow links\n"
    "  -f, --file-system                display file system status (not available here)\n"
    "  -c, --format=VALUE               use the specified format, with a newline after each\n"
    "      --printf=VALUE               like --format, but interpret backslash escapes, no newline\n"
    "  -t, --terse                      print the information in terse form\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int stat_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'L', "dereference", NO_ARGUMENT},
        {'f', "file-system", NO_ARGUMENT},
        {'c', "format", REQUIRED_ARGUMENT},
        {PRINTF, "printf", REQUIRED_ARGUMENT},
        {CACHED, "cached", REQUIRED_ARGUMENT},
        {'t', "terse", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    bool follow = false, file_system = false, escapes = false, terse = false;
    const char *format = NULL;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'L': follow = true; break;
            case 'f': file_system = true; break;
            case 'c': format = scan.argument, escapes = false; break;
            case PRINTF: format = scan.argument, escapes = true; break;
            case 't': terse = true; break;
        }
    }
    if (!scan.operand_count) option_error(&scan, "missing operand");
    int result = 0;
    for (int i = 1; i <= scan.operand_count; i++) {
        struct stat status;
        if (path_is_empty(argv[i]) || (follow ? stat(argv[i], &status) : lstat(argv[i], &status))) {
            applet_warn(file_system ? "cannot read file system information for %s" : "cannot statx %s", quoted(argv[i]));
            result = 1;
        } else if (file_system) {
            applet_warnx("cannot read file system information for %s: the system does not tell it", quoted(argv[i]));
            result = 1;
        } else if (format) {
            stat_print(format, escapes, argv[i], &status);
            if (!escapes) putchar('\n');
        } else {
            bool device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
            stat_print(terse ? terse_format : device ? device_format : default_format, false, argv[i], &status);
        }
    }
    return applet_close_stdout(result);
}
