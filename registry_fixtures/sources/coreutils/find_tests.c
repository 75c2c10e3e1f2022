/* find: its tests. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <unistd.h>

#include "allocate.h"
#include "directory_list.h"
#include "file_mode.h"
#include "find.h"
#include "path_text.h"
#include "quote_name.h"

/* The node's status, or NULL after a message. */
static const struct stat *status_of(struct walk_node *node) {
    const struct stat *status = walk_status(node);
    if (!status) {
        applet_warn("%s", quoted(node->path));
        find.failed = true;
    }
    return status;
}

static bool compares(const struct find_term *term, double value) {
    if (term->comparison == FIND_MORE) return value > term->number;
    return term->comparison == FIND_LESS ? value < term->number : value == term->number;
}

struct timespec find_time_of(const struct stat *status, enum find_clock clock) {
    return clock == FIND_ACCESSED ? status->st_atim : clock == FIND_CHANGED ? status->st_ctim : status->st_mtim;
}

char find_type_letter(unsigned char type) {
    switch (type) {
        case DT_REG: return 'f';
        case DT_DIR: return 'd';
        case DT_LNK: return 'l';
        case DT_CHR: return 'c';
        case DT_BLK: return 'b';
        case DT_FIFO: return 'p';
        case DT_UNKNOWN: return 'U';
        default: return 's';
    }
}

bool find_name(const struct find_term *term, struct walk_node *node) {
    int flags = term->fold_case ? FNM_CASEFOLD : 0;
    if (node->depth) return !fnmatch(term->text, node->name, flags);
    char *name = path_base_name(node->path);
    bool matches = !fnmatch(term->text, name, flags);
    free(name);
    return matches;
}

bool find_path(const struct find_term *term, struct walk_node *node) {
    return !fnmatch(term->text, node->path, term->fold_case ? FNM_CASEFOLD : 0);
}

bool find_link_name(const struct find_term *term, struct walk_node *node) {
    char *target = node->type == DT_LNK ? read_link(node->path) : NULL;
    bool matches = target && !fnmatch(term->text, target, term->fold_case ? FNM_CASEFOLD : 0);
    free(target);
    return matches;
}

bool find_type(const struct find_term *term, struct walk_node *node) { return strchr(term->text, find_type_letter(node->type)) != NULL; }

bool find_target_type(const struct find_term *term, struct walk_node *node) {
    struct stat status;
    int failed = find.links == WALK_ALL_LINKS ? lstat(node->path, &status) : stat(node->path, &status);
    if (failed && lstat(node->path, &status)) return false;
    return strchr(term->text, find_type_letter(entry_type(status.st_mode))) != NULL;
}

bool find_size(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    return status && compares(term, ceil((double)status->st_size / (double)term->unit));
}

bool find_newer(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    if (!status) return false;
    struct timespec time = find_time_of(status, term->clock);
    return time.tv_sec != term->time.tv_sec ? time.tv_sec > term->time.tv_sec : time.tv_nsec > term->time.tv_nsec;
}

bool find_age(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    if (!status) return false;
    struct timespec time = find_time_of(status, term->clock);
    double age = (double)(find.now.tv_sec - time.tv_sec) + (double)(find.now.tv_nsec - time.tv_nsec) / 1e9;
    age /= (double)term->unit;
    /* Days are whole days gone by; minutes are those begun. */
    if (term->unit == 86400) return compares(term, floor(age));
    return term->comparison == FIND_EQUAL ? age > term->number - 1 && age <= term->number : compares(term, age);
}

bool find_empty(const struct find_term *term, struct walk_node *node) {
    (void)term;
    if (node->type == DT_REG) return status_of(node) && !node->status.st_size;
    if (node->type != DT_DIR) return false;
    DIR *directory = opendir(node->path);
    if (!directory) {
        applet_warn("%s", quoted(node->path));
        find.failed = true;
        return false;
    }
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(directory));) empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(directory);
    return empty;
}

bool find_links(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    return status && compares(term, (double)status->st_nlink);
}

bool find_inode(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    return status && compares(term, (double)status->st_ino);
}

bool find_same_file(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    return status && same_file(status, &term->status);
}

bool find_permissions(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    if (!status) return false;
    unsigned mode = file_mode(status) & 07777;
    if (term->unit == '/') return !term->mode || (mode & term->mode);
    return term->unit == '-' ? (mode & term->mode) == term->mode : mode == term->mode;
}

bool find_owner(const struct find_term *term, struct walk_node *node) {
    const struct stat *status = status_of(node);
    return status && compares(term, term->unit ? file_group(status) : file_owner(status));
}

bool find_readable(const struct find_term *term, struct walk_node *node) { return (void)term, !access(node->path, R_OK); }
bool find_writable(const struct find_term *term, struct walk_node *node) { return (void)term, !access(node->path, W_OK); }
bool find_executable(const struct find_term *term, struct walk_node *node) {
    (void)term;
    const struct stat *status = status_of(node);
    return status && (file_mode(status) & 0111) && !access(node->path, X_OK);
}
