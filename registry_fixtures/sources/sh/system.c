#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#include "memory.h"

#define WASIX(name) __attribute__((import_module("wasix_32v1"), import_name(#name)))

WASIX(proc_fork) int wasix_fork(int copy_memory, uint32_t *pid);
WASIX(proc_exec3)
int wasix_exec3(const char *name, size_t name_length, const char *arguments, size_t arguments_length,
                const char *variables, size_t variables_length, int search, const char *path, size_t path_length);
WASIX(proc_join) int wasix_join(void *pid, int flags, void *status);
WASIX(proc_signal) int wasix_signal(int pid, int signal);
WASIX(proc_id) int wasix_id(uint32_t *pid);
WASIX(proc_parent) int wasix_parent(int pid, uint32_t *parent);
WASIX(fd_pipe) int wasix_pipe(uint32_t *reading, uint32_t *writing);
WASIX(fd_dup2) int wasix_dup2(int fd, int at_least, int close_on_exec, uint32_t *result);
WASIX(fd_renumber) int wasix_renumber(int from, int to);
WASIX(chdir) int wasix_chdir(const char *path, size_t length);
WASIX(getcwd) int wasix_getcwd(char *path, uint32_t *length);
WASIX(callback_signal) void wasix_callback_signal(const char *name, size_t length);

/* The directory from which all paths start: every path that is handed on is absolute. */
static int root_fd = 3;

void sys_start(void) {
    for (int fd = 3; fd < 64; fd++) {
        __wasi_prestat_t found;
        char name[2];
        if (__wasi_fd_prestat_get((__wasi_fd_t)fd, &found) == 0 && found.u.dir.pr_name_len == 1 &&
            __wasi_fd_prestat_dir_name((__wasi_fd_t)fd, (uint8_t *)name, 1) == 0 && name[0] == '/') {
            root_fd = fd;
            break;
        }
    }
    /* The numbers below 10 are the script's to use. */
    int copy;
    if (sys_copy_private(root_fd, &copy) == 0) {
        root_fd = copy;
    }
}

void sys_exit(int code) {
    __wasi_proc_exit((__wasi_exitcode_t)code);
}

long sys_read(int fd, void *buffer, size_t size) {
    __wasi_iovec_t vector = {buffer, size};
    __wasi_size_t done;
    int error = __wasi_fd_read((__wasi_fd_t)fd, &vector, 1, &done);
    return error ? -error : (long)done;
}

int sys_write(int fd, const char *bytes, size_t length) {
    while (length) {
        __wasi_ciovec_t vector = {(const uint8_t *)bytes, length};
        __wasi_size_t done;
        int error = __wasi_fd_write((__wasi_fd_t)fd, &vector, 1, &done);
        if (error == EINTR) {
            continue;
        }
        if (error) {
            return error;
        }
        bytes += done;
        length -= done;
    }
    return 0;
}

/* The absolute name of a path; to be freed. */
static char *absolute(const char *path) {
    if (*path == '/') {
        return copy_string(path);
    }
    char *here = sys_working_directory();
    struct text text = {0};
    text_add_string(&text, here ? here : "");
    text_add(&text, '/');
    text_add_string(&text, path);
    free(here);
    return text_end(&text);
}

int sys_open(const char *path, enum open_mode mode, int *fd) {
    static const uint64_t reading = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL |
                                    __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_POLL_FD_READWRITE |
                                    __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS;
    static const uint64_t writing = __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL |
                                    __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE |
                                    __WASI_RIGHTS_POLL_FD_READWRITE | __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS;
    if (!*path) {
        return ENOENT;
    }
    uint64_t rights = mode == OPEN_READ ? reading : mode == OPEN_READ_WRITE ? reading | writing : writing;
    __wasi_oflags_t flags = 0;
    __wasi_fdflags_t descriptor_flags = 0;
    switch (mode) {
        case OPEN_WRITE: flags = __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC; break;
        case OPEN_APPEND:
            flags = __WASI_OFLAGS_CREAT;
            descriptor_flags = __WASI_FDFLAGS_APPEND;
            break;
        case OPEN_READ_WRITE: flags = __WASI_OFLAGS_CREAT; break;
        case OPEN_NEW: flags = __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL; break;
        case OPEN_DIRECTORY:
            flags = __WASI_OFLAGS_DIRECTORY;
            rights = __WASI_RIGHTS_FD_READDIR;
            break;
        case OPEN_READ: break;
    }
    char *name = absolute(path);
    __wasi_fd_t result;
    int error = __wasi_path_open((__wasi_fd_t)root_fd, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, name, flags, rights,
                                 reading | writing, descriptor_flags, &result);
    free(name);
    *fd = (int)result;
    return error;
}

int sys_close(int fd) {
    return __wasi_fd_close((__wasi_fd_t)fd);
}

int sys_pipe(int ends[2]) {
    uint32_t reading, writing;
    int error = wasix_pipe(&reading, &writing);
    if (error) {
        return error;
    }
    ends[0] = (int)reading;
    ends[1] = (int)writing;
    return 0;
}

int sys_copy_to(int from, int to) {
    int error = wasix_renumber(from, to);
    if (error == ENOTSUP) {
        /* A directory that the process was given: it gives way only when it is closed. */
        error = sys_close(to);
        return error ? error : wasix_renumber(from, to);
    }
    return error;
}

