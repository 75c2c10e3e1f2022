/* ls: what is known about each entry, and their order. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "allocate.h"
#include "directory_list.h"
#include "ls.h"
#include "path_text.h"
#include "quote_name.h"

static bool needs_status(const struct ls_entry *entry) {
    if (ls.format == LS_LONG || ls.sort == LS_BY_SIZE || ls.sort == LS_BY_TIME || ls.blocks) return true;
    if (entry->type == DT_UNKNOWN && (ls.recursive || ls.indicator || ls.color || ls.directories_first)) return true;
    if (entry->type == DT_LNK && (ls.links == LS_FOLLOW_ALL || ls.directories_first)) return true;
    if (ls.inode && !entry->inode) return true;
#ifndef __wasi__
    if (entry->type == DT_REG && (ls.color || ls.indicator == LS_CLASSIFY)) return true; /* executable or not */
#endif
    return false;
}

bool ls_examine(struct ls_entry *entry, const char *path, bool command_line) {
    bool seen = true;
    if (command_line || needs_status(entry)) {
        bool follow = ls.links == LS_FOLLOW_ALL || (command_line && ls.links == LS_FOLLOW_COMMAND_LINE);
        int failed = path_is_empty(path) ? -1 : follow ? stat(path, &entry->status) : lstat(path, &entry->status);
        if (!failed && command_line && ls.links == LS_FOLLOW_COMMAND_LINE_DIRECTORIES && S_ISLNK(entry->status.st_mode)) {
            struct stat target;
            if (!stat(path, &target) && S_ISDIR(target.st_mode)) entry->status = target;
        }
        if (failed && !command_line && !strcmp(entry->name, "..")) {
            /* Above the root of a sandbox there is nothing to look at: it is its own parent. */
            char *directory = path_parent(path);
            failed = stat(directory, &entry->status);
            free(directory);
        }
        if (failed) {
            applet_warn("cannot access %s", quoted(path));
            if (command_line) return false;
            seen = false;
        } else {
            entry->has_status = true;
            if (entry_type(entry->status.st_mode) != DT_UNKNOWN) entry->type = entry_type(entry->status.st_mode);
            entry->inode = entry->status.st_ino;
        }
    }
    if (seen && entry->type == DT_LNK && (ls.format == LS_LONG || ls.directories_first || ls.color)) {
        struct stat target;
        if (ls.format == LS_LONG) {
            entry->target = read_link(path);
            if (!entry->target) applet_warn("cannot read symbolic link %s", quoted(path));
        }
        if (ls.indicator || ls.directories_first || (ls.color && ls_colors_orphans())) {
            if (!stat(path, &target)) entry->target_type = entry_type(target.st_mode);
            else entry->dangling = true;
        }
    }
    entry->shown = ls_shown_name(entry->name);
    return seen;
}

struct timespec ls_entry_time(const struct ls_entry *entry) {
    if (ls.time == LS_ACCESSED) return entry->status.st_atim;
    return ls.time == LS_CHANGED ? entry->status.st_ctim : entry->status.st_mtim;
}

static int compare_extension(const char *left, const char *right) {
    const char *left_dot = strrchr(left, '.'), *right_dot = strrchr(right, '.');
    return strcmp(left_dot ? left_dot : "", right_dot ? right_dot : "");
}

/* Numbers inside names compare as numbers: a2 before a10. */
static int compare_version(const char *left, const char *right) {
    while (*left && *right) {
        if (*left >= '0' && *left <= '9' && *right >= '0' && *right <= '9') {
            left += strspn(left, "0");
            right += strspn(right, "0");
            size_t left_digits = strspn(left, "0123456789"), right_digits = strspn(right, "0123456789");
            if (left_digits != right_digits) return left_digits < right_digits ? -1 : 1;
            int order = strncmp(left, right, left_digits);
            if (order) return order;
            left += left_digits, right += right_digits;
        } else if (*left != *right) {
            return (unsigned char)*left - (unsigned char)*right;
        } else {
            left++, right++;
        }
    }
    return (unsigned char)*left - (unsigned char)*right;
}

static bool is_directory(const struct ls_entry *entry) {
    return entry->type == DT_DIR || (entry->type == DT_LNK && entry->target_type == DT_DIR);
}

static int compare(const void *left_item, const void *right_item) {
    const struct ls_entry *left = left_item, *right = right_item;
    if (ls.directories_first && is_directory(left) != is_directory(right)) return is_directory(left) ? -1 : 1;
    int order = 0;
    switch (ls.sort) {
        case LS_BY_SIZE:
            order = (left->status.st_size < right->status.st_size) - (left->status.st_size > right->status.st_size);
            break;
        case LS_BY_TIME: {
            struct timespec l = ls_entry_time(left), r = ls_entry_time(right);
            order = l.tv_sec != r.tv_sec ? (l.tv_sec < r.tv_sec ? 1 : -1) : (l.tv_nsec < r.tv_nsec) - (l.tv_nsec > r.tv_nsec);
            break;
        }
        case LS_BY_EXTENSION: order = compare_extension(left->name, right->name); break;
        case LS_BY_VERSION: order = compare_version(left->name, right->name); break;
        case LS_BY_WIDTH: order = (left->width > right->width) - (left->width < right->width); break;
        default: break;
    }
    if (!order) order = strcmp(left->name, right->name);
    return ls.reverse ? -order : order;
}

void ls_sort_entries(struct ls_entry *entries, size_t count) {
    if (ls.sort == LS_BY_WIDTH) {
        for (size_t i = 0; i < count; i++) entries[i].width = ls_text_width(entries[i].shown);
    }
    if (ls.sort != LS_UNSORTED && count) qsort(entries, count, sizeof *entries, compare);
}

void ls_free_entries(struct ls_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(entries[i].shown);
        free(entries[i].target);
        if (entries[i].owns_name) free(entries[i].name);
    }
    free(entries);
}
