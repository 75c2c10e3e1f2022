/* ls: list directory contents. */
#include "ls.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "directory_list.h"
#include "ls_options.h"
#include "path_text.h"
#include "quote_name.h"

struct ls_settings ls;

struct ancestor {
    dev_t device;
    ino_t inode;
};

/* A directory that waits for its turn; -R puts the directories found in it in front of the others. */
struct pending {
    struct pending *next;
    char *path;
    bool command_line;
    size_t depth;
    struct ancestor *ancestors; /* with -L -R: the directories above, to see a loop */
};

static bool is_hidden(const char *name) {
    if (*name == '.' && !ls.all) {
        if (!ls.almost_all || !name[1] || (name[1] == '.' && !name[2])) return true;
    }
    size_t length = strlen(name);
    if (ls.ignore_backups && length && name[length - 1] == '~') return true;
    for (size_t i = 0; i < ls.ignored_count; i++) {
        if (!fnmatch(ls.ignored[i], name, FNM_PERIOD)) return true;
    }
    return false;
}

static bool is_loop(const struct pending *directory, struct stat *status) {
    if (ls.links != LS_FOLLOW_ALL || !ls.recursive || stat(directory->path, status) || !status->st_ino) return false;
    for (size_t i = 0; i < directory->depth; i++) {
        if (directory->ancestors[i].device == status->st_dev && directory->ancestors[i].inode == status->st_ino) return true;
    }
    return false;
}

static void push_found(struct pending *parent, struct pending **queue, const struct ls_entry *entries, size_t count, const struct stat *status) {
    struct pending **tail = queue, *rest = *queue;
    for (size_t i = 0; i < count; i++) {
        const char *name = entries[i].name;
        if (entries[i].type != DT_DIR || (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))) continue;
        struct pending *found = allocate(sizeof *found);
        *found = (struct pending){.path = path_join(parent->path, name)};
        if (ls.links == LS_FOLLOW_ALL) {
            found->depth = parent->depth + 1;
            found->ancestors = allocate(found->depth * sizeof *found->ancestors);
            if (parent->depth) memcpy(found->ancestors, parent->ancestors, parent->depth * sizeof *found->ancestors);
            found->ancestors[parent->depth] = (struct ancestor){status->st_dev, status->st_ino};
        }
        *tail = found;
        tail = &found->next;
    }
    *tail = rest;
}

static int list_directory(struct pending *directory, struct pending **queue, bool with_title, bool *printed) {
    struct directory_list list;
    struct stat status;
    int result = 0;
    if (is_loop(directory, &status)) {
        applet_warnx("%s: not listing already-listed directory", directory->path);
        return 2;
    }
    bool complete = directory_list_read(&list, directory->path, ls.all);
    if (!complete) {
        applet_warn(list.count ? "reading directory %s" : "cannot open directory %s", quoted(directory->path));
        result = directory->command_line ? 2 : 1;
        if (!list.count) {
            directory_list_free(&list);
            return result;
        }
    }
    if (with_title) {
        char *title = ls_shown_name(directory->path);
        printf("%s%s:\n", *printed ? "\n" : "", title);
        free(title);
    }
    *printed = true;
    struct ls_entry *entries = allocate(list.count * sizeof *entries);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (is_hidden(list.entries[i].name)) continue;
        struct ls_entry *entry = &entries[count++];
        memset(entry, 0, sizeof *entry);
        entry->name = list.entries[i].name;
        entry->type = list.entries[i].type;
        entry->inode = list.entries[i].inode;
        bool here = !strcmp(directory->path, ".");
        char *path = here ? copy_string(entry->name) : path_join(directory->path, entry->name);
        if (!ls_examine(entry, path, false)) result = 1;
        free(path);
    }
    ls_sort_entries(entries, count);
    ls_print_entries(entries, count, true);
    if (ls.recursive) push_found(directory, queue, entries, count, &status);
    ls_free_entries(entries, count);
    directory_list_free(&list);
    return result;
}

int ls_main(int argc, char **argv) {
    int operands = ls_read_options(argc, argv), status = 0;
    static char here[] = ".";
    char *only_here[] = {NULL, here};
    if (!operands) operands = 1, argv = only_here;
    struct ls_entry *entries = allocate((size_t)operands * sizeof *entries);
    size_t count = 0, files = 0;
    for (int i = 1; i <= operands; i++) {
        struct ls_entry *entry = &entries[count];
        memset(entry, 0, sizeof *entry);
        entry->name = argv[i];
        if (ls_examine(entry, argv[i], true)) count++;
        else status = 2;
    }
    ls_sort_entries(entries, count);
    struct pending *queue = NULL, **tail = &queue;
    struct ls_entry *listed = allocate(count * sizeof *listed);
    for (size_t i = 0; i < count; i++) {
        if (ls.directory || entries[i].type != DT_DIR) {
            listed[files++] = entries[i];
            continue;
        }
        struct pending *found = allocate(sizeof *found);
        *found = (struct pending){.path = copy_string(entries[i].name), .command_line = true};
        *tail = found;
        tail = &found->next;
    }
    bool printed = files > 0;
    ls_measure_long(entries, count);
    if (files) ls_print_entries(listed, files, false);
    bool with_title = ls.recursive || operands > 1;
    while (queue) {
        struct pending *next = queue;
        queue = next->next;
        int result = list_directory(next, &queue, with_title, &printed);
        if (result > status) status = result;
        free(next->ancestors);
        free(next->path);
        free(next);
    }
    free(listed);
    ls_free_entries(entries, count);
    return applet_close_stdout(status);
}
