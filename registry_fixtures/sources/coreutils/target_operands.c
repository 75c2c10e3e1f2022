/* Where cp, mv and ln put things: the last operand, -t DIRECTORY or -T. */
#include "target_operands.h"

#include <errno.h>

#include "allocate.h"
#include "path_text.h"
#include "quote_name.h"

void target_read(struct target *target, const struct option_scan *scan, bool keep_links) {
    char **operands = scan->argv + 1;
    int count = scan->operand_count;
    struct stat status;
    if (!count) option_error(scan, "missing file operand");
    if (target->exact && target->directory) applet_diex(1, "cannot combine --target-directory (-t) and --no-target-directory (-T)");
    target->sources = operands;
    target->source_count = count;
    if (target->directory) {
        if (!path_is_directory(target->directory)) {
            if (!stat(target->directory, &status)) errno = ENOTDIR;
            applet_die(1, "target directory %s", quoted(target->directory));
        }
        return;
    }
    if (count == 1) option_error(scan, "missing destination file operand after %s", quoted(operands[0]));
    const char *last = operands[count - 1];
    target->source_count = count - 1;
    if (target->exact) {
        if (count > 2) option_error(scan, "extra operand %s", quoted(operands[2]));
        target->file = last;
        return;
    }
    bool link = keep_links && !lstat(last, &status) && S_ISLNK(status.st_mode);
    if (!link && path_is_directory(last)) {
        target->directory = last;
        return;
    }
    if (count > 2) {
        if (!stat(last, &status)) errno = ENOTDIR;
        applet_die(1, "target %s", quoted(last));
    }
    target->file = last;
}

char *target_path(const struct target *target, const char *source) {
    if (!target->directory) return copy_string(target->file);
    char *name = path_base_name(source);
    char *path = path_is_dots(source) && !strcmp(name, "..") ? copy_string(target->directory) : path_join(target->directory, name);
    free(name);
    return path;
}
