/* touch: change file times, and make files that are not there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "date_text.h"
#include "option_scan.h"
#include "applet.h"
#include "path_text.h"
#include "quote_name.h"

enum { TIME_OPTION = 256, NO_CREATE };

static bool touch_one(const char *path, const struct timespec times[2], bool create, bool follow) {
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    if (!strcmp(path, "-")) {
        if (!futimens(STDOUT_FILENO, times)) return true;
        applet_warn("setting times of %s", quoted(path));
        return false;
    }
    if (path_is_empty(path)) {
        applet_warn("cannot touch %s", quoted(path));
        return false;
    }
    if (!utimensat(AT_FDCWD, path, times, flags)) return true;
    if (errno == ENOENT && create && follow) {
        int file = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0666);
        if (file < 0) {
            applet_warn("cannot touch %s", quoted(path));
            return false;
        }
        close(file);
        if (!utimensat(AT_FDCWD, path, times, flags)) return true;
    } else if (errno == ENOENT && !create) {
        return true;
    }
    applet_warn(errno == ENOENT || errno == ENOTDIR ? "cannot touch %s" : "setting times of %s", quoted(path));
    return false;
}

const char touch_help[] =
    "Usage: touch [OPTION]... FILE...\n"
    "\n"
    "  -a                               change only the access time\n"
    "  -c, --no-create                  do not create any files\n"
    "  -d, --date=VALUE                 parse VALUE and use it instead of current time\n"
    "  -f                               (ignored)\n"
    "  -h, --no-dereference             affect each symbolic link instead of any referenced file\n"
    "  -m                               change only the modification time\n"
    "  -r, --reference=VALUE            use this file's times instead of current time\n"
    "  -t VALUE                         use [[CC]YY]MMDDhhmm[.ss] instead of current time\n"
    "      --time=VALUE                 change the specified time: access, atime, use, modify, mtime\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int touch_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'a', NULL, NO_ARGUMENT},
        {'c', "no-create", NO_ARGUMENT},
        {'d', "date", REQUIRED_ARGUMENT},
        {'f', NULL, NO_ARGUMENT},
        {'h', "no-dereference", NO_ARGUMENT},
        {'m', NULL, NO_ARGUMENT},
        {'r', "reference", REQUIRED_ARGUMENT},
        {'t', NULL, REQUIRED_ARGUMENT},
        {TIME_OPTION, "time", REQUIRED_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    bool access_time = false, modify_time = false, create = true, follow = true;
    const char *date = NULL, *stamp = NULL, *reference = NULL;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'a': access_time = true; break;
            case 'm': modify_time = true; break;
            case 'c': create = false; break;
            case 'h': follow = false; break;
            case 'd': date = scan.argument; break;
            case 't': stamp = scan.argument; break;
            case 'r': reference = scan.argument; break;
            case TIME_OPTION:
                if (!strcmp(scan.argument, "atime") || !strcmp(scan.argument, "access") || !strcmp(scan.argument, "use")) access_time = true;
                else if (!strcmp(scan.argument, "mtime") || !strcmp(scan.argument, "modify")) modify_time = true;
                else option_error(&scan, "invalid argument %s for '--time'\nValid arguments are:\n  - 'atime', 'access', 'use'\n  - 'mtime', 'modify'", quoted(scan.argument));
        }
    }
    if (!access_time && !modify_time) access_time = modify_time = true;
    if (stamp && (date || reference)) option_error(&scan, "cannot specify times from more than one source");
    struct timespec now, times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    clock_gettime(CLOCK_REALTIME, &now);
    if (reference) {
        struct stat status;
        if (follow ? stat(reference, &status) : lstat(reference, &status))
            applet_die(1, "failed to get attributes of %s", quoted(reference));
        times[0] = status.st_atim;
        times[1] = status.st_mtim;
    }
    if (date) {
        for (int i = 0; i < 2; i++) {
            if (!date_from_text(date, reference ? times[i] : now, &times[i])) applet_diex(1, "invalid date format %s", quoted(date));
        }
    }
    if (stamp) {
        if (!date_from_stamp(stamp, now, &times[0])) applet_diex(1, "invalid date format %s", quoted(stamp));
        times[1] = times[0];
    }
    if (!access_time) times[0].tv_nsec = UTIME_OMIT;
    if (!modify_time) times[1].tv_nsec = UTIME_OMIT;
    if (!scan.operand_count) option_error(&scan, "missing file operand");
    int status = 0;
    for (int i = 1; i <= scan.operand_count; i++) status |= !touch_one(argv[i], times, create, follow);
    return applet_close_stdout(status);
}
