/* The names in a directory, read at once, so that no descriptor stays open. */
#ifndef DIRECTORY_LIST_H
#define DIRECTORY_LIST_H
#include <stdbool.h>
#include <stddef.h>

struct directory_entry {
    char *name;
    unsigned char type; /* DT_* of <dirent.h>; DT_UNKNOWN when the filesystem does not say */
    unsigned long long inode;
};

struct directory_list {
    struct directory_entry *entries;
    size_t count, capacity;
    char *names;
    size_t names_size, names_capacity;
};

/* Reads all names but "." and ".." (with_dots: those too). False with errno; what was read before stays in the list. */
bool directory_list_read(struct directory_list *list, const char *path, bool with_dots);
void directory_list_free(struct directory_list *list);
/* The entry type (DT_*) of a mode. */
unsigned char entry_type(unsigned mode);
#endif
