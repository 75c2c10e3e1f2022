/* Copying a file or a tree as `cp` does, and as `mv` does between file systems. */
#include "copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "confirm.h"
#include "copy_file.h"
#include "file_mode.h"
#include "path_text.h"
#include "quote_name.h"
#include "tree_walk.h"

/* A file with several names, and the name its copy got first. */
struct linked_file {
    dev_t device;
    ino_t inode;
    char *copy;
};

struct run {
    const struct copying *how;
    const char *target;
    bool failed;
    struct stat target_status; /* of the directory that the copy makes, so as not to copy it into itself */
    bool made_target;
    struct linked_file *linked;
    size_t linked_count;
};

static void announce(const struct run *run, const char *source, const char *target) {
    if (!run->how->verbose) return;
    if (run->how->moving) printf("copied %s -> %s\n", quoted(source), quoted(target));
    else printf("%s -> %s\n", quoted(source), quoted(target));
}

/* The copy that another name of the same file already got, or NULL; remembers this one as such. */
static const char *earlier_copy(struct run *run, const struct stat *status, const char *target) {
    if (!run->how->keep_hard_links || status->st_nlink < 2 || !status->st_ino) return NULL;
    for (size_t i = 0; i < run->linked_count; i++) {
        if (run->linked[i].inode == status->st_ino && run->linked[i].device == status->st_dev) return run->linked[i].copy;
    }
    if (!(run->linked_count & (run->linked_count - 1)))
        run->linked = reallocate(run->linked, run->linked_count ? run->linked_count * 2 : 1, sizeof *run->linked);
    run->linked[run->linked_count++] = (struct linked_file){status->st_dev, status->st_ino, copy_string(target)};
    return NULL;
}

/* Whether the existing target is to be replaced; false leaves it, with a message if it is an error. */
static bool may_replace(struct run *run, const char *source, const char *target, const struct stat *from, const struct stat *to) {
    const struct copying *how = run->how;
    if (S_ISDIR(to->st_mode)) {
        applet_warnx("cannot overwrite directory %s with non-directory", quoted(target));
        run->failed = true;
        return false;
    }
    if (how->update && (to->st_mtim.tv_sec > from->st_mtim.tv_sec ||
                        (to->st_mtim.tv_sec == from->st_mtim.tv_sec && to->st_mtim.tv_nsec >= from->st_mtim.tv_nsec)))
        return false;
    if (how->clobber == COPY_NO_CLOBBER) return false;
    struct stat direct;
    bool replaces_link = (how->remove_first || how->hard_link || how->symbolic_link || S_ISLNK(from->st_mode)) && !lstat(target, &direct) && S_ISLNK(direct.st_mode);
    if (same_file(from, to) && !replaces_link) {
        if (how->hard_link && !S_ISLNK(from->st_mode)) return false;
        applet_warnx("%s and %s are the same file", quoted(source), quoted(target));
        run->failed = true;
        return false;
    }
    return how->clobber != COPY_ASK || confirm("overwrite %s? ", quoted(target));
}

static bool make_file(struct run *run, const char *source, const char *target, const struct stat *status) {
    const struct copying *how = run->how;
    const char *earlier = earlier_copy(run, status, target);
    struct stat existing;
    bool exists = !lstat(target, &existing);
    bool replace = how->remove_first || how->hard_link || how->symbolic_link || S_ISLNK(status->st_mode) || earlier;
    if (exists && replace && unlink(target)) {
        applet_warn("cannot remove %s", quoted(target));
        return false;
    }
    if (exists && !replace && S_ISLNK(existing.st_mode) && stat(target, &existing)) {
        applet_warnx("not writing through dangling symlink %s", quoted(target));
        return false;
    }
    announce(run, source, target);
    if (earlier) {
        if (!link(earlier, target)) return true;
        applet_warn("cannot create hard link %s to %s", quoted(target), quoted(earlier));
        return false;
    }
    if (how->hard_link) {
        if (!link(source, target)) return true;
        applet_warn("cannot create hard link %s to %s", quoted(target), quoted(source));
        return false;
    }
    if (how->symbolic_link) {
        if (*source != '/' && strchr(target, '/')) {
            applet_warnx("%s: can make relative symbolic links only in current directory", quoted(target));
            return false;
        }
        if (!symlink(source, target)) return true;
        applet_warn("cannot create symbolic link %s to %s", quoted(target), quoted(source));
        return false;
    }
    bool is_link = S_ISLNK(status->st_mode);
    if (is_link ? !copy_link(source, target) : !how->attributes_only && !copy_data(source, target, status, how->force)) return false;
    return !how->preserve || copy_attributes(target, status);
}

