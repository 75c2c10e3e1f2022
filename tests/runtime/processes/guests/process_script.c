/* Does what its first argument says, letter by letter; built for WASIX and for the host, which must agree.
 *
 * p     make a pipe, the next of the slots 0, 1, ...
 * wS    write 3 bytes to slot S        rS    read up to 16 bytes from it
 * cS    close its reading end          CS    close its writing end
 * dS    give its writing end another descriptor and close the first
 * (...) fork: the child does what is inside and exits with 0; the parent waits for it
 * xD    exit with D                    kA    send oneself signal number A (a letter: a is 1)
 * KA    fork a child that waits for ever, send it signal A, then KILL, and wait for it
 * j     wait for a child that there is not
 *
 * Every step is a line of output: the depth of the process, the letter and what came of it.
 * !fork, !grow, !spin and !fill use up something for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __wasi__
#define WASIX(name) __attribute__((import_module("wasix_32v1"), import_name(name)))
WASIX("proc_fork") int proc_fork(int copy_memory, uint32_t *pid);
WASIX("proc_join") int proc_join(uint32_t *option, int flags, uint16_t *status);
WASIX("proc_signal") int proc_signal(uint32_t pid, int signal);
WASIX("proc_id") int proc_id(uint32_t *pid);
WASIX("fd_pipe") int fd_pipe(uint32_t *reading, uint32_t *writing);
WASIX("fd_dup") int fd_dup(int fd, uint32_t *copy);
WASIX("thread_sleep") int thread_sleep(uint64_t nanoseconds);

static int do_fork(void)
{
    uint32_t pid = 0;
    return proc_fork(1, &pid) ? -1 : (int)pid;
}

/* 0 to 255 for an exit code, 1000 and more for a signal, -1 when there is no such child. */
static int do_wait(int pid)
{
    uint32_t option[2] = {1, (uint32_t)pid};
    uint16_t status[3] = {0, 0, 0};
    if (proc_join(option, 0, status))
        return -1;
    return (status[0] & 0xff) == 2 ? 1000 + (status[2] & 0xff) : status[1];
}

static void do_kill(int pid, int number)
{
    proc_signal((uint32_t)pid, number);
}

static int do_pid(void)
{
    uint32_t pid = 0;
    proc_id(&pid);
    return (int)pid;
}

static int do_pipe(int ends[2])
{
    return fd_pipe((uint32_t *)&ends[0], (uint32_t *)&ends[1]) ? -1 : 0;
}

static int do_dup(int fd)
{
    uint32_t copy = 0;
    return fd_dup(fd, &copy) ? -1 : (int)copy;
}

static void do_pause(void)
{
    for (;;)
        thread_sleep(1000000000);
}
#else
#include <signal.h>
#include <sys/wait.h>
static int do_fork(void) { return fork(); }
static int do_wait(int pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
static void do_kill(int pid, int number) { kill(pid, number); }
static int do_pid(void) { return getpid(); }
static int do_pipe(int ends[2]) { return pipe(ends); }
static int do_dup(int fd) { return dup(fd); }
static void do_pause(void)
{
    for (;;)
        pause();
}
#endif

static int depth;
static int slots[64][2];
static int used;

static void say(char step, int value)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%d %c %d\n", depth, step, value);
    if (write(1, line, (size_t)length) != length)
        _exit(99);
}

static const char *skip(const char *at)
{
    int open = 1;
    while (open && *at) {
        open += (*at == '(') - (*at == ')');
        at++;
    }
    return at;
}

static void follow(const char *at)
{
    char buffer[16];
    while (*at && *at != ')') {
        char step = *at++;
        int slot = *at - '0';
        int pid;
        switch (step) {
        case 'p':
            say(step, do_pipe(slots[used++]));
            continue;
        case 'w':
            say(step, (int)write(slots[slot][1], "abc", 3));
            break;
        case 'r':
            say(step, (int)read(slots[slot][0], buffer, sizeof buffer));
            break;
        case 'c':
            say(step, close(slots[slot][0]));
            slots[slot][0] = -1; /* the number may be another file soon */
            break;
        case 'C':
            say(step, close(slots[slot][1]));
            slots[slot][1] = -1; /* the number may be another file soon */
            break;
        case 'd':
            pid = do_dup(slots[slot][1]);
            say(step, pid < 0 ? -1 : close(slots[slot][1]));
            slots[slot][1] = pid;
            break;
        case '(':
            pid = do_fork();
            if (pid == 0) {
                depth++;
                follow(at);
                _exit(0);
            }
            say(step, do_wait(pid));
            at = skip(at);
            continue;
        case 'x':
            _exit(slot);
        case 'k':
            do_kill(do_pid(), *at - 'a' + 1);
            say(step, 0);
            break;
        case 'K':
            pid = do_fork();
            if (pid == 0)
                do_pause();
            do_kill(pid, *at - 'a' + 1);
            do_kill(pid, 9);
            slot = do_wait(pid);
            /* Which of two signals came first is nobody's promise. */
            say(step, slot == 1009 ? 1000 + *at - 'a' + 1 : slot);
            break;
        case 'j':
            say(step, do_wait(9999999));
            continue;
        }
        at++;
    }
}

static int use_up(const char *what)
{
    if (!strcmp(what, "!fork"))
        for (;;)
            do_fork();
    if (!strcmp(what, "!spin"))
        for (;;)
            __asm__ volatile("");
#ifdef __wasi__
    if (!strcmp(what, "!grow")) {
        while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1)
            ;
        say('g', (int)(__builtin_wasm_memory_size(0) * 65536 >> 20));
        return 0;
    }
#endif
    static char block[1 << 16];
    int file = open("/tmp/full", O_CREAT | O_WRONLY, 0600);
    while (write(file, block, sizeof block) > 0)
        ;
    say('f', errno == ENOSPC);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 2)
        return 2;
    if (arguments[1][0] == '!')
        return use_up(arguments[1]);
    follow(arguments[1]);
    return 0;
}
