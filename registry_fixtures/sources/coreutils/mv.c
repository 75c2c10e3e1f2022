/* mv: move (rename) files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "allocate.h"
#include "confirm.h"
#include "copy_tree.h"
#include "file_mode.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"
#include "remove_tree.h"
#include "target_operands.h"

enum { STRIP_SLASHES = 256 };

struct moving {
    enum copy_clobber clobber;
    bool update, verbose;
};

/* Between file systems nothing can be renamed: copy, and remove the source if all of it arrived. */
static bool move_across(const char *source, const char *target, const struct moving *how) {
    struct copying copy = {.recursive = true, .preserve = true, .keep_hard_links = true, .links = COPY_NO_FOLLOW, .verbose = how->verbose, .moving = true, .exact_target = true};
    struct removal removal = {.recursive = true, .force = true, .verbose = how->verbose};
    struct stat existing;
    if (!lstat(target, &existing)) {
        if (S_ISDIR(existing.st_mode) ? rmdir(target) : unlink(target)) {
            applet_warn("inter-device move failed: %s to %s; unable to remove target", quoted(source), quoted(target));
            return false;
        }
    }
    return copy_tree(source, target, &copy) && remove_tree(source, &removal);
}

static bool move_one(const char *source, const char *target, const struct moving *how) {
    struct stat from, to;
    if (path_is_empty(source) || lstat(source, &from)) {
        applet_warn("cannot stat %s", quoted(source));
        return false;
    }
    size_t length = strlen(source);
    if (!S_ISDIR(from.st_mode) && length && source[length - 1] == '/') {
        errno = ENOTDIR;
        applet_warn("cannot stat %s", quoted(source));
        return false;
    }
    bool exists = !path_is_empty(target) && !lstat(target, &to);
    if (exists) {
        if (how->clobber == COPY_NO_CLOBBER) return true;
        struct stat reached;
        bool same = same_file(&from, &to) || (S_ISLNK(from.st_mode) && !stat(source, &reached) && same_file(&reached, &to));
        if (same) {
            if (S_ISDIR(from.st_mode)) applet_warnx("cannot move %s to a subdirectory of itself, %s", quoted(source), quoted(target));
            else applet_warnx("%s and %s are the same file", quoted(source), quoted(target));
            return false;
        }
        if (S_ISDIR(to.st_mode) && !S_ISDIR(from.st_mode)) {
            applet_warnx("cannot overwrite directory %s with non-directory", quoted(target));
            return false;
        }
        if (!S_ISDIR(to.st_mode) && S_ISDIR(from.st_mode)) {
            applet_warnx("cannot overwrite non-directory %s with directory %s", quoted(target), quoted(source));
            return false;
        }
        bool newer = to.st_mtim.tv_sec > from.st_mtim.tv_sec || (to.st_mtim.tv_sec == from.st_mtim.tv_sec && to.st_mtim.tv_nsec >= from.st_mtim.tv_nsec);
        if (how->update && newer && !S_ISDIR(from.st_mode)) return true;
        if (how->clobber == COPY_ASK && !confirm("overwrite %s? ", quoted(target))) return true;
    }
    if (!path_is_empty(target) && !rename(source, target)) {
        if (how->verbose) printf("renamed %s -> %s\n", quoted(source), quoted(target));
        return true;
    }
    if (errno == EXDEV) return move_across(source, target, how);
    if (errno == EINVAL && S_ISDIR(from.st_mode)) {
        applet_warnx("cannot move %s to a subdirectory of itself, %s", quoted(source), quoted(target));
        return false;
    }
    if (errno == EEXIST && exists) errno = ENOTEMPTY;
    applet_warn("cannot move %s to %s", quoted(source), quoted(target));
    return false;
}

const char mv_help[] =
    "Usage: mv [OPTION]... SOURCE... DEST\n"
    "\n"
    "  -f, --force                      do not prompt before overwriting\n"
    "  -i, --interactive                prompt before overwrite\n"
    "  -n, --no-clobber                 do not overwrite an existing file\n"
    "      --strip-trailing-slashes     remove any trailing slashes from each SOURCE argument\n"
    "  -t, --target-directory=VALUE     move all SOURCE arguments into directory VALUE\n"
    "  -T, --no-target-directory        treat DEST as a normal file\n"
    "  -u, --update                     move only when the SOURCE file is newer, or the destination missing\n"
    "  -v, --verbose                    explain what is being done\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int mv_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'f', "force", NO_ARGUMENT},
        {'i', "interactive", NO_ARGUMENT},
        {'n', "no-clobber", NO_ARGUMENT},
        {STRIP_SLASHES, "strip-trailing-slashes", NO_ARGUMENT},
        {'t', "target-directory", REQUIRED_ARGUMENT},
        {'T', "no-target-directory", NO_ARGUMENT},
        {'u', "update", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    struct moving how = {.clobber = COPY_CLOBBER};
    struct target target = {0};
    bool strip = false;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'f': how.clobber = COPY_CLOBBER; break;
            case 'i': how.clobber = COPY_ASK; break;
            case 'n': how.clobber = COPY_NO_CLOBBER; break;
            case STRIP_SLASHES: strip = true; break;
            case 't': target.directory = scan.argument; break;
            case 'T': target.exact = true; break;
            case 'u': how.update = true; break;
            case 'v': how.verbose = true; break;
        }
    }
    target_read(&target, &scan, false);
    int status = 0;
    for (int i = 0; i < target.source_count; i++) {
        if (strip) path_strip_slashes(target.sources[i]);
        char *path = target_path(&target, target.sources[i]);
        if (!move_one(target.sources[i], path, &how)) status = 1;
        free(path);
    }
    return applet_close_stdout(status);
}
