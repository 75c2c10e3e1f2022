/* A walk over a file tree, without recursion and with no descriptor kept open. */
#ifndef TREE_WALK_H
#define TREE_WALK_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum walk_event {
    WALK_VISIT,      /* any entry, before what is in it */
    WALK_UNREADABLE, /* a directory that could not be listed: errno says why; WALK_LEAVE follows */
    WALK_LOOP,       /* a directory that is one of its own ancestors, through a followed link; it is not entered */
    WALK_LEAVE,      /* a directory, after what was in it */
};
enum walk_verdict { WALK_ON, WALK_SKIP /* do not enter this directory */, WALK_STOP /* end the walk */ };
enum walk_links { WALK_NO_LINKS, WALK_ROOT_LINK, WALK_ALL_LINKS };

struct walk_node {
    const char *path;    /* root + "/" + ...; valid during the call */
    size_t root_length;  /* path + root_length is the part below the root, with its slash */
    const char *name;    /* the last part; for the root, the root as given */
    int depth;           /* 0 for the root */
    unsigned char type;  /* DT_*; DT_UNKNOWN if it could not be found out */
    const char *ancestor; /* with WALK_LOOP: the path of the directory that it is */
    /* private: see walk_status */
    struct stat status;
    bool has_status, follow;
};

typedef enum walk_verdict walk_visitor(void *context, struct walk_node *node, enum walk_event event);

/* Walks the tree at root, names in byte order if sorted. False (with errno, nothing visited) if the root is not there. */
bool tree_walk(const char *root, enum walk_links links, bool sorted, walk_visitor *visit, void *context);
/* The status of the node, looked up when first asked for; NULL with errno. A dangling followed link is itself. */
const struct stat *walk_status(struct walk_node *node);
#endif
