/* Removing files and trees, with rm's questions and messages. */
#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "confirm.h"
#include "file_mode.h"
#include "path_text.h"
#include "quote_name.h"
#include "tree_walk.h"

struct removing {
    const struct removal *how;
    bool failed;
    int kept_depth; /* the deepest level at which something stays, so that what is above stays quietly */
};

static void keep(struct removing *state, const struct walk_node *node) {
    if (node->depth > state->kept_depth) state->kept_depth = node->depth;
}

static void fail(struct removing *state, const struct walk_node *node) {
    applet_warn("cannot remove %s", quoted(node->path));
    state->failed = true;
    keep(state, node);
}

static void remove_node(struct removing *state, struct walk_node *node, bool is_directory) {
    if (is_directory ? path_remove_directory(node->path) : unlink(node->path)) {
        if (errno == ENOENT && state->how->force) return;
        fail(state, node);
    } else if (state->how->verbose) {
        printf(is_directory ? "removed directory %s\n" : "removed %s\n", quoted(node->path));
    }
}

static bool agreed(struct walk_node *node) {
    const struct stat *status = walk_status(node);
    return confirm("remove %s %s? ", status ? file_type_name(status) : "file", quoted(node->path));
}

static enum walk_verdict visit(void *context, struct walk_node *node, enum walk_event event) {
    struct removing *state = context;
    if (event == WALK_VISIT && node->type == DT_DIR) {
        if (!state->how->recursive) {
            if (!state->how->directories) {
                errno = EISDIR;
                fail(state, node);
            } else if (!state->how->ask || agreed(node)) {
                remove_node(state, node, true);
            }
            return WALK_SKIP;
        }
        DIR *listing = state->how->ask ? opendir(node->path) : NULL;
        bool filled = false;
        if (listing) {
            for (struct dirent *entry; !filled && (entry = readdir(listing));)
                filled = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
            closedir(listing);
        }
        if (filled && !confirm("descend into directory %s? ", quoted(node->path))) {
            keep(state, node);
            return WALK_SKIP;
        }
    } else if (event == WALK_VISIT) {
        if (!state->how->ask || agreed(node)) remove_node(state, node, false);
    } else if (event == WALK_UNREADABLE) {
        fail(state, node);
        state->kept_depth = node->depth + 1;
    } else if (event == WALK_LEAVE) {
        /* Something inside stays: so does the directory, and so do those above it, without a word. */
        if (state->kept_depth > node->depth) state->kept_depth = node->depth;
        else if (!state->how->ask || agreed(node)) remove_node(state, node, true);
    }
    return WALK_ON;
}

bool remove_tree(const char *path, const struct removal *how) {
    struct removing state = {.how = how, .kept_depth = -1};
    if (!tree_walk(path, WALK_NO_LINKS, false, visit, &state)) {
        if (how->force && (errno == ENOENT || errno == ENOTDIR)) return true;
        applet_warn("cannot remove %s", quoted(path));
        return false;
    }
    return !state.failed;
}
