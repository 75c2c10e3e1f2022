#include "glob.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pattern.h"
#include "system.h"

void list_add(struct list *list, char *item) {
    if (list->count + 1 >= list->room) {
        list->room = list->room ? list->room * 2 : 8;
        list->items = reallocate(list->items, list->room * sizeof *list->items);
    }
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

void list_free(struct list *list) {
    for (size_t index = 0; index < list->count; index++) {
        free(list->items[index]);
    }
    free(list->items);
    *list = (struct list){0};
}

struct search {
    const char *pattern;    /* of one name */
    struct list found;
};

static void look_at(const char *name, size_t length, void *context) {
    struct search *search = context;
    const char *first = search->pattern + (search->pattern[0] == '\\');
    if ((name[0] == '.' && *first != '.') || !pattern_matches_prefix(search->pattern, name, length)) {
        return;
    }
    char *copy = allocate(length + 1);
    memcpy(copy, name, length);
    copy[length] = '\0';
    list_add(&search->found, copy);
}

/* Find what matches `pattern` beneath the directory `prefix` (with its slash at the end, or empty). */
static void expand(const char *prefix, const char *pattern, struct list *names) {
    struct text part = {0}, path = {0};
    const char *rest = pattern;
    while (*rest && *rest != '/') {
        if (*rest == '\\' && rest[1] && rest[1] != '/') {
            text_add(&part, *rest++);
        }
        text_add(&part, *rest++);
    }
    const char *behind = rest;
    while (*behind == '/') {
        behind++;
    }
    struct search search = {text_end(&part), {0}};
    if (!pattern_is_magic(search.pattern)) {
        list_add(&search.found, pattern_unescape(copy_string(search.pattern)));
    } else {
        sys_list(prefix, look_at, &search);
    }
    for (size_t index = 0; index < search.found.count; index++) {
        path.length = 0;
        text_add_string(&path, prefix);
        text_add_string(&path, search.found.items[index]);
        text_add_bytes(&path, rest, (size_t)(behind - rest));
        struct file_status status;
        text_end(&path);
        if (*behind) {
            if (sys_status(path.data, true, &status) == 0 && status.kind == KIND_DIRECTORY) {
                expand(path.data, behind, names);
            }
        } else if (sys_status(path.data, false, &status) == 0) {
            list_add(names, copy_string(path.data));
        }
    }
    list_free(&search.found);
    text_free(&part);
    text_free(&path);
}

static int compare(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool glob_names(const char *pattern, struct list *names) {
    size_t before = names->count;
    size_t slashes = strspn(pattern, "/");
    char *prefix = copy_string(pattern);
    prefix[slashes] = '\0';
    expand(prefix, pattern + slashes, names);
    free(prefix);
    if (names->count > before + 1) {
        qsort(names->items + before, names->count - before, sizeof *names->items, compare);
    }
    return names->count > before;
}
