/* ln: make links between files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "confirm.h"
#include "file_mode.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"
#include "target_operands.h"

struct linking {
    bool symbolic, force, ask, verbose, relative, follow;
};

/* The real path of something that need not exist, as far as it does: a string to free, or NULL. */
static char *resolve(const char *path) {
    char *resolved = realpath(path, NULL);
    if (resolved || errno != ENOENT) return resolved;
    char *parent = path_parent(path), *name = path_base_name(path);
    char *above = strcmp(parent, path) ? resolve(parent) : NULL;
    if (above) resolved = path_join(above, name);
    free(above);
    free(parent);
    free(name);
    return resolved;
}

/* The source as seen from the directory of the link: a string to free, or NULL with errno. */
static char *relative_source(const char *source, const char *link_path) {
    char *parent = path_parent(link_path), *to = resolve(source), *from = resolve(parent), *text = NULL;
    if (to && from) {
        size_t same = 0, at = 0;
        while (from[at] && from[at] == to[at]) {
            at++;
            if ((from[at] == '/' || !from[at]) && (to[at] == '/' || !to[at])) same = at;
        }
        size_t ups = 0;
        for (const char *rest = from + same; *rest; rest++) ups += *rest == '/' && rest[1];
        const char *below = to + same;
        while (*below == '/') below++;
        text = allocate(ups * 3 + strlen(below) + 2);
        *text = 0;
        for (size_t i = 0; i < ups; i++) strcat(text, i + 1 < ups || *below ? "../" : "..");
        strcat(text, below);
        if (!*text) strcpy(text, ".");
    }
    free(parent);
    free(to);
    free(from);
    return text;
}

static void fail(const struct linking *how, const char *text, const char *path) {
    if (how->symbolic && errno != EEXIST && !*text) applet_warn("failed to create symbolic link %s -> %s", quoted(path), quoted(text));
    else if (how->symbolic) applet_warn("failed to create symbolic link %s", quoted(path));
    else if (errno == EEXIST) applet_warn("failed to create hard link %s", quoted(path));
    else applet_warn("failed to create hard link %s => %s", quoted(path), quoted(text));
}

static bool make_link(const struct linking *how, const char *text, const char *path) {
    if (path_is_empty(path) || path_is_empty(text)) return false;
    if (how->symbolic) return !symlink(text, path);
    /* Not every host follows a link by itself, so -L looks the file up first. */
    char *real = how->follow ? realpath(text, NULL) : NULL;
    bool made = (real || !how->follow) && !link(real ? real : text, path);
    free(real);
    return made;
}

static bool link_one(const struct linking *how, const char *source, const char *path) {
    struct stat from, to;
    if (!how->symbolic) {
        if (path_is_empty(source) || (how->follow ? stat(source, &from) : lstat(source, &from))) {
            applet_warn("failed to access %s", quoted(source));
            return false;
        }
        if (S_ISDIR(from.st_mode)) {
            applet_warnx("%s: hard link not allowed for directory", source);
            return false;
        }
    }
    char *text = how->symbolic && how->relative ? relative_source(source, path) : copy_string(source);
    if (!text) {
        applet_warn("failed to resolve %s", quoted(source));
        return false;
    }
    bool replace = false;
    if ((how->force || how->ask) && !lstat(path, &to)) {
        if (S_ISDIR(to.st_mode)) {
            applet_warnx("%s: cannot overwrite directory", path);
            free(text);
            return false;
        }
        struct stat reached;
        bool same = how->symbolic ? !lstat(source, &reached) && same_file(&reached, &to) : same_file(&from, &to);
        if (same && (how->symbolic || !strcmp(source, path))) {
            applet_warnx("%s and %s are the same file", quoted(source), quoted(path));
            free(text);
            return false;
        }
        replace = how->force || confirm("replace %s? ", quoted(path));
        if (!replace) {
            free(text);
            return true;
        }
        if (unlink(path)) {
            applet_warn("cannot remove %s", quoted(path));
            free(text);
            return false;
        }
    }
    bool made = make_link(how, text, path);
    if (!made) fail(how, text, path);
    else if (how->verbose) printf("%s %s %s\n", quoted(path), how->symbolic ? "->" : "=>", quoted(text));
    free(text);
    return made;
}

const char ln_help[] =
    "Usage: ln [OPTION]... TARGET... [LINK_NAME | DIRECTORY]\n"
    "\n"
    "  -f, --force                      remove existing destination files\n"
    "  -i, --interactive                prompt whether to remove destinations\n"
    "  -L, --logical                    dereference TARGETs that are symbolic links\n"
    "  -n, --no-dereference             treat LINK_NAME as a normal file if it is a symbolic link to a directory\n"
    "  -P, --physical                   make hard links directly to symbolic links\n"
    "  -r, --relative                   with -s, create links relative to link location\n"
    "  -s, --symbolic                   make symbolic links instead of hard links\n"
    "  -t, --target-directory=VALUE     specify the directory in which to create the links\n"
    "  -T, --no-target-directory        treat LINK_NAME as a normal file always\n"
    "  -v, --verbose                    print name of each linked file\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int ln_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'f', "force", NO_ARGUMENT},
        {'i', "interactive", NO_ARGUMENT},
        {'L', "logical", NO_ARGUMENT},
        {'n', "no-dereference", NO_ARGUMENT},
        {'P', "physical", NO_ARGUMENT},
        {'r', "relative", NO_ARGUMENT},
        {'s', "symbolic", NO_ARGUMENT},
        {'t', "target-directory", REQUIRED_ARGUMENT},
        {'T', "no-target-directory", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    struct linking how = {0};
    struct target target = {0};
    bool keep_links = false;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'f': how.force = true, how.ask = false; break;
            case 'i': how.ask = true, how.force = false; break;
            case 'L': how.follow = true; break;
            case 'n': keep_links = true; break;
            case 'P': how.follow = false; break;
            case 'r': how.relative = true; break;
            case 's': how.symbolic = true; break;
            case 't': target.directory = scan.argument; break;
            case 'T': target.exact = true; break;
            case 'v': how.verbose = true; break;
        }
    }
    if (how.relative && !how.symbolic) applet_diex(1, "cannot do --relative without --symbolic");
    /* One operand alone is linked to into the current directory, under its own name. */
    static char here[] = ".";
    if (scan.operand_count == 1 && !target.directory && !target.exact) target.directory = here;
    target_read(&target, &scan, keep_links);
    int status = 0;
    for (int i = 0; i < target.source_count; i++) {
        char *path = target_path(&target, target.sources[i]);
        if (!link_one(&how, target.sources[i], path)) status = 1;
        free(path);
    }
    return applet_close_stdout(status);
}
