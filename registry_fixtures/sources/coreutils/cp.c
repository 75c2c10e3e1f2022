/* cp: copy files and directories. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocate.h"
#include "copy_file.h"
#include "copy_tree.h"
#include "option_scan.h"
#include "path_text.h"
#include "quote_name.h"
#include "target_operands.h"

enum { PRESERVE = 256, NO_PRESERVE, PARENTS, REMOVE_DESTINATION, ATTRIBUTES_ONLY, STRIP_SLASHES, REFLINK, SPARSE };

/* Makes the directories of source's own path below directory, with their times under -p. */
static bool make_source_parents(const char *directory, const char *source, const struct copying *how) {
    char *part = copy_string(source);
    bool made = true;
    for (char *at = part + strspn(part, "/"); made && (at = strchr(at, '/')); at += strspn(at, "/")) {
        if (!at[strspn(at, "/")]) break;
        *at = 0;
        char *path = path_join(directory, part);
        struct stat status;
        if (stat(part, &status)) {
            applet_warn("cannot stat %s", quoted(part));
            made = false;
        } else if (!path_is_directory(path)) {
            made = !mkdir(path, 0777);
            if (!made) applet_warn("cannot make directory %s", quoted(path));
            else if (how->verbose) printf("%s -> %s\n", part, path);
            if (made && how->preserve) made = copy_attributes(path, &status);
        }
        free(path);
        *at = '/';
    }
    free(part);
    return made;
}

const char cp_help[] =
    "Usage: cp [OPTION]... SOURCE... DEST\n"
    "\n"
    "  -a, --archive                    same as -dR --preserve=all\n"
    "      --attributes-only            don't copy the file data, just the attributes\n"
    "  -d                               same as --no-dereference --preserve=links\n"
    "  -f, --force                      if a destination cannot be opened, remove it and try again\n"
    "  -i, --interactive                prompt before overwrite\n"
    "  -H                               follow command-line symbolic links in SOURCE\n"
    "  -l, --link                       hard link files instead of copying\n"
    "  -L, --dereference                always follow symbolic links in SOURCE\n"
    "  -n, --no-clobber                 do not overwrite an existing file\n"
    "  -P, --no-dereference             never follow symbolic links in SOURCE\n"
    "  -p                               preserve times (and mode and owner where there are any)\n"
    "      --preserve[=VALUE]           preserve the attributes listed: mode,ownership,timestamps,links,all\n"
    "      --no-preserve=VALUE          don't preserve the attributes listed\n"
    "      --parents                    use full source file name under DIRECTORY\n"
    "  -R, --recursive                  copy directories recursively\n"
    "  -r                               the same\n"
    "      --remove-destination         remove each existing destination file first\n"
    "  -s, --symbolic-link              make symbolic links instead of copying\n"
    "      --strip-trailing-slashes     remove any trailing slashes from each SOURCE argument\n"
    "  -t, --target-directory=VALUE     copy all SOURCE arguments into directory VALUE\n"
    "  -T, --no-target-directory        treat DEST as a normal file\n"
    "  -u, --update                     copy only when the SOURCE file is newer, or the destination missing\n"
    "  -v, --verbose                    explain what is being done\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

int cp_main(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {'a', "archive", NO_ARGUMENT},
        {ATTRIBUTES_ONLY, "attributes-only", NO_ARGUMENT},
        {'d', NULL, NO_ARGUMENT},
        {'f', "force", NO_ARGUMENT},
        {'i', "interactive", NO_ARGUMENT},
        {'H', NULL, NO_ARGUMENT},
        {'l', "link", NO_ARGUMENT},
        {'L', "dereference", NO_ARGUMENT},
        {'n', "no-clobber", NO_ARGUMENT},
        {'P', "no-dereference", NO_ARGUMENT},
        {'p', NULL, NO_ARGUMENT},
        {PRESERVE, "preserve", OPTIONAL_ARGUMENT},
        {NO_PRESERVE, "no-preserve", REQUIRED_ARGUMENT},
        {PARENTS, "parents", NO_ARGUMENT},
        {'R', "recursive", NO_ARGUMENT},
        {'r', NULL, NO_ARGUMENT},
        {REFLINK, "reflink", OPTIONAL_ARGUMENT},
        {REMOVE_DESTINATION, "remove-destination", NO_ARGUMENT},
        {'s', "symbolic-link", NO_ARGUMENT},
        {SPARSE, "sparse", REQUIRED_ARGUMENT},
        {STRIP_SLASHES, "strip-trailing-slashes", NO_ARGUMENT},
        {'t', "target-directory", REQUIRED_ARGUMENT},
        {'T', "no-target-directory", NO_ARGUMENT},
        {'u', "update", NO_ARGUMENT},
        {'v', "verbose", NO_ARGUMENT},
        {'x', "one-file-system", NO_ARGUMENT},
        {0},
    };
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 1};
    struct copying how = {0};
    struct target target = {0};
    bool parents = false, strip = false;
    for (int option; (option = option_next(&scan));) {
        switch (option) {
            case 'a': how.recursive = how.preserve = how.keep_hard_links = true, how.links = COPY_NO_FOLLOW; break;
            case ATTRIBUTES_ONLY: how.attributes_only = true; break;
            case 'd': how.keep_hard_links = true, how.links = COPY_NO_FOLLOW; break;
            case 'f': how.force = true; break;
            case 'i': how.clobber = COPY_ASK; break;
            case 'n': how.clobber = COPY_NO_CLOBBER; break;
            case 'H': how.links = COPY_FOLLOW_OPERANDS; break;
            case 'L': how.links = COPY_FOLLOW_ALL; break;
            case 'P': how.links = COPY_NO_FOLLOW; break;
            case 'l': how.hard_link = true; break;
            case 's': how.symbolic_link = true; break;
            case 'p': how.preserve = true; break;
            case PRESERVE:
                if (!scan.argument || strstr(scan.argument, "all") || strstr(scan.argument, "timestamps")) how.preserve = true;
                if (scan.argument && (strstr(scan.argument, "all") || strstr(scan.argument, "links"))) how.keep_hard_links = true;
                break;
            case NO_PRESERVE:
                if (strstr(scan.argument, "all") || strstr(scan.argument, "timestamps")) how.preserve = false;
                if (strstr(scan.argument, "all") || strstr(scan.argument, "links")) how.keep_hard_links = false;
                break;
            case PARENTS: parents = true; break;
            case REMOVE_DESTINATION: how.remove_first = true; break;
            case STRIP_SLASHES: strip = true; break;
            case 'R':
            case 'r': how.recursive = true; break;
            case 't': target.directory = scan.argument; break;
            case 'T': target.exact = how.exact_target = true; break;
            case 'u': how.update = true; break;
            case 'v': how.verbose = true; break;
        }
    }
    target_read(&target, &scan, false);
    if (parents && !target.directory) option_error(&scan, "with --parents, the destination must be a directory");
    if (how.hard_link && how.symbolic_link) option_error(&scan, "cannot make both hard and symbolic links");
    int status = 0;
    for (int i = 0; i < target.source_count; i++) {
        char *source = target.sources[i];
        if (strip) path_strip_slashes(source);
        char *path = parents ? path_join(target.directory, source) : target_path(&target, source);
        if (parents) path_strip_slashes(path);
        if (parents && !make_source_parents(target.directory, source, &how)) status = 1;
        else if (!copy_tree(source, path, &how)) status = 1;
        free(path);
    }
    return applet_close_stdout(status);
}
