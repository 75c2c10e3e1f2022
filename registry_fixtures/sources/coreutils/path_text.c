/* Paths as text. */
#include "path_text.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"

const char *path_base(const char *path) {
    const char *base = path;
    for (const char *at = path; *at; at++) {
        if (*at == '/' && at[1] && at[1] != '/') base = at + 1;
    }
    return base;
}

char *path_base_name(const char *path) {
    char *name = copy_string(path_base(path));
    path_strip_slashes(name);
    return name;
}

char *path_parent(const char *path) {
    size_t length = (size_t)(path_base(path) - path);
    if (!length) return copy_string(*path == '/' ? "/" : ".");
    char *parent = copy_string(path);
    parent[length] = 0;
    path_strip_slashes(parent);
    return parent;
}

char *path_join(const char *directory, const char *name) {
    size_t length = strlen(directory);
    char *path = allocate(length + strlen(name) + 2);
    while (*name == '/') name++;
    sprintf(path, "%s%s%s", directory, length && directory[length - 1] != '/' ? "/" : "", name);
    return path;
}

bool path_is_dots(const char *path) {
    const char *base = path_base(path);
    if (*base != '.') return false;
    base += base[1] == '.' ? 2 : 1;
    return !*base || *base == '/';
}

void path_strip_slashes(char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') path[--length] = 0;
}

bool path_is_empty(const char *path) {
    if (*path) return false;
    errno = ENOENT;
    return true;
}

bool path_is_directory(const char *path) {
    struct stat status;
    return !path_is_empty(path) && !stat(path, &status) && S_ISDIR(status.st_mode);
}

int path_remove_directory(const char *path) {
    char *plain = copy_string(path);
    path_strip_slashes(plain);
    int failed = path_is_empty(path) ? -1 : rmdir(plain), error = errno;
    free(plain);
    errno = error;
    return failed;
}

char *read_link(const char *path) {
    for (size_t size = 256;; size *= 2) {
        char *target = allocate(size);
        ssize_t length = readlink(path, target, size);
        if (length >= 0 && (size_t)length < size) {
            target[length] = 0;
            return target;
        }
        free(target);
        if (length < 0) return NULL;
    }
}
