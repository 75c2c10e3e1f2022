/* Where a program starts. Under WASI a C library believes to be in "/", and takes the directories that it was given for
   what paths begin with: "/x" and "x" are the same, and where "/bin" was given, "bin" is that one. Who knows the name of
   where it is, and has "/", can tell them apart. */
#include "working_directory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc.h>

/* The directory that was given as "/"; -1 where there is none. */
static int root_directory(void) {
    for (int fd = STDERR_FILENO + 1;; fd++) {
        __wasi_prestat_t given;
        uint8_t name;
        if (__wasi_fd_prestat_get(fd, &given) != 0) return -1;
        if (given.u.dir.pr_name_len == 1 && __wasi_fd_prestat_dir_name(fd, &name, 1) == 0 && name == '/') return fd;
    }
}

void enter_working_directory(void) {
    const char *name = getenv("PWD");
    struct stat named, here;
    if (!name || *name != '/') return;
    const char *below = name;
    while (*below == '/') below++;
    if (!*below) return;
    int root = root_directory();
    if (root < 0 || fstatat(root, below, &named, 0) || stat(".", &here)) return;
    /* No more is compared: others may write into it meanwhile. */
    if (!here.st_ino || here.st_ino != named.st_ino || here.st_dev != named.st_dev) return;
    /* Of two with the same name the C library takes the last. */
    if (__wasilibc_register_preopened_fd(root, "/") == 0) chdir(name);
}
