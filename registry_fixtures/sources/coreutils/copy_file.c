/* Copying one file: its data, a link or a special file, and its times. */
#include "copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "allocate.h"
#include "path_text.h"
#include "quote_name.h"

enum { BUFFER_SIZE = 128 * 1024 };

static bool write_all(int file, const char *data, size_t size) {
    while (size) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (!written) errno = ENOSPC;
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool pump(int input, int output, const char *source, const char *target) {
    static char *buffer;
    if (!buffer) buffer = allocate(BUFFER_SIZE);
    for (;;) {
        ssize_t size = read(input, buffer, BUFFER_SIZE);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) applet_warn("error reading %s", quoted(source));
        if (size <= 0) return !size;
        if (!write_all(output, buffer, (size_t)size)) {
            applet_warn("error writing %s", quoted(target));
            return false;
        }
    }
}

bool copy_data(const char *source, const char *target, const struct stat *status, bool force) {
    int input = open(source, O_RDONLY);
    if (input < 0) {
        applet_warn("cannot open %s for reading", quoted(source));
        return false;
    }
    mode_t mode = status->st_mode & 0777 ? status->st_mode & 0777 : 0666;
    struct stat existing;
    bool exists = !lstat(target, &existing);
    size_t length = strlen(target);
    bool slash = length && target[length - 1] == '/' && !path_is_directory(target);
    if (slash || !length) {
        errno = slash ? ENOTDIR : ENOENT;
        applet_warn("cannot create regular file %s", quoted(target));
        close(input);
        return false;
    }
    int output = open(target, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (output < 0 && exists && force && !unlink(target)) {
        exists = false;
        output = open(target, O_WRONLY | O_CREAT | O_TRUNC, mode);
    }
    if (output < 0) {
        applet_warn("cannot create regular file %s", quoted(target));
        close(input);
        return false;
    }
    bool copied = pump(input, output, source, target);
    close(input);
    if (close(output) && copied) {
        applet_warn("failed to close %s", quoted(target));
        copied = false;
    }
    return copied;
}

bool copy_link(const char *source, const char *target) {
    char *text = read_link(source);
    if (!text) {
        applet_warn("cannot read symbolic link %s", quoted(source));
        return false;
    }
    int failed = symlink(text, target);
    if (failed) applet_warn("cannot create symbolic link %s", quoted(target));
    free(text);
    return !failed;
}

bool copy_attributes(const char *target, const struct stat *status) {
    struct timespec times[2] = {status->st_atim, status->st_mtim};
#ifndef __wasi__
    if (lchown(target, status->st_uid, status->st_gid) && errno != EPERM) applet_warn("failed to preserve ownership for %s", quoted(target));
    if (!S_ISLNK(status->st_mode)) chmod(target, status->st_mode & 07777);
#endif
    if (!utimensat(AT_FDCWD, target, times, AT_SYMLINK_NOFOLLOW)) return true;
    if (S_ISLNK(status->st_mode) && errno == ENOTSUP) return true;
    applet_warn("preserving times for %s", quoted(target));
    return false;
}
