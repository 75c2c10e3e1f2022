/* Modes, owners and blocks, which WASI does not have: what its file type lets one say. */
#ifndef FILE_MODE_H
#define FILE_MODE_H
#include <stdbool.h>
#include <sys/stat.h>

/* Type and permissions: rwxr-xr-x for directories, rw-r--r-- for files, rwxrwxrwx for links. */
unsigned file_mode(const struct stat *status);
/* "drwxr-xr-x", ten characters and a NUL. */
void mode_string(unsigned mode, char text[11]);
/* Blocks of 512 bytes that the file occupies. */
unsigned long long file_blocks(const struct stat *status);
/* "regular file", "directory", ... as stat and rm say. */
const char *file_type_name(const struct stat *status);
/* Whether both describe one file. A filesystem without inode numbers (0) never says so. */
bool same_file(const struct stat *left, const struct stat *right);
unsigned file_owner(const struct stat *status);
unsigned file_group(const struct stat *status);
#endif