/* Makes, or accepts, the directory at target. False (after a message) if the source's contents cannot go there. */
static bool make_directory(struct run *run, const char *source, const char *target, const struct stat *status, bool is_root) {
    struct stat existing;
    if (!lstat(target, &existing) && (S_ISDIR(existing.st_mode) || (!run->how->exact_target && path_is_directory(target)))) {
        if (is_root && same_file(status, &existing)) {
            applet_warnx("%s and %s are the same file", quoted(source), quoted(target));
            return false;
        }
        return true;
    }
    if (!lstat(target, &existing)) {
        applet_warnx("cannot overwrite non-directory %s with directory %s", quoted(target), quoted(source));
        return false;
    }
    mode_t mode = status->st_mode & 0777 ? (status->st_mode & 0777) | 0700 : 0777;
    if (mkdir(target, mode)) {
        applet_warn("cannot create directory %s", quoted(target));
        return false;
    }
    announce(run, source, target);
    return true;
}

static enum walk_verdict visit(void *context, struct walk_node *node, enum walk_event event) {
    struct run *run = context;
    const char *below = node->path + node->root_length;
    char *target = *below ? path_join(run->target, below) : copy_string(run->target);
    enum walk_verdict verdict = WALK_SKIP;
    const struct stat *status = walk_status(node);
    if (!status) {
        applet_warn("cannot stat %s", quoted(node->path));
        run->failed = true;
    } else if (event == WALK_UNREADABLE) {
        applet_warn("cannot access %s", quoted(node->path));
        run->failed = true;
        verdict = WALK_ON;
    } else if (event == WALK_LOOP) {
        applet_warnx("cannot copy cyclic symbolic link %s", quoted(node->path));
        run->failed = true;
    } else if (event == WALK_LEAVE) {
        if (run->how->preserve && !copy_attributes(target, status)) run->failed = true;
    } else if (node->type == DT_DIR && !run->how->recursive) {
        applet_warnx("-r not specified; omitting directory %s", quoted(node->path));
        run->failed = true;
    } else if (node->type == DT_DIR && run->made_target && status->st_ino && status->st_ino == run->target_status.st_ino && status->st_dev == run->target_status.st_dev) {
        char *root = copy_string(node->path);
        root[node->root_length] = 0;
        applet_warnx("cannot copy a directory, %s, into itself, %s", quoted(root), quoted(run->target));
        free(root);
        run->failed = true;
    } else if (node->type == DT_DIR) {
        verdict = make_directory(run, node->path, target, status, !node->depth) ? WALK_ON : WALK_SKIP;
        if (verdict == WALK_SKIP) run->failed = true;
        if (!node->depth && verdict == WALK_ON) run->made_target = !stat(target, &run->target_status);
    } else {
        struct stat existing;
        bool no_follow = S_ISLNK(status->st_mode) || run->how->hard_link;
        bool exists = !path_is_empty(target) && !(no_follow ? lstat(target, &existing) : stat(target, &existing));
        if ((!exists || may_replace(run, node->path, target, status, &existing)) && !make_file(run, node->path, target, status)) run->failed = true;
    }
    free(target);
    return verdict;
}

bool copy_tree(const char *source, const char *target, const struct copying *how) {
    struct run run = {.how = how, .target = target};
    enum copy_links links = how->links;
    if (links == COPY_LINKS_DEFAULT) links = how->recursive ? COPY_NO_FOLLOW : COPY_FOLLOW_ALL;
    enum walk_links walk = links == COPY_NO_FOLLOW ? WALK_NO_LINKS : links == COPY_FOLLOW_OPERANDS ? WALK_ROOT_LINK : WALK_ALL_LINKS;
    struct stat status;
    if (path_is_empty(source) || (walk == WALK_NO_LINKS ? lstat(source, &status) : stat(source, &status))) {
        applet_warn("cannot stat %s", quoted(source));
        return false;
    }
    if (!tree_walk(source, walk, false, visit, &run)) {
        applet_warn("cannot stat %s", quoted(source));
        run.failed = true;
    }
    for (size_t i = 0; i < run.linked_count; i++) free(run.linked[i].copy);
    free(run.linked);
    return !run.failed;
}
