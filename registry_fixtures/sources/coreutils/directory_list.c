/* The names in a directory, read at once, so that no descriptor stays open. */
#include "directory_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

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

static void append(struct directory_list *list, const struct dirent *entry) {
    size_t size = strlen(entry->d_name) + 1;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 32;
        list->entries = reallocate(list->entries, list->capacity, sizeof *list->entries);
    }
    if (list->names_size + size > list->names_capacity) {
        list->names_capacity = (list->names_capacity + size) * 2 + 512;
        list->names = reallocate(list->names, list->names_capacity, 1);
    }
    memcpy(list->names + list->names_size, entry->d_name, size);
    /* An offset until the block of names has stopped moving. */
    list->entries[list->count++] = (struct directory_entry){
        (char *)(uintptr_t)list->names_size, entry->d_type, entry->d_ino};
    list->names_size += size;
}

bool directory_list_read(struct directory_list *list, const char *path, bool with_dots) {
    memset(list, 0, sizeof *list);
    DIR *directory = opendir(path);
    if (!directory) return false;
    int error;
    bool seen[2] = {false, false};
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) break;
        const char *name = entry->d_name;
        bool dots = name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
        if (dots) seen[name[1] == '.'] = true;
        if (!dots || with_dots) append(list, entry);
    }
    error = errno;
    closedir(directory);
    /* Not every host lists them, but they are there. */
    for (int i = 0; i < 2 && with_dots; i++) {
        struct dirent *dots;
        if (seen[i]) continue;
        dots = allocate(sizeof *dots + 4);
        memset(dots, 0, sizeof *dots + 4);
        strcpy(dots->d_name, i ? ".." : ".");
        dots->d_type = DT_DIR;
        append(list, dots);
        free(dots);
    }
    for (size_t i = 0; i < list->count; i++) list->entries[i].name = list->names + (uintptr_t)list->entries[i].name;
    errno = error;
    return !error;
}

void directory_list_free(struct directory_list *list) {
    free(list->entries);
    free(list->names);
    memset(list, 0, sizeof *list);
}
