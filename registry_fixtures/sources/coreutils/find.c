/* find: search for files in a directory hierarchy. */
#include "find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "allocate.h"
#include "quote_name.h"

_Noreturn void applet_print_help(void);

struct find_settings find;

static void complain(const char *path) {
    applet_warn("%s", quoted(path));
    find.failed = true;
}

static void evaluate(const struct find_term *expression, struct walk_node *node) {
    find.prune = false;
    if (node->depth >= find.minimum_depth) find_evaluate(expression, node);
}

static enum walk_verdict visit(void *context, struct walk_node *node, enum walk_event event) {
    const struct find_term *expression = context;
    bool deepest = find.maximum_depth >= 0 && node->depth >= find.maximum_depth;
    switch (event) {
        case WALK_UNREADABLE: complain(node->path); return WALK_ON;
        case WALK_LOOP:
            applet_warnx("File system loop detected; %s is part of the same file system loop as %s.", quoted(node->path), quoted(node->ancestor));
            find.failed = true;
            return WALK_ON;
        case WALK_LEAVE:
            if (find.depth_first) evaluate(expression, node);
            return find.quit ? WALK_STOP : WALK_ON;
        case WALK_VISIT: break;
    }
    bool other_device = false;
    if (find.same_device && node->type == DT_DIR && walk_status(node)) {
        if (!node->depth) find.device = node->status.st_dev;
        other_device = node->status.st_dev != find.device;
    }
    bool later = find.depth_first && node->type == DT_DIR && !deepest && !other_device;
    if (!later) evaluate(expression, node);
    if (find.quit) return WALK_STOP;
    return deepest || other_device || (find.prune && !find.depth_first) ? WALK_SKIP : WALK_ON;
}

const char find_help[] =
    "Usage: find [-H] [-L] [-P] [PATH...] [EXPRESSION]\n"
    "\n"
    "Default path is the current directory; default expression is -print.\n"
    "\n"
    "Operators (highest precedence first):\n"
    "  ( EXPR )   ! EXPR   -not EXPR   EXPR1 -a EXPR2   EXPR1 -and EXPR2\n"
    "  EXPR1 -o EXPR2   EXPR1 -or EXPR2   EXPR1 , EXPR2\n"
    "Options: -depth -maxdepth N -mindepth N -xdev -follow\n"
    "Tests (N can be +N, -N or N):\n"
    "  -name PATTERN -iname PATTERN -path PATTERN -ipath PATTERN -lname PATTERN\n"
    "  -type [bcdpfls] -xtype [bcdpfls] -size N[bcwkMG] -empty -links N -inum N\n"
    "  -newer FILE -anewer FILE -cnewer FILE -newerXY REFERENCE -samefile FILE\n"
    "  -mtime N -atime N -ctime N -mmin N -amin N -cmin N -perm [-/]MODE\n"
    "  -uid N -gid N -user NAME -group NAME -readable -writable -executable -true -false\n"
    "Actions: -print -print0 -printf FORMAT -ls -delete -prune -quit\n";

int find_main(int argc, char **argv) {
    find = (struct find_settings){.maximum_depth = -1};
    clock_gettime(CLOCK_REALTIME, &find.now);
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        const char *word = argv[first];
        if (!strcmp(word, "-H")) find.links = WALK_ROOT_LINK;
        else if (!strcmp(word, "-L")) find.links = WALK_ALL_LINKS;
        else if (!strcmp(word, "-P")) find.links = WALK_NO_LINKS;
        else if (!strcmp(word, "--help") || !strcmp(word, "-help")) applet_print_help();
        else if (strncmp(word, "-O", 2)) break;
    }
    if (first < argc && !strcmp(argv[first], "--")) first++;
    int paths = first;
    while (first < argc && argv[first][0] != '-' && strcmp(argv[first], "(") && strcmp(argv[first], ")") &&
           strcmp(argv[first], "!") && strcmp(argv[first], ","))
        first++;
    struct find_term *expression = find_parse(argc, argv, first);
    if (paths == first) {
        tree_walk(".", find.links, true, visit, expression);
    }
    for (int i = paths; i < first && !find.quit; i++) {
        if (!tree_walk(argv[i], find.links, true, visit, expression)) complain(argv[i]);
    }
    return applet_close_stdout(find.failed);
}