int sys_copy_private(int fd, int *copy) {
    uint32_t result;
    int error = wasix_dup2(fd, FIRST_PRIVATE_FD, 1, &result);
    *copy = (int)result;
    return error;
}

bool sys_is_open(int fd) {
    __wasi_fdstat_t status;
    __wasi_prestat_t given;
    /* The directories that the process was given are not the script's. */
    return __wasi_fd_fdstat_get((__wasi_fd_t)fd, &status) == 0 &&
           (status.fs_filetype != __WASI_FILETYPE_DIRECTORY || __wasi_fd_prestat_get((__wasi_fd_t)fd, &given) != 0);
}

bool sys_is_terminal(int fd) {
    __wasi_fdstat_t status;
    return __wasi_fd_fdstat_get((__wasi_fd_t)fd, &status) == 0 &&
           status.fs_filetype == __WASI_FILETYPE_CHARACTER_DEVICE &&
           (status.fs_rights_base & (__WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL)) == 0;
}

bool sys_rewind(int fd, size_t count) {
    __wasi_filesize_t position;
    return __wasi_fd_seek((__wasi_fd_t)fd, -(__wasi_filedelta_t)count, __WASI_WHENCE_CUR, &position) == 0;
}

int sys_status(const char *path, bool follow, struct file_status *status) {
    if (!*path) {
        return ENOENT;
    }
    char *name = absolute(path);
    __wasi_filestat_t found;
    int error = __wasi_path_filestat_get((__wasi_fd_t)root_fd, follow ? __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW : 0, name, &found);
    free(name);
    if (!error) {
        *status = (struct file_status){found.dev,   found.ino,  found.filetype, found.nlink,
                                       found.size,  found.atim, found.mtim,     found.ctim};
    }
    return error;
}

int sys_list(const char *path, void (*each)(const char *name, size_t length, void *context), void *context) {
    int fd;
    int error = sys_open(*path ? path : ".", OPEN_DIRECTORY, &fd);
    if (error) {
        return error;
    }
    size_t room = 4096;
    uint8_t *buffer = allocate(room);
    __wasi_dircookie_t cookie = 0;
    for (;;) {
        __wasi_size_t used;
        error = __wasi_fd_readdir((__wasi_fd_t)fd, buffer, room, cookie, &used);
        if (error) {
            break;
        }
        size_t position = 0, entries = 0;
        while (used - position >= sizeof(__wasi_dirent_t)) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + position, sizeof entry);
            if (used - position - sizeof entry < entry.d_namlen) {
                break;
            }
            each((const char *)buffer + position + sizeof entry, entry.d_namlen, context);
            cookie = entry.d_next;
            position += sizeof entry + entry.d_namlen;
            entries++;
        }
        if (used < room) {
            break;
        }
        if (!entries) {
            room *= 2;
            buffer = reallocate(buffer, room);
        }
    }
    free(buffer);
    sys_close(fd);
    return error;
}

int sys_chdir(const char *path) {
    return wasix_chdir(path, strlen(path));
}

char *sys_working_directory(void) {
    uint32_t length = 256;
    char *path = allocate(length + 1);
    int error = wasix_getcwd(path, &length);
    if (error == EOVERFLOW) {
        path = reallocate(path, length + 1);
        error = wasix_getcwd(path, &length);
    }
    if (error) {
        free(path);
        return NULL;
    }
    path[length] = '\0';
    return path;
}

int sys_own_pid(void) {
    uint32_t pid = 0;
    wasix_id(&pid);
    return (int)pid;
}

int sys_parent_pid(void) {
    uint32_t parent = 0;
    wasix_parent(0, &parent);
    return (int)parent;
}

int sys_fork(bool copy) {
    uint32_t pid = 0;
    int error = wasix_fork(copy, &pid);
    return error ? -error : (int)pid;
}

/* A list as exec takes it: separated by line feeds, or, where an entry has one of its own, ended by NULs. */
static struct text joined(char *const *entries) {
    char end = '\n';
    for (char *const *entry = entries; *entry; entry++) {
        if (strchr(*entry, '\n')) {
            end = '\0';
        }
    }
    struct text text = {0};
    for (char *const *entry = entries; *entry; entry++) {
        text_add_string(&text, *entry);
        text_add(&text, end);
    }
    text_end(&text);
    return text;
}

int sys_execute(const char *name, char *const *arguments, char *const *variables, const char *path) {
    struct text list = joined(arguments), environment = joined(variables);
    int error = wasix_exec3(name, strlen(name), list.data, list.length, environment.data, environment.length,
                            path != NULL, path ? path : "", path ? strlen(path) : 0);
    text_free(&list);
    text_free(&environment);
    return error;
}

int sys_wait(int pid, bool block, struct ending *ending) {
    struct {
        uint8_t tag;
        uint32_t pid;
    } wanted = {1, (uint32_t)pid};
    uint8_t status[8] = {0};
    int error = wasix_join(&wanted, block ? 0 : 1, status);
    if (!error) {
        *ending = (struct ending){status[0] != 0, status[2] | status[3] << 8, status[0] == 2 ? status[4] : 0};
    }
    return error;
}

int sys_send(int pid, int signal) {
    return wasix_signal(pid, signal);
}

void sys_take_signals(void) {
    static const char name[] = "take_signal";
    wasix_callback_signal(name, sizeof name - 1);
}

uint64_t sys_processor_time(void) {
    __wasi_timestamp_t time = 0;
    return __wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time) ? 0 : time;
}
