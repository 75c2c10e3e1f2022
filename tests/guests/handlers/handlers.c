/* Forks within a signal's handler, in the way that its first argument names; built for WASIX and for the host, which must
 * agree on the output.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_signal(int number);

#ifdef __wasi__
#define WASIX(name) __attribute__((import_module("wasix_32v1"), import_name(name)))
WASIX("proc_fork") int proc_fork(int copy_memory, uint32_t *pid);
WASIX("proc_exec3")
int proc_exec3(const char *, size_t, const char *, size_t, const char *, size_t, int, const char *, size_t);
WASIX("proc_join") int proc_join(uint32_t *option, int flags, uint16_t *status);
WASIX("proc_signal") int proc_signal(uint32_t pid, int number);
WASIX("proc_raise_interval") int proc_raise_interval(int number, uint64_t nanoseconds, int repeat);
WASIX("callback_signal") void callback_signal(const char *name, size_t length);
WASIX("stack_checkpoint") int stack_checkpoint(void *record, uint64_t *value);
WASIX("stack_restore") _Noreturn void stack_restore(void *record, uint64_t value);

__attribute__((export_name("handler"))) void handler(int number)
{
    if (number != 17) /* there is one handler for all signals: the host's has none for the end of a child */
        on_signal(number);
}

static void do_handle(void) { callback_signal("handler", 7); }
static void do_raise(int number) { proc_signal(0, number); }
static void do_raise_soon(int number) { proc_raise_interval(number, 20000000, 0); }

static int do_fork(int copies)
{
    uint32_t pid = 0;
    return proc_fork(copies, &pid) ? -1 : (int)pid;
}

static int do_wait(int pid)
{
    uint32_t option[2] = {1, (uint32_t)pid};
    uint16_t status[3] = {0, 0, 0};
    if (proc_join(option, 0, status))
        return -1;
    return (status[0] & 0xff) == 2 ? 1000 + (status[2] & 0xff) : status[1];
}

static void do_exec(const char *what)
{
    char arguments[64];
    int length = snprintf(arguments, sizeof arguments, "handlers\n%s\n", what);
    proc_exec3("/bin/handlers", 13, arguments, (size_t)length, 0, 0, 0, 0, 0);
}

static char place[24];
#define MARK(value) \
    do { \
        uint64_t got = 0; \
        stack_checkpoint(place, &got); \
        value = (int)got; \
    } while (0)
static void do_jump(int value) { stack_restore(place, (uint64_t)value); }
#else
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static void do_handle(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
}
static void do_raise(int number) { raise(number); }
static void do_raise_soon(int number)
{
    (void)number;
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &soon, NULL);
}
static int do_fork(int copies)
{
    (void)copies; /* a vfork must not return from its function, and is told from a fork by nothing that is printed */
    return fork();
}
static int do_wait(int pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
static void do_exec(const char *what) { execl("/proc/self/exe", "handlers", what, (char *)0); }
static sigjmp_buf place;
#define MARK(value) value = sigsetjmp(place, 0)
static void do_jump(int value) { siglongjmp(place, value); }
#endif

enum { USR1 = 10, USR2 = 12, ALRM = 14 };
static const char *way;
static volatile int done, depth;

static void say(const char *what, int value)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %d\n", what, value);
    if (write(1, line, (size_t)length) != length)
        _exit(99);
}

static int is(const char *name) { return strcmp(way, name) == 0; }

static void on_signal(int number)
{
    volatile int kept = number * 3;
    int before = depth++;
    if (number == USR1 && is("nested"))
        do_raise(USR2);
    else {
        if (is("checkpoint-inside")) {
            int value;
            MARK(value);
            if (value) {
                say("jumped inside", value);
                _exit(value);
            }
        }
        int pid = do_fork(!is("vfork-exit") && !is("vfork-exec") && !is("vfork-fails"));
        if (pid == 0) {
            if (is("fork-exec") || is("vfork-exec"))
                do_exec("say");
            if (is("vfork-fails"))
                do_raise(9);
            if (is("jump") || is("checkpoint-inside"))
                do_jump(5);
            if (is("return"))
                return;
            if (is("again")) {
                pid = do_fork(1);
                if (pid == 0)
                    _exit(7);
                say("grandchild", do_wait(pid));
            }
            if (!is("vfork-exit"))
                say("child", kept);
            _exit(3);
        }
        say("ended", do_wait(pid));
    }
    say("handled", kept);
    depth = before;
    done++;
}

int main(int count, char **arguments)
{
    volatile int kept = 42;
    int value = 0;
    if (count < 2)
        return 2;
    way = arguments[1];
    if (is("say")) {
        say("executed", count);
        return 4;
    }
    do_handle();
    if (is("jump")) {
        MARK(value);
        if (value) {
            say("jumped", value + kept);
            return value;
        }
    }
    for (int round = 0; round < 2; round++) {
        if (is("computing")) {
            do_raise_soon(ALRM);
            while (done == round)
                __asm__ volatile("" ::: "memory");
        } else
            do_raise(USR1);
        say("main", kept + depth);
    }
    return 0;
}
