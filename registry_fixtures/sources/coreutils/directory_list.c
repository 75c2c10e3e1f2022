/* The names in a directory, read at once, so that no descriptor stays open. */
#include "directory_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __wasi__
#include <wasi/api.h>
#endif

#include "allocate.h"

unsigned char entry_type(unsigned mode) {
    switch (mode & S_IFMT) {
        case S_IFREG: return DT_REG;
        case S_IFDIR: return DT_DIR;
        case S_IFLNK: return DT_LNK;
        case S_IFCHR: return DT_CHR;
        case S_IFBLK: return DT_BLK;
        default: return DT_UNKNOWN;
    }
}

static void append(struct directory_list *list, const char *name, size_t length, unsigned char type, unsigned long long inode) {
    size_t size = length + 1;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 32;
        list->entries = reallocate(list->entries, list->capacity, sizeof *list->entries);
    }
    if (list->names_size + size > list->names_capacity) {
        list->names_capacity = (list->names_capacity + size) * 2 + 512;
        list->names = reallocate(list->names, list->names_capacity, 1);
    }
    memcpy(list->names + list->names_size, name, length);
    list->names[list->names_size + length] = 0;
    list->entries[list->count++] = (struct directory_entry){
        (char *)(uintptr_t)list->names_size, type, inode};
    list->names_size += size;
}

static bool is_dots(const char *name, size_t length) { return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')); }

#ifdef __wasi__
/* Reads the directory in few and large calls: hosts begin anew at each, so that small ones cost the square of its size. */
static int read_all(struct directory_list *list, const char *path, bool seen[2], bool with_dots) {
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    if (directory < 0) return errno;
    size_t size = 32 * 1024, used = 0;
    __wasi_dircookie_t cookie = __WASI_DIRCOOKIE_START;
    int error = 0;
    uint8_t *buffer = allocate(size);
    for (;;) {
        error = __wasi_fd_readdir(directory, buffer, size, cookie, &used);
        if (error) break;
        size_t at = 0;
        while (used - at >= sizeof(__wasi_dirent_t)) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof entry);
            if (used - at - sizeof entry < entry.d_namlen) break;
            const char *name = (const char *)buffer + at + sizeof entry;
            bool dots = is_dots(name, entry.d_namlen);
            if (dots) seen[entry.d_namlen - 1] = true;
            if (!dots || with_dots) append(list, name, entry.d_namlen, entry.d_type, entry.d_ino);
            at += sizeof entry + entry.d_namlen;
            cookie = entry.d_next;
        }
        if (used < size) break;
        /* Not even one name fitted, or there is more to come: either way a larger buffer is right. */
        if (size < 1024 * 1024 || !at) buffer = reallocate(buffer, size *= 2, 1);
    }
    free(buffer);
    close(directory);
    return error;
}
#else
static int read_all(struct directory_list *list, const char *path, bool seen[2], bool with_dots) {
    DIR *directory = opendir(path);
    if (!directory) return errno;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) break;
        size_t length = strlen(entry->d_name);
        bool dots = is_dots(entry->d_name, length);
        if (dots) seen[length - 1] = true;
        if (!dots || with_dots) append(list, entry->d_name, length, entry->d_type, entry->d_ino);
    }
    int error = errno;
    closedir(directory);
    return error;
}
#endif

bool directory_list_read(struct directory_list *list, const char *path, bool with_dots) {
    bool seen[2] = {false, false};
    memset(list, 0, sizeof *list);
    int error = read_all(list, path, seen, with_dots);
    /* Not every host lists them, but they are there. */
    for (size_t i = 0; i < 2 && with_dots && !error; i++) {
        if (!seen[i]) append(list, "..", i + 1, DT_DIR, 0);
    }
    /* The names are offsets until the block that holds them has stopped moving. */
    for (size_t i = 0; i < list->count; i++) list->entries[i].name = list->names + (uintptr_t)list->entries[i].name;
    errno = error;
    return !error;
}

void directory_list_free(struct directory_list *list) {
    free(list->entries);
    free(list->names);
    memset(list, 0, sizeof *list);
}
