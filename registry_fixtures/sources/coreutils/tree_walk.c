/* A walk over a file tree, without recursion and with no descriptor kept open. */
#include "tree_walk.h"

#include <dirent.h>
#include <errno.h>

#include "allocate.h"
#include "directory_list.h"
#include "path_text.h"

/* A directory that the walk is in. */
struct level {
    struct directory_list list;
    size_t next, path_length, name_offset;
    struct stat status; /* to recognise loops, when links are followed */
    bool has_status;
};

struct walk {
    char *path;
    size_t capacity, root_length, name_offset;
    struct level *levels;
    size_t depth, level_capacity;
    enum walk_links links;
    bool sorted;
    walk_visitor *visit;
    void *context;
};

const struct stat *walk_status(struct walk_node *node) {
    if (node->has_status) return &node->status;
    int failed = node->follow ? stat(node->path, &node->status) : lstat(node->path, &node->status);
    if (failed && node->follow && (errno == ENOENT || errno == ELOOP)) failed = lstat(node->path, &node->status);
    if (failed) return NULL;
    node->has_status = true;
    return &node->status;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(((const struct directory_entry *)left)->name, ((const struct directory_entry *)right)->name);
}

static void set_path(struct walk *walk, size_t length, const char *name) {
    size_t size = strlen(name);
    if (length + size + 2 > walk->capacity) {
        walk->capacity = (length + size + 2) * 2;
        walk->path = reallocate(walk->path, walk->capacity, 1);
    }
    if (length && walk->path[length - 1] != '/') walk->path[length++] = '/';
    walk->name_offset = length;
    memcpy(walk->path + length, name, size + 1);
}

static struct walk_node node_at(const struct walk *walk) {
    return (struct walk_node){
        .path = walk->path, .root_length = walk->root_length, .name = walk->path + walk->name_offset, .depth = (int)walk->depth,
        .follow = walk->links == WALK_ALL_LINKS || (walk->links == WALK_ROOT_LINK && !walk->depth)};
}

static const char *ancestor_of(const struct walk *walk, const struct stat *status, size_t *length) {
    for (size_t i = 0; i < walk->depth; i++) {
        const struct level *level = &walk->levels[i];
        if (!level->has_status || !status->st_ino || level->status.st_ino != status->st_ino || level->status.st_dev != status->st_dev) continue;
        *length = level->path_length;
        return walk->path;
    }
    return NULL;
}

static bool call_leave(struct walk *walk, struct walk_node *node) {
    node->type = DT_DIR;
    return walk->visit(walk->context, node, WALK_LEAVE) != WALK_STOP;
}

/* Visits the node at the walk's path and enters it if it is a directory. False: stop. */
static bool visit_node(struct walk *walk, unsigned char type) {
    struct walk_node node = node_at(walk);
    if (type == DT_UNKNOWN || (type == DT_LNK && node.follow) || !walk->depth) {
        const struct stat *status = walk_status(&node);
        type = status ? entry_type(status->st_mode) : DT_UNKNOWN;
    }
    node.type = type;
    struct level level = {.path_length = strlen(walk->path), .name_offset = walk->name_offset};
    if (type == DT_DIR && walk->links == WALK_ALL_LINKS && walk_status(&node)) {
        size_t length;
        level.status = node.status;
        level.has_status = true;
        if (ancestor_of(walk, &node.status, &length)) {
            char *ancestor = copy_string(walk->path);
            ancestor[length] = 0;
            node.ancestor = ancestor;
            enum walk_verdict verdict = walk->visit(walk->context, &node, WALK_LOOP);
            free(ancestor);
            return verdict != WALK_STOP;
        }
    }
    enum walk_verdict verdict = walk->visit(walk->context, &node, WALK_VISIT);
    if (verdict == WALK_STOP) return false;
    if (verdict == WALK_SKIP || type != DT_DIR) return true;
    if (!directory_list_read(&level.list, walk->path, false)) {
        verdict = walk->visit(walk->context, &node, WALK_UNREADABLE);
        directory_list_free(&level.list);
        return verdict != WALK_STOP && call_leave(walk, &node);
    }
    if (walk->sorted && level.list.count) qsort(level.list.entries, level.list.count, sizeof *level.list.entries, compare_names);
    if (walk->depth == walk->level_capacity) {
        walk->level_capacity = walk->level_capacity ? walk->level_capacity * 2 : 16;
        walk->levels = reallocate(walk->levels, walk->level_capacity, sizeof *walk->levels);
    }
    walk->levels[walk->depth++] = level;
    return true;
}

bool tree_walk(const char *root, enum walk_links links, bool sorted, walk_visitor *visit, void *context) {
    struct walk walk = {.links = links, .sorted = sorted, .visit = visit, .context = context, .root_length = strlen(root)};
    struct stat status;
    if (path_is_empty(root)) return false;
    if (links == WALK_NO_LINKS || stat(root, &status)) {
        if (lstat(root, &status)) return false;
    }
    set_path(&walk, 0, root);
    bool going = visit_node(&walk, DT_UNKNOWN);
    while (going && walk.depth) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->next < level->list.count) {
            const struct directory_entry *entry = &level->list.entries[level->next++];
            set_path(&walk, level->path_length, entry->name);
            going = visit_node(&walk, entry->type);
        } else {
            struct level done = walk.levels[--walk.depth];
            directory_list_free(&done.list);
            walk.path[done.path_length] = 0;
            walk.name_offset = done.name_offset;
            struct walk_node node = node_at(&walk);
            going = call_leave(&walk, &node);
        }
    }
    while (walk.depth) directory_list_free(&walk.levels[--walk.depth].list);
    free(walk.levels);
    free(walk.path);
    return true;
}
