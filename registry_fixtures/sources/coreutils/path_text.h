/* Paths as text. */
#ifndef PATH_TEXT_H
#define PATH_TEXT_H
#include <stdbool.h>
#include <sys/stat.h>

/* What follows the last slash that is not at the end ("b/" of "a/b/"), or the whole path. */
const char *path_base(const char *path);
/* A copy of the base without trailing slashes: a string to free. */
char *path_base_name(const char *path);
/* The directory part ("." when there is none): a string to free. */
char *path_parent(const char *path);
/* directory/name: a string to free. */
char *path_join(const char *directory, const char *name);
/* Whether the base is "." or "..". */
bool path_is_dots(const char *path);
/* Removes trailing slashes, but leaves "/". */
void path_strip_slashes(char *path);
/* Whether the path is "", with errno ENOENT: some C libraries for WASI take it for ".". */
bool path_is_empty(const char *path);
/* rmdir, without the slashes at the end of path, about which hosts differ. */
int path_remove_directory(const char *path);
bool path_is_directory(const char *path);
/* The target of a symbolic link: a string to free, or NULL with errno. */
char *read_link(const char *path);
#endif
