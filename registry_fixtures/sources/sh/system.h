/* The system calls of WASIX that a shell needs. They return 0 or an errno unless they say something else. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIRST_PRIVATE_FD = 10 };

enum open_mode { OPEN_READ, OPEN_WRITE, OPEN_APPEND, OPEN_READ_WRITE, OPEN_NEW, OPEN_DIRECTORY };

enum file_kind { KIND_UNKNOWN, KIND_BLOCK, KIND_CHARACTER, KIND_DIRECTORY, KIND_FILE, KIND_DATAGRAM, KIND_STREAM, KIND_LINK };

struct file_status {
    uint64_t device, inode;
    uint8_t kind;
    uint64_t links, size, accessed, modified, changed;
};

/* How a child ended. */
struct ending {
    bool ended;
    int code, signal;
};

/* Find the root directory among what the process was given. To be called first. */
void sys_start(void);
_Noreturn void sys_exit(int code);

/* The number of bytes, or a negative errno. */
long sys_read(int fd, void *buffer, size_t size);
/* Writes everything unless it fails. */
int sys_write(int fd, const char *bytes, size_t length);
int sys_open(const char *path, enum open_mode mode, int *fd);
int sys_close(int fd);
int sys_pipe(int ends[2]);
/* Make `to` a copy of `from`. */
int sys_copy_to(int from, int to);
/* A copy at FIRST_PRIVATE_FD or above, which exec closes. */
int sys_copy_private(int fd, int *copy);
bool sys_is_open(int fd);
bool sys_is_terminal(int fd);
bool sys_rewind(int fd, size_t count);

int sys_status(const char *path, bool follow, struct file_status *status);
/* Calls `each` with every name in a directory, `.` and `..` too. */
int sys_list(const char *path, void (*each)(const char *name, size_t length, void *context), void *context);
int sys_chdir(const char *path);
/* The working directory, to be freed; NULL when there is none. */
char *sys_working_directory(void);

int sys_own_pid(void);
int sys_parent_pid(void);
/* 0 in the child, else its pid or a negative errno. Without a copy the child shares the memory until exec or exit. */
int sys_fork(bool copy);
/* Returns only what kept the program from running. `path` is NULL when `name` is not to be searched. */
int sys_execute(const char *name, char *const *arguments, char *const *variables, const char *path);
int sys_wait(int pid, bool block, struct ending *ending);
int sys_send(int pid, int signal);
/* Have `take_signal` called for signals, which then do nothing by themselves. */
void sys_take_signals(void);
/* Nanoseconds of processor time. */
uint64_t sys_processor_time(void);

#endif
